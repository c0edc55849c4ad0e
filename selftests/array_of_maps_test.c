// SPDX-License-Identifier: GPL-2.0-only
/* array_of_maps: what is not as in hash_of_maps; see map_in_map_test.c for the rest. */
#include <kselftest_harness.h>

#include "map_in_map.h"

FIXTURE(array) {
	struct side s;
	int map;
	int in;
	__u32 id;
};

FIXTURE_VARIANT(array) {
	bool bpf;
};

FIXTURE_VARIANT_ADD(array, bpf) {
	.bpf = true,
};

FIXTURE_VARIANT_ADD(array, dev) {
	.bpf = false,
};

static int new_array(const struct side *s, __u32 max, int in)
{
	return mm_new_outer(s, BPFMAPS_TYPE_ARRAY_OF_MAPS, max, 0, in);
}

FIXTURE_SETUP(array)
{
	self->s.dev = variant->bpf ? -1 : bm_open();
	self->in = mm_new_inner(&self->s);
	ASSERT_LE(0, self->in);
	self->id = mm_id(&self->s, self->in);
	self->map = new_array(&self->s, 4, self->in);
	ASSERT_LE(0, self->map);
}

FIXTURE_TEARDOWN(array)
{
	close(self->in);
	close(self->map);
	close(self->s.dev);
}

TEST_F(array, create_refuses)
{
	static const __u32 sizes[] = { 1, 2, 8, 0x80000000, 0xffffffff };
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_ARRAY_OF_MAPS,
		.value_size = 4,
		.max_entries = 4,
		.inner_map_fd = self->in,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		a.key_size = sizes[i];
		EXPECT_EQ(-EINVAL, mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	}
	EXPECT_EQ(-ENOMEM, new_array(&self->s, 0xffffffff, self->in));
	EXPECT_EQ(-EBADF, new_array(&self->s, 0xffffffff, -1));
}

TEST_F(array, out_of_range)
{
	static const __u32 keys[] = { 4, 5, 0x7fffffff, 0x80000000, 0xffffffff };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		EXPECT_EQ(-ENOENT, mm_get(&self->s, self->map, keys[i]));
		EXPECT_EQ(-E2BIG, mm_put(&self->s, self->map, keys[i], self->in, BPFMAPS_ANY));
		EXPECT_EQ(-E2BIG, mm_put(&self->s, self->map, keys[i], -1, BPFMAPS_ANY));
		EXPECT_EQ(-E2BIG, mm_delete(&self->s, self->map, keys[i]));
	}
}

/* Neither NOEXIST nor EXIST, be there a map or not, and flags are checked before all else. */
TEST_F(array, update_flags)
{
	__u64 flags;
	int round;

	for (round = 0; round < 2; round++) {
		for (flags = BPFMAPS_NOEXIST; flags < BPFMAPS_F_LOCK; flags++) {
			EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 1, self->in, flags));
			EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 4, self->in, flags));
			EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 1, -1, flags));
		}
		EXPECT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	}
}

/* All indexes, whether there is a map or not. */
TEST_F(array, next_key)
{
	__u32 key = 77, next = 0, i;

	EXPECT_EQ(0, mm_put(&self->s, self->map, 2, self->in, BPFMAPS_ANY));
	EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, &key, &next, 0));
	EXPECT_EQ(0, next);
	EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, NULL, &next, 0));
	EXPECT_EQ(0, next);
	for (i = 1; i < 4; i++) {
		key = next;
		EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, &key, &next,
				     0));
		EXPECT_EQ(i, next);
	}
	key = next;
	EXPECT_EQ(-ENOENT, mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, &key, &next, 0));
}

/* A large array goes away with all its references, and the machine works on meanwhile. */
TEST_F(array, many_references)
{
	const char *scale = getenv("BPFMAPS_TEST_SCALE");
	__u32 max = (1 << 20) / (scale ? atoi(scale) : 1);
	int outer;

	/* bpf(2) waits for readers after each update, which would take hours. */
	if (variant->bpf)
		max = 100;
	outer = new_array(&self->s, max, self->in);
	ASSERT_LE(0, outer);
	EXPECT_EQ(0, mm_put_all(&self->s, outer, max, self->in));
	EXPECT_EQ(self->id, mm_get(&self->s, outer, max - 1));
	close(self->in);
	self->in = -1;
	EXPECT_TRUE(mm_lives(&self->s, self->id));
	close(outer);
	EXPECT_TRUE(mm_dies(&self->s, self->id));
}

TEST_HARNESS_MAIN
