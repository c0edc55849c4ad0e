// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that bpfmaps exports to other modules: kapi_kmod.ko calls them, this program makes
 * the maps and loads it once for each check
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpfmaps.h>

#include "kselftest_harness.h"

#define KMOD	"/lib/kapi_kmod.ko"
#define PIN	"/sys/fs/bpfmaps/kapi_test"

static int dev = -1;

static int map_create(__u32 type, __u32 value_size, __u32 entries, __u32 flags)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type,
		.key_size = 4,
		.value_size = value_size,
		.max_entries = entries,
		.map_flags = flags,
	};

	return ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);
}

static int map_create_keyless(__u32 type, __u32 entries)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type,
		.value_size = 8,
		.max_entries = entries,
	};

	return ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);
}

static int map_elem(int cmd, int map, __u32 key, __u64 *value)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)value,
	};

	return ioctl(dev, BPFMAPS_IOC(cmd, sizeof(attr)), &attr);
}

static int map_pin(int map)
{
	struct bpfmaps_obj_attr attr = { .pathname = (uintptr_t)PIN, .bpf_fd = map };

	return ioctl(dev, BPFMAPS_IOC(BPFMAPS_OBJ_PIN, sizeof(attr)), &attr);
}

static int map_freeze(int map)
{
	struct bpfmaps_elem_attr attr = { .map_fd = map };

	return ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_FREEZE, sizeof(attr.map_fd)), &attr);
}

/* The comparisons that failed are the last lines of the kernel's log. */
static void print_log(void)
{
	static char buf[1 << 16];
	int len = klogctl(3, buf, sizeof(buf) - 1);
	char *line;

	if (len < 0)
		return;
	buf[len] = 0;
	for (line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "kapi_kmod"))
			printf("# %s\n", line);
}

/* 0, or the errno with which the module refused to load. */
static int kmod(const char *params)
{
	int fd = open(KMOD, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		err = errno;
	else
		syscall(SYS_delete_module, "kapi_kmod", O_NONBLOCK);
	close(fd);
	printf("# insmod kapi_kmod.ko %s: %s\n", params, err ? strerror(err) : "as expected");
	if (err)
		print_log();
	return err;
}

static int kmod_fd(const char *check, int fd, int mode, int expect)
{
	char params[128];

	snprintf(params, sizeof(params), "check=%s fd=%d mode=%d expect=%d", check, fd, mode,
		 expect);
	return kmod(params);
}

static int kmod_path(const char *path, int mode, int expect)
{
	char params[128];

	snprintf(params, sizeof(params), "check=get path=%s mode=%d expect=%d", path, mode, expect);
	return kmod(params);
}

FIXTURE(kapi) {
	int map;
};

FIXTURE_SETUP(kapi)
{
	dev = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, dev);
	self->map = map_create(BPFMAPS_TYPE_HASH, 8, 8, 0);
	ASSERT_LE(0, self->map);
}

FIXTURE_TEARDOWN(kapi)
{
	unlink(PIN);
	close(self->map);
	close(dev);
}

TEST_F(kapi, a_wrong_descriptor_is_refused)
{
	int null = open("/dev/null", O_RDWR);

	EXPECT_EQ(0, kmod_fd("get", -1, 3, EBADF));
	EXPECT_EQ(0, kmod_fd("get", 1000, 3, EBADF));
	EXPECT_EQ(0, kmod_fd("get", null, 3, EINVAL));
	EXPECT_EQ(0, kmod_fd("get", dev, 3, EINVAL));
}

TEST_F(kapi, a_descriptor_gives_no_more_than_it_may)
{
	int rdonly = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_RDONLY);
	int wronly = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_WRONLY);

	EXPECT_EQ(0, kmod_fd("get", rdonly, 2, EPERM));
	EXPECT_EQ(0, kmod_fd("get", rdonly, 3, EPERM));
	EXPECT_EQ(0, kmod_fd("get", rdonly, 1, 0));
	EXPECT_EQ(0, kmod_fd("get", wronly, 1, EPERM));
	EXPECT_EQ(0, kmod_fd("get", wronly, 2, 0));
	EXPECT_EQ(0, kmod_fd("get", self->map, 3, 0));
}

TEST_F(kapi, flags_bind_users_in_the_kernel)
{
	int rdonly = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_RDONLY_PROG);
	int wronly = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_WRONLY_PROG);

	EXPECT_EQ(0, kmod_fd("get", rdonly, 2, EACCES));
	EXPECT_EQ(0, kmod_fd("get", rdonly, 1, 0));
	EXPECT_EQ(0, kmod_fd("rdonly", rdonly, 1, 0));
	EXPECT_EQ(0, kmod_fd("get", wronly, 1, EACCES));
	EXPECT_EQ(0, kmod_fd("get", wronly, 2, 0));
}

TEST_F(kapi, a_path_is_checked)
{
	EXPECT_EQ(0, kmod_path(PIN, 3, ENOENT));
	EXPECT_EQ(0, kmod_path("/dev/null", 3, EACCES));
	EXPECT_EQ(0, kmod_path("/sys/fs/bpfmaps", 3, EACCES));
	ASSERT_EQ(0, map_pin(self->map));
	EXPECT_EQ(0, kmod_path(PIN, 0, EINVAL));
	EXPECT_EQ(0, kmod_path(PIN, 4, EINVAL));
	EXPECT_EQ(0, kmod_path(PIN, 3, 0));
}

TEST_F(kapi, a_pin_of_a_read_only_descriptor_stays_read_only)
{
	int rdonly = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_RDONLY);

	ASSERT_EQ(0, map_pin(rdonly));
	EXPECT_EQ(0, kmod_path(PIN, 3, EPERM));
	EXPECT_EQ(0, kmod_path(PIN, 1, 0));
}

TEST_F(kapi, hash_in_process_context)
{
	EXPECT_EQ(0, kmod_fd("process", self->map, 3, 0));
}

TEST_F(kapi, hash_in_softirq_context)
{
	EXPECT_EQ(0, kmod_fd("softirq", self->map, 3, 0));
}

TEST_F(kapi, hash_in_hardirq_context)
{
	EXPECT_EQ(0, kmod_fd("hardirq", self->map, 3, 0));
}

TEST_F(kapi, hash_without_preallocation_in_all_contexts)
{
	int map = map_create(BPFMAPS_TYPE_HASH, 8, 8, BPFMAPS_F_NO_PREALLOC);

	EXPECT_EQ(0, kmod_fd("process", map, 3, 0));
	EXPECT_EQ(0, kmod_fd("softirq", map, 3, 0));
	EXPECT_EQ(0, kmod_fd("hardirq", map, 3, 0));
}

TEST_F(kapi, an_element_is_not_recycled_under_a_reader)
{
	int map = map_create(BPFMAPS_TYPE_HASH, 8, 1, 0);

	EXPECT_EQ(0, kmod_fd("recycle", map, 3, 0));
}

TEST_F(kapi, elements_are_iterated)
{
	EXPECT_EQ(0, kmod_fd("iterate", self->map, 3, 0));
}

TEST_F(kapi, trie)
{
	struct bpfmaps_create_attr attr = {
		.map_type = BPFMAPS_TYPE_LPM_TRIE,
		.key_size = 8,
		.value_size = 8,
		.max_entries = 33,
		.map_flags = BPFMAPS_F_NO_PREALLOC,
	};
	int map = ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);

	EXPECT_EQ(0, kmod_fd("trie", map, 3, 0));
}

TEST_F(kapi, array)
{
	int map = map_create(BPFMAPS_TYPE_ARRAY, 8, 8, 0);
	__u64 value = 0;

	EXPECT_EQ(0, kmod_fd("array", map, 3, 0));
	EXPECT_EQ(0, map_elem(BPFMAPS_MAP_LOOKUP_ELEM, map, 7, &value));
	EXPECT_EQ(77, value);
}

TEST_F(kapi, large_array_values_are_for_process_context)
{
	int map = map_create(BPFMAPS_TYPE_ARRAY, 100000, 2, 0);

	EXPECT_EQ(0, kmod_fd("large", map, 3, 0));
}

TEST_F(kapi, queue_stack_and_bloom_filter)
{
	EXPECT_EQ(0, kmod_fd("queue", map_create_keyless(BPFMAPS_TYPE_QUEUE, 3), 3, 0));
	EXPECT_EQ(0, kmod_fd("stack", map_create_keyless(BPFMAPS_TYPE_STACK, 3), 3, 0));
	EXPECT_EQ(0, kmod_fd("bloom", map_create_keyless(BPFMAPS_TYPE_BLOOM_FILTER, 100), 3, 0));
}

TEST_F(kapi, an_update_of_a_percpu_map_is_for_this_cpu)
{
	int array = map_create(BPFMAPS_TYPE_PERCPU_ARRAY, 8, 8, 0);
	int hash = map_create(BPFMAPS_TYPE_PERCPU_HASH, 8, 8, 0);
	int lazy = map_create(BPFMAPS_TYPE_PERCPU_HASH, 8, 8, BPFMAPS_F_NO_PREALLOC);
	int paged = map_create(BPFMAPS_TYPE_PERCPU_ARRAY, 8, 8, BPFMAPS_F_MMAPABLE);

	EXPECT_EQ(0, kmod_fd("percpu", array, 3, 0));
	EXPECT_EQ(0, kmod_fd("percpu", paged, 3, 0));
	EXPECT_EQ(0, kmod_fd("percpu", hash, 3, 0));
	EXPECT_EQ(0, kmod_fd("percpu", lazy, 3, 0));
}

TEST_F(kapi, a_look_up_in_the_kernel_counts_as_use)
{
	int map = map_create(BPFMAPS_TYPE_LRU_HASH, 8, 8, 0);

	EXPECT_EQ(0, kmod_fd("lru", map, 3, 0));
}

TEST_F(kapi, freezing_does_not_bind_users_in_the_kernel)
{
	ASSERT_EQ(0, map_freeze(self->map));
	EXPECT_EQ(0, kmod_fd("process", self->map, 3, 0));
}

static int map_create_outer(__u32 type, int template)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 8,
		.inner_map_fd = template,
	};

	return ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);
}

/* Puts a new map under key 0, where it has its only reference. */
static int put_inner(int outer)
{
	int inner = map_create(BPFMAPS_TYPE_ARRAY, 8, 2, 0), ret;
	__u64 value = 0x1122334455667788ULL;
	__u32 fd = inner;

	ret = map_elem(BPFMAPS_MAP_UPDATE_ELEM, inner, 0, &value);
	value = fd;
	if (!ret)
		ret = map_elem(BPFMAPS_MAP_UPDATE_ELEM, outer, 0, &value);
	close(inner);
	return ret;
}

static bool replaced_enough;

static void *replace(void *arg)
{
	int outer = *(int *)arg;
	long failed = 0;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&replaced_enough, __ATOMIC_ACQUIRE); i++) {
		failed += put_inner(outer) != 0;
		if (i % 4 == 3)
			failed += map_elem(BPFMAPS_MAP_DELETE_ELEM, outer, 0, NULL) != 0;
	}
	printf("# replaced %u times\n", i);
	return (void *)failed;
}

TEST_F(kapi, maps_in_maps)
{
	static const __u32 types[] = { BPFMAPS_TYPE_ARRAY_OF_MAPS, BPFMAPS_TYPE_HASH_OF_MAPS };
	int template = map_create(BPFMAPS_TYPE_ARRAY, 8, 2, 0), outer;
	pthread_t thread;
	void *failed;
	size_t i;

	ASSERT_LE(0, template);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		outer = map_create_outer(types[i], template);
		ASSERT_LE(0, outer);
		ASSERT_EQ(0, put_inner(outer));
		EXPECT_EQ(0, kmod_fd("holds_maps", outer, 3, 0));
		replaced_enough = false;
		pthread_create(&thread, NULL, replace, &outer);
		EXPECT_EQ(0, kmod_fd("replaced", outer, 1, 0));
		__atomic_store_n(&replaced_enough, true, __ATOMIC_RELEASE);
		pthread_join(thread, &failed);
		EXPECT_EQ(NULL, failed);
		close(outer);
	}
	close(template);
}

TEST_HARNESS_MAIN
