// SPDX-License-Identifier: GPL-2.0-only
/* Look-ups, updates and deletes: flags, sizes, full maps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

struct flag_case {
	unsigned int cmd;
	__u32 key;
	__u64 flags;
	__u32 map_flags;
};

static void flagged(struct run *r, const void *arg)
{
	const struct flag_case *c = arg;
	int fd = std_map(r, c->map_flags);

	elem(r, "call", c->cmd, fd, std_key(r, c->key), std_out(r, c->key), c->flags);
	note_std_out(r, "value");
	note_std(r, fd);
}

static void flag_row(const struct map_type *t, const char *name, struct flag_case c)
{
	static const __u64 flags[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 1 << 8, 1U << 31, 1ULL << 32, 1ULL << 33,
		1ULL << 34, 1ULL << 63, (1ULL << 32) + 8, (1ULL << 32) + 1, (1ULL << 32) + 2, ~0ULL
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		c.flags = flags[i];
		compare(t, SELF, flagged, &c, "flags/%s, flags %#llx, map flags %#x", name,
			(unsigned long long)c.flags, c.map_flags);
	}
}

static void flag_rows(const struct map_type *t, __u32 map_flags)
{
	struct flag_case c = { .map_flags = map_flags, .key = STD_PRESENT };

	c.cmd = BPFMAPS_MAP_LOOKUP_ELEM;
	flag_row(t, "lookup present", c);
	c.cmd = BPFMAPS_MAP_UPDATE_ELEM;
	flag_row(t, "update present", c);
	c.key = 3;
	flag_row(t, "update absent", c);
	c.key = STD_ABSENT;
	flag_row(t, "update out of range", c);
	c.cmd = BPFMAPS_MAP_LOOKUP_ELEM;
	flag_row(t, "lookup absent", c);
	c.cmd = BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
	flag_row(t, "take absent", c);
	c.key = STD_PRESENT;
	flag_row(t, "take present", c);
}

/* Keys around the end of an array, and beyond what an int holds. */
static void at_key(struct run *r, const void *arg)
{
	const __u32 *key = arg;
	int fd = std_map(r, 0);
	void *value, *k = std_key(r, *key);

	std_lookup(r, "lookup", fd, *key);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, k, NULL, 0);
	elem(r, "delete again", BPFMAPS_MAP_DELETE_ELEM, fd, k, NULL, 0);
	value = std_value(r, 9);
	elem(r, "replace", BPFMAPS_MAP_UPDATE_ELEM, fd, k, value, BPFMAPS_EXIST);
	elem(r, "insert", BPFMAPS_MAP_UPDATE_ELEM, fd, k, value, BPFMAPS_NOEXIST);
	elem(r, "insert again", BPFMAPS_MAP_UPDATE_ELEM, fd, k, value, BPFMAPS_NOEXIST);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, k, value, 0);
	std_lookup(r, "lookup", fd, *key);
	elem(r, "take", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, k, std_out(r, *key), 0);
	note_std_out(r, "taken");
	note_std(r, fd);
}

struct shape {
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
};

static void pattern(unsigned char *p, size_t len, unsigned int seed)
{
	while (len--)
		*p++ = seed = seed * 1103515245U + 12345U;
}

/* The key of @index: an array has no choice, a hash gets all its bytes set. */
static void make_key(const struct run *r, unsigned char *key, __u32 size, __u32 index)
{
	if (r->type->keyed)
		pattern(key, size, index);
	else
		memcpy(key, &index, sizeof(index));
}

/* Values come back as they went in, to the last byte and no further. */
static void sized(struct run *r, const void *arg)
{
	const struct shape *s = arg;
	int fd = new_map(r, s->key, s->value, s->max, s->flags);
	size_t size = user_size(r->type, s->value);
	unsigned char *value = malloc(size), *key = malloc(s->key);
	__u32 i;

	for (i = 0; i < s->max; i++) {
		make_key(r, key, s->key, i);
		elem(r, "lookup before", BPFMAPS_MAP_LOOKUP_ELEM, fd, key, out_buf(r, size), 0);
		note_out(r, "value before", size);
		pattern(value, size, i + 1);
		elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, 0);
	}
	note_contents(r, fd, s->key, size);
	make_key(r, key, s->key, 0);
	pattern(value, size, 1234);
	elem(r, "replace", BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, BPFMAPS_EXIST);
	elem(r, "take", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, out_buf(r, size), 0);
	note_out(r, "taken", size);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, key, NULL, 0);
	note_contents(r, fd, s->key, size);
	free(value);
	free(key);
}

/* Keys that differ in one byte only are different keys. */
static void near_keys(struct run *r, const void *arg)
{
	__u32 size = *(const __u32 *)arg, i;
	unsigned char *key = calloc(1, size);
	int fd = new_map(r, size, 4, 64, 0);

	for (i = 0; i < size && i < 30; i++) {
		key[i] = 1;
		elem(r, "from the front", BPFMAPS_MAP_UPDATE_ELEM, fd, key, &i, BPFMAPS_NOEXIST);
		key[i] = 0;
		key[size - 1 - i] = 0x80;
		elem(r, "from the end", BPFMAPS_MAP_UPDATE_ELEM, fd, key, &i, BPFMAPS_NOEXIST);
		key[size - 1 - i] = 0;
	}
	elem(r, "zero", BPFMAPS_MAP_LOOKUP_ELEM, fd, key, out_buf(r, 4), 0);
	note_out(r, "zero", 4);
	note_contents(r, fd, size, 4);
	free(key);
}

static void size_rows(const struct map_type *t)
{
	static const __u32 values[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511, 512, 513,
		1000, 2047, 2048, 4095, 4096, 4097, 5000, 8192, 65535, 65536, 70000, 131072
	};
	static const __u32 keys[] = { 1, 2, 3, 5, 7, 8, 13, 16, 31, 64, 255, 512, 513, 4097 };
	struct shape s = { .key = 4, .max = 3 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(values) && (!t->per_cpu || values[i] <= 32768); i++) {
		s.value = values[i];
		s.flags = 0;
		compare(t, SELF, sized, &s, "sizes/values of %u", s.value);
		s.flags = other_flags(t);
		if (s.flags)
			compare(t, SELF, sized, &s, "sizes/values of %u, flags %#x", s.value,
				s.flags);
	}
	s = (struct shape) { .value = 12, .max = 5 };
	for (i = 0; t->keyed && i < ARRAY_LEN(keys); i++) {
		s.key = keys[i];
		compare(t, SELF, sized, &s, "sizes/keys of %u", s.key);
		if (!t->per_cpu)
			compare(t, SELF, near_keys, &s.key, "sizes/near keys of %u", s.key);
	}
}

void elem_cases(const struct map_type *t)
{
	static const __u32 keys[] = {
		0, 2, 3, 4, 5, 8, 0xff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff
	};
	size_t i;

	flag_rows(t, 0);
	for (i = 0; i < ARRAY_LEN(keys); i++)
		compare(t, SELF, at_key, &keys[i], "keys/%#x", keys[i]);
	if (t != &hash_type && t != &array_type && !t->per_cpu)
		return;
	if (other_flags(t))
		flag_rows(t, other_flags(t));
	size_rows(t);
}

/* Full maps */

static int put(struct run *r, const char *label, int fd, const struct shape *s, __u32 index,
	       unsigned int seed, __u64 flags)
{
	unsigned char key[64], *value = r->value;

	make_key(r, key, s->key, index);
	pattern(value, user_size(r->type, s->value), seed);
	if (label)
		return elem(r, label, BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, flags);
	return elem_quiet(r, BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, flags);
}

static int take(struct run *r, const char *label, int fd, const struct shape *s, __u32 index)
{
	unsigned char key[64];

	make_key(r, key, s->key, index);
	if (label)
		return elem(r, label, BPFMAPS_MAP_DELETE_ELEM, fd, key, NULL, 0);
	return elem_quiet(r, BPFMAPS_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

static int full_map(struct run *r, const struct shape *s)
{
	int fd = new_map(r, s->key, s->value, s->max, s->flags);
	__u32 i;

	for (i = 0; i < s->max; i++)
		put(r, "fill", fd, s, i, i, BPFMAPS_ANY);
	return fd;
}

static void full_insert(struct run *r, const void *arg)
{
	const struct shape *s = arg;
	int fd = full_map(r, s);

	put(r, "one more", fd, s, s->max, 1, BPFMAPS_ANY);
	put(r, "one more that must not exist", fd, s, s->max, 1, BPFMAPS_NOEXIST);
	put(r, "one more that must exist", fd, s, s->max, 1, BPFMAPS_EXIST);
	note_contents(r, fd, s->key, user_size(r->type, s->value));
}

static void full_replace(struct run *r, const void *arg)
{
	const struct shape *s = arg;
	int fd = full_map(r, s);
	__u32 i;

	for (i = 0; i < 3 * s->max; i++) {
		put(r, "replace", fd, s, i % s->max, 100 + i, BPFMAPS_ANY);
		put(r, "replace an existing", fd, s, i % s->max, 200 + i, BPFMAPS_EXIST);
		put(r, "replace a missing", fd, s, i % s->max, 300 + i, BPFMAPS_NOEXIST);
	}
	put(r, "one more", fd, s, s->max, 1, BPFMAPS_ANY);
	note_contents(r, fd, s->key, user_size(r->type, s->value));
}

/* An element comes free with its delete, at once, for any key. */
static void full_churn(struct run *r, const void *arg)
{
	const struct shape *s = arg;
	int fd = full_map(r, s), failed = 0;
	__u32 i, low = 0;

	for (i = 0; i < 500; i++) {
		failed += take(r, NULL, fd, s, low) != 0;
		failed += put(r, NULL, fd, s, low + s->max, i, BPFMAPS_NOEXIST) != 0;
		failed += put(r, NULL, fd, s, low + 2 * s->max, i, BPFMAPS_ANY) == 0;
		low++;
	}
	note(r, "failed: %d", failed);
	note_contents(r, fd, s->key, user_size(r->type, s->value));
}

static void full_empty(struct run *r, const void *arg)
{
	const struct shape *s = arg;
	int fd = full_map(r, s), round;
	__u32 i;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < s->max; i++)
			take(r, "empty", fd, s, i);
		take(r, "once more", fd, s, 0);
		for (i = 0; i < s->max; i++)
			put(r, "fill again", fd, s, i, round, BPFMAPS_NOEXIST);
		put(r, "one more", fd, s, s->max, 1, BPFMAPS_ANY);
	}
	note_contents(r, fd, s->key, user_size(r->type, s->value));
}

void full_cases(const struct map_type *t)
{
	static const struct shape shapes[] = {
		{ 4, 8, 1, 0 }, { 4, 8, 2, 0 }, { 4, 8, 3, 0 }, { 4, 8, 64, 0 },
		{ 16, 64, 7, 0 }, { 7, 13, 33, 0 }, { 64, 500, 17, 0 }, { 4, 1, 100, 0 },
	};
	struct shape s;
	size_t i;
	int other;

	for (i = 0; i < ARRAY_LEN(shapes); i++) {
		for (other = 0; other < 2; other++) {
			s = shapes[i];
			if (!t->keyed)
				s.key = 4;
			if (other)
				s.flags = other_flags(t);
			compare(t, SELF, full_insert, &s, "full/insert, %u/%u of %u, flags %#x",
				s.key, s.value, s.max, s.flags);
			compare(t, SELF, full_replace, &s, "full/replace, %u/%u of %u, flags %#x",
				s.key, s.value, s.max, s.flags);
			compare(t, SELF, full_churn, &s, "full/churn, %u/%u of %u, flags %#x",
				s.key, s.value, s.max, s.flags);
			compare(t, SELF, full_empty, &s, "full/empty, %u/%u of %u, flags %#x",
				s.key, s.value, s.max, s.flags);
		}
	}
}
