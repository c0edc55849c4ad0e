/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: which maps were met already, and what they became
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_IDMAP_H
#define BPFMAPCTL_IDMAP_H

#include <stdbool.h>
#include <linux/types.h>

/* NULL is an empty one. */
struct idmap {
	void *root;
};

/* Remember @id, which is not there yet, with a number. */
void idmap_add(struct idmap *map, __u32 id, __u32 number);

/* Whether @id is there; then @number, if not NULL, is set. */
bool idmap_find(const struct idmap *map, __u32 id, __u32 *number);

void idmap_free(struct idmap *map);

#endif /* BPFMAPCTL_IDMAP_H */
