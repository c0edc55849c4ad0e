// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of RINGBUF and USER_RINGBUF, and what both types answer
 *
 * The kernel maps the pages as user space does, so that a record is always in one piece:
 *
 *	| consumer position | producer position | data 0 ... n-1 | data 0 ... n-1 |
 *
 * Of the two positions the kernel sets one, in a page that user space can only read. The other may
 * be changed by user space at any time to anything: it is loaded once, and before it is used it is
 * checked against the one that the kernel sets.
 */
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "ringbuf.h"

#define RINGBUF_CREATE_FLAGS	BPFMAPS_F_NUMA_NODE

/* The pages in front of the data. */
#define RINGBUF_POS_PAGES	2

static unsigned long ringbuf_data_pages(const struct ringbuf_map *rb)
{
	return (rb->mask + 1) >> PAGE_SHIFT;
}

/* Pages of the mapping, and of them those that are there twice. */
static unsigned long ringbuf_slots(const struct ringbuf_map *rb)
{
	return RINGBUF_POS_PAGES + 2 * ringbuf_data_pages(rb);
}

/* How many pages there are. */
static unsigned long ringbuf_pages(const struct ringbuf_map *rb)
{
	return RINGBUF_POS_PAGES + ringbuf_data_pages(rb);
}

int bpfmaps_ringbuf_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~RINGBUF_CREATE_FLAGS)
		return -EINVAL;
	if (attr->key_size || attr->value_size || !is_power_of_2(attr->max_entries) ||
	    !PAGE_ALIGNED(attr->max_entries))
		return -EINVAL;
	return 0;
}

static void ringbuf_wake(struct irq_work *work)
{
	wake_up_all(&container_of(work, struct ringbuf_map, wake)->waitq);
}

/* Map the pages into the kernel. */
static int ringbuf_map_pages(struct ringbuf_map *rb)
{
	unsigned long nr = ringbuf_data_pages(rb);
	void *area;

	memcpy(rb->pages + RINGBUF_POS_PAGES + nr, rb->pages + RINGBUF_POS_PAGES,
	       nr * sizeof(*rb->pages));
	area = vmap(rb->pages, ringbuf_slots(rb), VM_MAP, PAGE_KERNEL);
	if (!area)
		return -ENOMEM;
	rb->consumer = area;
	rb->producer = area + PAGE_SIZE;
	rb->data = area + RINGBUF_POS_PAGES * PAGE_SIZE;
	return 0;
}

int bpfmaps_ringbuf_alloc(struct bpfmaps_map *map)
{
	struct ringbuf_map *rb = to_ringbuf(map);
	int err;

	rb->mask = map->max_entries - 1;
	raw_spin_lock_init(&rb->lock);
	init_rwsem(&rb->writers);
	init_waitqueue_head(&rb->waitq);
	init_irq_work(&rb->wake, ringbuf_wake);
	rb->pages = bpfmaps_area_alloc_pages(ringbuf_pages(rb), ringbuf_slots(rb), map->numa_node);
	if (IS_ERR(rb->pages))
		return PTR_ERR(rb->pages);
	err = ringbuf_map_pages(rb);
	if (err)
		bpfmaps_area_free_pages(rb->pages, ringbuf_pages(rb));
	return err;
}

void bpfmaps_ringbuf_free(struct bpfmaps_map *map)
{
	struct ringbuf_map *rb = to_ringbuf(map);

	irq_work_sync(&rb->wake);
	vunmap(rb->consumer);
	bpfmaps_area_free_pages(rb->pages, ringbuf_pages(rb));
}

/* Freezing waits for system calls that have begun to write. */
int bpfmaps_ringbuf_settle(struct bpfmaps_map *map)
{
	struct ringbuf_map *rb = to_ringbuf(map);

	if (down_write_killable(&rb->writers))
		return -EINTR;
	up_write(&rb->writers);
	return 0;
}

/* There are no elements. */
int bpfmaps_ringbuf_push_elem(struct bpfmaps_map *map, const void *value, u64 flags,
			      enum bpfmaps_from from)
{
	return -BPFMAPS_ENOTSUPP;
}

int bpfmaps_ringbuf_peek_elem(struct bpfmaps_map *map, void *value, u64 *ticket)
{
	return -BPFMAPS_ENOTSUPP;
}

int bpfmaps_ringbuf_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return -BPFMAPS_ENOTSUPP;
}

int bpfmaps_ringbuf_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	return -BPFMAPS_ENOTSUPP;
}

s64 bpfmaps_ringbuf_mmap_size(struct bpfmaps_map *map)
{
	return (s64)ringbuf_slots(to_ringbuf(map)) << PAGE_SHIFT;
}

struct page *bpfmaps_ringbuf_mmap_page(struct bpfmaps_map *map, pgoff_t pgoff)
{
	return to_ringbuf(map)->pages[pgoff];
}

u64 bpfmaps_ringbuf_mem_usage(const struct bpfmaps_map *map)
{
	const struct ringbuf_map *rb = to_ringbuf(map);

	return ((u64)ringbuf_pages(rb) << PAGE_SHIFT) +
	       (u64)ringbuf_slots(rb) * sizeof(*rb->pages);
}

/**
 * bpfmaps_ringbuf_query() - where a ring buffer is
 * @map: a RINGBUF or USER_RINGBUF
 * @state: is filled
 *
 * The position that user space sets may be anything.
 *
 * Context: any.
 * Return: 0, or -524 for another type.
 */
int bpfmaps_ringbuf_query(struct bpfmaps_map *map, struct bpfmaps_ringbuf_state *state)
{
	struct ringbuf_map *rb = to_ringbuf(map);

	if (map->ops->map_alloc != bpfmaps_ringbuf_alloc)
		return -BPFMAPS_ENOTSUPP;
	state->size = rb->mask + 1;
	/* Both pair with the release of who moves the position. */
	state->consumer_pos = smp_load_acquire(rb->consumer);
	state->producer_pos = smp_load_acquire(rb->producer); /* see above */
	return 0;
}
EXPORT_SYMBOL_GPL(bpfmaps_ringbuf_query);
