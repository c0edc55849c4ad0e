// SPDX-License-Identifier: GPL-2.0-only
/*
 * QUEUE and STACK: compared with bpf(2), and what nobody may lose or get twice
 */
#include <pthread.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "scale.h"

static struct both b;
static const __u32 types[] = { BPFMAPS_TYPE_QUEUE, BPFMAPS_TYPE_STACK };

static struct bpfmaps_create_attr good(__u32 type, __u32 value, __u32 max)
{
	return (struct bpfmaps_create_attr) {
		.map_type = type, .value_size = value, .max_entries = max,
	};
}

static void create_one(const struct bpfmaps_create_attr *attr)
{
	if (both_create(&b, attr))
		both_close(&b);
}

TEST(create)
{
	static const __u32 values[] = { 0, 1, 9, 4194304, 4194305, 0xffffffff };
	struct bpfmaps_create_attr attr;
	size_t i, t;

	both_open(&b);
	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			attr = good(types[t], values[i], 3);
			create_one(&attr);
		}
		for (i = 0; i < 20; i++) {
			attr = good(types[t], 8, 3);
			attr.map_flags = 1U << i;
			create_one(&attr);
		}
		attr = good(types[t], 8, 0);
		create_one(&attr);
		attr = good(types[t], 8, 3);
		attr.key_size = 4;
		create_one(&attr);
		attr.key_size = 0;
		attr.map_extra = 1;
		create_one(&attr);
	}
	both_report(&b, "create");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(50, b.compared);
}

static void random_step(__u32 value)
{
	__u64 flags = both_rand(&b, 4) ? 0 : both_rand(&b, 9);
	__u32 some = 0;
	const void *key = both_rand(&b, 30) ? NULL : &some;

	switch (both_rand(&b, 12)) {
	case 0 ... 4:
		both_update(&b, key, value, flags);
		break;
	case 5 ... 6:
		both_lookup(&b, key, flags);
		break;
	case 7 ... 9:
		both_take(&b, key, flags);
		break;
	case 10:
		both_delete(&b, key);
		break;
	default:
		both_next(&b, key);
	}
}

TEST(random_sequences)
{
	const int steps = scaled(400);
	static const __u32 values[] = { 1, 4, 8, 13, 300, 5000, 40000 };
	static const __u32 maxes[] = { 1, 2, 7, 50 };
	struct bpfmaps_create_attr attr;
	size_t t, i, j;
	int n;

	both_open(&b);
	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			for (j = 0; j < ARRAY_SIZE(maxes); j++) {
				attr = good(types[t], values[i], maxes[j]);
				ASSERT_TRUE(both_create(&b, &attr));
				for (n = 0; n < steps; n++)
					random_step(values[i]);
				both_close(&b);
			}
		}
	}
	both_report(&b, "random sequences");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(50 * steps, b.compared);
}

/* bpf(2) loses a value that it could not copy out. */
TEST(nothing_is_lost_to_a_bad_pointer)
{
	int dev = bm_open(), map;
	__u64 value = 5;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		map = bm_create(dev, types[t], 0, 8, 3, 0);
		ASSERT_LE(0, map);
		EXPECT_EQ(0, bm_update(map, NULL, &value, 0));
		EXPECT_EQ(-EFAULT, bm_elem(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL,
					   (void *)8, 0));
		value = 0;
		EXPECT_EQ(0, bm_elem(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL, &value, 0));
		EXPECT_EQ(5, value);
		close(map);
	}
	close(dev);
}

#define THREADS	3
#define VALUES	3000

static int shared;
static unsigned char seen[THREADS * VALUES];

/* Pushes its values, and pops as many. */
static void *push_and_pop(void *arg)
{
	__u64 nr = scaled(VALUES), first = (unsigned long)arg * nr, value, i;

	for (i = 0; i < nr; i++) {
		value = first + i;
		while (bm_update(shared, NULL, &value, 0) == -E2BIG)
			;
		while (bm_elem(shared, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL, &value, 0))
			;
		__atomic_fetch_add(&seen[value], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST(each_value_comes_out_once)
{
	const size_t wanted = THREADS * scaled(VALUES);
	pthread_t threads[THREADS];
	int dev = bm_open();
	unsigned long i;
	size_t t, once;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		memset(seen, 0, sizeof(seen));
		shared = bm_create(dev, types[t], 0, 8, 2 * THREADS, 0);
		ASSERT_LE(0, shared);
		for (i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, push_and_pop, (void *)i);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (i = 0, once = 0; i < sizeof(seen); i++)
			once += seen[i] == 1;
		printf("# %zu of %zu values came out once\n", once, wanted);
		EXPECT_EQ(wanted, once);
		close(shared);
	}
	close(dev);
}

TEST_HARNESS_MAIN
