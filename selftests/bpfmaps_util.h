/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of /dev/bpfmaps as functions, for the tests. All return what the ioctl returns, or
 * -errno. @map is a map's own descriptor, @dev the device's.
 */
#ifndef BPFMAPS_UTIL_H
#define BPFMAPS_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/bpfmaps.h>

#ifndef ENOTSUPP
#define ENOTSUPP	524
#endif

#define BM_DEVICE	"/dev/bpfmaps"
#define BM_PINS		"/sys/fs/bpfmaps"

static inline int bm_call(int fd, unsigned int cmd, void *attr, unsigned int size)
{
	int ret = ioctl(fd, BPFMAPS_IOC(cmd, size), attr);

	return ret < 0 ? -errno : ret;
}

/* Writes @text to a file that is there. */
static inline int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static inline int bm_open(void)
{
	int fd = open(BM_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int bm_create(int dev, __u32 type, __u32 key, __u32 value, __u32 max, __u32 flags)
{
	struct bpfmaps_create_attr a = {
		.map_type = type,
		.key_size = key,
		.value_size = value,
		.max_entries = max,
		.map_flags = flags,
	};

	return bm_call(dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static inline int bm_elem(int map, unsigned int cmd, const void *key, const void *value,
			  __u64 flags)
{
	struct bpfmaps_elem_attr a = {
		.map_fd = BPFMAPS_SELF,
		.key = (unsigned long)key,
		.value = (unsigned long)value,
		.flags = flags,
	};

	return bm_call(map, cmd, &a, sizeof(a));
}

static inline int bm_lookup(int map, const void *key, void *value)
{
	return bm_elem(map, BPFMAPS_MAP_LOOKUP_ELEM, key, value, 0);
}

static inline int bm_update(int map, const void *key, const void *value, __u64 flags)
{
	return bm_elem(map, BPFMAPS_MAP_UPDATE_ELEM, key, value, flags);
}

static inline int bm_delete(int map, const void *key)
{
	return bm_elem(map, BPFMAPS_MAP_DELETE_ELEM, key, NULL, 0);
}

static inline int bm_next(int map, const void *key, void *next)
{
	return bm_elem(map, BPFMAPS_MAP_GET_NEXT_KEY, key, next, 0);
}

static inline int bm_freeze(int map)
{
	return bm_elem(map, BPFMAPS_MAP_FREEZE, NULL, NULL, 0);
}

static inline int bm_info(int map, struct bpfmaps_map_info *info)
{
	struct bpfmaps_info_attr a = {
		.bpf_fd = BPFMAPS_SELF,
		.info_len = sizeof(*info),
		.info = (unsigned long)info,
	};

	memset(info, 0, sizeof(*info));
	return bm_call(map, BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
}

/* 0 if the map does not tell. */
static inline __u32 bm_id(int map)
{
	struct bpfmaps_map_info info;

	return bm_info(map, &info) ? 0 : info.id;
}

static inline int bm_pin(int dev, int map, const char *path)
{
	struct bpfmaps_obj_attr a = { .pathname = (unsigned long)path, .bpf_fd = map };

	return bm_call(dev, BPFMAPS_OBJ_PIN, &a, sizeof(a));
}

static inline int bm_get(int dev, const char *path, __u32 flags)
{
	struct bpfmaps_obj_attr a = { .pathname = (unsigned long)path, .file_flags = flags };

	return bm_call(dev, BPFMAPS_OBJ_GET, &a, sizeof(a));
}

static inline int bm_next_id(int dev, __u32 start, __u32 *next)
{
	struct bpfmaps_id_attr a = { .start_id = start };
	int ret = bm_call(dev, BPFMAPS_MAP_GET_NEXT_ID, &a, sizeof(a));

	*next = a.next_id;
	return ret;
}

static inline int bm_fd_by_id(int dev, __u32 id, __u32 flags)
{
	struct bpfmaps_id_attr a = { .map_id = id, .open_flags = flags };

	return bm_call(dev, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

/* How many keys a walk meets, at most @limit. */
static inline unsigned int bm_count(int map, __u32 key_size, unsigned int limit)
{
	unsigned char *key = malloc(key_size), *next = malloc(key_size);
	unsigned int nr = 0;

	while (nr < limit && !bm_next(map, nr ? key : NULL, next)) {
		memcpy(key, next, key_size);
		nr++;
	}
	free(key);
	free(next);
	return nr;
}

/* A number from the map's fdinfo, or -1. */
static inline long long bm_fdinfo(int map, const char *name)
{
	size_t len = strlen(name);
	char path[64], line[256];
	long long number = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", map);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && line[len] == ':')
			number = strtoll(line + len + 1, NULL, 0);
	}
	if (f)
		fclose(f);
	return number;
}

/* For how many CPUs a value of a per-CPU map is; /sys tells the possible ones as "0-N", or "0". */
static inline unsigned int bm_possible_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int first, last;
	int n = f ? fscanf(f, "%u-%u", &first, &last) : 0;

	if (f)
		fclose(f);
	return n == 2 ? last + 1 : 1;
}

#endif
