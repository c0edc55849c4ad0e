/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ring buffers for their tests: the commands, the mapping, and the same on a map of bpf(2)
 */
#ifndef RINGBUF_UTIL_H
#define RINGBUF_UTIL_H

#include <sys/mman.h>
#include <sys/syscall.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define PAGE	4096UL

/* Where a call goes: to bpf(2), or to the device. */
enum world { BPF, OURS };

struct ring {
	int fd;
	size_t size;
	unsigned long *consumer;
	unsigned long *producer;
	unsigned char *data;
};

static inline int world_call(enum world w, int dev, unsigned int cmd, void *attr,
			     unsigned int size)
{
	int ret;

	if (w == OURS)
		return bm_call(dev, cmd, attr, size);
	ret = syscall(SYS_bpf, cmd, attr, size);
	return ret < 0 ? -errno : ret;
}

static inline int rb_output(int fd, const void *data, __u32 size, __u64 flags)
{
	struct bpfmaps_ringbuf_attr a = {
		.map_fd = BPFMAPS_SELF,
		.size = size,
		.data = (unsigned long)data,
		.flags = flags,
	};

	return bm_call(fd, BPFMAPS_RINGBUF_OUTPUT, &a, sizeof(a));
}

static inline int rb_drain(int fd, void *data, __u32 size, __u64 flags)
{
	struct bpfmaps_ringbuf_attr a = {
		.map_fd = BPFMAPS_SELF,
		.size = size,
		.data = (unsigned long)data,
		.flags = flags,
	};

	return bm_call(fd, BPFMAPS_RINGBUF_DRAIN, &a, sizeof(a));
}

/* The page of the position that we set, and everything else. @type is one of the two. */
static inline bool ring_map(struct ring *r, __u32 type)
{
	int first = type == BPFMAPS_TYPE_RINGBUF ? PROT_READ | PROT_WRITE : PROT_READ;
	int rest = type == BPFMAPS_TYPE_RINGBUF ? PROT_READ : PROT_READ | PROT_WRITE;

	r->consumer = mmap(NULL, PAGE, first, MAP_SHARED, r->fd, 0);
	r->producer = mmap(NULL, PAGE + 2 * r->size, rest, MAP_SHARED, r->fd, PAGE);
	r->data = (unsigned char *)r->producer + PAGE;
	return r->consumer != MAP_FAILED && r->producer != MAP_FAILED;
}

static inline bool ring_new(struct ring *r, int dev, __u32 type, size_t size)
{
	r->size = size;
	r->fd = bm_create(dev, type, 0, 0, size, 0);
	return r->fd >= 0 && ring_map(r, type);
}

static inline void ring_unmap(struct ring *r)
{
	munmap(r->consumer, PAGE);
	munmap(r->producer, PAGE + 2 * r->size);
}

static inline void ring_close(struct ring *r)
{
	ring_unmap(r);
	close(r->fd);
}

static inline unsigned long pos_load(unsigned long *pos)
{
	return __atomic_load_n(pos, __ATOMIC_ACQUIRE);
}

static inline void pos_store(unsigned long *pos, unsigned long value)
{
	__atomic_store_n(pos, value, __ATOMIC_RELEASE);
}

static inline struct bpfmaps_ringbuf_hdr *ring_hdr(struct ring *r, unsigned long pos)
{
	return (void *)(r->data + (pos & (r->size - 1)));
}

static inline unsigned long record_bytes(__u32 size)
{
	return (BPFMAPS_RINGBUF_HDR_SZ + (unsigned long)size + 7) & ~7UL;
}

/* A simple generator, the same numbers each time. */
static inline __u32 next_random(__u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

#endif
