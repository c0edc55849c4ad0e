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

static struct {
	bool on;
	bool shown;
	time_t last;
	__u64 done;
	__u64 max;
} progress;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
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
	time_t second;

	progress.done += elements;
	if (!progress.on)
		return;
	second = now();
	if (second == progress.last)
		return;
	progress.last = second;
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
