// SPDX-License-Identifier: GPL-2.0-only
/*
 * HASH: chained buckets, readers under RCU, one lock for each bucket
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
 * An element that left its chain is not used again before all readers that may see it are gone; see
 * pool.c.
 */
#include <linux/capability.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "../map.h"
#include "../pool.h"
#include "../seq.h"

#define HASH_CREATE_FLAGS (BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_NUMA_NODE | BPFMAPS_F_ZERO_SEED | \
			   BPFMAPS_ACCESS_FLAGS)

/* The limits of bpf(2), which has larger elements. */
#define HASH_MAX_KEY_VALUE	(KMALLOC_MAX_SIZE - 48)
#define HASH_MAX_BUCKETS	(U32_MAX / 16)

/* Values up to this size are overwritten, larger ones replaced. */
#define HASH_IN_PLACE		256

/* How many buckets are passed before others get the CPU. */
#define HASH_RESCHED		4096

/* Neither done nor failed: an update goes on with a new element. */
#define NEED_ELEM		1

struct hash_bucket {
	struct hlist_head head;
	struct bpfmaps_seq seq;
};

struct hash_elem {
	struct bpfmaps_pool_elem pool;
	u32 hash;
	u8 key[] __aligned(8);
};

/**
 * struct hash_map - the type's struct
 * @map: what all types have
 * @mask: number of buckets - 1
 * @value_offset: of the value behind the start of the key
 * @seed: of the hash function, which callers cannot find out by the order of their keys
 * @buckets: the chains
 * @pool: the elements
 */
struct hash_map {
	struct bpfmaps_map map;
	u32 mask;
	u32 value_offset;
	hsiphash_key_t seed;
	struct hash_bucket *buckets;
	struct bpfmaps_pool pool;
};

static struct hash_map *to_hash(const struct bpfmaps_map *map)
{
	return container_of(map, struct hash_map, map);
}

static struct hash_elem *node_elem(struct hlist_node *node)
{
	return hlist_entry_safe(node, struct hash_elem, pool.node);
}

static void *elem_value(const struct hash_map *h, struct hash_elem *elem)
{
	return elem->key + h->value_offset;
}

static u32 hash_key(const struct hash_map *h, const void *key)
{
	return hsiphash(key, h->map.key_size, &h->seed);
}

static struct hash_bucket *hash_bucket(const struct hash_map *h, u32 hash)
{
	return &h->buckets[hash & h->mask];
}

/* Under RCU or the bucket's lock. */
static struct hash_elem *bucket_find(const struct hash_map *h, struct hash_bucket *bucket, u32 hash,
				     const void *key)
{
	struct hash_elem *elem;

	hlist_for_each_entry_rcu(elem, &bucket->head, pool.node, lockdep_is_held(&bucket->seq.lock))
		if (elem->hash == hash && !memcmp(elem->key, key, h->map.key_size))
			return elem;
	return NULL;
}

static int hash_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_flags & BPFMAPS_F_ZERO_SEED && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (attr->map_extra || attr->map_flags & ~HASH_CREATE_FLAGS ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return -EINVAL;
	if ((u64)attr->key_size + attr->value_size >= HASH_MAX_KEY_VALUE)
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

static int hash_alloc(struct bpfmaps_map *map)
{
	struct hash_map *h = to_hash(map);
	u32 elem_size;
	int err;

	h->mask = roundup_pow_of_two(map->max_entries) - 1;
	if (!(map->map_flags & BPFMAPS_F_ZERO_SEED))
		get_random_bytes(&h->seed, sizeof(h->seed));
	h->value_offset = round_up(map->key_size, 8);
	elem_size = sizeof(struct hash_elem) + h->value_offset + round_up(map->value_size, 8);

	h->buckets = bpfmaps_area_alloc(array_size(h->mask + 1, sizeof(*h->buckets)),
					map->numa_node);
	if (IS_ERR(h->buckets))
		return PTR_ERR(h->buckets);
	err = hash_init_buckets(h);
	if (err)
		goto err_buckets;
	err = bpfmaps_pool_init(&h->pool, map, elem_size,
				!(map->map_flags & BPFMAPS_F_NO_PREALLOC));
	if (err)
		goto err_buckets;
	return 0;

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
	bpfmaps_area_free(h->buckets);
}

static void *hash_lookup_elem(struct bpfmaps_map *map, const void *key)
{
	struct hash_map *h = to_hash(map);
	u32 hash = hash_key(h, key);
	struct hash_elem *elem = bucket_find(h, hash_bucket(h, hash), hash, key);

	return elem ? elem_value(h, elem) : NULL;
}

static int bucket_copy(const struct hash_map *h, struct hash_bucket *bucket, u32 hash,
		       const void *key, void *value)
{
	struct hash_elem *elem = bucket_find(h, bucket, hash, key);

	if (!elem)
		return -ENOENT;
	bpfmaps_copy_from_elem(value, elem_value(h, elem), h->map.value_size);
	return 0;
}

static bool bucket_try_copy(const struct hash_map *h, struct hash_bucket *bucket, u32 hash,
			    const void *key, void *value, int *err)
{
	unsigned int start;

	if (!bpfmaps_seq_begin(&bucket->seq, &start))
		return false;
	*err = bucket_copy(h, bucket, hash, key, value);
	return bpfmaps_seq_valid(&bucket->seq, start);
}

/* Called from system calls, under RCU: an element stays what it is. */
static int hash_copy_rcu(const struct hash_map *h, struct hash_bucket *bucket, u32 hash,
			 const void *key, void *value)
{
	unsigned long flags;
	int i, err;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++)
		if (bucket_try_copy(h, bucket, hash, key, value, &err))
			return err;
	raw_spin_lock_irqsave(&bucket->seq.lock, flags);
	err = bucket_copy(h, bucket, hash, key, value);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, flags);
	return err;
}

static int hash_copy_value(struct bpfmaps_map *map, const void *key, void *value)
{
	struct hash_map *h = to_hash(map);
	u32 hash = hash_key(h, key);
	int err;

	rcu_read_lock();
	err = hash_copy_rcu(h, hash_bucket(h, hash), hash, key, value);
	rcu_read_unlock();
	return err;
}

/*
 * Under the bucket's lock, where alone it is certain whether the key is there and the map full: do
 * what can be done without another element. Returns 0, an errno, or NEED_ELEM.
 */
static int bucket_set(struct hash_map *h, struct hash_bucket *bucket, struct hash_elem *elem,
		      const void *value, u64 flags, enum bpfmaps_from from)
{
	if (bpfmaps_map_check_write(&h->map, from))
		return -EPERM;
	if (!elem && flags == BPFMAPS_EXIST)
		return -ENOENT;
	if (!elem)
		return bpfmaps_pool_full(&h->pool) ? -E2BIG : NEED_ELEM;
	if (flags == BPFMAPS_NOEXIST)
		return -EEXIST;
	if (h->map.value_size > HASH_IN_PLACE)
		return NEED_ELEM;
	bpfmaps_seq_write(&bucket->seq, elem_value(h, elem), value, h->map.value_size);
	return 0;
}

static int hash_set(struct hash_map *h, u32 hash, const void *key, const void *value, u64 flags,
		    enum bpfmaps_from from)
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
				       const void *value, enum bpfmaps_from from)
{
	struct hash_elem *elem = bpfmaps_pool_alloc(&h->pool, from);

	if (!elem)
		return NULL;
	elem->hash = hash;
	memcpy(elem->key, key, h->map.key_size);
	bpfmaps_copy_to_elem(elem_value(h, elem), value, h->map.value_size);
	return elem;
}

/*
 * Under the bucket's lock: put @elem in the place of @old, or first in the chain. What was true in
 * bucket_set() need not be any more.
 */
static int bucket_link(struct hash_map *h, struct hash_bucket *bucket, struct hash_elem *elem,
		       struct hash_elem *old, u64 flags, enum bpfmaps_from from)
{
	if (bpfmaps_map_check_write(&h->map, from))
		return -EPERM;
	if (old && flags == BPFMAPS_NOEXIST)
		return -EEXIST;
	if (old) {
		hlist_replace_rcu(&old->pool.node, &elem->pool.node);
		return 0;
	}
	if (flags == BPFMAPS_EXIST)
		return -ENOENT;
	if (!bpfmaps_pool_reserve(&h->pool))
		return -E2BIG;
	hlist_add_head_rcu(&elem->pool.node, &bucket->head);
	return 0;
}

static int hash_link(struct hash_map *h, struct hash_elem *elem, u64 flags,
		     enum bpfmaps_from from)
{
	struct hash_bucket *bucket = hash_bucket(h, elem->hash);
	struct hash_elem *old;
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	old = bucket_find(h, bucket, elem->hash, elem->key);
	err = bucket_link(h, bucket, elem, old, flags, from);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	if (err)
		bpfmaps_pool_free(&h->pool, elem);
	else if (old)
		bpfmaps_pool_retire(&h->pool, old);
	return err;
}

static int hash_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			    enum bpfmaps_from from)
{
	struct hash_map *h = to_hash(map);
	u32 hash = hash_key(h, key);
	struct hash_elem *elem;
	int err;

	if (flags > BPFMAPS_EXIST)
		return -EINVAL;
	err = hash_set(h, hash, key, value, flags, from);
	if (err != NEED_ELEM)
		return err;
	elem = hash_new_elem(h, hash, key, value, from);
	if (!elem)
		return -ENOMEM;
	return hash_link(h, elem, flags, from);
}

static int hash_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	struct hash_map *h = to_hash(map);
	u32 hash = hash_key(h, key);
	struct hash_bucket *bucket = hash_bucket(h, hash);
	struct hash_elem *elem;
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	elem = bucket_find(h, bucket, hash, key);
	err = bpfmaps_map_check_write(map, from);
	if (!err && !elem)
		err = -ENOENT;
	if (!err) {
		hlist_del_rcu(&elem->pool.node);
		bpfmaps_pool_unreserve(&h->pool);
	}
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
	if (!err)
		bpfmaps_pool_retire(&h->pool, elem);
	return err;
}

/* Under RCU: the element behind @key in its chain, and the bucket that comes next. */
static struct hash_elem *hash_elem_behind(const struct hash_map *h, const void *key, u64 *bucket)
{
	struct hash_elem *elem;
	u32 hash;

	*bucket = 0;
	if (!key)
		return NULL;
	hash = hash_key(h, key);
	elem = bucket_find(h, hash_bucket(h, hash), hash, key);
	if (!elem)
		return NULL;
	*bucket = (u64)(hash & h->mask) + 1;
	return node_elem(rcu_dereference(hlist_next_rcu(&elem->pool.node)));
}

/*
 * Under RCU, which it leaves now and then: the first element in or behind @bucket. NULL, too, if
 * the caller was killed.
 */
static struct hash_elem *hash_first_elem(const struct hash_map *h, u64 bucket)
{
	struct hash_elem *elem;

	for (; bucket <= h->mask; bucket++) {
		elem = node_elem(rcu_dereference(hlist_first_rcu(&h->buckets[bucket].head)));
		if (elem)
			return elem;
		if (bucket % HASH_RESCHED == 0) {
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
			if (fatal_signal_pending(current))
				break;
		}
	}
	return NULL;
}

static int hash_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *elem;
	u64 bucket;

	rcu_read_lock();
	elem = hash_elem_behind(h, key, &bucket);
	if (!elem)
		elem = hash_first_elem(h, bucket);
	if (elem)
		memcpy(next_key, elem->key, map->key_size);
	rcu_read_unlock();
	return elem ? 0 : -ENOENT;
}

static int bucket_for_each(struct hash_map *h, struct hash_bucket *bucket, bpfmaps_for_each_fn fn,
			   void *ctx)
{
	struct hash_elem *elem;
	int ret;

	hlist_for_each_entry_rcu(elem, &bucket->head, pool.node) {
		ret = fn(&h->map, elem->key, elem_value(h, elem), ctx);
		if (ret)
			return ret;
	}
	return 0;
}

static int hash_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
{
	struct hash_map *h = to_hash(map);
	int ret = 0;
	u64 i;

	for (i = 0; i <= h->mask && !ret; i++) {
		rcu_read_lock();
		ret = bucket_for_each(h, &h->buckets[i], fn, ctx);
		rcu_read_unlock();
		cond_resched();
	}
	return ret;
}

static u64 hash_mem_usage(const struct bpfmaps_map *map)
{
	const struct hash_map *h = to_hash(map);

	return bpfmaps_area_mem_usage(array_size(h->mask + 1, sizeof(*h->buckets))) +
	       bpfmaps_pool_mem_usage(&h->pool);
}

const struct bpfmaps_map_ops bpfmaps_hash_ops = {
	.map_size		= sizeof(struct hash_map),
	.map_alloc_check	= hash_alloc_check,
	.map_alloc		= hash_alloc,
	.map_free		= hash_free,
	.map_lookup_elem	= hash_lookup_elem,
	.map_copy_value		= hash_copy_value,
	.map_update_elem	= hash_update_elem,
	.map_delete_elem	= hash_delete_elem,
	.map_get_next_key	= hash_get_next_key,
	.map_for_each		= hash_for_each,
	.map_mem_usage		= hash_mem_usage,
};
