/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that run for every map type: the types as variants of a fixture, and sizes that a type
 * takes, found by trying. So a new type is tested as soon as it is in the list.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <kselftest_harness.h>

#include "bpfmaps_util.h"

struct shape {
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
	int inner;		/* template of maps that hold maps */
};

/* What is tried, the first one first; the keys change fastest. */
struct shape_sizes {
	__u32 keys[4];
	__u32 values[3];
	__u32 maxima[2];
};

static inline int shape_create(int dev, const struct shape *s)
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

/* The first combination that works with the flags in @s, and its map; or the last errno. */
static inline int shape_find(int dev, struct shape *s, const struct shape_sizes *sizes)
{
	unsigned int i;
	int map = -1;

	for (i = 0; map < 0 && i < 24; i++) {
		s->key = sizes->keys[i % 4];
		s->value = sizes->values[i / 4 % 3];
		s->max = sizes->maxima[i / 12];
		map = shape_create(dev, s);
	}
	return map;
}

/* The same with sizes that are usual, and flags where there is no map without. */
static inline int shape_find_usual(int dev, struct shape *s)
{
	static const struct shape_sizes sizes = { { 4, 8, 0 }, { 8, 4, 0 }, { 16, 4096 } };
	int map;

	s->flags = 0;
	map = shape_find(dev, s, &sizes);
	if (map >= 0)
		return map;
	s->flags = BPFMAPS_F_NO_PREALLOC;
	return shape_find(dev, s, &sizes);
}

#define TYPE_VARIANT(nr, NAME, text)	{ .number = (nr), .name = #text },

/* FIXTURE_VARIANT(), and FIXTURE_VARIANT_ADD() for each type, fixture##_types[i], if @condition. */
#define FIXTURE_TYPES(fixture, condition)						\
	FIXTURE_VARIANT(fixture) {							\
		__u32 number;								\
		const char *name;							\
	};										\
	static const FIXTURE_VARIANT(fixture) fixture##_types[] = {			\
		BPFMAPS_TYPES(TYPE_VARIANT)						\
	};										\
	static void __attribute__((constructor)) fixture##_add_types(void)		\
	{										\
		static struct __fixture_variant_metadata				\
			variants[ARRAY_SIZE(fixture##_types)];				\
		size_t i;								\
											\
		for (i = 0; i < ARRAY_SIZE(variants); i++) {				\
			if (!(condition))						\
				continue;						\
			variants[i].name = fixture##_types[i].name;			\
			variants[i].data = &fixture##_types[i];				\
			__register_fixture_variant(&_##fixture##_fixture_object,	\
						   &variants[i]);			\
		}									\
	}

#endif
