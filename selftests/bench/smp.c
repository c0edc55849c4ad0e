// SPDX-License-Identifier: GPL-2.0-only
/*
 * How two threads get along on two CPUs, by the clock: on keys of their own, on one key, and one
 * that reads beside one that writes; on bpf(2) and on a map's own descriptor of /dev/bpfmaps.
 * Writes one JSON object a line.
 *
 * An emulated CPU is now and then without a real one. So all tests take turns in short rounds,
 * before which both CPUs are idle, as who has slept gets a real one at once. Of each test the best
 * quarter of a millisecond counts, one in which both CPUs had real ones.
 *
 * usage: bench_smp SECONDS
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SLOT_NS		250000ull
#define SLOTS		12
#define IDLE_NS		4000000ull
/* Calls between two looks at the clock. */
#define STRIDE		8
#define THREADS		2

int device;

enum op { NOTHING, GETPPID, LOOKUP, UPDATE };

static const char * const op_names[] = {
	[GETPPID] = "getppid", [LOOKUP] = "lookup", [UPDATE] = "update",
};

/**
 * struct test - what the threads do
 * @name: of the test
 * @ops: one for each thread; all that do the first one are counted
 * @one_key: on the same key
 */
struct test {
	const char *name;
	enum op ops[THREADS];
	bool one_key;
};

static const struct test floor_tests[] = {
	{ "1 thread", { GETPPID }, false },
	{ "2 threads, distinct keys", { GETPPID, GETPPID }, false },
};

static const struct test map_tests[] = {
	{ "1 thread", { LOOKUP }, false },
	{ "2 threads, distinct keys", { LOOKUP, LOOKUP }, false },
	{ "2 threads, one key", { LOOKUP, LOOKUP }, true },
	{ "beside a writer of other keys", { LOOKUP, UPDATE }, false },
	{ "beside a writer of the key", { LOOKUP, UPDATE }, true },
	{ "1 thread", { UPDATE }, false },
	{ "2 threads, distinct keys", { UPDATE, UPDATE }, false },
	{ "2 threads, one key", { UPDATE, UPDATE }, true },
};

static const struct shape shapes[] = {
	{ "hash 4/8", BPF_MAP_TYPE_HASH, 4, 8, 0 },
	{ "array 4/8", BPF_MAP_TYPE_ARRAY, 4, 8, 0 },
	{ "percpu_array 4/8", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 0 },
	{ "lru_hash 4/8", BPF_MAP_TYPE_LRU_HASH, 4, 8, 0 },
};

static const enum way ways[] = { BPF, OWN };

/**
 * struct cell - a test of a map, and its result
 * @map: name
 * @way: by what it is reached
 * @fd: its descriptor
 * @test: the test
 * @rounds: how many there were
 * @best: calls in the best slot, of all threads that do the same; 0: both never ran together
 */
struct cell {
	const char *map;
	enum way way;
	int fd;
	const struct test *test;
	unsigned int rounds;
	double best;
};

static struct cell cells[ARRAY_LEN(floor_tests) +
			 ARRAY_LEN(shapes) * ARRAY_LEN(ways) * ARRAY_LEN(map_tests)];
static unsigned int nr_cells;

/* The round that is going on. */
static const struct cell *current;
static uint64_t start;
static sem_t wake, finished;
/* The calls of each thread in each slot. */
static double slots[THREADS][SLOTS];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void one(const struct cell *c, enum op what, union bpf_attr *attr)
{
	long ret = 0;

	if (what == GETPPID)
		getppid();
	else
		ret = call(c->way, c->fd,
			   what == LOOKUP ? BPF_MAP_LOOKUP_ELEM : BPF_MAP_UPDATE_ELEM, attr,
			   ELEM_ATTR);
	if (ret < 0)
		fail(c->map);
}

/* Spreads the calls of a stride over the slots that it was in. */
static void count(unsigned int thread, uint64_t from, uint64_t to)
{
	const double rate = (double)STRIDE / (to - from);
	uint64_t slot, end;

	for (slot = from / SLOT_NS; slot < SLOTS && from < to; slot++) {
		end = (slot + 1) * SLOT_NS < to ? (slot + 1) * SLOT_NS : to;
		slots[thread][slot] += (end - from) * rate;
		from = end;
	}
}

/* What a thread does in a round. Keys of its own are each second one, up to 4096. */
static void work(unsigned int thread)
{
	const struct cell *c = current;
	const enum op what = c->test->ops[thread];
	__u64 value[THREADS] = { };
	__u32 key = c->test->one_key ? 0 : thread;
	union bpf_attr attr = {
		.map_fd = c->way == OWN ? -1 : c->fd,
		.key = (uintptr_t)&key, .value = (uintptr_t)value,
	};
	const struct timespec begin = {
		.tv_sec = start / 1000000000, .tv_nsec = start % 1000000000
	};
	uint64_t from, to;
	unsigned int i;

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &begin, NULL))
		;
	to = now() - start;
	do {
		from = to;
		for (i = 0; i < STRIDE; i++) {
			one(c, what, &attr);
			if (!c->test->one_key)
				key = (key + THREADS) % ELEMENTS;
		}
		to = now() - start;
		count(thread, from, to);
	} while (to < SLOTS * SLOT_NS);
}

static void *second(void *arg)
{
	pin(1);
	for (;;) {
		while (sem_wait(&wake))
			;
		work(1);
		sem_post(&finished);
	}
	return arg;
}

/* A thread whose CPU has no real one does nothing, and is not in the way of the other. */
static bool together(double a, double b)
{
	return a > b / 4 && b > a / 4;
}

static void run(struct cell *c)
{
	const bool both = c->test->ops[1], same = c->test->ops[1] == c->test->ops[0];
	unsigned int i;
	double calls;

	current = c;
	memset(slots, 0, sizeof(slots));
	start = now() + IDLE_NS;
	if (both)
		sem_post(&wake);
	work(0);
	while (both && sem_wait(&finished))
		;
	for (i = 0; i < SLOTS; i++) {
		if (both && !together(slots[0][i], slots[1][i]))
			continue;
		calls = slots[0][i] + (same ? slots[1][i] : 0);
		if (calls > c->best)
			c->best = calls;
	}
	c->rounds++;
}

static void add_cells(const char *map, enum way way, int fd, const struct test *tests, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		cells[nr_cells].map = map;
		cells[nr_cells].way = way;
		cells[nr_cells].fd = fd;
		cells[nr_cells].test = &tests[i];
		nr_cells++;
	}
}

/* With room to spare: an LRU map of bpf(2) drops elements before it is full. */
static int create(const struct shape *s, enum way way)
{
	union bpf_attr attr = {
		.map_type = s->type, .key_size = s->key, .value_size = s->value,
		.max_entries = 4 * ELEMENTS, .map_flags = s->flags,
	};
	__u64 value[THREADS] = { };
	__u32 key;
	int fd = call(way == BPF ? BPF : DEVICE, -1, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		fail(s->name);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = way == OWN ? -1 : fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	for (key = 0; key < ELEMENTS; key++) {
		if (call(way, fd, BPF_MAP_UPDATE_ELEM, &attr, ELEM_ATTR) < 0)
			fail(s->name);
	}
	return fd;
}

static void report(const struct cell *c)
{
	printf("{\"row\":\"%s\",\"op\":\"%s\",\"test\":\"%s\",", c->map,
	       op_names[c->test->ops[0]], c->test->name);
	printf("\"way\":\"%s\",\"rounds\":%u,\"best\":%.0f}\n",
	       c->way == BPF ? "bpf(2)" : "own descriptor", c->rounds,
	       c->best * 1e9 / SLOT_NS);
}

int main(int argc, char **argv)
{
	const uint64_t end = now() + (argc > 1 ? atoi(argv[1]) : 1) * 1000000000ull;
	pthread_t thread;
	unsigned int i, j, sweep = 0;

	device = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/bpfmaps");
	if (sysconf(_SC_NPROCESSORS_CONF) != THREADS) {
		fprintf(stderr, "not %d CPUs\n", THREADS);
		return 1;
	}
	pin(0);
	add_cells("floor", BPF, -1, floor_tests, ARRAY_LEN(floor_tests));
	for (i = 0; i < ARRAY_LEN(shapes); i++) {
		for (j = 0; j < ARRAY_LEN(ways); j++)
			add_cells(shapes[i].name, ways[j], create(&shapes[i], ways[j]), map_tests,
				  ARRAY_LEN(map_tests));
	}
	sem_init(&wake, 0, 0);
	sem_init(&finished, 0, 0);
	errno = pthread_create(&thread, NULL, second, NULL);
	if (errno)
		fail("pthread_create");
	do {
		for (i = 0; i < nr_cells; i++) {
			/* One thread is soon at its best, two have to meet. */
			if (cells[i].test->ops[1] || sweep % 4 == 0)
				run(&cells[i]);
		}
		sweep++;
	} while (now() < end);
	for (i = 0; i < nr_cells; i++)
		report(&cells[i]);
	return 0;
}
