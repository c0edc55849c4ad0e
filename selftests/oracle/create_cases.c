// SPDX-License-Identifier: GPL-2.0-only
/* Making maps: every field of the attr on its own. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

#define U32_MAX		0xffffffffU

/* What a new map says of itself. */
static void note_map(struct run *r, int fd)
{
	struct bpfmaps_map_info info;

	note_ret(r, "info", get_info(r, fd, &info));
	note(r, "id is set: %d", info.id != 0);
	info.id = 0;
	note_bytes(r, "info", &info, sizeof(info));
	note_ret(r, "descriptor flags", fcntl(fd, F_GETFD));
	note_ret(r, "file flags", fcntl(fd, F_GETFL));
}

static void create_noted(struct run *r, struct bpfmaps_create_attr *a)
{
	int fd = call(r, "create", BPFMAPS_MAP_CREATE, a, sizeof(*a));

	if (fd >= 0)
		note_map(r, fd);
}

struct field {
	const char *label;
	size_t offset;
	__u32 value;
	size_t offset2;	/* of a second field, if not 0 */
	__u32 value2;
};

#define FIELD(name)	offsetof(struct bpfmaps_create_attr, name)
#define ONE(name, value)	{ #name " " #value, FIELD(name), value, 0, 0 }
#define TWO(name, value, name2, value2) \
	{ #name " " #value " and " #name2 " " #value2, FIELD(name), value, FIELD(name2), value2 }

static const struct field wrong_fields[] = {
	ONE(map_type, 0),
	ONE(map_type, 35),
	ONE(map_type, 64),
	ONE(map_type, 0x10001),
	ONE(map_type, 0x10002),
	ONE(map_type, 0x7fff),
	ONE(map_type, 0x80000000),
	ONE(map_type, 0x80000001),
	ONE(map_type, U32_MAX),
	ONE(key_size, 0),
	ONE(value_size, 0),
	ONE(max_entries, 0),
	ONE(max_entries, 0x80000000),
	ONE(max_entries, 0x80000001),
	ONE(max_entries, U32_MAX),
	ONE(max_entries, 0x7fffffff),
	ONE(key_size, U32_MAX),
	ONE(key_size, 0x80000000),
	ONE(value_size, U32_MAX),
	ONE(value_size, U32_MAX - 7),
	ONE(value_size, 0x80000000),
	ONE(value_size, 0x80000001),
	ONE(map_extra, 1),
	ONE(map_extra, U32_MAX),
	{ "map_extra 0x100000000", FIELD(map_extra) + 4, 1, 0, 0 },
	ONE(map_ifindex, 1),
	ONE(map_ifindex, 9999),
	TWO(value_size, 0x7fffffff, max_entries, 0x7fffffff),
	TWO(value_size, U32_MAX, max_entries, U32_MAX),
	TWO(value_size, 0x80000000, max_entries, 0x80000000),
	TWO(value_size, 0x40000000, max_entries, 0x40000004),
	TWO(key_size, U32_MAX, value_size, U32_MAX),
	TWO(key_size, 0x80000000, value_size, 0x80000000),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 1),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 63),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 64),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 1000),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 1024),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 0x7fffffff),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 0x80000000),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, U32_MAX - 1),
	/* Two mistakes at once: which one is told. */
	TWO(map_type, 35, key_size, 0),
	TWO(map_type, 35, map_flags, BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY),
	TWO(max_entries, 0, value_size, U32_MAX),
	TWO(max_entries, U32_MAX, map_flags, 0x80000000),
	TWO(max_entries, U32_MAX, map_extra, 1),
	TWO(max_entries, U32_MAX, map_name, 0x2d2d2d2d),
	TWO(value_size, U32_MAX, map_name, 0x2d2d2d2d),
	TWO(value_size, U32_MAX, map_flags, BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY),
	TWO(max_entries, 0, map_ifindex, 9999),
};

static const struct field right_fields[] = {
	ONE(key_size, 1),
	ONE(key_size, 2),
	ONE(key_size, 3),
	ONE(key_size, 5),
	ONE(key_size, 7),
	ONE(key_size, 8),
	ONE(key_size, 64),
	ONE(key_size, 511),
	ONE(key_size, 512),
	ONE(key_size, 513),
	ONE(key_size, 4096),
	ONE(key_size, 65536),
	ONE(value_size, 1),
	ONE(value_size, 7),
	ONE(value_size, 9),
	ONE(value_size, 4095),
	ONE(value_size, 4096),
	ONE(value_size, 65536),
	ONE(value_size, 1 << 20),
	ONE(max_entries, 1),
	ONE(max_entries, 2),
	ONE(max_entries, 3),
	ONE(max_entries, 7),
	ONE(max_entries, 1000),
	ONE(inner_map_fd, 5),
	ONE(inner_map_fd, U32_MAX),
	ONE(btf_fd, 5),
	ONE(btf_fd, U32_MAX),
	ONE(numa_node, 1),
	ONE(numa_node, U32_MAX),
	ONE(map_name, 0x00410041),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, 0),
	TWO(map_flags, BPFMAPS_F_NUMA_NODE, numa_node, U32_MAX),
	TWO(map_flags, BPFMAPS_F_NO_PREALLOC, value_size, 1 << 20),
	TWO(map_flags, BPFMAPS_F_NO_PREALLOC, key_size, 100),
	TWO(map_flags, BPFMAPS_F_MMAPABLE, value_size, 1),
	TWO(map_flags, BPFMAPS_F_MMAPABLE, value_size, 4097),
	TWO(map_flags, BPFMAPS_F_MMAPABLE, max_entries, 1000),
	/* Around the largest element of a hash, and of anything allocated in one piece. */
	TWO(value_size, (4 << 20) - 80, max_entries, 1),
	TWO(value_size, (4 << 20) - 64, max_entries, 1),
	TWO(value_size, (4 << 20) - 56, max_entries, 1),
	TWO(value_size, (4 << 20) - 53, max_entries, 1),
	TWO(value_size, (4 << 20) - 52, max_entries, 1),
	TWO(value_size, (4 << 20) - 51, max_entries, 1),
	TWO(value_size, (4 << 20) - 4, max_entries, 1),
	TWO(value_size, 4 << 20, max_entries, 1),
	TWO(value_size, (4 << 20) + 1, max_entries, 1),
	/* What some types take and others do not. */
	ONE(key_size, 6),
	ONE(key_size, 260),
	ONE(key_size, 261),
	ONE(value_size, 32760),
	ONE(value_size, 32761),
	ONE(value_size, 32768),
	ONE(value_size, 32769),
	ONE(map_extra, 15),
	ONE(map_extra, 16),
	ONE(max_entries, 100000),
};

static void set_field(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	const struct field *f = arg;

	memcpy((char *)&a + f->offset, &f->value, sizeof(f->value));
	if (f->offset2)
		memcpy((char *)&a + f->offset2, &f->value2, sizeof(f->value2));
	create_noted(r, &a);
}

/*
 * A bloom filter is never too large: these would be of 512 MiB. A ring buffer of bpf(2) takes what
 * there is before it gives up.
 */
static bool takes_long(const struct map_type *t, const struct field *f)
{
	if (t->ring && f->offset == FIELD(max_entries) && f->value == 0x80000000 && !f->offset2)
		return true;
	return t->number == BPFMAPS_TYPE_BLOOM_FILTER &&
	       ((f->offset == FIELD(max_entries) && f->value > 1 << 20) ||
		(f->offset2 == FIELD(max_entries) && f->value2 > 1 << 20));
}

/* The fields that belong to BTF, one after the other and together. */
static const struct field btf_fields[] = {
	ONE(btf_key_type_id, 1),
	ONE(btf_value_type_id, 1),
	ONE(btf_vmlinux_value_type_id, 1),
	TWO(btf_key_type_id, 1, btf_value_type_id, 2),
	TWO(btf_fd, U32_MAX, btf_value_type_id, 2),
};

static void one_flag(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);

	/* Also without what the type asks for. */
	a.map_flags = *(const __u32 *)arg;
	create_noted(r, &a);
	a.map_flags |= r->type->flags;
	create_noted(r, &a);
}

struct name_case {
	const char *label;
	char bytes[BPFMAPS_NAME_LEN];
};

static const struct name_case names[] = {
	{ "without NUL", "sixteen.bytes.xx" },
	{ "with a dash", "a-b" },
	{ "with a space", "a b" },
	{ "with a slash", "a/b" },
	{ "with a newline", "a\n" },
	{ "with DEL", "a\x7f" },
	{ "of a bad last byte", "fourteen.bytes%" },
	{ "of 15 bytes", "fifteen.bytes.x" },
	{ "of 1 byte", "a" },
	{ "of dots", "..." },
	{ "of digits", "0123456789" },
	{ "with upper case", "AZ_az.09" },
	{ "with bytes behind its NUL", "ab\0cd" },
	{ "with bad bytes behind its NUL", "ab\0-\n\x80" },
	{ "empty with bytes behind its NUL", "\0abc" },
};

static void named(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	const struct name_case *n = arg;

	memcpy(a.map_name, n->bytes, sizeof(a.map_name));
	create_noted(r, &a);
}

/* Which of the 256 bytes may be in a name. */
static void name_bytes(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	unsigned int c;
	int fd;

	(void)arg;
	for (c = 1; c < 256; c++) {
		a.map_name[0] = c;
		fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
		note(r, "byte %#x: %s", c, fd < 0 ? errno_name(errno) : "ok");
		drop_fd(r, fd);
	}
}

static void create_as_nobody(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);

	(void)arg;
	become_nobody();
	call(r, "create", BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static void unprivileged(struct run *r, const void *arg)
{
	in_child(r, "nobody", create_as_nobody, arg);
}

static void zero_seed_as_nobody(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);

	(void)arg;
	a.map_flags |= BPFMAPS_F_ZERO_SEED;
	become_nobody();
	note(r, "created: %d", call_wild(r, "zero seed", BPFMAPS_MAP_CREATE, &a, sizeof(a)) >= 0);
}

static void unprivileged_zero_seed(struct run *r, const void *arg)
{
	in_child(r, "nobody", zero_seed_as_nobody, arg);
}

/* Ids grow, and one map's memory is zero whatever its predecessor held. */
static void again(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	__u32 first, second;
	int fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));

	(void)arg;
	first = map_id(r, fd);
	fill(r, fd, STD_MAX);
	drop_fd(r, fd);
	fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	second = map_id(r, fd);
	note(r, "the next id is larger: %d", second > first);
	note_std(r, fd);
}

void create_cases(const struct map_type *t)
{
	__u32 flag;
	size_t i;

	for (i = 0; i < ARRAY_LEN(wrong_fields); i++) {
		if (!takes_long(t, &wrong_fields[i]))
			compare(t, 0, set_field, &wrong_fields[i], "create/%s",
				wrong_fields[i].label);
	}
	for (i = 0; i < ARRAY_LEN(btf_fields); i++)
		compare(t, 0, set_field, &btf_fields[i], "create/btf %s", btf_fields[i].label);
	for (i = 0; i < ARRAY_LEN(names); i++)
		compare(t, 0, named, &names[i], "create/name %s", names[i].label);
	compare(t, 0, name_bytes, NULL, "create/bytes of a name");
	for (i = 0; i < 32; i++) {
		flag = 1U << i;
		compare(t, 0, one_flag, &flag, "create/flag %#x", flag);
	}
	for (i = 0; i < ARRAY_LEN(right_fields); i++)
		compare(t, 0, set_field, &right_fields[i], "create/%s", right_fields[i].label);
	compare(t, 0, unprivileged, NULL, "create/unprivileged");
	if (t->keyed && takes_flags(t, BPFMAPS_F_ZERO_SEED))
		compare(t, 0, unprivileged_zero_seed, NULL, "create/zero seed unprivileged");
	compare(t, SELF, again, NULL, "create/again");
}

static const __u32 known_flags[] = {
	BPFMAPS_F_NO_PREALLOC, BPFMAPS_F_NUMA_NODE, BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY,
	BPFMAPS_F_ZERO_SEED, BPFMAPS_F_RDONLY_PROG, BPFMAPS_F_WRONLY_PROG, BPFMAPS_F_MMAPABLE,
	BPFMAPS_F_INNER_MAP, 1U << 1, 1U << 5, 1U << 11, 1U << 31,
};

void create_pair_cases(const struct map_type *t)
{
	size_t i, j;
	__u32 flags;

	for (i = 0; i < ARRAY_LEN(known_flags); i++) {
		for (j = i + 1; j < ARRAY_LEN(known_flags); j++) {
			flags = known_flags[i] | known_flags[j];
			compare(t, 0, one_flag, &flags, "create/flags %#x", flags);
		}
	}
	flags = BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY | BPFMAPS_F_RDONLY_PROG |
		BPFMAPS_F_WRONLY_PROG;
	compare(t, 0, one_flag, &flags, "create/flags %#x", flags);
	flags = ~0U;
	compare(t, 0, one_flag, &flags, "create/flags %#x", flags);
}
