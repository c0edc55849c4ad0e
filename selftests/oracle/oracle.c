// SPDX-License-Identifier: GPL-2.0-only
/* Running a case on the back ends and comparing the traces. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scale.h"
#include "deviations.h"
#include "oracle.h"

/* What the tests, which run in children of the program, tell the last one. */
static struct totals {
	unsigned int compared[NR_TYPES];
	unsigned long operations[NR_TYPES];
	unsigned int differences;
	unsigned int used[ARRAY_LEN(deviations)];
} *totals;

static struct slot {
	char trace[TRACE_SIZE];
	size_t len;
	unsigned char out[OUT_MAX];
} *slots;

#define ENOMEM_TRIES	10000

/* Of each deviation, so many are shown. */
#define ALLOWED_SHOWN	8

static int dev_fd = -1;

/*
 * Without preallocation bpf(2) takes elements from a small store that is filled in the background,
 * and says ENOMEM when it is empty.
 */
static int bpf_call(struct run *r, unsigned int cmd, void *attr, unsigned int size)
{
	struct bpfmaps_batch_attr *a = attr;
	__u32 count = cmd == BPFMAPS_MAP_UPDATE_BATCH ? a->count : 0;
	int ret, tries = 0;

	(void)r;
	do {
		if (tries && count)
			a->count = count;
		ret = syscall(__NR_bpf, cmd, attr, size);
	} while (ret < 0 && errno == ENOMEM &&
		 (cmd == BPFMAPS_MAP_UPDATE_ELEM || cmd == BPFMAPS_MAP_UPDATE_BATCH) &&
		 ++tries < ENOMEM_TRIES && !usleep(1000));
	return ret;
}

static int dev_call(struct run *r, unsigned int cmd, void *attr, unsigned int size)
{
	(void)r;
	return ioctl(dev_fd, BPFMAPS_IOC(cmd, size), attr);
}

/* Where the attr has the descriptor of the map that a command runs on, or -1. */
static int map_fd_offset(unsigned int cmd)
{
	switch (cmd) {
	case BPFMAPS_MAP_LOOKUP_ELEM:
	case BPFMAPS_MAP_UPDATE_ELEM:
	case BPFMAPS_MAP_DELETE_ELEM:
	case BPFMAPS_MAP_GET_NEXT_KEY:
	case BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPFMAPS_MAP_FREEZE:
	case BPFMAPS_OBJ_GET_INFO_BY_FD:
	case BPFMAPS_RINGBUF_OUTPUT:
	case BPFMAPS_RINGBUF_DRAIN:
		return 0;
	case BPFMAPS_MAP_LOOKUP_BATCH:
	case BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPFMAPS_MAP_UPDATE_BATCH:
	case BPFMAPS_MAP_DELETE_BATCH:
		return offsetof(struct bpfmaps_batch_attr, map_fd);
	}
	return -1;
}

static bool is_kept(const struct run *r, int fd)
{
	int i;

	for (i = 0; i < r->nr_fds; i++) {
		if (r->fds[i] == fd)
			return true;
	}
	return false;
}

static int self_call(struct run *r, unsigned int cmd, void *attr, unsigned int size)
{
	int ret, fd, offset = map_fd_offset(cmd);
	__u32 self = BPFMAPS_SELF;
	char *place = attr;

	if (offset < 0 || size < offset + sizeof(fd))
		return dev_call(r, cmd, attr, size);
	place += offset;
	memcpy(&fd, place, sizeof(fd));
	if (!is_kept(r, fd))
		return dev_call(r, cmd, attr, size);
	memcpy(place, &self, sizeof(self));
	ret = ioctl(fd, BPFMAPS_IOC(cmd, size), attr);
	if (!memcmp(place, &self, sizeof(self)))
		memcpy(place, &fd, sizeof(fd));
	return ret;
}

const struct backend bpf_backend = {
	.name = "bpf(2)", .fs = "/sys/fs/bpf", .fstype = "bpf", .call = bpf_call,
};

const struct backend dev_backend = {
	.name = "/dev/bpfmaps", .fs = "/sys/fs/bpfmaps", .fstype = "bpfmaps", .call = dev_call,
};

const struct backend self_backend = {
	.name = "map's own descriptor", .fs = "/sys/fs/bpfmaps", .fstype = "bpfmaps",
	.call = self_call,
};

static void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static void mount_once(const struct backend *be)
{
	char line[512], want[128];
	FILE *f = fopen("/proc/self/mounts", "re");
	bool found = false;

	snprintf(want, sizeof(want), " %s %s ", be->fs, be->fstype);
	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, want);
	if (f)
		fclose(f);
	if (!found && mount(be->fstype, be->fs, be->fstype, 0, NULL))
		report_difference("cannot mount %s on %s: %s", be->fstype, be->fs,
				  errno_name(errno));
}

/* Writing to maps of maps waits for grace periods, and each takes as long as all else together. */
static void short_grace_periods(void)
{
	int fd = open("/sys/kernel/rcu_expedited", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		printf("# grace periods are as long as ever\n");
	close(fd);
}

/* Before any test, in the parent of all of them. */
void oracle_setup(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* An attr of less than 4 bytes names descriptor 0. */
	if (null > 0)
		dup2(null, 0);
	totals = shared_memory(sizeof(*totals));
	slots = shared_memory(2 * sizeof(*slots));
	dev_fd = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	if (dev_fd < 0)
		report_difference("cannot open /dev/bpfmaps: %s", errno_name(errno));
	mount_once(&bpf_backend);
	mount_once(&dev_backend);
	short_grace_periods();
}

void run_start(struct run *r, unsigned int slot, const struct backend *be,
	       const struct map_type *type)
{
	struct slot *s = &slots[slot];

	s->len = 0;
	s->trace[0] = '\0';
	*r = (struct run) {
		.be = be,
		.type = type,
		.trace = s->trace,
		.len = &s->len,
		.out = s->out,
	};
}

void run_end(struct run *r)
{
	while (r->nr_fds)
		close(r->fds[--r->nr_fds]);
}

/* One line of text, whatever the names of a case hold. */
static char *printable(char *text)
{
	char *c;

	for (c = text; *c; c++) {
		if ((unsigned char)*c < ' ')
			*c = '?';
	}
	return text;
}

void report_difference(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("# differs: %s\n", printable(text));
	fflush(stdout);
	__atomic_add_fetch(&totals->differences, 1, __ATOMIC_RELAXED);
}

unsigned int differences(void)
{
	return totals->differences;
}

void count_compared(const struct map_type *type, unsigned int nr)
{
	totals->compared[type - map_types] += nr;
}

unsigned int compared(const struct map_type *type)
{
	return totals->compared[type - map_types];
}

void count_operations(const struct map_type *type, unsigned long nr)
{
	totals->operations[type - map_types] += nr;
}

unsigned long operations(const struct map_type *type)
{
	return totals->operations[type - map_types];
}

unsigned int unused_deviations(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_LEN(deviations); i++) {
		if (totals->used[i])
			continue;
		printf("# deviation not seen: %s\n", deviations[i].cases);
		nr++;
	}
	return nr;
}

static bool is_deviation(const char *name, const char *bpf, const char *ours)
{
	const struct deviation *d;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(deviations); i++) {
		d = &deviations[i];
		if (fnmatch(d->cases, name, 0) || fnmatch(d->bpf, bpf, 0) ||
		    fnmatch(d->ours, ours, 0))
			continue;
		if (totals->used[i]++ >= ALLOWED_SHOWN)
			return true;
		printf("# allowed: %s: bpf(2) \"%s\", here \"%s\": %s\n", name, bpf, ours,
		       d->reason);
		fflush(stdout);
		return true;
	}
	return false;
}

static const char *next_line(char **text)
{
	char *line = strsep(text, "\n");

	return line ? line : "(nothing)";
}

/* Whether there is a difference that is not in the table. The trace of bpf(2) stays as it is. */
static bool diff(const char *name, const struct backend *be)
{
	static char copy[TRACE_SIZE];
	char *a = copy, *b = slots[1].trace;
	bool differs = false;

	/* The next back end is compared with it as well. */
	memcpy(copy, slots[0].trace, slots[0].len + 1);
	if (!*a)
		report_difference("%s: nothing was noted", name);
	if (!strcmp(a, b))
		return false;
	while (a || b) {
		const char *bpf = next_line(&a), *ours = next_line(&b);

		if (!strcmp(bpf, ours) || is_deviation(name, bpf, ours))
			continue;
		/* What follows the first one is often only its consequence. */
		if (!differs)
			report_difference("%s: bpf(2) \"%s\", %s \"%s\"", name, bpf, be->name,
					  ours);
		differs = true;
	}
	return differs;
}

static sigjmp_buf case_ended;

static void end_case(int sig)
{
	siglongjmp(case_ended, sig);
}

/* A case that crashes, because of a mapping that it did not get, is only different. */
static void run_case(unsigned int slot, const struct backend *be, const struct map_type *type,
		     case_fn fn, const void *arg)
{
	static struct run r;
	int sig;

	signal(SIGSEGV, end_case);
	signal(SIGBUS, end_case);
	run_start(&r, slot, be, type);
	sig = sigsetjmp(case_ended, 1);
	if (sig)
		note(&r, "the case ended with signal %d", sig);
	else
		fn(&r, arg);
	run_end(&r);
}

/* One case of so many is for a run: all, unless BPFMAPS_TEST_SCALE asks for less. */
unsigned int case_step(void)
{
	const unsigned int many = 1000;

	return many / scaled(many);
}

/* One named case on bpf(2) and on the device, and once more as @modes says. */
void compare(const struct map_type *type, unsigned int modes, case_fn fn, const void *arg,
	     const char *fmt, ...)
{
	const char *only = getenv("ORACLE_CASE");
	static unsigned int nr;
	char name[256];
	va_list ap;
	int n;

	if (nr++ % case_step())
		return;

	n = snprintf(name, sizeof(name), "%s/", type->name);
	va_start(ap, fmt);
	vsnprintf(name + n, sizeof(name) - n, fmt, ap);
	va_end(ap);
	if (only && fnmatch(only, name, 0))
		return;

	run_case(0, &bpf_backend, type, fn, arg);
	run_case(1, &dev_backend, type, fn, arg);
	diff(name, &dev_backend);
	count_compared(type, 1);
	if (modes & SELF) {
		run_case(1, &self_backend, type, fn, arg);
		diff(name, &self_backend);
	}
}

/* Like compare(), of any two back ends, silent: for the test of the oracle itself. */
unsigned int traces_differ(const struct backend *a, const struct backend *b,
			   const struct map_type *type, case_fn fn, const void *arg)
{
	run_case(0, a, type, fn, arg);
	run_case(1, b, type, fn, arg);
	return strcmp(slots[0].trace, slots[1].trace) != 0;
}
