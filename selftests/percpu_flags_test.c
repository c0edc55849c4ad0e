// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS: the value of one CPU, and one value for all of them, in the
 * types that have a value for each CPU. 6.1 does not know these flags, so nothing is compared with
 * bpf(2) here.
 */
#include <pthread.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define MAX_CPUS	256
#define VALUE		5	/* not a multiple of 8, so that there is padding */
#define STRIDE		8
#define ELEMS		4

static unsigned int cpus;

static __u64 on_cpu(__u64 cpu)
{
	return cpu << 32 | BPFMAPS_F_CPU;
}

FIXTURE(flags) {
	int dev;
	int map;
	unsigned char all[MAX_CPUS * STRIDE];
	unsigned char one[VALUE + 3];
};

FIXTURE_VARIANT(flags) {
	__u32 type;
	__u32 value;
};

#define VARIANT(name, number, size) \
	FIXTURE_VARIANT_ADD(flags, name) { .type = number, .value = size }
VARIANT(percpu_hash, BPFMAPS_TYPE_PERCPU_HASH, VALUE);
VARIANT(lru_percpu_hash, BPFMAPS_TYPE_LRU_PERCPU_HASH, VALUE);
VARIANT(percpu_array, BPFMAPS_TYPE_PERCPU_ARRAY, VALUE);

FIXTURE_SETUP(flags)
{
	cpus = bm_possible_cpus();
	ASSERT_GE(MAX_CPUS, cpus);
	self->dev = bm_open();
	self->map = bm_create(self->dev, variant->type, 4, variant->value, ELEMS, 0);
	ASSERT_LE(0, self->map);
	memset(self->all, 0x11, sizeof(self->all));
	memset(self->one, 0x22, sizeof(self->one));
}

FIXTURE_TEARDOWN(flags)
{
	close(self->map);
	close(self->dev);
}

static int look(int map, __u32 key, void *value, __u64 flags)
{
	return bm_elem(map, BPFMAPS_MAP_LOOKUP_ELEM, &key, value, flags);
}

static int set(int map, __u32 key, const void *value, __u64 flags)
{
	return bm_update(map, &key, value, flags);
}

static bool is_filled(const unsigned char *p, size_t size, unsigned char byte)
{
	while (size && *p == byte) {
		p++;
		size--;
	}
	return !size;
}

/* One CPU's value is set, and read, without the others'. */
TEST_F(flags, one_cpu)
{
	unsigned char out[VALUE + 3];
	unsigned int cpu, i;

	ASSERT_EQ(0, set(self->map, 1, self->all, BPFMAPS_ANY));
	for (cpu = 0; cpu < cpus; cpu++) {
		memset(self->one, 0x40 + cpu, VALUE);
		EXPECT_EQ(0, set(self->map, 1, self->one, on_cpu(cpu) | BPFMAPS_EXIST));
		EXPECT_EQ(0, look(self->map, 1, self->all, 0));
		for (i = 0; i < cpus; i++)
			EXPECT_TRUE(is_filled(self->all + i * STRIDE, VALUE,
					      i <= cpu ? 0x40 + i : 0x11));
	}
	for (cpu = 0; cpu < cpus; cpu++) {
		memset(out, 0x77, sizeof(out));
		EXPECT_EQ(0, look(self->map, 1, out, on_cpu(cpu)));
		EXPECT_TRUE(is_filled(out, VALUE, 0x40 + cpu));
		/* Only value_size bytes are written. */
		EXPECT_TRUE(is_filled(out + VALUE, 3, 0x77));
	}
	printf("# %u CPUs\n", cpus);
}

/* A new element is zero on the other CPUs, also where the memory was another element's before. */
TEST_F(flags, new_element)
{
	unsigned int round, i;
	__u32 key = 2;

	for (round = 0; round < 3 * ELEMS; round++) {
		memset(self->all, 0xee, sizeof(self->all));
		set(self->map, key, self->all, BPFMAPS_ANY);
		if (bm_delete(self->map, &key))
			break;
		EXPECT_EQ(0, set(self->map, key, self->one, on_cpu(0) | BPFMAPS_NOEXIST));
		EXPECT_EQ(0, look(self->map, key, self->all, 0));
		EXPECT_TRUE(is_filled(self->all, VALUE, 0x22));
		for (i = 1; i < cpus; i++)
			EXPECT_TRUE(is_filled(self->all + i * STRIDE, STRIDE, 0));
		EXPECT_TRUE(is_filled(self->all + VALUE, STRIDE - VALUE, 0));
		EXPECT_EQ(0, bm_delete(self->map, &key));
	}
	/* The elements of an array are there from the start. */
	EXPECT_EQ(variant->type == BPFMAPS_TYPE_PERCPU_ARRAY ? 0 : 3 * ELEMS, round);
}

TEST_F(flags, all_cpus)
{
	unsigned int i;

	EXPECT_EQ(0, set(self->map, 0, self->one, BPFMAPS_F_ALL_CPUS));
	EXPECT_EQ(0, set(self->map, 0, self->one, BPFMAPS_F_ALL_CPUS | BPFMAPS_EXIST));
	EXPECT_EQ(-EEXIST, set(self->map, 0, self->one, BPFMAPS_F_ALL_CPUS | BPFMAPS_NOEXIST));
	EXPECT_EQ(0, look(self->map, 0, self->all, 0));
	for (i = 0; i < cpus; i++)
		EXPECT_TRUE(is_filled(self->all + i * STRIDE, VALUE, 0x22));
}

/* Each refused call leaves the map as it was. */
TEST_F(flags, refused)
{
	static const struct {
		__u64 flags;
		int lookup;
		int update;
	} cases[] = {
		{ BPFMAPS_F_CPU | BPFMAPS_F_ALL_CPUS, -EINVAL, -EINVAL },
		{ BPFMAPS_F_ALL_CPUS, -EINVAL, 0 },
		{ 1ULL << 32, -EINVAL, -EINVAL },
		{ 1ULL << 32 | BPFMAPS_F_ALL_CPUS, -EINVAL, -EINVAL },
		{ 1ULL << 63 | BPFMAPS_F_CPU, -ERANGE, -ERANGE },
		{ (__u64)UINT32_MAX << 32 | BPFMAPS_F_CPU, -ERANGE, -ERANGE },
		{ BPFMAPS_F_CPU | BPFMAPS_F_LOCK, -EINVAL, -EINVAL },
		{ BPFMAPS_F_CPU | BPFMAPS_NOEXIST | BPFMAPS_EXIST, -EINVAL, -EINVAL },
		{ BPFMAPS_F_CPU | 32, -EINVAL, -EINVAL },
	};
	unsigned char before[MAX_CPUS * STRIDE], out[MAX_CPUS * STRIDE];
	size_t i;

	ASSERT_EQ(0, set(self->map, 1, self->all, BPFMAPS_ANY));
	ASSERT_EQ(0, look(self->map, 1, before, 0));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].lookup, look(self->map, 1, out, cases[i].flags))
			TH_LOG("case %zu", i);
		if (!cases[i].update)
			continue;
		EXPECT_EQ(cases[i].update, set(self->map, 1, self->one, cases[i].flags))
			TH_LOG("case %zu", i);
		EXPECT_EQ(0, look(self->map, 1, out, 0));
		EXPECT_EQ(0, memcmp(before, out, cpus * STRIDE));
	}
	EXPECT_EQ(-ERANGE, look(self->map, 1, out, on_cpu(cpus)));
	EXPECT_EQ(-ERANGE, set(self->map, 1, self->one, on_cpu(cpus)));
	EXPECT_EQ(-EINVAL, bm_elem(self->map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, self->one, out,
				   on_cpu(0)));
	printf("# %zu combinations of flags\n", i);
}

static int batch(int map, unsigned int cmd, void *keys, void *values, __u32 *count, __u64 flags)
{
	__u64 out;
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF,
		.out_batch = (unsigned long)&out,
		.keys = (unsigned long)keys,
		.values = (unsigned long)values,
		.count = *count,
		.elem_flags = flags,
	};
	int ret = bm_call(map, cmd, &a, sizeof(a));

	*count = a.count;
	return ret;
}

/* Values lie side by side without padding. */
TEST_F(flags, batches)
{
	__u32 keys[ELEMS] = { 0, 1, 2, 3 }, got[ELEMS], count = ELEMS, i;
	unsigned char in[ELEMS * VALUE], out[ELEMS * VALUE];
	/* A look-up that ends with the last index does not know that it was the last. */
	const int end = variant->type == BPFMAPS_TYPE_PERCPU_ARRAY ? 0 : -ENOENT;

	for (i = 0; i < sizeof(in); i++)
		in[i] = i / VALUE;
	EXPECT_EQ(0, batch(self->map, BPFMAPS_MAP_UPDATE_BATCH, keys, in, &count,
			   BPFMAPS_F_ALL_CPUS));
	EXPECT_EQ(ELEMS, count);
	for (i = 0; i < sizeof(in); i++)
		in[i] += 0x80;
	EXPECT_EQ(0, batch(self->map, BPFMAPS_MAP_UPDATE_BATCH, keys, in, &count,
			   on_cpu(cpus - 1)));
	EXPECT_EQ(ELEMS, count);
	EXPECT_EQ(end, batch(self->map, BPFMAPS_MAP_LOOKUP_BATCH, got, out, &count,
			     on_cpu(cpus - 1)));
	EXPECT_EQ(ELEMS, count);
	for (i = 0; i < count; i++)
		EXPECT_TRUE(is_filled(out + i * VALUE, VALUE, 0x80 + got[i]));
	count = ELEMS;
	EXPECT_EQ(end, batch(self->map, BPFMAPS_MAP_LOOKUP_BATCH, got, out, &count, on_cpu(0)));
	for (i = 0; i < count; i++)
		EXPECT_TRUE(is_filled(out + i * VALUE, VALUE, got[i] + (cpus == 1) * 0x80));
}

TEST_F(flags, batches_refused)
{
	__u32 keys[ELEMS] = { 0, 1, 2, 3 }, count = ELEMS;
	bool has_delete = variant->type != BPFMAPS_TYPE_PERCPU_ARRAY;
	unsigned char values[ELEMS * VALUE] = { };

	EXPECT_EQ(-EINVAL, batch(self->map, BPFMAPS_MAP_LOOKUP_BATCH, keys, values, &count,
				 BPFMAPS_F_ALL_CPUS));
	EXPECT_EQ(-ERANGE, batch(self->map, BPFMAPS_MAP_LOOKUP_BATCH, keys, values, &count,
				 on_cpu(cpus)));
	EXPECT_EQ(-ERANGE, batch(self->map, BPFMAPS_MAP_UPDATE_BATCH, keys, values, &count,
				 on_cpu(cpus)));
	EXPECT_EQ(-EINVAL, batch(self->map, BPFMAPS_MAP_UPDATE_BATCH, keys, values, &count,
				 BPFMAPS_F_CPU | BPFMAPS_F_ALL_CPUS));
	EXPECT_EQ(has_delete ? -EINVAL : -ENOTSUPP,
		  batch(self->map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, keys, values, &count,
			on_cpu(0)));
	EXPECT_EQ(has_delete ? -EINVAL : -ENOTSUPP,
		  batch(self->map, BPFMAPS_MAP_DELETE_BATCH, keys, values, &count, on_cpu(0)));
	EXPECT_EQ(ELEMS, count);
}

/* A value that is too large to be overwritten in one go keeps what the other CPUs have. */
TEST_F(flags, large_values)
{
	const __u32 size = 32000;
	int map = bm_create(self->dev, variant->type, 4, size, 2, 0);
	unsigned char *all = malloc((size_t)cpus * size), *one = malloc(size);
	unsigned int i;

	ASSERT_LE(0, map);
	memset(all, 0x33, (size_t)cpus * size);
	memset(one, 0x44, size);
	EXPECT_EQ(0, set(map, 0, all, BPFMAPS_ANY));
	EXPECT_EQ(0, set(map, 0, one, on_cpu(cpus - 1)));
	EXPECT_EQ(0, look(map, 0, all, 0));
	for (i = 0; i < cpus; i++)
		EXPECT_TRUE(is_filled(all + (size_t)i * size, size, i == cpus - 1 ? 0x44 : 0x33));
	EXPECT_EQ(0, look(map, 0, one, on_cpu(0)));
	EXPECT_TRUE(is_filled(one, size, cpus == 1 ? 0x44 : 0x33));
	free(all);
	free(one);
	close(map);
}

struct setter {
	pthread_t thread;
	pthread_barrier_t *start;
	int map;
	unsigned int cpu;
	__u32 rounds;
};

static void *set_own(void *arg)
{
	const struct setter *s = arg;
	unsigned char value[VALUE];
	__u32 key;

	memset(value, 0x50 + s->cpu, sizeof(value));
	for (key = 0; key < s->rounds; key++) {
		pthread_barrier_wait(s->start);
		set(s->map, key, value, on_cpu(s->cpu));
	}
	return NULL;
}

/* Two insert the same key at the same time, each for another CPU: neither value is lost. */
TEST_F(flags, both_insert)
{
	const __u32 rounds = scaled(3000);
	int map = bm_create(self->dev, variant->type, 4, variant->value, 2 * rounds,
			    variant->type == BPFMAPS_TYPE_PERCPU_HASH ? BPFMAPS_F_NO_PREALLOC : 0);
	unsigned int i, lost = 0;
	pthread_barrier_t start;
	struct setter setters[2];
	__u32 key;

	if (cpus < 2)
		return;
	ASSERT_LE(0, map);
	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < 2; i++) {
		setters[i] = (struct setter){
			.start = &start, .map = map, .cpu = i, .rounds = rounds
		};
		pthread_create(&setters[i].thread, NULL, set_own, &setters[i]);
	}
	for (i = 0; i < 2; i++)
		pthread_join(setters[i].thread, NULL);
	for (key = 0; key < rounds; key++) {
		EXPECT_EQ(0, look(map, key, self->all, 0));
		for (i = 0; i < 2; i++)
			lost += !is_filled(self->all + i * STRIDE, VALUE, 0x50 + i);
	}
	printf("# %u of %u values lost\n", lost, 2 * rounds);
	EXPECT_EQ(0, lost);
	pthread_barrier_destroy(&start);
	close(map);
}

/* Other types have no CPUs to name. */
TEST(other_types)
{
	static const __u32 types[] = {
		BPFMAPS_TYPE_HASH, BPFMAPS_TYPE_ARRAY, BPFMAPS_TYPE_LRU_HASH
	};
	static const __u64 flags[] = {
		BPFMAPS_F_CPU, BPFMAPS_F_ALL_CPUS, BPFMAPS_F_CPU | 1ULL << 32
	};
	int dev = bm_open(), map;
	__u64 value = 0;
	size_t t, f;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		map = bm_create(dev, types[t], 4, 8, 2, 0);
		ASSERT_LE(0, map);
		EXPECT_EQ(0, set(map, 0, &value, BPFMAPS_ANY));
		for (f = 0; f < ARRAY_SIZE(flags); f++) {
			EXPECT_EQ(-EINVAL, look(map, 0, &value, flags[f]));
			EXPECT_EQ(-EINVAL, set(map, 0, &value, flags[f]));
		}
		close(map);
	}
	close(dev);
}

TEST_HARNESS_MAIN
