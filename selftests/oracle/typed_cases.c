// SPDX-License-Identifier: GPL-2.0-only
/* What only one type has: prefixes, values without keys, sets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define TRIE_DATA	256
#define TRIE_MAX	300

struct trie_key {
	__u32 bits;
	unsigned char data[TRIE_DATA];
};

struct trie_case {
	__u32 bytes;		/* of data in a key */
	unsigned int nr;	/* how many keys */
	unsigned int seed;
	__u32 (*bits)(const struct trie_case *c, unsigned int i);
	bool one_address;	/* all keys are prefixes of it */
};

static unsigned int mix(unsigned int n)
{
	n = (n ^ (n >> 15)) * 0x2c1b3c6dU;
	n = (n ^ (n >> 12)) * 0x297a2d39U;
	return n ^ (n >> 15);
}

static __u32 all_lengths(const struct trie_case *c, unsigned int i)
{
	return i % (8 * c->bytes + 1);
}

static __u32 lengths_back(const struct trie_case *c, unsigned int i)
{
	return 8 * c->bytes - i % (8 * c->bytes + 1);
}

static __u32 whole_length(const struct trie_case *c, unsigned int i)
{
	(void)i;
	return 8 * c->bytes;
}

static __u32 any_length(const struct trie_case *c, unsigned int i)
{
	return mix(c->seed + i) % (8 * c->bytes + 1);
}

/* The @i-th key; few different bytes, so that prefixes often cover each other. */
static void trie_key(const struct trie_case *c, unsigned int i, struct trie_key *key)
{
	unsigned int j, n;

	key->bits = c->bits(c, i);
	for (j = 0; j < c->bytes; j++) {
		n = mix(c->seed + 1000 * j + (c->one_address ? 0 : i));
		key->data[j] = j < c->bytes - 1 ? 0x80 * (n % 2) : n;
	}
}

static int trie(struct run *r, const struct trie_case *c, __u32 max)
{
	return new_map(r, 4 + c->bytes, STD_VALUE, max, BPFMAPS_F_NO_PREALLOC);
}

static void trie_set(struct run *r, int fd, const struct trie_case *c, unsigned int i, __u64 flags)
{
	struct trie_key key;
	__u64 value = i;

	trie_key(c, i, &key);
	elem(r, "set", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, &value, flags);
}

/* A walk, in its order, with what covers each address; then any addresses. */
static void note_trie(struct run *r, int fd, const struct trie_case *c)
{
	struct trie_case whole = *c;
	struct trie_key key;
	unsigned int i;

	note_contents(r, fd, 4 + c->bytes, STD_VALUE);
	whole.bits = whole_length;
	for (i = 0; i < 20; i++) {
		whole.seed = c->seed + i;
		trie_key(&whole, i, &key);
		elem(r, "covered", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, out_buf(r, STD_VALUE), 0);
		note_out(r, "by", STD_VALUE);
	}
}

static void trie_grows(struct run *r, const void *arg)
{
	const struct trie_case *c = arg;
	int fd = trie(r, c, TRIE_MAX);
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		trie_set(r, fd, c, i, i % 3);
		if (c->nr <= 40 && i % 8 == 7)
			note_trie(r, fd, c);
	}
	note_trie(r, fd, c);
}

static void trie_shrinks(struct run *r, const void *arg)
{
	const struct trie_case *c = arg;
	int fd = trie(r, c, TRIE_MAX);
	struct trie_key key;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		trie_set(r, fd, c, i, BPFMAPS_ANY);
	for (i = 0; i < c->nr; i++) {
		trie_key(c, mix(i) % c->nr, &key);
		elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
		if (c->nr <= 40 && i % 8 == 7)
			note_trie(r, fd, c);
		if (i % 4 == 3)
			trie_set(r, fd, c, i / 2, BPFMAPS_ANY);
	}
	note_trie(r, fd, c);
}

static void trie_full(struct run *r, const void *arg)
{
	const struct trie_case *c = arg;
	int fd = trie(r, c, 5);
	struct trie_key key;
	unsigned int i;

	for (i = 0; i < 10; i++)
		trie_set(r, fd, c, i, BPFMAPS_ANY);
	for (i = 0; i < 10; i++)
		trie_set(r, fd, c, i, i % 2 ? BPFMAPS_EXIST : BPFMAPS_NOEXIST);
	note_trie(r, fd, c);
	trie_key(c, 2, &key);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
	elem(r, "delete again", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
	for (i = 0; i < 10; i++)
		trie_set(r, fd, c, i, BPFMAPS_ANY);
	note_trie(r, fd, c);
}

/* The key behind keys that are there, are not, are only inner nodes, or are none. */
static void trie_next(struct run *r, const void *arg)
{
	const struct trie_case *c = arg;
	struct trie_case other = *c;
	int fd = trie(r, c, TRIE_MAX);
	struct trie_key key;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		trie_set(r, fd, c, i, BPFMAPS_ANY);
	other.bits = any_length;
	for (i = 0; i < 60; i++) {
		other.seed = c->seed + i / 20;
		trie_key(&other, i, &key);
		elem(r, "next", BPFMAPS_MAP_GET_NEXT_KEY, fd, &key, out_buf(r, 4 + c->bytes), 0);
		note_out(r, "key", 4 + c->bytes);
	}
}

static void trie_bad_lengths(struct run *r, const void *arg)
{
	const struct trie_case *c = arg;
	const __u32 lengths[] = {
		8 * c->bytes + 1, 8 * c->bytes + 8, 0x7fffffff, 0x80000000, 0xffffffff, 0x100,
	};
	int fd = trie(r, c, TRIE_MAX);
	struct trie_key key = { 0 };
	__u64 value = 1;
	size_t i;

	trie_set(r, fd, c, 0, BPFMAPS_ANY);
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		key.bits = lengths[i];
		elem(r, "set", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, &value, 0);
		elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
		elem(r, "next", BPFMAPS_MAP_GET_NEXT_KEY, fd, &key, out_buf(r, 4 + c->bytes), 0);
		note_out(r, "key", 4 + c->bytes);
		elem(r, "lookup", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, out_buf(r, STD_VALUE), 0);
		note_out(r, "value", STD_VALUE);
	}
	note_trie(r, fd, c);
}

void trie_cases(const struct map_type *t)
{
	static const struct {
		const char *name;
		case_fn fn;
	} table[] = {
		{ "bad lengths", trie_bad_lengths },
		{ "full", trie_full },
		{ "next", trie_next },
		{ "grows", trie_grows },
		{ "shrinks", trie_shrinks },
	};
	static const struct trie_case sets[] = {
		{ 1, 9, 1, all_lengths, true }, { 1, 40, 2, any_length, false },
		{ 3, 40, 3, any_length, false }, { 4, 33, 4, all_lengths, true },
		{ 4, 33, 5, lengths_back, true }, { 4, 40, 6, whole_length, false },
		{ 4, 200, 7, any_length, false }, { 16, 129, 8, lengths_back, true },
		{ 16, 100, 9, any_length, false }, { 32, 257, 10, all_lengths, true },
		{ 256, 60, 11, any_length, false }, { 256, 60, 12, any_length, true },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		for (j = 0; j < ARRAY_LEN(sets); j++)
			compare(t, SELF, table[i].fn, &sets[j],
				"trie/%s, set %zu: %u keys of %u bytes", table[i].name, j,
				sets[j].nr, sets[j].bytes);
	}
}

/* Values that are put in and taken out */

struct taking {
	__u32 value;
	__u32 max;
};

static void put(struct run *r, int fd, const struct taking *c, unsigned int seed, __u64 flags)
{
	static unsigned char value[70000];

	memset(value, mix(seed), c->value);
	elem(r, "put", BPFMAPS_MAP_UPDATE_ELEM, fd, NULL, value, flags);
}

static void take(struct run *r, int fd, const struct taking *c, unsigned int cmd)
{
	elem(r, cmd == BPFMAPS_MAP_LOOKUP_ELEM ? "look" : "take", cmd, fd, NULL,
	     out_buf(r, c->value), 0);
	note_out(r, "value", c->value);
}

static void overfilled(struct run *r, const void *arg)
{
	const struct taking *c = arg;
	int fd = new_map(r, 0, c->value, c->max, 0);
	unsigned int i;

	for (i = 0; i < c->max + 3; i++)
		put(r, fd, c, i, BPFMAPS_ANY);
	for (; i < 2 * c->max; i++)
		put(r, fd, c, i, BPFMAPS_EXIST);
	for (i = 0; i < c->max + 2; i++)
		take(r, fd, c, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM);
}

static void in_and_out(struct run *r, const void *arg)
{
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_LOOKUP_ELEM, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM,
	};
	const struct taking *c = arg;
	int fd = new_map(r, 0, c->value, c->max, 0);
	unsigned int i;

	take(r, fd, c, BPFMAPS_MAP_LOOKUP_ELEM);
	take(r, fd, c, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM);
	for (i = 0; i < 120; i++) {
		if (mix(i) % 5 < 3)
			put(r, fd, c, i, mix(i) % 7 ? BPFMAPS_ANY : BPFMAPS_EXIST);
		else
			take(r, fd, c, cmds[mix(i) % 2]);
	}
	for (i = 0; i < c->max + 2; i++)
		take(r, fd, c, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM);
}

/* Whether a value that could not be copied out is lost. */
static void taken_to_nowhere(struct run *r, const void *arg)
{
	const struct taking *c = arg;
	int fd = new_map(r, 0, c->value, c->max, 0);
	unsigned int cmd = BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;

	put(r, fd, c, 1, BPFMAPS_ANY);
	elem(r, "take to nowhere", cmd, fd, NULL, UNMAPPED, 0);
	note(r, "kept: %d", !elem_quiet(r, cmd, fd, NULL, out_buf(r, c->value), 0));
}

void taking_cases(const struct map_type *t)
{
	static const struct taking all[] = {
		{ 1, 1 }, { 3, 2 }, { 8, 7 }, { 12, 64 }, { 100, 5 }, { 512, 33 }, { 5000, 4 },
		{ 70000, 3 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		compare(t, SELF, taken_to_nowhere, &all[i], "take/to nowhere, %u values of %u",
			all[i].max, all[i].value);
		compare(t, SELF, overfilled, &all[i], "take/overfilled, %u values of %u",
			all[i].max, all[i].value);
		compare(t, SELF, in_and_out, &all[i], "take/in and out, %u values of %u",
			all[i].max, all[i].value);
	}
}

/* Sets that are never wrong with "no" */

struct bloom_case {
	__u32 value;
	__u32 hashes;
	__u32 flags;
};

static void bloom_value(unsigned char *value, __u32 size, unsigned int i)
{
	memset(value, 0x5a, size);
	memcpy(value + size - (size < 4 ? size : 4), &i, size < 4 ? size : 4);
}

/* Of the values that were not added few may seem to have been; which ones is chance. */
static void asked(struct run *r, const void *arg)
{
	const struct bloom_case *c = arg;
	struct bpfmaps_create_attr a = std_attr(r);
	unsigned char value[600];
	unsigned int i, missing = 0, perhaps = 0;
	int fd;

	a.value_size = c->value;
	a.map_extra = c->hashes;
	a.map_flags |= c->flags;
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	for (i = 0; i < 100; i++) {
		bloom_value(value, c->value, i);
		elem(r, "add", BPFMAPS_MAP_UPDATE_ELEM, fd, NULL, value, 0);
	}
	for (i = 0; i < 200; i++) {
		bloom_value(value, c->value, i);
		if (i < 100)
			missing += elem_quiet(r, BPFMAPS_MAP_LOOKUP_ELEM, fd, NULL, value, 0) != 0;
		else
			perhaps += elem_quiet(r, BPFMAPS_MAP_LOOKUP_ELEM, fd, NULL, value, 0) == 0;
	}
	/* With one hash function and 2048 bits one in twenty is to be expected. */
	note(r, "missing %u, few are perhaps there: %d", missing, perhaps < 30);
}

void bloom_cases(const struct map_type *t)
{
	static const __u32 sizes[] = { 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 100, 600 };
	struct bloom_case c = { .hashes = 0 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		c.value = sizes[i];
		c.flags = i % 2 ? BPFMAPS_F_ZERO_SEED : 0;
		compare(t, SELF, asked, &c, "bloom/values of %u bytes", c.value);
	}
	c.value = 8;
	for (c.hashes = 1; c.hashes < 18; c.hashes++)
		compare(t, SELF, asked, &c, "bloom/%u hash functions", c.hashes);
}
