/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/floor, which floor_kmod.c serves and the benchmark uses. An argument is the attr of the
 * command on a map that a call is like: struct bpfmaps_elem_attr or struct bpfmaps_batch_attr.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FLOOR_MAX_KEY	64
#define FLOOR_MAX_VALUE	4096
#define FLOOR_MAX_COUNT	4096

/**
 * struct floor_sizes - what the calls on a descriptor move
 * @key: bytes of a key, a multiple of 4
 * @value: bytes of a value, a multiple of 4
 * @count: elements that a batch has at most; turns of what is done in a loop
 * @has_keys: 1 if elements hold their key, or else 0
 * @by_kernel: 1 for copy_from_user() and copy_to_user(), 0 for words within one window of access
 */
struct floor_sizes {
	__u32 key;
	__u32 value;
	__u32 count;
	__u32 has_keys;
	__u32 by_kernel;
};

/* Comes first, once for each descriptor. */
#define FLOOR_SET		_IOW('f', 0, struct floor_sizes)
#define FLOOR_NOTHING		_IO('f', 1)

/* One element: the attr, and what is named. */
#define FLOOR_LOOKUP		_IO('f', 2)	/* key in, value out */
#define FLOOR_MISS		_IO('f', 3)	/* key in */
#define FLOOR_UPDATE		_IO('f', 4)	/* key and value in */
#define FLOOR_DELETE		_IO('f', 5)	/* key in; the attr is a shorter one */
#define FLOOR_NEXT_KEY		_IO('f', 6)	/* key in, key out */
#define FLOOR_PUSH		_IO('f', 7)	/* value in */
#define FLOOR_POP		_IO('f', 8)	/* value out */

/* Many: their keys and values out, or in, through a buffer; the count written twice. */
#define FLOOR_BATCH_LOOKUP	_IO('f', 9)
#define FLOOR_BATCH_UPDATE	_IO('f', 10)

/* As many turns as the count says, of nothing; */
#define FLOOR_TURNS		_IO('f', 11)
/* of a hash of a key; of a spin lock taken and released; of a read section of RCU. */
#define FLOOR_HASH		_IO('f', 12)
#define FLOOR_LOCK		_IO('f', 13)
#define FLOOR_RCU		_IO('f', 14)
/* Takes zeroed memory for all values at once. */
#define FLOOR_AREA		_IO('f', 15)
/* Returns the descriptor of a new file. */
#define FLOOR_FILE		_IO('f', 16)

#endif /* FLOOR_H */
