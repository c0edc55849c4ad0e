// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERCPU_ARRAY with BPFMAPS_F_MMAPABLE: the values of each CPU in pages of their own, which bpf(2)
 * does not have
 */
#include <pthread.h>
#include <stdint.h>

#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define MAX	1000
#define CPUS	256

FIXTURE(mapped) {
	int dev;
	int map;
	unsigned int cpus;
	size_t page;
	size_t cpu_bytes;
	size_t size;
	char *area;
};

static void *map_it(int map, size_t size, int prot, off_t offset)
{
	void *area = mmap(NULL, size, prot, MAP_SHARED, map, offset);

	return area == MAP_FAILED ? NULL : area;
}

static int map_errno(int map, size_t size, int prot, int flags, off_t offset)
{
	void *area = mmap(NULL, size, prot, flags, map, offset);

	if (area == MAP_FAILED)
		return -errno;
	munmap(area, size);
	return 0;
}

FIXTURE_SETUP(mapped)
{
	self->dev = bm_open();
	self->map = bm_create(self->dev, BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, MAX, BPFMAPS_F_MMAPABLE);
	ASSERT_LE(0, self->map);
	self->cpus = bm_possible_cpus();
	ASSERT_GE(CPUS, self->cpus);
	self->page = sysconf(_SC_PAGESIZE);
	self->cpu_bytes = (MAX * 8 + self->page - 1) / self->page * self->page;
	self->size = self->cpus * self->cpu_bytes;
	self->area = map_it(self->map, self->size, PROT_READ | PROT_WRITE, 0);
	ASSERT_NE(NULL, self->area);
}

FIXTURE_TEARDOWN(mapped)
{
	if (self->area)
		munmap(self->area, self->size);
	close(self->map);
	close(self->dev);
}

#define WORD(self, cpu, index) \
	(*(volatile uint64_t *)((self)->area + (cpu) * (self)->cpu_bytes + (index) * 8))

TEST_F(mapped, starts_zeroed)
{
	size_t i, other = 0;

	for (i = 0; i < self->size; i++)
		other += self->area[i] != 0;
	printf("# %zu bytes mapped for %u CPUs, %zu not zero\n", self->size, self->cpus, other);
	EXPECT_EQ(0, other);
}

TEST_F(mapped, shows_what_was_set)
{
	uint64_t values[CPUS], one = 77;
	uint32_t key, cpu, wrong = 0;

	for (key = 0; key < MAX; key++) {
		for (cpu = 0; cpu < self->cpus; cpu++)
			values[cpu] = key * 1000 + cpu;
		ASSERT_EQ(0, bm_update(self->map, &key, values, BPFMAPS_ANY));
	}
	for (key = 0; key < MAX; key++)
		for (cpu = 0; cpu < self->cpus; cpu++)
			wrong += WORD(self, cpu, key) != key * 1000 + cpu;
	EXPECT_EQ(0, wrong);
	key = 999;
	cpu = self->cpus - 1;
	EXPECT_EQ(0, bm_update(self->map, &key, &one, (uint64_t)cpu << 32 | BPFMAPS_F_CPU));
	EXPECT_EQ(77, WORD(self, cpu, key));
	EXPECT_EQ(0, bm_update(self->map, &key, &one, BPFMAPS_F_ALL_CPUS));
	EXPECT_EQ(77, WORD(self, 0, key));
	key = MAX;
	EXPECT_EQ(-E2BIG, bm_update(self->map, &key, values, BPFMAPS_ANY));
	EXPECT_EQ(-ENOENT, bm_lookup(self->map, &key, values));
}

TEST_F(mapped, sets_what_is_looked_up)
{
	uint64_t values[CPUS];
	uint32_t key, cpu, wrong = 0;

	for (key = 0; key < MAX; key++)
		for (cpu = 0; cpu < self->cpus; cpu++)
			WORD(self, cpu, key) = ~0ULL << 32 | (key << 8) | cpu;
	for (key = 0; key < MAX; key++) {
		ASSERT_EQ(0, bm_lookup(self->map, &key, values));
		for (cpu = 0; cpu < self->cpus; cpu++)
			wrong += values[cpu] != (~0ULL << 32 | (key << 8) | cpu);
	}
	printf("# %u of %u values differ\n", wrong, MAX * self->cpus);
	EXPECT_EQ(0, wrong);
}

TEST_F(mapped, refuses)
{
	const int both = PROT_READ | PROT_WRITE;
	int plain = bm_create(self->dev, BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, MAX, 0), private;
	const off_t end = self->size;

	ASSERT_LE(0, plain);
	private = map_errno(self->map, self->page, PROT_READ, MAP_PRIVATE, 0);
	EXPECT_EQ(-EINVAL, private);
	EXPECT_EQ(-EINVAL, map_errno(self->map, end + self->page, both, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, map_errno(self->map, self->page, both, MAP_SHARED, end));
	EXPECT_EQ(0, map_errno(self->map, self->page, both, MAP_SHARED, end - self->page));
	/* As bpf(2), whatever else is wrong. */
	EXPECT_EQ(-ENOTSUPP, map_errno(plain, self->page, both, MAP_SHARED, 0));
	EXPECT_EQ(-ENOTSUPP, map_errno(plain, self->page, both, MAP_PRIVATE, 0));
	EXPECT_EQ(0, bm_freeze(plain));
	EXPECT_EQ(-ENOTSUPP, map_errno(plain, self->page, both, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 1,
				     BPFMAPS_F_MMAPABLE));
	close(plain);
}

TEST_F(mapped, freezes)
{
	EXPECT_EQ(-EBUSY, bm_freeze(self->map));
	munmap(self->area, self->size);
	EXPECT_EQ(0, bm_freeze(self->map));
	self->area = map_it(self->map, self->size, PROT_READ, 0);
	ASSERT_NE(NULL, self->area);
	EXPECT_EQ(0, WORD(self, 0, 0));
	EXPECT_EQ(-EPERM, map_errno(self->map, self->page, PROT_WRITE, MAP_SHARED, 0));
}

TEST_F(mapped, memory_is_told)
{
	long long told = bm_fdinfo(self->map, "memlock");

	printf("# %lld bytes told, %zu mapped\n", told, self->size);
	EXPECT_LE((long long)self->size, told);
	/* The locks with their counts, which are large on a kernel that checks them. */
	EXPECT_GT((long long)self->size + 256 * 256, told);
}

struct writer {
	int map;
	uint32_t rounds;
	uint32_t done;
};

static void *set_all(void *arg)
{
	struct writer *w = arg;
	uint64_t value;
	uint32_t i, key = 5;

	for (i = 1; i <= w->rounds; i++) {
		value = i * 0x100000001ULL;
		if (bm_update(w->map, &key, &value, BPFMAPS_F_ALL_CPUS))
			break;
	}
	__atomic_store_n(&w->done, i, __ATOMIC_RELEASE);
	return NULL;
}

/* Who reads from the mapping sees whole words, which only go up. */
TEST_F(mapped, words_are_whole)
{
	struct writer w = { .map = self->map, .rounds = scaled(50000) };
	uint64_t value, last = 0;
	uint32_t wrong = 0, back = 0, seen = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, set_all, &w);
	do {
		value = WORD(self, self->cpus - 1, 5);
		wrong += value >> 32 != (value & 0xffffffff);
		back += value < last;
		seen += value != last;
		last = value;
	} while (!__atomic_load_n(&w.done, __ATOMIC_ACQUIRE));
	pthread_join(thread, NULL);
	printf("# %u updates, %u of them seen, %u torn, %u older\n", w.rounds, seen, wrong, back);
	EXPECT_EQ(w.rounds + 1, w.done);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, back);
}

TEST_HARNESS_MAIN
