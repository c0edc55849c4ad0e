/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lpm_trie.c, which changes LPM_TRIE maps, and lpm_trie_walk.c, which goes through them, share
 */
#ifndef _BPFMAPS_LPM_TRIE_H
#define _BPFMAPS_LPM_TRIE_H

#include <linux/bitops.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "../map.h"
#include "../pool.h"
#include "../seq.h"

/* Bytes of data behind the prefix length in a key. */
#define LPM_DATA_MAX	256
#define LPM_DATA_MIN	1

#define LPM_WORD_BITS	64
#define LPM_WORDS_MAX	(LPM_DATA_MAX / sizeof(u64))

/* How many bits a node decides, and the slots that this makes. */
#define LPM_STRIDE	2
#define LPM_SLOTS	7

/* The slots of elements that end in the node, not below it. */
#define LPM_SLOT_SELF	6
#define LPM_ENDS	(BIT(2) | BIT(5) | BIT(LPM_SLOT_SELF))

/* Sequence counts of a map, for values that are longer than a word. */
#define LPM_STRIPE_BITS	5

/**
 * struct lpm_prefix - a prefix, wherever its bits are
 * @bits: words whose highest bit is the first one
 * @len: how many bits count
 */
struct lpm_prefix {
	const u64 *bits;
	u32 len;
};

/**
 * struct lpm_elem - an element
 * @pool: of the pool, which leaves the first word alone
 * @prefixlen: in this word
 * @bits: all data of the key; the value follows
 */
struct lpm_elem {
	union {
		struct bpfmaps_pool_elem pool;
		u32 prefixlen;
	};
	u64 bits[];
};

/**
 * struct lpm_node - what the prefixes below have in common, and where they part
 * @pool: of the pool, which leaves the first word alone
 * @pos: in this word: the two bits from here on choose the slot; even
 * @map: likewise: which slots are in use. The others are not to be read.
 * @slot: nodes and elements, see lpm_slot_nr()
 */
struct lpm_node {
	union {
		struct bpfmaps_pool_elem pool;
		struct {
			u16 pos;
			u8 map;
		};
	};
	void __rcu *slot[LPM_SLOTS];
};

static_assert(offsetof(struct bpfmaps_pool_elem, link) >= sizeof(u32));

/**
 * struct lpm_map - the type's struct
 * @map: what all types have
 * @data_size: bytes of data in a key
 * @words: how many words @data_size takes
 * @in_place: values are overwritten, not replaced
 * @word: values are copied in one piece, and need no sequence count
 * @lock: of all who change the trie
 * @changes: how often its elements have changed, from 1 on
 * @root: a node, an element, or NULL in an empty trie
 * @elems: where elements come from
 * @nodes: where nodes come from
 * @stripes: of values that are overwritten; their locks are taken within @lock
 */
struct lpm_map {
	struct bpfmaps_map map;
	u32 data_size;
	u32 words;
	bool in_place;
	bool word;
	raw_spinlock_t lock;
	u64 changes;
	void __rcu *root;
	struct bpfmaps_pool elems;
	struct bpfmaps_pool nodes;
	struct bpfmaps_seq stripes[1 << LPM_STRIPE_BITS];
};

static inline struct lpm_map *to_lpm(const struct bpfmaps_map *map)
{
	return container_of(map, struct lpm_map, map);
}

static inline void *lpm_value(const struct lpm_map *lpm, struct lpm_elem *elem)
{
	return elem->bits + lpm->words;
}

static inline struct lpm_prefix lpm_elem_prefix(const struct lpm_elem *elem)
{
	return (struct lpm_prefix){ elem->bits, elem->prefixlen };
}

/* Pointers in slots are those of nodes, or those of elements plus one. */
static inline bool lpm_is_elem(const void *ptr)
{
	return (unsigned long)ptr & 1;
}

static inline bool lpm_is_node(const void *ptr)
{
	return ptr && !lpm_is_elem(ptr);
}

static inline struct lpm_elem *lpm_to_elem(void *ptr)
{
	return ptr - 1;
}

static inline void *lpm_from_elem(struct lpm_elem *elem)
{
	return (void *)elem + 1;
}

/* Two bits from an even position on, which are always in one word. */
static inline unsigned int lpm_pair(const u64 *bits, u32 pos)
{
	return rol64(bits[pos / LPM_WORD_BITS], pos + LPM_STRIDE) & 3;
}

/* The slot for what goes on with these two bits. */
static inline unsigned int lpm_slot_below(unsigned int pair)
{
	return pair + (pair >> 1);
}

/* The slot for the prefix that ends with the first of them. */
static inline unsigned int lpm_slot_half(unsigned int pair)
{
	return 2 + 3 * (pair >> 1);
}

/* The slot for a prefix of at least @pos bits. Their order is that of bpf(2). */
static inline unsigned int lpm_slot_nr(struct lpm_prefix prefix, u32 pos)
{
	unsigned int pair;

	if (prefix.len == pos)
		return LPM_SLOT_SELF;
	pair = lpm_pair(prefix.bits, pos);
	return prefix.len == pos + 1 ? lpm_slot_half(pair) : lpm_slot_below(pair);
}

/* What is in these slots may be read: it was written before they were in use. */
static inline unsigned int lpm_slots(const struct lpm_node *node)
{
	/* pairs with the release in lpm_put() */
	return smp_load_acquire(&node->map);
}

/* Under RCU or the lock: what a slot in use points to. */
static inline void *lpm_get(const struct lpm_map *lpm, const struct lpm_node *node, unsigned int nr)
{
	return rcu_dereference_check(node->slot[nr], lockdep_is_held(&lpm->lock));
}

static inline void *lpm_root(const struct lpm_map *lpm)
{
	return rcu_dereference_check(lpm->root, lockdep_is_held(&lpm->lock));
}

/* Whether the first @len bits are the same. */
static inline bool lpm_bits_equal(const u64 *a, const u64 *b, u32 len)
{
	for (; len >= LPM_WORD_BITS; len -= LPM_WORD_BITS)
		if (*a++ != *b++)
			return false;
	return !len || !((*a ^ *b) >> (LPM_WORD_BITS - len));
}

/* How many bits of two prefixes are the same; @known of them are for certain. */
static inline u32 lpm_match_len(struct lpm_prefix a, struct lpm_prefix b, u32 known)
{
	u32 limit = min(a.len, b.len);
	u32 pos = round_down(known, LPM_WORD_BITS);
	u64 diff;

	for (; pos < limit; pos += LPM_WORD_BITS) {
		diff = a.bits[pos / LPM_WORD_BITS] ^ b.bits[pos / LPM_WORD_BITS];
		if (diff)
			return min_t(u32, limit, pos + LPM_WORD_BITS - fls64(diff));
	}
	return limit;
}

static inline bool lpm_is_prefix_of(const struct lpm_elem *elem, struct lpm_prefix prefix)
{
	return elem->prefixlen <= prefix.len &&
	       lpm_bits_equal(elem->bits, prefix.bits, elem->prefixlen);
}

/* Whether this is the element of just this prefix. */
static inline bool lpm_is_at(const struct lpm_elem *elem, struct lpm_prefix prefix)
{
	return elem->prefixlen == prefix.len &&
	       lpm_bits_equal(elem->bits, prefix.bits, prefix.len);
}

/*
 * Under RCU or the lock: the first element at or below @ptr. A node has two slots in use at least,
 * at any time and also when it has left the trie.
 */
static inline struct lpm_elem *lpm_first(const struct lpm_map *lpm, void *ptr)
{
	struct lpm_node *node;

	while (!lpm_is_elem(ptr)) {
		node = ptr;
		ptr = lpm_get(lpm, node, __ffs(lpm_slots(node)));
	}
	return lpm_to_elem(ptr);
}

static inline u64 lpm_load_tail(const u8 *data, u32 size)
{
	u64 word = 0;
	u32 i;

	for (i = 0; i < size; i++)
		word |= (u64)data[i] << (LPM_WORD_BITS - 8 * (i + 1));
	return word;
}

/* Take a key apart; @bits get its data. False if the prefix is longer than that. */
static inline bool lpm_load_key(const struct lpm_map *lpm, struct lpm_prefix *prefix, u64 *bits,
				const void *from)
{
	const u8 *data = from + sizeof(u32);
	u32 size = lpm->data_size;
	u64 *word = bits;

	prefix->bits = bits;
	prefix->len = get_unaligned((const u32 *)from);
	for (; size >= sizeof(*word); size -= sizeof(*word), data += sizeof(*word))
		*word++ = get_unaligned_be64(data);
	if (size == sizeof(u32))
		*word = (u64)get_unaligned_be32(data) << 32;
	else if (size)
		*word = lpm_load_tail(data, size);
	return prefix->len <= lpm->data_size * 8;
}

/* lpm_trie.c */
void bpfmaps_lpm_read_value(struct lpm_map *lpm, struct lpm_elem *elem, void *value);

/* lpm_trie_walk.c */
int bpfmaps_lpm_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key);
int bpfmaps_lpm_collect_next(struct bpfmaps_map *map, const void *key,
			     struct bpfmaps_chunk *chunk);
int bpfmaps_lpm_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx);

#endif /* _BPFMAPS_LPM_TRIE_H */
