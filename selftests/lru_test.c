// SPDX-License-Identifier: GPL-2.0-only
/*
 * LRU_HASH and LRU_PERCPU_HASH: never too many, never too early, and the oldest goes
 */
#include <pthread.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "scale.h"

static __u32 types[] = { BPFMAPS_TYPE_LRU_HASH, BPFMAPS_TYPE_LRU_PERCPU_HASH };
static unsigned char value[1 << 16];
static struct both b;

static void create_one(__u32 type, __u32 flags, __u32 node, __u32 max)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 8, .max_entries = max,
		.map_flags = flags, .numa_node = node,
	};

	if (both_create(&b, &attr))
		both_close(&b);
}

TEST(create)
{
	__u32 bit;
	size_t t;

	both_open(&b);
	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (bit = 0; bit < 20; bit++) {
			create_one(types[t], 1U << bit, 0, 10);
			create_one(types[t], 1U << bit | BPFMAPS_F_NO_COMMON_LRU, 0, 10);
		}
		create_one(types[t], 0, 0, 0);
		create_one(types[t], 0, 0, 0x80000001);
	}
	both_report(&b, "create");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(80, b.compared);
}

/* Filled one by one the map holds the newest keys, exactly, as long as it is small. */
TEST(the_oldest_goes)
{
	__u32 key, old, max;
	int dev = bm_open(), map;
	unsigned int wrong;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (max = 1; max <= 31; max = 2 * max + 1) {
			map = bm_create(dev, types[t], 4, 8, max, 0);
			ASSERT_LE(0, map);
			for (key = 0, wrong = 0; key < 6 * max; key++) {
				EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
				/* A look-up from user space does not disturb the order. */
				old = key + 1 - max;
				wrong += key + 1 >= max && bm_lookup(map, &old, value);
				old = key - max;
				wrong += key >= max && bm_lookup(map, &old, value) != -ENOENT;
			}
			printf("# %u elements: %u wrong of %u insertions\n", max, wrong, 6 * max);
			EXPECT_EQ(0, wrong);
			EXPECT_EQ(max, bm_count(map, 4, 1000));
			close(map);
		}
	}
	close(dev);
}

/* In a large map what is older than a few generations goes, and nothing newer. */
TEST(large_maps_are_nearly_exact)
{
	const __u32 max = 2000, slack = 2000 / 8;
	__u32 key, missing = 0, left = 0;
	int dev = bm_open(), map;

	map = bm_create(dev, BPFMAPS_TYPE_LRU_HASH, 4, 8, max, 0);
	ASSERT_LE(0, map);
	for (key = 0; key < 3 * max; key++)
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
	for (key = 2 * max + slack; key < 3 * max; key++)
		missing += bm_lookup(map, &key, value) != 0;
	for (key = 0; key < 2 * max - slack; key++)
		left += bm_lookup(map, &key, value) == 0;
	printf("# %u new ones missing, %u old ones left\n", missing, left);
	EXPECT_EQ(0, missing);
	EXPECT_EQ(0, left);
	EXPECT_EQ(max, bm_count(map, 4, 2 * max));
	close(map);
	close(dev);
}

/* An update counts as use, in place (8 and 1000 bytes) and by another element (5000). */
TEST(an_update_is_a_use)
{
	static const __u32 sizes[] = { 8, 1000, 5000 };
	int dev = bm_open(), map;
	__u32 key, i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		map = bm_create(dev, BPFMAPS_TYPE_LRU_HASH, 4, sizes[i], 4, 0);
		ASSERT_LE(0, map);
		for (key = 0; key < 4; key++)
			EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
		key = 0;
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_EXIST));
		EXPECT_EQ(4, bm_count(map, 4, 10));
		key = 4;
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
		key = 0;
		EXPECT_EQ(0, bm_lookup(map, &key, value));
		key = 1;
		EXPECT_EQ(-ENOENT, bm_lookup(map, &key, value));
		close(map);
	}
	close(dev);
}

/* Replacing a key in a full map puts nobody out. */
TEST(replacing_evicts_nobody)
{
	static const __u32 sizes[] = { 8, 1000, 5000 };
	int dev = bm_open(), map;
	__u32 key = 3, i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		map = bm_create(dev, BPFMAPS_TYPE_LRU_HASH, 4, sizes[i], 10, 0);
		ASSERT_LE(0, map);
		for (n = 0; n < 10; n++)
			EXPECT_EQ(0, bm_update(map, &n, value, BPFMAPS_ANY));
		for (n = 0; n < 100; n++)
			EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
		EXPECT_EQ(10, bm_count(map, 4, 100));
		close(map);
	}
	close(dev);
}

static int shared;
static __u32 keys;
static int failed;

static void *churn(void *arg)
{
	unsigned int seed = (unsigned long)arg, nr = scaled(4000), n;
	__u32 key;
	int err;

	for (n = 0; n < nr; n++) {
		key = rand_r(&seed) % keys;
		if (rand_r(&seed) % 4)
			err = bm_update(shared, &key, value, BPFMAPS_ANY);
		else
			err = bm_delete(shared, &key);
		if (err && err != -ENOENT)
			__atomic_fetch_add(&failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Several threads: no update fails, and no place is lost or given twice. */
TEST(several_threads)
{
	static const __u32 maxes[] = { 1, 2, 7, 500 }, sizes[] = { 8, 4000 };
	int dev = bm_open(), cpus = sysconf(_SC_NPROCESSORS_CONF);
	__u32 flags, key, limit, i, j;
	pthread_t threads[3];
	unsigned long t;

	for (i = 0; i < ARRAY_SIZE(maxes) * ARRAY_SIZE(sizes) * 2; i++) {
		flags = i % 2 ? BPFMAPS_F_NO_COMMON_LRU : 0;
		j = i / 2 % ARRAY_SIZE(sizes);
		limit = maxes[i / 4];
		shared = bm_create(dev, BPFMAPS_TYPE_LRU_HASH, 4, sizes[j], limit, flags);
		ASSERT_LE(0, shared);
		if (flags)
			limit = (limit + cpus - 1) / cpus * cpus;
		keys = 2 * limit;
		for (t = 0; t < ARRAY_SIZE(threads); t++)
			pthread_create(&threads[t], NULL, churn, (void *)(t + 1));
		for (t = 0; t < ARRAY_SIZE(threads); t++)
			pthread_join(threads[t], NULL);
		printf("# %u elements, flags %#x, values of %u: %u left, %d failed\n", limit,
		       flags, sizes[j], bm_count(shared, 4, 5000), failed);
		EXPECT_EQ(0, failed);
		EXPECT_LE(bm_count(shared, 4, 5000), limit);
		for (key = 0; key < 4 * limit; key++)
			EXPECT_EQ(0, bm_update(shared, &key, value, BPFMAPS_ANY));
		if (!flags)
			EXPECT_EQ(limit, bm_count(shared, 4, 5000));
		close(shared);
	}
	close(dev);
}

static void touch_all(int map, __u32 max, __u64 flags)
{
	static __u32 keys[1000];
	__u32 out;
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF,
		.out_batch = (unsigned long)&out,
		.keys = (unsigned long)keys,
		.values = (unsigned long)value,
		.count = max,
		.elem_flags = flags,
	};

	bm_call(map, BPFMAPS_MAP_LOOKUP_BATCH, &a, sizeof(a));
}

/*
 * With BPFMAPS_F_TOUCH, or BPFMAPS_F_TOUCH_LOOKUP from the map's creation on, a look-up keeps an
 * element young; without them it does not. Returns how many of the @kept elements are left when as
 * many new ones came as fit beside them.
 */
static __u32 kept_by_lookups(int dev, __u32 type, __u32 create_flags, __u64 flags, bool in_batch)
{
	const __u32 max = 1000, kept = 100;
	int map = bm_create(dev, type, 4, 8, max, create_flags);
	__u32 key, k, left = 0;

	for (key = 0; key < max; key++)
		bm_update(map, &key, value, BPFMAPS_NOEXIST);
	for (; key < 2 * max; key++) {
		if (key % 100 == 0 && in_batch)
			touch_all(map, max, flags);
		for (k = 0; k < kept && key % 100 == 0 && !in_batch; k++)
			bm_elem(map, BPFMAPS_MAP_LOOKUP_ELEM, &k, value, flags);
		bm_update(map, &key, value, BPFMAPS_NOEXIST);
	}
	for (k = 0; k < kept; k++)
		left += !bm_lookup(map, &k, value);
	close(map);
	return left;
}

TEST(touched_by_lookups)
{
	int dev = bm_open();
	__u32 none, one, always;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		none = kept_by_lookups(dev, types[t], 0, 0, false);
		one = kept_by_lookups(dev, types[t], 0, BPFMAPS_F_TOUCH, false);
		always = kept_by_lookups(dev, types[t], BPFMAPS_F_TOUCH_LOOKUP, 0, false);
		printf("# kept of 100: %u without, %u with the look-up's flag, %u with the map's\n",
		       none, one, always);
		EXPECT_EQ(0, none);
		EXPECT_EQ(100, one);
		EXPECT_EQ(100, always);
	}
	close(dev);
}

/* A batch touches all that it delivers, so no element is older than those of the last batch. */
TEST(touched_by_batches)
{
	int dev = bm_open();
	__u32 none, one;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		none = kept_by_lookups(dev, types[t], 0, 0, true);
		one = kept_by_lookups(dev, types[t], 0, BPFMAPS_F_TOUCH, true);
		printf("# kept of 100: %u without, %u with the flag\n", none, one);
		EXPECT_EQ(0, none);
		EXPECT_LT(0, one);
	}
	close(dev);
}

/* Types without an age have nothing to touch. */
TEST(touch_is_for_lru_types)
{
	int dev = bm_open();
	int hash = bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, 10, 0);
	__u32 key = 0;

	EXPECT_EQ(0, bm_update(hash, &key, value, BPFMAPS_ANY));
	EXPECT_EQ(-EINVAL, bm_elem(hash, BPFMAPS_MAP_LOOKUP_ELEM, &key, value, BPFMAPS_F_TOUCH));
	EXPECT_EQ(-EINVAL, bm_update(hash, &key, value, BPFMAPS_F_TOUCH));
	EXPECT_EQ(-EINVAL, bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, 10, BPFMAPS_F_TOUCH_LOOKUP));
	EXPECT_EQ(-EINVAL, bm_create(dev, BPFMAPS_TYPE_ARRAY, 4, 8, 10, BPFMAPS_F_TOUCH_LOOKUP));
	close(hash);
	close(dev);
}

TEST_HARNESS_MAIN
