// SPDX-License-Identifier: GPL-2.0-only
/*
 * libbpfmaps against the module: what it returns, and how it treats its device
 *
 * The harness runs each test in a child of its own, where the library has not opened the device.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "bpfmaps.h"
#include "kselftest_harness.h"

#define PIN	"/sys/fs/bpfmaps/lib_test"
#define DEVICE	"/dev/bpfmaps"
#define USER	1000

static int new_map(__u32 type, __u32 flags)
{
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts, .map_flags = flags);

	return bpfmaps_map_create(type, "lib_test", 4, 8, 4, &opts);
}

/* Returns how many descriptors of @path are open, and the last of them in @last. */
static int count_open(const char *path, int *last)
{
	char link[300], target[300];
	struct dirent *entry;
	int count = 0;
	ssize_t len;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		len = readlink(link, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (strcmp(target, path))
			continue;
		*last = atoi(entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

/* Every function on a map, on @fd, returns @err. */
static int all_return(int fd, int err)
{
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	__u64 value = 0;
	__u32 key = 0;

	return bpfmaps_map_lookup_elem(fd, &key, &value) == err && errno == -err &&
	       bpfmaps_map_lookup_elem_flags(fd, &key, &value, 0) == err && errno == -err &&
	       bpfmaps_map_update_elem(fd, &key, &value, 0) == err && errno == -err &&
	       bpfmaps_map_delete_elem(fd, &key) == err && errno == -err &&
	       bpfmaps_map_get_next_key(fd, NULL, &key) == err && errno == -err &&
	       bpfmaps_map_lookup_and_delete_elem(fd, &key, &value) == err && errno == -err &&
	       bpfmaps_map_lookup_batch(fd, NULL, &key, &key, &value, &len, NULL) == err &&
	       bpfmaps_map_lookup_and_delete_batch(fd, NULL, &key, &key, &value, &len,
						   NULL) == err &&
	       bpfmaps_map_update_batch(fd, &key, &value, &len, NULL) == err && errno == -err &&
	       bpfmaps_map_delete_batch(fd, &key, &len, NULL) == err && errno == -err &&
	       bpfmaps_map_freeze(fd) == err && errno == -err &&
	       bpfmaps_obj_get_info_by_fd(fd, &info, &len) == err && errno == -err;
}

TEST(not_a_map)
{
	int pipes[2];

	EXPECT_TRUE(all_return(-1, -EBADF));
	EXPECT_TRUE(all_return(999, -EBADF));
	EXPECT_TRUE(all_return(open("/dev/null", O_RDWR), -EINVAL));
	EXPECT_TRUE(all_return(open("/proc/self/exe", O_RDONLY), -EINVAL));
	EXPECT_TRUE(all_return(open("/", O_RDONLY), -EINVAL));
	ASSERT_EQ(pipe(pipes), 0);
	EXPECT_TRUE(all_return(pipes[0], -EINVAL));
	EXPECT_EQ(bpfmaps_obj_pin(pipes[0], PIN), -EINVAL);
}

TEST(bad_create)
{
	EXPECT_EQ(bpfmaps_map_create(0, NULL, 4, 8, 4, NULL), -EINVAL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 0, 8, 4, NULL), -EINVAL);
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 0x80000001, NULL), -E2BIG);
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, "a b", 4, 8, 4, NULL), -EINVAL);
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, "sixteen_letters_", 4, 8, 4, NULL),
		  -EINVAL);
}

TEST(bad_create_opts)
{
	struct {
		struct bpfmaps_map_create_opts opts;
		__u64 more;
	} longer = { .opts.sz = sizeof(longer), .more = 1 };
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts);

	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &longer.opts), -EINVAL);
	EXPECT_EQ(errno, EINVAL);
	opts.sz = sizeof(opts.sz) - 1;
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &opts), -EINVAL);
	opts.sz = sizeof(opts);
	opts.reserved = 1;
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &opts), -EINVAL);
	opts.reserved = 0;
	opts.map_extra = 1;
	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &opts), -EINVAL);
}

TEST(bad_open_opts)
{
	struct {
		struct bpfmaps_open_opts opts;
		__u64 more;
	} longer = { .opts.sz = sizeof(longer), .more = 1 };
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY);
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	int map;

	map = new_map(BPFMAPS_TYPE_HASH, 0);
	ASSERT_GE(map, 0);
	ASSERT_EQ(bpfmaps_obj_get_info_by_fd(map, &info, &len), 0);
	ASSERT_EQ(bpfmaps_obj_pin(map, PIN), 0);
	EXPECT_EQ(bpfmaps_obj_get(PIN, &opts), -EINVAL);
	EXPECT_EQ(bpfmaps_map_get_fd_by_id(info.id, &opts), -EINVAL);
	opts.flags = 0;
	opts.path_fd = 1;
	EXPECT_EQ(bpfmaps_obj_get(PIN, &opts), -EINVAL);
	EXPECT_EQ(bpfmaps_map_get_fd_by_id(info.id, &opts), -EINVAL);
	EXPECT_EQ(bpfmaps_obj_get(PIN, &longer.opts), -EINVAL);
	EXPECT_EQ(bpfmaps_map_get_fd_by_id(info.id, &longer.opts), -EINVAL);
	EXPECT_EQ(unlink(PIN), 0);
}

TEST(create_opts_of_other_sizes)
{
	struct {
		struct bpfmaps_map_create_opts opts;
		__u64 more;
	} longer = { .opts.sz = sizeof(longer) };
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts, .map_flags = BPFMAPS_F_NO_PREALLOC,
		     .map_extra = 1);
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	int map;

	EXPECT_GE(bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &longer.opts), 0);
	/* An older program, whose struct ends with map_flags. */
	opts.sz = offsetof(struct bpfmaps_map_create_opts, numa_node);
	map = bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 8, 4, &opts);
	ASSERT_GE(map, 0);
	ASSERT_EQ(bpfmaps_obj_get_info_by_fd(map, &info, &len), 0);
	EXPECT_EQ(info.map_flags, BPFMAPS_F_NO_PREALLOC);
}

#define TYPE_ENTRY(number, NAME, name)	{ BPFMAPS_TYPE_##NAME, #name },

static const struct {
	int number;
	const char *name;
} all_types[] = {
	BPFMAPS_TYPES(TYPE_ENTRY)
};

TEST(types)
{
	EXPECT_EQ(bpfmaps_type_number("none"), -EINVAL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(bpfmaps_type_number(""), -EINVAL);
	EXPECT_EQ(bpfmaps_type_name(0), NULL);
	EXPECT_EQ(bpfmaps_type_name(0xffffffff), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(all_types); i++) {
		EXPECT_STREQ(bpfmaps_type_name(all_types[i].number), all_types[i].name);
		EXPECT_EQ(bpfmaps_type_number(all_types[i].name), all_types[i].number);
	}
}

FIXTURE(map)
{
	int fd;
};

FIXTURE_SETUP(map)
{
	self->fd = new_map(BPFMAPS_TYPE_HASH, 0);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(map)
{
	close(self->fd);
}

TEST_F(map, element_errors)
{
	__u64 value = 1;
	__u32 key = 1;

	EXPECT_EQ(bpfmaps_map_lookup_elem(self->fd, &key, &value), -ENOENT);
	EXPECT_EQ(errno, ENOENT);
	EXPECT_EQ(bpfmaps_map_delete_elem(self->fd, &key), -ENOENT);
	EXPECT_EQ(bpfmaps_map_get_next_key(self->fd, NULL, &key), -ENOENT);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, BPFMAPS_EXIST), -ENOENT);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 3), -EINVAL);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, NULL, &value, 0), -EFAULT);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, NULL, 0), -EFAULT);
	ASSERT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, BPFMAPS_NOEXIST), 0);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, BPFMAPS_NOEXIST), -EEXIST);
	EXPECT_EQ(bpfmaps_map_lookup_elem_flags(self->fd, &key, &value, 8), -EINVAL);
	EXPECT_EQ(bpfmaps_map_lookup_elem_flags(self->fd, &key, &value, BPFMAPS_F_LOCK), -EINVAL);
	EXPECT_EQ(bpfmaps_map_delete_elem_flags(self->fd, &key, 1), -EINVAL);
	for (key = 2; key <= 4; key++)
		EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 0), 0);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 0), -E2BIG);
}

TEST_F(map, elements)
{
	__u64 value = 0x0102030405060708, got = 0;
	__u32 key = 7, next = 0;

	ASSERT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, BPFMAPS_ANY), 0);
	EXPECT_EQ(bpfmaps_map_lookup_elem(self->fd, &key, &got), 0);
	EXPECT_EQ(got, value);
	got = 0;
	EXPECT_EQ(bpfmaps_map_lookup_elem_flags(self->fd, &key, &got, 0), 0);
	EXPECT_EQ(got, value);
	EXPECT_EQ(bpfmaps_map_get_next_key(self->fd, NULL, &next), 0);
	EXPECT_EQ(next, key);
	EXPECT_EQ(bpfmaps_map_get_next_key(self->fd, &next, &next), -ENOENT);
	EXPECT_EQ(bpfmaps_map_delete_elem_flags(self->fd, &key, 0), 0);
	EXPECT_EQ(bpfmaps_map_delete_elem(self->fd, &key), -ENOENT);
}

TEST_F(map, lookup_and_delete)
{
	__u64 value = 9, got = 0;
	__u32 key = 7;

	EXPECT_EQ(bpfmaps_map_lookup_and_delete_elem(self->fd, &key, &got), -ENOENT);
	ASSERT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 0), 0);
	EXPECT_EQ(bpfmaps_map_lookup_and_delete_elem_flags(self->fd, &key, &got, 8), -EINVAL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(bpfmaps_map_lookup_and_delete_elem_flags(self->fd, &key, &got, 0), 0);
	EXPECT_EQ(got, value);
	EXPECT_EQ(bpfmaps_map_lookup_elem(self->fd, &key, &got), -ENOENT);
}

TEST_F(map, batch_errors)
{
	struct {
		struct bpfmaps_map_batch_opts opts;
		__u64 more;
	} longer = { .opts.sz = sizeof(longer), .more = 1 };
	BPFMAPS_OPTS(bpfmaps_map_batch_opts, opts, .flags = 1);
	__u32 keys[4] = { 1, 2, 3, 4 };
	__u64 values[4] = { };
	__u32 count = 4;

	EXPECT_EQ(bpfmaps_map_update_batch(self->fd, keys, values, &count, &longer.opts), -EINVAL);
	EXPECT_EQ(bpfmaps_map_lookup_batch(self->fd, NULL, keys, keys, values, &count, &opts),
		  -EINVAL);
	count = 4;
	opts.flags = 0;
	opts.elem_flags = 8;
	EXPECT_EQ(bpfmaps_map_update_batch(self->fd, keys, values, &count, &opts), -EINVAL);
	opts.elem_flags = 0;
	count = 4;
	EXPECT_EQ(bpfmaps_map_delete_batch(self->fd, keys, &count, &opts), -ENOENT);
	EXPECT_EQ(count, 0);
	count = 4;
	EXPECT_EQ(bpfmaps_map_update_batch(new_map(BPFMAPS_TYPE_ARRAY, 0), keys, values, &count,
					   NULL), -E2BIG);
	/* The last of the indexes 1 to 4 is behind the end. */
	EXPECT_EQ(count, 3);
}

TEST_F(map, batches)
{
	BPFMAPS_OPTS(bpfmaps_map_batch_opts, opts);
	__u32 keys[4] = { 1, 2, 3, 4 }, got[4] = { };
	__u64 values[4] = { 10, 20, 30, 40 };
	__u32 count = 4, cursor = 0;

	ASSERT_EQ(bpfmaps_map_update_batch(self->fd, keys, values, &count, &opts), 0);
	EXPECT_EQ(count, 4);
	count = 1;
	EXPECT_EQ(bpfmaps_map_delete_batch(self->fd, keys, &count, NULL), 0);
	EXPECT_EQ(count, 1);
	count = 4;
	EXPECT_EQ(bpfmaps_map_lookup_batch(self->fd, NULL, &cursor, got, values, &count, &opts),
		  -ENOENT);
	ASSERT_EQ(count, 3);
	for (__u32 i = 0; i < count; i++)
		EXPECT_EQ(values[i], 10 * got[i]);
	EXPECT_EQ(got[0] + got[1] + got[2], 2 + 3 + 4);
	count = 4;
	EXPECT_EQ(bpfmaps_map_lookup_and_delete_batch(self->fd, NULL, &cursor, got, values, &count,
						      NULL), -ENOENT);
	EXPECT_EQ(count, 3);
	EXPECT_EQ(bpfmaps_map_get_next_key(self->fd, NULL, keys), -ENOENT);
}

TEST(batch_in_parts)
{
	__u32 keys[4] = { 9, 9, 9, 9 };
	__u64 values[4] = { };
	__u32 count = 3, cursor;
	int map;

	map = new_map(BPFMAPS_TYPE_ARRAY, 0);
	ASSERT_GE(map, 0);
	ASSERT_EQ(bpfmaps_map_lookup_batch(map, NULL, &cursor, keys, values, &count, NULL), 0);
	EXPECT_EQ(count, 3);
	EXPECT_EQ(keys[2], 2);
	EXPECT_EQ(keys[3], 9);
	EXPECT_EQ(bpfmaps_map_lookup_batch(map, &cursor, &cursor, keys, values, &count, NULL),
		  -ENOENT);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(keys[0], 3);
}

TEST(no_batches)
{
	__u64 value = 0;
	__u32 count = 1;
	int map;

	map = bpfmaps_map_create(BPFMAPS_TYPE_QUEUE, NULL, 0, 8, 4, NULL);
	ASSERT_GE(map, 0);
	EXPECT_EQ(bpfmaps_map_lookup_batch(map, NULL, &value, &value, &value, &count, NULL), -524);
	EXPECT_EQ(errno, 524);
}

TEST(queue)
{
	__u64 value = 5, got = 0;
	int map;

	map = bpfmaps_map_create(BPFMAPS_TYPE_QUEUE, NULL, 0, 8, 4, NULL);
	ASSERT_GE(map, 0);
	EXPECT_EQ(bpfmaps_map_lookup_and_delete_elem(map, NULL, &got), -ENOENT);
	ASSERT_EQ(bpfmaps_map_update_elem(map, NULL, &value, 0), 0);
	EXPECT_EQ(bpfmaps_map_lookup_elem(map, NULL, &got), 0);
	EXPECT_EQ(got, 5);
	got = 0;
	EXPECT_EQ(bpfmaps_map_lookup_and_delete_elem(map, NULL, &got), 0);
	EXPECT_EQ(got, 5);
	EXPECT_EQ(bpfmaps_map_lookup_elem(map, NULL, &got), -ENOENT);
}

TEST(bloom_filter)
{
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts, .map_extra = 16);
	__u64 value = 5;
	int map;

	EXPECT_EQ(bpfmaps_map_create(BPFMAPS_TYPE_BLOOM_FILTER, NULL, 0, 8, 4, &opts), -EINVAL);
	opts.map_extra = 3;
	map = bpfmaps_map_create(BPFMAPS_TYPE_BLOOM_FILTER, NULL, 0, 8, 4, &opts);
	ASSERT_GE(map, 0);
	EXPECT_EQ(bpfmaps_map_lookup_elem(map, NULL, &value), -ENOENT);
	ASSERT_EQ(bpfmaps_map_update_elem(map, NULL, &value, 0), 0);
	EXPECT_EQ(bpfmaps_map_lookup_elem(map, NULL, &value), 0);
}

/* Every CPU's value is copied, and no byte behind them. */
TEST(percpu)
{
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	__u8 values[8 * 64 + 1];
	__u32 key = 0;
	ssize_t size;
	int map, cpus;

	cpus = bpfmaps_num_possible_cpus();
	EXPECT_EQ(cpus, sysconf(_SC_NPROCESSORS_CONF));
	map = bpfmaps_map_create(BPFMAPS_TYPE_PERCPU_ARRAY, NULL, 4, 3, 1, NULL);
	ASSERT_GE(map, 0);
	ASSERT_EQ(bpfmaps_obj_get_info_by_fd(map, &info, &len), 0);
	size = bpfmaps_value_size(&info);
	ASSERT_EQ(size, 8 * cpus);
	ASSERT_LT(size, (ssize_t)sizeof(values));
	for (int cpu = 0; cpu < cpus; cpu++)
		values[8 * cpu] = 10 + cpu;
	ASSERT_EQ(bpfmaps_map_update_elem(map, &key, values, 0), 0);
	memset(values, 0xee, sizeof(values));
	ASSERT_EQ(bpfmaps_map_lookup_elem(map, &key, values), 0);
	for (int cpu = 0; cpu < cpus; cpu++)
		EXPECT_EQ(values[8 * cpu], 10 + cpu);
	EXPECT_EQ(values[size], 0xee);
}

TEST(value_sizes)
{
	struct bpfmaps_map_info info = { .value_size = 12 };
	int cpus = bpfmaps_num_possible_cpus();

	for (size_t i = 0; i < ARRAY_SIZE(all_types); i++) {
		bool percpu = strstr(all_types[i].name, "percpu");

		info.type = all_types[i].number;
		EXPECT_EQ(bpfmaps_type_is_percpu(info.type), percpu);
		EXPECT_EQ(bpfmaps_value_size(&info), percpu ? 16 * cpus : 12);
	}
}

TEST_F(map, freeze)
{
	__u64 value = 0;
	__u32 key = 1;

	ASSERT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 0), 0);
	ASSERT_EQ(bpfmaps_map_freeze(self->fd), 0);
	EXPECT_EQ(bpfmaps_map_update_elem(self->fd, &key, &value, 0), -EPERM);
	EXPECT_EQ(bpfmaps_map_delete_elem(self->fd, &key), -EPERM);
	EXPECT_EQ(bpfmaps_map_lookup_elem(self->fd, &key, &value), 0);
}

TEST_F(map, info)
{
	struct {
		struct bpfmaps_map_info info;
		__u64 more;
	} longer = { .more = 1 };
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(longer);

	EXPECT_EQ(bpfmaps_obj_get_info_by_fd(self->fd, &longer.info, &len), -E2BIG);
	longer.more = 0;
	EXPECT_EQ(bpfmaps_obj_get_info_by_fd(self->fd, &longer.info, &len), 0);
	EXPECT_EQ(len, sizeof(info));
	len = offsetof(struct bpfmaps_map_info, value_size);
	EXPECT_EQ(bpfmaps_obj_get_info_by_fd(self->fd, &info, &len), 0);
	EXPECT_EQ(len, offsetof(struct bpfmaps_map_info, value_size));
	EXPECT_EQ(info.type, BPFMAPS_TYPE_HASH);
	EXPECT_EQ(info.key_size, 4);
	EXPECT_EQ(info.value_size, 0);
	EXPECT_EQ(longer.info.value_size, 8);
	EXPECT_EQ(longer.info.max_entries, 4);
	EXPECT_STREQ(longer.info.name, "lib_test");
}

TEST_F(map, pins)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, rdonly, .flags = BPFMAPS_F_RDONLY);
	BPFMAPS_OPTS(bpfmaps_open_opts, wronly, .flags = BPFMAPS_F_WRONLY);
	__u64 value = 5;
	__u32 key = 1;
	int fd;

	EXPECT_EQ(bpfmaps_obj_get(PIN, NULL), -ENOENT);
	EXPECT_EQ(bpfmaps_obj_get("/etc/passwd", NULL), -EACCES);
	EXPECT_EQ(bpfmaps_obj_get(NULL, NULL), -EFAULT);
	EXPECT_EQ(bpfmaps_obj_pin(self->fd, "/tmp/lib_test"), -EPERM);
	EXPECT_EQ(bpfmaps_obj_pin(self->fd, PIN ".x"), -EPERM);
	ASSERT_EQ(bpfmaps_obj_pin(self->fd, PIN), 0);
	EXPECT_EQ(bpfmaps_obj_pin(self->fd, PIN), -EEXIST);

	fd = bpfmaps_obj_get(PIN, NULL);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(bpfmaps_map_update_elem(fd, &key, &value, 0), 0);
	fd = bpfmaps_obj_get(PIN, &rdonly);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(bpfmaps_map_update_elem(fd, &key, &value, 0), -EPERM);
	EXPECT_EQ(bpfmaps_map_lookup_elem(fd, &key, &value), 0);
	fd = bpfmaps_obj_get(PIN, &wronly);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(bpfmaps_map_lookup_elem(fd, &key, &value), -EPERM);
	EXPECT_EQ(bpfmaps_map_update_elem(fd, &key, &value, 0), 0);
	EXPECT_EQ(unlink(PIN), 0);
}

TEST_F(map, pins_in_a_directory)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .path_fd = open("/sys/fs/bpfmaps", O_PATH));
	struct {
		struct bpfmaps_open_opts opts;
		__u64 more;
	} longer = { .opts.sz = sizeof(longer), .more = 1 };
	int fd;

	ASSERT_GE(opts.path_fd, 0);
	EXPECT_EQ(bpfmaps_obj_pin_opts(self->fd, "lib_test", &longer.opts), -EINVAL);
	EXPECT_EQ(bpfmaps_obj_pin_opts(self->fd, "lib_test", &opts), -EINVAL);
	EXPECT_EQ(bpfmaps_obj_get("lib_test", &opts), -EINVAL);
	opts.flags = BPFMAPS_F_PATH_FD;
	EXPECT_EQ(bpfmaps_obj_get("lib_test", &opts), -ENOENT);
	ASSERT_EQ(bpfmaps_obj_pin_opts(self->fd, "lib_test", &opts), 0);
	EXPECT_EQ(bpfmaps_obj_pin_opts(self->fd, PIN, NULL), -EEXIST);
	fd = bpfmaps_obj_get("lib_test", &opts);
	EXPECT_GE(fd, 0);
	EXPECT_EQ(unlink(PIN), 0);
}

TEST_F(map, ids)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, rdonly, .flags = BPFMAPS_F_RDONLY);
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	__u32 id = 0, next = 0;
	__u64 value = 0;
	__u32 key = 1;
	int ret, fd;
	bool seen = false;

	ASSERT_EQ(bpfmaps_obj_get_info_by_fd(self->fd, &info, &len), 0);
	EXPECT_EQ(bpfmaps_map_get_fd_by_id(0, NULL), -ENOENT);
	EXPECT_EQ(bpfmaps_map_get_next_id(0xffffffff, &next), -EINVAL);
	EXPECT_EQ(next, 0);
	while (!(ret = bpfmaps_map_get_next_id(id, &next))) {
		ASSERT_GT(next, id);
		id = next;
		seen |= id == info.id;
	}
	EXPECT_EQ(ret, -ENOENT);
	EXPECT_TRUE(seen);
	fd = bpfmaps_map_get_fd_by_id(info.id, &rdonly);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(bpfmaps_map_update_elem(fd, &key, &value, 0), -EPERM);
}

TEST(names)
{
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	int map;

	map = bpfmaps_map_create(BPFMAPS_TYPE_ARRAY, "fifteen.letters", 4, 8, 4, NULL);
	ASSERT_GE(map, 0);
	EXPECT_EQ(fcntl(map, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(bpfmaps_obj_get_info_by_fd(map, &info, &len), 0);
	EXPECT_STREQ(info.name, "fifteen.letters");
	map = bpfmaps_map_create(BPFMAPS_TYPE_ARRAY, NULL, 4, 8, 4, NULL);
	ASSERT_GE(map, 0);
	EXPECT_EQ(bpfmaps_obj_get_info_by_fd(map, &info, &len), 0);
	EXPECT_STREQ(info.name, "");
}

TEST(device_missing)
{
	setenv("BPFMAPS_DEVICE", "/dev/none", 1);
	EXPECT_EQ(new_map(BPFMAPS_TYPE_HASH, 0), -ENOENT);
	EXPECT_EQ(errno, ENOENT);
	/* The failure is not kept. */
	unsetenv("BPFMAPS_DEVICE");
	EXPECT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
}

TEST(device_is_something_else)
{
	int fd;

	setenv("BPFMAPS_DEVICE", "/etc/passwd", 1);
	EXPECT_EQ(new_map(BPFMAPS_TYPE_HASH, 0), -ENOTTY);
	EXPECT_EQ(errno, ENOTTY);
	EXPECT_EQ(count_open("/etc/passwd", &fd), 0);
	setenv("BPFMAPS_DEVICE", "/dev/null", 1);
	EXPECT_EQ(new_map(BPFMAPS_TYPE_HASH, 0), -ENOTTY);
}

TEST(device_is_opened_once)
{
	int fd = -1;

	EXPECT_EQ(count_open(DEVICE, &fd), 0);
	EXPECT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
	EXPECT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
	EXPECT_EQ(count_open(DEVICE, &fd), 1);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static pthread_barrier_t barrier;

static void *create_in_thread(void *result)
{
	pthread_barrier_wait(&barrier);
	*(int *)result = new_map(BPFMAPS_TYPE_HASH, 0);
	return NULL;
}

TEST(device_is_opened_once_by_threads)
{
	pthread_t threads[8];
	int results[8];
	int fd;

	ASSERT_EQ(pthread_barrier_init(&barrier, NULL, 8), 0);
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, create_in_thread, &results[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_GE(results[i], 0);
	}
	EXPECT_EQ(count_open(DEVICE, &fd), 1);
}

TEST(device_closed_by_the_program)
{
	int fd = -1;

	ASSERT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
	ASSERT_EQ(count_open(DEVICE, &fd), 1);
	close(fd);
	EXPECT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);

	/* And its number used for something else, which has to stay open. */
	ASSERT_EQ(count_open(DEVICE, &fd), 1);
	ASSERT_EQ(dup2(STDERR_FILENO, fd), fd);
	EXPECT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
}

/* Runs in a child that has lost its privileges; returns which step failed. */
static int use_map_unprivileged(int map)
{
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	__u64 value = 9;
	__u32 key = 1;

	if (setgid(USER) || setuid(USER))
		return 1;
	if (new_map(BPFMAPS_TYPE_HASH, 0) != -EACCES)
		return 2;
	if (bpfmaps_map_update_elem(map, &key, &value, 0))
		return 3;
	if (bpfmaps_map_lookup_elem(map, &key, &value) || value != 9)
		return 4;
	if (bpfmaps_map_get_next_key(map, NULL, &key) || key != 1)
		return 5;
	if (bpfmaps_obj_get_info_by_fd(map, &info, &len) || info.key_size != 4)
		return 6;
	if (bpfmaps_map_delete_elem(map, &key))
		return 7;
	return 0;
}

TEST(map_without_device)
{
	struct bpfmaps_create_attr attr = {
		.map_type = BPFMAPS_TYPE_HASH,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 4,
	};
	int device, map, status;
	pid_t child;

	/* Not by the library, whose descriptor the child would have. */
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_GE(device, 0);
	map = ioctl(device, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);
	ASSERT_GE(map, 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child)
		_exit(use_map_unprivileged(map));
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(device_after_fork)
{
	int status;
	pid_t child;

	ASSERT_GE(new_map(BPFMAPS_TYPE_HASH, 0), 0);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child)
		_exit(new_map(BPFMAPS_TYPE_HASH, 0) < 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

TEST_HARNESS_MAIN
