// SPDX-License-Identifier: GPL-2.0-only
/*
 * libbpfmaps: ring buffers in both directions
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "bpfmaps.h"
#include "kselftest_harness.h"

#define SIZE	4096U
#define PAGE	4096UL
#define MANY	20000U

static int new_ring(__u32 type, __u32 size)
{
	return bpfmaps_map_create(type, "ring", 0, 0, size, NULL);
}

/* How often something is done that is done @nr times where it is not slow. */
static unsigned int often(unsigned int nr)
{
	const char *scale = getenv("BPFMAPS_TEST_SCALE");

	return scale && atoi(scale) > 1 ? nr / 20 : nr;
}

TEST(not_a_ring)
{
	int hash = bpfmaps_map_create(BPFMAPS_TYPE_HASH, NULL, 4, 4, 4, NULL);
	__u32 word = 0;

	ASSERT_GE(hash, 0);
	EXPECT_EQ(bpfmaps_ring_open(-1), NULL);
	EXPECT_EQ(errno, EBADF);
	EXPECT_EQ(bpfmaps_ring_open(STDIN_FILENO), NULL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(bpfmaps_ring_open(hash), NULL);
	EXPECT_EQ(errno, EINVAL);
	EXPECT_EQ(bpfmaps_ringbuf_output(-1, &word, 4, 0), -EBADF);
	EXPECT_EQ(bpfmaps_ringbuf_output(STDIN_FILENO, &word, 4, 0), -EINVAL);
	EXPECT_EQ(bpfmaps_ringbuf_output(hash, &word, 4, 0), -524);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(-1, &word, 4, 0), -EBADF);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(hash, &word, 4, 0), -524);
	bpfmaps_ring_close(NULL);
}

TEST(read_only_descriptor)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = BPFMAPS_F_RDONLY);
	static const __u32 types[] = { BPFMAPS_TYPE_RINGBUF, BPFMAPS_TYPE_USER_RINGBUF };
	struct bpfmaps_map_info info = { };
	__u32 len = sizeof(info);
	int fd, readonly;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		fd = new_ring(types[i], SIZE);
		ASSERT_EQ(bpfmaps_obj_get_info_by_fd(fd, &info, &len), 0);
		readonly = bpfmaps_map_get_fd_by_id(info.id, &opts);
		ASSERT_GE(readonly, 0);
		EXPECT_EQ(bpfmaps_ring_open(readonly), NULL);
		EXPECT_EQ(errno, EPERM);
	}
}

FIXTURE(ring)
{
	int fd;
	struct bpfmaps_ring *ring;
};

FIXTURE_VARIANT(ring)
{
	__u32 type;
};

FIXTURE_VARIANT_ADD(ring, out)
{
	.type = BPFMAPS_TYPE_RINGBUF,
};

FIXTURE_VARIANT_ADD(ring, in)
{
	.type = BPFMAPS_TYPE_USER_RINGBUF,
};

FIXTURE_SETUP(ring)
{
	self->fd = new_ring(variant->type, SIZE);
	ASSERT_GE(self->fd, 0);
	self->ring = bpfmaps_ring_open(self->fd);
	ASSERT_NE(self->ring, NULL);
}

FIXTURE_TEARDOWN(ring)
{
	bpfmaps_ring_close(self->ring);
	close(self->fd);
}

/* What the kind of ring does not know is refused, and changes nothing. */
TEST_F(ring, wrong_direction)
{
	size_t size = 77;

	if (variant->type == BPFMAPS_TYPE_RINGBUF) {
		EXPECT_EQ(bpfmaps_ring_reserve(self->ring, 8), NULL);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(bpfmaps_user_ringbuf_drain(self->fd, &size, sizeof(size), 0), -524);
	} else {
		EXPECT_EQ(bpfmaps_ring_peek(self->ring, &size), NULL);
		EXPECT_EQ(errno, EINVAL);
		EXPECT_EQ(bpfmaps_ringbuf_output(self->fd, &size, sizeof(size), 0), -524);
	}
	EXPECT_EQ(size, 77);
}

static struct bpfmaps_ring *open_new(__u32 type, int *fd)
{
	*fd = new_ring(type, SIZE);
	return bpfmaps_ring_open(*fd);
}

TEST(out_errors)
{
	char data[SIZE] = "";
	struct bpfmaps_ring *ring;
	size_t size;
	int fd;

	ring = open_new(BPFMAPS_TYPE_RINGBUF, &fd);
	ASSERT_NE(ring, NULL);
	EXPECT_EQ(bpfmaps_ring_peek(ring, &size), NULL);
	EXPECT_EQ(errno, EAGAIN);
	bpfmaps_ring_release(ring);
	EXPECT_EQ(bpfmaps_ring_wait(ring, 0), 0);
	EXPECT_EQ(bpfmaps_ring_wait(ring, 20), 0);
	EXPECT_EQ(bpfmaps_ringbuf_output(fd, data, SIZE, 0), -E2BIG);
	EXPECT_EQ(bpfmaps_ringbuf_output(fd, data, 8, 4), -EINVAL);
	EXPECT_EQ(bpfmaps_ringbuf_output(fd, NULL, 8, 0), -EFAULT);
	ASSERT_EQ(bpfmaps_ringbuf_output(fd, data, SIZE - 16, 0), 0);
	EXPECT_EQ(bpfmaps_ringbuf_output(fd, data, 8, 0), -EAGAIN);
	bpfmaps_ring_close(ring);
}

TEST(out_records)
{
	struct bpfmaps_ring *ring;
	const char *record;
	size_t size = 0;
	int fd;

	ring = open_new(BPFMAPS_TYPE_RINGBUF, &fd);
	ASSERT_NE(ring, NULL);
	ASSERT_EQ(bpfmaps_ringbuf_output(fd, "first", 5, 0), 0);
	ASSERT_EQ(bpfmaps_ringbuf_output(fd, NULL, 0, 0), 0);
	ASSERT_EQ(bpfmaps_ringbuf_output(fd, "third one", 9, 0), 0);
	EXPECT_EQ(bpfmaps_ring_wait(ring, -1), 1);
	record = bpfmaps_ring_peek(ring, &size);
	ASSERT_NE(record, NULL);
	EXPECT_EQ(size, 5);
	EXPECT_EQ(memcmp(record, "first", 5), 0);
	EXPECT_EQ(bpfmaps_ring_peek(ring, &size), record);
	bpfmaps_ring_release(ring);
	bpfmaps_ring_release(ring);
	ASSERT_NE(bpfmaps_ring_peek(ring, &size), NULL);
	EXPECT_EQ(size, 0);

	/* The next who opens it goes on where this one has released. */
	bpfmaps_ring_close(ring);
	ring = bpfmaps_ring_open(fd);
	ASSERT_NE(ring, NULL);
	ASSERT_NE(bpfmaps_ring_peek(ring, &size), NULL);
	EXPECT_EQ(size, 0);
	bpfmaps_ring_release(ring);
	record = bpfmaps_ring_peek(ring, &size);
	ASSERT_NE(record, NULL);
	EXPECT_EQ(size, 9);
	EXPECT_EQ(memcmp(record, "third one", 9), 0);
	bpfmaps_ring_release(ring);
	EXPECT_EQ(bpfmaps_ring_peek(ring, &size), NULL);
	bpfmaps_ring_close(ring);
}

/* A consumer position that another process has spoilt is told, and nothing is read. */
TEST(out_position_of_a_stranger)
{
	static const unsigned long wrong[] = { 8, 4, SIZE + 8, 0x80000000 };
	struct bpfmaps_ring *ring;
	unsigned long *consumer;
	size_t size;
	int fd;

	fd = new_ring(BPFMAPS_TYPE_RINGBUF, SIZE);
	consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(consumer, MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		*consumer = wrong[i];
		ring = bpfmaps_ring_open(fd);
		ASSERT_NE(ring, NULL);
		EXPECT_EQ(bpfmaps_ring_peek(ring, &size), NULL);
		EXPECT_EQ(errno, EINVAL)
			TH_LOG("position %lx: errno %d", wrong[i], errno);
		EXPECT_EQ(bpfmaps_ring_wait(ring, 1), 1);
		bpfmaps_ring_close(ring);
	}
}

TEST(out_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct bpfmaps_ring *ring;
	size_t size;
	int fd, ep;

	ring = open_new(BPFMAPS_TYPE_RINGBUF, &fd);
	ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_NE(ring, NULL);
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_EQ(epoll_wait(ep, &event, 1, 0), 0);
	ASSERT_EQ(bpfmaps_ringbuf_output(fd, "x", 1, 0), 0);
	EXPECT_EQ(epoll_wait(ep, &event, 1, 1000), 1);
	EXPECT_EQ(event.events, EPOLLIN);
	ASSERT_NE(bpfmaps_ring_peek(ring, &size), NULL);
	bpfmaps_ring_release(ring);
	EXPECT_EQ(epoll_wait(ep, &event, 1, 0), 0);
	bpfmaps_ring_close(ring);
}

struct writer {
	int fd;
	unsigned int nr;
	int error;
};

/* Records of all sizes, each word of which is the record's number. */
static void *write_many(void *arg)
{
	struct writer *writer = arg;
	__u32 data[64];

	for (unsigned int i = 0; i < writer->nr && !writer->error;) {
		for (size_t j = 0; j < ARRAY_SIZE(data); j++)
			data[j] = i;
		writer->error = bpfmaps_ringbuf_output(writer->fd, data, 4 * (i % 64 + 1), 0);
		if (!writer->error)
			i++;
		else if (writer->error == -EAGAIN)
			writer->error = sched_yield();
	}
	return NULL;
}

static bool is_record(const __u32 *data, size_t size, unsigned int nr)
{
	if (size != 4 * (nr % 64 + 1))
		return false;
	for (size_t j = 0; j < size / 4; j++)
		if (data[j] != nr)
			return false;
	return true;
}

/* Sleeping and woken up, many times over the end of the ring: nothing is lost, torn or twice. */
TEST(out_many)
{
	struct writer writer = { .nr = often(MANY) };
	struct bpfmaps_ring *ring;
	unsigned int bad = 0, i;
	const void *record;
	pthread_t thread;
	size_t size;

	ring = open_new(BPFMAPS_TYPE_RINGBUF, &writer.fd);
	ASSERT_NE(ring, NULL);
	ASSERT_EQ(pthread_create(&thread, NULL, write_many, &writer), 0);
	for (i = 0; i < writer.nr; i++) {
		ASSERT_EQ(bpfmaps_ring_wait(ring, 20000), 1);
		record = bpfmaps_ring_peek(ring, &size);
		ASSERT_NE(record, NULL);
		bad += !is_record(record, size, i);
		bpfmaps_ring_release(ring);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(writer.error, 0);
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(bpfmaps_ring_peek(ring, &size), NULL);
	bpfmaps_ring_close(ring);
}

TEST(in_errors)
{
	struct bpfmaps_ring *ring;
	__u64 buf[SIZE / 8];
	void *record;
	int fd;

	ring = open_new(BPFMAPS_TYPE_USER_RINGBUF, &fd);
	ASSERT_NE(ring, NULL);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 0);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 4), -EINVAL);
	EXPECT_EQ(bpfmaps_ring_reserve(ring, SIZE - 7), NULL);
	EXPECT_EQ(errno, E2BIG);
	EXPECT_EQ(bpfmaps_ring_reserve(ring, BPFMAPS_RINGBUF_DISCARD_BIT), NULL);
	EXPECT_EQ(errno, E2BIG);
	EXPECT_EQ(bpfmaps_ring_reserve(ring, (size_t)-1), NULL);
	EXPECT_EQ(errno, E2BIG);
	EXPECT_EQ(bpfmaps_ring_wait(ring, 0), 1);
	record = bpfmaps_ring_reserve(ring, SIZE - 8);
	ASSERT_NE(record, NULL);
	EXPECT_EQ(bpfmaps_ring_reserve(ring, 0), NULL);
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(bpfmaps_ring_wait(ring, 20), 0);
	/* Not finished. */
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 0);
	bpfmaps_ring_submit(ring, record);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, SIZE - 8, 0), -ENOSPC);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, NULL, SIZE, 0), -EFAULT);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, SIZE, 0), SIZE);
	EXPECT_EQ(bpfmaps_ring_wait(ring, 0), 1);
	bpfmaps_ring_close(ring);
}

TEST(in_records)
{
	struct bpfmaps_ring *ring;
	void *records[3];
	const char *data;
	__u64 buf[16];
	size_t at = 0;
	__u32 size;
	int fd, bytes;

	ring = open_new(BPFMAPS_TYPE_USER_RINGBUF, &fd);
	ASSERT_NE(ring, NULL);
	for (int i = 0; i < 3; i++) {
		records[i] = bpfmaps_ring_reserve(ring, 6 + i);
		ASSERT_NE(records[i], NULL);
		EXPECT_EQ((unsigned long)records[i] % 8, 0);
	}
	memcpy(records[2], "the last", 8);
	bpfmaps_ring_submit(ring, records[2]);
	bpfmaps_ring_discard(ring, records[1]);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 0);
	memcpy(records[0], "first!", 6);
	bpfmaps_ring_submit(ring, records[0]);
	bytes = bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0);
	ASSERT_EQ(bytes, 16 + 16);
	data = bpfmaps_ringbuf_next(buf, bytes, &at, &size);
	ASSERT_NE(data, NULL);
	EXPECT_EQ(size, 6);
	EXPECT_EQ(memcmp(data, "first!", 6), 0);
	data = bpfmaps_ringbuf_next(buf, bytes, &at, &size);
	ASSERT_NE(data, NULL);
	EXPECT_EQ(size, 8);
	EXPECT_EQ(memcmp(data, "the last", 8), 0);
	EXPECT_EQ(bpfmaps_ringbuf_next(buf, bytes, &at, &size), NULL);
	EXPECT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 0);
	bpfmaps_ring_close(ring);
}

/* What is no record is not read over the end. */
TEST(next_in_a_bad_buffer)
{
	struct bpfmaps_ringbuf_hdr hdrs[2] = { { .len = 8 } };
	size_t at = 0;
	__u32 size;

	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 0, &at, &size), NULL);
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 7, &at, &size), NULL);
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 15, &at, &size), NULL);
	hdrs[0].len = 9;
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 16, &at, &size), NULL);
	hdrs[0].len = 0x80000000;
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 16, &at, &size), NULL);
	hdrs[0].len = 0xffffffff;
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 16, &at, &size), NULL);
	at = 24;
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 16, &at, &size), NULL);
	at = 0;
	hdrs[0].len = 8;
	EXPECT_EQ(bpfmaps_ringbuf_next(hdrs, 16, &at, &size), &hdrs[1]);
	EXPECT_EQ(at, 16);
}

struct drainer {
	int fd;
	unsigned int nr;
	unsigned int bad;
};

static void *drain_many(void *arg)
{
	struct drainer *drainer = arg;
	__u64 buf[SIZE / 8];
	unsigned int i = 0;
	const void *data;
	__u32 size;
	size_t at;
	int bytes;

	while (i < drainer->nr) {
		bytes = bpfmaps_user_ringbuf_drain(drainer->fd, buf, sizeof(buf), 0);
		if (bytes < 0) {
			drainer->bad = 1000000;
			break;
		}
		at = 0;
		while ((data = bpfmaps_ringbuf_next(buf, bytes, &at, &size)))
			drainer->bad += !is_record(data, size, i++);
		if (!bytes)
			sched_yield();
	}
	return NULL;
}

/* A writer that waits for room, and is woken up when there is. */
TEST(in_many)
{
	struct drainer drainer = { .nr = often(MANY) };
	struct bpfmaps_ring *ring;
	pthread_t thread;
	__u32 *record;

	ring = open_new(BPFMAPS_TYPE_USER_RINGBUF, &drainer.fd);
	ASSERT_NE(ring, NULL);
	ASSERT_EQ(pthread_create(&thread, NULL, drain_many, &drainer), 0);
	for (unsigned int i = 0; i < drainer.nr; i++) {
		while (!(record = bpfmaps_ring_reserve(ring, 4 * (i % 64 + 1)))) {
			ASSERT_EQ(errno, EAGAIN);
			ASSERT_EQ(bpfmaps_ring_wait(ring, 20000), 1);
		}
		for (unsigned int j = 0; j < i % 64 + 1; j++)
			record[j] = i;
		bpfmaps_ring_submit(ring, record);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(drainer.bad, 0);
	bpfmaps_ring_close(ring);
}

static void ignore(int sig)
{
	(void)sig;
}

TEST(wait_is_interrupted)
{
	struct itimerval soon = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	struct sigaction action = { .sa_handler = ignore };
	struct bpfmaps_ring *ring;
	int fd;

	ring = open_new(BPFMAPS_TYPE_RINGBUF, &fd);
	ASSERT_NE(ring, NULL);
	ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
	ASSERT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
	EXPECT_EQ(bpfmaps_ring_wait(ring, -1), -EINTR);
	EXPECT_EQ(errno, EINTR);
	bpfmaps_ring_close(ring);
}

TEST_HARNESS_MAIN
