// SPDX-License-Identifier: GPL-2.0-only
/* Walking over the keys. The order of a hash table is its own, the rules are not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define WALK_MAX	300

static int next_key(struct run *r, int fd, const __u32 *key, __u32 *next)
{
	return elem_quiet(r, BPFMAPS_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

static __u32 first_key(struct run *r, int fd)
{
	__u32 first = ~0U;

	note_ret(r, "first", next_key(r, fd, NULL, &first));
	return first;
}

/* Returns how many keys there are, and notes whether each was there once and in range. */
static __u32 walk(struct run *r, int fd, __u32 range, __u32 *last)
{
	unsigned char seen[WALK_MAX] = "";
	__u32 key, nr = 0, twice = 0, foreign = 0;
	const __u32 *prev = NULL;

	while (nr < WALK_MAX && !next_key(r, fd, prev, &key)) {
		if (key < range)
			twice += seen[key]++ != 0;
		else
			foreign++;
		*last = key;
		prev = last;
		nr++;
	}
	note_ret(r, "end", -1);
	note(r, "keys %u, twice %u, foreign %u", nr, twice, foreign);
	return nr;
}

static int map_of(struct run *r, const void *arg, __u32 nr)
{
	__u32 max = *(const __u32 *)arg;
	int fd = map_of_max(r, max);

	fill(r, fd, nr < max ? nr : max);
	return fd;
}

static void empty(struct run *r, const void *arg)
{
	int fd = map_of(r, arg, 0);
	__u32 last = 0, key = 0;

	walk(r, fd, WALK_MAX, &last);
	elem(r, "of a key", BPFMAPS_MAP_GET_NEXT_KEY, fd, &key, out_buf(r, 4), 0);
	note_out(r, "next", 4);
	key = ~0U;
	elem(r, "of the largest key", BPFMAPS_MAP_GET_NEXT_KEY, fd, &key, out_buf(r, 4), 0);
	note_out(r, "next", 4);
}

static void each_once(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, last = 0, nr;
	int fd = map_of(r, arg, max);

	nr = walk(r, fd, max, &last);
	note(r, "all of them: %d", nr == max);
	elem(r, "of the last", BPFMAPS_MAP_GET_NEXT_KEY, fd, &last, out_buf(r, 4), 0);
	note_out(r, "next", 4);
	walk(r, fd, max, &last);
}

static void absent_key(struct run *r, const void *arg)
{
	static const __u32 keys[] = { 1000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	int fd = map_of(r, arg, WALK_MAX);
	__u32 first = first_key(r, fd), next;
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		next = 12345;
		note_ret(r, "of an absent key", next_key(r, fd, &keys[i], &next));
		note(r, "is the first: %d", next == first);
	}
}

static void half_full(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, last = 0;
	int fd = map_of(r, arg, max / 2);

	walk(r, fd, max, &last);
}

/* Deletes each key as it is met, after its successor is known. */
static void delete_behind(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, key, next, nr = 0, last = 0;
	int fd = map_of(r, arg, max), more = !next_key(r, fd, NULL, &key);

	while (more && nr < WALK_MAX) {
		more = !next_key(r, fd, &key, &next);
		elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
		key = next;
		nr++;
	}
	note(r, "met %u", nr);
	walk(r, fd, max, &last);
}

/* Deletes the key and then asks for its successor: the walk starts again. */
static void delete_first(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, key = 0, next, nr = 0, restarts = 0, last = 0;
	int fd = map_of(r, arg, max);

	while (nr < WALK_MAX && !next_key(r, fd, nr ? &key : NULL, &next)) {
		restarts += nr && next == first_key(r, fd);
		elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &next, NULL, 0);
		key = next;
		nr++;
	}
	note(r, "met %u, from the start %u", nr, restarts);
	walk(r, fd, max, &last);
}

/* Replacing values does not disturb a walk; of a hash table bpf(2) does not promise it. */
static void update_during(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, key, nr = 0;
	int fd = map_of(r, arg, max);
	const __u32 *prev = NULL;

	while (nr < WALK_MAX && !next_key(r, fd, prev, &key)) {
		elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, std_value(r, 5),
		     BPFMAPS_EXIST);
		prev = &key;
		nr++;
	}
	note(r, "met %u", nr);
	note_std(r, fd);
}

/* Reading from and writing to the same place. */
static void in_place(struct run *r, const void *arg)
{
	__u32 max = *(const __u32 *)arg, key = ~0U, nr = 0;
	int fd = map_of(r, arg, max);

	while (nr < max && !next_key(r, fd, &key, &key))
		nr++;
	note(r, "met %u", nr);
	note_ret(r, "end", next_key(r, fd, &key, &key));
}

static void odd_key_sizes(struct run *r, const void *arg)
{
	static const __u32 sizes[] = { 1, 3, 5, 9, 40, 600 };
	unsigned char key[600];
	size_t i;
	size_t size = std_size(r->type);
	int j, fd;

	(void)arg;
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		fd = new_map(r, sizes[i], r->type->value, 16, 0);
		for (j = 0; j < 10; j++) {
			memset(key, j, sizeof(key));
			elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, key, std_value(r, j), 0);
		}
		elem(r, "first", BPFMAPS_MAP_GET_NEXT_KEY, fd, NULL, out_buf(r, sizes[i]), 0);
		memset(r->out + GUARD, 0, sizes[i]);
		note_out(r, "guards only", sizes[i]);
		note_contents(r, fd, sizes[i], size);
	}
}

void iterate_cases(const struct map_type *t)
{
	static const struct {
		const char *name;
		case_fn fn;
	} walks[] = {
		{ "empty", empty },
		{ "absent key", absent_key },
		{ "each key once", each_once },
		{ "half full", half_full },
		{ "delete behind", delete_behind },
		{ "delete first", delete_first },
		{ "update during", update_during },
		{ "in place", in_place },
	};
	static const __u32 sizes[] = { 1, 2, 5, 64, 200 };
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(walks); i++) {
		if (t->keyed && walks[i].fn == update_during)
			continue;
		/* In what holds maps each update takes its time. */
		for (j = 0; j < (t->holds ? 4 : ARRAY_LEN(sizes)); j++)
			compare(t, SELF, walks[i].fn, &sizes[j], "iterate/%s, %u entries",
				walks[i].name, sizes[j]);
	}
	if (t->keyed)
		compare(t, SELF, odd_key_sizes, NULL, "iterate/odd key sizes");
}
