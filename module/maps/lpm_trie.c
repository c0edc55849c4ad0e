// SPDX-License-Identifier: GPL-2.0-only
/*
 * LPM_TRIE: prefixes of bits, and the longest one that a key begins with
 *
 * A key is a prefix length and as many bytes of data as the key size leaves. The trie decides two
 * bits at a time and leaves out where there is nothing to decide: a node has an even position, and
 * seven slots in the order in which bpf(2) goes through prefixes:
 *
 *	 0	 1	 2	 3	 4	 5	 6
 *	00...	01...	0	10...	11...	1	nothing
 *
 * In those with dots is what goes on with these two bits behind the position: a node of a higher
 * position, or an element, if it is the only one there. In the others is the element that ends
 * there. With 10.0.0.0/8 (its bits are 00 00 10 10), 10.0.0.0/9, 10.192.0.0/10 and 10.224.0.0/11:
 *
 *	node of position 8:  slot 2: 10.0.0.0/9   slot 4: node of position 10   slot 6: 10.0.0.0/8
 *	node of position 10: slot 5: 10.224.0.0/11   slot 6: 10.192.0.0/10
 *
 * Nodes do not say what bits lie before their position. A look-up goes down by the bits of the key
 * alone, keeps in mind the last element that ended in a node on the way, and compares but at the
 * end: with the element that it has come to, or else with the one in mind. Only if neither is a
 * prefix of the key it goes again and compares on the way. All of this is in proportion to the
 * length of the key at most, whatever is in the trie, and needs neither a stack nor recursion.
 *
 * Why two bits: a node has two slots in use at least, so there are fewer nodes than prefixes,
 * whoever chooses them, and a node takes 96 bytes of the heap. A million random prefixes of 32 bits
 * have 0.62 nodes each; with values of 8 bytes this makes 92 bytes, where bpf(2) takes 128. Nodes
 * that decide four bits are half a kilobyte each if hostile prefixes want it so; those of a compact
 * form are copied and retired with each change; hashes by length do not know the order of prefixes.
 *
 * Readers walk under RCU; what they have reached stays as it is but for:
 *
 * - slots, each of which is changed by one store, to something that has what was there below it
 *   or in its place;
 * - the map of slots in use: an element comes with its bit and goes with it. What is left in a slot
 *   that is not in use may be freed memory. A node that would be left with one slot in use is not
 *   changed, but taken out: what is in that slot takes its place.
 *
 * Values of up to LPM_IN_PLACE bytes are overwritten, under a sequence count if they are more than
 * a word; larger ones are replaced along with their element.
 */
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "lpm_trie.h"

#define LPM_CREATE_FLAGS (BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_NUMA_NODE | BPFMAPS_ACCESS_FLAGS)

/* The limit of bpf(2), whose nodes have 40 bytes. */
#define LPM_VALUE_MAX	(KMALLOC_MAX_SIZE - LPM_DATA_MAX - 40)

#define LPM_IN_PLACE	256

/* Neither done nor failed: an update goes on with a new element, or a new node. */
#define NEED_ELEM	1
#define NEED_NODE	2

static int lpm_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~LPM_CREATE_FLAGS ||
	    !(attr->map_flags & BPFMAPS_F_NO_PREALLOC) ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	if (attr->key_size < LPM_DATA_MIN + sizeof(u32) ||
	    attr->key_size > LPM_DATA_MAX + sizeof(u32))
		return -EINVAL;
	if (!attr->max_entries || !attr->value_size || attr->value_size > LPM_VALUE_MAX)
		return -EINVAL;
	return 0;
}

static int lpm_alloc(struct bpfmaps_map *map)
{
	struct lpm_map *lpm = to_lpm(map);
	u32 i, size;
	int err;

	lpm->data_size = map->key_size - sizeof(u32);
	lpm->words = DIV_ROUND_UP(lpm->data_size, sizeof(u64));
	lpm->in_place = map->value_size <= LPM_IN_PLACE;
	lpm->word = bpfmaps_seq_is_word(map->value_size);
	raw_spin_lock_init(&lpm->lock);
	lpm->changes = 1;
	for (i = 0; i < ARRAY_SIZE(lpm->stripes); i++)
		bpfmaps_seq_init(&lpm->stripes[i]);
	size = struct_size((struct lpm_elem *)NULL, bits, lpm->words);
	err = bpfmaps_pool_init(&lpm->elems, map, size + round_up(map->value_size, 8), false);
	if (err)
		return err;
	err = bpfmaps_pool_init(&lpm->nodes, map, sizeof(struct lpm_node), false);
	if (err)
		bpfmaps_pool_destroy(&lpm->elems);
	return err;
}

/* Nodes that are not freed yet are chained by their pool link, so none is visited twice. */
static struct bpfmaps_pool_elem *free_node(struct lpm_map *lpm, struct lpm_node *node,
					   struct bpfmaps_pool_elem *rest)
{
	unsigned long map = node->map;
	unsigned int nr;
	void *ptr;

	for_each_set_bit(nr, &map, LPM_SLOTS) {
		ptr = rcu_dereference_protected(node->slot[nr], true);
		if (lpm_is_elem(ptr)) {
			bpfmaps_pool_drop(&lpm->elems, lpm_to_elem(ptr));
		} else {
			((struct lpm_node *)ptr)->pool.link = rest;
			rest = ptr;
		}
	}
	bpfmaps_pool_drop(&lpm->nodes, node);
	return rest;
}

static void lpm_free(struct bpfmaps_map *map)
{
	struct lpm_map *lpm = to_lpm(map);
	void *root = rcu_dereference_protected(lpm->root, true);
	struct bpfmaps_pool_elem *rest = NULL;

	if (lpm_is_elem(root))
		bpfmaps_pool_drop(&lpm->elems, lpm_to_elem(root));
	else if (root)
		rest = free_node(lpm, root, NULL);
	while (rest) {
		rest = free_node(lpm, container_of(rest, struct lpm_node, pool), rest->link);
		cond_resched();
	}
	bpfmaps_pool_destroy(&lpm->nodes);
	bpfmaps_pool_destroy(&lpm->elems);
}

/* Under RCU: what ends in @node on the way of @key, the longest one, or @before. */
static struct lpm_elem *lpm_end_in(const struct lpm_map *lpm, const struct lpm_node *node,
				   unsigned int slots, struct lpm_prefix key,
				   struct lpm_elem *before)
{
	unsigned int half = lpm_slot_half(lpm_pair(key.bits, node->pos));

	if (key.len > node->pos && slots & BIT(half))
		return lpm_to_elem(lpm_get(lpm, node, half));
	if (slots & BIT(LPM_SLOT_SELF))
		return lpm_to_elem(lpm_get(lpm, node, LPM_SLOT_SELF));
	return before;
}

/**
 * struct lpm_match - how far a walk is that compares
 * @found: the longest prefix so far, or NULL
 * @len: as many bits of the key are known to be those of all that is further down
 */
struct lpm_match {
	struct lpm_elem *found;
	u32 len;
};

/* Under RCU: false if the element that ends in slot @nr, if there is one, is no prefix of @key. */
static bool lpm_match_end(const struct lpm_map *lpm, const struct lpm_node *node,
			  unsigned int slots, unsigned int nr, struct lpm_prefix key,
			  struct lpm_match *match)
{
	struct lpm_elem *elem;

	if (!(slots & BIT(nr)))
		return true;
	elem = lpm_to_elem(lpm_get(lpm, node, nr));
	match->len = lpm_match_len(lpm_elem_prefix(elem), key, match->len);
	if (match->len < elem->prefixlen)
		return false;
	match->found = elem;
	return true;
}

/*
 * Under RCU: the longest prefix of @key that is an element, by comparing each that is met. What is
 * further down than one that is no prefix of @key is none either.
 */
static noinline struct lpm_elem *lpm_find_compared(const struct lpm_map *lpm, struct lpm_prefix key)
{
	struct lpm_match match = {};
	void *ptr = lpm_root(lpm);
	unsigned int slots, nr;
	struct lpm_node *node;

	while (lpm_is_node(ptr)) {
		node = ptr;
		slots = lpm_slots(node);
		if (node->pos > key.len ||
		    !lpm_match_end(lpm, node, slots, LPM_SLOT_SELF, key, &match) ||
		    node->pos == key.len)
			return match.found;
		nr = lpm_slot_half(lpm_pair(key.bits, node->pos));
		if (!lpm_match_end(lpm, node, slots, nr, key, &match))
			return match.found;
		nr = lpm_slot_nr(key, node->pos);
		if (!(slots & BIT(nr)))
			return match.found;
		ptr = lpm_get(lpm, node, nr);
	}
	if (ptr && lpm_is_prefix_of(lpm_to_elem(ptr), key))
		return lpm_to_elem(ptr);
	return match.found;
}

/* Under RCU: the same, by a comparison at the end. */
static __always_inline struct lpm_elem *lpm_find_longest(const struct lpm_map *lpm,
							 struct lpm_prefix key)
{
	struct lpm_elem *found = NULL;
	void *ptr = lpm_root(lpm);
	unsigned int slots, nr;
	struct lpm_node *node;

	if (unlikely(!ptr))
		return NULL;
	while (!lpm_is_elem(ptr)) {
		node = ptr;
		slots = lpm_slots(node);
		if (slots & LPM_ENDS)
			found = lpm_end_in(lpm, node, slots, key, found);
		if (node->pos + LPM_STRIDE > key.len)
			goto ended;
		nr = lpm_slot_below(lpm_pair(key.bits, node->pos));
		if (!(slots & BIT(nr)))
			goto ended;
		ptr = lpm_get(lpm, node, nr);
	}
	if (lpm_is_prefix_of(lpm_to_elem(ptr), key))
		return lpm_to_elem(ptr);
ended:
	if (!found || lpm_is_prefix_of(found, key))
		return found;
	return lpm_find_compared(lpm, key);
}

static __always_inline struct lpm_elem *lpm_lookup(const struct lpm_map *lpm, const void *from)
{
	u64 bits[LPM_WORDS_MAX] __uninitialized;
	struct lpm_prefix key;

	return lpm_load_key(lpm, &key, bits, from) ? lpm_find_longest(lpm, key) : NULL;
}

static void *lpm_lookup_elem(struct bpfmaps_map *map, const void *from)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_elem *elem = lpm_lookup(lpm, from);

	return elem ? lpm_value(lpm, elem) : NULL;
}

static struct bpfmaps_seq *lpm_stripe(struct lpm_map *lpm, const struct lpm_elem *elem)
{
	return &lpm->stripes[hash_ptr(elem, LPM_STRIPE_BITS)];
}

static noinline void lpm_read_stripe(struct lpm_map *lpm, struct lpm_elem *elem, void *value)
{
	struct bpfmaps_seq *seq = lpm_stripe(lpm, elem);
	unsigned long irq;
	unsigned int start;
	int i;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++) {
		if (!bpfmaps_seq_begin(seq, &start))
			continue;
		bpfmaps_copy_from_elem(value, lpm_value(lpm, elem), lpm->map.value_size);
		if (bpfmaps_seq_valid(seq, start))
			return;
	}
	raw_spin_lock_irqsave(&seq->lock, irq);
	bpfmaps_copy_from_elem(value, lpm_value(lpm, elem), lpm->map.value_size);
	raw_spin_unlock_irqrestore(&seq->lock, irq);
}

/* Under RCU: one whole value of @elem. */
static __always_inline void lpm_read_value(struct lpm_map *lpm, struct lpm_elem *elem, void *value)
{
	if (lpm->in_place && !lpm->word)
		lpm_read_stripe(lpm, elem, value);
	else
		bpfmaps_copy_from_elem(value, lpm_value(lpm, elem), lpm->map.value_size);
}

void bpfmaps_lpm_read_value(struct lpm_map *lpm, struct lpm_elem *elem, void *value)
{
	lpm_read_value(lpm, elem, value);
}

/* Called from system calls. */
static int lpm_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_elem *elem;

	rcu_read_lock();
	elem = lpm_lookup(lpm, key);
	if (elem)
		lpm_read_value(lpm, elem, value);
	rcu_read_unlock();
	return elem ? 0 : -ENOENT;
}

/**
 * struct lpm_place - where a walk for a prefix ended
 * @ptr: what is there, or NULL
 * @node: the node that has it in its slot @nr, or NULL: it is the root
 * @nr: number of that slot
 * @parent_nr: number of the slot in @parent that @node is in
 * @parent: the node above @node, or NULL
 */
struct lpm_place {
	void *ptr;
	struct lpm_node *node;
	unsigned int nr;
	unsigned int parent_nr;
	struct lpm_node *parent;
};

/* Under the lock: as far down as @prefix and nodes of a position of up to @limit lead. */
static __always_inline struct lpm_place lpm_walk(const struct lpm_map *lpm,
						 struct lpm_prefix prefix, u32 limit)
{
	struct lpm_place place = { .ptr = lpm_root(lpm) };
	struct lpm_node *node;

	while (lpm_is_node(place.ptr)) {
		node = place.ptr;
		if (node->pos > limit)
			break;
		place.parent = place.node;
		place.parent_nr = place.nr;
		place.node = node;
		place.nr = lpm_slot_nr(prefix, node->pos);
		place.ptr = node->map & BIT(place.nr) ? lpm_get(lpm, node, place.nr) : NULL;
	}
	return place;
}

/* The element of just this prefix, or NULL. */
static struct lpm_elem *place_elem(const struct lpm_place *place, struct lpm_prefix prefix)
{
	if (lpm_is_elem(place->ptr) && lpm_is_at(lpm_to_elem(place->ptr), prefix))
		return lpm_to_elem(place->ptr);
	return NULL;
}

/* Under the lock: point slot @nr of @node, or the root, to @ptr. */
static void lpm_put(struct lpm_map *lpm, struct lpm_node *node, unsigned int nr, void *ptr)
{
	if (!node) {
		rcu_assign_pointer(lpm->root, ptr);
		return;
	}
	rcu_assign_pointer(node->slot[nr], ptr);
	if (node->map & BIT(nr))
		return;
	/* pairs with the acquire in lpm_slots() */
	smp_store_release(&node->map, node->map | BIT(nr));
}

/**
 * struct lpm_update - an update on its way
 * @key: the prefix
 * @value: the new value
 * @flags: BPFMAPS_ANY, BPFMAPS_NOEXIST or BPFMAPS_EXIST
 * @from: who writes
 * @elem: a new element, if one is needed; NULL again when it is in the trie
 * @node: a new node, likewise
 * @retired: the element that was replaced
 * @changes: what follows was so when the trie had been changed so often
 * @place: where the key is, or has to go
 * @old: the element there, or NULL
 * @near: without one: an element at or below @place, or next to it, or NULL in an empty trie
 * @len: as many bits @near has in common with the key
 */
struct lpm_update {
	struct lpm_prefix key;
	const void *value;
	u64 flags;
	enum bpfmaps_from from;
	struct lpm_elem *elem;
	struct lpm_node *node;
	struct lpm_elem *retired;
	u64 changes;
	struct lpm_place place;
	struct lpm_elem *old;
	struct lpm_elem *near;
	u32 len;
};

/* The data behind the prefix counts as well: it is part of the key that bpf(2) shows. */
static bool lpm_can_overwrite(const struct lpm_map *lpm, const struct lpm_elem *elem,
			      struct lpm_prefix key)
{
	return lpm->in_place &&
	       lpm_bits_equal(elem->bits, key.bits, lpm->words * LPM_WORD_BITS);
}

static void lpm_overwrite(struct lpm_map *lpm, struct lpm_elem *elem, const void *value)
{
	void *to = lpm_value(lpm, elem);
	struct bpfmaps_seq *seq;

	if (lpm->word) {
		bpfmaps_copy_to_elem(to, value, lpm->map.value_size);
		return;
	}
	seq = lpm_stripe(lpm, elem);
	raw_spin_lock(&seq->lock);
	bpfmaps_seq_write(seq, to, value, lpm->map.value_size);
	raw_spin_unlock(&seq->lock);
}

/* Under the lock: the element that is there gets the new value. */
static int lpm_replace(struct lpm_map *lpm, struct lpm_update *update)
{
	if (lpm_can_overwrite(lpm, update->old, update->key)) {
		lpm_overwrite(lpm, update->old, update->value);
		return 0;
	}
	if (!update->elem)
		return NEED_ELEM;
	lpm_put(lpm, update->place.node, update->place.nr, lpm_from_elem(update->elem));
	lpm->changes++;
	update->elem = NULL;
	update->retired = update->old;
	return 0;
}

/* Put a new node in the place of what is there, @near or a node above it. */
static void lpm_split(struct lpm_map *lpm, struct lpm_update *update)
{
	const struct lpm_place *place = &update->place;
	struct lpm_node *node = update->node;
	unsigned int nr;

	node->pos = round_down(update->len, LPM_STRIDE);
	node->map = 0;
	nr = lpm_slot_nr(lpm_elem_prefix(update->near), node->pos);
	lpm_put(lpm, node, nr, place->ptr);
	nr = lpm_slot_nr(update->key, node->pos);
	lpm_put(lpm, node, nr, lpm_from_elem(update->elem));
	lpm_put(lpm, place->node, place->nr, node);
	update->node = NULL;
}

/* Under the lock: the key gets an element at its place. */
static int lpm_insert(struct lpm_map *lpm, struct lpm_update *update)
{
	const struct lpm_place *place = &update->place;

	if (!update->elem)
		return NEED_ELEM;
	if (place->ptr && !update->node)
		return NEED_NODE;
	if (!bpfmaps_pool_reserve(&lpm->elems))
		return -ENOSPC;
	if (place->ptr)
		lpm_split(lpm, update);
	else
		lpm_put(lpm, place->node, place->nr, lpm_from_elem(update->elem));
	lpm->changes++;
	update->elem = NULL;
	return 0;
}

/*
 * Under the lock: the walk for a key that is not in the trie may have gone too far down. What bits
 * lie before the positions on its way any element below tells.
 */
static void lpm_find_near(const struct lpm_map *lpm, struct lpm_update *update)
{
	struct lpm_place *place = &update->place;

	update->near = NULL;
	if (!place->ptr && !place->node)
		return;
	update->near = lpm_first(lpm, place->ptr ?: place->node);
	update->len = lpm_match_len(lpm_elem_prefix(update->near), update->key, 0);
	if (place->node && update->len < place->node->pos)
		*place = lpm_walk(lpm, update->key, update->len);
}

/* Under the lock: where the key is or has to go, if that is not known. */
static void lpm_find_place(const struct lpm_map *lpm, struct lpm_update *update)
{
	if (update->changes == lpm->changes)
		return;
	update->place = lpm_walk(lpm, update->key, update->key.len);
	update->old = place_elem(&update->place, update->key);
	if (!update->old)
		lpm_find_near(lpm, update);
	update->changes = lpm->changes;
}

/* Under the lock. Returns 0, an errno, or what @update lacks. */
static __always_inline int lpm_update_locked(struct lpm_map *lpm, struct lpm_update *update)
{
	lpm_find_place(lpm, update);
	if (bpfmaps_map_check_write(&lpm->map, update->from))
		return -EPERM;
	if (update->old && update->flags == BPFMAPS_NOEXIST)
		return -EEXIST;
	if (update->old)
		return lpm_replace(lpm, update);
	if (update->flags == BPFMAPS_EXIST)
		return -ENOENT;
	if (bpfmaps_pool_full(&lpm->elems))
		return -ENOSPC;
	return lpm_insert(lpm, update);
}

static int lpm_try_update(struct lpm_map *lpm, struct lpm_update *update)
{
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&lpm->lock, irq);
	err = lpm_update_locked(lpm, update);
	raw_spin_unlock_irqrestore(&lpm->lock, irq);
	return err;
}

static int lpm_new_elem(struct lpm_map *lpm, struct lpm_update *update)
{
	struct lpm_elem *elem = bpfmaps_pool_alloc(&lpm->elems, update->from);
	u32 i;

	if (!elem)
		return -ENOMEM;
	elem->prefixlen = update->key.len;
	for (i = 0; i < lpm->words; i++)
		elem->bits[i] = update->key.bits[i];
	bpfmaps_copy_to_elem(lpm_value(lpm, elem), update->value, lpm->map.value_size);
	update->elem = elem;
	return 0;
}

/* What was missing in the last try. What an update gets it keeps, so three tries are enough. */
static int lpm_prepare_update(struct lpm_map *lpm, struct lpm_update *update)
{
	if (!update->elem && lpm_new_elem(lpm, update))
		return -ENOMEM;
	if (!update->old && update->place.ptr && !update->node) {
		update->node = bpfmaps_pool_alloc(&lpm->nodes, update->from);
		if (!update->node)
			return -ENOMEM;
	}
	return 0;
}

/* The rest is set by lpm_find_place(). */
static void lpm_begin_update(struct lpm_update *update, const void *value, u64 flags,
			     enum bpfmaps_from from)
{
	update->value = value;
	update->flags = flags;
	update->from = from;
	update->elem = NULL;
	update->node = NULL;
	update->retired = NULL;
	update->changes = 0;
}

static int lpm_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			   enum bpfmaps_from from)
{
	struct lpm_update update __uninitialized;
	u64 bits[LPM_WORDS_MAX] __uninitialized;
	struct lpm_map *lpm = to_lpm(map);
	int err;

	if (flags > BPFMAPS_EXIST || !lpm_load_key(lpm, &update.key, bits, key))
		return -EINVAL;
	lpm_begin_update(&update, value, flags, from);
	err = lpm_try_update(lpm, &update);
	while (err > 0) {
		err = lpm_prepare_update(lpm, &update);
		if (!err)
			err = lpm_try_update(lpm, &update);
	}
	if (update.elem)
		bpfmaps_pool_free(&lpm->elems, update.elem);
	if (update.node)
		bpfmaps_pool_free(&lpm->nodes, update.node);
	if (update.retired)
		bpfmaps_pool_retire(&lpm->elems, update.retired);
	return err;
}

/*
 * Under the lock: take the element at @place out of the trie. Returns the node that goes along with
 * it, since only one other slot of it is in use, or NULL.
 */
static struct lpm_node *lpm_unlink(struct lpm_map *lpm, const struct lpm_place *place)
{
	struct lpm_node *node = place->node;
	unsigned int left;

	bpfmaps_pool_unreserve(&lpm->elems);
	lpm->changes++;
	if (!node) {
		RCU_INIT_POINTER(lpm->root, NULL);
		return NULL;
	}
	left = node->map & ~BIT(place->nr);
	if (hweight8(left) > 1) {
		WRITE_ONCE(node->map, left);
		return NULL;
	}
	lpm_put(lpm, place->parent, place->parent_nr, lpm_get(lpm, node, __ffs(left)));
	return node;
}

static int lpm_delete_elem(struct bpfmaps_map *map, const void *from, enum bpfmaps_from who)
{
	u64 bits[LPM_WORDS_MAX] __uninitialized;
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_node *node = NULL;
	struct lpm_place place;
	struct lpm_prefix key;
	struct lpm_elem *elem;
	unsigned long irq;
	int err;

	if (!lpm_load_key(lpm, &key, bits, from))
		return -EINVAL;
	raw_spin_lock_irqsave(&lpm->lock, irq);
	place = lpm_walk(lpm, key, key.len);
	elem = place_elem(&place, key);
	err = bpfmaps_map_check_write(map, who);
	if (!err && !elem)
		err = -ENOENT;
	if (!err)
		node = lpm_unlink(lpm, &place);
	raw_spin_unlock_irqrestore(&lpm->lock, irq);
	if (err)
		return err;
	bpfmaps_pool_retire(&lpm->elems, elem);
	if (node)
		bpfmaps_pool_retire(&lpm->nodes, node);
	return 0;
}

static void lpm_reclaim(struct bpfmaps_map *map)
{
	struct lpm_map *lpm = to_lpm(map);

	bpfmaps_pool_flush(&lpm->elems);
	bpfmaps_pool_flush(&lpm->nodes);
}

static u64 lpm_mem_usage(const struct bpfmaps_map *map)
{
	const struct lpm_map *lpm = to_lpm(map);

	return bpfmaps_pool_mem_usage(&lpm->elems) + bpfmaps_pool_mem_usage(&lpm->nodes);
}

const struct bpfmaps_map_ops bpfmaps_lpm_trie_ops = {
	.map_size		= sizeof(struct lpm_map),
	.batch			= BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_UPDATE) |
				  BIT(BPFMAPS_BATCH_DELETE),
	.map_alloc_check	= lpm_alloc_check,
	.map_alloc		= lpm_alloc,
	.map_free		= lpm_free,
	.map_lookup_elem	= lpm_lookup_elem,
	.map_copy_value		= lpm_copy_value,
	.map_update_elem	= lpm_update_elem,
	.map_delete_elem	= lpm_delete_elem,
	.map_get_next_key	= bpfmaps_lpm_get_next_key,
	.map_for_each		= bpfmaps_lpm_for_each,
	.map_collect_next	= bpfmaps_lpm_collect_next,
	.map_reclaim		= lpm_reclaim,
	.map_mem_usage		= lpm_mem_usage,
};
