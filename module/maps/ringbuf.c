// SPDX-License-Identifier: GPL-2.0-only
/*
 * RINGBUF: the kernel writes records, one program reads them through a mapping
 *
 * A record is reserved under the lock, filled without it, and finished by clearing the busy bit of
 * its header; so a record that was reserved later may be finished earlier, and the consumer stops
 * at the first one that is busy. With a ring of 4096 bytes,
 *
 *	position	4080			4112		4128
 *			| 24 | 24 bytes		| 5 BUSY | ...	| 0 ...
 *			  consumer		  pending	  producer
 *
 * the next record starts at 4128, byte 32 of the ring. It may reach neither the consumer position
 * plus the size of the ring, nor the pending position plus the size: the first is written by user
 * space, and only the second keeps new records from overwriting headers that are still needed.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ringbuf.h"

/* How many finished records one holder of the lock passes at most. */
#define RINGBUF_PASS		256

/* Records of system calls up to this size stay on the stack. */
#define RINGBUF_STACK		256

static bool ringbuf_is_output(const struct bpfmaps_map *map)
{
	return map->ops == &bpfmaps_ringbuf_ops;
}

/* Can there ever be room for it? */
static bool ringbuf_fits(const struct ringbuf_map *rb, u32 size)
{
	return ringbuf_record_bytes(size) <= rb->mask && size < BPFMAPS_RINGBUF_DISCARD_BIT;
}

/* Under the lock: let @pending pass finished records. Returns whether there may be more of them. */
static bool ringbuf_pass(struct ringbuf_map *rb, unsigned long producer)
{
	u32 i, len;

	for (i = 0; i < RINGBUF_PASS && rb->pending != producer; i++) {
		len = READ_ONCE(ringbuf_hdr(rb, rb->pending)->len);
		if (len & BPFMAPS_RINGBUF_BUSY_BIT)
			return false;
		rb->pending += ringbuf_record_bytes(len & ~BPFMAPS_RINGBUF_DISCARD_BIT);
	}
	return rb->pending != producer;
}

/* Under the lock: no room: -EAGAIN, or -EBUSY if there may be after another step. */
static int ringbuf_check_room(struct ringbuf_map *rb, unsigned long producer, u64 bytes)
{
	unsigned long end = producer + bytes;
	bool more = ringbuf_pass(rb, producer);

	/* The consumer is done with what is overwritten then. */
	if (end - smp_load_acquire(rb->consumer) > rb->mask)
		return -EAGAIN;
	if (end - rb->pending > rb->mask)
		return more ? -EBUSY : -EAGAIN;
	return 0;
}

/* The header of a new, busy record, or an ERR_PTR as above. */
static struct bpfmaps_ringbuf_hdr *ringbuf_try_reserve(struct ringbuf_map *rb, u32 size)
{
	u64 bytes = ringbuf_record_bytes(size);
	struct bpfmaps_ringbuf_hdr *hdr;
	unsigned long producer, irq;
	int err;

	raw_spin_lock_irqsave(&rb->lock, irq);
	producer = *rb->producer;
	err = ringbuf_check_room(rb, producer, bytes);
	if (err) {
		hdr = ERR_PTR(err);
	} else {
		hdr = ringbuf_hdr(rb, producer);
		hdr->pg_off = ((void *)hdr - (void *)rb->consumer) >> PAGE_SHIFT;
		WRITE_ONCE(hdr->len, size | BPFMAPS_RINGBUF_BUSY_BIT);
		/* Who sees the position sees the busy header. */
		smp_store_release(rb->producer, producer + bytes);
	}
	raw_spin_unlock_irqrestore(&rb->lock, irq);
	return hdr;
}

static struct bpfmaps_ringbuf_hdr *ringbuf_reserve(struct ringbuf_map *rb, u32 size)
{
	struct bpfmaps_ringbuf_hdr *hdr;

	do {
		hdr = ringbuf_try_reserve(rb, size);
	} while (hdr == ERR_PTR(-EBUSY));
	return hdr;
}

/* Is somebody to be woken up? If nothing is said, a consumer that waits for just this record. */
static bool ringbuf_is_awaited(const struct ringbuf_map *rb, unsigned long offset, u64 flags)
{
	if (flags & RINGBUF_WAKE_FLAGS)
		return flags & BPFMAPS_RB_FORCE_WAKEUP;
	return (READ_ONCE(*rb->consumer) & rb->mask) == offset;
}

/* Finish a record. */
static void ringbuf_commit(struct ringbuf_map *rb, struct bpfmaps_ringbuf_hdr *hdr, u32 bits,
			   u64 flags)
{
	unsigned long offset = (void *)hdr - rb->data;

	/* A full barrier: the consumer's position is read when the record is there. */
	xchg(&hdr->len, (hdr->len & ~BPFMAPS_RINGBUF_BUSY_BIT) | bits);
	if (ringbuf_is_awaited(rb, offset, flags))
		irq_work_queue(&rb->wake);
}

/* The header of a record that was reserved, or NULL with a warning. */
static struct bpfmaps_ringbuf_hdr *ringbuf_reserved(const struct bpfmaps_map *map, void *record)
{
	struct bpfmaps_ringbuf_hdr *hdr = record - BPFMAPS_RINGBUF_HDR_SZ;
	struct ringbuf_map *rb = to_ringbuf(map);

	if (WARN_ON_ONCE(!ringbuf_is_output(map) || (void *)hdr < rb->data ||
			 (void *)hdr - rb->data > rb->mask ||
			 !(READ_ONCE(hdr->len) & BPFMAPS_RINGBUF_BUSY_BIT)))
		return NULL;
	return hdr;
}

/**
 * bpfmaps_ringbuf_reserve() - begin a record
 * @map: a RINGBUF that was taken for FMODE_WRITE
 * @size: bytes of the record
 *
 * Later records wait for this one, so it is given back soon, by bpfmaps_ringbuf_submit() or
 * bpfmaps_ringbuf_discard(). What was in the ring before is still there: all @size bytes have to be
 * written.
 *
 * Context: process, softirq or hardirq.
 * Return: the record, aligned to 8 bytes, or NULL if there is no room, now or at all, or the map is
 * no RINGBUF.
 */
void *bpfmaps_ringbuf_reserve(struct bpfmaps_map *map, u32 size)
{
	struct ringbuf_map *rb = to_ringbuf(map);
	struct bpfmaps_ringbuf_hdr *hdr;

	if (WARN_ON_ONCE(in_nmi()) || !ringbuf_is_output(map) || !ringbuf_fits(rb, size))
		return NULL;
	hdr = ringbuf_reserve(rb, size);
	return IS_ERR(hdr) ? NULL : hdr + 1;
}
EXPORT_SYMBOL_GPL(bpfmaps_ringbuf_reserve);

/**
 * bpfmaps_ringbuf_submit() - finish a record
 * @map: the map that it was reserved in
 * @record: what bpfmaps_ringbuf_reserve() has returned; not used any more afterwards
 * @flags: BPFMAPS_RB_NO_WAKEUP or BPFMAPS_RB_FORCE_WAKEUP, or 0: who polls is woken up if the
 *	consumer has read all that came before
 *
 * Context: any.
 */
void bpfmaps_ringbuf_submit(struct bpfmaps_map *map, void *record, u64 flags)
{
	struct bpfmaps_ringbuf_hdr *hdr = ringbuf_reserved(map, record);

	if (hdr)
		ringbuf_commit(to_ringbuf(map), hdr, 0, flags);
}
EXPORT_SYMBOL_GPL(bpfmaps_ringbuf_submit);

/**
 * bpfmaps_ringbuf_discard() - give a record up: the consumer skips it
 * @map: the map that it was reserved in
 * @record: what bpfmaps_ringbuf_reserve() has returned; not used any more afterwards
 * @flags: as of bpfmaps_ringbuf_submit()
 *
 * Context: any.
 */
void bpfmaps_ringbuf_discard(struct bpfmaps_map *map, void *record, u64 flags)
{
	struct bpfmaps_ringbuf_hdr *hdr = ringbuf_reserved(map, record);

	if (hdr)
		ringbuf_commit(to_ringbuf(map), hdr, BPFMAPS_RINGBUF_DISCARD_BIT, flags);
}
EXPORT_SYMBOL_GPL(bpfmaps_ringbuf_discard);

/**
 * bpfmaps_ringbuf_output() - append a record
 * @map: a RINGBUF that was taken for FMODE_WRITE
 * @data: the record
 * @size: bytes of the record
 * @flags: as of bpfmaps_ringbuf_submit()
 *
 * Context: process, softirq or hardirq.
 * Return: 0 or a negative errno: -EINVAL for an unknown flag, -EAGAIN if there is no room now,
 * -E2BIG if there never is, -524 if the map is no RINGBUF or in NMI context.
 */
int bpfmaps_ringbuf_output(struct bpfmaps_map *map, const void *data, u32 size, u64 flags)
{
	struct ringbuf_map *rb = to_ringbuf(map);
	struct bpfmaps_ringbuf_hdr *hdr;

	if (flags & ~RINGBUF_WAKE_FLAGS)
		return -EINVAL;
	if (WARN_ON_ONCE(in_nmi()) || !ringbuf_is_output(map))
		return -BPFMAPS_ENOTSUPP;
	if (!ringbuf_fits(rb, size))
		return -E2BIG;
	hdr = ringbuf_reserve(rb, size);
	if (IS_ERR(hdr))
		return PTR_ERR(hdr);
	memcpy(hdr + 1, data, size);
	ringbuf_commit(rb, hdr, 0, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(bpfmaps_ringbuf_output);

/* A copy of @size bytes of user space, in @stack where they fit. */
static void *ringbuf_copy_in(struct bpfmaps_map *map, void *stack, u64 from, u32 size)
{
	void *buf = stack;
	u32 done, chunk;

	if (size > RINGBUF_STACK)
		buf = bpfmaps_buf_alloc(map, size);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u32, size - done, RINGBUF_CHUNK);
		if (copy_from_user(buf + done, u64_to_user_ptr(from) + done, chunk))
			break;
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	if (done >= size)
		return buf;
	if (buf != stack)
		bpfmaps_buf_free(buf, size);
	return ERR_PTR(fatal_signal_pending(current) ? -EINTR : -EFAULT);
}

/* Freezing waits until who got this far is done. */
static int ringbuf_append(struct ringbuf_map *rb, const void *data, u32 size, u64 flags)
{
	struct bpfmaps_ringbuf_hdr *hdr;
	u32 done, chunk;

	while ((hdr = ringbuf_try_reserve(rb, size)) == ERR_PTR(-EBUSY))
		cond_resched();
	if (IS_ERR(hdr))
		return PTR_ERR(hdr);
	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u32, size - done, RINGBUF_CHUNK);
		memcpy((void *)(hdr + 1) + done, data + done, chunk);
		cond_resched();
	}
	ringbuf_commit(rb, hdr, 0, flags);
	return 0;
}

/* BPFMAPS_RINGBUF_OUTPUT */
int bpfmaps_ringbuf_write(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_ringbuf_attr *attr)
{
	struct ringbuf_map *rb = to_ringbuf(map);
	u64 stack[RINGBUF_STACK / sizeof(u64)];
	void *data;
	int err;

	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (attr->flags & ~RINGBUF_WAKE_FLAGS)
		return -EINVAL;
	if (!ringbuf_is_output(map))
		return -BPFMAPS_ENOTSUPP;
	if (!ringbuf_fits(rb, attr->size))
		return -E2BIG;
	data = ringbuf_copy_in(map, stack, attr->data, attr->size);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = down_read_killable(&rb->writers);
	if (!err) {
		err = bpfmaps_map_check_write(map, BPFMAPS_FROM_USER);
		if (!err)
			err = ringbuf_append(rb, data, attr->size, attr->flags);
		up_read(&rb->writers);
	}
	if (data != stack)
		bpfmaps_buf_free(data, attr->size);
	return err;
}

/* Only the consumer position, and only alone. */
static bool ringbuf_mmap_writable(const struct bpfmaps_map *map, pgoff_t pgoff,
				  unsigned long pages)
{
	return pgoff == 0 && pages == 1;
}

static __poll_t ringbuf_poll(struct bpfmaps_map *map, struct file *file,
			     struct poll_table_struct *pt)
{
	struct ringbuf_map *rb = to_ringbuf(map);

	poll_wait(file, &rb->waitq, pt);
	return ringbuf_avail(rb) ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct bpfmaps_map_ops bpfmaps_ringbuf_ops = {
	RINGBUF_OPS,
	.map_mmap_writable	= ringbuf_mmap_writable,
	.map_poll		= ringbuf_poll,
};
