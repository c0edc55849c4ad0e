// SPDX-License-Identifier: GPL-2.0-only
/*
 * BLOOM_FILTER: errors compared with bpf(2); what was added is found, and little else
 */
#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "release.h"

static struct both b;

static struct bpfmaps_create_attr good(__u32 value, __u32 max, __u64 extra)
{
	return (struct bpfmaps_create_attr) {
		.map_type = BPFMAPS_TYPE_BLOOM_FILTER, .value_size = value, .max_entries = max,
		.map_extra = extra,
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
	size_t i;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		attr = good(values[i], 10, 0);
		create_one(&attr);
	}
	for (i = 0; i < 20; i++) {
		attr = good(8, 10, 0);
		attr.map_flags = 1U << i;
		create_one(&attr);
		attr = good(8, 10, i);
		create_one(&attr);
	}
	attr = good(8, 0, 0);
	create_one(&attr);
	attr = good(8, 10, 1ULL << 32);
	create_one(&attr);
	attr = good(8, 10, 0);
	attr.key_size = 4;
	create_one(&attr);
	both_report(&b, "create");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(45, b.compared);
}

/* Operations that fail, or whose result does not hang on the seed. */
TEST(operations)
{
	struct bpfmaps_create_attr attr = good(8, 100, 3);
	__u32 key = 0;
	__u64 flags;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	ASSERT_TRUE(both_create(&b, &attr));
	EXPECT_EQ(-ENOENT, both_lookup(&b, NULL, 0));
	for (flags = 0; flags < 9; flags++) {
		both_update(&b, NULL, 8, flags);
		both_update(&b, &key, 8, flags);
		both_lookup(&b, &key, flags);
		both_take(&b, NULL, flags);
		both_take(&b, &key, flags);
	}
	EXPECT_EQ(-EOPNOTSUPP, both_delete(&b, NULL));
	EXPECT_EQ(-EINVAL, both_delete(&b, &key));
	EXPECT_EQ(-EOPNOTSUPP, both_next(&b, NULL));
	EXPECT_EQ(-EINVAL, both_next(&b, &key));
	EXPECT_EQ(0, both_update(&b, NULL, 8, BPFMAPS_ANY));
	EXPECT_EQ(0, both_lookup(&b, NULL, 0));
	both_close(&b);
	both_report(&b, "operations");
	EXPECT_EQ(0, b.differ);
}

TEST(no_false_no_and_few_false_yes)
{
	static const __u64 hashes[] = { 0, 1, 5, 15 };
	struct bpfmaps_create_attr attr;
	unsigned int lost, wrong;
	int dev = bm_open(), map;
	__u64 value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		attr = good(sizeof(value), 1000, hashes[i]);
		map = bm_call(dev, BPFMAPS_MAP_CREATE, &attr, sizeof(attr));
		ASSERT_LE(0, map);
		for (value = 0, lost = 0, wrong = 0; value < 1000; value++)
			bm_update(map, NULL, &value, 0);
		for (value = 0; value < 1000; value++)
			lost += bm_lookup(map, NULL, &value) != 0;
		for (value = 1000; value < 6000; value++)
			wrong += bm_lookup(map, NULL, &value) == 0;
		printf("# %llu functions: %u lost, %u of 5000 wrong\n", hashes[i], lost, wrong);
		EXPECT_EQ(0, lost);
		/* With one function half of the bits are set; the default is far better. */
		EXPECT_GT(hashes[i] == 1 ? 3500 : 600, wrong);
		close(map);
	}
	close(dev);
}

TEST_HARNESS_MAIN
