/* SPDX-License-Identifier: GPL-2.0-only */
/* A map of any type that belongs to one user, and what is given of it to another. */
#ifndef GIVEN_H
#define GIVEN_H

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "shape.h"

/* Two users. The maps here are ALICE's. */
#define ALICE	1000
#define BOB	1001

#define PAGE	4096
#define FILL	0x5a

/* A map, and two descriptors of it. */
struct given {
	struct shape s;
	const char *type;
	int dev;
	int full;
	int narrow;
	__u32 id;
};

struct type {
	__u32 number;
	__u32 flags;
	const char *name;
};

#define TYPE_ENTRY(nr, NAME, text)	{ (nr), 0, #text },

/* All types, and those that can be mapped if they are asked to. */
static const struct type types[] = {
	BPFMAPS_TYPES(TYPE_ENTRY)
	{ BPFMAPS_TYPE_ARRAY, BPFMAPS_F_MMAPABLE, "array that can be mapped" },
};

static const unsigned char no_key[8];

/* A value, or for maps of maps a descriptor. */
static inline const void *value_for(const struct given *g)
{
	static unsigned char value[PAGE];

	memset(value, FILL, sizeof(value));
	if (g->type && strstr(g->type, "_of_maps"))
		memcpy(value, &g->s.inner, sizeof(g->s.inner));
	return value;
}

static inline const void *key_for(const struct given *g)
{
	return g->s.key ? no_key : NULL;
}

/* A map of ALICE's with an element, where the type takes one, and both descriptors. */
static inline bool give(struct given *g, int dev, int inner, const struct type *t)
{
	*g = (struct given) { .dev = dev, .type = t->name };
	g->s.type = t->number;
	g->s.inner = inner;
	if (seteuid(ALICE))
		return false;
	g->full = shape_find_usual(dev, &g->s);
	if (g->full >= 0 && t->flags) {
		close(g->full);
		g->s.flags |= t->flags;
		g->full = shape_create(dev, &g->s);
	}
	if (seteuid(0) || g->full < 0)
		return false;
	bm_update(g->full, key_for(g), value_for(g), BPFMAPS_ANY);
	g->id = bm_id(g->full);
	g->narrow = bm_fd_by_id(dev, g->id, BPFMAPS_F_RDONLY);
	return g->narrow >= 0;
}

static inline void take_back(const struct given *g)
{
	close(g->full);
	close(g->narrow);
}

#endif
