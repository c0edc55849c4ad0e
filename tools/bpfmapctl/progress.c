// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: tell how far long work has come
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"

#define INTERVAL_MS	1000

static struct {
	bool on;
	bool shown;
	__s64 last;
	__u64 done;
	__u64 max;
} progress;

/* In milliseconds. */
static __s64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (__s64)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void progress_begin(__u64 max, bool prints)
{
	progress.on = isatty(STDERR_FILENO) && !(prints && isatty(STDOUT_FILENO));
	progress.done = 0;
	progress.max = max;
	progress.last = now();
}

void progress_add(__u64 elements)
{
	__s64 time;

	progress.done += elements;
	if (!progress.on)
		return;
	time = now();
	if (time - progress.last < INTERVAL_MS)
		return;
	progress.last = time;
	progress.shown = true;
	fprintf(stderr, "\r%llu of %llu elements", (unsigned long long)progress.done,
		(unsigned long long)progress.max);
	fflush(stderr);
}

/* Back to the start of the line, and the rest of it is cleared. */
void progress_hide(void)
{
	if (progress.shown)
		fputs("\r\033[K", stderr);
	progress.shown = false;
}

void progress_end(void)
{
	progress_hide();
	progress.on = false;
}
