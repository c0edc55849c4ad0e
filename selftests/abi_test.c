// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each number, offset and size of <linux/bpfmaps.h> against bpf(2)'s own header: a union bpf_attr
 * may be passed as it is.
 */
#include <stddef.h>
#include <linux/bpf.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"

#define sizeof_field(type, field)	sizeof((*(type *)0).field)

static unsigned int compared;

static bool same_place(size_t ours, size_t our_size, size_t theirs, size_t their_size)
{
	compared++;
	return ours == theirs && our_size == their_size;
}

#define SAME(type, field, bpf_type, bpf_field)						\
	EXPECT_TRUE(same_place(offsetof(type, field), sizeof_field(type, field),	\
			       offsetof(bpf_type, bpf_field),				\
			       sizeof_field(bpf_type, bpf_field)))

/* The test, and the number that it has compared. */
#define COMPARED(nr)									\
	do {										\
		printf("# compared: %u\n", compared);					\
		fflush(stdout);								\
		EXPECT_EQ(nr, compared);						\
	} while (0)

#define CREATE(field)	SAME(struct bpfmaps_create_attr, field, union bpf_attr, field)
#define ELEM(field)	SAME(struct bpfmaps_elem_attr, field, union bpf_attr, field)
#define OBJ(field)	SAME(struct bpfmaps_obj_attr, field, union bpf_attr, field)
#define ID(field)	SAME(struct bpfmaps_id_attr, field, union bpf_attr, field)
#define INFO(field)	SAME(struct bpfmaps_info_attr, field, union bpf_attr, info.field)
#define MAP(field)	SAME(struct bpfmaps_map_info, field, struct bpf_map_info, field)

TEST(create_attr)
{
	CREATE(map_type);
	CREATE(key_size);
	CREATE(value_size);
	CREATE(max_entries);
	CREATE(map_flags);
	CREATE(inner_map_fd);
	CREATE(numa_node);
	CREATE(map_name);
	CREATE(map_ifindex);
	CREATE(btf_fd);
	CREATE(btf_key_type_id);
	CREATE(btf_value_type_id);
	CREATE(btf_vmlinux_value_type_id);
	CREATE(map_extra);
	EXPECT_EQ(offsetof(union bpf_attr, map_extra) + 8, sizeof(struct bpfmaps_create_attr));
	COMPARED(14);
}

TEST(other_attrs)
{
	ELEM(map_fd);
	ELEM(key);
	ELEM(value);
	ELEM(next_key);
	ELEM(flags);
	OBJ(pathname);
	OBJ(bpf_fd);
	OBJ(file_flags);
	ID(start_id);
	ID(map_id);
	ID(next_id);
	ID(open_flags);
	INFO(bpf_fd);
	INFO(info_len);
	INFO(info);
	EXPECT_EQ(32, sizeof(struct bpfmaps_elem_attr));
	EXPECT_EQ(24, sizeof(struct bpfmaps_obj_attr));
	EXPECT_EQ(16, offsetof(struct bpfmaps_obj_attr, path_fd));
	EXPECT_EQ(12, sizeof(struct bpfmaps_id_attr));
	EXPECT_EQ(16, sizeof(struct bpfmaps_info_attr));
	EXPECT_LE(sizeof(union bpfmaps_attr), sizeof(union bpf_attr));
	COMPARED(15);
}

TEST(map_info)
{
	MAP(type);
	MAP(id);
	MAP(key_size);
	MAP(value_size);
	MAP(max_entries);
	MAP(map_flags);
	MAP(name);
	MAP(ifindex);
	MAP(btf_vmlinux_value_type_id);
	MAP(netns_dev);
	MAP(netns_ino);
	MAP(btf_id);
	MAP(btf_key_type_id);
	MAP(btf_value_type_id);
	MAP(map_extra);
	EXPECT_EQ(sizeof(struct bpf_map_info), sizeof(struct bpfmaps_map_info));
	COMPARED(15);
}

struct number {
	char name[64];
	unsigned long long ours;
	unsigned long long theirs;
};

#define NUMBER(ours, theirs)	{ #ours, ours, theirs }

static const struct number numbers[] = {
	NUMBER(BPFMAPS_MAP_CREATE, BPF_MAP_CREATE),
	NUMBER(BPFMAPS_MAP_LOOKUP_ELEM, BPF_MAP_LOOKUP_ELEM),
	NUMBER(BPFMAPS_MAP_UPDATE_ELEM, BPF_MAP_UPDATE_ELEM),
	NUMBER(BPFMAPS_MAP_DELETE_ELEM, BPF_MAP_DELETE_ELEM),
	NUMBER(BPFMAPS_MAP_GET_NEXT_KEY, BPF_MAP_GET_NEXT_KEY),
	NUMBER(BPFMAPS_OBJ_PIN, BPF_OBJ_PIN),
	NUMBER(BPFMAPS_OBJ_GET, BPF_OBJ_GET),
	NUMBER(BPFMAPS_MAP_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID),
	NUMBER(BPFMAPS_MAP_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID),
	NUMBER(BPFMAPS_OBJ_GET_INFO_BY_FD, BPF_OBJ_GET_INFO_BY_FD),
	NUMBER(BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_AND_DELETE_ELEM),
	NUMBER(BPFMAPS_MAP_FREEZE, BPF_MAP_FREEZE),
	NUMBER(BPFMAPS_TYPE_UNSPEC, BPF_MAP_TYPE_UNSPEC),
	NUMBER(BPFMAPS_TYPE_HASH, BPF_MAP_TYPE_HASH),
	NUMBER(BPFMAPS_TYPE_ARRAY, BPF_MAP_TYPE_ARRAY),
	NUMBER(BPFMAPS_F_NO_PREALLOC, BPF_F_NO_PREALLOC),
	NUMBER(BPFMAPS_F_NUMA_NODE, BPF_F_NUMA_NODE),
	NUMBER(BPFMAPS_F_RDONLY, BPF_F_RDONLY),
	NUMBER(BPFMAPS_F_WRONLY, BPF_F_WRONLY),
	NUMBER(BPFMAPS_F_ZERO_SEED, BPF_F_ZERO_SEED),
	NUMBER(BPFMAPS_F_RDONLY_PROG, BPF_F_RDONLY_PROG),
	NUMBER(BPFMAPS_F_WRONLY_PROG, BPF_F_WRONLY_PROG),
	NUMBER(BPFMAPS_F_MMAPABLE, BPF_F_MMAPABLE),
	NUMBER(BPFMAPS_F_INNER_MAP, BPF_F_INNER_MAP),
	NUMBER(BPFMAPS_ANY, BPF_ANY),
	NUMBER(BPFMAPS_NOEXIST, BPF_NOEXIST),
	NUMBER(BPFMAPS_EXIST, BPF_EXIST),
	NUMBER(BPFMAPS_F_LOCK, BPF_F_LOCK),
	NUMBER(BPFMAPS_NAME_LEN, BPF_OBJ_NAME_LEN),
};

TEST(constants)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(numbers[i].ours, numbers[i].theirs)
			TH_LOG("%s", numbers[i].name);
	printf("# compared: %zu\n", ARRAY_SIZE(numbers));
	fflush(stdout);
}

#define BPF_TYPE(NAME)	{ #NAME, 0, BPF_MAP_TYPE_##NAME }
#define OUR_TYPE(number, NAME, name)	{ #NAME, number, 0 },

/* Storage of bpf(2) that the header of the kernel's programs knows. */
static const struct number bpf_types[] = {
	BPF_TYPE(HASH), BPF_TYPE(ARRAY), BPF_TYPE(PERCPU_HASH), BPF_TYPE(PERCPU_ARRAY),
	BPF_TYPE(STACK_TRACE), BPF_TYPE(LRU_HASH), BPF_TYPE(LRU_PERCPU_HASH), BPF_TYPE(LPM_TRIE),
	BPF_TYPE(ARRAY_OF_MAPS), BPF_TYPE(HASH_OF_MAPS), BPF_TYPE(QUEUE), BPF_TYPE(STACK),
	BPF_TYPE(RINGBUF), BPF_TYPE(BLOOM_FILTER), BPF_TYPE(USER_RINGBUF),
};

/* A name that bpf(2) has too has its number, and the other way round. */
TEST(types)
{
	static const struct number types[] = { BPFMAPS_TYPES(OUR_TYPE) };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < ARRAY_SIZE(bpf_types); j++)
			EXPECT_EQ(!strcmp(types[i].name, bpf_types[j].name),
				  types[i].ours == bpf_types[j].theirs)
				TH_LOG("%s and %s", types[i].name, bpf_types[j].name);
	}
	printf("# compared: %zu\n", ARRAY_SIZE(types));
	fflush(stdout);
}

/* An ioctl number is made of bpf(2)'s command and size. */
TEST(ioctl_numbers)
{
	unsigned int cmd, size;

	for (cmd = 0; cmd < 256; cmd++) {
		for (size = 0; size <= 4097; size = 2 * size + 1) {
			EXPECT_EQ(cmd, _IOC_NR(BPFMAPS_IOC(cmd, size)));
			EXPECT_EQ(size, _IOC_SIZE(BPFMAPS_IOC(cmd, size)));
		}
	}
}

TEST(bpf_attr_as_it_is)
{
	union bpf_attr attr = { 0 };
	__u32 key = 3;
	__u64 value = 4, seen = 0;
	int dev = bm_open(), map;

	ASSERT_LE(0, dev);
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = sizeof(key);
	attr.value_size = sizeof(value);
	attr.max_entries = 10;
	map = bm_call(dev, BPF_MAP_CREATE, &attr, sizeof(attr));
	ASSERT_LE(0, map);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (unsigned long)&key;
	attr.value = (unsigned long)&value;
	EXPECT_EQ(0, bm_call(dev, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)));
	attr.value = (unsigned long)&seen;
	EXPECT_EQ(0, bm_call(dev, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)));
	EXPECT_EQ(value, seen);
	close(map);
	close(dev);
}

TEST_HARNESS_MAIN
