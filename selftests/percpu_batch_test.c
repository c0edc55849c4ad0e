// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of the types that have a value for each CPU: neighbours are copied together there, and
 * have to come out as if they were copied one by one, whatever the order of the keys is, where the
 * batch ends, and who else reads, writes, or freezes the map
 */
#include <pthread.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "moment.h"
#include "scale.h"

/* With values of 24 bytes more than two chunks of memory, with odd ends. */
#define ELEMS		3003

static unsigned int cpus;

static __u64 on_cpu(__u64 cpu)
{
	return cpu << 32 | BPFMAPS_F_CPU;
}

/**
 * struct model - a map, and what it has to contain
 * @map: its descriptor
 * @nr: max_entries; all are there
 * @value: bytes of a value
 * @stride: bytes from one CPU's value to the next
 * @size: bytes of an element's values
 * @seed: of the dice
 * @elems: the values that the elements have to have
 * @values: values of a batch
 * @keys: keys of a batch
 */
struct model {
	int map;
	__u32 nr;
	__u32 value;
	__u32 stride;
	__u32 size;
	unsigned int seed;
	unsigned char *elems;
	unsigned char *values;
	__u32 *keys;
};

static unsigned int dice(struct model *m, unsigned int sides)
{
	return (unsigned int)rand_r(&m->seed) % sides;
}

/* Returns what the call returned; @count becomes how many were done. */
static int batch(struct model *m, unsigned int cmd, void *cursor, bool go_on, __u32 *count,
		 __u64 flags)
{
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF,
		.in_batch = go_on ? (unsigned long)cursor : 0,
		.out_batch = (unsigned long)cursor,
		.keys = (unsigned long)m->keys,
		.values = (unsigned long)m->values,
		.count = *count,
		.elem_flags = flags,
	};
	int ret = bm_call(m->map, cmd, &a, sizeof(a));

	*count = a.count;
	return ret;
}

static int update(struct model *m, __u32 *count, __u64 flags)
{
	return batch(m, BPFMAPS_MAP_UPDATE_BATCH, NULL, false, count, flags);
}

static void fill(struct model *m, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		m->values[i] = dice(m, 256);
}

/* All elements, in the order of their keys, with random values. */
static bool set_all(struct model *m)
{
	__u32 i, count = m->nr;

	fill(m, (size_t)m->nr * m->size);
	for (i = 0; i < m->nr; i++)
		m->keys[i] = i;
	memcpy(m->elems, m->values, (size_t)m->nr * m->size);
	return !update(m, &count, 0) && count == m->nr;
}

static bool model_open(struct model *m, int dev, const __u32 *type, __u32 value, __u32 nr)
{
	*m = (struct model){ .nr = nr, .value = value, .seed = value };
	m->stride = (value + 7) / 8 * 8;
	m->size = m->stride * cpus;
	m->map = bm_create(dev, type[0], 4, value, nr, type[1]);
	m->elems = malloc((size_t)nr * m->size);
	m->values = malloc((size_t)nr * m->size);
	m->keys = malloc(nr * sizeof(*m->keys));
	return m->map >= 0 && set_all(m);
}

static void model_close(struct model *m)
{
	free(m->keys);
	free(m->values);
	free(m->elems);
	close(m->map);
}

/* What an update with @flags makes of the element of @key; returns how many bytes it takes. */
static __u32 model_set(struct model *m, __u32 key, const unsigned char *value, __u64 flags)
{
	unsigned char *elem = m->elems + (size_t)key * m->size;
	__u32 cpu;

	if (!flags) {
		memcpy(elem, value, m->size);
		return m->size;
	}
	for (cpu = 0; cpu < cpus; cpu++)
		if (flags == BPFMAPS_F_ALL_CPUS || flags >> 32 == cpu)
			memcpy(elem + cpu * m->stride, value, m->value);
	return m->value;
}

/* The same, of the first @count keys of a batch. */
static void model_update(struct model *m, __u32 count, __u64 flags)
{
	const unsigned char *value = m->values;
	__u32 i;

	for (i = 0; i < count; i++)
		value += model_set(m, m->keys[i], value, flags);
}

/* What a look-up has to say of @key. */
static bool is_right(struct model *m, __u32 key, const unsigned char *value, __u64 flags)
{
	const unsigned char *elem = m->elems + (size_t)key * m->size;

	if (key >= m->nr)
		return false;
	if (flags)
		return !memcmp(elem + (flags >> 32) * m->stride, value, m->value);
	return !memcmp(elem, value, m->size);
}

/* Look up everything, by batches of up to @step; returns how many elements were right. */
static __u32 look_up(struct model *m, __u32 step, __u64 flags)
{
	__u32 i, count, cursor, right = 0, size = flags ? m->value : m->size;
	bool go_on = false;
	int ret;

	do {
		count = step;
		memset(m->values, 0xa5, (size_t)step * size);
		ret = batch(m, BPFMAPS_MAP_LOOKUP_BATCH, &cursor, go_on, &count, flags);
		for (i = 0; i < count; i++)
			right += is_right(m, m->keys[i], m->values + (size_t)i * size, flags);
		go_on = true;
	} while (!ret);
	return ret == -ENOENT ? right : 0;
}

FIXTURE(batches) {
	int dev;
	struct model m;
};

FIXTURE_VARIANT(batches) {
	__u32 type[2];	/* and flags */
};

FIXTURE_VARIANT_ADD(batches, percpu_array) { .type = { BPFMAPS_TYPE_PERCPU_ARRAY, 0 } };
FIXTURE_VARIANT_ADD(batches, mapped_percpu_array) {
	.type = { BPFMAPS_TYPE_PERCPU_ARRAY, BPFMAPS_F_MMAPABLE }
};

FIXTURE_VARIANT_ADD(batches, percpu_hash) { .type = { BPFMAPS_TYPE_PERCPU_HASH, 0 } };

FIXTURE_SETUP(batches)
{
	cpus = bm_possible_cpus();
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(batches)
{
	close(self->dev);
}

/* A step that is less than a bucket of a hash is refused. */
static __u32 any_step(struct model *m, __u32 type)
{
	return type == BPFMAPS_TYPE_PERCPU_HASH ? m->nr : 1 + dice(m, m->nr);
}

/* Neighbours in rising order, some of them more than once. */
static __u32 any_keys(struct model *m)
{
	__u32 i = 0, left, key, count = 1 + dice(m, m->nr);

	while (i < count) {
		key = dice(m, m->nr);
		for (left = 1 + dice(m, 30); left && key < m->nr && i < count; left--)
			m->keys[i++] = key++;
	}
	return count;
}

static __u64 any_flags(struct model *m)
{
	static const __u64 all[] = { 0, BPFMAPS_F_ALL_CPUS, BPFMAPS_F_CPU };
	__u64 flags = all[dice(m, 3)];

	return flags == BPFMAPS_F_CPU ? on_cpu(dice(m, cpus)) : flags;
}

TEST_F(batches, any_keys_and_flags)
{
	static const __u32 sizes[] = { 1, 4, 5, 8, 12, 16, 24, 70, 600, 3000 };
	struct model *m = &self->m;
	__u32 count, done, cpu, updates = 0;
	size_t s;
	int i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		ASSERT_TRUE(model_open(m, self->dev, variant->type, sizes[s],
				       sizes[s] > 100 ? 47 : ELEMS));
		for (i = scaled(20); i; i--, updates++) {
			__u64 flags = any_flags(m);

			count = any_keys(m);
			done = count;
			fill(m, (size_t)count * (flags ? m->value : m->size));
			EXPECT_EQ(0, update(m, &done, flags));
			EXPECT_EQ(count, done);
			model_update(m, count, flags);
			EXPECT_EQ(m->nr, look_up(m, any_step(m, variant->type[0]), 0))
				TH_LOG("values of %u bytes, flags %llx", m->value, flags);
			cpu = dice(m, cpus);
			EXPECT_EQ(m->nr, look_up(m, any_step(m, variant->type[0]), on_cpu(cpu)));
		}
		model_close(m);
	}
	printf("# %u updates\n", updates);
}

/* What comes before a key that has no place is set and counted, and nothing behind it. */
static void ends_at(struct __test_metadata *_metadata, struct model *m, __u32 first, __u32 end,
		    __u32 wrong, __u64 flags)
{
	__u32 i, count = end + 3;

	for (i = 0; i < count; i++)
		m->keys[i] = i == end ? wrong : first + i;
	fill(m, (size_t)count * m->size);
	EXPECT_EQ(-E2BIG, update(m, &count, flags));
	EXPECT_EQ(end, count) TH_LOG("from %u on, key %u", first, wrong);
	model_update(m, end, flags);
	EXPECT_EQ(m->nr, look_up(m, m->nr, 0)) TH_LOG("from %u on, key %u", first, wrong);
}

TEST_F(batches, end_in_the_middle)
{
	struct model *m = &self->m;
	__u32 first, end;

	ASSERT_TRUE(model_open(m, self->dev, variant->type, 5, 45));
	for (first = 0; first < 10; first++) {
		for (end = 0; end < 20; end++) {
			ends_at(_metadata, m, first, end, m->nr, 0);
			ends_at(_metadata, m, first, end, UINT32_MAX, BPFMAPS_F_ALL_CPUS);
			ends_at(_metadata, m, first, end, m->nr + 3, on_cpu(cpus - 1));
		}
	}
	/* Neighbours up to the end, and behind it. */
	for (end = 0; end < 20; end++)
		ends_at(_metadata, m, m->nr - end, end, m->nr, 0);
	model_close(m);
}

/* Makes a batch that sets all elements to the same number, on all CPUs. */
static void all_with_number(struct model *m, __u64 number)
{
	__u64 *words = (__u64 *)m->values;
	size_t i;

	for (i = 0; i < (size_t)m->nr * m->size / 8; i++)
		words[i] = number;
	for (i = 0; i < m->nr; i++)
		m->keys[i] = i;
}

/* The update of all elements; returns what the call returned. */
static int update_all(struct model *m, __u32 *count)
{
	*count = m->nr;
	return update(m, count, 0);
}

/* One thread's view of the map of others. */
static void model_share(struct model *m, const struct model *other)
{
	*m = *other;
	m->elems = NULL;
	m->values = malloc((size_t)m->nr * m->size);
	m->keys = malloc(m->nr * sizeof(*m->keys));
}

static void model_unshare(struct model *m)
{
	free(m->keys);
	free(m->values);
}

/**
 * struct freezer - who writes until the map is frozen
 * @m: the map
 * @number: what is being written, or was last
 * @count: how much of it
 * @error: what ended it
 */
struct freezer {
	struct model m;
	uint64_t number;
	__u32 count;
	int error;
};

static void *write_until_frozen(void *arg)
{
	struct freezer *f = arg;
	__u64 number = 0;

	do {
		all_with_number(&f->m, ++number);
		__atomic_store_n(&f->number, number, __ATOMIC_RELEASE);
		f->error = update_all(&f->m, &f->count);
	} while (!f->error);
	return NULL;
}

/* How many elements have @number on all CPUs, and keys in the given range. */
static __u32 with_number(struct model *m, __u32 count, __u64 number, __u32 first, __u32 end)
{
	const __u64 *words = (__u64 *)m->values;
	__u32 i, w, nr = 0;

	for (i = 0; i < count; i++, words += m->size / 8) {
		for (w = 0; w < m->size / 8 && words[w] == number; w++)
			;
		nr += w == m->size / 8 && m->keys[i] >= first && m->keys[i] < end;
	}
	return nr;
}

/* After freeze has returned nothing changes, and the count says how far the batch has come. */
TEST_F(batches, freeze)
{
	const int rounds = scaled(60);
	unsigned int in_the_middle = 0;
	struct model *m = &self->m;
	unsigned int seed = 1;
	struct freezer f;
	pthread_t thread;
	__u32 count, cursor;
	int i;

	for (i = 0; i < rounds || (!in_the_middle && i < 20 * rounds); i++) {
		ASSERT_TRUE(model_open(m, self->dev, variant->type, i % 2 ? 8 : 24, ELEMS));
		f = (struct freezer){ 0 };
		model_share(&f.m, m);
		pthread_create(&thread, NULL, write_until_frozen, &f);
		moment_wait(&f.number, &seed);
		EXPECT_EQ(0, bm_freeze(m->map));
		count = m->nr;
		batch(m, BPFMAPS_MAP_LOOKUP_BATCH, &cursor, false, &count, 0);
		pthread_join(thread, NULL);
		/* Of a batch that was refused at once the caller's count stays as it is. */
		f.count %= m->nr;
		EXPECT_EQ(-EPERM, f.error);
		EXPECT_EQ(m->nr, count);
		EXPECT_EQ(f.count, with_number(m, count, f.number, 0, f.count));
		EXPECT_EQ(m->nr - f.count,
			  with_number(m, count, f.number - 1, f.count, m->nr));
		in_the_middle += f.count != 0;
		model_unshare(&f.m);
		model_close(m);
	}
	printf("# frozen in the middle of %u of %d batches\n", in_the_middle, i);
	EXPECT_LT(0, in_the_middle);
}

/**
 * struct writer - one of those who write at the same time
 * @thread: its thread
 * @m: the map
 * @number: what it begins with
 * @rounds: how often it writes all
 * @single: without batches
 * @running: how many are at work
 */
struct writer {
	pthread_t thread;
	struct model m;
	__u64 number;
	__u32 rounds;
	bool single;
	unsigned int *running;
};

static void *write_all(void *arg)
{
	struct writer *w = arg;
	__u32 i, key, count;

	for (i = 0; i < w->rounds; i++) {
		w->number += 2;
		for (key = 0; w->single && key < w->m.nr; key++) {
			memset(w->m.values, w->number, w->m.size);
			bm_update(w->m.map, &key, w->m.values, BPFMAPS_ANY);
		}
		if (w->single)
			continue;
		all_with_number(&w->m, w->number);
		update_all(&w->m, &count);
	}
	__atomic_sub_fetch(w->running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* How many of the elements that were looked up have not the same word everywhere. */
static unsigned int torn(struct model *m, __u32 count)
{
	const __u64 *words = (__u64 *)m->values;
	unsigned int nr = 0;
	__u32 i, w;

	for (i = 0; i < count; i++, words += m->size / 8) {
		for (w = 1; w < m->size / 8 && words[w] == words[0]; w++)
			;
		nr += w < m->size / 8;
	}
	return nr;
}

static void race(struct __test_metadata *_metadata, struct model *m)
{
	unsigned int i, running = 2, broken = 0, looked = 0;
	struct writer writers[2];
	__u32 count, cursor;

	all_with_number(m, 1);
	EXPECT_EQ(0, update_all(m, &count));
	for (i = 0; i < 2; i++) {
		writers[i] = (struct writer){
			.number = i, .rounds = scaled(800), .single = i, .running = &running,
		};
		model_share(&writers[i].m, m);
		pthread_create(&writers[i].thread, NULL, write_all, &writers[i]);
	}
	do {
		count = m->nr;
		batch(m, BPFMAPS_MAP_LOOKUP_BATCH, &cursor, false, &count, 0);
		broken += torn(m, count);
		looked += count;
	} while (__atomic_load_n(&running, __ATOMIC_ACQUIRE));
	for (i = 0; i < 2; i++) {
		pthread_join(writers[i].thread, NULL);
		model_unshare(&writers[i].m);
	}
	printf("# values of %u bytes: %u looked up, %u torn\n", m->value, looked, broken);
	EXPECT_EQ(0, broken);
	EXPECT_LE(m->nr, looked);
}

/* The values of all CPUs are those of one update, whoever wrote its neighbours meanwhile. */
TEST_F(batches, whole_values)
{
	static const __u32 sizes[] = { 8, 24, 520 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_TRUE(model_open(&self->m, self->dev, variant->type, sizes[i], 103));
		race(_metadata, &self->m);
		model_close(&self->m);
	}
}

TEST_HARNESS_MAIN
