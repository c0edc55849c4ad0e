// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on mappings, and memory that is read and written by instructions. Maps are mapped within
 * their window only, so that the fuzzer's own memory stays.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define WINDOW_PAGES	(WINDOW_SIZE / PAGE)

static unsigned long window_bytes(uint64_t pages)
{
	return (pages > WINDOW_PAGES ? WINDOW_PAGES : pages) * PAGE;
}

/* Part of a window, from page @first on. */
static void *window_part(uint64_t slot, uint64_t first, uint64_t pages, unsigned long *bytes)
{
	first %= WINDOW_PAGES;
	*bytes = window_bytes(pages > WINDOW_PAGES - first ? WINDOW_PAGES - first : pages);
	return (char *)mem_window(slot) + first * PAGE;
}

long call_mmap(struct thread *t, const struct op *op, const uint64_t *arg)
{
	int flags = arg[4] ? MAP_PRIVATE : MAP_SHARED;
	void *ret;

	(void)op;
	if (arg[4] > 1)
		flags |= MAP_POPULATE;
	exec_fail_arm(t);
	ret = mmap(mem_window(arg[0]), window_bytes(arg[2]), arg[3] & 7, flags | MAP_FIXED,
		   exec_fd(arg[1]), arg[5] * PAGE);
	exec_fail_disarm(t);
	return ret == MAP_FAILED ? -1 : 0;
}

long call_munmap(struct thread *t, const struct op *op, const uint64_t *arg)
{
	unsigned long bytes;
	void *at = window_part(arg[0], arg[1], arg[2], &bytes);

	(void)t;
	(void)op;
	/* No hole for the memory of others: a mapping that cannot be used takes the place. */
	return mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		    -1, 0) == MAP_FAILED ? -1 : 0;
}

long call_mremap(struct thread *t, const struct op *op, const uint64_t *arg)
{
	static const int flags[] = {
		0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
	};
	void *ret;

	(void)op;
	exec_fail_arm(t);
	ret = mremap(mem_window(arg[0]), window_bytes(arg[1]), window_bytes(arg[2]),
		     flags[arg[4] % 3], mem_window(arg[3]));
	exec_fail_disarm(t);
	return ret == MAP_FAILED ? -1 : 0;
}

long call_mprotect(struct thread *t, const struct op *op, const uint64_t *arg)
{
	unsigned long bytes;
	void *at = window_part(arg[0], arg[1], arg[2], &bytes);
	long ret;

	(void)op;
	exec_fail_arm(t);
	ret = mprotect(at, bytes, arg[3] & 7);
	exec_fail_disarm(t);
	return ret;
}

long call_madvise(struct thread *t, const struct op *op, const uint64_t *arg)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK, MADV_REMOVE, MADV_FREE,
		MADV_MERGEABLE, MADV_HUGEPAGE, MADV_DODUMP, MADV_COLD, MADV_PAGEOUT,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK,
	};
	unsigned long bytes;
	void *at = window_part(arg[0], arg[1], arg[2], &bytes);

	(void)t;
	(void)op;
	return madvise(at, bytes, advices[arg[3] % (ARRAY_SIZE(advices))]);
}

/* False after a fault, which on_fault() in exec.c ends. */
static bool touch(struct thread *t, volatile unsigned char *at, const void *from,
		  unsigned int bytes)
{
	unsigned int i;

	if (sigsetjmp(t->fault, 0))
		return false;
	t->guarded = true;
	for (i = 0; i < bytes; i++) {
		if (from)
			at[i] = ((const unsigned char *)from)[i];
		else
			(void)at[i];
	}
	t->guarded = false;
	return true;
}

/* Programs write to the area and to windows only. */
static void *touchable(uint64_t arg)
{
	uint64_t where = arg >> PTR_SHIFT;

	return where == PTR_AREA || where == PTR_WINDOW ? (void *)mem_pointer(arg) : NULL;
}

long call_peek(struct thread *t, const struct op *op, const uint64_t *arg)
{
	void *at = touchable(arg[0]);

	(void)op;
	return at && touch(t, at, NULL, 1) ? 0 : -1;
}

/* 1, 2, 4 or 8 bytes; less at the end of what may be written to. */
long call_poke(struct thread *t, const struct op *op, const uint64_t *arg)
{
	unsigned char *at = touchable(arg[0]);

	(void)op;
	return at && touch(t, at, &arg[2], 1 << arg[1] % 4) ? 0 : -1;
}

/* The number of a descriptor, as a value for maps of maps. */
long call_putfd(struct thread *t, const struct op *op, const uint64_t *arg)
{
	unsigned char *at = touchable(arg[0]);
	const uint32_t fd = exec_fd(arg[1]);

	(void)op;
	return at && touch(t, at, &fd, sizeof(fd)) ? 0 : -1;
}

/* A page of the area is not there until it is touched, which copies without faults do not do. */
long call_drop(struct thread *t, const struct op *op, const uint64_t *arg)
{
	uint64_t at = mem_pointer(PTR(PTR_AREA, arg[0] & 0xfffffff)) & ~(PAGE - 1);

	(void)t;
	(void)op;
	return madvise((void *)at, PAGE, MADV_DONTNEED);
}

/* What takes long, for somebody who is killed in the middle. */
static void work_long(struct thread *t, uint64_t map)
{
	const struct op *create = &ops[ops_find("create")];
	const struct op *batch = &ops[ops_find("update_batch")];
	const uint64_t large[MAX_ARGS] = {
		0, FD_DEVICE, BPFMAPS_TYPE_HASH, 4, 64, 1 << 22, BPFMAPS_F_NO_PREALLOC,
	};
	const uint64_t many[MAX_ARGS] = {
		map, BPFMAPS_SELF, 0, 0,
		PTR(PTR_AREA, AREA_INDEXES), PTR(PTR_AREA, AREA_VALUES), 4096,
	};

	for (;;) {
		create->fn(t, create, large);
		batch->fn(t, batch, many);
	}
}

/* What a child does with what it has inherited. */
static void child(struct thread *t, const uint64_t *arg)
{
	unsigned char *at = mem_window(arg[0]);
	const char zero = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (arg[2] & 8)
		work_long(t, arg[1]);
	if (arg[2] & 1)
		touch(t, at, &zero, 1);
	if (arg[2] & 2)
		munmap(at + PAGE, PAGE);
	if (arg[2] & 4 && arg[1] < NR_SLOTS)
		close(exec_fd(arg[1]));
	_exit(0);
}

long call_fork(struct thread *t, const struct op *op, const uint64_t *arg)
{
	pid_t pid = fork();

	(void)op;
	if (!pid)
		child(t, arg);
	if (pid > 0 && arg[2] & 8) {
		usleep((arg[2] & 7) * 2000);
		kill(pid, SIGKILL);
	}
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}
