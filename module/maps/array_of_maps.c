// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARRAY_OF_MAPS: an array of pointers to other maps, each with a reference
 *
 * All places exist from the start and are empty. System calls put the map of a descriptor into a
 * place, or take it out, by exchanging the pointer; what was there before is put when no lock is
 * held. A reader under RCU may go on with the map that it has found: the last reference to a map
 * frees it only after a grace period.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>

#include "../map.h"

#define ARRAY_OF_MAPS_CREATE_FLAGS (BPFMAPS_F_NUMA_NODE | BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY)

/**
 * struct array_of_maps - the type's struct
 * @map: what all types have
 * @inner: the places
 */
struct array_of_maps {
	struct bpfmaps_map map;
	struct bpfmaps_map __rcu **inner;
};

static struct array_of_maps *to_array(const struct bpfmaps_map *map)
{
	return container_of(map, struct array_of_maps, map);
}

static u64 array_bytes(const struct bpfmaps_map *map)
{
	return (u64)map->max_entries * sizeof(struct bpfmaps_map *);
}

/* NULL behind the end. */
static struct bpfmaps_map __rcu **array_place(const struct bpfmaps_map *map, const void *key)
{
	u32 index = bpfmaps_map_index(key);

	if (index >= map->max_entries)
		return NULL;
	return to_array(map)->inner + array_index_nospec(index, map->max_entries);
}

static int array_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~ARRAY_OF_MAPS_CREATE_FLAGS)
		return -EINVAL;
	if (!attr->max_entries || attr->key_size != sizeof(u32) || attr->value_size != sizeof(u32))
		return -EINVAL;
	return 0;
}

static int array_alloc(struct bpfmaps_map *map)
{
	void *area = bpfmaps_area_alloc(array_bytes(map), map->numa_node);

	if (IS_ERR(area))
		return PTR_ERR(area);
	to_array(map)->inner = area;
	return 0;
}

static void array_free(struct bpfmaps_map *map)
{
	struct array_of_maps *a = to_array(map);
	struct bpfmaps_map *inner;
	u32 i;

	for (i = 0; i < map->max_entries; i++) {
		inner = rcu_dereference_protected(a->inner[i], true);
		if (inner)
			bpfmaps_map_put(inner);
		cond_resched();
	}
	bpfmaps_area_free(a->inner);
}

static struct bpfmaps_map *array_lookup_map(struct bpfmaps_map *map, const void *key)
{
	struct bpfmaps_map __rcu **place = array_place(map, key);

	return place ? rcu_dereference_check(*place, rcu_read_lock_any_held()) : NULL;
}

/* Called from system calls, which get the inner map's id. */
static int array_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	const struct bpfmaps_map *inner;

	rcu_read_lock();
	inner = array_lookup_map(map, key);
	if (inner)
		memcpy(value, &inner->id, sizeof(inner->id));
	rcu_read_unlock();
	return inner ? 0 : -ENOENT;
}

/* Put @inner into its place; @old gets what was there. */
static int array_exchange(struct bpfmaps_map *map, struct bpfmaps_map __rcu **place,
			  struct bpfmaps_map *inner, struct bpfmaps_map **old,
			  enum bpfmaps_from from)
{
	int err;

	rcu_read_lock();
	err = bpfmaps_map_check_write(map, from);
	if (!err)
		*old = unrcu_pointer(xchg(place, RCU_INITIALIZER(inner)));
	rcu_read_unlock();
	return err;
}

/* Called from system calls; @value is a descriptor. */
static int array_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			     enum bpfmaps_from from)
{
	struct bpfmaps_map __rcu **place = array_place(map, key);
	struct bpfmaps_map *inner, *old = NULL;
	int err;

	if (flags != BPFMAPS_ANY)
		return -EINVAL;
	if (!place)
		return -E2BIG;
	inner = bpfmaps_inner_get(map, get_unaligned((const u32 *)value));
	if (IS_ERR(inner))
		return PTR_ERR(inner);
	err = array_exchange(map, place, inner, &old, from);
	if (err)
		old = inner;
	if (old)
		bpfmaps_map_put(old);
	return err;
}

/* Called from system calls. */
static int array_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	struct bpfmaps_map __rcu **place = array_place(map, key);
	struct bpfmaps_map *old = NULL;
	int err;

	if (!place)
		return -E2BIG;
	err = array_exchange(map, place, NULL, &old, from);
	if (err)
		return err;
	if (!old)
		return -ENOENT;
	bpfmaps_map_put(old);
	return 0;
}

static u64 array_mem_usage(const struct bpfmaps_map *map)
{
	return bpfmaps_area_mem_usage(array_bytes(map));
}

const struct bpfmaps_map_ops bpfmaps_array_of_maps_ops = {
	.map_size		= sizeof(struct array_of_maps),
	.batch			= BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_UPDATE),
	.holds_maps		= true,
	.map_alloc_check	= array_alloc_check,
	.map_alloc		= array_alloc,
	.map_free		= array_free,
	.map_lookup_map		= array_lookup_map,
	.map_copy_value		= array_copy_value,
	.map_update_elem	= array_update_elem,
	.map_delete_elem	= array_delete_elem,
	.map_get_next_key	= bpfmaps_map_next_index,
	.map_mem_usage		= array_mem_usage,
};
