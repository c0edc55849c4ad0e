// SPDX-License-Identifier: GPL-2.0-only
/* Ring buffers: sizes, the mapping, positions, and what ends up in the ring. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

/* So that there is a page before and behind each; with both positions 6 can be mapped. */
#define RING_SIZE	(2 * PAGE)
#define RING_PAGES	6

static int new_ring(struct run *r, __u32 size)
{
	return new_map(r, 0, 0, size, 0);
}

static int freeze(struct run *r, const char *label, int fd)
{
	struct bpfmaps_elem_attr a = { .map_fd = fd };

	return call(r, label, BPFMAPS_MAP_FREEZE, &a, sizeof(a.map_fd));
}

static void sized(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	struct bpfmaps_map_info info;
	int fd;

	a.max_entries = *(const __u32 *)arg;
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd >= 0) {
		note_ret(r, "info", get_info(r, fd, &info));
		note(r, "%u bytes, flags %#x", info.max_entries, info.map_flags);
	}
	drop_fd(r, fd);
	a.key_size = 4;
	call(r, "create with keys", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	a.key_size = 0;
	a.value_size = 8;
	call(r, "create with values", BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

struct part {
	int prot;
	int flags;
	size_t pages;
	size_t offset;
	__u32 open_flags;
	bool frozen;
};

static void change_part(struct run *r, unsigned char *p, size_t len)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC, PROT_WRITE, PROT_NONE, PROT_READ,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(prots); i++)
		note_ret(r, "mprotect", mprotect(p, len, prots[i]));
	/* The last one allows this, if nothing else did. */
	note_bytes(r, "bytes", p, len);
	note_ret(r, "grow", mremap(p, len, len + PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	note_ret(r, "copy", mremap(p, 0, len, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
}

static void whole(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr id = { 0 };
	const struct part *c = arg;
	int ring = new_ring(r, RING_SIZE), fd;
	size_t len = c->pages * PAGE;
	unsigned char *p;

	id.map_id = map_id(r, ring);
	id.open_flags = c->open_flags;
	fd = call(r, "open", BPFMAPS_MAP_GET_FD_BY_ID, &id, sizeof(id));
	if (c->frozen)
		freeze(r, "freeze", ring);
	p = mmap(NULL, len, c->prot, c->flags, fd, c->offset * PAGE);
	note_ret(r, "mmap", p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	change_part(r, p, len);
	if (!c->frozen)
		freeze(r, "freeze", ring);
	munmap(p, len);
	freeze(r, "freeze, not mapped", ring);
}

static void map_rows(const struct map_type *t)
{
	static const __u32 fds[] = { BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY };
	struct part c = { .flags = MAP_SHARED };
	size_t i;

	for (c.pages = 1; c.pages <= RING_PAGES + 1; c.pages++)
		for (c.offset = 0; c.offset <= RING_PAGES + 1; c.offset++)
			for (c.prot = 0; c.prot < 8; c.prot++)
				compare(t, 0, whole, &c, "ring/%zu pages at %zu, prot %d", c.pages,
					c.offset, c.prot);
	c.pages = 1;
	for (i = 0; i < 3 * 8 * RING_PAGES; i++) {
		c.prot = i % 8;
		c.offset = i / 8 % RING_PAGES;
		c.flags = MAP_SHARED;
		c.frozen = i / 8 / RING_PAGES == 2;
		c.open_flags = c.frozen ? 0 : fds[i / 8 / RING_PAGES];
		compare(t, 0, whole, &c, "ring/page at %zu, prot %d, %s", c.offset, c.prot,
			c.frozen ? "frozen" : c.open_flags == BPFMAPS_F_RDONLY ? "read-only" :
			"write-only");
	}
	c = (struct part) { .pages = 1 };
	for (i = 0; i < 8 * RING_PAGES; i++) {
		c.prot = i % 8;
		c.offset = i / 8;
		c.flags = MAP_PRIVATE;
		compare(t, 0, whole, &c, "ring/page at %zu, prot %d, private", c.offset, c.prot);
		c.flags = MAP_SHARED | MAP_POPULATE;
		compare(t, 0, whole, &c, "ring/page at %zu, prot %d, populated", c.offset, c.prot);
	}
}

/* What the program may write to, as one mapping, and everything to look at. */
struct windows {
	unsigned char *own;
	unsigned char *all;
	size_t own_len;
};

static bool open_windows(struct run *r, int fd, struct windows *w)
{
	bool user = r->type->number == BPFMAPS_TYPE_USER_RINGBUF;

	w->own_len = user ? (RING_PAGES - 1) * PAGE : PAGE;
	w->own = mmap(NULL, w->own_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, user ? PAGE : 0);
	w->all = mmap(NULL, RING_PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	note(r, "windows: %d, %d", w->own != MAP_FAILED, w->all != MAP_FAILED);
	return w->own != MAP_FAILED && w->all != MAP_FAILED;
}

static void close_windows(struct windows *w)
{
	munmap(w->own, w->own_len);
	munmap(w->all, RING_PAGES * PAGE);
}

/* What is written is seen in all places that show it: data twice. */
static void seen_twice(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE);
	struct windows w;
	size_t i;

	(void)arg;
	if (!open_windows(r, fd, &w))
		return;
	note_bytes(r, "at first", w.all, RING_PAGES * PAGE);
	for (i = 0; i < w.own_len; i += 512) {
		w.own[i + i / PAGE] = 1 + i / 512;
		note_bytes(r, "then", w.all, RING_PAGES * PAGE);
	}
	close_windows(&w);
	note_ret(r, "mapped again", open_windows(r, fd, &w) ? 0 : -1);
	note_bytes(r, "still", w.all, RING_PAGES * PAGE);
	close_windows(&w);
}

static void note_poll(struct run *r, int fd)
{
	struct epoll_event ev = { .events = 0x7fff };
	struct pollfd p = { .fd = fd, .events = 0x7fff };
	int set = epoll_create1(EPOLL_CLOEXEC), n;

	note(r, "poll: %d, events %#x", poll(&p, 1, 0), p.revents);
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
	ev.events = 0;
	n = epoll_wait(set, &ev, 1, 0);
	note(r, "epoll: %d, events %#x", n, n > 0 ? ev.events : 0);
	close(set);
}

/* The position that the program sets, at any value, is believed by poll. */
static void positioned(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE);
	struct windows w;

	if (!open_windows(r, fd, &w))
		return;
	note_poll(r, fd);
	memcpy(w.own, arg, sizeof(unsigned long));
	note_poll(r, fd);
	note_bytes(r, "positions", w.all, 8);
	note_bytes(r, "positions", w.all + PAGE, 8);
	close_windows(&w);
}

static void position_rows(const struct map_type *t)
{
	static const unsigned long at[] = {
		1, 7, 8, 9, PAGE - 8, PAGE, RING_SIZE - 8, RING_SIZE - 1, RING_SIZE, RING_SIZE + 1,
		RING_SIZE + 8, 2 * RING_SIZE, 1UL << 31, 1UL << 32, (1UL << 32) + 8, 1UL << 63,
		(1UL << 63) - 1, -RING_SIZE, -8UL, -1UL,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(at); i++)
		compare(t, SELF, positioned, &at[i], "ring/position %#lx", at[i]);
}

/* The mapping counts for freezing as long as a part of it could be written to. */
static void frozen_in_parts(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE);
	struct windows w;
	size_t at;

	(void)arg;
	if (!open_windows(r, fd, &w))
		return;
	freeze(r, "freeze, mapped", fd);
	note_ret(r, "mprotect", mprotect(w.own, w.own_len, PROT_READ));
	freeze(r, "freeze, read-only", fd);
	note_ret(r, "mprotect back", mprotect(w.own, w.own_len, PROT_READ | PROT_WRITE));
	for (at = 0; at < w.own_len; at += PAGE) {
		freeze(r, "freeze, partly mapped", fd);
		note_ret(r, "munmap", munmap(w.own + at, PAGE));
	}
	freeze(r, "freeze", fd);
	note_bytes(r, "bytes", w.all, RING_PAGES * PAGE);
	munmap(w.all, RING_PAGES * PAGE);
}

static void unmap_own(struct run *r, const void *arg)
{
	const struct windows *w = arg;

	w->own[0] = 77;
	note_ret(r, "munmap in the child", munmap(w->own, w->own_len));
}

static void forked(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE);
	struct windows w;

	(void)arg;
	if (!open_windows(r, fd, &w))
		return;
	in_child(r, "child", unmap_own, &w);
	freeze(r, "freeze, mapped", fd);
	note_bytes(r, "bytes", w.all, RING_PAGES * PAGE);
	close_windows(&w);
	freeze(r, "freeze", fd);
}

static void poke_all(struct run *r, const void *arg)
{
	(void)r;
	*(unsigned char *)arg = 1;
}

/* A write to each page through what may only be read ends the child. */
static void not_written(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE), i;
	struct windows w;

	(void)arg;
	if (!open_windows(r, fd, &w))
		return;
	for (i = 0; i < RING_PAGES; i++)
		in_child(r, "writer", poke_all, w.all + i * PAGE);
	note_bytes(r, "bytes", w.all, RING_PAGES * PAGE);
	close_windows(&w);
}

static void outlives(struct run *r, const void *arg)
{
	struct bpfmaps_id_attr a = { 0 };
	int fd = new_ring(r, RING_SIZE);
	struct windows w;

	(void)arg;
	a.map_id = map_id(r, fd);
	if (!open_windows(r, fd, &w))
		return;
	drop_fd(r, fd);
	memset(w.own, 9, 8);
	note_bytes(r, "bytes", w.all, RING_PAGES * PAGE);
	fd = call(r, "open", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	note_poll(r, fd);
	drop_fd(r, fd);
	close_windows(&w);
	call(r, "open, not mapped", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static void moved(struct run *r, const void *arg)
{
	int fd = new_ring(r, RING_SIZE);
	unsigned char *room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct windows w;

	(void)arg;
	if (!open_windows(r, fd, &w))
		return;
	w.own = mremap(w.own, w.own_len, w.own_len, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	note(r, "to its place: %d", w.own == room);
	memset(w.own, 5, 8);
	note_bytes(r, "bytes", w.all, RING_PAGES * PAGE);
	freeze(r, "freeze, mapped", fd);
	close_windows(&w);
	freeze(r, "freeze", fd);
}

void ring_cases(const struct map_type *t)
{
	static const __u32 sizes[] = {
		0, 1, 8, 4095, 4096, 4097, 6144, 8191, 8192, 12288, 16384, 20480, 65536, 65537,
		0x100000, 0x100001, 0x180000, 0x1000000, 0x7fffffff, 0x80000001, 0xfffff000,
		0xffffffff,
	};
	static const struct {
		const char *name;
		case_fn fn;
	} table[] = {
		{ "seen twice", seen_twice },
		{ "frozen in parts", frozen_in_parts },
		{ "forked", forked },
		{ "not written to", not_written },
		{ "outlives its descriptor", outlives },
		{ "moved", moved },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++)
		compare(t, 0, sized, &sizes[i], "ring/of %#x bytes", sizes[i]);
	for (i = 0; i < ARRAY_LEN(table); i++)
		compare(t, SELF, table[i].fn, NULL, "ring/%s", table[i].name);
	map_rows(t);
	position_rows(t);
}
