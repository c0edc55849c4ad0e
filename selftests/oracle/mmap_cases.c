// SPDX-License-Identifier: GPL-2.0-only
/* Mapping the values of an array: what is refused, and how a mapping and the map agree. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "oracle.h"

/* 3 pages of 8 byte values, and a map whose last page is only begun. */
#define WHOLE_MAX	1536
#define BROKEN_MAX	1030

static void *map_at(struct run *r, const char *label, int fd, size_t len, int prot, int flags,
		    off_t offset)
{
	void *p = mmap(NULL, len, prot, flags, fd, offset);

	note_ret(r, label, p == MAP_FAILED ? -1 : 0);
	return p;
}

static int mmapable(struct run *r, __u32 max, __u32 flags)
{
	int fd = new_map(r, 4, 8, max, BPFMAPS_F_MMAPABLE | flags);

	if (!(flags & BPFMAPS_F_RDONLY))
		fill(r, fd, 8);
	return fd;
}

/* The values of keys at the borders of pages; all of them would take long. */
static void note_borders(struct run *r, int fd, __u32 max)
{
	const __u32 keys[] = { 0, 1, 511, 512, 1023, 1024, 1029, 1030, 1535 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys) && keys[i] < max; i++)
		lookup_noted(r, "at a border", fd, keys[i], 8);
}

struct mmap_case {
	__u32 max;
	__u32 map_flags;
	int prot;
	int flags;
	size_t len;
	off_t offset;
};

static void mapped(struct run *r, const void *arg)
{
	const struct mmap_case *c = arg;
	struct bpfmaps_create_attr a = std_attr(r);
	unsigned char *p;
	int fd;

	a.max_entries = c->max;
	a.map_flags |= c->map_flags;
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd < 0)
		return;
	p = map_at(r, "mmap", fd, c->len, c->prot, c->flags, c->offset);
	if (p == MAP_FAILED)
		return;
	if (c->prot & PROT_READ)
		note_bytes(r, "bytes", p, c->len);
	if ((c->prot & PROT_WRITE) && (c->prot & PROT_READ))
		memset(p, 0x5a, c->len);
	note_ret(r, "munmap", munmap(p, c->len));
	note_borders(r, fd, c->max);
}

static void prot_rows(const struct map_type *t)
{
	static const struct {
		const char *name;
		int flags;
	} ways[] = {
		{ "shared", MAP_SHARED },
		{ "private", MAP_PRIVATE },
		{ "validated", MAP_SHARED_VALIDATE },
		{ "of no kind", 0 },
		{ "populated", MAP_SHARED | MAP_POPULATE },
		{ "locked", MAP_SHARED | MAP_LOCKED },
		{ "synchronous", MAP_SHARED_VALIDATE | MAP_SYNC },
		{ "huge", MAP_SHARED | MAP_HUGETLB },
	};
	static const __u32 fds[] = {
		BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY, BPFMAPS_F_RDONLY_PROG, BPFMAPS_F_WRONLY_PROG, 0
	};
	struct mmap_case c = { .max = 512, .len = PAGE };
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(ways); i++) {
		c.flags = ways[i].flags;
		for (j = 0; j < ARRAY_LEN(fds); j++) {
			c.map_flags = fds[j] | BPFMAPS_F_MMAPABLE;
			for (c.prot = 0; c.prot < 8; c.prot++)
				compare(t, 0, mapped, &c, "mmap/%s, prot %d, map flags %#x",
					ways[i].name, c.prot, c.map_flags);
		}
	}
}

static void extent_rows(const struct map_type *t)
{
	static const struct {
		size_t len;
		off_t offset;
	} extents[] = {
		{ 0, 0 }, { 1, 0 }, { 4095, 0 }, { 4097, 0 }, { 3 * PAGE, 0 }, { 3 * PAGE + 1, 0 },
		{ 4 * PAGE, 0 }, { 100 * PAGE, 0 }, { PAGE, PAGE }, { PAGE, 2 * PAGE },
		{ 2 * PAGE, PAGE }, { 2 * PAGE, 2 * PAGE }, { PAGE, 3 * PAGE }, { PAGE, 4 * PAGE },
		{ PAGE, 1 }, { PAGE, 100 },
		{ PAGE, -PAGE }, { 2 * PAGE, -PAGE }, { 4 * PAGE, -PAGE },
		{ PAGE, 0x100000000L }, { PAGE, 0x7ffffffff000L }, { PAGE, 0x7ffffffffffff000L },
		{ 2 * PAGE, 0x7ffffffffffff000L }, { 1UL << 40, 0 }, { ~0UL - PAGE, 0 },
	};
	static const __u32 sizes[] = { WHOLE_MAX, BROKEN_MAX, 1 };
	struct mmap_case c = {
		.map_flags = BPFMAPS_F_MMAPABLE,
		.prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(extents); i++) {
		for (j = 0; j < ARRAY_LEN(sizes); j++) {
			c.max = sizes[j];
			c.len = extents[i].len;
			c.offset = extents[i].offset;
			compare(t, 0, mapped, &c, "mmap/%#zx bytes at %#llx of %u entries", c.len,
				(unsigned long long)c.offset, c.max);
		}
	}
}

static void not_mmapable(const struct map_type *t)
{
	struct mmap_case c = { .max = 512, .len = PAGE };

	for (c.prot = 0; c.prot < 4; c.prot++) {
		c.flags = MAP_SHARED;
		compare(t, 0, mapped, &c, "mmap/not mmapable, prot %d", c.prot);
		c.flags = MAP_PRIVATE;
		compare(t, 0, mapped, &c, "mmap/not mmapable, private, prot %d", c.prot);
	}
}

void mmap_cases(const struct map_type *t)
{
	if (!t->ring)
		not_mmapable(t);
	if (t != &array_type)
		return;
	prot_rows(t);
	extent_rows(t);
}

/* A mapping in use */

static void both_ways(struct run *r, const void *arg)
{
	__u32 value_size = *(const __u32 *)arg, stride = (value_size + 7) / 8 * 8, key;
	int fd = new_map(r, 4, value_size, 64, BPFMAPS_F_MMAPABLE);
	size_t len = (stride * 64 + PAGE - 1) / PAGE * PAGE;
	unsigned char *p, value[600];

	p = map_at(r, "mmap", fd, len, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	for (key = 0; p != MAP_FAILED && key < 64; key++) {
		memset(value, key + 1, sizeof(value));
		elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, value, 0);
		note_bytes(r, "seen in the mapping", p + stride * key, stride);
		memset(p + stride * key, 0xf0 ^ key, stride);
		elem(r, "lookup", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, out_buf(r, value_size), 0);
		note_out(r, "seen by lookup", value_size);
		elem(r, "update again", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, value, 0);
		note_bytes(r, "padding", p + stride * key, stride);
	}
	note_bytes(r, "all", p, len);
	munmap(p, len);
}

static void two_mappings(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	char *q = map_at(r, "mmap", fd, PAGE, PROT_READ, MAP_SHARED, 2 * PAGE);

	(void)arg;
	memset(p + 2 * PAGE, 7, 100);
	note_bytes(r, "seen in the other", q, 128);
	munmap(p, 3 * PAGE);
	note_bytes(r, "still there", q, 128);
	munmap(q, PAGE);
}

/* The mapping outlives the descriptor, and keeps the map. */
static void outlives(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	struct bpfmaps_id_attr a = { .map_id = map_id(r, fd) };
	char *p = map_at(r, "mmap", fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	(void)arg;
	drop_fd(r, fd);
	memset(p, 3, 8);
	fd = call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	lookup_noted(r, "lookup", fd, 0, 8);
	drop_fd(r, fd);
	munmap(p, PAGE);
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static void poke(struct run *r, const void *arg)
{
	char *p = *(char * const *)arg;

	note_bytes(r, "seen by the child", p, 64);
	p[0] = 42;
}

static void forked(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	(void)arg;
	in_child(r, "child", poke, &p);
	lookup_noted(r, "lookup", fd, 0, 8);
	munmap(p, PAGE);
}

/* A child that touches what it must not is killed. */
static void access_rules(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, PAGE, PROT_READ, MAP_SHARED, 0);

	(void)arg;
	in_child(r, "write to a read-only mapping", poke, &p);
	munmap(p, PAGE);
	in_child(r, "write to no mapping", poke, &p);
	lookup_noted(r, "lookup", fd, 0, 8);
}

static void partly_unmapped(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	char *q = p + PAGE;

	(void)arg;
	memset(p, 1, 3 * PAGE);
	note_ret(r, "munmap", munmap(q, PAGE));
	in_child(r, "in the hole", poke, &q);
	note_bytes(r, "before the hole", p, PAGE);
	note_bytes(r, "behind the hole", p + 2 * PAGE, PAGE);
	munmap(p, PAGE);
	munmap(p + 2 * PAGE, PAGE);
	note_borders(r, fd, WHOLE_MAX);
}

static void remapped(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0), *q;
	char *room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	q = mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	note_ret(r, "grow", q == MAP_FAILED ? -1 : 0);
	q = mremap(p, 2 * PAGE, 8 * PAGE, 0);
	note_ret(r, "grow in place", q == MAP_FAILED ? -1 : 0);
	q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	note_ret(r, "copy", q == MAP_FAILED ? -1 : 0);
	if (q != MAP_FAILED)
		munmap(q, PAGE);
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	note_ret(r, "move and keep", q == MAP_FAILED ? -1 : 0);
	if (q != MAP_FAILED)
		munmap(q, 2 * PAGE);
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE);
	note_ret(r, "move", q == MAP_FAILED ? -1 : 0);
	memset(q, 9, 2 * PAGE);
	p = mremap(q, 2 * PAGE, PAGE, 0);
	note_ret(r, "shrink", p == MAP_FAILED ? -1 : 0);
	note_bytes(r, "bytes", p, PAGE);
	munmap(room, 8 * PAGE);
	note_borders(r, fd, WHOLE_MAX);
}

static const int advice[] = {
	MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_REMOVE,
	MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP, MADV_COLD, MADV_PAGEOUT,
	MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_MERGEABLE, MADV_HUGEPAGE, MADV_WIPEONFORK,
};

static void touch(struct run *r, const void *arg)
{
	const char *p = *(char * const *)arg;

	(void)r;
	if (p[0] != 4 || p[PAGE] != 4)
		_exit(1);
}

static void advised(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	memset(p, 4, 3 * PAGE);
	note_ret(r, "madvise", madvise(p, PAGE, *(const int *)arg));
	in_child(r, "touch", touch, &p);
	munmap(p, 3 * PAGE);
	note_borders(r, fd, WHOLE_MAX);
}

static void synced(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	(void)arg;
	memset(p, 4, 3 * PAGE);
	note_ret(r, "msync", msync(p, 3 * PAGE, MS_SYNC));
	note_ret(r, "mlock", mlock(p, PAGE));
	note_ret(r, "munlock", munlock(p, PAGE));
	munmap(p, 3 * PAGE);
	note_borders(r, fd, WHOLE_MAX);
}

static void protected(struct run *r, const void *arg)
{
	static const int prots[] = {
		PROT_EXEC, PROT_READ | PROT_EXEC, PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
		PROT_WRITE,
	};
	int fd = mmapable(r, WHOLE_MAX, 0), from = *(const int *)arg;
	char *p = map_at(r, "mmap", fd, PAGE, from, MAP_SHARED, 0);
	size_t i;

	for (i = 0; p != MAP_FAILED && i < ARRAY_LEN(prots); i++)
		note_ret(r, "mprotect", mprotect(p, PAGE, prots[i]));
	munmap(p, PAGE);
}

/* The kernel writing to and reading from the mapping on a caller's behalf. */
static void as_buffer(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	int zero = keep_fd(r, open("/dev/zero", O_RDWR | O_CLOEXEC));
	char *p = map_at(r, "mmap", fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	int pipes[2];
	__u32 key = 5;

	(void)arg;
	memset(p, 6, 2 * PAGE);
	note_ret(r, "read into it", read(zero, p, 100));
	note_bytes(r, "bytes", p, 128);
	if (!pipe2(pipes, O_CLOEXEC)) {
		note_ret(r, "write from it", write(pipes[1], p + PAGE - 50, 100));
		note_ret(r, "read", read(pipes[0], p + 200, 100));
		close(pipes[0]);
		close(pipes[1]);
	}
	/* The value's own place as the source and as the target. */
	elem(r, "update from itself", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, p + 8 * key, 0);
	elem(r, "lookup into itself", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, p + 8 * key, 0);
	elem(r, "lookup into another", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, p + 100, 0);
	memset(p + 300, 0, 4);
	elem(r, "key in the map", BPFMAPS_MAP_UPDATE_ELEM, fd, p + 300, p + PAGE, 0);
	note_bytes(r, "bytes", p, 2 * PAGE);
	munmap(p, 2 * PAGE);
}

/* How the mapping is shown, but for its address, file number and device. */
static void in_maps(struct run *r, const void *arg)
{
	int fd = mmapable(r, WHOLE_MAX, 0);
	char *p = map_at(r, "mmap", fd, 2 * PAGE, *(const int *)arg, MAP_SHARED, PAGE);
	unsigned long start, end;
	char line[512], perms[8], name[128];
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %127[^\n]", &start, &end, perms,
			   name) == 4 && start == (unsigned long)p)
			note(r, "%s %s, %lu bytes", perms, name, end - start);
	}
	if (f)
		fclose(f);
	munmap(p, 2 * PAGE);
}

void mapping_cases(const struct map_type *t)
{
	static const __u32 sizes[] = { 1, 3, 8, 12, 64, 100, 520 };
	static const int prots[] = { PROT_NONE, PROT_WRITE, PROT_READ, PROT_READ | PROT_WRITE };
	static const struct {
		const char *name;
		case_fn fn;
	} table[] = {
		{ "access", access_rules },
		{ "two", two_mappings },
		{ "outlives its descriptor", outlives },
		{ "forked", forked },
		{ "partly unmapped", partly_unmapped },
		{ "mremap", remapped },
		{ "synced and locked", synced },
		{ "as a buffer", as_buffer },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++)
		compare(t, SELF, table[i].fn, NULL, "mapping/%s", table[i].name);
	for (i = 0; i < ARRAY_LEN(advice); i++)
		compare(t, 0, advised, &advice[i], "mapping/madvise %d", advice[i]);
	for (i = 0; i < ARRAY_LEN(prots); i++) {
		compare(t, 0, protected, &prots[i], "mapping/mprotect from %d", prots[i]);
		compare(t, 0, in_maps, &prots[i], "mapping/shown, prot %d", prots[i]);
	}
	for (i = 0; i < ARRAY_LEN(sizes); i++)
		compare(t, SELF, both_ways, &sizes[i], "mapping/both ways, values of %u", sizes[i]);
}
