// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands from a 32-bit program on a 64-bit kernel: the structs and the ioctl numbers are the
 * same, as every pointer is carried in 64 bits.
 */
#include <stdint.h>
#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"

FIXTURE(compat) {
	int dev;
	int map;
};

FIXTURE_VARIANT(compat) {
	__u32 type;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(compat, hash) {
	.type = BPFMAPS_TYPE_HASH,
};

FIXTURE_VARIANT_ADD(compat, array) {
	.type = BPFMAPS_TYPE_ARRAY,
	.flags = BPFMAPS_F_MMAPABLE,
};

FIXTURE_SETUP(compat)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->map = bm_create(self->dev, variant->type, 4, 12, 8, variant->flags);
	ASSERT_LE(0, self->map);
}

FIXTURE_TEARDOWN(compat)
{
	close(self->map);
	close(self->dev);
}

TEST(program_is_32_bit)
{
	EXPECT_EQ(4, sizeof(void *));
	EXPECT_EQ(4, sizeof(long));
	EXPECT_EQ(72, sizeof(struct bpfmaps_create_attr));
	EXPECT_EQ(32, sizeof(struct bpfmaps_elem_attr));
	EXPECT_EQ(24, sizeof(struct bpfmaps_obj_attr));
	EXPECT_EQ(12, sizeof(struct bpfmaps_id_attr));
	EXPECT_EQ(16, sizeof(struct bpfmaps_info_attr));
	EXPECT_EQ(88, sizeof(struct bpfmaps_map_info));
}

TEST_F(compat, bad_pointers)
{
	struct bpfmaps_elem_attr a = { .map_fd = BPFMAPS_SELF };
	unsigned char value[12] = "";
	__u32 key = 1;

	EXPECT_EQ(-EFAULT, bm_lookup(self->map, NULL, value));
	EXPECT_EQ(-EFAULT, bm_update(self->map, &key, NULL, BPFMAPS_ANY));
	EXPECT_EQ(-EFAULT, bm_lookup(self->map, (void *)0xffffffffUL, value));
	EXPECT_EQ(-EFAULT, bm_call(self->dev, BPFMAPS_MAP_LOOKUP_ELEM, NULL, sizeof(a)));
	EXPECT_EQ(-EFAULT, bm_call(self->dev, BPFMAPS_MAP_LOOKUP_ELEM, (void *)0xfffff000UL,
				   sizeof(a)));
	/* An address is 64 bits: what is above 4 GiB is not cut off. */
	a.key = (uintptr_t)&key + 0x100000000ULL;
	a.value = (uintptr_t)value;
	EXPECT_EQ(-EFAULT, bm_call(self->map, BPFMAPS_MAP_LOOKUP_ELEM, &a, sizeof(a)));
	EXPECT_EQ(-ENOTTY, ioctl(self->dev, 0x5413, value) < 0 ? -errno : 0);
	EXPECT_EQ(-E2BIG, bm_call(self->dev, BPFMAPS_MAP_LOOKUP_ELEM, &a, 4097));
}

TEST_F(compat, elements)
{
	unsigned char value[16], seen[16];
	__u32 key, next;

	for (key = 0; key < 8; key++) {
		memset(value, key + 1, sizeof(value));
		EXPECT_EQ(0, bm_update(self->map, &key, value, BPFMAPS_ANY));
	}
	EXPECT_EQ(-E2BIG, bm_update(self->map, &key, value, BPFMAPS_ANY));
	EXPECT_EQ(-ENOENT, bm_lookup(self->map, &key, seen));
	for (key = 0; key < 8; key++) {
		memset(value, key + 1, 12);
		memset(value + 12, 0xee, 4);
		memset(seen, 0xee, sizeof(seen));
		EXPECT_EQ(0, bm_lookup(self->map, &key, seen));
		EXPECT_EQ(0, memcmp(value, seen, sizeof(seen)));
	}
	EXPECT_EQ(8, bm_count(self->map, 4, 100));
	EXPECT_EQ(0, bm_next(self->map, NULL, &next));
	key = 3;
	EXPECT_EQ(variant->type == BPFMAPS_TYPE_HASH ? 0 : -EINVAL, bm_delete(self->map, &key));
}

TEST_F(compat, by_device)
{
	__u32 key = 2;
	unsigned char value[12] = "hello world", seen[12] = "";
	struct bpfmaps_elem_attr a = {
		.map_fd = self->map, .key = (uintptr_t)&key, .value = (uintptr_t)value,
	};

	EXPECT_EQ(0, bm_call(self->dev, BPFMAPS_MAP_UPDATE_ELEM, &a, sizeof(a)));
	a.value = (uintptr_t)seen;
	EXPECT_EQ(0, bm_call(self->dev, BPFMAPS_MAP_LOOKUP_ELEM, &a, sizeof(a)));
	EXPECT_STREQ("hello world", (char *)seen);
}

TEST_F(compat, info_ids_and_pins)
{
	const char *path = BM_PINS "/compat_test";
	__u32 id = bm_id(self->map), next = 0;
	struct bpfmaps_map_info info;
	int map;

	EXPECT_EQ(0, bm_info(self->map, &info));
	EXPECT_EQ(variant->type, info.type);
	EXPECT_EQ(12, info.value_size);
	EXPECT_EQ(0, bm_next_id(self->dev, id - 1, &next));
	EXPECT_EQ(id, next);
	map = bm_fd_by_id(self->dev, id, BPFMAPS_F_RDONLY);
	EXPECT_LE(0, map);
	close(map);
	EXPECT_EQ(0, bm_pin(self->dev, self->map, path));
	map = bm_get(self->dev, path, 0);
	EXPECT_EQ(id, bm_id(map));
	close(map);
	EXPECT_EQ(0, unlink(path));
	EXPECT_EQ(0, bm_freeze(self->map));
	EXPECT_EQ(-EPERM, bm_update(self->map, &id, &info, BPFMAPS_ANY));
}

TEST_F(compat, mapping)
{
	unsigned char *p = mmap(NULL, 128, PROT_READ | PROT_WRITE, MAP_SHARED, self->map, 0);
	unsigned char seen[12];
	__u32 key = 1;

	if (variant->type == BPFMAPS_TYPE_HASH) {
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(ENOTSUPP, errno);
		return;
	}
	ASSERT_NE(MAP_FAILED, p);
	memset(p + 16, 9, 12);
	EXPECT_EQ(0, bm_lookup(self->map, &key, seen));
	EXPECT_EQ(0, memcmp(p + 16, seen, 12));
	munmap(p, 128);
}

TEST_HARNESS_MAIN
