// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory maps hold, by two accounts of the kernel, and what it costs to give it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cost.h"

#define GROUP		"/sys/fs/cgroup/bench"

/* Seconds to wait for what goes on behind a close(): idle time costs a guest nothing. */
#define INTERVAL_S	1
/* Instructions in an interval that are not worth another one. */
#define LITTLE		100000
#define INTERVALS	60

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Whatever can be read or not read of the kernel's files has to be there. */
static FILE *open_file(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		fail(path);
	return f;
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* What the memory cgroup of this process is charged, which is one of its own. */
uint64_t charged_bytes(void)
{
	static bool joined;
	unsigned long long bytes;
	FILE *f;

	if (!joined) {
		if (mkdir(GROUP, 0755))
			fail(GROUP);
		put_text(GROUP "/cgroup.procs", "0");
		joined = true;
	}
	f = open_file(GROUP "/memory.current");
	if (fscanf(f, "%llu", &bytes) != 1)
		fail(GROUP);
	fclose(f);
	return bytes;
}

/* Pages that nobody has: those of the zones, and those that CPUs keep at hand. */
uint64_t free_bytes(void)
{
	uint64_t pages = 0;
	unsigned long long n;
	char line[256];
	FILE *f;

	/* Each CPU counts for itself first. */
	put_text("/proc/sys/vm/stat_refresh", "1");
	f = open_file("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " pages free %llu", &n) == 1 ||
		    sscanf(line, " count: %llu", &n) == 1)
			pages += n;
	}
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* How long the one CPU was idle. */
static uint64_t idle(void)
{
	FILE *f = open_file("/proc/timer_list");
	unsigned long long ns = 0;
	bool found = false;
	char line[256];

	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, " .idle_sleeptime : %llu", &ns) == 1;
	fclose(f);
	if (!found) {
		fputs("/proc/timer_list: no idle_sleeptime\n", stderr);
		exit(1);
	}
	return ns;
}

/* What the CPU does in an interval in which this program waits. */
static uint64_t interval(void)
{
	const struct timespec t = { .tv_sec = INTERVAL_S };
	uint64_t from = now(), idle_from = idle();

	nanosleep(&t, NULL);
	return now() - from - (idle() - idle_from);
}

/* Until nothing goes on any more. Returns what went on, but for what always does. */
uint64_t settle(void)
{
	static uint64_t always = UINT64_MAX;
	uint64_t sum = 0, did;
	int i;

	for (i = 0; i < INTERVALS; i++) {
		did = interval();
		if (did < always)
			always = did;
		did -= always;
		sum += did;
		if (i && did < LITTLE)
			return sum;
	}
	fputs("the guest does not come to rest\n", stderr);
	exit(1);
}
