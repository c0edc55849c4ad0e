// SPDX-License-Identifier: GPL-2.0-only
/*
 * Going through the maps of the hash types: from key to key, in steps of whole buckets for batches,
 * and element by element for users in the kernel
 */
#include <linux/sched/signal.h>

#include "hash.h"

/* So many buckets, a power of two, are read in one RCU section. */
#define HASH_RCU_BUCKETS	64

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

int bpfmaps_hash_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	struct hash_map *h = to_hash(map);
	struct hash_elem *elem;
	u64 bucket;

	rcu_read_lock();
	elem = hash_elem_behind(h, key, &bucket);
	if (!elem)
		elem = hash_first_elem(h, bucket);
	if (elem)
		bpfmaps_copy_from_elem(next_key, elem->key, map->key_size);
	rcu_read_unlock();
	return elem ? 0 : -ENOENT;
}

/* Under RCU: one whole value, whatever is written to the bucket meanwhile. */
static void elem_read_whole(const struct hash_map *h, struct hash_bucket *bucket,
			    struct hash_elem *elem, void *value, u64 flags)
{
	unsigned int start;
	unsigned long irq;
	int i;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++) {
		if (!bpfmaps_seq_begin(&bucket->seq, &start))
			continue;
		elem_read_value(h, elem, value, flags);
		if (bpfmaps_seq_valid(&bucket->seq, start))
			return;
	}
	raw_spin_lock_irqsave(&bucket->seq.lock, irq);
	elem_read_value(h, elem, value, flags);
	raw_spin_unlock_irqrestore(&bucket->seq.lock, irq);
}

/* Under RCU: append the whole bucket, or nothing and return -ENOSPC. */
static __always_inline int bucket_append(const struct hash_map *h, struct hash_bucket *bucket,
					 struct bpfmaps_chunk *chunk, bool whole)
{
	u32 fill = chunk->fill;
	void *key = chunk->keys + (u64)fill * h->map.key_size;
	void *value = chunk->values + (u64)fill * chunk->value_size;
	struct hash_elem *elem;

	hlist_for_each_entry_rcu(elem, &bucket->head, pool.node) {
		if (fill == chunk->room)
			return -ENOSPC;
		hash_key_copy(key, elem, h->map.key_size);
		if (whole)
			elem_read_whole(h, bucket, elem, value, chunk->flags);
		else
			elem_read_value(h, elem, value, chunk->flags);
		elem_note_lookup(h, elem, chunk->flags);
		key += h->map.key_size;
		value += chunk->value_size;
		fill++;
	}
	chunk->fill = fill;
	return 0;
}

/* A chain may be long: the lock is held for one value at a time. */
static noinline int bucket_append_each(const struct hash_map *h, struct hash_bucket *bucket,
				       struct bpfmaps_chunk *chunk)
{
	return bucket_append(h, bucket, chunk, true);
}

/* Under RCU: the same, all at once if nobody writes meanwhile, or else value by value. */
static __always_inline int bucket_collect(const struct hash_map *h, struct hash_bucket *bucket,
					  struct bpfmaps_chunk *chunk)
{
	u32 fill = chunk->fill;
	unsigned int start;
	int err;

	if (h->word)
		return bucket_append(h, bucket, chunk, false);
	if (bpfmaps_seq_begin(&bucket->seq, &start)) {
		err = bucket_append(h, bucket, chunk, false);
		if (bpfmaps_seq_valid(&bucket->seq, start))
			return err;
		chunk->fill = fill;
	}
	return bucket_append_each(h, bucket, chunk);
}

/* Some buckets in one RCU section. */
static int buckets_collect(const struct hash_map *h, u32 *cursor, struct bpfmaps_chunk *chunk)
{
	const u32 last = min(*cursor | (HASH_RCU_BUCKETS - 1), h->mask);
	u32 bucket = *cursor;
	int err = 0;

	rcu_read_lock();
	for (; bucket <= last; bucket++) {
		if (hlist_empty(&h->buckets[bucket].head))
			continue;
		err = bucket_collect(h, &h->buckets[bucket], chunk);
		if (err)
			break;
	}
	rcu_read_unlock();
	*cursor = bucket;
	return err;
}

/* A step is a bucket, and the cursor its number. */
int bpfmaps_hash_collect(struct bpfmaps_map *map, u32 *cursor, struct bpfmaps_chunk *chunk)
{
	struct hash_map *h = to_hash(map);
	int err;

	while (*cursor <= h->mask) {
		err = buckets_collect(h, cursor, chunk);
		if (err)
			return chunk->fill ? 0 : err;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -ENOENT;
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

int bpfmaps_hash_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
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
