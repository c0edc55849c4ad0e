// SPDX-License-Identifier: GPL-2.0-only
/*
 * USER_RINGBUF: programs write records through a mapping, the kernel takes them out
 *
 * Nothing in the ring can be trusted, except the consumer position. A header is loaded once, and
 * its record has to end before the producer position, which has to be within the size of the ring.
 * Where this is not so, records stay where they are until user space has repaired it.
 *
 * The consumer position moves behind a record when that has arrived. A system call copies it out
 * without a lock, since the copy may sleep, and gives it up for lost if meanwhile another one
 * was faster. A user in the kernel sets @draining instead, as its callback cannot be taken back.
 */
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "ringbuf.h"

/* How many records, discarded ones included, one call takes at most: as bpf(2). */
#define USER_RINGBUF_RECORDS	(128 * 1024)

/**
 * struct urb_record - a record that is next in the ring
 * @pos: its position
 * @bytes: what it takes, header and padding included
 * @size: bytes of the record itself
 * @discarded: it is to be skipped
 */
struct urb_record {
	unsigned long pos;
	unsigned long bytes;
	u32 size;
	bool discarded;
};

/* What is next, while nobody else moves the consumer position. -ENODATA: nothing, or not yet. */
static int urb_peek(const struct ringbuf_map *rb, struct urb_record *rec)
{
	/* Pairs with the release of the producer: headers before it are there. */
	unsigned long producer = smp_load_acquire(rb->producer);
	unsigned long avail;
	u32 len;

	rec->pos = *rb->consumer;
	avail = producer - rec->pos;
	if (!IS_ALIGNED(producer, 8) || avail > rb->mask + 1)
		return -EINVAL;
	if (!avail)
		return -ENODATA;
	/* Pairs with the release of the producer: data of a finished record is there. */
	len = smp_load_acquire(&ringbuf_hdr(rb, rec->pos)->len);
	rec->size = len & ~(BPFMAPS_RINGBUF_BUSY_BIT | BPFMAPS_RINGBUF_DISCARD_BIT);
	rec->bytes = ringbuf_record_bytes(rec->size);
	rec->discarded = len & BPFMAPS_RINGBUF_DISCARD_BIT;
	if (rec->bytes > avail)
		return -EINVAL;
	if (rec->discarded)
		return 0;
	return len & BPFMAPS_RINGBUF_BUSY_BIT ? -ENODATA : 0;
}

static void *urb_data(const struct ringbuf_map *rb, const struct urb_record *rec)
{
	return ringbuf_hdr(rb, rec->pos) + 1;
}

/* The record may be overwritten from here on. */
static void urb_pass(struct ringbuf_map *rb, const struct urb_record *rec)
{
	/* Pairs with the acquire of the producer: we are done with the data. */
	smp_store_release(rb->consumer, rec->pos + rec->bytes);
}

/* Who polls waits for room; @nr records went. */
static void urb_wake(struct ringbuf_map *rb, u32 nr, u64 flags)
{
	if (flags & BPFMAPS_RB_FORCE_WAKEUP || (nr && !(flags & BPFMAPS_RB_NO_WAKEUP)))
		irq_work_queue(&rb->wake);
}

static bool urb_begin(struct ringbuf_map *rb)
{
	unsigned long irq;
	bool free;

	raw_spin_lock_irqsave(&rb->lock, irq);
	free = !rb->draining;
	rb->draining = true;
	raw_spin_unlock_irqrestore(&rb->lock, irq);
	return free;
}

static void urb_end(struct ringbuf_map *rb)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&rb->lock, irq);
	rb->draining = false;
	raw_spin_unlock_irqrestore(&rb->lock, irq);
}

/**
 * bpfmaps_user_ringbuf_drain() - take records out of a USER_RINGBUF
 * @map: a USER_RINGBUF that was taken for FMODE_READ
 * @fn: called for each record
 * @ctx: passed on to @fn
 * @flags: BPFMAPS_RB_NO_WAKEUP or BPFMAPS_RB_FORCE_WAKEUP, or 0: who polls is woken up if there is
 *	more room now
 *
 * Ends at a record that is still being written, or after 131072 records, of which those that were
 * discarded are not shown.
 *
 * Context: process, softirq or hardirq; @fn may do what the caller may. Not from within @fn.
 * Return: how many times @fn was called, or if that is 0 a negative errno: -EINVAL for an unknown
 * flag, or a position or length in the ring that cannot be; -EBUSY if the map is being drained,
 * -524 if it is no USER_RINGBUF or in NMI context.
 */
int bpfmaps_user_ringbuf_drain(struct bpfmaps_map *map, bpfmaps_ringbuf_fn fn, void *ctx,
			       u64 flags)
{
	struct ringbuf_map *rb = to_ringbuf(map);
	int err = 0, stop = 0, shown = 0;
	struct urb_record rec;
	u32 nr;

	if (flags & ~RINGBUF_WAKE_FLAGS)
		return -EINVAL;
	if (WARN_ON_ONCE(in_nmi()) || map->ops != &bpfmaps_user_ringbuf_ops)
		return -BPFMAPS_ENOTSUPP;
	if (!urb_begin(rb))
		return -EBUSY;
	for (nr = 0; nr < USER_RINGBUF_RECORDS && !stop; nr++) {
		err = urb_peek(rb, &rec);
		if (err)
			break;
		if (!rec.discarded) {
			stop = fn(map, urb_data(rb, &rec), rec.size, ctx);
			shown++;
		}
		urb_pass(rb, &rec);
	}
	urb_end(rb);
	urb_wake(rb, nr, flags);
	if (shown || err == -ENODATA)
		return shown;
	return err;
}
EXPORT_SYMBOL_GPL(bpfmaps_user_ringbuf_drain);

/* For a system call: as urb_peek(). */
static int urb_look(struct ringbuf_map *rb, struct urb_record *rec)
{
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&rb->lock, irq);
	err = rb->draining ? -EBUSY : urb_peek(rb, rec);
	raw_spin_unlock_irqrestore(&rb->lock, irq);
	return err;
}

/* For a system call: take what urb_look() has found, or -EAGAIN if somebody else did. */
static int urb_take(struct ringbuf_map *rb, const struct urb_record *rec)
{
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&rb->lock, irq);
	err = bpfmaps_map_check_write(&rb->map, BPFMAPS_FROM_USER);
	if (!err && rb->draining)
		err = -EBUSY;
	if (!err && *rb->consumer != rec->pos)
		err = -EAGAIN;
	if (!err)
		urb_pass(rb, rec);
	raw_spin_unlock_irqrestore(&rb->lock, irq);
	return err;
}

static int urb_copy_data(u64 to, const void *from, u32 size)
{
	u32 done, chunk;

	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u32, size - done, RINGBUF_CHUNK);
		if (copy_to_user(u64_to_user_ptr(to) + done, from + done, chunk))
			return -EFAULT;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int urb_copy_out(const struct ringbuf_map *rb, const struct urb_record *rec, u64 to)
{
	struct bpfmaps_ringbuf_hdr hdr = { .len = rec->size };
	u32 end = sizeof(hdr) + rec->size;
	int err;

	if (copy_to_user(u64_to_user_ptr(to), &hdr, sizeof(hdr)))
		return -EFAULT;
	err = urb_copy_data(to + sizeof(hdr), urb_data(rb, rec), rec->size);
	if (err)
		return err;
	return clear_user(u64_to_user_ptr(to) + end, rec->bytes - end) ? -EFAULT : 0;
}

/* Move one record to user space. Returns its bytes, 0 if it was discarded, or an errno. */
static int urb_move(struct ringbuf_map *rb, u64 to, u32 room)
{
	struct urb_record rec;
	int err = urb_look(rb, &rec);

	if (err)
		return err;
	if (!rec.discarded) {
		if (rec.bytes > room)
			return -ENOSPC;
		err = urb_copy_out(rb, &rec, to);
	}
	if (!err)
		err = urb_take(rb, &rec);
	if (err)
		return err;
	return rec.discarded ? 0 : rec.bytes;
}

static int urb_move_all(struct ringbuf_map *rb, u64 to, u32 room, u64 flags)
{
	u32 tries, nr = 0, done = 0;
	int ret = 0;

	for (tries = 0; tries < USER_RINGBUF_RECORDS; tries++) {
		ret = urb_move(rb, to + done, room - done);
		if (ret >= 0) {
			nr++;
			done += ret;
		} else if (ret != -EAGAIN) {
			break;
		}
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	urb_wake(rb, nr, flags);
	if (done || ret == -ENODATA)
		return done;
	return ret < 0 ? ret : -EAGAIN;
}

/* BPFMAPS_RINGBUF_DRAIN */
int bpfmaps_user_ringbuf_read(struct bpfmaps_map *map, fmode_t mode,
			      const struct bpfmaps_ringbuf_attr *attr)
{
	if (!(mode & FMODE_CAN_READ) || !(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (attr->flags & ~RINGBUF_WAKE_FLAGS)
		return -EINVAL;
	if (map->ops != &bpfmaps_user_ringbuf_ops)
		return -BPFMAPS_ENOTSUPP;
	return urb_move_all(to_ringbuf(map), attr->data, min_t(u32, attr->size, INT_MAX),
			    attr->flags);
}

/* The producer position and the data, however much of it. */
static bool urb_mmap_writable(const struct bpfmaps_map *map, pgoff_t pgoff, unsigned long pages)
{
	return pgoff != 0;
}

static __poll_t urb_poll(struct bpfmaps_map *map, struct file *file, struct poll_table_struct *pt)
{
	struct ringbuf_map *rb = to_ringbuf(map);

	poll_wait(file, &rb->waitq, pt);
	return ringbuf_avail(rb) <= rb->mask ? EPOLLOUT | EPOLLWRNORM : 0;
}

const struct bpfmaps_map_ops bpfmaps_user_ringbuf_ops = {
	RINGBUF_OPS,
	.map_mmap_writable	= urb_mmap_writable,
	.map_poll		= urb_poll,
};
