// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring buffers between another module and a program: ringbuf_kmod.ko calls the exported functions,
 * this program makes the maps, loads it once for each check, and is the other side of the ring
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/klog.h>

#include <kselftest_harness.h>

#include "ringbuf_util.h"

#define KMOD	"/lib/ringbuf_kmod.ko"
#define RACE	scaled(20000)

FIXTURE(kapi) {
	int dev;
	struct ring r;
};

FIXTURE_SETUP(kapi)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	ASSERT_TRUE(ring_new(&self->r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
}

FIXTURE_TEARDOWN(kapi)
{
	ring_close(&self->r);
	close(self->dev);
}

/* The comparisons that failed are the last lines of the kernel's log. */
static void print_log(void)
{
	static char buf[1 << 16];
	int len = klogctl(3, buf, sizeof(buf) - 1);
	char *line;

	if (len < 0)
		return;
	buf[len] = 0;
	for (line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "ringbuf_kmod"))
			printf("# %s\n", line);
}

/* 0, or the errno with which the module refused to load. */
static int kmod(const char *check, int map)
{
	int fd = open(KMOD, O_RDONLY | O_CLOEXEC), err = 0;
	char params[100];

	if (fd < 0)
		return errno;
	snprintf(params, sizeof(params), "check=%s fd=%d records=%u", check, map, RACE);
	if (syscall(SYS_finit_module, fd, params, 0))
		err = errno;
	else
		syscall(SYS_delete_module, "ringbuf_kmod", O_NONBLOCK);
	close(fd);
	if (err)
		print_log();
	fflush(stdout);
	return err;
}

TEST_F(kapi, other_types)
{
	int array = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	int user = bm_create(self->dev, BPFMAPS_TYPE_USER_RINGBUF, 0, 0, PAGE, 0);

	EXPECT_EQ(0, kmod("array", array));
	EXPECT_EQ(0, kmod("user", user));
	close(user);
	close(array);
}

TEST_F(kapi, contexts)
{
	static const char *const contexts[] = { "process", "softirq", "hardirq" };
	static const struct {
		__u32 len;
		const char *text;
	} want[] = {
		{ 5, "first" },
		{ 6, "second" },
		{ 5 | BPFMAPS_RINGBUF_DISCARD_BIT, "third" },
		{ 6, "fourth" },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		EXPECT_EQ(0, kmod(contexts[i], self->r.fd));
		ASSERT_EQ(64 * (i + 1), pos_load(self->r.producer));
		for (j = 0; j < ARRAY_SIZE(want); j++) {
			struct bpfmaps_ringbuf_hdr *hdr = ring_hdr(&self->r, 64 * i + 16 * j);

			EXPECT_EQ(want[j].len, hdr->len);
			EXPECT_EQ(2, hdr->pg_off);
			EXPECT_EQ(0, memcmp(hdr + 1, want[j].text, strlen(want[j].text)));
		}
		pos_store(self->r.consumer, pos_load(self->r.producer));
	}
}

TEST_F(kapi, unfinished_records_stay)
{
	pos_store(self->r.consumer, 3008);
	EXPECT_EQ(0, kmod("pending", self->r.fd));
	EXPECT_EQ(2 * 3008, pos_load(self->r.producer));
	EXPECT_EQ(3000 | BPFMAPS_RINGBUF_DISCARD_BIT, ring_hdr(&self->r, 3008)->len);
}

/* Wait for the first record, which is the last to be finished, and read all at once. */
static void *read_at_once(void *arg)
{
	struct ring *r = arg;

	while (pos_load(r->producer) != PAGE - 8 ||
	       __atomic_load_n(&ring_hdr(r, 0)->len, __ATOMIC_ACQUIRE))
		sched_yield();
	pos_store(r->consumer, PAGE - 8);
	return NULL;
}

TEST_F(kapi, many_finished_records)
{
	pthread_t thread;

	pthread_create(&thread, NULL, read_at_once, &self->r);
	EXPECT_EQ(0, kmod("long_way", self->r.fd));
	pthread_join(thread, NULL);
	EXPECT_EQ(4000, ring_hdr(&self->r, PAGE - 8)->len);
}

static void put(struct ring *r, __u32 len)
{
	__u32 size = len & ~(BPFMAPS_RINGBUF_BUSY_BIT | BPFMAPS_RINGBUF_DISCARD_BIT);
	unsigned long pos = pos_load(r->producer);

	memset(ring_hdr(r, pos) + 1, 'A', size);
	__atomic_store_n(&ring_hdr(r, pos)->len, len, __ATOMIC_RELEASE);
	pos_store(r->producer, pos + record_bytes(size));
}

TEST_F(kapi, drain)
{
	static const char *const checks[] = { "drain", "drain_hardirq" };
	unsigned int i, round;
	struct ring r;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_USER_RINGBUF, PAGE));
	for (round = 0; round < scaled(100); round++) {
		for (i = 1; i <= 4; i++)
			put(&r, i == 2 ? i | BPFMAPS_RINGBUF_DISCARD_BIT : i);
		put(&r, 5 | BPFMAPS_RINGBUF_BUSY_BIT);
		ASSERT_EQ(0, kmod(checks[round % 2], r.fd));
		pos_store(r.producer, pos_load(r.consumer));
	}
	put(&r, 8);
	put(&r, 8);
	ring_hdr(&r, pos_load(r.consumer) + 16)->len = 9;
	EXPECT_EQ(0, kmod("drain_bad", r.fd));
	ring_close(&r);
}

struct reader {
	struct ring *r;
	bool done;
	__u32 next;
	__u32 interrupts;
	__u32 wrong;
};

static void read_record(struct reader *rd, const void *data, __u32 len)
{
	__u32 number;

	if (len == 9 && !memcmp(data, "interrupt", 9)) {
		rd->interrupts++;
		return;
	}
	memcpy(&number, data, sizeof(number));
	rd->wrong += number != rd->next || len != 4 + number % 100;
	rd->next++;
}

static void *read_all(void *arg)
{
	struct reader *rd = arg;
	unsigned long pos = 0;
	__u32 len;
	bool done;

	do {
		done = __atomic_load_n(&rd->done, __ATOMIC_ACQUIRE);
		while (pos < pos_load(rd->r->producer)) {
			len = __atomic_load_n(&ring_hdr(rd->r, pos)->len, __ATOMIC_ACQUIRE);
			if (len & BPFMAPS_RINGBUF_BUSY_BIT)
				break;
			read_record(rd, ring_hdr(rd->r, pos) + 1, len);
			pos += record_bytes(len);
			pos_store(rd->r->consumer, pos);
		}
		sched_yield();
	} while (!done);
	return NULL;
}

TEST_F(kapi, interrupts_and_reader)
{
	struct reader rd = { .r = &self->r };
	pthread_t thread;

	pthread_create(&thread, NULL, read_all, &rd);
	EXPECT_EQ(0, kmod("race", self->r.fd));
	__atomic_store_n(&rd.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(RACE, rd.next);
	EXPECT_LT(0, rd.interrupts);
	EXPECT_EQ(0, rd.wrong);
	EXPECT_EQ(pos_load(self->r.producer), pos_load(self->r.consumer));
}

TEST_HARNESS_MAIN
