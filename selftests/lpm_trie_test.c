// SPDX-License-Identifier: GPL-2.0-only
/*
 * LPM_TRIE, compared with bpf(2): errors, the order of keys, deep tries, random sequences; then
 * large tries, and what they take
 */
#include <endian.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "release.h"
#include "scale.h"

#define DATA_MAX 256

struct key {
	__u32 prefixlen;
	__u8 data[DATA_MAX];
};

static struct both b;

static struct bpfmaps_create_attr good(__u32 data, __u32 value, __u32 max)
{
	return (struct bpfmaps_create_attr) {
		.map_type = BPFMAPS_TYPE_LPM_TRIE,
		.key_size = sizeof(__u32) + data,
		.value_size = value,
		.max_entries = max,
		.map_flags = BPFMAPS_F_NO_PREALLOC,
	};
}

static void create_one(const struct bpfmaps_create_attr *attr)
{
	if (both_create(&b, attr))
		both_close(&b);
}

TEST(create)
{
	static const __u32 sizes[] = { 0, 3, 4, 5, 8, 259, 260, 261, 0xffffffff };
	static const __u32 values[] = { 0, 1, 7, 4096, 4194304 - 256 - 41, 4194304 - 256 - 40,
					4194304 - 256 - 39, 4194304, 0xffffffff };
	static const __u32 maxes[] = { 0, 1, 0x80000000, 0x80000001, 0xffffffff };
	struct bpfmaps_create_attr attr;
	size_t i;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		attr = good(4, 8, 10);
		attr.key_size = sizes[i];
		create_one(&attr);
	}
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		attr = good(4, values[i], 10);
		create_one(&attr);
	}
	for (i = 0; i < ARRAY_SIZE(maxes); i++) {
		attr = good(4, 8, maxes[i]);
		create_one(&attr);
	}
	for (i = 0; i < 20; i++) {
		attr = good(4, 8, 10);
		attr.map_flags ^= 1U << i;
		create_one(&attr);
	}
	attr = good(4, 8, 10);
	attr.map_extra = 1;
	create_one(&attr);
	both_report(&b, "create");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(40, b.compared);
}

TEST(prefixes_too_long)
{
	struct bpfmaps_create_attr attr = good(4, 8, 10);
	struct key key = { .prefixlen = 33 };

	both_open(&b);
	ASSERT_TRUE(both_create(&b, &attr));
	EXPECT_EQ(-EINVAL, both_update(&b, &key, 8, BPFMAPS_ANY));
	EXPECT_EQ(-ENOENT, both_lookup(&b, &key, 0));
	EXPECT_EQ(-EINVAL, both_delete(&b, &key));
	key.prefixlen = 0xffffffff;
	EXPECT_EQ(-EINVAL, both_update(&b, &key, 8, BPFMAPS_ANY));
	EXPECT_EQ(-ENOENT, both_next(&b, &key));
	EXPECT_EQ(-524, both_take(&b, &key, 0));
	both_close(&b);
	EXPECT_EQ(0, b.differ);
}

/* Where no prefix was inserted, an inner node is none (CVE class: EXIST against inner nodes). */
TEST(inner_nodes_are_no_elements)
{
	struct bpfmaps_create_attr attr = good(4, 8, 3);
	struct key a = { 32, { 10, 0, 0, 1 } }, c = { 32, { 10, 0, 0, 2 } }, inner = { 30, { 10 } };

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	ASSERT_TRUE(both_create(&b, &attr));
	EXPECT_EQ(0, both_update(&b, &a, 8, BPFMAPS_ANY));
	EXPECT_EQ(0, both_update(&b, &c, 8, BPFMAPS_ANY));
	EXPECT_EQ(-ENOENT, both_update(&b, &inner, 8, BPFMAPS_EXIST));
	EXPECT_EQ(-ENOENT, both_delete(&b, &inner));
	EXPECT_EQ(2, both_walk(&b, 8, 10));
	EXPECT_EQ(0, both_update(&b, &inner, 8, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EEXIST, both_update(&b, &inner, 8, BPFMAPS_NOEXIST));
	/* Full: a fourth prefix has no room, but those that are there can be replaced. */
	a.data[3] = 9;
	EXPECT_EQ(-ENOSPC, both_update(&b, &a, 8, BPFMAPS_ANY));
	EXPECT_EQ(0, both_update(&b, &c, 8, BPFMAPS_ANY));
	EXPECT_EQ(0, both_delete(&b, &inner));
	EXPECT_EQ(2, both_walk(&b, 8, 10));
	both_close(&b);
	EXPECT_EQ(0, b.differ);
}

/* What may take long on a kernel that checks everything. */
FIXTURE(slow) {
	int dev;
};

FIXTURE_SETUP(slow)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(slow)
{
	close(self->dev);
}

/* Prefixes of every length on one path, and the keys in order (CVE-2024-50262). */
TEST_F(slow, full_depth)
{
	struct bpfmaps_create_attr attr = good(DATA_MAX, 4, 8 * DATA_MAX + 1);
	const __u32 step = 8 * DATA_MAX / scaled(8 * DATA_MAX);
	struct key key = { 0 };
	__u32 len;

	both_open(&b);
	ASSERT_TRUE(both_create(&b, &attr));
	memset(key.data, 0xff, sizeof(key.data));
	for (len = 0; len <= 8 * DATA_MAX; len++) {
		key.prefixlen = len;
		EXPECT_EQ(0, both_update(&b, &key, 4, BPFMAPS_NOEXIST));
	}
	EXPECT_EQ(8 * DATA_MAX + 1, both_walk(&b, sizeof(key), 3000));
	for (len = 0; len <= 8 * DATA_MAX; len += 7) {
		key.prefixlen = len;
		EXPECT_EQ(0, both_lookup(&b, &key, 0));
	}
	/* What is left from the middle on, then nothing. */
	for (len = 0; len <= 8 * DATA_MAX; len++) {
		key.prefixlen = (len * 1000 + 777) % (8 * DATA_MAX + 1);
		EXPECT_EQ(0, both_delete(&b, &key));
		if (len % step)
			continue;
		both_lookup(&b, &key, 0);
		both_next(&b, &key);
		if (len % 1000 == 0)
			EXPECT_EQ(8 * DATA_MAX - len, both_walk(&b, sizeof(key), 3000));
	}
	EXPECT_EQ(0, both_walk(&b, sizeof(key), 3000));
	both_close(&b);
	both_report(&b, "full depth");
	EXPECT_EQ(0, b.differ);
}

static void random_key(struct key *key, __u32 data)
{
	__u32 i;

	key->prefixlen = both_rand(&b, 8 * data + 1);
	if (data > 8 && both_rand(&b, 2))
		key->prefixlen = both_rand(&b, 20);
	if (!both_rand(&b, 50))
		key->prefixlen = 8 * data + 1;
	for (i = 0; i < data; i++)
		key->data[i] = !i || !both_rand(&b, 3) ? both_rand(&b, 4) << 6 : 0;
}

static void random_step(__u32 data, __u32 value)
{
	struct key key;
	unsigned int what = both_rand(&b, 20);

	random_key(&key, data);
	if (what < 8)
		both_update(&b, &key, value, both_rand(&b, 3) ? BPFMAPS_ANY : both_rand(&b, 5));
	else if (what < 14)
		both_lookup(&b, &key, 0);
	else if (what < 18)
		both_delete(&b, &key);
	else
		both_next(&b, both_rand(&b, 10) ? &key : NULL);
}

TEST(random_sequences)
{
	const int steps = scaled(1500);
	static const __u32 data[] = { 1, 4, 8, 9, 16, 256 };
	static const __u32 maxes[] = { 3, 40, 2000 };
	struct bpfmaps_create_attr attr;
	size_t i, j;
	int n;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		for (j = 0; j < ARRAY_SIZE(maxes); j++) {
			attr = good(data[i], 12, maxes[j]);
			ASSERT_TRUE(both_create(&b, &attr));
			for (n = 0; n < steps; n++) {
				random_step(data[i], 12);
				if (n % (steps / 3) == steps / 3 - 1)
					both_walk(&b, 4 + data[i], 5000);
			}
			both_close(&b);
		}
	}
	both_report(&b, "random sequences");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(14 * steps, b.compared);
}

static __u32 random_bits(__u32 nr)
{
	return nr * 2654435761U;
}

/* Prefixes of which no two are alike, by their number. */
static void spread(struct key *key, __u32 nr)
{
	__u32 bits = htobe32(random_bits(nr));

	key->prefixlen = 32;
	memcpy(key->data, &bits, sizeof(bits));
}

/* Two that differ in the last bit only, and far from others. */
static void twins(struct key *key, __u32 nr)
{
	__u32 bits = htobe32(random_bits(nr / 2) << 1 | (nr & 1));

	key->prefixlen = 32;
	memcpy(key->data, &bits, sizeof(bits));
}

/* One that goes on from another, and far from others. */
static void nested(struct key *key, __u32 nr)
{
	__u32 bits = htobe32(random_bits(nr / 2) << 2);

	key->prefixlen = nr & 1 ? 30 : 32;
	memcpy(key->data, &bits, sizeof(bits));
}

static const struct {
	const char *name;
	void (*key)(struct key *key, __u32 nr);
} many[] = {
	{ "spread", spread },
	{ "twins", twins },
	{ "nested", nested },
};

#define BATCH 4096

/* Prefixes from @first on, at most BATCH, by one call; returns how many were done. */
static __u32 batch_of(int map, unsigned int cmd, unsigned int shape, __u32 first, __u32 nr)
{
	static unsigned char keys[BATCH * 8];
	static __u64 values[BATCH];
	struct bpfmaps_batch_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.keys = (unsigned long)keys,
		.values = cmd == BPFMAPS_MAP_UPDATE_BATCH ? (unsigned long)values : 0,
		.count = nr < BATCH ? nr : BATCH,
	};
	struct key key;
	__u32 i;

	for (i = 0; i < attr.count; i++) {
		many[shape].key(&key, first + i);
		memcpy(keys + 8 * i, &key, 8);
		values[i] = first + i;
	}
	return bm_call(map, cmd, &attr, sizeof(attr)) ? 0 : attr.count;
}

static __u32 do_many(int map, unsigned int cmd, unsigned int shape, __u32 nr)
{
	__u32 done = 0, some;

	do {
		some = batch_of(map, cmd, shape, done, nr - done);
		done += some;
	} while (some && done < nr);
	return done;
}

/* Memory comes back when all who may look at it are through; at most for half a minute. */
static long long settled(int map, long long target)
{
	int i;

	for (i = 0; i < 300 && bm_fdinfo(map, "memlock") > target; i++)
		usleep(100000);
	return bm_fdinfo(map, "memlock");
}

/*
 * A prefix of 8 bytes with a value of 8 takes no more than in bpf(2), whose nodes are 64 bytes with
 * and without a value: 32 bytes of its own and less than one node of 96, whoever chooses prefixes.
 */
TEST_F(slow, memory)
{
	const __u32 nr = scaled(100000);
	long long empty, full;
	unsigned int i;
	__u64 value;
	int map;

	for (i = 0; i < ARRAY_SIZE(many); i++) {
		struct key key;

		map = bm_create(self->dev, BPFMAPS_TYPE_LPM_TRIE, 8, 8, nr, BPFMAPS_F_NO_PREALLOC);
		ASSERT_LE(0, map);
		empty = bm_fdinfo(map, "memlock");
		EXPECT_EQ(nr, do_many(map, BPFMAPS_MAP_UPDATE_BATCH, i, nr));
		full = bm_fdinfo(map, "memlock");
		printf("# %s: %u prefixes, %lld bytes for each\n", many[i].name, nr,
		       (full - empty) / nr);
		EXPECT_LE(empty + 16LL * nr, full);
		EXPECT_GE(empty + 128LL * nr, full);
		many[i].key(&key, nr - 1);
		EXPECT_EQ(0, bm_lookup(map, &key, &value));
		EXPECT_EQ(nr - 1, value);
		EXPECT_EQ(nr, do_many(map, BPFMAPS_MAP_DELETE_BATCH, i, nr));
		EXPECT_EQ(-ENOENT, bm_next(map, NULL, &key));
		EXPECT_EQ(empty, settled(map, empty));
		close(map);
	}
	fflush(stdout);
}

/* A big trie comes and goes without a stall. */
TEST_F(slow, a_million)
{
	const __u32 nr = scaled(1000000);
	int map = bm_create(self->dev, BPFMAPS_TYPE_LPM_TRIE, 8, 8, nr, BPFMAPS_F_NO_PREALLOC);
	long long empty = bm_fdinfo(map, "memlock");
	struct key key;

	ASSERT_LE(0, map);
	EXPECT_EQ(nr, do_many(map, BPFMAPS_MAP_UPDATE_BATCH, 0, nr));
	printf("# %u prefixes, %lld bytes for each\n", nr,
	       (bm_fdinfo(map, "memlock") - empty) / nr);
	fflush(stdout);
	memset(&key, 0, sizeof(key));
	key.prefixlen = 1;
	EXPECT_EQ(-ENOSPC, bm_update(map, &key, &empty, BPFMAPS_NOEXIST));
	close(map);
}

TEST_HARNESS_MAIN
