// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which element was not used for the longest time
 *
 * Time is counted in uses: insertions, and look-ups that count. It is cut into generations of
 * about a sixteenth of the elements, and there is a list for each of the last 32; what is older
 * is in the oldest list. An element is added to the list of now. A look-up only notes the
 * generation in the element, so readers take no lock; whoever needs a place finds the note when
 * it comes to the element, and moves it to where it belongs instead of taking it:
 *
 *	oldest: A (used in 7)  B (-)     ...  7: F  G     ...  now: K
 *	->  A goes behind G, and B is the victim
 *
 * So the order is exact to a generation, and in maps of up to 31 elements, where a generation is
 * one use, it is exact.
 */
#include <linux/log2.h>

#include "lru.h"

/* A generation is this part of the elements. */
#define LRU_PARTS	16

/* How many elements are moved with interrupts off, and how often that is done for one victim. */
#define LRU_MOVES	128
#define LRU_ROUNDS	64

void bpfmaps_lru_init(struct bpfmaps_lru *lru, u32 capacity)
{
	int i;

	raw_spin_lock_init(&lru->lock);
	for (i = 0; i < BPFMAPS_LRU_GENS; i++)
		INIT_LIST_HEAD(&lru->gens[i]);
	lru->capacity = capacity;
	lru->shift = ilog2(max_t(u32, capacity / LRU_PARTS, 1));
	atomic64_set(&lru->clock, 0);
}

static struct list_head *lru_list(struct bpfmaps_lru *lru, u32 gen)
{
	return &lru->gens[gen % BPFMAPS_LRU_GENS];
}

/* Make generation @gen part of the ring: what falls out at the old end becomes one list. */
static void lru_advance(struct bpfmaps_lru *lru, u32 gen)
{
	u32 oldest = gen - BPFMAPS_LRU_GENS + 1;
	LIST_HEAD(fallen);
	int i;

	if ((s32)(gen - lru->oldest) < BPFMAPS_LRU_GENS)
		return;
	for (i = 0; i < BPFMAPS_LRU_GENS && lru->oldest != oldest; i++)
		list_splice_tail_init(lru_list(lru, lru->oldest++), &fallen);
	lru->oldest = oldest;
	list_splice(&fallen, lru_list(lru, oldest));
}

static void lru_place(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node, u32 gen)
{
	lru_advance(lru, gen);
	WRITE_ONCE(node->gen, gen);
	list_add_tail(&node->list, lru_list(lru, gen));
}

/* The first element of the oldest list that has one, or NULL. */
static struct bpfmaps_lru_node *lru_first(struct bpfmaps_lru *lru)
{
	struct list_head *list;
	int i;

	for (i = 0; i < BPFMAPS_LRU_GENS; i++) {
		list = lru_list(lru, lru->oldest + i);
		if (!list_empty(list))
			return list_first_entry(list, struct bpfmaps_lru_node, list);
	}
	return NULL;
}

/*
 * Under the lock: take the oldest element out of the lists. NULL if there is none, or if it was not
 * found among as many as may be moved at a time and @last does not say that it has to be.
 */
static struct bpfmaps_lru_node *lru_take_oldest(struct bpfmaps_lru *lru, bool last)
{
	struct bpfmaps_lru_node *node;
	u32 used;
	int i;

	for (i = 0;; i++) {
		node = lru_first(lru);
		if (!node || (i == LRU_MOVES && !last))
			return NULL;
		used = READ_ONCE(node->used);
		list_del_init(&node->list);
		if (i == LRU_MOVES || (s32)(used - node->gen) <= 0)
			return node;
		lru_place(lru, node, used);
	}
}

/**
 * bpfmaps_lru_reserve() - take a place
 * @lru: the lists
 * @victim: NULL, or the element that had the place: it is in no list any more, and may be about to
 *	be deleted by others
 *
 * Context: any but NMI, under rcu_read_lock(), and none of the map's locks held.
 * Return: false if all places are taken by elements that are on their way.
 */
bool bpfmaps_lru_reserve(struct bpfmaps_lru *lru, struct bpfmaps_lru_node **victim)
{
	unsigned long flags;
	bool full;
	int i;

	*victim = NULL;
	for (i = 0; i < LRU_ROUNDS; i++) {
		raw_spin_lock_irqsave(&lru->lock, flags);
		full = lru->count >= lru->capacity;
		if (full)
			*victim = lru_take_oldest(lru, i == LRU_ROUNDS - 1);
		else
			lru->count++;
		raw_spin_unlock_irqrestore(&lru->lock, flags);
		if (!full || *victim)
			return true;
	}
	return false;
}

/* Give back a place that was reserved and not used. */
void bpfmaps_lru_unreserve(struct bpfmaps_lru *lru)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lru->lock, flags);
	lru->count--;
	raw_spin_unlock_irqrestore(&lru->lock, flags);
}

/*
 * Give the place of an element to the one that replaces it. False if others have taken that place.
 * Under the bucket's lock.
 */
bool bpfmaps_lru_replace(struct bpfmaps_lru_node *old, struct bpfmaps_lru_node *node)
{
	struct bpfmaps_lru *lru = old->lru;
	u32 now = atomic64_inc_return(&lru->clock) >> lru->shift;
	unsigned long flags;
	bool has_place;

	raw_spin_lock_irqsave(&lru->lock, flags);
	has_place = !list_empty(&old->list);
	if (has_place) {
		list_del_init(&old->list);
		node->lru = lru;
		WRITE_ONCE(node->used, now);
		lru_place(lru, node, now);
	}
	raw_spin_unlock_irqrestore(&lru->lock, flags);
	return has_place;
}

/* Put a new element into the place that was reserved for it. Under the bucket's lock. */
void bpfmaps_lru_add(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node)
{
	u32 now = atomic64_inc_return(&lru->clock) >> lru->shift;
	unsigned long flags;

	node->lru = lru;
	WRITE_ONCE(node->used, now);
	raw_spin_lock_irqsave(&lru->lock, flags);
	lru_place(lru, node, now);
	raw_spin_unlock_irqrestore(&lru->lock, flags);
}

/*
 * The element has left the map; its place is free, unless it is about to be another's victim. Under
 * the bucket's lock.
 */
void bpfmaps_lru_del(struct bpfmaps_lru_node *node)
{
	struct bpfmaps_lru *lru = node->lru;
	unsigned long flags;

	raw_spin_lock_irqsave(&lru->lock, flags);
	if (!list_empty(&node->list)) {
		list_del_init(&node->list);
		lru->count--;
	}
	raw_spin_unlock_irqrestore(&lru->lock, flags);
}
