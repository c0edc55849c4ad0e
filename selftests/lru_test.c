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

static int touch(int map, __u32 key)
{
	return bm_elem(map, BPFMAPS_MAP_LOOKUP_ELEM, &key, value, BPFMAPS_F_TOUCH);
}

/* An element that was used by a look-up too long ago to be told apart from the others by lists. */
TEST(uses_from_long_ago)
{
	enum { FIRST, A, B, LATER, NEW, NEWER };
	int dev = bm_open(), map;
	__u32 key;
	size_t t;
	int i;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		map = bm_create(dev, types[t], 4, 8, 4, 0);
		ASSERT_LE(0, map);
		for (key = FIRST; key <= B; key++)
			EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
		EXPECT_EQ(0, touch(map, A));
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
		for (i = 0; i < 40; i++)
			EXPECT_EQ(0, touch(map, FIRST));
		key = NEW;
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
		key = B;
		EXPECT_EQ(-ENOENT, bm_lookup(map, &key, value));
		key = NEWER;
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
		key = A;
		EXPECT_EQ(-ENOENT, bm_lookup(map, &key, value));
		key = LATER;
		EXPECT_EQ(0, bm_lookup(map, &key, value));
		close(map);
	}
	close(dev);
}

/*
 * In a large map too, elements that were looked up go after those that were not, even if since then
 * there were so many uses of others that all of them are equally old to the lists.
 */
TEST(uses_from_long_ago_in_a_large_map)
{
	const __u32 max = 2000, hot = 100, touched = 1100, new = 800;
	__u32 key, i, missing = 0, hot_missing = 0;
	int dev = bm_open(), map;

	map = bm_create(dev, BPFMAPS_TYPE_LRU_HASH, 4, 8, max, 0);
	ASSERT_LE(0, map);
	for (key = 0; key < max; key++)
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
	for (key = hot; key < touched; key++)
		EXPECT_EQ(0, touch(map, key));
	for (i = 0; i < 100 * hot; i++)
		EXPECT_EQ(0, touch(map, i % hot));
	for (key = max; key < max + new; key++)
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_NOEXIST));
	for (key = hot; key < touched; key++)
		missing += bm_lookup(map, &key, value) != 0;
	for (key = 0; key < hot; key++)
		hot_missing += bm_lookup(map, &key, value) != 0;
	printf("# %u that were used are missing, %u that were used much\n", missing, hot_missing);
	EXPECT_EQ(0, missing);
	EXPECT_EQ(0, hot_missing);
	close(map);
	close(dev);
}

/* The keys of a map of up to 31 elements, by their last use, the oldest first. */
static struct model {
	__u32 keys[31];
	__u32 nr;
} model;

static bool model_drop(__u32 key)
{
	__u32 i;

	for (i = 0; i < model.nr && model.keys[i] != key; i++)
		;
	if (i == model.nr)
		return false;
	model.nr--;
	memmove(&model.keys[i], &model.keys[i + 1], (model.nr - i) * sizeof(key));
	return true;
}

static bool model_touch(__u32 key)
{
	if (!model_drop(key))
		return false;
	model.keys[model.nr++] = key;
	return true;
}

/* Whether the map then has the key, and no more the one that had to go. */
static bool model_update(int map, __u32 max, __u32 key)
{
	bool wrong = bm_update(map, &key, value, BPFMAPS_ANY);
	__u32 victim;

	if (model_touch(key))
		return !wrong;
	if (model.nr == max) {
		victim = model.keys[0];
		model_drop(victim);
		wrong |= bm_lookup(map, &victim, value) != -ENOENT;
	}
	model.keys[model.nr++] = key;
	return !wrong && !bm_lookup(map, &key, value);
}

/* Up to 200 look-ups of only some of the keys. */
static bool model_burst(int map, __u32 keys, unsigned int *dice)
{
	__u32 some = 1 + rand_r(dice) % keys, start = rand_r(dice), key;
	int i, nr = rand_r(dice) % 200;

	for (i = 0; i < nr; i++) {
		key = (start + rand_r(dice) % some) % keys;
		if (touch(map, key) != (model_touch(key) ? 0 : -ENOENT))
			return false;
	}
	return true;
}

static bool model_step(int map, __u32 max, unsigned int *dice)
{
	__u32 keys = max + max / 2 + 2, key = rand_r(dice) % keys;

	switch (rand_r(dice) % 16) {
	case 0:
		return model_burst(map, keys, dice);
	case 1:
		return bm_delete(map, &key) == (model_drop(key) ? 0 : -ENOENT);
	case 2 ... 6:
		return touch(map, key) == (model_touch(key) ? 0 : -ENOENT);
	default:
		return model_update(map, max, key);
	}
}

/* How many steps go as a map should that evicts exactly by the last use. */
static unsigned int right_steps(int map, __u32 max, unsigned int steps)
{
	unsigned int dice = max, i;

	model.nr = 0;
	for (i = 0; i < steps && model_step(map, max, &dice); i++)
		;
	return i;
}

/* With NO_COMMON_LRU this holds for the elements of each CPU, so all are inserted on one. */
TEST(small_maps_are_exact)
{
	static const __u32 maxes[] = { 1, 2, 3, 4, 7, 16, 30, 31 };
	static const __u32 flags[] = { 0, BPFMAPS_F_NO_COMMON_LRU };
	unsigned int i, right, steps = scaled(3000), cpus = bm_possible_cpus();
	int dev = bm_open(), map;
	cpu_set_t all, one;
	__u32 max, f, type;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	for (i = 0; i < 2 * ARRAY_SIZE(types) * ARRAY_SIZE(maxes); i++) {
		type = types[i % 2];
		f = flags[i / 2 % 2];
		max = maxes[i / 4];
		map = bm_create(dev, type, 4, 8, f ? max * cpus : max, f);
		ASSERT_LE(0, map);
		right = right_steps(map, max, steps);
		if (right != steps)
			printf("# type %u, %u elements, flags %#x: step %u is wrong\n", type, max,
			       f, right);
		EXPECT_EQ(steps, right);
		close(map);
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
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
