/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A map of any type: what sizes the type takes is found by trying, so that a new type is tested as
 * soon as it is in the list of <linux/bpfmaps.h>.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include "bpfmaps_util.h"

struct shape {
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
	int inner;		/* template of maps that hold maps */
};

static inline int create(int dev, const struct shape *s)
{
	struct bpfmaps_create_attr a = {
		.map_type = s->type,
		.key_size = s->key,
		.value_size = s->value,
		.max_entries = s->max,
		.map_flags = s->flags,
		.inner_map_fd = s->inner,
	};

	return bm_call(dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

/* The first combination that works, and its map. @s has the type and the template. */
static inline int find_shape(int dev, struct shape *s)
{
	static const __u32 keys[] = { 4, 8, 0 }, values[] = { 8, 4, 0 }, maxima[] = { 16, 4096 };
	static const __u32 flags[] = { 0, BPFMAPS_F_NO_PREALLOC };
	unsigned int i;
	int map = -1;

	for (i = 0; map < 0 && i < 36; i++) {
		s->key = keys[i % 3];
		s->value = values[i / 3 % 3];
		s->max = maxima[i / 9 % 2];
		s->flags = flags[i / 18];
		map = create(dev, s);
	}
	return map;
}

#endif
