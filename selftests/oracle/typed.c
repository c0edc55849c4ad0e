// SPDX-License-Identifier: GPL-2.0-only
/* The types, and the standard map of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

/* More than are taken out of any map that has no keys. */
#define TAKE_MAX	2000

/* So large that two values have the same bits only by a miracle. */
#define BLOOM_MAX	1000

const struct map_type map_types[NR_TYPES] = {
	{
		.name = "hash", .number = BPFMAPS_TYPE_HASH, .key = 4,
		.value = STD_VALUE, .max = STD_MAX, .keyed = true, .minimum = 3400,
	}, {
		.name = "array", .number = BPFMAPS_TYPE_ARRAY, .key = 4,
		.value = STD_VALUE, .max = STD_MAX, .ordered = true, .minimum = 3850,
	}, {
		.name = "percpu_hash", .number = BPFMAPS_TYPE_PERCPU_HASH, .key = 4,
		.value = STD_VALUE, .max = STD_MAX, .keyed = true, .per_cpu = true,
		.minimum = 2350,
	}, {
		.name = "percpu_array", .number = BPFMAPS_TYPE_PERCPU_ARRAY, .key = 4,
		.value = STD_VALUE, .max = STD_MAX, .per_cpu = true, .ordered = true,
		.minimum = 2150,
	}, {
		.name = "lpm_trie", .number = BPFMAPS_TYPE_LPM_TRIE, .key = 8,
		.value = STD_VALUE, .max = STD_MAX, .flags = BPFMAPS_F_NO_PREALLOC,
		.keyed = true, .ordered = true, .minimum = 2100,
	}, {
		.name = "queue", .number = BPFMAPS_TYPE_QUEUE, .value = STD_VALUE,
		.max = STD_MAX, .minimum = 2050,
	}, {
		.name = "stack", .number = BPFMAPS_TYPE_STACK, .value = STD_VALUE,
		.max = STD_MAX, .minimum = 2050,
	}, {
		.name = "bloom_filter", .number = BPFMAPS_TYPE_BLOOM_FILTER,
		.value = STD_VALUE, .max = BLOOM_MAX, .asks = true, .minimum = 2050,
	}, {
		.name = "array_of_maps", .number = BPFMAPS_TYPE_ARRAY_OF_MAPS, .key = 4, .value = 4,
		.max = STD_MAX, .holds = true, .ordered = true, .minimum = 2200,
	}, {
		.name = "hash_of_maps", .number = BPFMAPS_TYPE_HASH_OF_MAPS, .key = 4, .value = 4,
		.max = STD_MAX, .keyed = true, .holds = true, .minimum = 2200,
	}, {
		.name = "ringbuf", .number = BPFMAPS_TYPE_RINGBUF, .max = PAGE, .ring = true,
		.minimum = 2800,
	}, {
		.name = "user_ringbuf", .number = BPFMAPS_TYPE_USER_RINGBUF, .max = PAGE,
		.ring = true, .minimum = 2800,
	},
};

static unsigned int possible_cpus(void)
{
	static unsigned int nr;
	unsigned int first = 0, last = 0;
	FILE *f;

	if (nr)
		return nr;
	f = fopen("/sys/devices/system/cpu/possible", "re");
	if (!f || fscanf(f, "%u-%u", &first, &last) < 1)
		abort();
	fclose(f);
	nr = (last > first ? last : first) + 1;
	return nr;
}

/* Bytes of a value as user space has it. */
size_t user_size(const struct map_type *t, size_t value_size)
{
	if (!t->per_cpu)
		return value_size;
	return (value_size + 7) / 8 * 8 * possible_cpus();
}

size_t std_size(const struct map_type *t)
{
	return user_size(t, t->value);
}

/* Of the flags that have to do with the type, whether it takes @flags. */
bool takes_flags(const struct map_type *t, __u32 flags)
{
	__u32 strange = BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_ZERO_SEED | BPFMAPS_F_MMAPABLE |
			BPFMAPS_F_INNER_MAP;

	switch (t->number) {
	case BPFMAPS_TYPE_HASH:
	case BPFMAPS_TYPE_PERCPU_HASH:
	case BPFMAPS_TYPE_HASH_OF_MAPS:
		strange &= ~(BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_ZERO_SEED);
		break;
	case BPFMAPS_TYPE_ARRAY:
		strange &= ~(BPFMAPS_F_MMAPABLE | BPFMAPS_F_INNER_MAP);
		break;
	case BPFMAPS_TYPE_BLOOM_FILTER:
		strange &= ~BPFMAPS_F_ZERO_SEED;
		break;
	case BPFMAPS_TYPE_LPM_TRIE:
		strange &= ~BPFMAPS_F_NO_PREALLOC;
		break;
	}
	if (t->per_cpu)
		strange |= BPFMAPS_F_NUMA_NODE;
	if (t->ring || t->number == BPFMAPS_TYPE_ARRAY_OF_MAPS)
		strange |= BPFMAPS_F_RDONLY_PROG | BPFMAPS_F_WRONLY_PROG;
	return !(flags & strange);
}

/* The flag that changes most about a type, or none. */
__u32 other_flags(const struct map_type *t)
{
	if (t->number == BPFMAPS_TYPE_ARRAY)
		return BPFMAPS_F_MMAPABLE;
	return t->keyed ? BPFMAPS_F_NO_PREALLOC : 0;
}

bool has_order(const struct run *r)
{
	return r->type->ordered;
}

/* The maps that go into others, and the one that they are like. */
void make_inner(struct run *r)
{
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 2,
	};
	int i;

	if (!r->type->holds || r->template)
		return;
	r->template = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	for (i = 0; i < NR_INNER; i++) {
		r->inner[i] = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
		r->inner_ids[i] = map_id(r, r->inner[i]);
	}
	a.value_size = 7;
	r->inner[INNER_OTHER] = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	r->inner[INNER_NULL] = 0;
	r->inner[INNER_NONE] = -1;
}

/* An id that came out of a map of maps becomes the number of the map, the same in each run. */
void name_inner(const struct run *r, void *ids, __u32 nr)
{
	unsigned char *p = ids;
	__u32 id, i, j;

	for (i = 0; i < nr; i++, p += sizeof(id)) {
		memcpy(&id, p, sizeof(id));
		for (j = 0; j < NR_INNER && r->inner_ids[j] != id; j++)
			;
		id = 0x10de0000 + j;
		if (j < NR_INNER)
			memcpy(p, &id, sizeof(id));
	}
}

struct bpfmaps_create_attr std_attr(struct run *r)
{
	make_inner(r);
	return (struct bpfmaps_create_attr) {
		.map_type = r->type->number,
		.key_size = r->type->key,
		.value_size = r->type->value,
		.max_entries = r->type->max,
		.map_flags = r->type->flags,
		.inner_map_fd = r->template,
	};
}

/* A key stays as it is until 16 others were asked for; NULL if the type has none. */
void *std_key(struct run *r, __u32 index)
{
	unsigned char *key = r->keys[r->nr_keys++ % ARRAY_LEN(r->keys)];
	const __u32 whole = 32;

	if (!r->type->key)
		return NULL;
	if (r->type->number != BPFMAPS_TYPE_LPM_TRIE) {
		memcpy(key, &index, sizeof(index));
		return key;
	}
	memcpy(key, &whole, sizeof(whole));
	memcpy(key + 4, &index, sizeof(index));
	return key;
}

/* On each CPU another one; of maps of maps a descriptor. */
void *std_value(struct run *r, __u32 index)
{
	unsigned long long value = 0x1122334455667700ULL + index;
	size_t i;

	if (r->type->holds) {
		make_inner(r);
		memcpy(r->value, &r->inner[index % NR_INNER], sizeof(int));
		return r->value;
	}
	for (i = 0; i < std_size(r->type); i += sizeof(value)) {
		memcpy(r->value + i, &value, sizeof(value));
		value += 0x0100000000000000ULL;
	}
	return r->value;
}

/* Where a look-up of @index writes to, or reads from. */
void *std_out(struct run *r, __u32 index)
{
	void *out = out_buf(r, std_size(r->type));

	if (r->type->asks)
		memcpy(out, std_value(r, index), STD_VALUE);
	return out;
}

void note_std_out(struct run *r, const char *label)
{
	note_out(r, label, std_size(r->type));
}

void std_lookup(struct run *r, const char *label, int fd, __u32 index)
{
	elem(r, label, BPFMAPS_MAP_LOOKUP_ELEM, fd, std_key(r, index), std_out(r, index), 0);
	note_std_out(r, label);
}

/* Sets the keys 0 to @nr - 1. */
void fill(struct run *r, int fd, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr; i++) {
		if (elem_quiet(r, BPFMAPS_MAP_UPDATE_ELEM, fd, std_key(r, i), std_value(r, i), 0))
			note(r, "key %u not set: %s", i, errno_name(errno));
	}
}

/* Empty, for others than the standard number of elements. */
int map_of_max(struct run *r, __u32 max)
{
	struct bpfmaps_create_attr a = std_attr(r);
	int fd;

	a.max_entries = max;
	fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd < 0)
		note(r, "no map of %u entries: %s", max, errno_name(errno));
	return fd;
}

int std_map(struct run *r, __u32 flags)
{
	struct bpfmaps_create_attr a = std_attr(r);
	int fd;

	a.map_flags |= flags;
	fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd < 0)
		note(r, "no map with flags %#x: %s", flags, errno_name(errno));
	fill(r, fd, STD_FILLED);
	return fd;
}

/*
 * A key that has a successor in a map of at least two: the first one. Which one that is differs
 * from hash table to hash table.
 */
void *followed_key(struct run *r, int fd)
{
	void *key = std_key(r, 0);

	if (key && elem_quiet(r, BPFMAPS_MAP_GET_NEXT_KEY, fd, NULL, key, 0))
		note(r, "no first key: %s", errno_name(errno));
	return key;
}

/* What has no keys is emptied to see what was in it. */
static void note_taken(struct run *r, int fd)
{
	int i, ret = 0;

	std_lookup(r, "contents: next", fd, 0);
	for (i = 0; !ret && i < TAKE_MAX; i++) {
		ret = elem(r, "contents: taken", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL,
			   std_out(r, 0), 0);
		note_std_out(r, "contents: value");
	}
}

/*
 * After a standard map was asked for an element that could not be copied out: whether all three
 * are still there.
 */
void note_kept(struct run *r, int fd, size_t value_size)
{
	unsigned int nr = 0;
	__u32 i;

	for (i = 0; i < STD_FILLED; i++) {
		nr += !elem_quiet(r, r->type->key ? BPFMAPS_MAP_LOOKUP_ELEM :
				  BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, std_key(r, i),
				  out_buf(r, value_size), 0);
	}
	note(r, "kept: %d", nr == STD_FILLED);
}

/* What a standard map holds. */
void note_std(struct run *r, int fd)
{
	__u32 i;

	if (r->type->key) {
		note_contents(r, fd, r->type->key, std_size(r->type));
	} else if (r->type->asks) {
		for (i = 0; i < 2 * STD_MAX; i++)
			std_lookup(r, "contents: asked", fd, i);
	} else {
		note_taken(r, fd);
	}
}
