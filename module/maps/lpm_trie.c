// SPDX-License-Identifier: GPL-2.0-only
/*
 * LPM_TRIE: prefixes of bits, and the longest one that a key begins with
 *
 * A key is a prefix length and as many bytes of data as the key size leaves. The trie is binary and
 * compressed: a node stands for a prefix, its children for longer ones that go on with a 0 or a 1.
 * Where two prefixes part and none was inserted, an inner node joins them. With 10.0.0.0/8,
 * 10.0.0.0/9 and 10.192.0.0/10:
 *
 *	10.0.0.0/8  --0-->  10.0.0.0/9
 *	            --1-->  10.192.0.0/10
 *
 * and without the first one an inner node 10.0.0.0/8 in its place. So an inner node has two
 * children always, there are fewer inner nodes than prefixes, and a walk is no longer than the
 * key has bits.
 *
 * Data is kept in words whose highest bit is the first one, so that a node is compared by a few
 * instructions, from the word on that is not known to be equal.
 *
 * Readers walk under RCU. Nodes are changed by linking another one in their place, so a value is
 * never seen half written; only "inner" changes in place, when a prefix that has two children is
 * deleted.
 */
#include <linux/bitops.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/slab.h>

#include "../map.h"
#include "../pool.h"
#include "../seq.h"

#define LPM_CREATE_FLAGS (BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_NUMA_NODE | BPFMAPS_ACCESS_FLAGS)

/* Bytes of data behind the prefix length in a key. */
#define LPM_DATA_MAX	256
#define LPM_DATA_MIN	1

/* The limit of bpf(2), whose nodes have 40 bytes. */
#define LPM_VALUE_MAX	(KMALLOC_MAX_SIZE - LPM_DATA_MAX - 40)

#define LPM_WORD_BITS	64

struct lpm_key {
	u32 prefixlen;
	u64 bits[LPM_DATA_MAX / sizeof(u64)];
};

/**
 * struct lpm_node - a prefix
 * @pool: of the pool
 * @child: what goes on with a 0 and with a 1
 * @prefixlen: how many of @bits count
 * @inner: only joins its children, is no element
 * @small: has no room for a value
 * @bits: all data of the key; the value follows
 */
struct lpm_node {
	struct bpfmaps_pool_elem pool;
	struct lpm_node __rcu *child[2];
	u32 prefixlen;
	bool inner;
	bool small;
	u64 bits[];
};

/**
 * struct lpm_map - the type's struct
 * @map: what all types have
 * @data_size: bytes of data in a key
 * @words: how many words @data_size takes
 * @lock: of all who change the trie
 * @root: NULL in an empty trie
 * @pool: nodes that are elements
 * @inner: nodes without a value
 */
struct lpm_map {
	struct bpfmaps_map map;
	u32 data_size;
	u32 words;
	raw_spinlock_t lock;
	struct lpm_node __rcu *root;
	struct bpfmaps_pool pool;
	struct bpfmaps_pool inner;
};

static struct lpm_map *to_lpm(const struct bpfmaps_map *map)
{
	return container_of(map, struct lpm_map, map);
}

static void *node_value(const struct lpm_map *lpm, struct lpm_node *node)
{
	return node->bits + lpm->words;
}

static u64 load_tail(const u8 *data, u32 size)
{
	u64 word = 0;
	u32 i;

	for (i = 0; i < size; i++)
		word |= (u64)data[i] << (LPM_WORD_BITS - 8 * (i + 1));
	return word;
}

/* False if the prefix is longer than the data. */
static bool key_load(const struct lpm_map *lpm, struct lpm_key *to, const void *from)
{
	const u8 *data = from + sizeof(u32);
	u32 size = lpm->data_size;
	u64 *word = to->bits;

	to->prefixlen = get_unaligned((const u32 *)from);
	for (; size >= sizeof(*word); size -= sizeof(*word), data += sizeof(*word))
		*word++ = get_unaligned_be64(data);
	if (size == sizeof(u32))
		*word = (u64)get_unaligned_be32(data) << 32;
	else if (size)
		*word = load_tail(data, size);
	return to->prefixlen <= lpm->data_size * 8;
}

static void key_store(const struct lpm_map *lpm, void *to, const struct lpm_node *node)
{
	u8 *data = to + sizeof(u32);
	u32 i;

	put_unaligned(node->prefixlen, (u32 *)to);
	for (i = 0; i < lpm->data_size; i++)
		data[i] = node->bits[i / 8] >> (LPM_WORD_BITS - 8 * (i % 8 + 1));
}

static unsigned int bit_at(const u64 *bits, u32 pos)
{
	return bits[pos / LPM_WORD_BITS] >> (LPM_WORD_BITS - 1 - pos % LPM_WORD_BITS) & 1;
}

/* How many bits of a key and a node are equal; @known of them are for certain. */
static u32 match_len(const struct lpm_node *node, const struct lpm_key *key, u32 known)
{
	u32 limit = min(node->prefixlen, key->prefixlen);
	u32 pos = round_down(known, LPM_WORD_BITS);
	u64 diff;

	for (; pos < limit; pos += LPM_WORD_BITS) {
		diff = node->bits[pos / LPM_WORD_BITS] ^ key->bits[pos / LPM_WORD_BITS];
		if (diff)
			return min_t(u32, limit, pos + LPM_WORD_BITS - fls64(diff));
	}
	return limit;
}

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
	u32 size;
	int err;

	lpm->data_size = map->key_size - sizeof(u32);
	lpm->words = DIV_ROUND_UP(lpm->data_size, sizeof(u64));
	raw_spin_lock_init(&lpm->lock);
	size = struct_size((struct lpm_node *)NULL, bits, lpm->words);
	err = bpfmaps_pool_init(&lpm->pool, map, size + round_up(map->value_size, 8), false);
	if (err)
		return err;
	err = bpfmaps_pool_init(&lpm->inner, map, size, false);
	if (err)
		bpfmaps_pool_destroy(&lpm->pool);
	return err;
}

/* Nodes still to be freed are chained by their pool link, so no node is visited twice. */
static struct bpfmaps_pool_elem *free_push(struct bpfmaps_pool_elem *todo,
					   struct lpm_node __rcu *child)
{
	struct lpm_node *node = rcu_dereference_protected(child, true);

	if (!node)
		return todo;
	node->pool.link = todo;
	return &node->pool;
}

static struct bpfmaps_pool *node_pool(struct lpm_map *lpm, const struct lpm_node *node)
{
	return node->small ? &lpm->inner : &lpm->pool;
}

static void lpm_free(struct bpfmaps_map *map)
{
	struct lpm_map *lpm = to_lpm(map);
	struct bpfmaps_pool_elem *todo = free_push(NULL, lpm->root);
	struct lpm_node *node;

	while (todo) {
		node = container_of(todo, struct lpm_node, pool);
		todo = free_push(free_push(todo->link, node->child[0]), node->child[1]);
		bpfmaps_pool_drop(node_pool(lpm, node), node);
		cond_resched();
	}
	bpfmaps_pool_destroy(&lpm->inner);
	bpfmaps_pool_destroy(&lpm->pool);
}

/* Under RCU: the longest prefix of @key that is an element. */
static struct lpm_node *lpm_find_longest(const struct lpm_map *lpm, const struct lpm_key *key)
{
	struct lpm_node *node = rcu_dereference(lpm->root);
	struct lpm_node *found = NULL;
	u32 len = 0;

	while (node) {
		len = match_len(node, key, len);
		if (len < node->prefixlen)
			break;
		if (!READ_ONCE(node->inner))
			found = node;
		if (len == key->prefixlen)
			break;
		node = rcu_dereference(node->child[bit_at(key->bits, len)]);
	}
	return found;
}

static void *lpm_lookup_elem(struct bpfmaps_map *map, const void *from)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_node *node;
	struct lpm_key key;

	if (!key_load(lpm, &key, from))
		return NULL;
	node = lpm_find_longest(lpm, &key);
	return node ? node_value(lpm, node) : NULL;
}

/* Called from system calls. A node's value does not change, so any copy is whole. */
static int lpm_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	void *found;

	rcu_read_lock();
	found = lpm_lookup_elem(map, key);
	if (found)
		bpfmaps_copy_from_elem(value, found, map->value_size);
	rcu_read_unlock();
	return found ? 0 : -ENOENT;
}

/**
 * struct lpm_place - where a walk for a key ended
 * @slot: the pointer at which it ended
 * @node: what it points to, or NULL
 * @len: how many bits of @node are those of the key
 * @parent: the node that @slot is in, or NULL
 * @parent_slot: what points to @parent
 */
struct lpm_place {
	struct lpm_node __rcu **slot;
	struct lpm_node *node;
	u32 len;
	struct lpm_node *parent;
	struct lpm_node __rcu **parent_slot;
};

static struct lpm_node *lpm_locked(const struct lpm_map *lpm, struct lpm_node __rcu *ptr)
{
	return rcu_dereference_protected(ptr, lockdep_is_held(&lpm->lock));
}

/* Under the lock: to the node of the key's prefix, or to where a node for it has to go. */
static struct lpm_place lpm_walk(struct lpm_map *lpm, const struct lpm_key *key)
{
	struct lpm_place place = { .slot = &lpm->root };

	for (;;) {
		place.node = lpm_locked(lpm, *place.slot);
		if (!place.node)
			return place;
		place.len = match_len(place.node, key, place.len);
		if (place.len < place.node->prefixlen || place.len == key->prefixlen)
			return place;
		place.parent = place.node;
		place.parent_slot = place.slot;
		place.slot = &place.node->child[bit_at(key->bits, place.len)];
	}
}

/* Whether the walk ended at the key's own prefix, be it an element or an inner node. */
static bool place_is_exact(const struct lpm_place *place, const struct lpm_key *key)
{
	return place->node && place->len == place->node->prefixlen && place->len == key->prefixlen;
}

static bool place_has_elem(const struct lpm_place *place, const struct lpm_key *key)
{
	return place_is_exact(place, key) && !place->node->inner;
}

static struct lpm_node *lpm_new_node(struct lpm_map *lpm, struct bpfmaps_pool *pool,
				     const struct lpm_key *key, enum bpfmaps_from from)
{
	struct lpm_node *node = bpfmaps_pool_alloc(pool, from);

	if (!node)
		return NULL;
	RCU_INIT_POINTER(node->child[0], NULL);
	RCU_INIT_POINTER(node->child[1], NULL);
	node->prefixlen = key->prefixlen;
	node->small = pool == &lpm->inner;
	node->inner = node->small;
	memcpy(node->bits, key->bits, lpm->words * sizeof(u64));
	return node;
}

/* Put @node in the place of the one that is there, with the same children. */
static void place_replace(struct lpm_map *lpm, const struct lpm_place *place,
			  struct lpm_node *node)
{
	RCU_INIT_POINTER(node->child[0], lpm_locked(lpm, place->node->child[0]));
	RCU_INIT_POINTER(node->child[1], lpm_locked(lpm, place->node->child[1]));
	rcu_assign_pointer(*place->slot, node);
}

/* Put @node above the one that is there, which is longer or, under @inner, parts from it. */
static void place_insert(const struct lpm_place *place, struct lpm_node *node,
			 struct lpm_node *inner)
{
	struct lpm_node *above = inner ?: node;
	unsigned int bit;

	if (place->node) {
		bit = bit_at(place->node->bits, place->len);
		RCU_INIT_POINTER(above->child[bit], place->node);
		if (inner) {
			inner->prefixlen = place->len;
			RCU_INIT_POINTER(inner->child[!bit], node);
		}
	}
	rcu_assign_pointer(*place->slot, above);
}

/* What an update has in hand, and what is over when it is done. */
struct lpm_update {
	struct lpm_node *node;
	struct lpm_node *inner;
	struct lpm_node *retired;
};

/* Under the lock. What is used of @update is taken out of it. */
static int lpm_link(struct lpm_map *lpm, const struct lpm_key *key, u64 flags,
		    struct lpm_update *update)
{
	struct lpm_place place = lpm_walk(lpm, key);
	bool has_elem = place_has_elem(&place, key);
	bool parts = place.node && place.len < min(place.node->prefixlen, key->prefixlen);

	if (has_elem && flags == BPFMAPS_NOEXIST)
		return -EEXIST;
	if (!has_elem && flags == BPFMAPS_EXIST)
		return -ENOENT;
	if (!has_elem && !bpfmaps_pool_reserve(&lpm->pool))
		return -ENOSPC;
	if (place_is_exact(&place, key)) {
		place_replace(lpm, &place, update->node);
		update->retired = place.node;
	} else {
		place_insert(&place, update->node, parts ? update->inner : NULL);
		if (parts)
			update->inner = NULL;
	}
	update->node = NULL;
	return 0;
}

static int lpm_update_elem(struct bpfmaps_map *map, const void *from, const void *value, u64 flags,
			   enum bpfmaps_from who)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_update update = {};
	int err = -ENOMEM;
	struct lpm_key key;
	unsigned long irq;

	if (flags > BPFMAPS_EXIST || !key_load(lpm, &key, from))
		return -EINVAL;
	update.node = lpm_new_node(lpm, &lpm->pool, &key, who);
	update.inner = lpm_new_node(lpm, &lpm->inner, &key, who);
	if (update.node && update.inner) {
		bpfmaps_copy_to_elem(node_value(lpm, update.node), value, map->value_size);
		raw_spin_lock_irqsave(&lpm->lock, irq);
		err = bpfmaps_map_check_write(map, who);
		if (!err)
			err = lpm_link(lpm, &key, flags, &update);
		raw_spin_unlock_irqrestore(&lpm->lock, irq);
	}
	if (update.node)
		bpfmaps_pool_free(&lpm->pool, update.node);
	if (update.inner)
		bpfmaps_pool_free(&lpm->inner, update.inner);
	if (update.retired)
		bpfmaps_pool_retire(node_pool(lpm, update.retired), update.retired);
	return err;
}

/*
 * Under the lock: take the element of @place out of the trie. Returns what is to be retired:
 * nothing, it, or it and in @parent the inner node that had it as one of two children.
 */
static struct lpm_node *lpm_unlink(struct lpm_map *lpm, const struct lpm_place *place,
				   struct lpm_node **parent)
{
	struct lpm_node *zero = lpm_locked(lpm, place->node->child[0]);
	struct lpm_node *one = lpm_locked(lpm, place->node->child[1]);

	bpfmaps_pool_unreserve(&lpm->pool);
	if (zero && one) {
		WRITE_ONCE(place->node->inner, true);
		return NULL;
	}
	if (!zero && !one && place->parent && place->parent->inner) {
		*parent = place->parent;
		zero = lpm_locked(lpm, (*parent)->child[0]);
		one = lpm_locked(lpm, (*parent)->child[1]);
		rcu_assign_pointer(*place->parent_slot, zero == place->node ? one : zero);
	} else {
		rcu_assign_pointer(*place->slot, zero ?: one);
	}
	return place->node;
}

static int lpm_delete_elem(struct bpfmaps_map *map, const void *from, enum bpfmaps_from who)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_node *node = NULL, *parent = NULL;
	struct lpm_place place;
	struct lpm_key key;
	unsigned long irq;
	int err;

	if (!key_load(lpm, &key, from))
		return -EINVAL;
	raw_spin_lock_irqsave(&lpm->lock, irq);
	place = lpm_walk(lpm, &key);
	err = bpfmaps_map_check_write(map, who);
	if (!err && !place_has_elem(&place, &key))
		err = -ENOENT;
	if (!err)
		node = lpm_unlink(lpm, &place, &parent);
	raw_spin_unlock_irqrestore(&lpm->lock, irq);
	if (node)
		bpfmaps_pool_retire(node_pool(lpm, node), node);
	if (parent)
		bpfmaps_pool_retire(node_pool(lpm, parent), parent);
	return err;
}

/* Under RCU: where a walk of the trie below @node begins. Nodes without children are elements. */
static struct lpm_node *lpm_first(struct lpm_node *node)
{
	struct lpm_node *next = node;

	while (next) {
		node = next;
		next = rcu_dereference(node->child[0]) ?: rcu_dereference(node->child[1]);
	}
	return node;
}

/*
 * Under RCU: the element behind @key, in the order of bpf(2): what goes on with 0, what goes on
 * with 1, then the prefix itself. On the way down to the key each node says what comes behind the
 * child that is taken, and the deepest one has the last word. False if @key is not there.
 */
static bool lpm_next(const struct lpm_map *lpm, const struct lpm_key *key, struct lpm_node **next)
{
	struct lpm_node *node = rcu_dereference(lpm->root);
	struct lpm_node *one;
	u32 len = 0;

	*next = NULL;
	while (node) {
		len = match_len(node, key, len);
		if (len < node->prefixlen)
			return false;
		if (len == key->prefixlen)
			return !READ_ONCE(node->inner);
		one = rcu_dereference(node->child[1]);
		if (!bit_at(key->bits, len) && one)
			*next = lpm_first(one);
		else if (!READ_ONCE(node->inner))
			*next = node;
		node = rcu_dereference(node->child[bit_at(key->bits, len)]);
	}
	return false;
}

static int lpm_get_next_key(struct bpfmaps_map *map, const void *from, void *next_key)
{
	struct lpm_map *lpm = to_lpm(map);
	struct lpm_node *next;
	struct lpm_key key;

	rcu_read_lock();
	if (!from || !key_load(lpm, &key, from) || !lpm_next(lpm, &key, &next))
		next = lpm_first(rcu_dereference(lpm->root));
	if (next)
		key_store(lpm, next_key, next);
	rcu_read_unlock();
	return next ? 0 : -ENOENT;
}

static u64 lpm_mem_usage(const struct bpfmaps_map *map)
{
	const struct lpm_map *lpm = to_lpm(map);

	return bpfmaps_pool_mem_usage(&lpm->pool) + bpfmaps_pool_mem_usage(&lpm->inner);
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
	.map_get_next_key	= lpm_get_next_key,
	.map_mem_usage		= lpm_mem_usage,
};
