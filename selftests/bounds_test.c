// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing a caller asks for stalls a CPU: in one call each, a large map is created, filled, read,
 * emptied and destroyed, while on each CPU a program of the highest priority measures how long it
 * has to wait. A caller that is killed meanwhile is soon gone, and its memory comes back.
 *
 * BPFMAPS_BOUNDS says how many elements; check-bounds.sh asks for ten million, in a guest that has
 * the memory and reports stalls of a few seconds.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define ENTRIES		300000
#define MAX_CPUS	64

/* The tests with ten million elements take minutes on a busy machine. */
#define LIMIT		900

/*
 * How long others may have to wait, and a caller that was killed may still be there. It is a few
 * tenths of a second; an emulated CPU may have to wait for a real one. Without BPFMAPS_BOUNDS,
 * the machine may be busy with other tests as well.
 */
#define LONGEST_WAIT	(getenv("BPFMAPS_BOUNDS") ? 5.0 : 10.0)
#define LONGEST_DEATH	(getenv("BPFMAPS_BOUNDS") ? 2.0 : 10.0)

/* Memory that the kernel has taken for something else meanwhile. */
#define MARGIN	(8LL << 20)

/* How often a watcher wants to run. */
#define WATCH_NS	5000000

/* What the processes share: how long the watchers had to wait, and how far a caller has got. */
struct shared {
	uint64_t wait_ns[MAX_CPUS];
	int state;
};

enum { NOT_BEGUN, BEGUN, DONE };

FIXTURE(bounds) {
	int dev;
	int map;
	__u32 n;
	long long free_before;
	struct shared *shared;
	unsigned char *keys;
	unsigned char *values;
	pid_t watchers[MAX_CPUS];
	int cpus;
	int old_fraction;
	const struct _fixture_variant_bounds *v;
};

FIXTURE_VARIANT(bounds) {
	char name[32];
	__u32 type;
	__u32 key;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(bounds, hash) {
	.name = "hash",
	.type = BPFMAPS_TYPE_HASH, .key = 4,
};

FIXTURE_VARIANT_ADD(bounds, hash_no_prealloc) {
	.name = "hash_no_prealloc",
	.type = BPFMAPS_TYPE_HASH, .key = 4, .flags = BPFMAPS_F_NO_PREALLOC,
};

FIXTURE_VARIANT_ADD(bounds, array) {
	.name = "array",
	.type = BPFMAPS_TYPE_ARRAY, .key = 4,
};

FIXTURE_VARIANT_ADD(bounds, lpm_trie) {
	.name = "lpm_trie",
	.type = BPFMAPS_TYPE_LPM_TRIE, .key = 8, .flags = BPFMAPS_F_NO_PREALLOC,
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static double seconds_since(uint64_t start)
{
	return (now_ns() - start) / 1e9;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&t, NULL);
}

static long long mem_free(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	long long kib = -1;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %lld", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib << 10;
}

/* When what the test before has left is freed, and nothing is going on. */
static long long mem_free_settled(void)
{
	long long before, now = mem_free();
	int i, same = 0;

	for (i = 0; i < 100 && same < 4; i++) {
		before = now;
		sleep_ns(50000000);
		now = mem_free();
		same = llabs(now - before) < 256 << 10 ? same + 1 : 0;
	}
	return now;
}

/* On one CPU, before all others: notes by how much it is late. */
static void watch(uint64_t *wait_ns, int cpu)
{
	struct sched_param fifo = { .sched_priority = 99 };
	uint64_t begun, late;
	cpu_set_t one;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_FIFO, &fifo))
		_exit(1);
	for (;;) {
		begun = now_ns();
		sleep_ns(WATCH_NS);
		late = now_ns() - begun - WATCH_NS;
		if (late > __atomic_load_n(wait_ns, __ATOMIC_RELAXED))
			__atomic_store_n(wait_ns, late, __ATOMIC_RELAXED);
	}
}

static void forget_waits(struct _test_data_bounds *self)
{
	int i;

	for (i = 0; i < self->cpus; i++)
		__atomic_store_n(&self->shared->wait_ns[i], 0, __ATOMIC_RELAXED);
}

static double longest_wait(const struct _test_data_bounds *self)
{
	uint64_t longest = 0;
	int i;

	for (i = 0; i < self->cpus; i++)
		if (self->shared->wait_ns[i] > longest)
			longest = self->shared->wait_ns[i];
	return longest / 1e9;
}

static void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Different keys; prefixes are of full length, and all over the trie. */
static void fill_keys(struct _test_data_bounds *self)
{
	__u32 i, key[2];

	for (i = 0; i < self->n; i++) {
		key[0] = self->v->key == 8 ? 32 : i;
		key[1] = i * 2654435761U;
		memcpy(self->keys + (size_t)i * self->v->key, key, self->v->key);
	}
}

/*
 * Free pages that a CPU keeps for itself are not counted as free, and may be more than a map: with
 * this it keeps few. Returns what it was.
 */
static int set_pagelist_fraction(int fraction)
{
	FILE *f = fopen("/proc/sys/vm/percpu_pagelist_high_fraction", "r+e");
	int old = -1;

	if (!f || fscanf(f, "%d", &old) != 1 || fseek(f, 0, SEEK_SET) ||
	    fprintf(f, "%d", fraction) < 0 || fflush(f))
		old = -1;
	if (f)
		fclose(f);
	return old;
}

static __u32 entries_wanted(void)
{
	const char *text = getenv("BPFMAPS_BOUNDS");

	return text ? strtoul(text, NULL, 10) : scaled(ENTRIES);
}

FIXTURE_SETUP(bounds)
{
	int i;

	self->v = variant;
	self->map = -1;
	self->n = entries_wanted();
	ASSERT_LT(0, self->n);
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->shared = shared_memory(sizeof(*self->shared));
	self->keys = shared_memory((size_t)self->n * variant->key);
	self->values = shared_memory((size_t)self->n * sizeof(__u64));
	ASSERT_TRUE(self->shared && self->keys && self->values);
	fill_keys(self);
	memset(self->values, 1, (size_t)self->n * sizeof(__u64));
	self->old_fraction = set_pagelist_fraction(100000);
	ASSERT_LE(0, self->old_fraction);
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ASSERT_GE(MAX_CPUS, self->cpus);
	for (i = 0; i < self->cpus; i++) {
		self->watchers[i] = fork();
		if (!self->watchers[i])
			watch(&self->shared->wait_ns[i], i);
	}
	self->free_before = mem_free_settled();
}

FIXTURE_TEARDOWN(bounds)
{
	int i, status;

	for (i = 0; i < self->cpus; i++) {
		/* Nobody measures who is not there any more. */
		EXPECT_EQ(0, waitpid(self->watchers[i], &status, WNOHANG));
		kill(self->watchers[i], SIGKILL);
		waitpid(self->watchers[i], &status, 0);
	}
	EXPECT_LE(0, set_pagelist_fraction(self->old_fraction));
	close(self->dev);
}

static int do_create(struct _test_data_bounds *self)
{
	self->map = bm_create(self->dev, self->v->type, self->v->key, sizeof(__u64), self->n,
			      self->v->flags);
	return self->map < 0 ? self->map : 0;
}

/* All elements in one call; returns how many were done, or an errno. */
static int do_batch(struct _test_data_bounds *self, unsigned int cmd)
{
	static __u32 out[2];
	struct bpfmaps_batch_attr a = {
		.out_batch = (unsigned long)out,
		.keys = (unsigned long)self->keys,
		.values = (unsigned long)self->values,
		.count = self->n,
		.map_fd = BPFMAPS_SELF,
	};
	int ret = bm_call(self->map, cmd, &a, sizeof(a));

	/* Behind the last element there is nothing, which a look-up says. */
	return ret && ret != -ENOENT ? ret : (int)a.count;
}

static int do_fill(struct _test_data_bounds *self)
{
	return do_batch(self, BPFMAPS_MAP_UPDATE_BATCH);
}

static int do_read(struct _test_data_bounds *self)
{
	return do_batch(self, BPFMAPS_MAP_LOOKUP_BATCH);
}

/* An array is not emptied. */
static int do_empty(struct _test_data_bounds *self)
{
	if (self->v->type == BPFMAPS_TYPE_ARRAY)
		return self->n;
	return do_batch(self, BPFMAPS_MAP_DELETE_BATCH);
}

/* In an empty map all places are looked at. */
static int do_find_first(struct _test_data_bounds *self)
{
	unsigned char key[8];

	return bm_next(self->map, NULL, key);
}

/* The map is freed when nobody can look at it any more. Returns the bytes that are missing. */
static long long missing_bytes(struct _test_data_bounds *self)
{
	long long missing;
	int i;

	for (i = 0; i < 600; i++) {
		missing = self->free_before - mem_free();
		if (missing < MARGIN)
			break;
		sleep_ns(50000000);
	}
	return missing;
}

static int do_destroy(struct _test_data_bounds *self)
{
	close(self->map);
	self->map = -1;
	return missing_bytes(self) < MARGIN ? 0 : -ENOMEM;
}

struct step {
	const char *name;
	int (*fn)(struct _test_data_bounds *self);
	bool all;		/* returns how many elements it has done, all of them */
};

static const struct step steps[] = {
	{ "create", do_create, false },
	{ "fill", do_fill, true },
	{ "read", do_read, true },
	{ "empty", do_empty, true },
	{ "destroy", do_destroy, false },
};

TEST_F_TIMEOUT(bounds, others_run, LIMIT)
{
	char total[512] = "";
	uint64_t start;
	double wait;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		forget_waits(self);
		start = now_ns();
		EXPECT_EQ(steps[i].all ? (int)self->n : 0, steps[i].fn(self))
			TH_LOG("%s", steps[i].name);
		wait = longest_wait(self);
		sprintf(total + strlen(total), "%s %s %.2f (%.3f)", i ? "," : "", steps[i].name,
			seconds_since(start), wait);
		EXPECT_GT(LONGEST_WAIT, wait);
	}
	printf("# total: %s of %u, seconds (longest wait of others):%s\n", self->v->name, self->n,
	       total);
	fflush(stdout);
}

/* Who asks an empty map for its first key goes past all the places for elements. */
TEST_F_TIMEOUT(bounds, empty_places, LIMIT)
{
	int want = self->v->type == BPFMAPS_TYPE_ARRAY ? 0 : -ENOENT;
	uint64_t start;

	ASSERT_EQ(0, do_create(self));
	forget_waits(self);
	start = now_ns();
	EXPECT_EQ(want, do_find_first(self));
	EXPECT_GT(LONGEST_WAIT, longest_wait(self));
	printf("# first key of an empty map: %.3f s, wait %.3f s\n", seconds_since(start),
	       longest_wait(self));
	fflush(stdout);
	EXPECT_EQ(0, do_destroy(self));
}

static int get_state(const struct _test_data_bounds *self)
{
	return __atomic_load_n(&self->shared->state, __ATOMIC_SEQ_CST);
}

static int set_state(struct _test_data_bounds *self, int state)
{
	return __atomic_exchange_n(&self->shared->state, state, __ATOMIC_SEQ_CST);
}

/* Lets a child do @fn and kills it @ns after it has begun. Returns how long it took to die. */
static double kill_after(struct _test_data_bounds *self, int (*fn)(struct _test_data_bounds *self),
			 uint64_t ns)
{
	uint64_t start;
	pid_t pid;

	set_state(self, NOT_BEGUN);
	pid = fork();
	if (!pid) {
		set_state(self, BEGUN);
		fn(self);
		set_state(self, DONE);
		pause();
	}
	while (get_state(self) == NOT_BEGUN)
		sched_yield();
	sleep_ns(ns);
	kill(pid, SIGKILL);
	start = now_ns();
	waitpid(pid, NULL, 0);
	return seconds_since(start);
}

/*
 * Kills in the middle of @step: what was done too soon is tried again with less time. On a busy
 * machine a short one is often over before this process has its turn.
 */
static double kill_midway(struct _test_data_bounds *self, const struct step *step, uint64_t takes)
{
	double death;
	uint64_t ns;
	int try;

	for (try = 0; try < 200; try++) {
		ns = takes >> (try < 8 ? try + 1 : 8);
		/* Each time there is as much to do. */
		if (step->fn == do_empty && do_fill(self) != (int)self->n)
			return -1;
		death = kill_after(self, step->fn, ns);
		if (get_state(self) == BEGUN) {
			printf("# %-9s killed after %.3f s, gone %.3f s later\n", step->name,
			       ns / 1e9, death);
			fflush(stdout);
			return death;
		}
	}
	printf("# %s was always done before it was killed\n", step->name);
	return -1;
}

/* A first run tells how long a step takes. */
static double kill_in_step(struct _test_data_bounds *self, const struct step *step)
{
	uint64_t start = now_ns(), takes;

	if (step->fn(self) < 0)
		return -1;
	takes = now_ns() - start;
	if (step->fn == do_create && do_destroy(self))
		return -1;
	return kill_midway(self, step, takes);
}

TEST_F_TIMEOUT(bounds, a_killed_caller_goes, LIMIT)
{
	bool array = self->v->type == BPFMAPS_TYPE_ARRAY;
	bool trie = self->v->type == BPFMAPS_TYPE_LPM_TRIE;
	double death;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps) - 1; i++) {
		/* These take no time: nodes come with their elements, and an array stays full. */
		if ((trie && steps[i].fn == do_create) || (array && steps[i].fn == do_empty))
			continue;
		if (self->map < 0 && steps[i].fn != do_create)
			ASSERT_EQ(0, do_create(self));
		death = kill_in_step(self, &steps[i]);
		EXPECT_LE(0, death);
		EXPECT_GT(LONGEST_DEATH, death);
		if (steps[i].fn == do_create)
			EXPECT_GT(MARGIN, missing_bytes(self));
	}
	EXPECT_EQ(0, do_destroy(self));
}

/* The last process that has a map is killed: it is gone at once, and the memory soon. */
/* The only process that has a map is killed: it is gone at once, and the memory soon. */
TEST_F_TIMEOUT(bounds, a_killed_owner_leaves_nothing, LIMIT)
{
	uint64_t start;
	__u32 id;
	pid_t pid;

	/* It dies all the same, and filling takes most of the time. */
	self->n = self->n / 4 + 1;
	set_state(self, BEGUN);
	pid = fork();
	if (!pid) {
		if (!do_create(self) && do_fill(self) == (int)self->n)
			set_state(self, DONE);
		pause();
	}
	for (start = now_ns(); get_state(self) != DONE && seconds_since(start) < LIMIT / 2;)
		sleep_ns(WATCH_NS);
	EXPECT_EQ(DONE, get_state(self));
	EXPECT_EQ(0, bm_next_id(self->dev, 0, &id));
	forget_waits(self);
	start = now_ns();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_GT(LONGEST_DEATH, seconds_since(start));
	EXPECT_GT(MARGIN, missing_bytes(self));
	EXPECT_EQ(-ENOENT, bm_next_id(self->dev, 0, &id));
	EXPECT_GT(LONGEST_WAIT, longest_wait(self));
}

TEST_HARNESS_MAIN
