/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hash.c, which changes the hash types' maps, and hash_walk.c, which goes through them, share
 */
#ifndef _BPFMAPS_HASH_H
#define _BPFMAPS_HASH_H

#include <linux/rculist.h>
#include <linux/siphash.h>

#include "../lru.h"
#include "../map.h"
#include "../percpu.h"
#include "../pool.h"
#include "../seq.h"

/* How many buckets are passed before others get the CPU. */
#define HASH_RESCHED		4096

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
 * @percpu: elements have a value for each CPU
 * @word: values are copied in one piece, and need no sequence count
 * @lru: LRU types: the elements by age, one set or one for each CPU, or NULL
 * @lru_offset: where in the element its part of that is
 * @mask: number of buckets - 1
 * @value_offset: of the value behind the start of the key
 * @seed: of the hash function, which callers cannot find out by the order of their keys
 * @buckets: the chains
 * @pool: the elements
 */
struct hash_map {
	struct bpfmaps_map map;
	bool percpu;
	bool word;
	struct bpfmaps_lru *lru;
	u32 lru_offset;
	u32 mask;
	u32 value_offset;
	hsiphash_key_t seed;
	struct hash_bucket *buckets;
	struct bpfmaps_pool pool;
};

void bpfmaps_hash_read_percpu(const struct hash_map *h, struct hash_elem *elem, void *value,
			      u64 flags);

static inline struct hash_map *to_hash(const struct bpfmaps_map *map)
{
	return container_of(map, struct hash_map, map);
}

static inline struct hash_elem *node_elem(struct hlist_node *node)
{
	return hlist_entry_safe(node, struct hash_elem, pool.node);
}

static inline struct bpfmaps_lru_node *elem_lru(const struct hash_map *h, struct hash_elem *elem)
{
	return (void *)elem + h->lru_offset;
}

static inline struct bpfmaps_percpu elem_percpu(const struct hash_map *h, struct hash_elem *elem)
{
	return (struct bpfmaps_percpu){ .percpu = *bpfmaps_pool_percpu(&h->pool, elem) };
}

/* The value, or that of this CPU. */
static inline void *elem_value(const struct hash_map *h, struct hash_elem *elem)
{
	if (h->percpu)
		return bpfmaps_percpu_this(elem_percpu(h, elem));
	return elem->key + h->value_offset;
}

/* From the element to what user space gets. */
static __always_inline void elem_read_value(const struct hash_map *h, struct hash_elem *elem,
					    void *value, u64 flags)
{
	if (h->percpu)
		bpfmaps_hash_read_percpu(h, elem, value, flags);
	else
		bpfmaps_copy_from_elem(value, elem_value(h, elem), h->map.value_size);
}

/* Called when a look-up by a system call has found @elem. */
static inline void elem_note_lookup(const struct hash_map *h, struct hash_elem *elem, u64 flags)
{
	if (h->lru && (flags & BPFMAPS_F_TOUCH || h->map.map_flags & BPFMAPS_F_TOUCH_LOOKUP))
		bpfmaps_lru_touch(elem_lru(h, elem));
}

/* Small keys of the usual sizes have functions of their own, which need no loop. */
static inline u32 hash_key(const struct hash_map *h, const void *key)
{
	const u32 *words = key;

	switch (h->map.key_size) {
	case 4:
		return hsiphash_1u32(get_unaligned(words), &h->seed);
	case 8:
		return hsiphash_2u32(get_unaligned(words), get_unaligned(words + 1), &h->seed);
	case 16:
		return hsiphash_4u32(get_unaligned(words), get_unaligned(words + 1),
				     get_unaligned(words + 2), get_unaligned(words + 3),
				     &h->seed);
	default:
		return hsiphash(key, h->map.key_size, &h->seed);
	}
}

/* @key is an element's, aligned to 8. */
static inline bool hash_key_equal(const void *key, const void *other, u32 size)
{
	if (size == sizeof(u32))
		return *(const u32 *)key == get_unaligned((const u32 *)other);
	for (; size >= sizeof(long); size -= sizeof(long)) {
		if (*(const long *)key != get_unaligned((const long *)other))
			return false;
		key += sizeof(long);
		other += sizeof(long);
	}
	if (size >= sizeof(u32)) {
		if (*(const u32 *)key != get_unaligned((const u32 *)other))
			return false;
		key += sizeof(u32);
		other += sizeof(u32);
		size -= sizeof(u32);
	}
	return !size || !memcmp(key, other, size);
}

static __always_inline void hash_key_copy(void *to, const struct hash_elem *elem, u32 size)
{
	if (size == sizeof(u32))
		put_unaligned(*(const u32 *)elem->key, (u32 *)to);
	else
		bpfmaps_copy_from_elem(to, elem->key, size);
}

static inline struct hash_bucket *hash_bucket(const struct hash_map *h, u32 hash)
{
	return &h->buckets[hash & h->mask];
}

/* Under RCU or the bucket's lock. */
static inline struct hash_elem *bucket_find(const struct hash_map *h, struct hash_bucket *bucket,
					    u32 hash, const void *key)
{
	struct hash_elem *elem;

	hlist_for_each_entry_rcu(elem, &bucket->head, pool.node, lockdep_is_held(&bucket->seq.lock))
		if (elem->hash == hash && hash_key_equal(elem->key, key, h->map.key_size))
			return elem;
	return NULL;
}

/* hash_walk.c */
int bpfmaps_hash_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key);
int bpfmaps_hash_collect(struct bpfmaps_map *map, u32 *cursor, struct bpfmaps_chunk *chunk);
int bpfmaps_hash_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx);

#endif /* _BPFMAPS_HASH_H */
