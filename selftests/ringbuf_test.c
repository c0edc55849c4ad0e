// SPDX-License-Identifier: GPL-2.0-only
/* RINGBUF: what it refuses, its mapping, and records from the command to the mapping. */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <linux/bpf.h>

#include <kselftest_harness.h>

#include "release.h"
#include "ringbuf_util.h"

FIXTURE(ringbuf) {
	int dev;
};

FIXTURE_SETUP(ringbuf)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(ringbuf)
{
	close(self->dev);
}

static const __u32 both[] = { BPFMAPS_TYPE_RINGBUF, BPFMAPS_TYPE_USER_RINGBUF };

static struct bpfmaps_create_attr attr_of(__u32 type, __u32 max, __u32 flags)
{
	return (struct bpfmaps_create_attr) {
		.map_type = type, .max_entries = max, .map_flags = flags,
	};
}

static int create_in(enum world w, int dev, const struct bpfmaps_create_attr *attr)
{
	struct bpfmaps_create_attr a = *attr;

	return world_call(w, dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static int new_in(enum world w, int dev, __u32 type, __u32 size)
{
	struct bpfmaps_create_attr a = attr_of(type, size, 0);

	return create_in(w, dev, &a);
}

/* 0 or the errno, without the map. */
static int try_create(enum world w, int dev, const struct bpfmaps_create_attr *a)
{
	int fd = create_in(w, dev, a);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void compare_create(struct __test_metadata *_metadata, int dev,
			   const struct bpfmaps_create_attr *a)
{
	EXPECT_EQ(try_create(BPF, dev, a), try_create(OURS, dev, a))
		TH_LOG("type %u, key %u, value %u, max %#x, flags %#x, node %d", a->map_type,
		       a->key_size, a->value_size, a->max_entries, a->map_flags,
		       (int)a->numa_node);
}

TEST_F(ringbuf, create)
{
	static const __u32 sizes[] = { 0, 1, 4, 4095, 4097, 6144, 8191, 12288, 4096, 8192, 65536 };
	static const __u32 nodes[] = { 0, 1, 1024, (__u32)-1 };
	struct bpfmaps_create_attr a;
	unsigned int i, t, bit;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	for (t = 0; t < 2; t++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			a = attr_of(both[t], sizes[i], 0);
			compare_create(_metadata, self->dev, &a);
			a.key_size = 4;
			compare_create(_metadata, self->dev, &a);
			a = attr_of(both[t], sizes[i], 0);
			a.value_size = 8;
			compare_create(_metadata, self->dev, &a);
		}
		for (bit = 0; bit < 32; bit++) {
			a = attr_of(both[t], PAGE, 1U << bit);
			compare_create(_metadata, self->dev, &a);
		}
		for (i = 0; i < ARRAY_SIZE(nodes); i++) {
			a = attr_of(both[t], PAGE, BPF_F_NUMA_NODE);
			a.numa_node = nodes[i];
			compare_create(_metadata, self->dev, &a);
		}
		a = attr_of(both[t], PAGE, 0);
		a.map_extra = 1;
		compare_create(_metadata, self->dev, &a);
		a = attr_of(both[t], 1U << 31, 0);
		EXPECT_EQ(-ENOMEM, create_in(OURS, self->dev, &a));
	}
}

TEST_F(ringbuf, constants)
{
	EXPECT_EQ(BPF_MAP_TYPE_RINGBUF, (int)BPFMAPS_TYPE_RINGBUF);
	EXPECT_EQ(BPF_MAP_TYPE_USER_RINGBUF, (int)BPFMAPS_TYPE_USER_RINGBUF);
	EXPECT_EQ(BPF_RB_NO_WAKEUP, (int)BPFMAPS_RB_NO_WAKEUP);
	EXPECT_EQ(BPF_RB_FORCE_WAKEUP, (int)BPFMAPS_RB_FORCE_WAKEUP);
	EXPECT_EQ(BPF_RINGBUF_BUSY_BIT, BPFMAPS_RINGBUF_BUSY_BIT);
	EXPECT_EQ(BPF_RINGBUF_DISCARD_BIT, BPFMAPS_RINGBUF_DISCARD_BIT);
	EXPECT_EQ(BPF_RINGBUF_HDR_SZ, BPFMAPS_RINGBUF_HDR_SZ);
	EXPECT_EQ(8, sizeof(struct bpfmaps_ringbuf_hdr));
	EXPECT_EQ(24, sizeof(struct bpfmaps_ringbuf_attr));
}

TEST_F(ringbuf, no_elements)
{
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_LOOKUP_ELEM, BPFMAPS_MAP_UPDATE_ELEM, BPFMAPS_MAP_DELETE_ELEM,
		BPFMAPS_MAP_GET_NEXT_KEY, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM,
	};
	unsigned int t, i, flags, key, w;
	struct bpfmaps_elem_attr a;
	__u64 buf = 0;
	int got[2];

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	for (t = 0; t < 2; t++) {
		int fd[] = {
			[BPF] = new_in(BPF, self->dev, both[t], PAGE),
			[OURS] = new_in(OURS, self->dev, both[t], PAGE),
		};

		ASSERT_LE(0, fd[BPF]);
		ASSERT_LE(0, fd[OURS]);
		/* 2 keys, 2 values, flags 0 to 8 for each command */
		for (i = 0; i < ARRAY_SIZE(cmds) * 36; i++) {
			key = i / ARRAY_SIZE(cmds);
			flags = key / 4;
			for (w = BPF; w <= OURS; w++) {
				a = (struct bpfmaps_elem_attr) {
					.map_fd = fd[w],
					.key = key & 1 ? (unsigned long)&buf : 0,
					.value = key & 2 ? (unsigned long)&buf : 0,
					.flags = flags,
				};
				got[w] = world_call(w, self->dev, cmds[i % ARRAY_SIZE(cmds)], &a,
						    sizeof(a));
			}
			EXPECT_GT(0, got[OURS]);
			EXPECT_EQ(got[BPF], got[OURS])
				TH_LOG("command %u, key %d, flags %u", cmds[i % ARRAY_SIZE(cmds)],
				       key & 1, flags);
		}
		EXPECT_EQ(-ENOTSUPP, bm_lookup(fd[OURS], NULL, &buf));
		EXPECT_EQ(-ENOTSUPP, bm_update(fd[OURS], NULL, &buf, 0));
		EXPECT_EQ(-ENOTSUPP, bm_delete(fd[OURS], NULL));
		EXPECT_EQ(-ENOTSUPP, bm_next(fd[OURS], NULL, &buf));
		close(fd[BPF]);
		close(fd[OURS]);
	}
}

/* What mmap and then mprotect say: the errnos, and whether the whole mapping can be read. */
static int try_map(int fd, size_t len, int prot, int flags, off_t offset)
{
	unsigned char *p = mmap(NULL, len, prot, flags, fd, offset);
	int change[] = { PROT_READ | PROT_WRITE, PROT_EXEC, PROT_READ };
	int ret = 0, i;
	size_t at;

	if (p == MAP_FAILED)
		return -errno;
	for (i = 0; i < 3; i++)
		ret = 200 * ret + (mprotect(p, len, change[i]) ? errno : 0);
	for (at = 0; at < len; at += 512)
		ret += __atomic_load_n(p + at, __ATOMIC_RELAXED);
	munmap(p, len);
	return ret;
}

/* Returns how many could be made. */
static unsigned int compare_mappings(struct __test_metadata *_metadata, const int *fd)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE };
	unsigned int i, same = 0;

	/* The ring has 2 pages, so there are 6 to be mapped. */
	for (i = 0; i < 3 * 8 * 8 * 8; i++) {
		int kind = kinds[i % 3], prot = i / 3 % 8;
		off_t offset = i / 24 % 8 * PAGE;
		size_t len = (i / 192 + 1) * PAGE;
		int bpf = try_map(fd[BPF], len, prot, kind, offset);
		int ours = try_map(fd[OURS], len, prot, kind, offset);

		EXPECT_EQ(bpf, ours)
			TH_LOG("%zu bytes at %ld, prot %d, kind %d", len, offset, prot, kind);
		same += bpf >= 0;
	}
	return same;
}

static int read_only_fd(enum world w, int dev, int fd)
{
	struct bpfmaps_map_info info = { 0 };
	struct bpfmaps_info_attr i = {
		.bpf_fd = fd, .info_len = sizeof(info), .info = (unsigned long)&info,
	};
	struct bpfmaps_id_attr a = { .open_flags = BPFMAPS_F_RDONLY };
	int err = world_call(w, dev, BPFMAPS_OBJ_GET_INFO_BY_FD, &i, sizeof(i));

	a.map_id = info.id;
	return err ? err : world_call(w, dev, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

TEST_F(ringbuf, mappings)
{
	struct bpfmaps_elem_attr freeze = { 0 };
	unsigned int t, w;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	for (t = 0; t < 2; t++) {
		int fd[2], ro[2];

		for (w = BPF; w <= OURS; w++) {
			fd[w] = new_in(w, self->dev, both[t], 2 * PAGE);
			ASSERT_LE(0, fd[w]);
			ro[w] = read_only_fd(w, self->dev, fd[w]);
			ASSERT_LE(0, ro[w]);
		}
		EXPECT_LT(0, compare_mappings(_metadata, fd));
		/* Of these, not a single one. */
		EXPECT_EQ(0, compare_mappings(_metadata, ro));
		for (w = BPF; w <= OURS; w++) {
			freeze.map_fd = fd[w];
			EXPECT_EQ(0, world_call(w, self->dev, BPFMAPS_MAP_FREEZE, &freeze, 4));
		}
		EXPECT_LT(0, compare_mappings(_metadata, fd));
		for (w = BPF; w <= OURS; w++) {
			close(fd[w]);
			close(ro[w]);
		}
	}
}

/* The positions that user space may set can be set, and poll says what bpf(2)'s says. */
TEST_F(ringbuf, poll_as_bpf)
{
	static const unsigned long positions[] = {
		0, 1, 8, PAGE - 8, PAGE - 1, PAGE, PAGE + 1, PAGE + 8, 1UL << 31, 1UL << 63, -8UL,
		-1UL,
	};
	struct ring r[2];
	short seen[2];
	unsigned int t, w, i;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	for (t = 0; t < 2; t++) {
		for (w = BPF; w <= OURS; w++) {
			r[w].size = PAGE;
			r[w].fd = new_in(w, self->dev, both[t], PAGE);
			ASSERT_LE(0, r[w].fd);
			ASSERT_TRUE(ring_map(&r[w], both[t]));
		}
		for (i = 0; i < ARRAY_SIZE(positions); i++) {
			for (w = BPF; w <= OURS; w++) {
				struct pollfd p = { .fd = r[w].fd, .events = 0x7fff };

				pos_store(t ? r[w].producer : r[w].consumer, positions[i]);
				EXPECT_LE(0, poll(&p, 1, 0));
				seen[w] = p.revents;
			}
			EXPECT_EQ(seen[BPF], seen[OURS])
				TH_LOG("type %u, position %#lx", both[t], positions[i]);
		}
		for (w = BPF; w <= OURS; w++)
			ring_close(&r[w]);
	}
}

TEST_F(ringbuf, attr)
{
	int fd = bm_create(self->dev, BPFMAPS_TYPE_RINGBUF, 0, 0, PAGE, 0);
	int user = bm_create(self->dev, BPFMAPS_TYPE_USER_RINGBUF, 0, 0, PAGE, 0);
	int array = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	struct {
		struct bpfmaps_ringbuf_attr a;
		unsigned char tail[5000];
	} x = { .a = { .map_fd = fd, .size = 8, .data = (unsigned long)&x } };
	unsigned int cmd;

	for (cmd = BPFMAPS_RINGBUF_OUTPUT; cmd <= BPFMAPS_RINGBUF_DRAIN; cmd++) {
		x.a.map_fd = cmd == BPFMAPS_RINGBUF_OUTPUT ? fd : user;
		EXPECT_EQ(0, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		EXPECT_EQ(0, bm_call(self->dev, cmd, &x, 4096));
		EXPECT_EQ(0, bm_call(self->dev, cmd, &x, 16));	/* without flags */
		EXPECT_EQ(-E2BIG, bm_call(self->dev, cmd, &x, 4097));
		x.tail[0] = 1;
		EXPECT_EQ(-EINVAL, bm_call(self->dev, cmd, &x, sizeof(x.a) + 1));
		x.tail[0] = 0;
		x.tail[4000] = 1;
		EXPECT_EQ(-E2BIG, bm_call(self->dev, cmd, &x, 4096));
		x.tail[4000] = 0;
		x.a.flags = 4;
		EXPECT_EQ(-EINVAL, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		x.a.flags = 1ULL << 32;
		EXPECT_EQ(-EINVAL, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		x.a.flags = 0;
		x.a.map_fd = cmd == BPFMAPS_RINGBUF_OUTPUT ? user : fd;
		EXPECT_EQ(-ENOTSUPP, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		x.a.map_fd = array;
		EXPECT_EQ(-ENOTSUPP, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		x.a.map_fd = self->dev;
		EXPECT_EQ(-EINVAL, bm_call(self->dev, cmd, &x, sizeof(x.a)));
		x.a.map_fd = BPFMAPS_SELF;
		EXPECT_EQ(-EBADF, bm_call(self->dev, cmd, &x, sizeof(x.a)));
	}
	EXPECT_EQ(-EFAULT, bm_call(self->dev, BPFMAPS_RINGBUF_OUTPUT, NULL, sizeof(x.a)));
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_RINGBUF_DRAIN + 1, &x, sizeof(x.a)));
	close(array);
	close(user);
	close(fd);
}

/* Nothing of it shows: the producer position stays. */
TEST_F(ringbuf, output_refuses)
{
	static unsigned char big[2 * PAGE];
	struct ring r;
	int ro, fill;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
	ro = read_only_fd(OURS, self->dev, r.fd);
	ASSERT_LE(0, ro);
	EXPECT_EQ(-EPERM, rb_output(ro, big, 8, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, PAGE - 15, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, PAGE, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, 2 * PAGE, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, 1U << 30, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, -1U, 0));
	EXPECT_EQ(-E2BIG, rb_output(r.fd, big, -8U, 0));
	EXPECT_EQ(-EFAULT, rb_output(r.fd, (void *)1, 8, 0));
	EXPECT_EQ(-EFAULT, rb_output(r.fd, (void *)1, 1000, 0));
	EXPECT_EQ(-EFAULT, rb_output(r.fd, (void *)-8UL, 16, 0));
	EXPECT_EQ(0, pos_load(r.producer));
	EXPECT_EQ(0, rb_output(r.fd, NULL, 0, 0));
	EXPECT_EQ(8, pos_load(r.producer));
	pos_store(r.consumer, 8);
	EXPECT_EQ(0, rb_output(r.fd, big, PAGE - 16, 0));
	EXPECT_EQ(-EAGAIN, rb_output(r.fd, big, 0, 0));
	EXPECT_EQ(PAGE, pos_load(r.producer));
	pos_store(r.consumer, PAGE);
	for (fill = 0; !rb_output(r.fd, big, 1, 0); fill++)
		;
	EXPECT_EQ(PAGE / 16 - 1, fill);
	close(ro);
	ring_close(&r);
}

static void fill_record(unsigned char *data, __u32 size, __u32 seed)
{
	__u32 i;

	for (i = 0; i < size; i++)
		data[i] = next_random(&seed);
}

/* Records of all sizes over the end of the ring again and again, one at a time. */
TEST_F(ringbuf, wraps)
{
	static unsigned char want[2 * PAGE];
	unsigned long pos = 0;
	__u32 i, size, random = 1;
	unsigned int over = 0;
	struct ring r;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, 2 * PAGE));
	for (i = 0; i < scaled(3000); i++) {
		struct bpfmaps_ringbuf_hdr *hdr = ring_hdr(&r, pos);

		size = next_random(&random) % (i % 3 ? 300 : 2 * PAGE - 15);
		fill_record(want, size, i);
		ASSERT_EQ(0, rb_output(r.fd, want, size, 0));
		ASSERT_EQ(pos + record_bytes(size), pos_load(r.producer));
		ASSERT_EQ(size, hdr->len);
		ASSERT_EQ(2 + (pos & (r.size - 1)) / PAGE, hdr->pg_off);
		ASSERT_EQ(0, memcmp(hdr + 1, want, size));
		/* Where the header is not in the first copy of the data it is in the second. */
		ASSERT_EQ(0, memcmp(hdr, (char *)hdr + r.size, sizeof(*hdr)));
		over += (pos & (r.size - 1)) + record_bytes(size) > r.size;
		pos += record_bytes(size);
		pos_store(r.consumer, pos);
	}
	EXPECT_LT(0, over);
	ring_close(&r);
}

struct producer {
	pthread_t thread;
	int fd;
	__u32 id;
	__u32 count;
	__u32 failed;
};

struct message {
	__u32 id;
	__u32 seq;
	unsigned char data[600];
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct message m = { .id = p->id };
	__u32 size, random = p->id;
	int err;

	while (m.seq < p->count) {
		size = next_random(&random) % sizeof(m.data);
		fill_record(m.data, size, m.id * 100003 + m.seq);
		do {
			err = rb_output(p->fd, &m, 8 + size, 0);
			if (err == -EAGAIN)
				sched_yield();
		} while (err == -EAGAIN);
		p->failed += err != 0;
		m.seq++;
	}
	return NULL;
}

#define PRODUCERS	3
#define MESSAGES	scaled(1500)

/* One record of each producer after the other arrives, whole, and nobody sleeps for ever. */
TEST_F(ringbuf, producers_and_epoll)
{
	struct producer p[PRODUCERS];
	__u32 i, len, next[PRODUCERS] = { 0 }, received = 0, wrong = 0;
	struct epoll_event ev = { .events = EPOLLIN };
	struct message want, *m;
	unsigned long pos = 0;
	struct ring r;
	int ep = epoll_create1(0);

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, 2 * PAGE));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &ev));
	for (i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer) { .fd = r.fd, .id = i, .count = MESSAGES };
		pthread_create(&p[i].thread, NULL, produce, &p[i]);
	}
	while (received < PRODUCERS * MESSAGES) {
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, 20000));
		while (pos < pos_load(r.producer)) {
			len = __atomic_load_n(&ring_hdr(&r, pos)->len, __ATOMIC_ACQUIRE);
			if (len & BPFMAPS_RINGBUF_BUSY_BIT)
				break;
			m = (void *)(ring_hdr(&r, pos) + 1);
			ASSERT_GT(PRODUCERS, m->id);
			fill_record(want.data, len - 8, m->id * 100003 + m->seq);
			wrong += m->seq != next[m->id]++;
			wrong += memcmp(m->data, want.data, len - 8) != 0;
			received++;
			pos += record_bytes(len);
			pos_store(r.consumer, pos);
		}
	}
	for (i = 0; i < PRODUCERS; i++) {
		pthread_join(p[i].thread, NULL);
		EXPECT_EQ(0, p[i].failed);
	}
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	printf("# %u records of %u producers\n", received, PRODUCERS);
	fflush(stdout);
	close(ep);
	ring_close(&r);
}

/* With edge-triggered events, only what wakes up is seen. */
TEST_F(ringbuf, wake_ups)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct ring r;
	int ep = epoll_create1(0);

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	EXPECT_EQ(0, rb_output(r.fd, "1", 1, BPFMAPS_RB_NO_WAKEUP));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	/* The consumer did not get as far as this one. */
	EXPECT_EQ(0, rb_output(r.fd, "2", 1, 0));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	EXPECT_EQ(0, rb_output(r.fd, "3", 1, BPFMAPS_RB_FORCE_WAKEUP));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 10000));
	EXPECT_EQ(0, rb_output(r.fd, "4", 1, BPFMAPS_RB_FORCE_WAKEUP | BPFMAPS_RB_NO_WAKEUP));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 10000));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 200));
	pos_store(r.consumer, pos_load(r.producer));
	EXPECT_EQ(0, rb_output(r.fd, "5", 1, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, 10000));
	EXPECT_EQ(EPOLLIN, ev.events);
	close(ep);
	ring_close(&r);
}

/* After whatever happened: does the ring work if the consumer goes on where the producer is? */
static bool works(struct ring *r)
{
	unsigned long pos = pos_load(r->producer);
	unsigned char want[100];
	int i;

	pos_store(r->consumer, pos);
	for (i = 0; i < 100; i++) {
		fill_record(want, sizeof(want), i);
		if (rb_output(r->fd, want, sizeof(want), 0) ||
		    ring_hdr(r, pos)->len != sizeof(want) ||
		    memcmp(ring_hdr(r, pos) + 1, want, sizeof(want)))
			return false;
		pos += record_bytes(sizeof(want));
		pos_store(r->consumer, pos);
	}
	return pos == pos_load(r->producer);
}

/* Offsets to the producer position, and positions, that no honest consumer has. */
TEST_F(ringbuf, hostile_consumer)
{
	static const unsigned long positions[] = {
		0, 1, 7, 8, PAGE - 1, PAGE, PAGE + 1, -1UL, -7UL, -8UL, -PAGE, -PAGE - 1,
		1UL << 31, 1UL << 32, 1UL << 63, (1UL << 63) - 1,
	};
	static unsigned char data[PAGE];
	unsigned int i, j, accepted = 0, refused = 0;
	__u32 random = 1;
	struct ring r;
	int err;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
	for (i = 0; i < 2 * ARRAY_SIZE(positions); i++) {
		for (j = 0; j < scaled(300); j++) {
			pos_store(r.consumer, positions[i / 2] +
				  (i % 2 ? pos_load(r.producer) : 0));
			err = rb_output(r.fd, data, next_random(&random) % (PAGE - 16), 0);
			EXPECT_TRUE(!err || err == -EAGAIN);
			accepted += !err;
			refused += err == -EAGAIN;
		}
		EXPECT_EQ(0, pos_load(r.producer) % 8);
		EXPECT_TRUE(works(&r))
			TH_LOG("after position %#lx", positions[i / 2]);
	}
	EXPECT_LT(0, accepted);
	EXPECT_LT(0, refused);
	ring_close(&r);
}

struct vandal {
	unsigned long *pos;
	bool done;
};

static void *write_positions(void *arg)
{
	struct vandal *v = arg;
	__u32 random = 1;

	while (!__atomic_load_n(&v->done, __ATOMIC_ACQUIRE)) {
		unsigned long value = next_random(&random);

		if (value % 3 == 0)
			value = value % (2 * PAGE) & ~7UL;
		else if (value % 3 == 1)
			value = -value;
		pos_store(v->pos, value);
	}
	return NULL;
}

TEST_F(ringbuf, consumer_goes_wild)
{
	static unsigned char data[PAGE];
	__u32 i, random = 1;
	pthread_t thread;
	struct vandal v;
	struct ring r;
	int err;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
	v = (struct vandal) { .pos = r.consumer };
	pthread_create(&thread, NULL, write_positions, &v);
	for (i = 0; i < scaled(20000); i++) {
		err = rb_output(r.fd, data, next_random(&random) % 512, 0);
		EXPECT_TRUE(!err || err == -EAGAIN);
	}
	__atomic_store_n(&v.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_TRUE(works(&r));
	ring_close(&r);
}

TEST_F(ringbuf, freeze)
{
	struct ring r;

	ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, PAGE));
	EXPECT_EQ(0, rb_output(r.fd, "abc", 3, 0));
	EXPECT_EQ(-EBUSY, bm_freeze(r.fd));
	munmap(r.consumer, PAGE);
	EXPECT_EQ(0, bm_freeze(r.fd));
	EXPECT_EQ(-EPERM, rb_output(r.fd, "abc", 3, 0));
	EXPECT_EQ(16, pos_load(r.producer));
	EXPECT_EQ(3, ring_hdr(&r, 0)->len);
	munmap(r.producer, PAGE + 2 * r.size);
	close(r.fd);
}

/* Pages, and pointers to them; the map's own struct is small. */
TEST_F(ringbuf, memlock)
{
	int small = bm_create(self->dev, BPFMAPS_TYPE_RINGBUF, 0, 0, PAGE, 0);
	int large = bm_create(self->dev, BPFMAPS_TYPE_USER_RINGBUF, 0, 0, 1 << 20, 0);
	long long memlock = bm_fdinfo(small, "memlock");

	EXPECT_LE((long long)(3 * PAGE + 4 * 8), memlock);
	EXPECT_GT((long long)(4 * PAGE), memlock);
	EXPECT_EQ(memlock + 255 * (long long)(PAGE + 16), bm_fdinfo(large, "memlock"));
	close(small);
	close(large);
}

/* A mapping outlives its descriptor, and a new ring starts without what was in an old one. */
TEST_F(ringbuf, mapping_keeps_it)
{
	static unsigned char data[1000];
	unsigned long i;
	struct ring r;
	int round;

	for (round = 0; round < 10; round++) {
		ASSERT_TRUE(ring_new(&r, self->dev, BPFMAPS_TYPE_RINGBUF, 16 * PAGE));
		for (i = 0; i < 2 * r.size; i++)
			ASSERT_EQ(0, r.data[i]);
		memset(data, 0xee, sizeof(data));
		while (!rb_output(r.fd, data, sizeof(data), 0))
			;
		close(r.fd);
		EXPECT_EQ(65, pos_load(r.producer) / record_bytes(sizeof(data)));
		EXPECT_EQ(sizeof(data), ring_hdr(&r, 0)->len);
		ring_unmap(&r);
	}
}

TEST_HARNESS_MAIN
