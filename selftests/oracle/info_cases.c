// SPDX-License-Identifier: GPL-2.0-only
/* Ids, and what a map tells of itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

#define INFO_SIZE	sizeof(struct bpfmaps_map_info)

static int next_id(struct run *r, __u32 start, __u32 *next)
{
	struct bpfmaps_id_attr a = { .start_id = start };
	int ret = quiet(r, BPFMAPS_MAP_GET_NEXT_ID, &a, sizeof(a));

	*next = a.next_id;
	return ret;
}

static void next_id_of(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { .start_id = *(const __u32 *)arg, .next_id = 0x5a5a5a5a };

	std_map(r, 0);
	call(r, "next id", BPFMAPS_MAP_GET_NEXT_ID, &a, sizeof(a));
}

/* Ids come in ascending order; the maps of this case are the newest, one after the other. */
static void id_order(struct run *r, const void *arg)
{
	__u32 ids[5], id = 0, next, nr = 0, ascending = 0;
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = map_id(r, std_map(r, 0));
	for (i = 1; i < ARRAY_LEN(ids); i++)
		ascending += ids[i] > ids[i - 1];
	note(r, "ascending %u", ascending);
	while (!next_id(r, id, &next)) {
		if (next <= id)
			note(r, "from %u back to %u", id, next);
		nr += next >= ids[0];
		id = next;
	}
	note_ret(r, "past the end", -1);
	note(r, "last is the newest: %d, seen %u", id == ids[4], nr);
	for (i = 0; i < 4; i++) {
		note_ret(r, "next", next_id(r, ids[i], &next));
		note(r, "is the next: %d", next == ids[i + 1]);
		note_ret(r, "next of the one before", next_id(r, ids[i + 1] - 1, &next));
		note(r, "is it: %d", next == ids[i + 1]);
	}
}

/* An id is free as soon as the last descriptor is closed. */
static void id_gone(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { 0 };
	int fd = std_map(r, 0), copy = keep_fd(r, dup(fd));
	__u32 next;

	(void)arg;
	a.map_id = map_id(r, fd);
	drop_fd(r, fd);
	note_ret(r, "next id, one descriptor left", next_id(r, a.map_id - 1, &next));
	drop_fd(r, copy);
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	note_ret(r, "next id", next_id(r, a.map_id - 1, &next));
}

static void fd_by_id(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { .map_id = *(const __u32 *)arg };

	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static void open_flags(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { .open_flags = *(const __u32 *)arg };

	a.map_id = map_id(r, std_map(r, 0));
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	a.map_id = ~0U;
	call(r, "of no map", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

/* The same map through either descriptor. */
static void same_map(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), other;
	struct bpfmaps_id_attr a = { .map_id = map_id(r, fd) };

	(void)arg;
	other = call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	note(r, "same id: %d", map_id(r, other) == a.map_id);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, other, std_key(r, STD_PRESENT),
	     std_value(r, 77), 0);
	drop_fd(r, fd);
	note_std(r, other);
}

/* A stranger, with a map of root's. */
static void foreign_ids(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { .map_id = *(const __u32 *)arg };
	__u32 next;

	become_nobody();
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	a.map_id = 0x70000000;
	call(r, "of no map", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	a.open_flags = 1;
	call(r, "with wrong flags", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	note_ret(r, "next id", next_id(r, 0, &next));
	note_ret(r, "next id of a large one", next_id(r, 0x70000000, &next));
	note_ret(r, "next id out of range", next_id(r, 0xffffffff, &next));
}

static void strangers_ids(struct run *r, const void *arg)
{
	__u32 id = map_id(r, std_map(r, 0));

	(void)arg;
	in_child(r, "nobody", foreign_ids, &id);
}

static void own_ids(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr c = std_attr(r);
	struct bpfmaps_id_attr a = { 0 };
	__u32 next = 0;
	int fd;

	(void)arg;
	become_nobody();
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &c, sizeof(c));
	a.map_id = map_id(r, fd);
	note_ret(r, "next id", next_id(r, 0, &next));
	note(r, "own: %d", next == a.map_id);
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static void owners_ids(struct run *r, const void *arg)
{
	std_map(r, 0);
	in_child(r, "nobody", own_ids, arg);
}

void id_cases(const struct map_type *t)
{
	static const __u32 starts[] = {
		0xffffffff, 0x80000000, 0x7fffffff, 0x7ffffffe, 0x7ffffffd, 0x70000000,
	};
	static const __u32 ids[] = { 0, 0xffffffff, 0x80000000, 0x7fffffff, 0x70000000 };
	__u32 flags;
	size_t i;

	for (i = 0; i < ARRAY_LEN(starts); i++)
		compare(t, 0, next_id_of, &starts[i], "ids/next of %#x", starts[i]);
	for (i = 0; i < ARRAY_LEN(ids); i++)
		compare(t, 0, fd_by_id, &ids[i], "ids/descriptor of %#x", ids[i]);
	for (i = 0; i < 32; i++) {
		flags = 1U << i;
		compare(t, 0, open_flags, &flags, "ids/open flag %#x", flags);
	}
	flags = BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY;
	compare(t, 0, open_flags, &flags, "ids/open flags %#x", flags);
	compare(t, 0, id_order, NULL, "ids/order");
	compare(t, 0, id_gone, NULL, "ids/gone");
	compare(t, SELF, same_map, NULL, "ids/same map");
	compare(t, 0, strangers_ids, NULL, "ids/of a stranger");
	compare(t, 0, owners_ids, NULL, "ids/of an owner");
}

/* Info */

struct info_case {
	const char *label;
	__u32 len;
	int dirty;		/* byte of the buffer set before, if not negative */
	unsigned long where;	/* an address; 0 for one that is good */
};

#define AT_NULL	1UL

/* Two pages to use, then one that is not accessible. */
static unsigned char *info_area(void)
{
	unsigned char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + 2 * PAGE, PAGE, PROT_NONE))
		abort();
	return p;
}

/* An id in the first bytes would differ; it is noted as set or not. */
static void note_info(struct run *r, unsigned char *p, __u32 id)
{
	__u32 seen;

	memcpy(&seen, p + 4, sizeof(seen));
	if (seen == id)
		memset(p + 4, 0x11, sizeof(seen));
	note_bytes(r, "info", p, INFO_SIZE);
	note_bytes(r, "area", p + INFO_SIZE, 2 * PAGE - INFO_SIZE);
}

static int named_map(struct run *r, __u32 flags)
{
	struct bpfmaps_create_attr a = std_attr(r);

	if (!r->type->holds && !r->type->ring)
		a.value_size = 9;
	a.map_flags |= flags;
	memcpy(a.map_name, "a_name.of_15_xx", sizeof(a.map_name));
	return call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static void info_of(struct run *r, const void *arg)
{
	const struct info_case *c = arg;
	int fd = named_map(r, 0);
	__u32 id = map_id(r, fd);
	unsigned char *p = info_area();
	struct bpfmaps_info_attr a = {
		.bpf_fd = fd,
		.info_len = c->len,
		.info = c->where ? c->where : (unsigned long)p,
	};

	if (c->where == AT_NULL)
		a.info = 0;
	if (c->dirty >= 0)
		p[c->dirty] = 0x80;
	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	note_info(r, p, id);
	munmap(p, 3 * PAGE);
}

/* Up to the end of what is mapped, and beyond it by @arg bytes. */
static void info_at_end(struct run *r, const void *arg)
{
	__u32 beyond = *(const __u32 *)arg;
	unsigned char *p = info_area();
	struct bpfmaps_info_attr a = {
		.bpf_fd = named_map(r, 0),
		.info_len = INFO_SIZE,
		.info = (unsigned long)p + 2 * PAGE - INFO_SIZE + beyond,
	};

	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	munmap(p, 3 * PAGE);
}

/* A tail that is zero as far as it can be read. */
static void info_tail_at_end(struct run *r, const void *arg)
{
	unsigned char *p = info_area();
	struct bpfmaps_info_attr a = {
		.bpf_fd = named_map(r, 0),
		.info_len = INFO_SIZE + *(const __u32 *)arg,
		.info = (unsigned long)p + 2 * PAGE - INFO_SIZE,
	};

	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	munmap(p, 3 * PAGE);
}

static void info_read_only(struct run *r, const void *arg)
{
	unsigned char *p = info_area();
	struct bpfmaps_info_attr a = {
		.bpf_fd = named_map(r, 0),
		.info_len = *(const __u32 *)arg,
		.info = (unsigned long)p,
	};

	mprotect(p, PAGE, PROT_READ);
	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	munmap(p, 3 * PAGE);
}

/* Every kind of descriptor and state may be asked. */
static void info_states(struct run *r, const void *arg)
{
	__u32 flags = *(const __u32 *)arg;
	int fd = named_map(r, flags), i;
	struct bpfmaps_elem_attr freeze = { .map_fd = fd };
	struct bpfmaps_map_info info;

	for (i = 0; fd >= 0 && i < 2; i++) {
		note_ret(r, "info", get_info(r, fd, &info));
		info.id = 0;
		note_bytes(r, "info", &info, sizeof(info));
		quiet(r, BPFMAPS_MAP_FREEZE, &freeze, sizeof(freeze));
	}
}

static void info_odd(struct run *r, const void *arg)
{
	int fd = named_map(r, 0);
	__u32 id = map_id(r, fd);
	unsigned char *p = info_area();
	struct bpfmaps_info_attr a = {
		.bpf_fd = fd,
		.info_len = INFO_SIZE,
		.info = (unsigned long)p + 1,
	};

	(void)arg;
	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
	note_info(r, p + 1, id);
	munmap(p, 3 * PAGE);
}

static const struct info_case info_table[] = {
	{ "NULL", INFO_SIZE, -1, AT_NULL },
	{ "NULL, of 0 bytes", 0, -1, AT_NULL },
	{ "NULL, long", 4096, -1, AT_NULL },
	{ "at 2", INFO_SIZE, -1, 2 },
	{ "unmapped", INFO_SIZE, -1, 0x1000 },
	{ "unmapped, of 0 bytes", 0, -1, 0x1000 },
	{ "unmapped, too long", 4097, -1, 0x1000 },
	{ "unmapped, long", 4096, -1, 0x1000 },
	{ "in the kernel", INFO_SIZE, -1, 0xffff888000000000UL },
	{ "in the kernel, of 0 bytes", 0, -1, 0xffff888000000000UL },
	{ "at the top", INFO_SIZE, -1, ~0UL - 8 },
	{ "dirty tail, first byte", INFO_SIZE + 1, INFO_SIZE, 0 },
	{ "dirty tail, last byte", INFO_SIZE + 100, INFO_SIZE + 99, 0 },
	{ "dirty tail of 4096", 4096, 4095, 0 },
	{ "dirty tail of 4097", 4097, 4096, 0 },
	{ "too long", 4097, -1, 0 },
	{ "of 8192", 8192, -1, 0 },
	{ "of 0x7fffffff", 0x7fffffff, -1, 0 },
	{ "of 0x80000000", 0x80000000, -1, 0 },
	{ "of 0xffffffff", 0xffffffff, -1, 0 },
	{ "dirty behind a short one", 40, 50, 0 },
	{ "dirty within", INFO_SIZE, 30, 0 },
	{ "dirty just behind", INFO_SIZE, INFO_SIZE, 0 },
	{ "clean tail of 1", INFO_SIZE + 1, -1, 0 },
	{ "clean tail of 8", INFO_SIZE + 8, -1, 0 },
	{ "clean tail up to 4095", 4095, -1, 0 },
	{ "clean tail up to 4096", 4096, -1, 0 },
};

static void info_len_cases(const struct map_type *t)
{
	static const __u32 beyond[] = { 0, 1, 4, 40, INFO_SIZE - 1, INFO_SIZE };
	static const __u32 lens[] = { 0, 1, INFO_SIZE, 4096 };
	struct info_case c = { .dirty = -1 };
	size_t i;

	for (c.len = 0; c.len < INFO_SIZE; c.len += 4)
		compare(t, SELF, info_of, &c, "info/length %u", c.len);
	for (c.len = 1; c.len < INFO_SIZE; c.len += 9)
		compare(t, SELF, info_of, &c, "info/odd length %u", c.len);
	for (i = 0; i < ARRAY_LEN(beyond); i++) {
		compare(t, SELF, info_at_end, &beyond[i], "info/%u bytes not mapped", beyond[i]);
		compare(t, SELF, info_tail_at_end, &beyond[i], "info/tail of %u not mapped",
			beyond[i]);
	}
	for (i = 0; i < ARRAY_LEN(lens); i++)
		compare(t, SELF, info_read_only, &lens[i], "info/read-only, %u bytes", lens[i]);
}

void info_cases(const struct map_type *t)
{
	static const __u32 flags[] = {
		0, BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY, BPFMAPS_F_RDONLY_PROG,
		BPFMAPS_F_WRONLY_PROG, BPFMAPS_F_NUMA_NODE, BPFMAPS_F_NO_PREALLOC,
		BPFMAPS_F_ZERO_SEED, BPFMAPS_F_MMAPABLE, BPFMAPS_F_INNER_MAP,
		BPFMAPS_F_RDONLY | BPFMAPS_F_RDONLY_PROG,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(info_table); i++)
		compare(t, SELF, info_of, &info_table[i], "info/%s", info_table[i].label);
	info_len_cases(t);
	compare(t, SELF, info_odd, NULL, "info/odd address");
	for (i = 0; i < ARRAY_LEN(flags); i++)
		compare(t, SELF, info_states, &flags[i], "info/map of flags %#x", flags[i]);
}
