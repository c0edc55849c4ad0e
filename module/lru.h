/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which element was not used for the longest time
 */
#ifndef _BPFMAPS_LRU_H
#define _BPFMAPS_LRU_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define BPFMAPS_LRU_GENS 32

/**
 * struct bpfmaps_lru - elements by age, and how many there may be
 * @lock: of the lists and @count
 * @gens: elements by the generation in which they were last seen to be used, in a ring
 * @oldest: the oldest generation in the ring
 * @shift: a generation is 1 << @shift uses
 * @count: places that are taken, by elements in the lists or on their way there
 * @capacity: how many places there are
 * @clock: uses so far
 */
struct bpfmaps_lru {
	raw_spinlock_t lock;
	struct list_head gens[BPFMAPS_LRU_GENS];
	u64 oldest;
	u32 shift;
	u32 count;
	u32 capacity;
	atomic64_t clock ____cacheline_aligned_in_smp;
};

/**
 * struct bpfmaps_lru_node - in every element
 * @list: in one of the lists, or empty
 * @lru: which one it belongs to
 * @used: generation of its last use, and whether that gave it its place in the lists
 */
struct bpfmaps_lru_node {
	struct list_head list;
	struct bpfmaps_lru *lru;
	u64 used;
};

static inline u64 bpfmaps_lru_now(const struct bpfmaps_lru *lru)
{
	return atomic64_read(&lru->clock) >> lru->shift;
}

/* The element was used. Any context; writes at most once in a generation, twice in its first. */
static inline void bpfmaps_lru_touch(struct bpfmaps_lru_node *node)
{
	struct bpfmaps_lru *lru = READ_ONCE(node->lru);
	u64 now = bpfmaps_lru_now(lru);

	if (READ_ONCE(node->used) == now)
		return;
	WRITE_ONCE(node->used, now);
	atomic64_inc(&lru->clock);
}

void bpfmaps_lru_init(struct bpfmaps_lru *lru, u32 capacity);
bool bpfmaps_lru_reserve(struct bpfmaps_lru *lru, struct bpfmaps_lru_node **victim);
void bpfmaps_lru_unreserve(struct bpfmaps_lru *lru);
bool bpfmaps_lru_replace(struct bpfmaps_lru_node *old, struct bpfmaps_lru_node *node);
void bpfmaps_lru_add(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node);
void bpfmaps_lru_del(struct bpfmaps_lru_node *node);

#endif /* _BPFMAPS_LRU_H */
