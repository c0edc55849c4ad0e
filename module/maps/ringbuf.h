/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What RINGBUF and USER_RINGBUF share: the memory, and what is done with all of it
 */
#ifndef _BPFMAPS_RINGBUF_H
#define _BPFMAPS_RINGBUF_H

#include <linux/irq_work.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "../map.h"

#define RINGBUF_WAKE_FLAGS	((u64)(BPFMAPS_RB_NO_WAKEUP | BPFMAPS_RB_FORCE_WAKEUP))

/* Of a large record, the bytes that are copied before others get the CPU. */
#define RINGBUF_CHUNK		SZ_1M

/**
 * struct ringbuf_map - the types' struct
 * @map: what all types have
 * @mask: bytes of the ring - 1
 * @pages: the pages of the mapping, those with data twice
 * @consumer: the consumer position, in a page of its own
 * @producer: the producer position, in a page of its own
 * @data: the ring, twice
 * @pending: RINGBUF: all records before this position are finished; under @lock
 * @draining: USER_RINGBUF: only a user in the kernel may set the consumer position; under @lock
 * @lock: of the position that the kernel sets
 * @writers: held by system calls that write, for freezing to wait for
 * @waitq: who polls
 * @wake: wakes them up, from any context
 */
struct ringbuf_map {
	struct bpfmaps_map map;
	unsigned long mask;
	struct page **pages;
	unsigned long *consumer;
	unsigned long *producer;
	void *data;
	unsigned long pending;
	bool draining;
	raw_spinlock_t lock;
	struct rw_semaphore writers;
	wait_queue_head_t waitq;
	struct irq_work wake;
};

static inline struct ringbuf_map *to_ringbuf(const struct bpfmaps_map *map)
{
	return container_of(map, struct ringbuf_map, map);
}

/* The header at a position, which is a multiple of 8. */
static inline struct bpfmaps_ringbuf_hdr *ringbuf_hdr(const struct ringbuf_map *rb,
						      unsigned long pos)
{
	return rb->data + (pos & rb->mask);
}

/* What a record of @size takes, header and padding included. */
static inline u64 ringbuf_record_bytes(u32 size)
{
	return round_up((u64)size + BPFMAPS_RINGBUF_HDR_SZ, 8);
}

/* What waits to be consumed, if neither position is made up. */
static inline unsigned long ringbuf_avail(const struct ringbuf_map *rb)
{
	/* Pairs with the release of who moves it. */
	unsigned long consumer = smp_load_acquire(rb->consumer);

	/* The same. */
	return smp_load_acquire(rb->producer) - consumer;
}

int bpfmaps_ringbuf_alloc_check(const struct bpfmaps_create_attr *attr);
int bpfmaps_ringbuf_alloc(struct bpfmaps_map *map);
void bpfmaps_ringbuf_free(struct bpfmaps_map *map);
int bpfmaps_ringbuf_settle(struct bpfmaps_map *map);
int bpfmaps_ringbuf_push_elem(struct bpfmaps_map *map, const void *value, u64 flags,
			      enum bpfmaps_from from);
int bpfmaps_ringbuf_peek_elem(struct bpfmaps_map *map, void *value, u64 *ticket);
int bpfmaps_ringbuf_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from);
int bpfmaps_ringbuf_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key);
s64 bpfmaps_ringbuf_mmap_size(struct bpfmaps_map *map);
struct page *bpfmaps_ringbuf_mmap_page(struct bpfmaps_map *map, pgoff_t pgoff);
u64 bpfmaps_ringbuf_mem_usage(const struct bpfmaps_map *map);

/* Of both types' tables of operations, all but what depends on the direction. */
#define RINGBUF_OPS						\
	.map_size		= sizeof(struct ringbuf_map),	\
	.map_alloc_check	= bpfmaps_ringbuf_alloc_check,	\
	.map_alloc		= bpfmaps_ringbuf_alloc,	\
	.map_free		= bpfmaps_ringbuf_free,		\
	.map_push_elem		= bpfmaps_ringbuf_push_elem,	\
	.map_peek_elem		= bpfmaps_ringbuf_peek_elem,	\
	.map_delete_elem	= bpfmaps_ringbuf_delete_elem,	\
	.map_get_next_key	= bpfmaps_ringbuf_get_next_key,	\
	.map_settle		= bpfmaps_ringbuf_settle,	\
	.map_mmap_size		= bpfmaps_ringbuf_mmap_size,	\
	.map_mmap_page		= bpfmaps_ringbuf_mmap_page,	\
	.map_mem_usage		= bpfmaps_ringbuf_mem_usage

#endif /* _BPFMAPS_RINGBUF_H */
