// SPDX-License-Identifier: GPL-2.0-only
/* Maps in maps: which map goes into which, by which descriptor, and what becomes of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

struct inner_shape {
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
};

static const struct inner_shape shapes[] = {
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 5, 0 },
	{ BPFMAPS_TYPE_ARRAY, 4, 7, 4, 0 },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 4, BPFMAPS_F_INNER_MAP },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 5, BPFMAPS_F_INNER_MAP },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 4, BPFMAPS_F_MMAPABLE },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 4, BPFMAPS_F_RDONLY_PROG },
	{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, 5, 0 },
	{ BPFMAPS_TYPE_HASH, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_HASH, 4, 8, 100, 0 },
	{ BPFMAPS_TYPE_HASH, 5, 8, 4, 0 },
	{ BPFMAPS_TYPE_HASH, 4, 8, 4, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_HASH, 4, 8, 4, BPFMAPS_F_ZERO_SEED },
	{ BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_LRU_HASH, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_LRU_HASH, 4, 8, 4, BPFMAPS_F_NO_COMMON_LRU },
	{ BPFMAPS_TYPE_LRU_PERCPU_HASH, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_LPM_TRIE, 8, 8, 4, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_QUEUE, 0, 8, 4, 0 },
	{ BPFMAPS_TYPE_STACK, 0, 8, 9, 0 },
	{ BPFMAPS_TYPE_BLOOM_FILTER, 0, 8, 100, 0 },
	{ BPFMAPS_TYPE_RINGBUF, 0, 0, PAGE, 0 },
	{ BPFMAPS_TYPE_RINGBUF, 0, 0, 4 * PAGE, 0 },
	{ BPFMAPS_TYPE_USER_RINGBUF, 0, 0, PAGE, 0 },
};

static int new_shape(struct run *r, const struct inner_shape *s)
{
	struct bpfmaps_create_attr a = {
		.map_type = s->type,
		.key_size = s->key,
		.value_size = s->value,
		.max_entries = s->max,
		.map_flags = s->flags,
	};
	int fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));

	if (fd < 0)
		note(r, "no inner map of type %u: %s", s->type, errno_name(errno));
	return fd;
}

static int new_outer(struct run *r, const char *label, int template)
{
	struct bpfmaps_create_attr a = std_attr(r);

	a.inner_map_fd = template;
	return call(r, label, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static void put(struct run *r, const char *label, int outer, __u32 index, int inner)
{
	elem(r, label, BPFMAPS_MAP_UPDATE_ELEM, outer, std_key(r, index), &inner, 0);
}

/* Whether the map under @index is that of a descriptor. */
static void note_held(struct run *r, const char *label, int outer, __u32 index, int inner)
{
	__u32 id = 0;

	if (elem_quiet(r, BPFMAPS_MAP_LOOKUP_ELEM, outer, std_key(r, index), &id, 0))
		note(r, "%s: %s", label, errno_name(errno));
	else
		note(r, "%s: this one %d", label, id == map_id(r, inner));
}

struct pair {
	const struct inner_shape *template;
	const struct inner_shape *inner;
};

static void paired(struct run *r, const void *arg)
{
	const struct pair *p = arg;
	int template = new_shape(r, p->template), inner = new_shape(r, p->inner);
	int outer = new_outer(r, "create", template);

	put(r, "put", outer, 1, inner);
	note_held(r, "held", outer, 1, inner);
	/* What is known of the template stays known. */
	drop_fd(r, template);
	put(r, "put behind the template's end", outer, 2, inner);
	note_held(r, "held", outer, 2, inner);
	put(r, "put into its place", outer, 2, inner);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, outer, std_key(r, 2), NULL, 0);
	note_held(r, "held", outer, 2, inner);
}

/* A descriptor that is not simply one of a map that fits. */
struct strange {
	const char *name;
	int (*open)(struct run *r);
};

static int by_id(struct run *r, __u32 flags)
{
	struct bpfmaps_id_attr a = { .open_flags = flags };

	make_inner(r);
	a.map_id = r->inner_ids[1];
	return quiet(r, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static int open_read_only(struct run *r)
{
	return by_id(r, BPFMAPS_F_RDONLY);
}

static int open_write_only(struct run *r)
{
	return by_id(r, BPFMAPS_F_WRONLY);
}

static int open_again(struct run *r)
{
	return by_id(r, 0);
}

static int minus_one(struct run *r)
{
	(void)r;
	return -1;
}

static int not_open(struct run *r)
{
	(void)r;
	return 1000;
}

static int null_device(struct run *r)
{
	return keep_fd(r, open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int path_only(struct run *r)
{
	return keep_fd(r, open("/", O_PATH | O_CLOEXEC));
}

static int map_of_maps(struct run *r)
{
	return std_map(r, 0);
}

static int just_closed(struct run *r)
{
	int fd = open_again(r);

	drop_fd(r, fd);
	return fd;
}

static int foreign_map(struct run *r)
{
	const struct backend *own = r->be;
	int fd;

	r->be = own == &bpf_backend ? &dev_backend : &bpf_backend;
	fd = new_shape(r, &shapes[0]);
	r->be = own;
	return fd;
}

static int frozen(struct run *r)
{
	struct bpfmaps_elem_attr a = { .map_fd = open_again(r) };

	call(r, "freeze", BPFMAPS_MAP_FREEZE, &a, sizeof(a));
	return a.map_fd;
}

static const struct strange stranges[] = {
	{ "open again", open_again },
	{ "frozen", frozen },
	{ "-1", minus_one },
	{ "1000", not_open },
	{ "just closed", just_closed },
	{ "/dev/null", null_device },
	{ "a path", path_only },
	{ "a map of maps", map_of_maps },
	{ "a map of the other kind", foreign_map },
	/* With these two nothing goes in here: what comes out is not asked. */
	{ "a read-only one", open_read_only },
	{ "a write-only one", open_write_only },
};

static bool is_narrow(const struct strange *s)
{
	return s->open == open_read_only || s->open == open_write_only;
}

static void strange_template(struct run *r, const void *arg)
{
	const struct strange *s = arg;
	int outer = new_outer(r, "create", s->open(r));

	make_inner(r);
	if (outer >= 0)
		put(r, "put", outer, 1, r->inner[0]);
}

static void strange_inner(struct run *r, const void *arg)
{
	const struct strange *s = arg;
	int outer = std_map(r, 0);

	put(r, "put", outer, 1, s->open(r));
	if (!is_narrow(s))
		note_std(r, outer);
}

static void strange_inner_batch(struct run *r, const void *arg)
{
	const struct strange *s = arg;
	__u32 keys[] = { 0, 1, 2 };
	int values[3], outer = std_map(r, 0);
	struct bpfmaps_batch_attr a = {
		.map_fd = outer, .count = 3, .keys = (unsigned long)keys,
		.values = (unsigned long)values,
	};

	values[0] = r->inner[3];
	values[1] = s->open(r);
	values[2] = r->inner[3];
	call(r, "put", BPFMAPS_MAP_UPDATE_BATCH, &a, sizeof(a));
	note_std(r, outer);
}

/* Held by nothing but the place it is in, the map is as it was, and can be opened. */
static void kept_by_place(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { 0 };
	int outer = std_map(r, 0);
	__u32 key = 1;
	__u64 value = 4711;

	(void)arg;
	a.map_id = r->inner_ids[1];
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, r->inner[1], &key, &value, 0);
	drop_fd(r, r->inner[1]);
	note_std(r, outer);
	r->inner[1] = call(r, "open", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	elem(r, "lookup", BPFMAPS_MAP_LOOKUP_ELEM, r->inner[1], &key, out_buf(r, 8), 0);
	note_out(r, "value", 8);
	drop_fd(r, r->inner[1]);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, outer, std_key(r, 1), NULL, 0);
	call(r, "open", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static void replaced(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { 0 };
	int outer = std_map(r, 0);

	(void)arg;
	a.map_id = r->inner_ids[0];
	drop_fd(r, r->inner[0]);
	put(r, "replace", outer, 0, r->inner[2]);
	note_std(r, outer);
	call(r, "open", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

/* Values are descriptors of the caller, whatever numbers they have. */
static void put_by_child(struct run *r, const void *arg)
{
	int outer = *(const int *)arg, other = dup2(r->inner[3], 300);

	put(r, "put in the child", outer, 3, other);
	close(other);
}

static void another_process(struct run *r, const void *arg)
{
	int outer = std_map(r, 0);

	(void)arg;
	in_child(r, "child", put_by_child, &outer);
	put(r, "put", outer, 2, 300);
	note_std(r, outer);
}

static void put_as_nobody(struct run *r, const void *arg)
{
	become_nobody();
	put(r, "put", *(const int *)arg, 3, r->inner[3]);
	put(r, "replace", *(const int *)arg, 0, r->inner[3]);
}

static void unprivileged(struct run *r, const void *arg)
{
	int outer = std_map(r, 0);

	(void)arg;
	in_child(r, "nobody", put_as_nobody, &outer);
	note_std(r, outer);
}

/* Each with all others of its type, and with one of another. */
static bool is_tried(size_t template, size_t inner)
{
	return shapes[template].type == shapes[inner].type ||
	       inner == (template * 7 + 3) % ARRAY_LEN(shapes);
}

void holding_cases(const struct map_type *t)
{
	struct pair p;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(shapes); i++) {
		for (j = 0; j < ARRAY_LEN(shapes); j++) {
			if (!is_tried(i, j))
				continue;
			p = (struct pair) { &shapes[i], &shapes[j] };
			compare(t, i == j ? SELF : 0, paired, &p,
				"holding/template %zu of type %u, map %zu of type %u", i,
				shapes[i].type, j, shapes[j].type);
		}
	}
	for (i = 0; i < ARRAY_LEN(stranges); i++) {
		compare(t, 0, strange_template, &stranges[i], "holding/template %s",
			stranges[i].name);
		compare(t, SELF, strange_inner, &stranges[i], "holding/map %s", stranges[i].name);
		if (!is_narrow(&stranges[i]))
			compare(t, SELF, strange_inner_batch, &stranges[i],
				"holding/map in a batch %s", stranges[i].name);
	}
	compare(t, SELF, kept_by_place, NULL, "holding/kept by its place");
	compare(t, SELF, replaced, NULL, "holding/replaced");
	compare(t, SELF, another_process, NULL, "holding/another process");
	compare(t, SELF, unprivileged, NULL, "holding/unprivileged");
}
