// SPDX-License-Identifier: GPL-2.0-only
/*
 * ARRAY: all elements exist from the start, zeroed, side by side in pages of their own
 *
 * The key is an index, and the value of index i starts at i * elem_size, where elem_size is the
 * value size rounded up to 8: with values of 12 bytes
 *
 *	offset 0: value 0, 4 bytes of padding;  offset 16: value 1, 4 bytes of padding;  ...
 *
 * So that nobody in user space reads half of an update, values are copied in one of three ways, by
 * their size:
 *
 * - 1, 2, 4 or 8 bytes: by one load or store;
 * - others up to BPFMAPS_ATOMIC_VALUE: under one of up to BPFMAPS_SEQ_STRIPES locks with a sequence
 *   count, which neighbouring indexes do not share;
 * - larger ones: under one lock that sleeps, since the copy takes long; users in the kernel cannot
 *   update these where they may not sleep.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../map.h"
#include "../seq.h"

#define ARRAY_CREATE_FLAGS (BPFMAPS_F_NUMA_NODE | BPFMAPS_F_MMAPABLE | BPFMAPS_F_INNER_MAP | \
			    BPFMAPS_ACCESS_FLAGS)

/* Of a large value, the bytes that are copied before others get the CPU. */
#define ARRAY_CHUNK	SZ_64K

/**
 * struct array_map - the type's struct
 * @map: what all types have
 * @elem_size: bytes from one value to the next
 * @word: values are copied by one load or store
 * @stripe_mask: number of stripes - 1
 * @stripes: locks of medium values, or NULL
 * @large: lock of large values
 * @values: the elements
 */
struct array_map {
	struct bpfmaps_map map;
	u32 elem_size;
	bool word;
	u32 stripe_mask;
	struct bpfmaps_seq *stripes;
	struct rw_semaphore large;
	void *values;
};

static struct array_map *to_array(const struct bpfmaps_map *map)
{
	return container_of(map, struct array_map, map);
}

static bool array_is_large(const struct array_map *a)
{
	return a->map.value_size > BPFMAPS_ATOMIC_VALUE;
}

static u64 array_bytes(const struct array_map *a)
{
	return (u64)a->map.max_entries * a->elem_size;
}

/* @index is below max_entries. */
static void *array_elem(const struct array_map *a, u32 index)
{
	return a->values + (u64)array_index_nospec(index, a->map.max_entries) * a->elem_size;
}

static int array_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~ARRAY_CREATE_FLAGS ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	if (!attr->max_entries || attr->key_size != sizeof(u32) || !attr->value_size)
		return -EINVAL;
	return attr->value_size > INT_MAX ? -E2BIG : 0;
}

static int array_alloc_stripes(struct array_map *a)
{
	if (a->word || array_is_large(a))
		return 0;
	a->stripes = bpfmaps_seq_alloc_stripes(a->map.max_entries, &a->stripe_mask);
	return a->stripes ? 0 : -ENOMEM;
}

static int array_alloc(struct bpfmaps_map *map)
{
	struct array_map *a = to_array(map);
	int err;

	a->elem_size = round_up(map->value_size, 8);
	a->word = bpfmaps_seq_is_word(map->value_size);
	init_rwsem(&a->large);
	a->values = bpfmaps_area_alloc(array_bytes(a), map->numa_node);
	if (IS_ERR(a->values))
		return PTR_ERR(a->values);
	err = array_alloc_stripes(a);
	if (err)
		bpfmaps_area_free(a->values);
	return err;
}

static void array_free(struct bpfmaps_map *map)
{
	struct array_map *a = to_array(map);

	kvfree(a->stripes);
	bpfmaps_area_free(a->values);
}

static void *array_lookup_elem(struct bpfmaps_map *map, const void *key)
{
	u32 index = bpfmaps_map_index(key);

	return index < map->max_entries ? array_elem(to_array(map), index) : NULL;
}

static struct bpfmaps_seq *array_stripe(const struct array_map *a, u32 index)
{
	return &a->stripes[index & a->stripe_mask];
}

static bool array_try_read(const struct array_map *a, const struct bpfmaps_seq *seq, void *value,
			   const void *elem)
{
	unsigned int start;

	if (!bpfmaps_seq_begin(seq, &start))
		return false;
	bpfmaps_copy_from_elem(value, elem, a->map.value_size);
	return bpfmaps_seq_valid(seq, start);
}

static void array_read_medium(const struct array_map *a, struct bpfmaps_seq *seq, void *value,
			      const void *elem)
{
	unsigned long flags;
	int i;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++)
		if (array_try_read(a, seq, value, elem))
			return;
	raw_spin_lock_irqsave(&seq->lock, flags);
	bpfmaps_copy_from_elem(value, elem, a->map.value_size);
	raw_spin_unlock_irqrestore(&seq->lock, flags);
}

static int array_write_medium(struct array_map *a, struct bpfmaps_seq *seq, void *elem,
			      const void *value, enum bpfmaps_from from)
{
	unsigned long flags;
	int err;

	raw_spin_lock_irqsave(&seq->lock, flags);
	err = bpfmaps_map_check_write(&a->map, from);
	if (!err)
		bpfmaps_seq_write(seq, elem, value, a->map.value_size);
	raw_spin_unlock_irqrestore(&seq->lock, flags);
	return err;
}

static int array_write_word(struct array_map *a, void *elem, const void *value,
			    enum bpfmaps_from from)
{
	int err;

	rcu_read_lock();
	err = bpfmaps_map_check_write(&a->map, from);
	if (!err)
		bpfmaps_copy_to_elem(elem, value, a->map.value_size);
	rcu_read_unlock();
	return err;
}

static int array_read_large(struct array_map *a, void *value, const void *elem)
{
	u32 done, size = a->map.value_size;

	if (down_read_killable(&a->large))
		return -EINTR;
	for (done = 0; done < size; done += min_t(u32, size - done, ARRAY_CHUNK)) {
		bpfmaps_copy_from_elem(value + done, elem + done,
				       min_t(u32, size - done, ARRAY_CHUNK));
		cond_resched();
	}
	up_read(&a->large);
	return 0;
}

static int array_write_large(struct array_map *a, void *elem, const void *value,
			     enum bpfmaps_from from)
{
	u32 done, size = a->map.value_size;
	int err;

	if (from == BPFMAPS_FROM_ATOMIC)
		return -EOPNOTSUPP;
	if (down_write_killable(&a->large))
		return -EINTR;
	err = bpfmaps_map_check_write(&a->map, from);
	for (done = 0; done < size && !err; done += min_t(u32, size - done, ARRAY_CHUNK)) {
		bpfmaps_copy_to_elem(elem + done, value + done,
				     min_t(u32, size - done, ARRAY_CHUNK));
		cond_resched();
	}
	up_write(&a->large);
	return err;
}

/* Freezing waits for those who copy a large value. */
static int array_settle(struct bpfmaps_map *map)
{
	struct array_map *a = to_array(map);

	if (down_read_killable(&a->large))
		return -EINTR;
	up_read(&a->large);
	return 0;
}

/* Values that are no words. Called from system calls. */
static noinline int array_read_other(struct array_map *a, u32 index, void *value)
{
	const void *elem = array_elem(a, index);

	if (array_is_large(a))
		return array_read_large(a, value, elem);
	array_read_medium(a, array_stripe(a, index), value, elem);
	return 0;
}

/* Called from system calls. */
static int array_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	struct array_map *a = to_array(map);
	u32 index = bpfmaps_map_index(key);

	if (index >= map->max_entries)
		return -ENOENT;
	if (!a->word)
		return array_read_other(a, index, value);
	bpfmaps_copy_from_elem(value, array_elem(a, index), map->value_size);
	return 0;
}

/* Values that are no words. */
static noinline int array_write_other(struct array_map *a, u32 index, const void *value,
				      enum bpfmaps_from from)
{
	void *elem = array_elem(a, index);

	if (array_is_large(a))
		return array_write_large(a, elem, value, from);
	return array_write_medium(a, array_stripe(a, index), elem, value, from);
}

static int array_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			     enum bpfmaps_from from)
{
	struct array_map *a = to_array(map);
	u32 index = bpfmaps_map_index(key);

	if (flags > BPFMAPS_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags == BPFMAPS_NOEXIST)
		return -EEXIST;
	if (!a->word)
		return array_write_other(a, index, value, from);
	return array_write_word(a, array_elem(a, index), value, from);
}

/* Called from system calls; @nr elements from @index on are there. */
static int array_read_many(struct array_map *a, u32 index, u32 nr, void *value)
{
	const void *elem = array_elem(a, index);
	u32 i, size = a->map.value_size;
	int err = 0;

	if (size == sizeof(long) && size == a->elem_size) {
		for (i = 0; i < nr; i++)
			((long *)value)[i] = READ_ONCE(((const long *)elem)[i]);
		return 0;
	}
	for (i = 0; i < nr && !err; i++, value += size, elem += a->elem_size) {
		if (array_is_large(a))
			err = array_read_large(a, value, elem);
		else if (a->word)
			bpfmaps_copy_from_elem(value, elem, size);
		else
			array_read_medium(a, array_stripe(a, index + i), value, elem);
	}
	return err;
}

static int array_collect_next(struct bpfmaps_map *map, const void *key,
			      struct bpfmaps_chunk *chunk)
{
	u32 i, index, nr, *keys = chunk->keys;
	int err = bpfmaps_map_next_index(map, key, &index);

	if (err)
		return err;
	nr = min(chunk->room, map->max_entries - index);
	for (i = 0; i < nr; i++)
		keys[i] = index + i;
	err = array_read_many(to_array(map), index, nr, chunk->values);
	if (err)
		return err;
	chunk->fill = nr;
	return nr < chunk->room ? -ENOENT : 0;
}

/* Freezing waits for those who are in the RCU section. */
static int array_update_words(struct array_map *a, const struct bpfmaps_chunk *chunk, u32 *done)
{
	const long *values = chunk->values;
	const u32 *keys = chunk->keys;
	int err;
	u32 i;

	rcu_read_lock();
	err = bpfmaps_map_check_write(&a->map, BPFMAPS_FROM_USER);
	for (i = 0; i < chunk->fill && !err; i++) {
		if (keys[i] < a->map.max_entries)
			WRITE_ONCE(*(long *)array_elem(a, keys[i]), values[i]);
		else
			err = -E2BIG;
	}
	rcu_read_unlock();
	*done = err ? i - (i > 0) : i;
	return err;
}

static int array_update_many(struct bpfmaps_map *map, const struct bpfmaps_chunk *chunk, u64 flags,
			     u32 *done)
{
	const void *key = chunk->keys, *value = chunk->values;
	int err = 0;
	u32 i;

	if (map->value_size == sizeof(long) && flags == BPFMAPS_ANY)
		return array_update_words(to_array(map), chunk, done);
	for (i = 0; i < chunk->fill; i++) {
		err = array_update_elem(map, key, value, flags, BPFMAPS_FROM_USER);
		if (err)
			break;
		key += sizeof(u32);
		value += map->value_size;
	}
	*done = i;
	return err;
}

/* Elements of an array stay. */
static int array_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return -EINVAL;
}

static int array_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
{
	struct array_map *a = to_array(map);
	int ret = 0;
	u32 i;

	for (i = 0; i < map->max_entries && !ret; i++) {
		rcu_read_lock();
		ret = fn(map, &i, array_elem(a, i), ctx);
		rcu_read_unlock();
		cond_resched();
	}
	return ret;
}

static s64 array_mmap_size(struct bpfmaps_map *map)
{
	if (!(map->map_flags & BPFMAPS_F_MMAPABLE))
		return -EINVAL;
	return PAGE_ALIGN(array_bytes(to_array(map)));
}

static struct page *array_mmap_page(struct bpfmaps_map *map, pgoff_t pgoff)
{
	return vmalloc_to_page(to_array(map)->values + (pgoff << PAGE_SHIFT));
}

static u64 array_mem_usage(const struct bpfmaps_map *map)
{
	const struct array_map *a = to_array(map);
	u64 stripes = a->stripes ? (u64)(a->stripe_mask + 1) * sizeof(*a->stripes) : 0;

	return bpfmaps_area_mem_usage(array_bytes(a)) + stripes;
}

const struct bpfmaps_map_ops bpfmaps_array_ops = {
	.map_size		= sizeof(struct array_map),
	.inner_has_max		= true,
	.batch			= BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_UPDATE),
	.map_alloc_check	= array_alloc_check,
	.map_alloc		= array_alloc,
	.map_free		= array_free,
	.map_lookup_elem	= array_lookup_elem,
	.map_copy_value		= array_copy_value,
	.map_update_elem	= array_update_elem,
	.map_delete_elem	= array_delete_elem,
	.map_settle		= array_settle,
	.map_get_next_key	= bpfmaps_map_next_index,
	.map_for_each		= array_for_each,
	.map_collect_next	= array_collect_next,
	.map_update_many	= array_update_many,
	.map_mmap_size		= array_mmap_size,
	.map_mmap_page		= array_mmap_page,
	.map_mem_usage		= array_mem_usage,
};
