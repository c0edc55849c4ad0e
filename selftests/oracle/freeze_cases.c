// SPDX-License-Identifier: GPL-2.0-only
/* Freezing, and what a descriptor that is read-only or write-only may do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

static int freeze(struct run *r, const char *label, int fd)
{
	struct bpfmaps_elem_attr a = { .map_fd = fd };

	return call(r, label, BPFMAPS_MAP_FREEZE, &a, sizeof(a));
}

static int open_id(struct run *r, const char *label, int fd, __u32 flags)
{
	struct bpfmaps_id_attr a = { .map_id = map_id(r, fd), .open_flags = flags };

	return call(r, label, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

/* Each element command once, and what the map holds then as seen through @all. */
static void try_all(struct run *r, int fd, int all)
{
	void *first = followed_key(r, all), *key = std_key(r, STD_PRESENT);
	void *absent = std_key(r, STD_ABSENT), *value;

	std_lookup(r, "lookup", fd, STD_PRESENT);
	std_lookup(r, "lookup absent", fd, STD_ABSENT);
	elem(r, "take absent", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, absent,
	     std_out(r, STD_ABSENT), 0);
	value = std_value(r, 11);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, 0);
	elem(r, "update absent", BPFMAPS_MAP_UPDATE_ELEM, fd, absent, value, 0);
	elem(r, "update with wrong flags", BPFMAPS_MAP_UPDATE_ELEM, fd, key, value, 32);
	elem(r, "update from nowhere", BPFMAPS_MAP_UPDATE_ELEM, fd, key, NULL, 0);
	elem(r, "next key", BPFMAPS_MAP_GET_NEXT_KEY, fd, first, out_buf(r, 8), 0);
	elem(r, "first key", BPFMAPS_MAP_GET_NEXT_KEY, fd, NULL, out_buf(r, 8), 0);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, key, NULL, 0);
	elem(r, "delete absent", BPFMAPS_MAP_DELETE_ELEM, fd, absent, NULL, 0);
	elem(r, "take", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, std_out(r, STD_PRESENT), 0);
	note_std_out(r, "taken");
	note_std(r, all);
}

static void freeze_twice(struct run *r, const void *arg)
{
	int fd = std_map(r, *(const __u32 *)arg);

	freeze(r, "freeze", fd);
	freeze(r, "freeze again", fd);
	try_all(r, fd, fd);
}

static void freeze_seen(struct run *r, const void *arg)
{
	int fd = std_map(r, *(const __u32 *)arg), second;

	second = open_id(r, "second descriptor", fd, 0);
	freeze(r, "freeze", second);
	freeze(r, "freeze through the first", fd);
	try_all(r, fd, fd);
}

static void freeze_read_only(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	freeze(r, "freeze", open_id(r, "read-only", fd, BPFMAPS_F_RDONLY));
}

static void freeze_write_only(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), wo = open_id(r, "write-only", fd, BPFMAPS_F_WRONLY);

	(void)arg;
	freeze(r, "freeze", wo);
	try_all(r, wo, fd);
}

static void freeze_as_nobody(struct run *r, const void *arg)
{
	become_nobody();
	freeze(r, "freeze", *(const int *)arg);
}

static void freeze_unprivileged(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	in_child(r, "nobody", freeze_as_nobody, &fd);
}

static void *map_it(struct run *r, const char *label, int fd, int prot, size_t len)
{
	void *p = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

	note_ret(r, label, p == MAP_FAILED ? -1 : 0);
	return p;
}

static int mmapable(struct run *r)
{
	return new_map(r, 4, 8, 1024, BPFMAPS_F_MMAPABLE);
}

static void freeze_mapped(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, 2 * PAGE);

	(void)arg;
	freeze(r, "freeze, mapped", fd);
	note_ret(r, "munmap", munmap(p, PAGE));
	freeze(r, "freeze, half mapped", fd);
	note_ret(r, "munmap", munmap(p + PAGE, PAGE));
	freeze(r, "freeze", fd);
	freeze(r, "freeze again", fd);
}

static void freeze_write_mapped(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_WRITE, PAGE);

	(void)arg;
	freeze(r, "freeze, mapped", fd);
	note_ret(r, "munmap", munmap(p, PAGE));
	freeze(r, "freeze", fd);
}

static void freeze_protected(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, PAGE);

	(void)arg;
	note_ret(r, "mprotect", mprotect(p, PAGE, PROT_READ));
	freeze(r, "freeze, read-only mapped", fd);
	note_ret(r, "mprotect none", mprotect(p, PAGE, PROT_NONE));
	freeze(r, "freeze, inaccessible", fd);
	note_ret(r, "mprotect back", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	note_ret(r, "munmap", munmap(p, PAGE));
	freeze(r, "freeze", fd);
}

/* What was writable counts until it is unmapped, as a whole or in parts. */
static void unmapped_protected(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, 2 * PAGE);

	(void)arg;
	note_ret(r, "mprotect", mprotect(p, 2 * PAGE, PROT_READ));
	note_ret(r, "munmap of half", munmap(p, PAGE));
	freeze(r, "freeze, half mapped", fd);
	note_ret(r, "munmap", munmap(p + PAGE, PAGE));
	freeze(r, "freeze", fd);
	freeze(r, "freeze again", fd);
}

/* Three mappings out of one, of which the middle one cannot be written to. */
static void freeze_split(struct run *r, const void *arg)
{
	int fd = new_map(r, 4, 8, 1536, BPFMAPS_F_MMAPABLE);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, 3 * PAGE);

	(void)arg;
	note_ret(r, "mprotect", mprotect(p + PAGE, PAGE, PROT_READ));
	note_ret(r, "munmap of the first", munmap(p, PAGE));
	note_ret(r, "munmap of the last", munmap(p + 2 * PAGE, PAGE));
	freeze(r, "freeze, the middle mapped", fd);
	note_ret(r, "munmap of the middle", munmap(p + PAGE, PAGE));
	freeze(r, "freeze", fd);
}

static void do_nothing(struct run *r, const void *arg)
{
	(void)r;
	(void)arg;
}

static void fork_protected(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, PAGE);

	note_ret(r, "mprotect", mprotect(p, PAGE, PROT_READ));
	in_child(r, "child", do_nothing, arg);
	freeze(r, "freeze, mapped", fd);
	note_ret(r, "mprotect back", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	in_child(r, "child", do_nothing, arg);
	note_ret(r, "munmap", munmap(p, PAGE));
	freeze(r, "freeze", fd);
}

static void freeze_reading(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ, PAGE);

	(void)arg;
	freeze(r, "freeze, mapped to read", fd);
	note_ret(r, "mprotect to write", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	note_bytes(r, "bytes", p, 64);
	note_ret(r, "munmap", munmap(p, PAGE));
}

static void frozen_mapping(struct run *r, const void *arg)
{
	static const int prots[] = {
		PROT_NONE, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_EXEC,
	};
	int fd = mmapable(r);
	size_t i;
	char *p;

	(void)arg;
	freeze(r, "freeze", fd);
	for (i = 0; i < ARRAY_LEN(prots); i++) {
		p = map_it(r, "mmap", fd, prots[i], PAGE);
		if (p == MAP_FAILED)
			continue;
		note_ret(r, "mprotect to write", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		note_ret(r, "mprotect to read", mprotect(p, PAGE, PROT_READ));
		note_ret(r, "munmap", munmap(p, PAGE));
	}
}

static void hold_mapping(struct run *r, const void *arg)
{
	(void)r;
	munmap(*(void * const *)arg, PAGE);
}

static void freeze_forked(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	void *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, PAGE);

	(void)arg;
	in_child(r, "child that unmaps", hold_mapping, &p);
	freeze(r, "freeze, mapped", fd);
	munmap(p, PAGE);
	freeze(r, "freeze", fd);
}

static void unmap_and_freeze(struct run *r, const void *arg)
{
	const int *fd = arg;

	freeze(r, "freeze, mapped in both", *fd);
}

static void freeze_in_child(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	void *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, PAGE);

	(void)arg;
	in_child(r, "child", unmap_and_freeze, &fd);
	in_child(r, "child again", unmap_and_freeze, &fd);
	munmap(p, PAGE);
	in_child(r, "child last", unmap_and_freeze, &fd);
}

static void freeze_moved(struct run *r, const void *arg)
{
	int fd = mmapable(r);
	char *p = map_it(r, "mmap", fd, PROT_READ | PROT_WRITE, PAGE), *q;

	(void)arg;
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE);
	note(r, "mremap: %d", q == p);
	q = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q);
	note(r, "moved: %d", p == q);
	freeze(r, "freeze, mapped", fd);
	munmap(p, PAGE);
	freeze(r, "freeze", fd);
}

void freeze_cases(const struct map_type *t)
{
	static const struct {
		const char *name;
		case_fn fn;
	} all[] = {
		{ "read-only descriptor", freeze_read_only },
		{ "write-only descriptor", freeze_write_only },
		{ "unprivileged", freeze_unprivileged },
	}, mapped[] = {
		{ "mapped", freeze_mapped },
		{ "mapped to write", freeze_write_mapped },
		{ "mapped, then mprotect", freeze_protected },
		{ "mprotect, then unmapped", unmapped_protected },
		{ "mapping split", freeze_split },
		{ "mprotect, then forked", fork_protected },
		{ "mapped to read", freeze_reading },
		{ "mmap of a frozen map", frozen_mapping },
		{ "mapped and forked", freeze_forked },
		{ "mapped by a child", freeze_in_child },
		{ "mapping moved", freeze_moved },
	};
	static const __u32 flags[] = {
		0, BPFMAPS_F_RDONLY_PROG, BPFMAPS_F_WRONLY_PROG, BPFMAPS_F_MMAPABLE,
		BPFMAPS_F_INNER_MAP, BPFMAPS_F_NO_PREALLOC,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++)
		compare(t, SELF, all[i].fn, NULL, "freeze/%s", all[i].name);
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		if (!takes_flags(t, flags[i]))
			continue;
		compare(t, SELF, freeze_twice, &flags[i], "freeze/twice, flags %#x", flags[i]);
		compare(t, SELF, freeze_seen, &flags[i], "freeze/two descriptors, flags %#x",
			flags[i]);
	}
	for (i = 0; t == &array_type && i < ARRAY_LEN(mapped); i++)
		compare(t, SELF, mapped[i].fn, NULL, "freeze/%s", mapped[i].name);
}

/* Descriptors made with flags, in each of the ways in which one is made. */
static void created_with(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	int fd, all;

	a.map_flags |= *(const __u32 *)arg;
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd < 0)
		return;
	all = open_id(r, "all", fd, 0);
	fill(r, all, STD_FILLED);
	try_all(r, fd, all);
}

static void opened_with(struct run *r, const void *arg)
{
	int all = std_map(r, 0), fd = open_id(r, "opened", all, *(const __u32 *)arg);

	if (fd >= 0)
		try_all(r, fd, all);
}

static void opened_from_narrow(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	int fd, ro, wo, all;

	a.map_flags |= *(const __u32 *)arg;
	fd = call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
	ro = open_id(r, "read-only", fd, BPFMAPS_F_RDONLY);
	wo = open_id(r, "write-only", fd, BPFMAPS_F_WRONLY);
	all = open_id(r, "all", fd, 0);
	fill(r, all, STD_FILLED);
	try_all(r, ro, all);
	try_all(r, wo, all);
}

/* A duplicate is the same descriptor again. */
static void duplicated(struct run *r, const void *arg)
{
	int all = std_map(r, 0), fd;

	fd = open_id(r, "opened", all, *(const __u32 *)arg);
	if (fd >= 0)
		try_all(r, keep_fd(r, dup(fd)), all);
}

void access_cases(const struct map_type *t)
{
	static const __u32 flags[] = {
		BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY, BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY, 0,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		compare(t, SELF, created_with, &flags[i], "access/created, flags %#x", flags[i]);
		compare(t, SELF, opened_with, &flags[i], "access/opened by id, flags %#x",
			flags[i]);
		compare(t, SELF, duplicated, &flags[i], "access/duplicated, flags %#x", flags[i]);
		if (i)
			compare(t, SELF, opened_from_narrow, &flags[i],
				"access/opened from flags %#x", flags[i]);
	}
}
