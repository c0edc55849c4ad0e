// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations: their arguments, and how often they are drawn
 */
#include <stddef.h>
#include <string.h>

#include "fuzz.h"

#define END(type, field)	(offsetof(struct bpfmaps_##type##_attr, field) + \
				 sizeof(((struct bpfmaps_##type##_attr *)0)->field))

#define ELEM(text, weight_, cmd_, last)	{				\
	.name = text, .fn = call_elem, .weight = weight_,		\
	.cmd = BPFMAPS_MAP_##cmd_, .size = END(elem, last),		\
	.params = { { "fd", K_CALLED }, { "map", K_FD }, { "key", K_KEY }, { "value", K_VALUE }, \
		    { "flags", K_ELEM_FLAGS }, { "size", K_SIZE } },	\
}

#define BATCH(text, cmd_)	{					\
	.name = text, .fn = call_batch, .weight = 12,			\
	.cmd = BPFMAPS_MAP_##cmd_, .size = END(batch, flags),		\
	.params = { { "fd", K_CALLED }, { "map", K_FD }, { "in", K_KEY }, { "out", K_VALUE }, \
		    { "keys", K_KEY }, { "values", K_VALUE }, { "count", K_COUNT }, \
		    { "elem_flags", K_ELEM_FLAGS }, { "flags", K_RARE }, { "size", K_SIZE } }, \
}

#define RING(text, cmd_)	{					\
	.name = text, .fn = call_ring, .weight = 8,			\
	.cmd = BPFMAPS_RINGBUF_##cmd_, .size = END(ringbuf, flags),	\
	.params = { { "fd", K_CALLED }, { "map", K_FD }, { "bytes", K_BYTES }, \
		    { "data", K_VALUE }, { "flags", K_SMALL }, { "size", K_SIZE } },		\
}

#define OP(text, weight_, ...)	{					\
	.name = #text, .fn = call_##text, .weight = weight_, .params = { __VA_ARGS__ }, \
}

const struct op ops[] = {
	{
		.name = "create", .fn = call_create, .weight = 25,
		.cmd = BPFMAPS_MAP_CREATE, .size = END(create, map_extra),
		.params = { { "out", K_OUT }, { "fd", K_CALLED }, { "type", K_TYPE },
			    { "key", K_BYTES }, { "value", K_BYTES },
			    { "max", K_ENTRIES }, { "flags", K_CREATE_FLAGS },
			    { "inner", K_FD }, { "node", K_SMALL }, { "extra", K_RARE },
			    { "name", K_SMALL }, { "size", K_SIZE } },
	},
	ELEM("lookup", 14, LOOKUP_ELEM, flags),
	ELEM("update", 30, UPDATE_ELEM, flags),
	ELEM("delete", 10, DELETE_ELEM, key),
	ELEM("next", 10, GET_NEXT_KEY, next_key),
	ELEM("take", 12, LOOKUP_AND_DELETE_ELEM, flags),
	ELEM("freeze", 2, FREEZE, map_fd),
	BATCH("lookup_batch", LOOKUP_BATCH),
	BATCH("take_batch", LOOKUP_AND_DELETE_BATCH),
	BATCH("update_batch", UPDATE_BATCH),
	BATCH("delete_batch", DELETE_BATCH),
	{
		.name = "pin", .fn = call_pin, .weight = 6,
		.cmd = BPFMAPS_OBJ_PIN, .size = END(obj, path_fd),
		.params = { { "fd", K_CALLED }, { "map", K_FD }, { "path", K_PATH },
			    { "flags", K_OPEN_FLAGS }, { "dir", K_FD }, { "size", K_SIZE } },
	}, {
		.name = "get", .fn = call_get, .weight = 6,
		.cmd = BPFMAPS_OBJ_GET, .size = END(obj, path_fd),
		.params = { { "out", K_OUT }, { "fd", K_CALLED }, { "path", K_PATH },
			    { "flags", K_OPEN_FLAGS }, { "dir", K_FD }, { "zero", K_RARE },
			    { "size", K_SIZE } },
	}, {
		.name = "next_id", .fn = call_next_id, .weight = 3,
		.cmd = BPFMAPS_MAP_GET_NEXT_ID, .size = END(id, next_id),
		.params = { { "fd", K_CALLED }, { "id", K_ID }, { "flags", K_RARE },
			    { "size", K_SIZE } },
	}, {
		.name = "fd_by_id", .fn = call_fd_by_id, .weight = 4,
		.cmd = BPFMAPS_MAP_GET_FD_BY_ID, .size = END(id, open_flags),
		.params = { { "out", K_OUT }, { "fd", K_CALLED }, { "id", K_ID },
			    { "flags", K_OPEN_FLAGS }, { "size", K_SIZE } },
	}, {
		.name = "info", .fn = call_info, .weight = 4,
		.cmd = BPFMAPS_OBJ_GET_INFO_BY_FD, .size = END(info, info),
		.params = { { "fd", K_CALLED }, { "map", K_FD }, { "bytes", K_BYTES },
			    { "info", K_VALUE }, { "size", K_SIZE } },
	},
	RING("output", OUTPUT),
	RING("drain", DRAIN),
	OP(ioctl, 4, { "fd", K_CALLED }, { "request", K_NUMBER }, { "data", K_PTR }),
	OP(mmap, 12, { "window", K_OUT }, { "map", K_FD }, { "pages", K_PAGES }, { "prot", K_PROT },
	   { "private", K_RARE }, { "first", K_PAGES }),
	OP(munmap, 4, { "window", K_SLOT }, { "first", K_PAGES }, { "pages", K_PAGES }),
	OP(mremap, 3, { "window", K_SLOT }, { "pages", K_PAGES }, { "new", K_PAGES },
	   { "to", K_OUT }, { "flags", K_SMALL }),
	OP(mprotect, 4, { "window", K_SLOT }, { "first", K_PAGES }, { "pages", K_PAGES },
	   { "prot", K_PROT }),
	OP(madvise, 3, { "window", K_SLOT }, { "first", K_PAGES }, { "pages", K_PAGES },
	   { "advice", K_SMALL }),
	OP(peek, 6, { "at", K_PTR }),
	OP(poke, 14, { "at", K_PTR }, { "bytes", K_SMALL }, { "number", K_NUMBER }),
	OP(putfd, 8, { "at", K_VALUE }, { "map", K_FD }),
	OP(drop, 8, { "at", K_KEY }),
	OP(fork, 1, { "window", K_SLOT }, { "map", K_FD }, { "what", K_SMALL }),
	OP(close, 6, { "map", K_SLOT }),
	OP(dup, 2, { "out", K_OUT }, { "map", K_FD }),
	OP(poll, 3, { "map", K_FD }, { "events", K_NUMBER }),
	OP(epoll, 2, { "map", K_FD }, { "what", K_SMALL }),
	OP(readwrite, 1, { "map", K_FD }, { "what", K_SMALL }),
	OP(fdinfo, 3, { "map", K_FD }),
	OP(open, 2, { "out", K_OUT }, { "path", K_PATH }, { "what", K_SMALL }),
	OP(unlink, 4, { "path", K_PATH }, { "dir", K_SMALL }),
	OP(rename, 3, { "path", K_PATH }, { "to", K_PATH }, { "flags", K_SMALL }),
	OP(link, 2, { "path", K_PATH }, { "to", K_PATH }, { "symbolic", K_SMALL }),
	OP(mkdir, 2, { "path", K_PATH }),
	OP(chmod, 2, { "path", K_PATH }, { "what", K_SMALL }),
	OP(mount, 1, { "what", K_SMALL }),
	OP(uid, 3, { "uid", K_SMALL }),
	OP(fail, 10, { "nth", K_SMALL }),
};

const unsigned int nr_ops = ARRAY_SIZE(ops);

/* nr_ops if there is none of this name. */
unsigned int ops_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_ops; i++)
		if (!strcmp(ops[i].name, name))
			break;
	return i;
}
