// SPDX-License-Identifier: GPL-2.0-only
/* Array maps: what cannot be compared with bpf(2), because it is about many at a time. */
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"
#include "torn.h"

FIXTURE(array) {
	int dev;
};

FIXTURE_VARIANT(array) {
	__u32 flags;
};

FIXTURE_VARIANT_ADD(array, plain) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(array, mmapable) {
	.flags = BPFMAPS_F_MMAPABLE,
};

FIXTURE_SETUP(array)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(array)
{
	close(self->dev);
}

static int new_array(int dev, __u32 value_size, __u32 max, __u32 flags)
{
	return bm_create(dev, BPFMAPS_TYPE_ARRAY, 4, value_size, max, flags);
}

TEST_F(array, refuses)
{
	int map = new_array(self->dev, 8, 4, variant->flags);
	__u32 key = 4, flags = variant->flags;
	__u64 value = 1;

	ASSERT_LE(0, map);
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 8, 8, 4, flags));
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 0, 4, flags));
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 0, flags));
	EXPECT_EQ(-EINVAL, new_array(self->dev, 8, 4, flags | BPFMAPS_F_NO_PREALLOC));
	EXPECT_EQ(-EINVAL, new_array(self->dev, 8, 4, flags | BPFMAPS_F_ZERO_SEED));
	EXPECT_EQ(-E2BIG, new_array(self->dev, 0x80000000, 1, flags));
	EXPECT_EQ(-ENOMEM, new_array(self->dev, 0x7fffffff, 0xffffffff, flags));
	EXPECT_EQ(-ENOENT, bm_lookup(map, &key, &value));
	EXPECT_EQ(-E2BIG, bm_update(map, &key, &value, BPFMAPS_ANY));
	EXPECT_EQ(-EINVAL, bm_delete(map, &key));
	key = 0;
	EXPECT_EQ(-EEXIST, bm_update(map, &key, &value, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EINVAL, bm_delete(map, &key));
	if (!variant->flags) {
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 32, PROT_READ, MAP_SHARED, map, 0));
		EXPECT_EQ(EINVAL, errno);
	}
	close(map);
}

TEST_F(array, values_are_whole)
{
	static const uint32_t sizes[] = {
		2, 3, 4, 5, 7, 8, 12, 64, 256, 1000, 4096, 5000, 70000
	};
	struct torn t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		t = (struct torn) { .value_size = sizes[i] };
		t.map = new_array(self->dev, t.value_size, TORN_KEYS, variant->flags);
		ASSERT_LE(0, t.map);
		torn_run(&t);
		EXPECT_EQ(0, t.torn);
		EXPECT_EQ(0, t.failed)
			TH_LOG("error %d", t.last_error);
		EXPECT_LT(0, t.lookups);
		close(t.map);
	}
}

#define NEIGHBOURS	4

struct owner {
	int map;
	uint32_t key;
	uint32_t value_size;
	uint32_t rounds;
	uint32_t wrong;
};

/* The only one to write to its element reads back what it wrote. */
static void *own(void *arg)
{
	struct owner *o = arg;
	unsigned char *value = malloc(o->value_size), *seen = malloc(o->value_size);
	uint32_t i;

	for (i = 0; i < o->rounds; i++) {
		torn_fill(value, o->value_size, o->key, i);
		o->wrong += bm_update(o->map, &o->key, value, BPFMAPS_EXIST) != 0;
		o->wrong += bm_lookup(o->map, &o->key, seen) != 0;
		o->wrong += memcmp(value, seen, o->value_size) != 0;
	}
	free(value);
	free(seen);
	return NULL;
}

TEST_F(array, neighbours_are_apart)
{
	static const uint32_t sizes[] = { 1, 3, 5, 8, 12, 100, 1000, 5000 };
	const uint32_t rounds = scaled(700);
	pthread_t threads[NEIGHBOURS];
	struct owner o[NEIGHBOURS];
	uint32_t i, j;
	int map;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		map = new_array(self->dev, sizes[i], NEIGHBOURS, variant->flags);
		ASSERT_LE(0, map);
		for (j = 0; j < NEIGHBOURS; j++) {
			o[j] = (struct owner) {
				.map = map, .key = j, .value_size = sizes[i], .rounds = rounds,
			};
			pthread_create(&threads[j], NULL, own, &o[j]);
		}
		for (j = 0; j < NEIGHBOURS; j++) {
			pthread_join(threads[j], NULL);
			EXPECT_EQ(0, o[j].wrong);
		}
		close(map);
	}
	printf("# %zu sizes, %d threads of %u rounds each\n", ARRAY_SIZE(sizes), NEIGHBOURS,
	       rounds);
	fflush(stdout);
}

TEST_F(array, starts_as_zeros)
{
	static const uint32_t sizes[] = { 1, 7, 8, 100, 5000 };
	unsigned char value[5000], zeros[5000] = "";
	uint32_t i, key;
	int map, round;

	/* The second round gets the memory that the first one has written to. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			map = new_array(self->dev, sizes[i], 20, variant->flags);
			ASSERT_LE(0, map);
			for (key = 0; key < 20; key++) {
				memset(value, 0xff, sizeof(value));
				EXPECT_EQ(0, bm_lookup(map, &key, value));
				EXPECT_EQ(0, memcmp(value, zeros, sizes[i]));
				memset(value, 0xee, sizeof(value));
				EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
			}
			close(map);
		}
	}
}

/* Words whose halves are only set together, by one store each, through a mapping. */
struct mapped {
	uint64_t *values;
	uint32_t rounds;
	bool done;
};

#define MAPPED_MAX	512

static void *count_up(void *arg)
{
	struct mapped *m = arg;
	uint32_t i, key;

	for (i = 1; i <= m->rounds; i++) {
		for (key = 0; key < MAPPED_MAX; key += 64)
			__atomic_store_n(&m->values[key], i * 0x100000001ULL, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&m->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Look-ups take part word by word with who writes to the mapping. */
TEST(mapping_and_lookup)
{
	int dev = bm_open(), map = new_array(dev, 8, MAPPED_MAX, BPFMAPS_F_MMAPABLE);
	struct mapped m = { .rounds = 200000 };
	uint64_t value, last[MAPPED_MAX] = { 0 };
	unsigned int wrong = 0, back = 0;
	pthread_t thread;
	uint32_t key;
	bool done;

	ASSERT_LE(0, map);
	m.values = mmap(NULL, MAPPED_MAX * 8, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	ASSERT_NE(MAP_FAILED, m.values);
	pthread_create(&thread, NULL, count_up, &m);
	do {
		done = __atomic_load_n(&m.done, __ATOMIC_ACQUIRE);
		for (key = 0; key < MAPPED_MAX; key += 64) {
			EXPECT_EQ(0, bm_lookup(map, &key, &value));
			wrong += value >> 32 != (value & 0xffffffff);
			back += value < last[key];
			last[key] = value;
		}
	} while (!done);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, back);
	for (key = 0; key < MAPPED_MAX; key += 64)
		EXPECT_EQ(m.rounds * 0x100000001ULL, last[key]);
	munmap(m.values, MAPPED_MAX * 8);
	close(map);
	close(dev);
}

/* All bytes of a value are the same, and others the next time. */
static void *update_all(void *arg)
{
	struct owner *o = arg;
	unsigned char value[8];
	uint32_t i;

	for (i = 1; i <= o->rounds; i++) {
		memset(value, i, sizeof(value));
		o->wrong += bm_update(o->map, &o->key, value, BPFMAPS_ANY) != 0;
	}
	__atomic_store_n(&o->rounds, 0, __ATOMIC_RELEASE);
	return NULL;
}

/* How often one load of @size bytes met bytes of two updates, until the writer is done. */
static unsigned int watch(struct owner *o, const uint64_t *word)
{
	uint64_t value, mask = o->value_size < 8 ? (1ULL << 8 * o->value_size) - 1 : ~0ULL;
	unsigned int torn = 0;

	do {
		value = __atomic_load_n(word, __ATOMIC_RELAXED) & mask;
		torn += value != ((value & 0xff) * 0x0101010101010101ULL & mask);
	} while (__atomic_load_n(&o->rounds, __ATOMIC_ACQUIRE));
	return torn;
}

/* Who reads from the mapping sees each update of a word of the machine as a whole. */
TEST(update_and_mapping)
{
	static const uint32_t sizes[] = { 2, 4, 8 };
	const uint32_t watched = scaled(60000);
	int dev = bm_open();
	pthread_t thread;
	struct owner o;
	uint64_t *values;
	size_t i;

	ASSERT_LE(0, dev);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		o = (struct owner) { .key = 100, .value_size = sizes[i], .rounds = watched };
		o.map = new_array(dev, sizes[i], MAPPED_MAX, BPFMAPS_F_MMAPABLE);
		ASSERT_LE(0, o.map);
		values = mmap(NULL, MAPPED_MAX * 8, PROT_READ, MAP_SHARED, o.map, 0);
		ASSERT_NE(MAP_FAILED, values);
		pthread_create(&thread, NULL, update_all, &o);
		EXPECT_EQ(0, watch(&o, &values[o.key]))
			TH_LOG("values of %u bytes", sizes[i]);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, o.wrong);
		EXPECT_EQ(watched & 0xff, values[o.key] & 0xff);
		munmap(values, MAPPED_MAX * 8);
		close(o.map);
	}
	close(dev);
}

TEST_HARNESS_MAIN
