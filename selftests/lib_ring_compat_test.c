// SPDX-License-Identifier: GPL-2.0-only
/*
 * libbpfmaps, compiled for 32 bits: positions of ring buffers beyond 32 bits
 *
 * Records that are discarded are not copied, so the ring goes round four gigabytes in no time.
 */
#include <kselftest_harness.h>

/* The library has its own. */
#undef ARRAY_SIZE
#include "libbpfmaps.c"
#include "ring.c"

#define SIZE	(16U << 20)
#define HALF	(SIZE / 2 - 8)

/* How many records of half of the ring go beyond @bytes. */
static unsigned int records_for(uint64_t bytes)
{
	return bytes / (SIZE / 2) + 3;
}

TEST(in_beyond_4_gigabytes)
{
	unsigned int nr = records_for(1ULL << 32);
	struct bpfmaps_ring *ring;
	uint64_t buf[4];
	size_t at = 0;
	void *record;
	__u32 size;
	int fd;

	ASSERT_EQ(sizeof(long), 4);
	fd = bpfmaps_map_create(BPFMAPS_TYPE_USER_RINGBUF, NULL, 0, 0, SIZE, NULL);
	ring = bpfmaps_ring_open(fd);
	ASSERT_NE(ring, NULL);
	for (unsigned int i = 0; i < nr; i++) {
		record = bpfmaps_ring_reserve(ring, HALF);
		ASSERT_NE(record, NULL) TH_LOG("record %u: errno %d", i, errno);
		bpfmaps_ring_discard(ring, record);
		ASSERT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 0);
	}
	ASSERT_GT(ring->pos, 1ULL << 32);
	EXPECT_EQ(*ring->consumer, ring->pos);

	/* Another one goes on there. */
	bpfmaps_ring_close(ring);
	ring = bpfmaps_ring_open(fd);
	ASSERT_NE(ring, NULL);
	record = bpfmaps_ring_reserve(ring, 5);
	ASSERT_NE(record, NULL);
	memcpy(record, "hello", 5);
	bpfmaps_ring_submit(ring, record);
	ASSERT_EQ(bpfmaps_user_ringbuf_drain(fd, buf, sizeof(buf), 0), 16);
	ASSERT_EQ(memcmp(bpfmaps_ringbuf_next(buf, 16, &at, &size), "hello", 5), 0);
	bpfmaps_ring_close(ring);
}

/*
 * As the kernel would write it: two records around position 2^32, of which the second begins there.
 * @mask is what the kernel knows of a position.
 */
static void read_around_4_gigabytes(struct __test_metadata *_metadata, uint64_t mask)
{
	uint64_t consumer = (1ULL << 32) - 16, producer = ((1ULL << 32) + 16) & mask;
	static uint64_t data[2 * 512];
	struct bpfmaps_ring ring = {
		.size = 4096,
		.consumer = &consumer,
		.producer = &producer,
		.data = (void *)data,
		.pos = consumer,
	};
	size_t size;

	data[512 - 2] = 3;
	data[512] = 8;
	data[0] = 8;
	ASSERT_NE(bpfmaps_ring_peek(&ring, &size), NULL) TH_LOG("errno %d", errno);
	EXPECT_EQ(size, 3);
	bpfmaps_ring_release(&ring);
	EXPECT_EQ(consumer & mask, (1ULL << 32) & mask);
	ASSERT_EQ(bpfmaps_ring_peek(&ring, &size), &data[1]);
	EXPECT_EQ(size, 8);
	bpfmaps_ring_release(&ring);
	EXPECT_EQ(consumer & mask, producer);
	EXPECT_EQ(bpfmaps_ring_peek(&ring, &size), NULL);
	EXPECT_EQ(errno, EAGAIN);
}

TEST(out_around_4_gigabytes_of_a_64_bit_kernel)
{
	read_around_4_gigabytes(_metadata, UINT64_MAX);
}

TEST(out_around_4_gigabytes_of_a_32_bit_kernel)
{
	read_around_4_gigabytes(_metadata, UINT32_MAX);
}

TEST(out)
{
	struct bpfmaps_ring *ring;
	const void *record;
	size_t size;
	int fd;

	fd = bpfmaps_map_create(BPFMAPS_TYPE_RINGBUF, NULL, 0, 0, 4096, NULL);
	ring = bpfmaps_ring_open(fd);
	ASSERT_NE(ring, NULL);
	for (unsigned int i = 0; i < 1000; i++) {
		ASSERT_EQ(bpfmaps_ringbuf_output(fd, &i, sizeof(i), 0), 0);
		record = bpfmaps_ring_peek(ring, &size);
		ASSERT_NE(record, NULL);
		ASSERT_EQ(size, sizeof(i));
		ASSERT_EQ(memcmp(record, &i, sizeof(i)), 0);
		bpfmaps_ring_release(ring);
	}
	EXPECT_EQ(*ring->producer, 16000);
	EXPECT_EQ(*ring->consumer, 16000);
	bpfmaps_ring_close(ring);
}

TEST(too_large_to_map)
{
	struct bpfmaps_ring ring = { .page = 4096, .size = 1U << 31 };

	EXPECT_EQ(ring_map(&ring), -1);
	EXPECT_EQ(errno, ENOMEM);
}

TEST_HARNESS_MAIN
