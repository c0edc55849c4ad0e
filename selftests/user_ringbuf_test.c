// SPDX-License-Identifier: GPL-2.0-only
/* USER_RINGBUF: records from the mapping to the command, and what must not get through. */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>

#include <kselftest_harness.h>

#include "ringbuf_util.h"

#define SIZE	(2 * PAGE)

FIXTURE(user) {
	int dev;
	struct ring r;
	unsigned char out[4 * PAGE];
};

FIXTURE_SETUP(user)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	ASSERT_TRUE(ring_new(&self->r, self->dev, BPFMAPS_TYPE_USER_RINGBUF, SIZE));
}

FIXTURE_TEARDOWN(user)
{
	ring_close(&self->r);
	close(self->dev);
}

/* Write a record with any header and let the producer position follow. */
static void put_len(struct ring *r, __u32 len, const void *data, __u32 size)
{
	unsigned long pos = pos_load(r->producer);
	struct bpfmaps_ringbuf_hdr *hdr = ring_hdr(r, pos);

	hdr->pg_off = 0xdeadbeef;
	memset(hdr + 1, 0xff, record_bytes(size) - 8);
	if (size)
		memcpy(hdr + 1, data, size);
	__atomic_store_n(&hdr->len, len, __ATOMIC_RELEASE);
	pos_store(r->producer, pos + record_bytes(size));
}

static void put(struct ring *r, const void *data, __u32 size)
{
	put_len(r, size, data, size);
}

static bool has_room(struct ring *r, __u32 size)
{
	return pos_load(r->producer) - pos_load(r->consumer) + record_bytes(size) <= r->size;
}

/* Start again where the consumer is: then all has to work. */
static bool works(struct ring *r)
{
	unsigned char data[100], out[200];
	struct bpfmaps_ringbuf_hdr hdr = { 0 };
	__u32 i;

	pos_store(r->producer, pos_load(r->consumer));
	for (i = 0; i < 200; i++) {
		memset(data, i, sizeof(data));
		put(r, data, i % 101);
		hdr.len = i % 101;
		memset(out, 0x77, sizeof(out));
		if (rb_drain(r->fd, out, sizeof(out), 0) != (int)record_bytes(i % 101) ||
		    memcmp(out, &hdr, 8) ||
		    memcmp(out + 8, data, i % 101))
			return false;
	}
	return pos_load(r->consumer) == pos_load(r->producer);
}

TEST_F(user, refuses)
{
	struct bpfmaps_id_attr a = { .map_id = bm_id(self->r.fd), .open_flags = BPFMAPS_F_RDONLY };
	int fd = bm_call(self->dev, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));

	put(&self->r, "abc", 3);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, rb_drain(fd, self->out, 100, 0));
	close(fd);
	a.open_flags = BPFMAPS_F_WRONLY;
	fd = bm_call(self->dev, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, rb_drain(fd, self->out, 100, 0));
	close(fd);
	EXPECT_EQ(-ENOSPC, rb_drain(self->r.fd, self->out, 0, 0));
	EXPECT_EQ(-ENOSPC, rb_drain(self->r.fd, self->out, 15, 0));
	EXPECT_EQ(-EFAULT, rb_drain(self->r.fd, (void *)1, 100, 0));
	EXPECT_EQ(-EFAULT, rb_drain(self->r.fd, (void *)-8UL, 100, 0));
	EXPECT_EQ(0, pos_load(self->r.consumer));
	EXPECT_EQ(16, rb_drain(self->r.fd, self->out, 16, 0));
	EXPECT_EQ(0, memcmp(self->out, "\3\0\0\0\0\0\0\0abc\0\0\0\0\0", 16));
	EXPECT_EQ(16, pos_load(self->r.consumer));
	EXPECT_EQ(0, rb_drain(self->r.fd, self->out, 16, 0));
	EXPECT_EQ(0, rb_drain(self->r.fd, NULL, 0, 0));
}

/* A bad address behind some records costs none of them. */
TEST_F(user, nothing_gets_lost)
{
	unsigned char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char data[2000];
	int i, ret;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	for (i = 0; i < 4; i++) {
		memset(data, i, sizeof(data));
		put(&self->r, data, sizeof(data));
	}
	EXPECT_EQ(2 * record_bytes(2000), rb_drain(self->r.fd, p, 2 * PAGE, 0));
	EXPECT_EQ(1, p[record_bytes(2000) + 8]);
	EXPECT_EQ(-EFAULT, rb_drain(self->r.fd, p + PAGE - 100, 2 * PAGE, 0));
	for (i = 2; i < 4; i++) {
		ret = rb_drain(self->r.fd, p, record_bytes(2000) + 2000, 0);
		EXPECT_EQ(record_bytes(2000), ret);
		EXPECT_EQ(i, p[8]);
		EXPECT_EQ(i, p[2007]);
	}
	munmap(p, PAGE);
}

TEST_F(user, busy_and_discarded)
{
	struct ring *r = &self->r;

	put(r, "one", 3);
	put_len(r, 4 | BPFMAPS_RINGBUF_DISCARD_BIT, "left", 4);
	put(r, "two", 3);
	put_len(r, 4 | BPFMAPS_RINGBUF_BUSY_BIT, "slow", 4);
	put(r, "four", 4);
	EXPECT_EQ(32, rb_drain(r->fd, self->out, sizeof(self->out), 0));
	EXPECT_EQ(0, memcmp(self->out + 8, "one", 4));
	EXPECT_EQ(0, memcmp(self->out + 24, "two", 4));
	EXPECT_EQ(48, pos_load(r->consumer));
	EXPECT_EQ(0, rb_drain(r->fd, self->out, sizeof(self->out), 0));
	__atomic_store_n(&ring_hdr(r, 48)->len, 4, __ATOMIC_RELEASE);
	EXPECT_EQ(32, rb_drain(r->fd, self->out, sizeof(self->out), 0));
	EXPECT_EQ(0, memcmp(self->out + 8, "slow", 5));
	EXPECT_EQ(0, memcmp(self->out + 24, "four", 5));
	/* Discarded to the end: nothing is shown, all is gone. */
	put_len(r, 4 | BPFMAPS_RINGBUF_DISCARD_BIT, "left", 4);
	EXPECT_EQ(0, rb_drain(r->fd, NULL, 0, 0));
	EXPECT_EQ(pos_load(r->producer), pos_load(r->consumer));
}

/* One call skips 131072 records and no more. */
TEST_F(user, many_discarded)
{
	unsigned int i, nr = 131072 + 1000;
	struct ring r;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_USER_RINGBUF, 2 << 20));
	for (i = 0; i < nr; i++)
		put_len(&r, BPFMAPS_RINGBUF_DISCARD_BIT, NULL, 0);
	put(&r, "end", 3);
	EXPECT_EQ(-EAGAIN, rb_drain(r.fd, self->out, 100, 0));
	EXPECT_EQ(131072 * 8, pos_load(r.consumer));
	EXPECT_EQ(16, rb_drain(r.fd, self->out, 100, 0));
	EXPECT_EQ(0, memcmp(self->out + 8, "end", 4));
	ring_close(&r);
}

#define BUSY	BPFMAPS_RINGBUF_BUSY_BIT
#define DISCARD	BPFMAPS_RINGBUF_DISCARD_BIT

/* Producer positions (behind the consumer's) and lengths, and what drain says to them. */
TEST_F(user, hostile)
{
	static const struct {
		unsigned long producer;
		__u32 len;
		int want;
		unsigned int skipped;	/* bytes that go without being shown */
	} cases[] = {
		{ -8UL, 0, -EINVAL, 0 },
		{ -1UL, 0, -EINVAL, 0 },
		{ -SIZE, 0, -EINVAL, 0 },
		{ 1, 0, -EINVAL, 0 },
		{ 7, 0, -EINVAL, 0 },
		{ 9, 0, -EINVAL, 0 },
		{ SIZE + 8, 0, -EINVAL, 0 },
		{ SIZE + 1, 0, -EINVAL, 0 },
		{ 1UL << 31, 0, -EINVAL, 0 },
		{ 1UL << 32, 0, -EINVAL, 0 },
		{ (1UL << 32) + 16, 8, -EINVAL, 0 },
		{ 1UL << 63, 0, -EINVAL, 0 },
		{ 8, 1, -EINVAL, 0 },
		{ 16, 9, -EINVAL, 0 },
		{ 16, 9 | BUSY, -EINVAL, 0 },
		{ 16, 9 | DISCARD, -EINVAL, 0 },
		{ 16, SIZE, -EINVAL, 0 },
		{ 16, (1U << 30) - 1, -EINVAL, 0 },
		{ 16, ((1U << 30) - 1) | DISCARD, -EINVAL, 0 },
		{ SIZE, SIZE - 7, -EINVAL, 0 },
		{ SIZE, SIZE, -EINVAL, 0 },
		{ SIZE, ((1U << 30) - 1) | BUSY, -EINVAL, 0 },
		{ SIZE, -1U, -EINVAL, 0 },
		{ 16, 8 | BUSY, 0, 0 },
		{ 16, 8 | BUSY | DISCARD, 0, 16 },
		{ SIZE, (SIZE - 8) | BUSY | DISCARD, 0, SIZE },
		{ SIZE, SIZE - 8, SIZE, 0 },
		{ 16, 8, 16, 0 },
		{ 16, 1, 16, 0 },
	};
	struct ring *r = &self->r;
	unsigned long pos;
	size_t i, round;

	/* From different places, so that the end of the ring is anywhere. */
	for (round = 0; round < scaled(20); round++) {
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			pos = pos_load(r->consumer);
			memset(r->data, 0xa5, r->size);
			ring_hdr(r, pos)->len = cases[i].len;
			pos_store(r->producer, pos + cases[i].producer);
			EXPECT_EQ(cases[i].want, rb_drain(r->fd, self->out, sizeof(self->out), 0))
				TH_LOG("case %zu at %lu", i, pos);
			if (cases[i].want <= 0)
				EXPECT_EQ(pos + cases[i].skipped, pos_load(r->consumer));
			EXPECT_EQ(0, pos_load(r->consumer) % 8);
			EXPECT_TRUE(works(r))
				TH_LOG("after case %zu", i);
		}
	}
}

struct vandal {
	struct ring *r;
	bool done;
};

static void *write_anything(void *arg)
{
	struct vandal *v = arg;
	struct ring *r = v->r;
	__u32 random = 1, what;

	while (!__atomic_load_n(&v->done, __ATOMIC_ACQUIRE)) {
		what = next_random(&random);
		ring_hdr(r, what & ~7U)->len = next_random(&random) % 64;
		if (what % 64 == 0)
			ring_hdr(r, next_random(&random) & ~7U)->len = -what;
		pos_store(r->producer, pos_load(r->consumer) +
			  (what % 16 ? (what % SIZE) & ~7U : what - 5000));
	}
	return NULL;
}

/* Each drain gives an errno that it may give, or records that are formed well. */
TEST_F(user, producer_goes_wild)
{
	unsigned int i, records = 0, errors = 0;
	struct vandal v = { .r = &self->r };
	struct bpfmaps_ringbuf_hdr *hdr;
	pthread_t thread;
	int ret, at;

	pthread_create(&thread, NULL, write_anything, &v);
	for (i = 0; i < scaled(20000) || !records || !errors; i++) {
		ret = rb_drain(self->r.fd, self->out, sizeof(self->out), 0);
		ASSERT_TRUE(ret >= 0 || ret == -EINVAL || ret == -EAGAIN);
		ASSERT_GE((int)sizeof(self->out), ret);
		errors += ret < 0;
		for (at = 0; at < ret; at += record_bytes(hdr->len)) {
			hdr = (void *)(self->out + at);
			ASSERT_GE(SIZE - 8, hdr->len);
			ASSERT_EQ(0, hdr->pg_off);
			records++;
		}
		ASSERT_TRUE(ret < 0 || at == ret);
	}
	__atomic_store_n(&v.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_LT(0, records);
	EXPECT_LT(0, errors);
	EXPECT_TRUE(works(&self->r));
	printf("# %u records, %u errors\n", records, errors);
	fflush(stdout);
}

#define DRAINERS	3
#define RECORDS		scaled(20000)

struct drainer {
	pthread_t thread;
	int fd;
	unsigned char *seen;	/* how often, for each record */
	__u32 got;
	__u32 wrong;
	bool *done;
};

static void *drain(void *arg)
{
	struct drainer *d = arg;
	unsigned char out[500];
	__u32 *record, last = 0;
	bool done;
	int ret, at;

	do {
		done = __atomic_load_n(d->done, __ATOMIC_ACQUIRE);
		ret = rb_drain(d->fd, out, sizeof(out), 0);
		d->wrong += ret < 0 && ret != -EAGAIN;
		for (at = 0; at < ret; at += record_bytes(record[0])) {
			record = (void *)(out + at);
			d->wrong += record[2] < last;
			last = record[2];
			__atomic_fetch_add(&d->seen[last], 1, __ATOMIC_RELAXED);
			d->got++;
		}
	} while (ret || !done);
	return NULL;
}

/* Each record arrives at one of several who drain, once. */
TEST_F(user, drainers)
{
	unsigned char *seen = calloc(RECORDS, 1);
	struct drainer d[DRAINERS];
	unsigned char data[200];
	__u32 i, got = 0, random = 1, size;
	bool done = false;

	for (i = 0; i < DRAINERS; i++) {
		d[i] = (struct drainer) { .fd = self->r.fd, .seen = seen, .done = &done };
		pthread_create(&d[i].thread, NULL, drain, &d[i]);
	}
	for (i = 0; i < RECORDS; i++) {
		size = 4 + next_random(&random) % 100;
		while (!has_room(&self->r, size))
			sched_yield();
		memset(data, i, sizeof(data));
		memcpy(data, &i, sizeof(i));
		put(&self->r, data, size);
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	for (i = 0; i < DRAINERS; i++) {
		pthread_join(d[i].thread, NULL);
		EXPECT_EQ(0, d[i].wrong);
		got += d[i].got;
	}
	EXPECT_EQ(RECORDS, got);
	for (i = 0; i < RECORDS; i++)
		ASSERT_EQ(1, seen[i]);
	free(seen);
}

TEST_F(user, wake_ups)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	struct pollfd p = { .fd = self->r.fd, .events = POLLIN | POLLOUT };
	int ep = epoll_create1(0);

	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLOUT, p.revents);
	while (has_room(&self->r, 24))
		put(&self->r, "24 bytes of some record", 24);
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->r.fd, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_EQ(32, rb_drain(self->r.fd, self->out, 40, BPFMAPS_RB_NO_WAKEUP));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	EXPECT_EQ(-ENOSPC, rb_drain(self->r.fd, self->out, 8, 0));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	EXPECT_EQ(-ENOSPC, rb_drain(self->r.fd, self->out, 8, BPFMAPS_RB_FORCE_WAKEUP));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 10000));
	EXPECT_EQ(32, rb_drain(self->r.fd, self->out, 40, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 10000));
	EXPECT_EQ(EPOLLOUT, ev.events);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	close(ep);
}

TEST_F(user, freeze)
{
	put(&self->r, "abc", 3);
	EXPECT_EQ(-EBUSY, bm_freeze(self->r.fd));
	munmap(self->r.producer, PAGE + 2 * self->r.size);
	EXPECT_EQ(0, bm_freeze(self->r.fd));
	EXPECT_EQ(-EPERM, rb_drain(self->r.fd, self->out, 100, 0));
	EXPECT_EQ(0, pos_load(self->r.consumer));
}

TEST_HARNESS_MAIN
