// SPDX-License-Identifier: GPL-2.0-only
/* hash_of_maps: what is not as in array_of_maps; see map_in_map_test.c for the rest. */
#include <kselftest_harness.h>

#include "map_in_map.h"

#define MAX_OUTER	4

FIXTURE(hash) {
	struct side s;
	int map;
	int in;
	__u32 id;
};

FIXTURE_VARIANT(hash) {
	bool bpf;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(hash, bpf) {
	.bpf = true,
};

FIXTURE_VARIANT_ADD(hash, dev) {
	.bpf = false,
};

FIXTURE_VARIANT_ADD(hash, no_prealloc_bpf) {
	.bpf = true,
	.flags = BPFMAPS_F_NO_PREALLOC,
};

FIXTURE_VARIANT_ADD(hash, no_prealloc_dev) {
	.bpf = false,
	.flags = BPFMAPS_F_NO_PREALLOC,
};

FIXTURE_SETUP(hash)
{
	self->s.dev = variant->bpf ? -1 : bm_open();
	self->in = mm_new_inner(&self->s);
	ASSERT_LE(0, self->in);
	self->id = mm_id(&self->s, self->in);
	self->map = mm_new_outer(&self->s, BPFMAPS_TYPE_HASH_OF_MAPS, MAX_OUTER, variant->flags,
				 self->in);
	ASSERT_LE(0, self->map);
}

FIXTURE_TEARDOWN(hash)
{
	close(self->in);
	close(self->map);
	close(self->s.dev);
}

TEST_F(hash, create_refuses)
{
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_HASH_OF_MAPS,
		.key_size = 4 << 20,
		.value_size = 4,
		.max_entries = 4,
		.inner_map_fd = self->in,
	};

	EXPECT_EQ(-E2BIG, mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a.inner_map_fd = -1;
	EXPECT_EQ(-E2BIG, mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a.key_size = 0xffffffff;
	EXPECT_EQ(-E2BIG, mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a.key_size = 4;
	a.map_flags = BPFMAPS_F_RDONLY_PROG | BPFMAPS_F_WRONLY_PROG;
	EXPECT_EQ(-EINVAL, mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
}

/* The descriptor comes before the flags, and these before the key. */
TEST_F(hash, update_flags)
{
	struct side *s = &self->s;

	EXPECT_EQ(-EBADF, mm_put(s, self->map, 1, -1, 3));
	EXPECT_EQ(-EBADF, mm_put(s, self->map, 1, -1, BPFMAPS_EXIST));
	EXPECT_EQ(-EINVAL, mm_put(s, self->map, 1, self->in, 3));
	EXPECT_EQ(-ENOENT, mm_put(s, self->map, 1, self->in, BPFMAPS_EXIST));
	EXPECT_EQ(0, mm_put(s, self->map, 1, self->in, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EBADF, mm_put(s, self->map, 1, -1, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EEXIST, mm_put(s, self->map, 1, self->in, BPFMAPS_NOEXIST));
	EXPECT_EQ(0, mm_put(s, self->map, 1, self->in, BPFMAPS_EXIST));
	EXPECT_EQ(self->id, mm_get(s, self->map, 1));
}

/* Nothing is held by an update that failed. */
TEST_F(hash, full)
{
	struct side *s = &self->s;
	int in = mm_new_inner(s);
	__u32 key, id = mm_id(s, in);

	for (key = 0; key < MAX_OUTER; key++)
		EXPECT_EQ(0, mm_put(s, self->map, key, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-E2BIG, mm_put(s, self->map, MAX_OUTER, in, BPFMAPS_ANY));
	EXPECT_EQ(-E2BIG, mm_put(s, self->map, MAX_OUTER, in, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EEXIST, mm_put(s, self->map, 0, in, BPFMAPS_NOEXIST));
	EXPECT_EQ(-ENOENT, mm_put(s, self->map, MAX_OUTER, in, BPFMAPS_EXIST));
	close(in);
	EXPECT_FALSE(mm_lives(s, id));
	/* Replacing is possible. */
	EXPECT_EQ(0, mm_put(s, self->map, 0, self->in, BPFMAPS_ANY));
	EXPECT_EQ(0, mm_delete(s, self->map, 0));
	EXPECT_EQ(0, mm_put(s, self->map, MAX_OUTER, self->in, BPFMAPS_ANY));
}

TEST_F(hash, next_key)
{
	__u32 key, next = 0, met = 0;
	const __u32 *from = NULL;

	EXPECT_EQ(-ENOENT, mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, NULL, &next,
				   0));
	for (key = 10; key < 13; key++)
		EXPECT_EQ(0, mm_put(&self->s, self->map, key, self->in, BPFMAPS_ANY));
	while (!mm_elem(&self->s, BPFMAPS_MAP_GET_NEXT_KEY, self->map, from, &next, 0)) {
		ASSERT_GT(32, next);
		EXPECT_EQ(0, met >> next & 1);
		met |= 1U << next;
		key = next;
		from = &key;
	}
	EXPECT_EQ(7 << 10, met);
}

/* Keys are of any size, and no 4 bytes of them are anything else. */
TEST_F(hash, key_sizes)
{
	static const __u32 sizes[] = { 1, 3, 5, 8, 64, 65, 1000 };
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_HASH_OF_MAPS,
		.value_size = 4,
		.max_entries = MAX_OUTER,
		.map_flags = variant->flags,
		.inner_map_fd = self->in,
	};
	static unsigned char key[1000];
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		a.key_size = sizes[i];
		map = mm_call(&self->s, BPFMAPS_MAP_CREATE, &a, sizeof(a));
		ASSERT_LE(0, map);
		memset(key, 0, sizeof(key));
		EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_UPDATE_ELEM, map, (void *)key,
				     &self->in, 0));
		key[sizes[i] - 1] = 1;
		EXPECT_EQ(-ENOENT, mm_elem(&self->s, BPFMAPS_MAP_DELETE_ELEM, map, (void *)key,
					   NULL, 0));
		key[sizes[i] - 1] = 0;
		EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_DELETE_ELEM, map, (void *)key, NULL,
				     0));
		close(map);
	}
}

/* A large hash goes away with all its references, and the machine works on meanwhile. */
TEST_F(hash, many_references)
{
	const char *scale = getenv("BPFMAPS_TEST_SCALE");
	__u32 max = (1 << 18) / (scale ? atoi(scale) : 1);
	int outer;

	/* bpf(2) waits for readers after each update, which would take hours. */
	if (variant->bpf)
		max = 100;
	outer = mm_new_outer(&self->s, BPFMAPS_TYPE_HASH_OF_MAPS, max, variant->flags, self->in);
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
