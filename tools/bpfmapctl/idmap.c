// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: which maps were met already, and what they became
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "idmap.h"
#include "text.h"

struct id_entry {
	__u32 id;
	__u32 number;
};

static int compare(const void *a, const void *b)
{
	__u32 x = ((const struct id_entry *)a)->id;
	__u32 y = ((const struct id_entry *)b)->id;

	return x < y ? -1 : x > y;
}

void idmap_add(struct idmap *map, __u32 id, __u32 number)
{
	struct id_entry *entry = text_alloc(sizeof(*entry));

	entry->id = id;
	entry->number = number;
	if (!tsearch(entry, &map->root, compare)) {
		fputs("bpfmapctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
}

bool idmap_find(const struct idmap *map, __u32 id, __u32 *number)
{
	const struct id_entry entry = { .id = id };
	const struct id_entry *const *found = tfind(&entry, &map->root, compare);

	if (found && number)
		*number = (*found)->number;
	return found;
}

void idmap_free(struct idmap *map)
{
	tdestroy(map->root, free);
	map->root = NULL;
}
