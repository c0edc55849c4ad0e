// SPDX-License-Identifier: GPL-2.0-only
/*
 * Type number -> operations, from the list in the UAPI header
 */
#include "map.h"

struct map_type {
	u32 number;
	const struct bpfmaps_map_ops *ops;
};

#define MAP_TYPE(number, NAME, name) \
	{ number, &bpfmaps_##name##_ops },

static const struct map_type map_types[] = {
	BPFMAPS_TYPES(MAP_TYPE)
};

/*
 * The operations of a type, or NULL. The numbers are far apart (our own start at 0x8000), so they
 * are searched and not an index: creating a map is not that frequent.
 */
const struct bpfmaps_map_ops *bpfmaps_registry_find(u32 type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map_types); i++)
		if (map_types[i].number == type)
			return map_types[i].ops;
	return NULL;
}
