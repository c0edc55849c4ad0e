/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same calls on bpf(2) and on /dev/bpfmaps, and whether they end the same way: result, errno,
 * output bytes. For tests of one type; the oracle does this for all that types have in common.
 */
#ifndef BOTH_H
#define BOTH_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/bpfmaps.h>

#define BOTH_SEED	1

/* Room for a value on each side, with bytes behind it that nobody may touch. */
#define BOTH_VALUE	65536
#define BOTH_GUARD	64

enum { BPF, OURS };

struct both {
	int dev;
	int fd[2];
	unsigned int seed;
	unsigned int compared;
	unsigned int differ;
	unsigned char buf[2][BOTH_VALUE + BOTH_GUARD];
};

static inline long both_call_one(const struct both *b, int side, unsigned int cmd, void *attr,
				 unsigned int size)
{
	long ret;

	if (side == BPF)
		ret = syscall(__NR_bpf, cmd, attr, size);
	else
		ret = ioctl(b->dev, BPFMAPS_IOC(cmd, size), attr);
	return ret < 0 ? -errno : ret;
}

static inline unsigned int both_rand(struct both *b, unsigned int below)
{
	return rand_r(&b->seed) % below;
}

static inline bool both_compare(struct both *b, const char *what, long bpf, long ours)
{
	b->compared++;
	if (bpf == ours)
		return true;
	if (b->differ++ < 20)
		printf("# differs: %s: bpf(2) %ld, here %ld\n", what, bpf, ours);
	return false;
}

static inline void both_open(struct both *b)
{
	b->dev = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	b->seed = BOTH_SEED;
	b->compared = 0;
	b->differ = 0;
}

/* What @attr makes on both sides; true if both made a map. Errors are compared. */
static inline bool both_create(struct both *b, const struct bpfmaps_create_attr *attr)
{
	long ret[2];
	int side;

	for (side = BPF; side <= OURS; side++) {
		struct bpfmaps_create_attr a = *attr;

		ret[side] = both_call_one(b, side, BPFMAPS_MAP_CREATE, &a, sizeof(a));
		b->fd[side] = ret[side];
	}
	both_compare(b, "create", ret[BPF] < 0 ? ret[BPF] : 0, ret[OURS] < 0 ? ret[OURS] : 0);
	return ret[BPF] >= 0 && ret[OURS] >= 0;
}

static inline void both_close(struct both *b)
{
	close(b->fd[BPF]);
	close(b->fd[OURS]);
}

/* Both sides get the same random value of @size bytes. */
static inline void both_fill(struct both *b, size_t size)
{
	size_t i;

	memset(b->buf, 0xee, sizeof(b->buf));
	for (i = 0; i < size; i++)
		b->buf[BPF][i] = both_rand(b, 256);
	memcpy(b->buf[OURS], b->buf[BPF], size);
}

/* One command on one element, with b->buf as its value; returns what bpf(2) did. */
static inline long both_elem(struct both *b, const char *what, unsigned int cmd, const void *key,
			     __u64 flags)
{
	unsigned int size = sizeof(struct bpfmaps_elem_attr);
	long ret[2];
	int side;

	for (side = BPF; side <= OURS; side++) {
		struct bpfmaps_elem_attr a = {
			.map_fd = b->fd[side],
			.key = (unsigned long)key,
			.value = (unsigned long)b->buf[side],
			.flags = flags,
		};

		if (cmd == BPFMAPS_MAP_DELETE_ELEM)
			a.value = 0;
		ret[side] = both_call_one(b, side, cmd, &a, size);
	}
	if (both_compare(b, what, ret[BPF], ret[OURS]))
		both_compare(b, what, 0, memcmp(b->buf[BPF], b->buf[OURS], sizeof(b->buf[BPF])));
	return ret[BPF];
}

static inline long both_update(struct both *b, const void *key, size_t size, __u64 flags)
{
	both_fill(b, size);
	return both_elem(b, "update", BPFMAPS_MAP_UPDATE_ELEM, key, flags);
}

static inline long both_lookup(struct both *b, const void *key, __u64 flags)
{
	return both_elem(b, "lookup", BPFMAPS_MAP_LOOKUP_ELEM, key, flags);
}

static inline long both_take(struct both *b, const void *key, __u64 flags)
{
	return both_elem(b, "lookup and delete", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, key, flags);
}

static inline long both_delete(struct both *b, const void *key)
{
	return both_elem(b, "delete", BPFMAPS_MAP_DELETE_ELEM, key, 0);
}

/* The next key is written to b->buf. */
static inline long both_next(struct both *b, const void *key)
{
	return both_elem(b, "next key", BPFMAPS_MAP_GET_NEXT_KEY, key, 0);
}

/* All keys, in the same order on both sides; at most @limit. Returns how many. */
static inline unsigned int both_walk(struct both *b, size_t key_size, unsigned int limit)
{
	unsigned char key[512];
	unsigned int nr;

	for (nr = 0; nr < limit; nr++) {
		memset(b->buf, 0, sizeof(b->buf));
		if (both_next(b, nr ? key : NULL))
			break;
		memcpy(key, b->buf[BPF], key_size);
	}
	return nr;
}

static inline void both_report(const struct both *b, const char *what)
{
	printf("# %s: %u compared with bpf(2), %u differ\n", what, b->compared, b->differ);
	fflush(stdout);
}

#endif
