// SPDX-License-Identifier: GPL-2.0-only
/*
 * What maps hold is charged to the memory cgroup of who made them: over its limit a call fails with
 * ENOMEM, and nobody is killed.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "hole.h"
#include "scale.h"
#include "shape.h"

#define CGROUP	"/sys/fs/cgroup"
#define GROUP	CGROUP "/bpfmaps_test"
#define MIB	1048576LL
#define LIMIT	(24 * MIB)
#define PLENTY	(16 * LIMIT)

#define PAGE	4096

/* Threads whose calls are stopped at the same time. */
#define MOST_STOPPED	300

/* How far the charges of one group can be off: what each CPU has reserved, and this program. */
#define SLACK	(2 * MIB)

static long long get_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long long number = -1;

	if (f) {
		if (fscanf(f, "%lld", &number) != 1)
			number = -1;
		fclose(f);
	}
	return number;
}

static long long current_bytes(void)
{
	return get_number(GROUP "/memory.current");
}

/* A line "@name NUMBER" of @path. */
static long long event(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	long long number = -1, n;
	char word[64];

	while (f && fscanf(f, "%63s %lld", word, &n) == 2) {
		if (!strcmp(word, name))
			number = n;
	}
	if (f)
		fclose(f);
	return number;
}

/* Memory comes back when all who may look at it are through; at most for half a minute. */
static long long settle(long long target)
{
	int i;

	for (i = 0; i < 300 && current_bytes() > target; i++)
		usleep(100000);
	return current_bytes();
}

FIXTURE(memcg) {
	int dev;
	int max;	/* memory.max, open: in a full group not even that can be relied on */
	long long start;
	long long kills;	/* for want of memory, on all of the machine */
};

static int set_limit(int max, long long bytes)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%lld", bytes);

	return pwrite(max, text, len, 0) == len ? 0 : -errno;
}

FIXTURE_SETUP(memcg)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	/* A huge page under this program's data would be charged, too, and is as large as SLACK. */
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	ASSERT_EQ(0, put_text(CGROUP "/cgroup.subtree_control", "+memory"));
	/* What a test has left that was killed. */
	rmdir(GROUP);
	ASSERT_EQ(0, mkdir(GROUP, 0755));
	self->max = open(GROUP "/memory.max", O_WRONLY | O_CLOEXEC);
	ASSERT_EQ(0, set_limit(self->max, LIMIT));
	ASSERT_EQ(0, put_text(GROUP "/cgroup.procs", "0"));
	self->start = current_bytes();
	self->kills = event("/proc/vmstat", "oom_kill");
	ASSERT_LE(0, self->kills);
	ASSERT_LE(0, self->start);
}

FIXTURE_TEARDOWN(memcg)
{
	EXPECT_EQ(0, event(GROUP "/memory.events", "oom_kill"));
	EXPECT_EQ(self->kills, event("/proc/vmstat", "oom_kill"));
	EXPECT_EQ(0, put_text(CGROUP "/cgroup.procs", "0"));
	EXPECT_EQ(0, rmdir(GROUP));
	close(self->max);
	close(self->dev);
}

/* Each type that has memory from the start. */
TEST_F(memcg, create_over_the_limit)
{
	int inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	const struct shape shapes[] = {
		{ BPFMAPS_TYPE_ARRAY, 4, 8, 64 * MIB / 8, 0, 0 },
		{ BPFMAPS_TYPE_ARRAY, 4, 4096, 64 * MIB / 4096, BPFMAPS_F_MMAPABLE, 0 },
		{ BPFMAPS_TYPE_ARRAY, 4, 64 * MIB, 1, 0, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 8, 1 << 20, 0, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 2 * MIB, 32, 0, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 8, 1 << 22, BPFMAPS_F_NO_PREALLOC, 0 },
		{ BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 1 << 20, 0, 0 },
		{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 32768, 4096, 0, 0 },
		{ BPFMAPS_TYPE_LRU_HASH, 4, 8, 1 << 20, 0, 0 },
		{ BPFMAPS_TYPE_LRU_PERCPU_HASH, 4, 8, 1 << 20, 0, 0 },
		{ BPFMAPS_TYPE_ARRAY_OF_MAPS, 4, 4, 8 * MIB, 0, inner },
		{ BPFMAPS_TYPE_HASH_OF_MAPS, 4, 4, 1 << 20, 0, inner },
		{ BPFMAPS_TYPE_QUEUE, 0, 1000, 1 << 16, 0, 0 },
		{ BPFMAPS_TYPE_STACK, 0, 1000, 1 << 16, 0, 0 },
		{ BPFMAPS_TYPE_RINGBUF, 0, 0, 64 * MIB, 0, 0 },
		{ BPFMAPS_TYPE_USER_RINGBUF, 0, 0, 64 * MIB, 0, 0 },
		{ BPFMAPS_TYPE_BLOOM_FILTER, 0, 8, 1 << 27, 0, 0 },
	};
	__u32 id = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		EXPECT_EQ(-ENOMEM, shape_create(self->dev, &shapes[i]))
			TH_LOG("shape %zu", i);
	set_limit(self->max, PLENTY);
	close(inner);
	EXPECT_GE(self->start + SLACK, settle(self->start + SLACK));
	EXPECT_EQ(-ENOENT, bm_next_id(self->dev, 0, &id));
}

/*
 * Sets keys from 0 on until one fails, at most @max of them. This program is in the group, and what
 * it does later may need memory, so it gets some, before anything else happens.
 */
static __u32 fill_up(int limit, int map, const void *value, __u32 max, int *err)
{
	__u32 key = 0;

	*err = 0;
	while (key < max) {
		*err = bm_update(map, &key, value, BPFMAPS_ANY);
		if (*err)
			break;
		key++;
	}
	set_limit(limit, PLENTY);
	return key;
}

/* The keys before the first that could not be set are there; the map works on. */
TEST_F(memcg, insert_over_the_limit)
{
	static const __u32 sizes[] = { 8, 100, 1000, 4000, 10000, 100000, 1000000 };
	static unsigned char value[1000000];
	__u32 key, max, first = 0;
	long long room;
	size_t i;
	int map, err;

	/* All of it is this program's own before the group is full. */
	memset(value, 1, sizeof(value));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* The table of buckets is large where locks are; it is not to take the room. */
		set_limit(self->max, PLENTY);
		/* Of small ones there are many in little room. */
		room = sizes[i] < 10000 ? scaled(LIMIT) : LIMIT;
		max = 2 * room / (sizes[i] + 64);
		map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, sizes[i], max,
				BPFMAPS_F_NO_PREALLOC);
		ASSERT_LE(0, map);
		set_limit(self->max, current_bytes() + room);
		key = fill_up(self->max, map, value, max, &err);
		EXPECT_EQ(-ENOMEM, err);
		printf("# %u values of %u bytes in %lld KiB\n", key, sizes[i], room >> 10);
		fflush(stdout);
		EXPECT_LT(2, key);
		EXPECT_EQ(-ENOENT, bm_lookup(map, &key, value));
		EXPECT_EQ(0, bm_lookup(map, &first, value));
		EXPECT_EQ(key, bm_count(map, 4, max));
		close(map);
		EXPECT_GE(self->start + SLACK, settle(self->start + SLACK));
	}
}

/* As fill_up(), with keys of the type, and values that may be maps. */
static __u32 fill_type(int limit, int map, const struct shape *s, int *err)
{
	static unsigned char value[1 << 16], key[1 << 17];
	__u32 n = 0, prefix = 32;

	memset(value, 1, sizeof(value));
	if (s->inner)
		memcpy(value, &s->inner, sizeof(s->inner));
	memset(key, 0, sizeof(key));
	for (*err = 0; n < s->max && !*err; n += !*err) {
		/* In a trie behind the length of a prefix. */
		memcpy(key, &prefix, sizeof(prefix));
		memcpy(key + s->key - sizeof(n), &n, sizeof(n));
		*err = bm_update(map, key, value, BPFMAPS_ANY);
	}
	set_limit(limit, PLENTY);
	return n;
}

/* The other types whose elements come one by one. */
TEST_F(memcg, insert_into_each_type)
{
	int inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	const struct shape shapes[] = {
		{ BPFMAPS_TYPE_PERCPU_HASH, 4, 4000, 10000, BPFMAPS_F_NO_PREALLOC, 0 },
		{ BPFMAPS_TYPE_LPM_TRIE, 8, 4000, 10000, BPFMAPS_F_NO_PREALLOC, 0 },
		{ BPFMAPS_TYPE_HASH_OF_MAPS, 100000, 4, 1000, BPFMAPS_F_NO_PREALLOC, inner },
	};
	__u32 inserted;
	size_t i;
	int map, err;

	ASSERT_LE(0, inner);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		set_limit(self->max, PLENTY);
		map = shape_create(self->dev, &shapes[i]);
		ASSERT_LE(0, map);
		set_limit(self->max, current_bytes() + LIMIT / 4);
		inserted = fill_type(self->max, map, &shapes[i], &err);
		EXPECT_EQ(-ENOMEM, err);
		printf("# type %u: %u elements\n", shapes[i].type, inserted);
		fflush(stdout);
		EXPECT_LT(20, inserted);
		EXPECT_EQ(inserted, bm_count(map, shapes[i].key, shapes[i].max));
		close(map);
	}
	close(inner);
	EXPECT_GE(self->start + SLACK, settle(self->start + SLACK));
}

/* Deleting makes room again. */
TEST_F(memcg, delete_makes_room)
{
	int map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 20000, 10000, BPFMAPS_F_NO_PREALLOC);
	static unsigned char value[20000];
	long long empty = current_bytes();
	__u32 key, i;
	int err;

	ASSERT_LE(0, map);
	memset(value, 1, sizeof(value));
	key = fill_up(self->max, map, value, 10000, &err);
	ASSERT_EQ(-ENOMEM, err);
	for (i = 0; i < key; i++)
		EXPECT_EQ(0, bm_delete(map, &i));
	EXPECT_GE(empty + SLACK, settle(empty + SLACK));
	EXPECT_EQ(0, set_limit(self->max, LIMIT));
	for (i = 0; i < key / 2; i++)
		EXPECT_EQ(0, bm_update(map, &i, value, BPFMAPS_NOEXIST));
	close(map);
}

/* What only waits for readers is room: replacing in a full map never fails. */
TEST_F(memcg, replaced_at_the_limit)
{
	static const struct shape shapes[] = {
		{ BPFMAPS_TYPE_HASH, 4, 256 << 10, 4, BPFMAPS_F_NO_PREALLOC, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 2 * MIB, 4, 0, 0 },
	};
	static unsigned char value[2 * MIB];
	/* The buffer is charged to the group as well. */
	const long long rest = self->start + SLACK + sizeof(value);
	const __u32 rounds = scaled(300);
	unsigned int failed;
	__u32 key, n;
	size_t i;
	int map;

	memset(value, 1, sizeof(value));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		map = shape_create(self->dev, &shapes[i]);
		ASSERT_LE(0, map);
		for (n = 0, failed = 0; n < rounds; n++) {
			key = n % 4;
			failed += bm_update(map, &key, value, BPFMAPS_ANY) != 0;
			/* Close above what the map and one call need. */
			if (n == 3)
				set_limit(self->max, current_bytes() + 3 * shapes[i].value);
		}
		printf("# %u bytes: %u of %u updates failed\n", shapes[i].value, failed, n);
		fflush(stdout);
		EXPECT_EQ(0, failed);
		set_limit(self->max, LIMIT);
		close(map);
		EXPECT_GE(rest, settle(rest));
	}
}

/* What was deleted only waits for readers: there is room for a call that needs as much again. */
TEST_F(memcg, deleted_is_room)
{
	static const struct shape shapes[] = {
		{ BPFMAPS_TYPE_HASH, 4, 2 * MIB, 4, BPFMAPS_F_NO_PREALLOC, 0 },
		{ BPFMAPS_TYPE_LPM_TRIE, 8, 2 * MIB, 4, BPFMAPS_F_NO_PREALLOC, 0 },
	};
	static unsigned char value[2 * MIB];
	const __u32 rounds = scaled(100);
	__u32 prefix[2] = { 32 }, *nr = &prefix[1], n, failed;
	const __u32 *key;
	long long full;
	size_t i;
	int map;

	memset(value, 1, sizeof(value));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		map = shape_create(self->dev, &shapes[i]);
		ASSERT_LE(0, map);
		key = shapes[i].key == sizeof(prefix) ? prefix : nr;
		for (n = 0, failed = 0; n < rounds; n++) {
			set_limit(self->max, PLENTY);
			for (*nr = 0; *nr < 4; ++*nr)
				EXPECT_EQ(0, bm_update(map, key, value, BPFMAPS_ANY));
			full = current_bytes();
			while ((*nr)--)
				EXPECT_EQ(0, bm_delete(map, key));
			set_limit(self->max, full + MIB);
			*nr = 0;
			failed += bm_update(map, key, value, BPFMAPS_ANY) != 0;
		}
		printf("# type %u: %u of %u updates failed\n", shapes[i].type, failed, n);
		fflush(stdout);
		EXPECT_EQ(0, failed);
		set_limit(self->max, PLENTY);
		close(map);
	}
}

/* Who puts out an old value for a new one needs no more room, from the first time on. */
TEST_F(memcg, puts_out_at_the_limit)
{
	static const struct shape shapes[] = {
		{ BPFMAPS_TYPE_LRU_HASH, 4, 2 * MIB, 4, 0, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 2 * MIB, 4, 0, 0 },
		{ BPFMAPS_TYPE_QUEUE, 0, 2 * MIB, 4, 0, 0 },
		{ BPFMAPS_TYPE_STACK, 0, 2 * MIB, 4, 0, 0 },
	};
	static unsigned char value[2 * MIB];
	/* The buffer is charged to the group as well. */
	const long long rest = self->start + SLACK + sizeof(value);
	const __u32 rounds = scaled(50);
	__u32 key, n, failed;
	size_t i;
	int map;

	memset(value, 1, sizeof(value));
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		const bool lru = shapes[i].type == BPFMAPS_TYPE_LRU_HASH;

		set_limit(self->max, PLENTY);
		map = shape_create(self->dev, &shapes[i]);
		ASSERT_LE(0, map);
		for (n = 0, failed = 0; n < 4 + rounds; n++) {
			/* Room for the copy of a value that a call makes, not for another one. */
			if (n == 4)
				set_limit(self->max, current_bytes() + 3 * MIB);
			key = lru ? n : n % 4;
			failed += bm_update(map, shapes[i].key ? &key : NULL, value,
					    n < 4 || lru ? BPFMAPS_ANY : BPFMAPS_EXIST) != 0;
		}
		printf("# type %u: %u of %u updates failed\n", shapes[i].type, failed, n);
		fflush(stdout);
		EXPECT_EQ(0, failed);
		set_limit(self->max, PLENTY);
		close(map);
		EXPECT_GE(rest, settle(rest));
	}
}

/* memory.current tells what a map holds, and no longer when it is gone. */
TEST_F(memcg, charged_and_given_back)
{
	static const struct shape shapes[] = {
		{ BPFMAPS_TYPE_ARRAY, 4, 8, 8 * MIB / 8, 0, 0 },
		{ BPFMAPS_TYPE_ARRAY, 4, 1000, 8 * MIB / 1000, BPFMAPS_F_MMAPABLE, 0 },
		{ BPFMAPS_TYPE_HASH, 4, 1000, 8 * MIB / 1000, 0, 0 },
	};
	long long held, after;
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		map = shape_create(self->dev, &shapes[i]);
		ASSERT_LE(0, map);
		held = current_bytes() - self->start;
		EXPECT_LT(8 * MIB - SLACK, held);
		EXPECT_LE(8 * MIB - SLACK, bm_fdinfo(map, "memlock"));
		/* Not more than is true, but for what is reserved. */
		EXPECT_GT(held + SLACK, bm_fdinfo(map, "memlock"));
		close(map);
		after = settle(self->start + SLACK) - self->start;
		EXPECT_GT(SLACK, after);
		printf("# shape %zu: %lld KiB held, %lld KiB afterwards\n", i, held >> 10,
		       after >> 10);
		fflush(stdout);
	}
}

/* Elements are charged to the map's maker, whoever inserts them. */
TEST_F(memcg, inserted_from_outside)
{
	int map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 10000, 10000, BPFMAPS_F_NO_PREALLOC);
	static unsigned char value[10000];
	long long before = current_bytes();
	int err;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, put_text(CGROUP "/cgroup.procs", "0"));
	fill_up(self->max, map, value, 10000, &err);
	EXPECT_EQ(-ENOMEM, err);
	EXPECT_LT(before + LIMIT / 2, current_bytes());
	close(map);
	EXPECT_GE(self->start + SLACK, settle(self->start + SLACK));
}

/* memlock counts the elements, those that were there from the start and those that came. */
TEST_F(memcg, memlock)
{
	static const __u32 sizes[] = { 1, 8, 100, 3000, 50000 };
	static unsigned char value[50000];
	long long empty, full;
	__u32 key;
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		map = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, sizes[i], 100, 0);
		EXPECT_LE(100LL * sizes[i], bm_fdinfo(map, "memlock"));
		close(map);
		map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, sizes[i], 100, 0);
		EXPECT_LE(100LL * (4 + sizes[i]), bm_fdinfo(map, "memlock"));
		close(map);
		map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, sizes[i], 100,
				BPFMAPS_F_NO_PREALLOC);
		empty = bm_fdinfo(map, "memlock");
		for (key = 0; key < 100; key++)
			EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
		full = bm_fdinfo(map, "memlock");
		EXPECT_LT(0, empty);
		EXPECT_LE(empty + 100LL * (4 + sizes[i]), full);
		printf("# values of %u bytes: memlock %lld, with 100 elements %lld\n", sizes[i],
		       empty, full);
		fflush(stdout);
		close(map);
	}
}

/**
 * struct stop - calls that are stopped while they read their values
 * @hole: where
 * @map: the map
 * @value: what all of them read
 * @nr: how many there are
 * @next: the key of the next one
 * @failed: how many of them
 * @barrier: all are about to call, and then all call
 */
struct stop {
	struct hole hole;
	int map;
	const void *value;
	__u32 nr;
	__u32 next;
	unsigned int failed;
	pthread_barrier_t barrier;
};

static void *call_and_stop(void *arg)
{
	struct stop *s = arg;
	__u32 key = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);

	pthread_barrier_wait(&s->barrier);
	pthread_barrier_wait(&s->barrier);
	if (bm_update(s->map, &key, s->value, BPFMAPS_ANY))
		__atomic_fetch_add(&s->failed, 1, __ATOMIC_RELAXED);
	hole_tell_through(&s->hole);
	return NULL;
}

/* How many bytes @s->nr calls have that are stopped, or -1 if one is not. */
static long long held_by_calls(struct stop *s)
{
	pthread_t threads[MOST_STOPPED];
	long long held, start;
	__u32 i;

	pthread_barrier_init(&s->barrier, NULL, s->nr + 1);
	for (i = 0; i < s->nr; i++)
		if (pthread_create(&threads[i], NULL, call_and_stop, s))
			return -1;
	pthread_barrier_wait(&s->barrier);
	/* By now all have their stacks. */
	start = current_bytes();
	pthread_barrier_wait(&s->barrier);
	for (i = 0; i < s->nr && hole_is_met(&s->hole); i++)
		;
	held = current_bytes() - start;
	hole_fill(&s->hole);
	for (i = 0; i < s->nr; i++)
		pthread_join(threads[i], NULL);
	return held;
}

/* What a call has copied while it waits for the rest is charged. */
static void expect_calls_charged(struct __test_metadata *_metadata,
				 struct _test_data_memcg *self, __u32 size, __u32 nr)
{
	unsigned char *value = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stop s = { .value = value, .nr = nr };
	long long held;

	ASSERT_NE(MAP_FAILED, (void *)value);
	memset(value, 1, size);
	set_limit(self->max, PLENTY);
	s.map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, size, nr, BPFMAPS_F_NO_PREALLOC);
	ASSERT_LE(0, s.map);
	ASSERT_TRUE(hole_open(&s.hole));
	ASSERT_TRUE(hole_make(&s.hole, value + (size - 1) / PAGE * PAGE, PAGE));
	held = held_by_calls(&s);
	printf("# %u calls with %u bytes: %lld KiB held\n", nr, size, held >> 10);
	fflush(stdout);
	EXPECT_LT((long long)nr * size - SLACK, held);
	EXPECT_EQ(0, s.failed);
	hole_close(&s.hole);
	close(s.map);
}

TEST_F(memcg, calls_under_way_with_slabs)
{
	expect_calls_charged(_metadata, self, 16000, MOST_STOPPED);
}

TEST_F(memcg, calls_under_way_with_pages)
{
	expect_calls_charged(_metadata, self, MIB, 8);
}

/* Failing again and again leaks nothing. */
TEST_F(memcg, failures_leak_nothing)
{
	static const struct shape big = { BPFMAPS_TYPE_HASH, 4, 1000, 64 * MIB / 1000, 0, 0 };
	int i;

	for (i = 0; i < 20; i++)
		EXPECT_EQ(-ENOMEM, shape_create(self->dev, &big));
	set_limit(self->max, PLENTY);
	EXPECT_GE(self->start + SLACK, settle(self->start + SLACK));
}

TEST_HARNESS_MAIN
