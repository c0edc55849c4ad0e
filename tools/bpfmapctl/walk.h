/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: all elements of a map
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_WALK_H
#define BPFMAPCTL_WALK_H

#include "request.h"

/* Called with an element; returns enum exit_status, and what is not STATUS_OK ends the walk. */
typedef int (*walk_fn)(const struct request *request, const __u8 *key, const __u8 *value,
		       void *arg);

/* Whether the elements of a map can be walked: it has keys. */
static inline bool walk_knows(const struct request *request)
{
	return request->info.key_size;
}

/* Call @visit for each element; returns enum exit_status and has told what failed. */
int walk_elems(const struct request *request, walk_fn visit, void *arg);

#endif /* BPFMAPCTL_WALK_H */
