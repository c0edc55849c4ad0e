// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the module the threads reach, as KCOV tells it: the address behind each basic block's
 * call of the tracer. Work queues and RCU callbacks belong to no thread, so map_free and what it
 * calls are never among them.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV		"/sys/kernel/debug/kcov"
#define COVER_WORDS	(128 * 1024UL)

static void find_text(void)
{
	char line[256];
	FILE *f = fopen("/proc/modules", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "bpfmaps %lu %*s %*s %*s %lx", &state->text_size,
			   &state->text) == 2)
			break;
	if (f)
		fclose(f);
	if (!state->text || state->text_size > sizeof(state->pcs) * 8)
		errx(1, "cannot tell where the module is");
}

void cover_init(void)
{
	state->have_cover = !access(KCOV, R_OK | W_OK);
	if (state->have_cover)
		find_text();
}

/* By the thread itself. */
void cover_enable(struct thread *t)
{
	int fd;

	if (!state->have_cover)
		return;
	fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, COVER_WORDS))
		err(1, KCOV);
	t->cover = mmap(NULL, COVER_WORDS * sizeof(long), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, fd, 0);
	if (t->cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		err(1, KCOV);
}

/* Was it clear? */
static bool set_bit(unsigned char *bits, unsigned long nr)
{
	unsigned char bit = 1 << nr % 8;
	bool clear = !(bits[nr / 8] & bit);

	bits[nr / 8] |= bit;
	return clear;
}

static bool note(unsigned long pc, unsigned long *last)
{
	unsigned long offset = pc - state->text;
	bool found;

	if (offset >= state->text_size)
		return false;
	found = set_bit(state->pcs, offset);
	state->blocks += found;
	found |= set_bit(state->edges, (offset * 0x9e3779b1 ^ *last) % (sizeof(state->edges) * 8));
	*last = offset;
	return found;
}

/* Notes what the thread has reached since the last time; is something of it new? */
bool cover_take(struct thread *t)
{
	unsigned long nr, i, last = 0;
	bool found = false;

	if (!t->cover)
		return false;
	nr = __atomic_exchange_n(&t->cover[0], 0, __ATOMIC_RELAXED);
	for (i = 1; i <= nr; i++)
		found |= note(t->cover[i], &last);
	return found;
}

static void print_section(const char *name)
{
	unsigned long start;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/bpfmaps/sections/%s", name);
	f = fopen(path, "re");
	if (f && fscanf(f, "%lx", &start) == 1)
		printf("section %s %lu\n", name, start - state->text);
	if (f)
		fclose(f);
}

/* What was reached, for fuzz.sh: where the sections are, then each address, all from @text on. */
void cover_print(void)
{
	unsigned long i;

	print_section(".text");
	print_section(".text.unlikely");
	for (i = 0; i < state->text_size; i++)
		if (state->pcs[i / 8] & 1 << i % 8)
			printf("pc %lu\n", i);
}
