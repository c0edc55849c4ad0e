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
 * So the order is exact to a generation, of the last 32: of the elements that are older those that
 * have a note go last. In maps of up to 31 elements a generation is one use, and the order is
 * exact: there the least note of a list is looked for, because the oldest list has its elements
 * as they came into it, and notes need not have the same order.
 */
#include <linux/log2.h>

#include "lru.h"

/* A generation is this part of the elements. */
#define LRU_PARTS	16

/* The element has the place that its note says: nothing has used it since then. */
#define LRU_PLACED	BIT_ULL(63)

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

/* The generation of now, for an element that is new. No two uses have the same time. */
static u64 lru_tick(struct bpfmaps_lru *lru)
{
	return (u64)atomic64_fetch_inc(&lru->clock) >> lru->shift;
}

static struct list_head *lru_list(struct bpfmaps_lru *lru, u64 gen)
{
	return &lru->gens[gen % BPFMAPS_LRU_GENS];
}

/* Make generation @gen part of the ring: what falls out at the old end becomes one list. */
static void lru_advance(struct bpfmaps_lru *lru, u64 gen)
{
	u64 oldest = gen - BPFMAPS_LRU_GENS + 1;
	LIST_HEAD(fallen);
	int i;

	if (gen < lru->oldest + BPFMAPS_LRU_GENS)
		return;
	for (i = 0; i < BPFMAPS_LRU_GENS && lru->oldest != oldest; i++)
		list_splice_tail_init(lru_list(lru, lru->oldest++), &fallen);
	lru->oldest = oldest;
	list_splice(&fallen, lru_list(lru, oldest));
}

/* While the lock was waited for, others may have moved the ring beyond @gen. */
static void lru_place(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node, u64 gen)
{
	lru_advance(lru, gen);
	list_add_tail(&node->list, lru_list(lru, max(gen, lru->oldest)));
}

/* The oldest generation whose list has elements. False if there is none. */
static bool lru_find_oldest(struct bpfmaps_lru *lru, u64 *gen)
{
	int i;

	for (i = 0; i < BPFMAPS_LRU_GENS; i++) {
		*gen = lru->oldest + i;
		if (!list_empty(lru_list(lru, *gen)))
			return true;
	}
	return false;
}

static bool lru_touched(const struct bpfmaps_lru_node *node)
{
	return !(READ_ONCE(node->used) & LRU_PLACED);
}

static u64 lru_used(const struct bpfmaps_lru_node *node)
{
	return READ_ONCE(node->used) & ~LRU_PLACED;
}

/*
 * What is to be looked at first in a list that is not empty: in a large map the element that came
 * first, where a generation is one use the one whose note is the least.
 */
static struct bpfmaps_lru_node *lru_first(struct bpfmaps_lru *lru, struct list_head *list)
{
	struct bpfmaps_lru_node *first = list_first_entry(list, struct bpfmaps_lru_node, list);
	struct bpfmaps_lru_node *node = first;

	if (lru->shift)
		return first;
	list_for_each_entry_continue(node, list, list)
		if (lru_used(node) < lru_used(first))
			first = node;
	return first;
}

/*
 * Put an element, which is taken out of the list of @gen, where its note says. False if it was
 * there. A note older than the ring is worth a place behind the elements that have none.
 */
static bool lru_move(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node, u64 gen)
{
	u64 used = READ_ONCE(node->used);

	if (used > gen) {
		lru_place(lru, node, used);
		return true;
	}
	if (gen != lru->oldest || !lru->shift)
		return false;
	/* If this fails it was used just now, and will be moved again. */
	cmpxchg64(&node->used, used, used | LRU_PLACED);
	list_add_tail(&node->list, lru_list(lru, gen));
	return true;
}

/*
 * Under the lock: take the oldest element out of the lists. NULL if there is none, or if it was not
 * found among as many as may be moved at a time and @last does not say that it has to be. Not
 * inline, as there is nothing to be done for it while there is room.
 */
static noinline struct bpfmaps_lru_node *lru_take_oldest(struct bpfmaps_lru *lru, bool last)
{
	struct bpfmaps_lru_node *node;
	u64 gen;
	int i;

	for (i = 0;; i++) {
		if (!lru_find_oldest(lru, &gen) || (i == LRU_MOVES && !last))
			return NULL;
		node = lru_first(lru, lru_list(lru, gen));
		list_del_init(&node->list);
		if (i == LRU_MOVES || !lru_touched(node) || !lru_move(lru, node, gen))
			return node;
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
	u64 now = lru_tick(lru);
	unsigned long flags;
	bool has_place;

	raw_spin_lock_irqsave(&lru->lock, flags);
	has_place = !list_empty(&old->list);
	if (has_place) {
		list_del_init(&old->list);
		node->lru = lru;
		WRITE_ONCE(node->used, now | LRU_PLACED);
		lru_place(lru, node, now);
	}
	raw_spin_unlock_irqrestore(&lru->lock, flags);
	return has_place;
}

/* Put a new element into the place that was reserved for it. Under the bucket's lock. */
void bpfmaps_lru_add(struct bpfmaps_lru *lru, struct bpfmaps_lru_node *node)
{
	u64 now = lru_tick(lru);
	unsigned long flags;

	node->lru = lru;
	WRITE_ONCE(node->used, now | LRU_PLACED);
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
