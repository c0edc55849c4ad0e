// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes that were made in maps of kernels, each in a test that has its name. Most of the known
 * ones are tested where they belong; the README lists them all.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include "moment.h"
#include "scale.h"
#include "shape.h"

#define PAGE		4096

FIXTURE(bugs) {
	int dev;
};

FIXTURE_SETUP(bugs)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(bugs)
{
	close(self->dev);
}

struct mapper {
	int map;
	bool stop;
	uint64_t mapped;
};

/* Writes through as many mappings as it can get, one after the other. */
static void *map_and_write(void *arg)
{
	struct mapper *m = arg;
	uint64_t *p;

	while (!__atomic_load_n(&m->stop, __ATOMIC_ACQUIRE)) {
		p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m->map, 0);
		if (p == MAP_FAILED)
			continue;
		__atomic_fetch_add(p, 1, __ATOMIC_RELAXED);
		munmap(p, PAGE);
		__atomic_fetch_add(&m->mapped, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static uint64_t value_in(int map)
{
	uint64_t value = 0;
	__u32 key = 0;

	bm_lookup(map, &key, &value);
	return value;
}

/* How often freezing was refused because of a mapping; at the end it was not. */
static unsigned int freeze_at_last(int map, int *ret)
{
	unsigned int busy = 0;

	while ((*ret = bm_freeze(map)) == -EBUSY)
		busy++;
	return busy;
}

/* CVE-2021-4001: what was frozen between the check and the mapping could still be written to. */
TEST_F(bugs, freeze_races_with_mmap)
{
	const unsigned int rounds = scaled(300);
	unsigned int i, busy = 0, mapped = 0, seed = 1;
	struct mapper m;
	pthread_t thread;
	uint64_t seen;
	int ret;

	for (i = 0; i < rounds || (!busy && i < 20 * rounds); i++) {
		m = (struct mapper) { 0 };
		m.map = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, BPFMAPS_F_MMAPABLE);
		ASSERT_LE(0, m.map);
		ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_write, &m));
		moment_wait(&m.mapped, &seed);
		busy += freeze_at_last(m.map, &ret);
		seen = value_in(m.map);
		EXPECT_EQ(0, ret);
		usleep(1000);
		__atomic_store_n(&m.stop, true, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
		EXPECT_EQ(seen, value_in(m.map));
		EXPECT_EQ(m.mapped, seen);
		mapped += m.mapped;
		close(m.map);
	}
	printf("# frozen %u times between %u mappings, refused %u times\n", i, mapped, busy);
	fflush(stdout);
	EXPECT_LT(0, busy);
}

FIXTURE(type) {
	int dev;
	int map;
	struct shape s;
	unsigned char value[1024];
};

FIXTURE_TYPES(type, true)

#define PLACES	16

FIXTURE_SETUP(type)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->s.type = variant->number;
	self->s.inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	ASSERT_LE(0, self->s.inner);
	self->map = shape_find_usual(self->dev, &self->s);
	ASSERT_LE(0, self->map);
	if (self->s.value == 4)
		memcpy(self->value, &self->s.inner, sizeof(self->s.inner));
}

FIXTURE_TEARDOWN(type)
{
	close(self->map);
	close(self->s.inner);
	close(self->dev);
}

/* Some type's key is a length and data behind it. */
static const void *key_of(const struct shape *s, __u32 nr, __u32 *key)
{
	key[0] = s->key == 8 ? 32 : nr;
	key[1] = nr;
	return s->key ? key : NULL;
}

/* How many of twice as many as there is room for can be put in. */
static unsigned int fill(int map, const struct shape *s, const void *value)
{
	unsigned int nr, done = 0;
	__u32 key[2];

	for (nr = 0; nr < 2 * PLACES; nr++)
		done += !bm_update(map, key_of(s, nr, key), value, 0);
	return done;
}

static int take(int map, const struct shape *s, __u32 nr)
{
	uint64_t value[128];
	__u32 key[2];

	return bm_elem(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, key_of(s, nr, key), value, 0);
}

/* Takes out what can be taken out. */
static void drain(int map, const struct shape *s)
{
	__u32 nr, key[2];

	for (nr = 0; nr < 2 * PLACES; nr++) {
		if (bm_delete(map, key_of(s, nr, key)))
			take(map, s, nr);
	}
}

struct churner {
	int map;
	const struct shape *s;
	const void *value;
	unsigned int seed;
	unsigned int done;
};

static void *churn(void *arg)
{
	const unsigned int rounds = scaled(1500);
	struct churner *c = arg;
	unsigned int i, nr;
	__u32 key[2];
	int ret;

	for (i = 0; i < rounds; i++) {
		nr = rand_r(&c->seed) % (2 * PLACES);
		switch (rand_r(&c->seed) % 4) {
		case 0:
			ret = bm_delete(c->map, key_of(c->s, nr, key));
			break;
		case 1:
			ret = take(c->map, c->s, nr);
			break;
		default:
			ret = bm_update(c->map, key_of(c->s, nr, key), c->value, i % 2);
		}
		c->done += !ret;
	}
	return NULL;
}

static unsigned int churn_by_threads(int map, const struct shape *s, const void *value)
{
	struct churner c[4];
	pthread_t threads[4];
	unsigned int i, done = 0;

	for (i = 0; i < 4; i++) {
		c[i] = (struct churner) { .map = map, .s = s, .value = value, .seed = i + 1 };
		pthread_create(&threads[i], NULL, churn, &c[i]);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		done += c[i].done;
	}
	return done;
}

/* After many have put in and taken out at a time, there is as much room as in a new map. */
TEST_F(type, count_drift)
{
	int fresh = shape_create(self->dev, &self->s);
	unsigned int room, all, now, walked, done;

	ASSERT_LE(0, fresh);
	/* A map of maps waits for readers with each update. */
	ASSERT_EQ(0, put_text("/sys/kernel/rcu_expedited", "1"));
	room = fill(fresh, &self->s, self->value);
	all = bm_count(fresh, self->s.key, 4 * PLACES);
	done = churn_by_threads(self->map, &self->s, self->value);
	EXPECT_GE(all, bm_count(self->map, self->s.key, 4 * PLACES));
	drain(self->map, &self->s);
	now = fill(self->map, &self->s, self->value);
	walked = bm_count(self->map, self->s.key, 4 * PLACES);
	EXPECT_EQ(room, now);
	EXPECT_EQ(all, walked);
	EXPECT_EQ(0, put_text("/sys/kernel/rcu_expedited", "0"));
	printf("# %u calls did something; then %u of %u fitted in, %u were met\n", done, now,
	       2 * PLACES, walked);
	fflush(stdout);
	close(fresh);
}

TEST_HARNESS_MAIN
