// SPDX-License-Identifier: GPL-2.0-only
/* The batch commands: counts, flags, pointers, descriptors. Walks are in the random sequences. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

/* Elements that there is room for. */
#define ROOM		8
#define BATCH_FILLER	0x5a

enum wrong_pointer { ALL_GOOD, NO_KEYS, NO_VALUES, NO_OUT, NO_IN, NR_WRONG };

static const char * const wrong_names[] = {
	[ALL_GOOD] = "good",
	[NO_KEYS] = "keys",
	[NO_VALUES] = "values",
	[NO_OUT] = "out_batch",
	[NO_IN] = "in_batch",
};

enum batch_fd { FD_MAP, FD_NONE, FD_OTHER, FD_RDONLY, FD_WRONLY, FD_FROZEN, NR_FD };

static const char * const fd_names[] = {
	[FD_MAP] = "map",
	[FD_NONE] = "no descriptor",
	[FD_OTHER] = "no map",
	[FD_RDONLY] = "read-only map",
	[FD_WRONLY] = "write-only map",
	[FD_FROZEN] = "frozen map",
};

static const struct {
	unsigned int cmd;
	const char *name;
} commands[] = {
	{ BPFMAPS_MAP_LOOKUP_BATCH, "lookup" },
	{ BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, "take" },
	{ BPFMAPS_MAP_UPDATE_BATCH, "update" },
	{ BPFMAPS_MAP_DELETE_BATCH, "delete" },
};

struct batch_case {
	unsigned int cmd;
	__u32 count;
	__u64 flags;
	__u64 elem_flags;
	enum wrong_pointer wrong;
	void *where;
	enum batch_fd fd;
	__u32 first;		/* of the keys that go in */
};

struct room {
	unsigned char keys[ROOM * STD_KEY];
	unsigned char values[ROOM * STD_BYTES];
	unsigned char out[STD_KEY];
};

static bool reads(const struct batch_case *c)
{
	return c->cmd == BPFMAPS_MAP_LOOKUP_BATCH || c->cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH;
}

static int open_map(struct run *r, enum batch_fd which, int map)
{
	struct bpfmaps_id_attr a = { .map_id = map_id(r, map) };
	struct bpfmaps_elem_attr freeze = { .map_fd = map };

	switch (which) {
	case FD_NONE:
		return 1000;
	case FD_OTHER:
		return 0;
	case FD_RDONLY:
	case FD_WRONLY:
		a.open_flags = which == FD_RDONLY ? BPFMAPS_F_RDONLY : BPFMAPS_F_WRONLY;
		return quiet(r, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	case FD_FROZEN:
		quiet(r, BPFMAPS_MAP_FREEZE, &freeze, sizeof(freeze));
		return map;
	default:
		return map;
	}
}

/* Keys and values that go in, one after the other. */
static void fill_room(struct run *r, const struct batch_case *c, struct room *room)
{
	size_t key = r->type->key, value = std_size(r->type);
	__u32 i;

	memset(room, BATCH_FILLER, sizeof(*room));
	for (i = 0; !reads(c) && i < ROOM; i++) {
		if (key)
			memcpy(room->keys + i * key, std_key(r, c->first + i), key);
		memcpy(room->values + i * value, std_value(r, 40 + i), value);
	}
}

static size_t sort_key, sort_value;
static const struct room *sort_room;

static int cmp_places(const void *a, const void *b)
{
	return memcmp(sort_room->keys + *(const __u32 *)a * sort_key,
		      sort_room->keys + *(const __u32 *)b * sort_key, sort_key);
}

/* What came out; hash tables have an order of their own. */
static void note_room(struct run *r, const struct room *room, __u32 nr)
{
	__u32 places[ROOM], i;

	sort_key = r->type->key;
	sort_value = std_size(r->type);
	sort_room = room;
	for (i = 0; i < ROOM; i++)
		places[i] = i;
	if (!has_order(r))
		qsort(places, nr, sizeof(*places), cmp_places);
	for (i = 0; i < ROOM; i++) {
		note_bytes(r, "key", room->keys + places[i] * sort_key, sort_key);
		note_bytes(r, "value", room->values + places[i] * sort_value, sort_value);
	}
	if (has_order(r))
		note_bytes(r, "out_batch", room->out, sizeof(room->out));
}

static struct room *the_room(void)
{
	static struct room room;

	return &room;
}

static void set_pointers(const struct batch_case *c, struct room *room,
			 struct bpfmaps_batch_attr *a)
{
	a->keys = (unsigned long)(c->wrong == NO_KEYS ? c->where : room->keys);
	a->values = (unsigned long)(c->wrong == NO_VALUES ? c->where : room->values);
	a->out_batch = (unsigned long)(c->wrong == NO_OUT ? c->where : room->out);
	a->in_batch = (unsigned long)(c->wrong == NO_IN ? c->where : NULL);
}

static void batched(struct run *r, const void *arg)
{
	const struct batch_case *c = arg;
	struct bpfmaps_batch_attr a = {
		.count = c->count, .flags = c->flags, .elem_flags = c->elem_flags,
	};
	struct room *room = the_room();
	int map = std_map(r, 0), ret;

	fill_room(r, c, room);
	set_pointers(c, room, &a);
	a.map_fd = open_map(r, c->fd, map);
	ret = call(r, "call", c->cmd, &a, sizeof(a));
	if (ret && errno == EFAULT && c->cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH) {
		note_kept(r, map, std_size(r->type));
		return;
	}
	if (reads(c) && (!ret || errno == ENOENT))
		note_room(r, room, a.count < ROOM ? a.count : ROOM);
	note_std(r, map);
}

static void count_row(const struct map_type *t, struct batch_case c, const char *name)
{
	static const __u32 counts[] = { 0, 1, 2, 3, 4, 8 };
	static const __u32 firsts[] = { 0, 1, 3, 4, 77, 0xfffffffe };
	bool whole_only = reads(&c) && t->keyed && !t->ordered;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		/* How much of a hash table comes at a time is up to its buckets. */
		if (whole_only && counts[i] && counts[i] < STD_FILLED)
			continue;
		c.count = counts[i];
		for (j = 0; j < (reads(&c) ? 1 : ARRAY_LEN(firsts)); j++) {
			c.first = firsts[j];
			compare(t, SELF, batched, &c, "batch/%s %u from %u", name, c.count,
				c.first);
		}
	}
}

static void flag_rows(const struct map_type *t, struct batch_case c, const char *name)
{
	static const __u64 flags[] = { 1, 2, 3, 4, 5, 8, 16, 1ULL << 31, 1ULL << 32, 1ULL << 63 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		c.elem_flags = 0;
		c.flags = flags[i];
		compare(t, SELF, batched, &c, "batch/%s, flags %#llx", name,
			(unsigned long long)c.flags);
		c.elem_flags = flags[i];
		c.flags = 0;
		compare(t, SELF, batched, &c, "batch/%s, elem_flags %#llx", name,
			(unsigned long long)c.elem_flags);
	}
}

static void pointer_row(const struct map_type *t, struct batch_case c, const char *name)
{
	static void * const places[] = {
		NULL, (void *)1, UNMAPPED, (void *)0xffff888000000000UL, (void *)~0UL,
	};
	size_t i;

	for (c.wrong = NO_KEYS; c.wrong < NR_WRONG; c.wrong++) {
		for (i = 0; i < ARRAY_LEN(places); i++) {
			c.where = places[i];
			compare(t, SELF, batched, &c, "batch/%s, %s at %p", name,
				wrong_names[c.wrong], c.where);
		}
	}
}

static void fd_row(const struct map_type *t, struct batch_case c, const char *name)
{
	for (c.fd = FD_NONE; c.fd < NR_FD; c.fd++) {
		c.count = 3;
		c.flags = 0;
		compare(t, 0, batched, &c, "batch/%s, %s", name, fd_names[c.fd]);
		c.count = 0;
		compare(t, 0, batched, &c, "batch/%s nothing, %s", name, fd_names[c.fd]);
		c.flags = 8;
		compare(t, 0, batched, &c, "batch/%s nothing with flags, %s", name,
			fd_names[c.fd]);
	}
}

void batch_cases(const struct map_type *t)
{
	struct batch_case c = { .count = 4 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(commands); i++) {
		c.cmd = commands[i].cmd;
		count_row(t, c, commands[i].name);
		flag_rows(t, c, commands[i].name);
		pointer_row(t, c, commands[i].name);
		fd_row(t, c, commands[i].name);
	}
}
