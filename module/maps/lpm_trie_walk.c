// SPDX-License-Identifier: GPL-2.0-only
/*
 * Going through LPM_TRIE maps in the order of bpf(2): what goes on with 0, what goes on with 1,
 * then the prefix itself, which is the order of the slots in each node
 *
 * There is no cursor but the last key: on the way down to it each node says what comes behind the
 * slot that is taken, and the deepest one has the last word.
 */
#include <linux/sched.h>

#include "lpm_trie.h"

static void lpm_store_key(const struct lpm_map *lpm, void *to, const struct lpm_elem *elem)
{
	u8 *data = to + sizeof(u32);
	const u64 *word = elem->bits;
	u32 i, size = lpm->data_size;

	put_unaligned(elem->prefixlen, (u32 *)to);
	for (; size >= sizeof(*word); size -= sizeof(*word), data += sizeof(*word))
		put_unaligned_be64(*word++, data);
	if (size == sizeof(u32)) {
		put_unaligned_be32(*word >> 32, data);
		return;
	}
	for (i = 0; i < size; i++)
		data[i] = *word >> (LPM_WORD_BITS - 8 * (i + 1));
}

/**
 * struct lpm_trail - what a walk for a key has met
 * @ptr: what it ended at, or NULL
 * @node: the last node on the way, or NULL
 * @behind: a node or element: the first thing behind @ptr, or NULL
 */
struct lpm_trail {
	void *ptr;
	struct lpm_node *node;
	void *behind;
};

/* Under RCU or the lock: as far down as @key and nodes of a position of up to @limit lead. */
static struct lpm_trail lpm_follow(const struct lpm_map *lpm, struct lpm_prefix key, u32 limit)
{
	struct lpm_trail trail = { .ptr = lpm_root(lpm) };
	unsigned int nr, slots, rest;
	struct lpm_node *node;

	while (lpm_is_node(trail.ptr)) {
		node = trail.ptr;
		if (node->pos > limit)
			break;
		trail.node = node;
		nr = lpm_slot_nr(key, node->pos);
		slots = lpm_slots(node);
		rest = slots >> (nr + 1) << (nr + 1);
		if (rest)
			trail.behind = lpm_get(lpm, node, __ffs(rest));
		trail.ptr = slots & BIT(nr) ? lpm_get(lpm, node, nr) : NULL;
	}
	return trail;
}

static struct lpm_elem *lpm_first_behind(const struct lpm_map *lpm, const struct lpm_trail *trail)
{
	return trail->behind ? lpm_first(lpm, trail->behind) : NULL;
}

static struct lpm_elem *lpm_first_of_all(const struct lpm_map *lpm)
{
	void *root = lpm_root(lpm);

	return root ? lpm_first(lpm, root) : NULL;
}

/* Under RCU or the lock: the element behind @key. False if @key is not there. */
static bool lpm_next(const struct lpm_map *lpm, struct lpm_prefix key, struct lpm_elem **next)
{
	struct lpm_trail trail = lpm_follow(lpm, key, key.len);

	if (!lpm_is_elem(trail.ptr) || !lpm_is_at(lpm_to_elem(trail.ptr), key))
		return false;
	*next = lpm_first_behind(lpm, &trail);
	return true;
}

/* Of two prefixes that are the same up to bit @len, where one ends or they part. */
static bool lpm_comes_behind(struct lpm_prefix prefix, struct lpm_prefix key, u32 len)
{
	if (prefix.len == len || key.len == len)
		return key.len > len;
	return !(key.bits[len / LPM_WORD_BITS] >> (LPM_WORD_BITS - 1 - len % LPM_WORD_BITS) & 1);
}

/* Under the lock: the element behind where @key would be. */
static struct lpm_elem *lpm_next_of_absent(const struct lpm_map *lpm, struct lpm_prefix key)
{
	struct lpm_trail trail = lpm_follow(lpm, key, key.len);
	struct lpm_elem *near;
	u32 len;

	if (!trail.ptr && !trail.node)
		return NULL;
	near = lpm_first(lpm, trail.ptr ?: trail.node);
	len = lpm_match_len(lpm_elem_prefix(near), key, 0);
	if (trail.node && len < trail.node->pos)
		trail = lpm_follow(lpm, key, len);
	if (trail.ptr && lpm_comes_behind(lpm_elem_prefix(near), key, len))
		return lpm_first(lpm, trail.ptr);
	return lpm_first_behind(lpm, &trail);
}

/* Under RCU: the element behind @key, which may have gone meanwhile. */
static struct lpm_elem *lpm_go_on(struct lpm_map *lpm, struct lpm_prefix key)
{
	struct lpm_elem *next;
	unsigned long irq;

	if (lpm_next(lpm, key, &next))
		return next;
	raw_spin_lock_irqsave(&lpm->lock, irq);
	if (!lpm_next(lpm, key, &next))
		next = lpm_next_of_absent(lpm, key);
	raw_spin_unlock_irqrestore(&lpm->lock, irq);
	return next;
}

/* Under RCU: the element behind a caller's key, which counts as none if it is not there. */
static struct lpm_elem *lpm_behind_key(const struct lpm_map *lpm, const void *from)
{
	u64 bits[LPM_WORDS_MAX] __uninitialized;
	struct lpm_prefix key;
	struct lpm_elem *next;

	if (from && lpm_load_key(lpm, &key, bits, from) && lpm_next(lpm, key, &next))
		return next;
	return lpm_first_of_all(lpm);
}

int bpfmaps_lpm_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_elem *next;

	rcu_read_lock();
	next = lpm_behind_key(lpm, key);
	if (next)
		lpm_store_key(lpm, next_key, next);
	rcu_read_unlock();
	return next ? 0 : -ENOENT;
}

int bpfmaps_lpm_collect_next(struct bpfmaps_map *map, const void *key,
			     struct bpfmaps_chunk *chunk)
{
	struct lpm_map *lpm = to_lpm(map);
	void *to = chunk->keys + (u64)chunk->fill * map->key_size;
	void *value = chunk->values + (u64)chunk->fill * chunk->value_size;
	struct lpm_elem *elem;

	rcu_read_lock();
	elem = lpm_behind_key(lpm, key);
	while (elem) {
		lpm_store_key(lpm, to, elem);
		bpfmaps_lpm_read_value(lpm, elem, value);
		to += map->key_size;
		value += chunk->value_size;
		if (++chunk->fill == chunk->room)
			break;
		elem = lpm_go_on(lpm, lpm_elem_prefix(elem));
	}
	rcu_read_unlock();
	return elem ? 0 : -ENOENT;
}

/* Between two elements all may change, so the last key is kept, not its element. */
int bpfmaps_lpm_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
{
	u8 key[sizeof(u32) + LPM_DATA_MAX] __aligned(8) __uninitialized;
	u64 bits[LPM_WORDS_MAX] __uninitialized;
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_prefix last = {};
	struct lpm_elem *elem;
	int ret = 0;

	do {
		rcu_read_lock();
		elem = last.bits ? lpm_go_on(lpm, last) : lpm_first_of_all(lpm);
		if (elem) {
			lpm_store_key(lpm, key, elem);
			lpm_load_key(lpm, &last, bits, key);
			ret = fn(map, key, lpm_value(lpm, elem), ctx);
		}
		rcu_read_unlock();
		cond_resched();
	} while (elem && !ret);
	return ret;
}
