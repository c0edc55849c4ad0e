/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands on bpf(2) or on /dev/bpfmaps, for the tests of maps in maps: each case expects the
 * same of both.
 */
#ifndef MAP_IN_MAP_H
#define MAP_IN_MAP_H

#include <sys/syscall.h>

#include "bpfmaps_util.h"

/**
 * struct side - one of the two
 * @dev: an open /dev/bpfmaps, or -1 for bpf(2)
 */
struct side {
	int dev;
};

#define MAX_INNER	4

static inline int mm_call(const struct side *s, unsigned int cmd, void *attr, unsigned int size)
{
	int ret;

	if (s->dev >= 0)
		return bm_call(s->dev, cmd, attr, size);
	ret = syscall(SYS_bpf, cmd, attr, size);
	return ret < 0 ? -errno : ret;
}

static inline int mm_new(const struct side *s, __u32 type, __u32 key, __u32 value, __u32 max,
			 __u32 flags)
{
	struct bpfmaps_create_attr a = {
		.map_type = type,
		.key_size = key,
		.value_size = value,
		.max_entries = max,
		.map_flags = flags,
	};

	return mm_call(s, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

/* A map of the kind that is mostly put into others here. */
static inline int mm_new_inner(const struct side *s)
{
	return mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER, 0);
}

static inline int mm_new_outer(const struct side *s, __u32 type, __u32 max, __u32 flags,
			       int inner)
{
	struct bpfmaps_create_attr a = {
		.map_type = type,
		.key_size = 4,
		.value_size = 4,
		.max_entries = max,
		.map_flags = flags,
		.inner_map_fd = inner,
	};

	return mm_call(s, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static inline int mm_elem(const struct side *s, unsigned int cmd, int map, const __u32 *key,
			  void *value, __u64 flags)
{
	struct bpfmaps_elem_attr a = {
		.map_fd = map,
		.key = (unsigned long)key,
		.value = (unsigned long)value,
		.flags = flags,
	};

	return mm_call(s, cmd, &a, sizeof(a));
}

/* Puts the map of a descriptor in. */
static inline int mm_put(const struct side *s, int outer, __u32 key, int inner, __u64 flags)
{
	return mm_elem(s, BPFMAPS_MAP_UPDATE_ELEM, outer, &key, &inner, flags);
}

/* BPFMAPS_MAP_*_BATCH: returns 0 or -errno, and in @count how many were done. */
static inline int mm_batch(const struct side *s, unsigned int cmd, int map, __u32 *cursor,
			   __u32 *keys, __u32 *values, __u32 *count)
{
	static __u32 out;
	struct bpfmaps_batch_attr a = {
		.in_batch = (unsigned long)cursor,
		.out_batch = (unsigned long)(cursor ? cursor : &out),
		.keys = (unsigned long)keys,
		.values = (unsigned long)values,
		.count = *count,
		.map_fd = map,
	};
	int ret = mm_call(s, cmd, &a, sizeof(a));

	*count = a.count;
	return ret;
}

/* Puts the map of a descriptor under all keys below @max. */
static inline int mm_put_all(const struct side *s, int outer, __u32 max, int inner)
{
	__u32 *keys = malloc(max * sizeof(*keys)), *values = malloc(max * sizeof(*values));
	__u32 i, count = max;
	int ret;

	for (i = 0; i < max; i++) {
		keys[i] = i;
		values[i] = inner;
	}
	ret = mm_batch(s, BPFMAPS_MAP_UPDATE_BATCH, outer, NULL, keys, values, &count);
	free(keys);
	free(values);
	return ret ? ret : (int)(max - count);
}

/* The id of the map that is there, or -errno. */
static inline long long mm_get(const struct side *s, int outer, __u32 key)
{
	__u32 id[2] = { 0, 0x5a5a5a5a };
	int ret = mm_elem(s, BPFMAPS_MAP_LOOKUP_ELEM, outer, &key, id, 0);

	if (ret)
		return ret;
	return id[1] == 0x5a5a5a5a ? (long long)id[0] : -1000;
}

static inline int mm_delete(const struct side *s, int outer, __u32 key)
{
	return mm_elem(s, BPFMAPS_MAP_DELETE_ELEM, outer, &key, NULL, 0);
}

static inline int mm_info(const struct side *s, int map, struct bpfmaps_map_info *info)
{
	struct bpfmaps_info_attr a = {
		.bpf_fd = map,
		.info_len = sizeof(*info),
		.info = (unsigned long)info,
	};

	memset(info, 0, sizeof(*info));
	return mm_call(s, BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
}

/* 0 if the map does not tell. */
static inline __u32 mm_id(const struct side *s, int map)
{
	struct bpfmaps_map_info info;

	return mm_info(s, map, &info) ? 0 : info.id;
}

static inline int mm_open(const struct side *s, __u32 id, __u32 flags)
{
	struct bpfmaps_id_attr a = { .map_id = id, .open_flags = flags };

	return mm_call(s, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static inline bool mm_lives(const struct side *s, __u32 id)
{
	int map = mm_open(s, id, 0);

	if (map >= 0)
		close(map);
	return map != -ENOENT;
}

/* What a map held is put when the map is freed, which may be a while after its last close. */
static inline bool mm_dies(const struct side *s, __u32 id)
{
	int i;

	for (i = 0; i < 6000 && mm_lives(s, id); i++)
		usleep(10000);
	return !mm_lives(s, id);
}

#endif
