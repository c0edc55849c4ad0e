// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps: the commands on ring buffers, and both kinds through a mapping
 *
 * A position counts bytes in an unsigned long of the kernel. A 32-bit program may run on a 64-bit
 * kernel, and cannot tell. So each position is written as 64 bits, of which a 32-bit kernel
 * sees those it knows, and of what is read only the difference to our own position is used, in
 * 32 bits: no ring is larger than 2 GiB.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>

/* All else is compiled with hidden visibility. */
#pragma GCC visibility push(default)
#include "bpfmaps.h"
#pragma GCC visibility pop
#include "internal.h"

/* Where poll() cannot wait for what is awaited, it is looked for that often. */
#define RETRY_MS	1

/**
 * struct bpfmaps_ring - an open ring buffer
 * @fd: the caller's descriptor
 * @user: a USER_RINGBUF, so we write
 * @page: bytes of a page
 * @size: bytes of the ring
 * @consumer: the consumer position, on a mapping of its own
 * @producer: the producer position, on a mapping together with @data
 * @data: the ring, twice
 * @pos: the position that is ours
 * @held: RINGBUF: bytes of the record that was handed out last
 * @wanted: USER_RINGBUF: bytes for which there was no room last time
 */
struct bpfmaps_ring {
	int fd;
	bool user;
	size_t page;
	size_t size;
	uint64_t *consumer;
	uint64_t *producer;
	unsigned char *data;
	uint64_t pos;
	uint32_t held;
	uint32_t wanted;
};

int bpfmaps_ringbuf_output(int fd, const void *data, __u32 size, __u64 flags)
{
	struct bpfmaps_ringbuf_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.size = size,
		.data = (__u64)(uintptr_t)data,
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_RINGBUF_OUTPUT, &attr, sizeof(attr));
}

int bpfmaps_user_ringbuf_drain(int fd, void *data, __u32 size, __u64 flags)
{
	struct bpfmaps_ringbuf_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.size = size,
		.data = (__u64)(uintptr_t)data,
		.flags = flags,
	};

	return bpfmaps_map_command(fd, BPFMAPS_RINGBUF_DRAIN, &attr, sizeof(attr));
}

/* What a record of @len takes, header and padding included; @len is below 2^30. */
static uint32_t record_bytes(uint32_t len)
{
	return (len + BPFMAPS_RINGBUF_HDR_SZ + 7) & ~(uint32_t)7;
}

const void *bpfmaps_ringbuf_next(const void *data, size_t bytes, size_t *at, __u32 *size)
{
	const struct bpfmaps_ringbuf_hdr *hdr;

	if (*at > bytes || bytes - *at < sizeof(*hdr))
		return NULL;
	hdr = (const void *)((const char *)data + *at);
	if (hdr->len >= BPFMAPS_RINGBUF_DISCARD_BIT || record_bytes(hdr->len) > bytes - *at)
		return NULL;
	*at += record_bytes(hdr->len);
	*size = hdr->len;
	return hdr + 1;
}

static int ring_info(int fd, struct bpfmaps_map_info *info)
{
	__u32 len = sizeof(*info);

	*info = (struct bpfmaps_map_info){ 0 };
	if (bpfmaps_obj_get_info_by_fd(fd, info, &len))
		return -1;
	if (info->type == BPFMAPS_TYPE_RINGBUF || info->type == BPFMAPS_TYPE_USER_RINGBUF)
		return 0;
	errno = EINVAL;
	return -1;
}

static size_t rest_size(const struct bpfmaps_ring *ring)
{
	return ring->page + 2 * ring->size;
}

/* The page of the consumer position, and everything else: one of them is ours to write. */
static int ring_map(struct bpfmaps_ring *ring)
{
	int ours = PROT_READ | PROT_WRITE;

	if (ring->size > (SIZE_MAX - ring->page) / 2) {
		errno = ENOMEM;
		return -1;
	}
	ring->consumer = mmap(NULL, ring->page, ring->user ? PROT_READ : ours, MAP_SHARED,
			      ring->fd, 0);
	if (ring->consumer == MAP_FAILED)
		return -1;
	ring->producer = mmap(NULL, rest_size(ring), ring->user ? ours : PROT_READ, MAP_SHARED,
			      ring->fd, ring->page);
	if (ring->producer == MAP_FAILED) {
		munmap(ring->consumer, ring->page);
		return -1;
	}
	ring->data = (unsigned char *)ring->producer + ring->page;
	ring->pos = *(ring->user ? ring->producer : ring->consumer);
	return 0;
}

/* Where an unsigned long of the kernel has its low half is not known to all. */
static bool positions_are_known(void)
{
	return sizeof(long) == 8 || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

struct bpfmaps_ring *bpfmaps_ring_open(int fd)
{
	struct bpfmaps_map_info info;
	struct bpfmaps_ring *ring;

	if (ring_info(fd, &info))
		return NULL;
	if (!positions_are_known()) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	/* mmap() would give errors that do not tell. */
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR) {
		errno = EPERM;
		return NULL;
	}
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return NULL;
	ring->fd = fd;
	ring->user = info.type == BPFMAPS_TYPE_USER_RINGBUF;
	ring->page = sysconf(_SC_PAGESIZE);
	ring->size = info.max_entries;
	if (!ring_map(ring))
		return ring;
	free(ring);
	return NULL;
}

void bpfmaps_ring_close(struct bpfmaps_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->consumer, ring->page);
	munmap(ring->producer, rest_size(ring));
	free(ring);
}

static void *none(int err)
{
	errno = err;
	return NULL;
}

static struct bpfmaps_ringbuf_hdr *hdr_at(const struct bpfmaps_ring *ring)
{
	return (void *)(ring->data + (ring->pos & (ring->size - 1)));
}

/* Bytes of records, finished or not. Pairs with the kernel's release of the position. */
static uint32_t ring_used(const struct bpfmaps_ring *ring)
{
	if (ring->user)
		return ring->pos - __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->pos;
}

/* The kernel may write where the record was, and sees what was done to it before. */
static void ring_pass(struct bpfmaps_ring *ring)
{
	ring->pos += ring->held;
	ring->held = 0;
	__atomic_store_n(ring->consumer, ring->pos, __ATOMIC_RELEASE);
}

/* The length of the next record with its bits, or none: 0 with errno. */
static bool next_len(const struct bpfmaps_ring *ring, uint32_t *len)
{
	uint32_t used = ring_used(ring);
	uint32_t size;

	if (!used)
		return none(EAGAIN);
	if (used > ring->size || ring->pos % 8)
		return none(EINVAL);
	/* Pairs with the end of the record: its bytes are there. */
	*len = __atomic_load_n(&hdr_at(ring)->len, __ATOMIC_ACQUIRE);
	if (*len & BPFMAPS_RINGBUF_BUSY_BIT)
		return none(EAGAIN);
	size = *len & ~BPFMAPS_RINGBUF_DISCARD_BIT;
	return record_bytes(size) <= used || none(EINVAL);
}

const void *bpfmaps_ring_peek(struct bpfmaps_ring *ring, size_t *size)
{
	uint32_t len;

	if (ring->user)
		return none(EINVAL);
	while (next_len(ring, &len)) {
		ring->held = record_bytes(len & ~BPFMAPS_RINGBUF_DISCARD_BIT);
		if (!(len & BPFMAPS_RINGBUF_DISCARD_BIT)) {
			*size = len;
			return hdr_at(ring) + 1;
		}
		ring_pass(ring);
	}
	return NULL;
}

void bpfmaps_ring_release(struct bpfmaps_ring *ring)
{
	if (ring->held)
		ring_pass(ring);
}

void *bpfmaps_ring_reserve(struct bpfmaps_ring *ring, size_t size)
{
	struct bpfmaps_ringbuf_hdr *hdr;
	uint32_t used, bytes;

	if (!ring->user)
		return none(EINVAL);
	if (size >= BPFMAPS_RINGBUF_DISCARD_BIT || record_bytes(size) > ring->size)
		return none(E2BIG);
	bytes = record_bytes(size);
	used = ring_used(ring);
	if (used > ring->size || ring->pos % 8)
		return none(EINVAL);
	if (bytes > ring->size - used) {
		ring->wanted = bytes;
		return none(EAGAIN);
	}
	ring->wanted = 0;
	hdr = hdr_at(ring);
	hdr->pg_off = 0;
	__atomic_store_n(&hdr->len, size | BPFMAPS_RINGBUF_BUSY_BIT, __ATOMIC_RELAXED);
	ring->pos += bytes;
	/* Who sees the position sees the busy header. */
	__atomic_store_n(ring->producer, ring->pos, __ATOMIC_RELEASE);
	return hdr + 1;
}

/* Who sees that the record is finished sees its bytes. */
static void finish(void *record, uint32_t bits)
{
	struct bpfmaps_ringbuf_hdr *hdr = (struct bpfmaps_ringbuf_hdr *)record - 1;
	uint32_t len = __atomic_load_n(&hdr->len, __ATOMIC_RELAXED);

	__atomic_store_n(&hdr->len, (len & ~BPFMAPS_RINGBUF_BUSY_BIT) | bits, __ATOMIC_RELEASE);
}

void bpfmaps_ring_submit(struct bpfmaps_ring *ring, void *record)
{
	(void)ring;
	finish(record, 0);
}

void bpfmaps_ring_discard(struct bpfmaps_ring *ring, void *record)
{
	(void)ring;
	finish(record, BPFMAPS_RINGBUF_DISCARD_BIT);
}

/* What is awaited is there, or will never come. */
static bool ring_ready(const struct bpfmaps_ring *ring)
{
	uint32_t len;

	if (!ring->user)
		return next_len(ring, &len) || errno != EAGAIN;
	return ring_used(ring) > ring->size || ring->wanted <= ring->size - ring_used(ring);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left of a time-out, in milliseconds; -1: no end. */
static int time_left(int timeout, int64_t end)
{
	int64_t left = end - now_ms();

	if (timeout < 0)
		return -1;
	return left > 0 ? left : 0;
}

int bpfmaps_ring_wait(struct bpfmaps_ring *ring, int timeout_ms)
{
	struct pollfd pfd = { .fd = ring->fd, .events = ring->user ? POLLOUT : POLLIN };
	int64_t end = now_ms() + timeout_ms;
	int left, ret;

	while (!ring_ready(ring)) {
		left = time_left(timeout_ms, end);
		if (!left)
			return 0;
		/* The kernel wakes up who waits at our position: it has to see that. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		ret = poll(&pfd, 1, left);
		if (ret < 0)
			return -errno;
		/* A record that is not finished, or not room enough. */
		if (ret && !ring_ready(ring))
			poll(NULL, 0, RETRY_MS);
	}
	return 1;
}
