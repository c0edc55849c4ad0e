/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Elements for maps that readers walk under RCU
 */
#ifndef _BPFMAPS_POOL_H
#define _BPFMAPS_POOL_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>

#include "map.h"

struct pool_cpu;

/**
 * struct bpfmaps_pool_elem - first member of every element
 * @node: what links the element into the map, in a chain
 * @list: or in a list, whose elements no reader goes on from
 * @next: @node.next, or a word of the map's own: it stays as it is until all readers that may
 *	see the element are gone
 * @link: in a list of the pool; over @node.pprev, which only writers of the map use
 */
struct bpfmaps_pool_elem {
	union {
		struct hlist_node node;
		struct list_head list;
		struct {
			void *next;
			struct bpfmaps_pool_elem *link;
		};
	};
};

/**
 * struct bpfmaps_pool - where a map's elements come from and go to
 * @area: elements that were allocated with the map, or NULL
 * @elem_size: bytes of an element
 * @max: how many elements @area has: more than @limit
 * @fresh: how many of them were ever handed out
 * @percpu_size: bytes that an element has on each CPU, or 0
 * @percpu_offset: where in the element the pointer to them is
 * @slab_bytes: what kmalloc() gives away for an element
 * @cpu_bytes: what an element takes on all CPUs together
 * @limit: max_entries of the map
 * @live: elements in the map, never above @limit
 * @heap_bytes: bytes of the elements outside of @area
 * @cpus: lists, one set for each CPU
 * @numa_node: node to allocate from
 * @memcg: memory cgroup to charge
 */
struct bpfmaps_pool {
	void *area;
	u32 elem_size;
	u32 max;
	u32 percpu_size;
	u32 percpu_offset;
	size_t slab_bytes;
	size_t cpu_bytes;
	atomic_t fresh;
	u32 limit;
	atomic_t live;
	atomic_long_t heap_bytes;
	struct pool_cpu __percpu *cpus;
	int numa_node;
	struct mem_cgroup *memcg;
};

int bpfmaps_pool_init(struct bpfmaps_pool *pool, const struct bpfmaps_map *map, u32 elem_size,
		      bool prealloc);
void bpfmaps_pool_destroy(struct bpfmaps_pool *pool);
void *bpfmaps_pool_alloc(struct bpfmaps_pool *pool, enum bpfmaps_from from);
void bpfmaps_pool_retire(struct bpfmaps_pool *pool, void *elem);
void bpfmaps_pool_free(struct bpfmaps_pool *pool, void *elem);
void bpfmaps_pool_flush(struct bpfmaps_pool *pool);
void bpfmaps_pool_drop(struct bpfmaps_pool *pool, void *elem);
u64 bpfmaps_pool_mem_usage(const struct bpfmaps_pool *pool);

/* Where an element with values on each CPU has the pointer to them. */
static inline void __percpu **bpfmaps_pool_percpu(const struct bpfmaps_pool *pool, void *elem)
{
	return elem + pool->percpu_offset;
}

/* Take one of the map's max_entries places; false if it is full. */
static inline bool bpfmaps_pool_reserve(struct bpfmaps_pool *pool)
{
	return atomic_add_unless(&pool->live, 1, pool->limit);
}

static inline void bpfmaps_pool_unreserve(struct bpfmaps_pool *pool)
{
	atomic_dec(&pool->live);
}

static inline bool bpfmaps_pool_full(const struct bpfmaps_pool *pool)
{
	return (u32)atomic_read(&pool->live) >= pool->limit;
}

/* If not, all elements go with the pool, and the map need not give them back first. */
static inline bool bpfmaps_pool_uses_heap(const struct bpfmaps_pool *pool)
{
	return atomic_long_read(&pool->heap_bytes);
}

#endif /* _BPFMAPS_POOL_H */
