// SPDX-License-Identifier: GPL-2.0-only
/*
 * HASH, PERCPU_HASH, LRU_HASH and LRU_PERCPU_HASH: chained buckets, readers under RCU, one lock for
 * each bucket
 *
 * There are max_entries buckets, rounded up to a power of two, so chains are short. An element
 * holds its hash, its key and its value; key and value start at a multiple of 8 bytes:
 *
 *	bucket 5:  elem(hash 0x..5, "dog", 7)  ->  elem(hash 0x..5, "emu", 1)  ->  nothing
 *
 * A new element becomes the first of its chain. A value is replaced in one of two ways:
 *
 * - small ones in place, under the bucket's lock and sequence count: a reader that copied meanwhile
 *   copies again, so it returns either value as a whole;
 * - larger ones by another element, which takes the place of the old one in the chain: a reader
 *   finds one or the other, never none.
 *
 * An element of a PERCPU_HASH holds a pointer to its values, one for each CPU, where otherwise the
 * value is. Users in the kernel read and write the one of their CPU, user space all of them.
 *
 * An LRU_HASH that is full takes the place of the element that was not used for the longest time;
 * see lru.c. With NO_COMMON_LRU each CPU has places of its own. The lock of the lists is taken
 * within that of a bucket.
 *
 * An element that left its chain is not used again before all readers that may see it are gone; see
 * pool.c.
 */
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "hash.h"

#define HASH_CREATE_FLAGS (BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_NO_COMMON_LRU | \
			   BPFMAPS_F_NUMA_NODE | BPFMAPS_F_ZERO_SEED | BPFMAPS_ACCESS_FLAGS | \
			   BPFMAPS_F_TOUCH_LOOKUP)

/* The limits of bpf(2), which has larger elements. */
#define HASH_MAX_KEY_VALUE	(KMALLOC_MAX_SIZE - 48)
#define HASH_MAX_BUCKETS	(U32_MAX / 16)

/*
 * Values up to this size are overwritten, larger ones replaced. Per-CPU values are large by their
 * number, and users in the kernel want theirs to stay where they are.
 */
#define HASH_IN_PLACE		SZ_4K
#define HASH_PERCPU_IN_PLACE	SZ_64K

/* Neither done nor failed: an update goes on with a new element, or a place for it. */
#define NEED_ELEM		1
#define NEED_ROOM		2
/* Done, and the new element is not needed. */
#define DONE_IN_PLACE		3

/* Loops over the CPUs, apart from what all types run through. */
void bpfmaps_hash_read_percpu(const struct hash_map *h, struct hash_elem *elem, void *value,
			      u64 flags)
{
	bpfmaps_percpu_gather(&h->map, elem_percpu(h, elem), 1, value, flags);
}

static noinline void elem_write_percpu(const struct hash_map *h, struct hash_elem *elem,
				       const void *value, u64 flags)
{
	bpfmaps_percpu_scatter(&h->map, elem_percpu(h, elem), 1, value, flags);
}

static __always_inline void elem_write_value(const struct hash_map *h, struct hash_elem *elem,
					     const void *value, u64 flags,
					     enum bpfmaps_from from)
{
	if (h->percpu && from == BPFMAPS_FROM_USER)
		elem_write_percpu(h, elem, value, flags);
	else
		bpfmaps_copy_to_elem(elem_value(h, elem), value, h->map.value_size);
}

/* Of a new element: nothing of what it held before is left on other CPUs, or behind the value. */
static void elem_init_value(const struct hash_map *h, struct hash_elem *elem, const void *value,
			    u64 flags, enum bpfmaps_from from)
{
	if (h->percpu && (from != BPFMAPS_FROM_USER || flags & BPFMAPS_ONE_VALUE))
		bpfmaps_percpu_zero(elem_percpu(h, elem), h->map.value_size);
	elem_write_value(h, elem, value, flags, from);
}

/* Whether @value, as user space has it, is that of the element. */
static bool elem_has_value(const struct hash_map *h, struct hash_elem *elem, const void *value)
{
	if (h->percpu)
		return bpfmaps_percpu_equal(elem_percpu(h, elem), value, h->map.value_size);
	return !memcmp(elem_value(h, elem), value, h->map.value_size);
}

static bool type_is_percpu(u32 type)
{
	return type == BPFMAPS_TYPE_PERCPU_HASH || type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

static bool type_is_lru(u32 type)
{
	return type == BPFMAPS_TYPE_LRU_HASH || type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

/* Flags that only some of the types take. */
static int hash_check_type_flags(const struct bpfmaps_create_attr *attr)
{
	bool lru = type_is_lru(attr->map_type);
	bool cpus = attr->map_flags & BPFMAPS_F_NO_COMMON_LRU;

	if (!lru && (cpus || attr->map_flags & BPFMAPS_F_TOUCH_LOOKUP))
		return -EINVAL;
	if (lru && attr->map_flags & BPFMAPS_F_NO_PREALLOC)
		return -BPFMAPS_ENOTSUPP;
	if ((type_is_percpu(attr->map_type) || cpus) && bpfmaps_map_names_node(attr))
		return -EINVAL;
	return 0;
}

static int hash_alloc_check(const struct bpfmaps_create_attr *attr)
{
	int err;

	if (attr->map_flags & BPFMAPS_F_ZERO_SEED && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (attr->map_extra || attr->map_flags & ~HASH_CREATE_FLAGS ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	err = hash_check_type_flags(attr);
	if (err)
		return err;
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return -EINVAL;
	if ((u64)attr->key_size + attr->value_size >= HASH_MAX_KEY_VALUE)
		return -E2BIG;
	if (type_is_percpu(attr->map_type) && !bpfmaps_percpu_fits(attr->value_size))
		return -E2BIG;
	if (attr->max_entries > 1U << 31 ||
	    roundup_pow_of_two((u64)attr->max_entries) > HASH_MAX_BUCKETS)
		return -E2BIG;
	return 0;
}

static int hash_init_buckets(struct hash_map *h)
{
	u32 i;

	for (i = 0; i <= h->mask; i++) {
		INIT_HLIST_HEAD(&h->buckets[i].head);
		bpfmaps_seq_init(&h->buckets[i].seq);
		if (i % HASH_RESCHED)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Each CPU has the same number of places, one at least. */
static u32 hash_round_to_cpus(u32 max_entries)
{
	u32 rounded = roundup(max_entries, num_possible_cpus());

	return rounded < max_entries ? rounddown(max_entries, num_possible_cpus()) : rounded;
}

static u32 hash_nr_lrus(const struct hash_map *h)
{
	return h->map.map_flags & BPFMAPS_F_NO_COMMON_LRU ? nr_cpu_ids : 1;
}

static u32 hash_lru_capacity(const struct hash_map *h)
{
	if (h->map.map_flags & BPFMAPS_F_NO_COMMON_LRU)
		return h->map.max_entries / num_possible_cpus();
	return h->map.max_entries;
}

static int hash_alloc_lrus(struct hash_map *h)
{
	u32 i;

	if (!type_is_lru(h->map.map_type))
		return 0;
	h->lru = kvcalloc(hash_nr_lrus(h), sizeof(*h->lru), BPFMAPS_GFP);
	if (!h->lru)
		return -ENOMEM;
	for (i = 0; i < hash_nr_lrus(h); i++)
		bpfmaps_lru_init(&h->lru[i], hash_lru_capacity(h));
	return 0;
}

static int hash_alloc(struct bpfmaps_map *map)
{
	struct hash_map *h = to_hash(map);
	u32 elem_size;
	int err;

	if (map->map_flags & BPFMAPS_F_NO_COMMON_LRU)
		map->max_entries = hash_round_to_cpus(map->max_entries);
	h->mask = roundup_pow_of_two(map->max_entries) - 1;
	if (!(map->map_flags & BPFMAPS_F_ZERO_SEED))
		get_random_bytes(&h->seed, sizeof(h->seed));
	h->value_offset = round_up(map->key_size, 8);
	elem_size = offsetof(struct hash_elem, key) + h->value_offset;
	h->percpu = type_is_percpu(map->map_type);
	h->word = !h->percpu && bpfmaps_seq_is_word(map->value_size);
	if (h->percpu) {
		if (!(map->map_flags & BPFMAPS_F_NO_PREALLOC) &&
		    !bpfmaps_percpu_possible(map->max_entries, map->value_size))
			return -ENOMEM;
		map->user_value_size = bpfmaps_percpu_user_size(map->value_size);
		h->pool.percpu_size = bpfmaps_percpu_stride(map->value_size);
		h->pool.percpu_offset = elem_size;
		elem_size += sizeof(void __percpu *);
	} else {
		elem_size += round_up(map->value_size, 8);
	}
	if (type_is_lru(map->map_type)) {
		h->lru_offset = elem_size;
		elem_size += sizeof(struct bpfmaps_lru_node);
	}

	h->buckets = bpfmaps_area_alloc(array_size(h->mask + 1, sizeof(*h->buckets)),
					map->numa_node);
	if (IS_ERR(h->buckets))
		return PTR_ERR(h->buckets);
	err = hash_init_buckets(h);
	if (err)
		goto err_buckets;
	err = hash_alloc_lrus(h);
	if (err)
		goto err_buckets;
	err = bpfmaps_pool_init(&h->pool, map, elem_size,
				!(map->map_flags & BPFMAPS_F_NO_PREALLOC));
	if (err)
		goto err_lrus;
	return 0;

err_lrus:
	kvfree(h->lru);
err_buckets:
	bpfmaps_area_free(h->buckets);
	return err;
}

static void hash_free_elems(struct hash_map *h)
{
	struct hash_elem *elem;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i <= h->mask; i++) {
		hlist_for_each_entry_safe(elem, next, &h->buckets[i].head, pool.node)
			bpfmaps_pool_drop(&h->pool, elem);
		cond_resched();
	}
}

static void hash_free(struct bpfmaps_map *map)
{
	struct hash_map *h = to_hash(map);

	if (bpfmaps_pool_uses_heap(&h->pool))
		hash_free_elems(h);
	bpfmaps_pool_destroy(&h->pool);
	kvfree(h->lru);
	bpfmaps_area_free(h->buckets);
}

static struct hash_elem *hash_find(const struct hash_map *h, const void *key)
{
	u32 hash = hash_key(h, key);

	return bucket_find(h, hash_bucket(h, hash), hash, key);
}

static void *hash_lookup_elem(struct bpfmaps_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *elem = hash_find(h, key);

	if (!elem)
		return NULL;
	if (h->lru)
		bpfmaps_lru_touch(elem_lru(h, elem));
	return elem_value(h, elem);
}

static void *hash_lookup_percpu_elem(struct bpfmaps_map *map, const void *key, u32 cpu)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *elem = hash_find(h, key);

	if (!elem)
		return NULL;
	if (h->lru)
		bpfmaps_lru_touch(elem_lru(h, elem));
	return bpfmaps_percpu_value(elem_percpu(h, elem), cpu);
}

static __always_inline int bucket_copy(const struct hash_map *h, struct hash_bucket *bucket,
				       u32 hash, const void *key, void *value, u64 flags)
{
	struct hash_elem *elem = bucket_find(h, bucket, hash, key);

	if (!elem)
		return -ENOENT;
	elem_read_value(h, elem, value, flags);
	elem_note_lookup(h, elem, flags);
	return 0;
}

static __always_inline bool bucket_try_copy(const struct hash_map *h, struct hash_bucket *bucket,
					    u32 hash, const void *key, void *value, u64 flags,
					    int *err)
{
	unsigned int start;

	if (!bpfmaps_seq_begin(&bucket->seq, &start))
		return false;
	*err = bucket_copy(h, bucket, hash, key, value, flags);
	return bpfmaps_seq_valid(&bucket->seq, start);
}

/* Called from system calls, under RCU: an element stays what it is. */
static int hash_copy_rcu(const struct hash_map *h, struct hash_bucket *bucket, u32 hash,
			 const void *key, void *value, u64 flags)
{
	unsigned long irq;
	int i, err;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++)
		if (bucket_try_copy(h, bucket, hash, key, value, flags, &err))
			return err;
	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	err = bucket_copy(h, bucket, hash, key, value, flags);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	return err;
}

static int hash_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	struct hash_map *h = to_hash(map);
	u32 hash = hash_key(h, key);
	int err;

	rcu_read_lock();
	if (h->word)
		err = bucket_copy(h, hash_bucket(h, hash), hash, key, value, flags);
	else
		err = hash_copy_rcu(h, hash_bucket(h, hash), hash, key, value, flags);
	rcu_read_unlock();
	return err;
}

static bool hash_in_place(const struct hash_map *h, u64 flags, enum bpfmaps_from from)
{
	if (h->percpu)
		return from != BPFMAPS_FROM_USER || flags & BPFMAPS_F_CPU ||
		       h->map.user_value_size <= HASH_PERCPU_IN_PLACE;
	return h->map.value_size <= HASH_IN_PLACE;
}

/*
 * Under the bucket's lock, where alone it is certain whether the key is there and the map full: do
 * what can be done without another element. Returns 0, an errno, or NEED_ELEM.
 */
static __always_inline int bucket_set(struct hash_map *h, struct hash_bucket *bucket,
				      struct hash_elem *elem, const void *value, u64 flags,
				      enum bpfmaps_from from)
{
	if (bpfmaps_map_check_write(&h->map, from))
		return -EPERM;
	if (!elem && flags & BPFMAPS_EXIST)
		return -ENOENT;
	if (!elem)
		return !h->lru && bpfmaps_pool_full(&h->pool) ? -E2BIG : NEED_ELEM;
	if (flags & BPFMAPS_NOEXIST)
		return -EEXIST;
	if (h->lru)
		bpfmaps_lru_touch(elem_lru(h, elem));
	if (!hash_in_place(h, flags, from))
		return NEED_ELEM;
	write_seqcount_begin(&bucket->seq.count);
	elem_write_value(h, elem, value, flags, from);
	write_seqcount_end(&bucket->seq.count);
	return 0;
}

static __always_inline int hash_set(struct hash_map *h, u32 hash, const void *key,
				    const void *value, u64 flags, enum bpfmaps_from from)
{
	struct hash_bucket *bucket = hash_bucket(h, hash);
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	err = bucket_set(h, bucket, bucket_find(h, bucket, hash, key), value, flags,
			 from);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	return err;
}

static struct hash_elem *hash_new_elem(struct hash_map *h, u32 hash, const void *key,
				       const void *value, u64 flags, enum bpfmaps_from from)
{
	struct hash_elem *elem = bpfmaps_pool_alloc(&h->pool, from);

	if (!elem)
		return NULL;
	elem->hash = hash;
	memcpy(elem->key, key, h->map.key_size);
	elem_init_value(h, elem, value, flags, from);
	return elem;
}

/* Put @elem into the place that was reserved for it, or else into that of @old. */
static bool elem_take_place(const struct hash_map *h, struct hash_elem *elem,
			    struct hash_elem *old)
{
	struct bpfmaps_lru_node *node = elem_lru(h, elem);

	if (!node->lru)
		return old && bpfmaps_lru_replace(elem_lru(h, old), node);
	if (old)
		bpfmaps_lru_del(elem_lru(h, old));
	bpfmaps_lru_add(node->lru, node);
	return true;
}

/*
 * Under the bucket's lock: put @elem in the place of @old, or first in the chain. What was true in
 * bucket_set() need not be any more. The values of other CPUs that @old has got meanwhile stay: it
 * is overwritten, if it can be.
 */
static int bucket_link(struct hash_map *h, struct hash_bucket *bucket, struct hash_elem *elem,
		       struct hash_elem *old, const void *value, u64 flags, enum bpfmaps_from from)
{
	if (old && h->percpu && hash_in_place(h, flags, from))
		return bucket_set(h, bucket, old, value, flags, from) ?: DONE_IN_PLACE;
	if (bpfmaps_map_check_write(&h->map, from))
		return -EPERM;
	if (old && flags & BPFMAPS_NOEXIST)
		return -EEXIST;
	if (!old && flags & BPFMAPS_EXIST)
		return -ENOENT;
	if (h->lru && !elem_take_place(h, elem, old))
		return NEED_ROOM;
	if (!old && !h->lru && !bpfmaps_pool_reserve(&h->pool))
		return -E2BIG;
	if (old)
		hlist_replace_rcu(&old->pool.node, &elem->pool.node);
	else
		hlist_add_head_rcu(&elem->pool.node, &bucket->head);
	return 0;
}

static int hash_link(struct hash_map *h, struct hash_elem *elem, const void *value, u64 flags,
		     enum bpfmaps_from from)
{
	struct hash_bucket *bucket = hash_bucket(h, elem->hash);
	struct hash_elem *old;
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	old = bucket_find(h, bucket, elem->hash, elem->key);
	err = bucket_link(h, bucket, elem, old, value, flags, from);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	if (!err && old)
		bpfmaps_pool_retire(&h->pool, old);
	return err;
}

/* Take a victim out of its chain, unless somebody else has done so. */
static void hash_evict(struct hash_map *h, struct hash_elem *victim)
{
	struct hash_bucket *bucket = hash_bucket(h, victim->hash);
	struct hash_elem *elem;
	unsigned long irq;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	hlist_for_each_entry(elem, &bucket->head, pool.node)
		if (elem == victim)
			break;
	if (elem)
		hlist_del_rcu(&elem->pool.node);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	if (elem)
		bpfmaps_pool_retire(&h->pool, elem);
}

static bool hash_try_room(struct hash_map *h, struct bpfmaps_lru *lru)
{
	struct bpfmaps_lru_node *victim;
	bool reserved;

	rcu_read_lock();
	reserved = bpfmaps_lru_reserve(lru, &victim);
	if (victim)
		hash_evict(h, (void *)victim - h->lru_offset);
	rcu_read_unlock();
	return reserved;
}

/*
 * A place for one more element. All may be taken by elements that are on their way, for a moment:
 * then who may sleep tries again, and others get NULL.
 */
static struct bpfmaps_lru *hash_make_room(struct hash_map *h, enum bpfmaps_from from)
{
	struct bpfmaps_lru *lru = h->lru;

	if (h->map.map_flags & BPFMAPS_F_NO_COMMON_LRU)
		lru += raw_smp_processor_id();
	while (!hash_try_room(h, lru)) {
		if (from == BPFMAPS_FROM_ATOMIC || fatal_signal_pending(current))
			return NULL;
		cond_resched();
	}
	return lru;
}

/* A key that is there keeps its place; only for a new one another element has to go. */
static int hash_link_lru(struct hash_map *h, struct hash_elem *elem, const void *value, u64 flags,
			 enum bpfmaps_from from)
{
	struct bpfmaps_lru_node *node = elem_lru(h, elem);
	struct bpfmaps_lru *lru;
	int err;

	INIT_LIST_HEAD(&node->list);
	node->lru = NULL;
	err = hash_link(h, elem, value, flags, from);
	if (err != NEED_ROOM)
		return err;
	lru = hash_make_room(h, from);
	if (!lru)
		return -ENOMEM;
	node->lru = lru;
	err = hash_link(h, elem, value, flags, from);
	if (err)
		bpfmaps_lru_unreserve(lru);
	return err;
}

/* With another element than the one that is there, if any. */
static noinline int hash_insert(struct hash_map *h, u32 hash, const void *key, const void *value,
				u64 flags, enum bpfmaps_from from)
{
	struct hash_elem *elem = hash_new_elem(h, hash, key, value, flags, from);
	int err;

	if (!elem)
		return -ENOMEM;
	if (h->lru)
		err = hash_link_lru(h, elem, value, flags, from);
	else
		err = hash_link(h, elem, value, flags, from);
	if (err)
		bpfmaps_pool_free(&h->pool, elem);
	return err == DONE_IN_PLACE ? 0 : err;
}

static __always_inline int hash_update(struct hash_map *h, const void *key, const void *value,
				       u64 flags, enum bpfmaps_from from)
{
	u32 hash = hash_key(h, key);
	int err = hash_set(h, hash, key, value, flags, from);

	return err == NEED_ELEM ? hash_insert(h, hash, key, value, flags, from) : err;
}

static int hash_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			    enum bpfmaps_from from)
{
	if (bpfmaps_map_update_mode(map, flags, from) > BPFMAPS_EXIST)
		return -EINVAL;
	return hash_update(to_hash(map), key, value, flags, from);
}

/* The flags of a batch, which name CPUs at most, were checked. */
static int hash_update_many(struct bpfmaps_map *map, const struct bpfmaps_chunk *chunk, u64 flags,
			    u32 *done)
{
	const void *key = chunk->keys, *value = chunk->values;
	struct hash_map *h = to_hash(map);
	int err = 0;
	u32 i;

	for (i = 0; i < chunk->fill; i++) {
		err = hash_update(h, key, value, flags, BPFMAPS_FROM_USER);
		if (err)
			break;
		bpfmaps_batch_pause(i);
		key += map->key_size;
		value += chunk->value_size;
	}
	*done = i;
	return err;
}

/* Delete @key; with a @value only if it still has this one, with @seen only if that is still it. */
static int hash_delete(struct hash_map *h, const void *key, const void *value,
		       const struct hash_elem *seen, enum bpfmaps_from from)
{
	u32 hash = hash_key(h, key);
	struct hash_bucket *bucket = hash_bucket(h, hash);
	struct hash_elem *elem;
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	elem = bucket_find(h, bucket, hash, key);
	err = bpfmaps_map_check_write(&h->map, from);
	if (!err && !elem)
		err = -ENOENT;
	if (!err && value && !elem_has_value(h, elem, value))
		err = -EAGAIN;
	if (!err && seen && elem != seen)
		err = -EAGAIN;
	if (!err) {
		hlist_del_rcu(&elem->pool.node);
		if (h->lru)
			bpfmaps_lru_del(elem_lru(h, elem));
		else
			bpfmaps_pool_unreserve(&h->pool);
	}
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	if (!err)
		bpfmaps_pool_retire(&h->pool, elem);
	return err;
}

static int hash_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return hash_delete(to_hash(map), key, NULL, NULL, from);
}

/* Large values are replaced, never overwritten: they are compared without the lock. */
static int hash_delete_large(struct hash_map *h, const void *key, const void *value)
{
	struct hash_elem *elem;
	int err;

	rcu_read_lock();
	elem = hash_find(h, key);
	if (!elem)
		err = -ENOENT;
	else if (!elem_has_value(h, elem, value))
		err = -EAGAIN;
	else
		err = hash_delete(h, key, NULL, elem, BPFMAPS_FROM_USER);
	rcu_read_unlock();
	return err;
}

/* Called from system calls that have copied @value out. */
static int hash_delete_value(struct bpfmaps_map *map, const void *key, const void *value)
{
	struct hash_map *h = to_hash(map);

	if (!h->percpu && map->value_size > HASH_IN_PLACE)
		return hash_delete_large(h, key, value);
	return hash_delete(h, key, value, NULL, BPFMAPS_FROM_USER);
}

static void hash_reclaim(struct bpfmaps_map *map)
{
	bpfmaps_pool_flush(&to_hash(map)->pool);
}

static u64 hash_mem_usage(const struct bpfmaps_map *map)
{
	const struct hash_map *h = to_hash(map);
	u64 lrus = h->lru ? (u64)hash_nr_lrus(h) * sizeof(*h->lru) : 0;

	return bpfmaps_area_mem_usage(array_size(h->mask + 1, sizeof(*h->buckets))) +
	       bpfmaps_pool_mem_usage(&h->pool) + lrus;
}

#define HASH_BATCH (BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_LOOKUP_AND_DELETE) | \
		    BIT(BPFMAPS_BATCH_UPDATE) | BIT(BPFMAPS_BATCH_DELETE))

#define HASH_OPS						\
	.map_size		= sizeof(struct hash_map),	\
	.batch			= HASH_BATCH,			\
	.map_alloc_check	= hash_alloc_check,		\
	.map_alloc		= hash_alloc,			\
	.map_free		= hash_free,			\
	.map_lookup_elem	= hash_lookup_elem,		\
	.map_copy_value		= hash_copy_value,		\
	.map_update_elem	= hash_update_elem,		\
	.map_delete_elem	= hash_delete_elem,		\
	.map_delete_value	= hash_delete_value,		\
	.map_get_next_key	= bpfmaps_hash_get_next_key,	\
	.map_for_each		= bpfmaps_hash_for_each,	\
	.map_collect		= bpfmaps_hash_collect,		\
	.map_update_many	= hash_update_many,		\
	.map_reclaim		= hash_reclaim,			\
	.map_mem_usage		= hash_mem_usage

const struct bpfmaps_map_ops bpfmaps_hash_ops = {
	HASH_OPS,
};

const struct bpfmaps_map_ops bpfmaps_percpu_hash_ops = {
	HASH_OPS,
	.percpu			= true,
	.map_lookup_percpu_elem	= hash_lookup_percpu_elem,
};

const struct bpfmaps_map_ops bpfmaps_lru_hash_ops = {
	HASH_OPS,
	.lru			= true,
};

const struct bpfmaps_map_ops bpfmaps_lru_percpu_hash_ops = {
	HASH_OPS,
	.percpu			= true,
	.lru			= true,
	.map_lookup_percpu_elem	= hash_lookup_percpu_elem,
};
