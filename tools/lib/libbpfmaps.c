// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps - one thin function per command of /dev/bpfmaps
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* All else is compiled with hidden visibility. */
#pragma GCC visibility push(default)
#include "bpfmaps.h"
#pragma GCC visibility pop
#include "internal.h"

#define DEVICE_PATH	"/dev/bpfmaps"
#define POSSIBLE_CPUS	"/sys/devices/system/cpu/possible"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* The process's descriptor of the device, -1 before the first use; and what it was opened as. */
static atomic_int device_fd = -1;
static atomic_ullong device_rdev;

static __u64 ptr_to_u64(const void *ptr)
{
	return (__u64)(uintptr_t)ptr;
}

static int fail(int err)
{
	errno = err;
	return -err;
}

static int command(int fd, enum bpfmaps_cmd cmd, void *attr, size_t size)
{
	int ret = ioctl(fd, BPFMAPS_IOC(cmd, size), attr);

	return ret < 0 ? -errno : ret;
}

/* On the map's own descriptor. What is not a map has no such ioctl, where bpf(2) says EINVAL. */
int bpfmaps_map_command(int fd, enum bpfmaps_cmd cmd, void *attr, size_t size)
{
	int ret = command(fd, cmd, attr, size);

	return ret == -ENOTTY ? fail(EINVAL) : ret;
}

static int device_open(void)
{
	const char *path = secure_getenv("BPFMAPS_DEVICE");
	struct stat st;
	int fd;

	fd = open(path && *path ? path : DEVICE_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode)) {
		close(fd);
		return -ENOTTY;
	}
	atomic_store(&device_rdev, st.st_rdev);
	return fd;
}

/* Of two threads that come here first, one keeps its descriptor and the other uses that one. */
static int device_get(void)
{
	int fd = atomic_load(&device_fd);
	int none = -1;

	if (fd >= 0)
		return fd;
	fd = device_open();
	if (fd < 0)
		return fd;
	if (atomic_compare_exchange_strong(&device_fd, &none, fd))
		return fd;
	close(fd);
	return none;
}

/* Programs that become daemons close all descriptors, and the number may be in use again. */
static bool device_lost(int fd)
{
	struct stat st;

	return fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != atomic_load(&device_rdev);
}

static int device_command(enum bpfmaps_cmd cmd, void *attr, size_t size)
{
	int fd = device_get();
	int ret;

	if (fd < 0)
		return fail(-fd);
	ret = command(fd, cmd, attr, size);
	if ((ret != -EBADF && ret != -ENOTTY) || !device_lost(fd))
		return ret < 0 ? fail(-ret) : ret;
	atomic_compare_exchange_strong(&device_fd, &fd, -1);
	fd = device_get();
	return fd < 0 ? fail(-fd) : command(fd, cmd, attr, size);
}

static bool all_zero(const char *from, const char *end)
{
	for (; from < end; from++)
		if (*from)
			return false;
	return true;
}

/*
 * Copy a caller's struct of optional arguments into ours of @size bytes: the fields that an older
 * caller does not have are 0, and those that we do not have must be.
 */
static int opts_copy(void *ours, size_t size, const void *opts)
{
	size_t sz;

	memset(ours, 0, size);
	if (!opts)
		return 0;
	memcpy(&sz, opts, sizeof(sz));
	if (sz < sizeof(sz))
		return fail(EINVAL);
	if (sz > size && !all_zero((const char *)opts + size, (const char *)opts + sz))
		return fail(EINVAL);
	memcpy(ours, opts, sz < size ? sz : size);
	return 0;
}

int bpfmaps_map_create(__u32 map_type, const char *map_name, __u32 key_size, __u32 value_size,
		       __u32 max_entries, const struct bpfmaps_map_create_opts *opts)
{
	struct bpfmaps_create_attr attr = {
		.map_type = map_type,
		.key_size = key_size,
		.value_size = value_size,
		.max_entries = max_entries,
	};
	struct bpfmaps_map_create_opts o;
	size_t len = map_name ? strlen(map_name) : 0;
	int ret;

	ret = opts_copy(&o, sizeof(o), opts);
	if (ret)
		return ret;
	if (len >= sizeof(attr.map_name) || o.reserved)
		return fail(EINVAL);
	memcpy(attr.map_name, map_name ? map_name : "", len);
	attr.map_flags = o.map_flags;
	attr.numa_node = o.numa_node;
	attr.inner_map_fd = o.inner_map_fd;
	attr.map_extra = o.map_extra;
	return device_command(BPFMAPS_MAP_CREATE, &attr, sizeof(attr));
}

int bpfmaps_map_lookup_elem_flags(int fd, const void *key, void *value, __u64 flags)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = ptr_to_u64(key),
		.value = ptr_to_u64(value),
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int bpfmaps_map_lookup_elem(int fd, const void *key, void *value)
{
	return bpfmaps_map_lookup_elem_flags(fd, key, value, 0);
}

int bpfmaps_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = ptr_to_u64(key),
		.value = ptr_to_u64(value),
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

int bpfmaps_map_delete_elem_flags(int fd, const void *key, __u64 flags)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = ptr_to_u64(key),
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_MAP_DELETE_ELEM, &attr, sizeof(attr));
}

int bpfmaps_map_delete_elem(int fd, const void *key)
{
	return bpfmaps_map_delete_elem_flags(fd, key, 0);
}

int bpfmaps_map_get_next_key(int fd, const void *key, void *next_key)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = ptr_to_u64(key),
		.next_key = ptr_to_u64(next_key),
	};

	return bpfmaps_map_command(fd, BPFMAPS_MAP_GET_NEXT_KEY, &attr, sizeof(attr));
}

int bpfmaps_map_lookup_and_delete_elem_flags(int fd, const void *key, void *value, __u64 flags)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = ptr_to_u64(key),
		.value = ptr_to_u64(value),
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, &attr, sizeof(attr));
}

int bpfmaps_map_lookup_and_delete_elem(int fd, const void *key, void *value)
{
	return bpfmaps_map_lookup_and_delete_elem_flags(fd, key, value, 0);
}

static int batch_command(int fd, enum bpfmaps_cmd cmd, struct bpfmaps_batch_attr *attr,
			 __u32 *count, const struct bpfmaps_map_batch_opts *opts)
{
	struct bpfmaps_map_batch_opts o;
	int ret;

	ret = opts_copy(&o, sizeof(o), opts);
	if (ret)
		return ret;
	attr->map_fd = BPFMAPS_SELF;
	attr->count = *count;
	attr->elem_flags = o.elem_flags;
	attr->flags = o.flags;
	ret = bpfmaps_map_command(fd, cmd, attr, sizeof(*attr));
	*count = attr->count;
	return ret;
}

int bpfmaps_map_lookup_batch(int fd, const void *in_batch, void *out_batch, void *keys,
			     void *values, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts)
{
	struct bpfmaps_batch_attr attr = {
		.in_batch = ptr_to_u64(in_batch),
		.out_batch = ptr_to_u64(out_batch),
		.keys = ptr_to_u64(keys),
		.values = ptr_to_u64(values),
	};

	return batch_command(fd, BPFMAPS_MAP_LOOKUP_BATCH, &attr, count, opts);
}

int bpfmaps_map_lookup_and_delete_batch(int fd, const void *in_batch, void *out_batch, void *keys,
					void *values, __u32 *count,
					const struct bpfmaps_map_batch_opts *opts)
{
	struct bpfmaps_batch_attr attr = {
		.in_batch = ptr_to_u64(in_batch),
		.out_batch = ptr_to_u64(out_batch),
		.keys = ptr_to_u64(keys),
		.values = ptr_to_u64(values),
	};

	return batch_command(fd, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &attr, count, opts);
}

int bpfmaps_map_update_batch(int fd, const void *keys, const void *values, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts)
{
	struct bpfmaps_batch_attr attr = {
		.keys = ptr_to_u64(keys),
		.values = ptr_to_u64(values),
	};

	return batch_command(fd, BPFMAPS_MAP_UPDATE_BATCH, &attr, count, opts);
}

int bpfmaps_map_delete_batch(int fd, const void *keys, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts)
{
	struct bpfmaps_batch_attr attr = { .keys = ptr_to_u64(keys) };

	return batch_command(fd, BPFMAPS_MAP_DELETE_BATCH, &attr, count, opts);
}

int bpfmaps_map_freeze(int fd)
{
	struct bpfmaps_elem_attr attr = { .map_fd = BPFMAPS_SELF };

	return bpfmaps_map_command(fd, BPFMAPS_MAP_FREEZE, &attr, sizeof(attr));
}

/* The attr of a command on a path, but for its map. */
static int path_attr(struct bpfmaps_obj_attr *attr, const char *pathname,
		     const struct bpfmaps_open_opts *opts)
{
	struct bpfmaps_open_opts o;
	int ret;

	ret = opts_copy(&o, sizeof(o), opts);
	*attr = (struct bpfmaps_obj_attr){
		.pathname = ptr_to_u64(pathname),
		.file_flags = o.flags,
		.path_fd = o.path_fd,
	};
	return ret;
}

int bpfmaps_obj_pin_opts(int fd, const char *pathname, const struct bpfmaps_open_opts *opts)
{
	struct bpfmaps_obj_attr attr;
	int ret;

	ret = path_attr(&attr, pathname, opts);
	if (ret)
		return ret;
	attr.bpf_fd = fd;
	return device_command(BPFMAPS_OBJ_PIN, &attr, sizeof(attr));
}

int bpfmaps_obj_pin(int fd, const char *pathname)
{
	return bpfmaps_obj_pin_opts(fd, pathname, NULL);
}

int bpfmaps_obj_get(const char *pathname, const struct bpfmaps_open_opts *opts)
{
	struct bpfmaps_obj_attr attr;
	int ret;

	ret = path_attr(&attr, pathname, opts);
	return ret ? ret : device_command(BPFMAPS_OBJ_GET, &attr, sizeof(attr));
}

int bpfmaps_map_get_next_id(__u32 start_id, __u32 *next_id)
{
	struct bpfmaps_id_attr attr = { .start_id = start_id };
	int ret;

	ret = device_command(BPFMAPS_MAP_GET_NEXT_ID, &attr, sizeof(attr));
	if (!ret)
		*next_id = attr.next_id;
	return ret;
}

int bpfmaps_map_get_fd_by_id(__u32 id, const struct bpfmaps_open_opts *opts)
{
	struct bpfmaps_id_attr attr = { .map_id = id };
	struct bpfmaps_open_opts o;
	int ret;

	ret = opts_copy(&o, sizeof(o), opts);
	if (ret)
		return ret;
	if (o.path_fd)
		return fail(EINVAL);
	attr.open_flags = o.flags;
	return device_command(BPFMAPS_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

int bpfmaps_obj_get_info_by_fd(int fd, struct bpfmaps_map_info *info, __u32 *info_len)
{
	struct bpfmaps_info_attr attr = {
		.bpf_fd = BPFMAPS_SELF,
		.info_len = *info_len,
		.info = ptr_to_u64(info),
	};
	int ret;

	ret = bpfmaps_map_command(fd, BPFMAPS_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
	if (!ret)
		*info_len = attr.info_len;
	return ret;
}

/* The CPUs of a list such as "0-3,8", or -EINVAL. */
static int count_cpus(FILE *list)
{
	unsigned int first, last;
	int nr = 0;
	int end;

	do {
		if (fscanf(list, "%u", &first) != 1)
			return -EINVAL;
		last = first;
		end = fgetc(list);
		if (end == '-') {
			if (fscanf(list, "%u", &last) != 1 || last < first)
				return -EINVAL;
			end = fgetc(list);
		}
		nr += last - first + 1;
	} while (end == ',');
	return nr;
}

/* It never changes while the machine runs. */
int bpfmaps_num_possible_cpus(void)
{
	static atomic_int possible;
	int nr = atomic_load(&possible);
	FILE *list;

	if (nr)
		return nr;
	list = fopen(POSSIBLE_CPUS, "re");
	if (!list)
		return -errno;
	nr = count_cpus(list);
	fclose(list);
	if (nr < 0)
		return fail(-nr);
	atomic_store(&possible, nr);
	return nr;
}

int bpfmaps_type_is_percpu(__u32 map_type)
{
	return map_type == BPFMAPS_TYPE_PERCPU_HASH || map_type == BPFMAPS_TYPE_PERCPU_ARRAY ||
	       map_type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

ssize_t bpfmaps_value_size(const struct bpfmaps_map_info *info)
{
	int nr;

	if (!bpfmaps_type_is_percpu(info->type))
		return info->value_size;
	nr = bpfmaps_num_possible_cpus();
	return nr < 0 ? nr : (ssize_t)nr * (((ssize_t)info->value_size + 7) & ~(ssize_t)7);
}

struct type_name {
	__u32 number;
	const char *name;
};

#define TYPE_NAME(number, NAME, name)	{ number, #name },

static const struct type_name types[] = {
	BPFMAPS_TYPES(TYPE_NAME)
};

const char *bpfmaps_type_name(__u32 map_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == map_type)
			return types[i].name;
	return NULL;
}

int bpfmaps_type_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return types[i].number;
	return fail(EINVAL);
}
