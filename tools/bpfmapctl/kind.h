/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: what kinds of maps there are
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_KIND_H
#define BPFMAPCTL_KIND_H

#include <stdbool.h>

#include "bpfmaps.h"

static inline bool kind_is_queue(__u32 type)
{
	return type == BPFMAPS_TYPE_QUEUE || type == BPFMAPS_TYPE_STACK;
}

static inline bool kind_is_ring(__u32 type)
{
	return type == BPFMAPS_TYPE_RINGBUF || type == BPFMAPS_TYPE_USER_RINGBUF;
}

static inline bool kind_is_bloom(__u32 type)
{
	return type == BPFMAPS_TYPE_BLOOM_FILTER;
}

static inline bool kind_is_keyless(__u32 type)
{
	return kind_is_queue(type) || kind_is_ring(type) || kind_is_bloom(type);
}

static inline bool kind_is_lru(__u32 type)
{
	return type == BPFMAPS_TYPE_LRU_HASH || type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

static inline bool kind_is_array(__u32 type)
{
	return type == BPFMAPS_TYPE_ARRAY || type == BPFMAPS_TYPE_PERCPU_ARRAY;
}

/* Values are maps: set by descriptor, looked up as ids. */
static inline bool kind_holds_maps(__u32 type)
{
	return type == BPFMAPS_TYPE_ARRAY_OF_MAPS || type == BPFMAPS_TYPE_HASH_OF_MAPS;
}

#endif /* BPFMAPCTL_KIND_H */
