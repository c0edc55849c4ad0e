// SPDX-License-Identifier: GPL-2.0-only
/*
 * HASH_OF_MAPS: a HASH whose values are pointers to other maps, each with a reference
 *
 * The HASH is a map object of its own that nobody else sees. Its operations do all but two things,
 * which are done here: turning descriptors into pointers, and putting the map that has left its
 * place. To know which one that is, writers take a lock from looking at the old value until the new
 * one is in. All of them are system calls, so the lock may sleep. Under it they ask whether the map
 * is frozen.
 *
 * Readers do not lock. One under RCU finds an element of the HASH with the old or the new pointer,
 * and may go on with the map: the last reference to a map frees it only after a grace period.
 */
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../map.h"

/**
 * struct hash_of_maps - the type's struct
 * @map: what all types have
 * @hash: from keys to pointers
 * @lock: held by who writes
 */
struct hash_of_maps {
	struct bpfmaps_map map;
	struct bpfmaps_map *hash;
	struct mutex lock; /* from an old value to the new one */
};

static struct hash_of_maps *to_maps(const struct bpfmaps_map *map)
{
	return container_of(map, struct hash_of_maps, map);
}

static int maps_alloc_check(const struct bpfmaps_create_attr *attr)
{
	struct bpfmaps_create_attr hash = *attr;

	if (attr->value_size != sizeof(u32))
		return -EINVAL;
	hash.map_type = BPFMAPS_TYPE_HASH;
	return bpfmaps_hash_ops.map_alloc_check(&hash);
}

/* What belongs to the map as others see it stays zero in the HASH. */
static struct bpfmaps_map *maps_new_hash(const struct bpfmaps_map *map)
{
	struct bpfmaps_map *hash = kzalloc(bpfmaps_hash_ops.map_size, BPFMAPS_GFP);

	if (!hash)
		return NULL;
	hash->ops = &bpfmaps_hash_ops;
	hash->map_type = BPFMAPS_TYPE_HASH;
	hash->key_size = map->key_size;
	hash->value_size = sizeof(struct bpfmaps_map *);
	hash->user_value_size = hash->value_size;
	hash->max_entries = map->max_entries;
	hash->map_flags = map->map_flags;
	hash->numa_node = map->numa_node;
	hash->memcg = map->memcg;
	return hash;
}

static int maps_alloc(struct bpfmaps_map *map)
{
	struct hash_of_maps *m = to_maps(map);
	int err;

	mutex_init(&m->lock);
	m->hash = maps_new_hash(map);
	if (!m->hash)
		return -ENOMEM;
	err = bpfmaps_hash_ops.map_alloc(m->hash);
	if (err)
		kfree(m->hash);
	return err;
}

static int put_inner(struct bpfmaps_map *hash, const void *key, void *value, void *ctx)
{
	struct bpfmaps_map **place = value;

	bpfmaps_map_put(*place);
	return 0;
}

static void maps_free(struct bpfmaps_map *map)
{
	struct hash_of_maps *m = to_maps(map);

	bpfmaps_hash_ops.map_for_each(m->hash, put_inner, NULL);
	bpfmaps_hash_ops.map_free(m->hash);
	kfree(m->hash);
}

static struct bpfmaps_map *maps_lookup_map(struct bpfmaps_map *map, const void *key)
{
	struct bpfmaps_map **place = bpfmaps_hash_ops.map_lookup_elem(to_maps(map)->hash, key);

	return place ? READ_ONCE(*place) : NULL;
}

/* Called from system calls, which get the inner map's id. */
static int maps_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	const struct bpfmaps_map *inner;

	rcu_read_lock();
	inner = maps_lookup_map(map, key);
	if (inner)
		memcpy(value, &inner->id, sizeof(inner->id));
	rcu_read_unlock();
	return inner ? 0 : -ENOENT;
}

/* Under the lock: NULL if there is none; otherwise it stays there. */
static struct bpfmaps_map *maps_current(struct hash_of_maps *m, const void *key)
{
	struct bpfmaps_map *inner;

	lockdep_assert_held(&m->lock);
	rcu_read_lock();
	inner = maps_lookup_map(&m->map, key);
	rcu_read_unlock();
	return inner;
}

/* Set the value of @key to @inner; @old gets what was there. */
static int maps_exchange(struct hash_of_maps *m, const void *key, struct bpfmaps_map *inner,
			 struct bpfmaps_map **old, u64 flags, enum bpfmaps_from from)
{
	int err;

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	*old = maps_current(m, key);
	err = bpfmaps_map_check_write(&m->map, from);
	if (!err)
		err = bpfmaps_hash_ops.map_update_elem(m->hash, key, &inner, flags,
						       BPFMAPS_FROM_KERNEL);
	mutex_unlock(&m->lock);
	return err;
}

/* Called from system calls; @value is a descriptor. */
static int maps_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			    enum bpfmaps_from from)
{
	struct bpfmaps_map *inner = bpfmaps_inner_get(map, get_unaligned((const u32 *)value));
	struct bpfmaps_map *old;
	int err;

	if (IS_ERR(inner))
		return PTR_ERR(inner);
	err = maps_exchange(to_maps(map), key, inner, &old, flags, from);
	if (err)
		old = inner;
	if (old)
		bpfmaps_map_put(old);
	return err;
}

/* Under the lock: take @old, what @key has now, out of its place. */
static int maps_remove(struct hash_of_maps *m, const void *key, const struct bpfmaps_map *old,
		       const void *id, enum bpfmaps_from from)
{
	int err = bpfmaps_map_check_write(&m->map, from);

	if (err)
		return err;
	if (!old)
		return -ENOENT;
	if (id && memcmp(id, &old->id, sizeof(old->id)))
		return -EAGAIN;
	return bpfmaps_hash_ops.map_delete_elem(m->hash, key, BPFMAPS_FROM_KERNEL);
}

/* Delete @key; with an @id only if it still has the map with this one. */
static int maps_delete(struct hash_of_maps *m, const void *key, const void *id,
		       enum bpfmaps_from from)
{
	struct bpfmaps_map *old;
	int err;

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	old = maps_current(m, key);
	err = maps_remove(m, key, old, id, from);
	mutex_unlock(&m->lock);
	if (!err)
		bpfmaps_map_put(old);
	return err;
}

/* Called from system calls. */
static int maps_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return maps_delete(to_maps(map), key, NULL, from);
}

/* Called from system calls that have copied the id out. */
static int maps_delete_value(struct bpfmaps_map *map, const void *key, const void *value)
{
	return maps_delete(to_maps(map), key, value, BPFMAPS_FROM_USER);
}

/* Freezing waits for those who have asked whether the map is frozen and have not written yet. */
static int maps_settle(struct bpfmaps_map *map)
{
	struct hash_of_maps *m = to_maps(map);

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	mutex_unlock(&m->lock);
	return 0;
}

static int maps_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	return bpfmaps_hash_ops.map_get_next_key(to_maps(map)->hash, key, next_key);
}

/*
 * Under the lock, so that the maps stay where they are: append elements of the HASH, and of their
 * values the ids. @inner has room for as many pointers as @chunk has for ids.
 */
static int maps_collect_locked(struct hash_of_maps *m, u32 *cursor, struct bpfmaps_chunk *chunk,
			       struct bpfmaps_map **inner)
{
	struct bpfmaps_chunk all = *chunk;
	u32 *ids = chunk->values;
	int err;

	lockdep_assert_held(&m->lock);
	all.values = inner;
	all.value_size = sizeof(*inner);
	err = bpfmaps_hash_ops.map_collect(m->hash, cursor, &all);
	for (; chunk->fill < all.fill; chunk->fill++)
		ids[chunk->fill] = inner[chunk->fill]->id;
	return err;
}

static int maps_collect(struct bpfmaps_map *map, u32 *cursor, struct bpfmaps_chunk *chunk)
{
	struct hash_of_maps *m = to_maps(map);
	struct bpfmaps_map **inner;
	int err = -EINTR;
	u32 size;

	if (chunk->room > INT_MAX / sizeof(*inner))
		return -ENOMEM;
	size = chunk->room * sizeof(*inner);
	inner = bpfmaps_buf_alloc(map, size);
	if (!inner)
		return -ENOMEM;
	if (!mutex_lock_killable(&m->lock)) {
		err = maps_collect_locked(m, cursor, chunk, inner);
		mutex_unlock(&m->lock);
	}
	bpfmaps_buf_free(inner, size);
	return err;
}

static void maps_reclaim(struct bpfmaps_map *map)
{
	bpfmaps_hash_ops.map_reclaim(to_maps(map)->hash);
}

static u64 maps_mem_usage(const struct bpfmaps_map *map)
{
	return bpfmaps_hash_ops.map_size + bpfmaps_hash_ops.map_mem_usage(to_maps(map)->hash);
}

#define HASH_OF_MAPS_BATCH (BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_LOOKUP_AND_DELETE) | \
			    BIT(BPFMAPS_BATCH_UPDATE) | BIT(BPFMAPS_BATCH_DELETE))

const struct bpfmaps_map_ops bpfmaps_hash_of_maps_ops = {
	.map_size		= sizeof(struct hash_of_maps),
	.batch			= HASH_OF_MAPS_BATCH,
	.holds_maps		= true,
	.map_alloc_check	= maps_alloc_check,
	.map_alloc		= maps_alloc,
	.map_free		= maps_free,
	.map_lookup_map		= maps_lookup_map,
	.map_copy_value		= maps_copy_value,
	.map_update_elem	= maps_update_elem,
	.map_delete_elem	= maps_delete_elem,
	.map_delete_value	= maps_delete_value,
	.map_settle		= maps_settle,
	.map_reclaim		= maps_reclaim,
	.map_get_next_key	= maps_get_next_key,
	.map_collect		= maps_collect,
	.map_mem_usage		= maps_mem_usage,
};
