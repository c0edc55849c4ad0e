// SPDX-License-Identifier: GPL-2.0-only
/*
 * A value of an array that is looked up while it is updated: bpf(2) is seen to give half of one
 * update and half of another, and in as many look-ups and more bpfmaps never does.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "both.h"
#include "scale.h"

/* Look-ups on bpf(2) until one is torn, at most; and on bpfmaps at least. */
#define MOST		400000
#define LEAST		30000

#define VALUE_MAX	4096

/**
 * struct race - a writer and a reader of one value
 * @b: both sides
 * @side: the one that is looked at
 * @size: of the value
 * @done: the writer is to end
 * @updates: how many there were
 * @failed: calls that were refused
 */
struct race {
	struct both *b;
	int side;
	uint32_t size;
	bool done;
	unsigned int updates;
	unsigned int failed;
};

static long race_call(struct race *r, unsigned int cmd, void *value)
{
	uint32_t key = 0;
	struct bpfmaps_elem_attr a = {
		.map_fd = r->b->fd[r->side],
		.key = (unsigned long)&key,
		.value = (unsigned long)value,
	};

	return both_call_one(r->b, r->side, cmd, &a, sizeof(a));
}

/* All bytes of a value are the same, and others the next time. */
static void *write_values(void *arg)
{
	unsigned char value[VALUE_MAX];
	struct race *r = arg;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		memset(value, ++r->updates, r->size);
		if (race_call(r, BPFMAPS_MAP_UPDATE_ELEM, value))
			__atomic_fetch_add(&r->failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Looks up until a value is torn, or @tries times; returns how often. @torn says if one was. */
static unsigned int read_values(struct race *r, unsigned int tries, bool *torn)
{
	unsigned char value[VALUE_MAX];
	unsigned int i;

	*torn = false;
	for (i = 0; i < tries && !*torn; i++) {
		if (race_call(r, BPFMAPS_MAP_LOOKUP_ELEM, value))
			__atomic_fetch_add(&r->failed, 1, __ATOMIC_RELAXED);
		*torn = memcmp(value, value + 1, r->size - 1) != 0;
	}
	return i;
}

/* Returns how many look-ups there were. */
static unsigned int race(struct race *r, unsigned int tries, bool *torn)
{
	unsigned int lookups;
	pthread_t thread;

	if (pthread_create(&thread, NULL, write_values, r))
		return 0;
	lookups = read_values(r, tries, torn);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return lookups;
}

FIXTURE(both) {
	struct both b;
};

FIXTURE_SETUP(both)
{
	both_open(&self->b);
	ASSERT_LE(0, self->b.dev);
}

FIXTURE_TEARDOWN(both)
{
	close(self->b.dev);
}

/* Until bpf(2) tears a value of each size, which is a matter of luck. */
TEST_F_TIMEOUT(both, values_of_arrays, 1200)
{
	static const uint32_t sizes[] = { 64, 256, 1024, VALUE_MAX };
	const unsigned int most = scaled(MOST), least = scaled(LEAST);
	unsigned int seen = 0, bpf, ours;
	bool bpf_torn, ours_torn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bpfmaps_create_attr a = {
			.map_type = BPFMAPS_TYPE_ARRAY, .key_size = 4, .value_size = sizes[i],
			.max_entries = 1,
		};
		struct race theirs = { .b = &self->b, .side = BPF, .size = sizes[i] };
		struct race mine = { .b = &self->b, .side = OURS, .size = sizes[i] };

		ASSERT_TRUE(both_create(&self->b, &a));
		bpf = race(&theirs, most, &bpf_torn);
		ours = race(&mine, bpf > least ? bpf : least, &ours_torn);
		printf("# %u bytes: bpf(2) %s in %u look-ups, %u updates; bpfmaps %s in %u, %u\n",
		       sizes[i], bpf_torn ? "torn" : "whole", bpf, theirs.updates,
		       ours_torn ? "torn" : "whole", ours, mine.updates);
		EXPECT_FALSE(ours_torn);
		EXPECT_LE(bpf, ours);
		EXPECT_EQ(0, theirs.failed);
		EXPECT_EQ(0, mine.failed);
		seen += bpf_torn;
		both_close(&self->b);
	}
	printf("# total: bpf(2) tore values of %u of %zu sizes, bpfmaps of none\n", seen,
	       ARRAY_SIZE(sizes));
	fflush(stdout);
}

TEST_HARNESS_MAIN
