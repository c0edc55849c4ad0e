// SPDX-License-Identifier: GPL-2.0-only
/* Hash maps: what cannot be compared with bpf(2), because it is about many at a time. */
#include <pthread.h>
#include <sys/mman.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"
#include "torn.h"

FIXTURE(hash) {
	int dev;
};

FIXTURE_VARIANT(hash) {
	__u32 flags;
};

FIXTURE_VARIANT_ADD(hash, preallocated) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(hash, no_prealloc) {
	.flags = BPFMAPS_F_NO_PREALLOC,
};

FIXTURE_SETUP(hash)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(hash)
{
	close(self->dev);
}

static int new_hash(int dev, __u32 value_size, __u32 max, __u32 flags)
{
	return bm_create(dev, BPFMAPS_TYPE_HASH, 4, value_size, max, flags);
}

TEST_F(hash, refuses)
{
	__u32 key = 1;
	__u64 value = 1;
	int map = new_hash(self->dev, 8, 1, variant->flags);

	ASSERT_LE(0, map);
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_HASH, 0, 8, 1, variant->flags));
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 0, 1, variant->flags));
	EXPECT_EQ(-EINVAL, bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 8, 0, variant->flags));
	EXPECT_EQ(-EINVAL, new_hash(self->dev, 8, 1, variant->flags | BPFMAPS_F_MMAPABLE));
	EXPECT_EQ(-EINVAL, new_hash(self->dev, 8, 1, variant->flags | BPFMAPS_F_INNER_MAP));
	EXPECT_EQ(-E2BIG, new_hash(self->dev, 4 << 20, 1, variant->flags));
	EXPECT_EQ(-E2BIG, new_hash(self->dev, 8, 0x80000000, variant->flags));
	EXPECT_EQ(-E2BIG, new_hash(self->dev, 8, 0xffffffff, variant->flags));
	EXPECT_EQ(-ENOENT, bm_update(map, &key, &value, BPFMAPS_EXIST));
	EXPECT_EQ(-ENOENT, bm_delete(map, &key));
	EXPECT_EQ(0, bm_update(map, &key, &value, BPFMAPS_NOEXIST));
	EXPECT_EQ(-EEXIST, bm_update(map, &key, &value, BPFMAPS_NOEXIST));
	key = 2;
	EXPECT_EQ(-E2BIG, bm_update(map, &key, &value, BPFMAPS_ANY));
	close(map);
}

static const uint32_t torn_sizes[] = { 3, 8, 12, 64, 256, 257, 1000, 4096, 4097, 5000, 70000 };

TEST_F(hash, values_are_whole)
{
	struct torn t;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(torn_sizes); i++) {
		t = (struct torn) { .value_size = torn_sizes[i / 2], .churn = i % 2 };
		t.map = new_hash(self->dev, t.value_size, TORN_KEYS, variant->flags);
		ASSERT_LE(0, t.map);
		torn_run(&t);
		EXPECT_EQ(0, t.torn);
		EXPECT_EQ(0, t.failed)
			TH_LOG("error %d", t.last_error);
		EXPECT_LT(0, t.lookups);
		close(t.map);
	}
}

#define THREADS		4
#define OWN_KEYS	16
#define CHURN_ROUNDS	1500

/* One thread of a test, which has keys of its own. */
struct worker {
	int map;
	uint32_t nr;
	uint32_t rounds;
	uint32_t done;
	int error;
	pthread_barrier_t *barrier;
	uint64_t *live;
};

static uint32_t worker_key(const struct worker *w, uint32_t i)
{
	return w->nr * 1000 + i;
}

/* Deletes the oldest of the own keys and inserts a new one: the map is full before and after. */
static void *churn(void *arg)
{
	struct worker *w = arg;
	uint32_t i, old, new;
	uint64_t value;

	for (i = 0; i < w->rounds && !w->error; i++) {
		old = worker_key(w, i % (2 * OWN_KEYS));
		new = worker_key(w, (i + OWN_KEYS) % (2 * OWN_KEYS));
		value = new;
		w->error = bm_delete(w->map, &old);
		if (!w->error)
			w->error = bm_update(w->map, &new, &value, BPFMAPS_NOEXIST);
		if (!w->error && i % 8 == 0)
			w->error = bm_update(w->map, &new, &value, BPFMAPS_EXIST);
		w->done = i + 1;
	}
	return NULL;
}

static void run_workers(struct worker *w, void *(*fn)(void *))
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, fn, &w[i]);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

TEST_F(hash, full_map_churn)
{
	struct worker w[THREADS];
	uint32_t i, j, key, sum = 0;
	uint64_t value;
	int map = new_hash(self->dev, 8, THREADS * OWN_KEYS, variant->flags);

	ASSERT_LE(0, map);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) { .map = map, .nr = i, .rounds = scaled(CHURN_ROUNDS) };
		for (j = 0; j < OWN_KEYS; j++) {
			key = worker_key(&w[i], j);
			value = key;
			ASSERT_EQ(0, bm_update(map, &key, &value, BPFMAPS_NOEXIST));
		}
	}
	run_workers(w, churn);
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, w[i].error)
			TH_LOG("thread %u, round %u", i, w[i].done);
		sum += w[i].done;
	}
	EXPECT_EQ(THREADS * OWN_KEYS, bm_count(map, 4, 1000));
	key = 99999;
	EXPECT_EQ(-E2BIG, bm_update(map, &key, &value, BPFMAPS_ANY));
	printf("# %u deletes and inserts in a full map\n", sum);
	fflush(stdout);
	close(map);
}

#define LIMIT		50
#define LIMIT_ROUNDS	40

/* Inserts and deletes own keys without regard to how many there are, and keeps count. */
static void *rush(void *arg)
{
	struct worker *w = arg;
	uint32_t round, i, key;
	uint64_t value = 1;
	int err;

	for (round = 0; round < w->rounds; round++) {
		pthread_barrier_wait(w->barrier);
		for (i = 0; i < LIMIT; i++) {
			key = worker_key(w, i);
			err = bm_update(w->map, &key, &value, BPFMAPS_NOEXIST);
			if (!err)
				__atomic_add_fetch(w->live, 1, __ATOMIC_RELAXED);
			else if (err != -E2BIG && err != -EEXIST)
				w->error = err;
		}
		for (i = round % 3; i < LIMIT; i += 3) {
			key = worker_key(w, i);
			err = bm_delete(w->map, &key);
			if (!err)
				__atomic_sub_fetch(w->live, 1, __ATOMIC_RELAXED);
			else if (err != -ENOENT)
				w->error = err;
		}
		for (i = 0; i < LIMIT; i++) {
			key = worker_key(w, i);
			if (!bm_update(w->map, &key, &value, BPFMAPS_NOEXIST))
				__atomic_add_fetch(w->live, 1, __ATOMIC_RELAXED);
		}
		/* All wait here twice; in between the test counts. */
		pthread_barrier_wait(w->barrier);
		pthread_barrier_wait(w->barrier);
		for (i = 0; round % 2 && i < LIMIT; i++) {
			key = worker_key(w, i);
			if (!bm_delete(w->map, &key))
				__atomic_sub_fetch(w->live, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

TEST_F(hash, never_over_max_entries)
{
	const unsigned int rounds = scaled(LIMIT_ROUNDS);
	int map = new_hash(self->dev, 8, LIMIT, variant->flags);
	pthread_barrier_t barrier;
	struct worker w[THREADS];
	pthread_t threads[THREADS];
	uint64_t live = 0;
	unsigned int i, round, count;

	ASSERT_LE(0, map);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) {
			.map = map, .nr = i, .rounds = rounds, .barrier = &barrier,
			.live = &live,
		};
		pthread_create(&threads[i], NULL, rush, &w[i]);
	}
	for (round = 0; round < rounds; round++) {
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		count = bm_count(map, 4, 10 * LIMIT);
		EXPECT_EQ(LIMIT, count);
		EXPECT_EQ(live, count);
		pthread_barrier_wait(&barrier);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, w[i].error);
	}
	printf("# %u rounds with %u keys for %u places\n", round, THREADS * LIMIT, LIMIT);
	fflush(stdout);
	close(map);
}

#define PLACES		1
#define PLACE_ROUNDS	4000

/*
 * Takes one of too few places and gives it back. A place counts as taken only while it surely is,
 * so that the count is never above the truth.
 */
static void *take_place(void *arg)
{
	struct worker *w = arg;
	uint64_t value = 0;
	uint32_t i;
	int err;

	for (i = 0; i < w->rounds; i++) {
		err = bm_update(w->map, &w->nr, &value, BPFMAPS_NOEXIST);
		if (err == -E2BIG)
			continue;
		if (err || __atomic_add_fetch(w->live, 1, __ATOMIC_SEQ_CST) > PLACES)
			w->error = err ? err : 1;
		if (!err)
			w->done++;
		__atomic_sub_fetch(w->live, 1, __ATOMIC_SEQ_CST);
		err = bm_delete(w->map, &w->nr);
		if (err)
			w->error = err;
	}
	return NULL;
}

TEST_F(hash, last_place)
{
	int map = new_hash(self->dev, 8, PLACES, variant->flags);
	const uint32_t rounds = scaled(PLACE_ROUNDS);
	struct worker w[THREADS];
	uint32_t taken = 0;
	uint64_t live = 0;
	int i;

	ASSERT_LE(0, map);
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker) {
			.map = map, .nr = i, .rounds = rounds, .live = &live,
		};
	run_workers(w, take_place);
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, w[i].error);
		taken += w[i].done;
	}
	EXPECT_EQ(0, bm_count(map, 4, 10));
	EXPECT_LT(0, taken);
	printf("# %u of %u found a place\n", taken, THREADS * rounds);
	fflush(stdout);
	close(map);
}

#define CONTEST_KEYS	1500

/* Everybody inserts the same keys, then everybody deletes them. */
static void *contest(void *arg)
{
	struct worker *w = arg;
	uint64_t value = w->nr;
	uint32_t key;
	int err;

	pthread_barrier_wait(w->barrier);
	for (key = 0; key < w->rounds; key++) {
		err = bm_update(w->map, &key, &value, BPFMAPS_NOEXIST);
		if (!err)
			w->done++;
		else if (err != -EEXIST)
			w->error = err;
	}
	pthread_barrier_wait(w->barrier);
	for (key = 0; key < w->rounds; key++) {
		err = bm_delete(w->map, &key);
		if (!err)
			w->done += 1000000;
		else if (err != -ENOENT)
			w->error = err;
	}
	return NULL;
}

TEST_F(hash, one_wins)
{
	const uint32_t keys = scaled(CONTEST_KEYS);
	int map = new_hash(self->dev, 8, keys, variant->flags);
	pthread_barrier_t barrier;
	struct worker w[THREADS];
	uint64_t done = 0;
	int i;

	ASSERT_LE(0, map);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker) {
			.map = map, .nr = i, .rounds = keys, .barrier = &barrier,
		};
	run_workers(w, contest);
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, w[i].error);
		done += w[i].done;
	}
	EXPECT_EQ(keys * 1000001ULL, done);
	EXPECT_EQ(0, bm_count(map, 4, keys));
	close(map);
}

#define MANY_KEYS	200000

/* So many that some have the same hash of 32 bits: they are told apart all the same. */
TEST(many_keys)
{
	const unsigned int nr = scaled(MANY_KEYS);
	int dev = bm_open(), map;
	uint64_t key, value;
	unsigned int wrong = 0;

	map = bm_create(dev, BPFMAPS_TYPE_HASH, 8, 8, nr, 0);
	ASSERT_LE(0, map);
	for (key = 0; key < nr; key++) {
		value = ~key;
		wrong += bm_update(map, &key, &value, BPFMAPS_NOEXIST) != 0;
	}
	for (key = 0; key < nr; key++)
		wrong += bm_lookup(map, &key, &value) != 0 || value != ~key;
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(-E2BIG, bm_update(map, &key, &value, BPFMAPS_ANY));
	EXPECT_EQ(nr, bm_count(map, 8, 2 * nr));
	close(map);
	close(dev);
}

#define STABLE_KEYS	100

/* Keys that nobody touches are met by every walk, whatever happens to others meanwhile. */
TEST_F(hash, walk_during_churn)
{
	int map = new_hash(self->dev, 8, STABLE_KEYS + 2 * OWN_KEYS, variant->flags);
	struct worker w = { .map = map, .nr = 7, .rounds = scaled(4 * CHURN_ROUNDS) };
	unsigned int walks = 0, met, steps;
	uint32_t key, next, i;
	pthread_t thread;
	uint64_t value = 3;
	bool done;

	ASSERT_LE(0, map);
	for (i = 0; i < STABLE_KEYS + OWN_KEYS; i++) {
		key = i < STABLE_KEYS ? i : worker_key(&w, i - STABLE_KEYS);
		ASSERT_EQ(0, bm_update(map, &key, &value, BPFMAPS_NOEXIST));
	}
	pthread_create(&thread, NULL, churn, &w);
	do {
		unsigned char seen[STABLE_KEYS] = "";

		/* A key that is deleted under the walk sends it back to the start. */
		done = __atomic_load_n(&w.done, __ATOMIC_RELAXED) >= w.rounds;
		for (steps = 0; steps < 100000 && !bm_next(map, steps ? &key : NULL, &next);
		     steps++) {
			key = next;
			if (key < STABLE_KEYS)
				seen[key] = 1;
		}
		for (met = 0, i = 0; i < STABLE_KEYS; i++)
			met += seen[i];
		EXPECT_EQ(STABLE_KEYS, met);
		walks++;
	} while (!done && !w.error);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, w.error);
	printf("# %u walks during %u changes\n", walks, w.done);
	fflush(stdout);
	close(map);
}

/* A key that is replaced all the time is there all the time. */
static void *replace(void *arg)
{
	struct worker *w = arg;
	unsigned char value[5000] = "";
	uint32_t i;

	for (i = 0; i < w->rounds && !w->error; i++) {
		w->error = bm_update(w->map, &w->nr, value, BPFMAPS_EXIST);
		__atomic_store_n(&w->done, i + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(hash, replaced_is_never_absent)
{
	static const __u32 sizes[] = { 8, 300, 2000, 5000 };
	unsigned char value[5000] = "";
	unsigned int lookups, absent;
	struct worker w;
	pthread_t thread;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		w = (struct worker) { .nr = 5, .rounds = scaled(3000) };
		w.map = new_hash(self->dev, sizes[i], 1, variant->flags);
		ASSERT_LE(0, w.map);
		ASSERT_EQ(0, bm_update(w.map, &w.nr, value, BPFMAPS_ANY));
		lookups = 0;
		absent = 0;
		pthread_create(&thread, NULL, replace, &w);
		while (__atomic_load_n(&w.done, __ATOMIC_RELAXED) < w.rounds && !w.error) {
			absent += bm_lookup(w.map, &w.nr, value) != 0;
			absent += bm_count(w.map, 4, 5) != 1;
			lookups++;
		}
		pthread_join(thread, NULL);
		EXPECT_EQ(0, w.error);
		EXPECT_EQ(0, absent);
		printf("# values of %u bytes: %u look-ups during %u replacements\n", sizes[i],
		       lookups, w.done);
		fflush(stdout);
		close(w.map);
	}
}

static volatile bool flipping;

/* Now it can be written, now it cannot. */
static void *flip_page(void *arg)
{
	char *page = arg;

	while (flipping) {
		mprotect(page, 4096, PROT_NONE);
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

/*
 * A value that ends on another page, which comes and goes while it is copied out: the look-up
 * fails, or it writes the value and nothing behind it.
 */
TEST(nothing_is_written_behind_a_value)
{
	static const __u32 sizes[] = { 3, 5, 6, 7, 15, 261 };
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *flipped_page = area + 4096;
	const __u32 rounds = scaled(20000);
	unsigned int wrong, failed;
	int dev = bm_open(), map;
	__u32 i, n, key = 1;
	pthread_t thread;
	char value[512];

	memset(value, 7, sizeof(value));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		map = bm_create(dev, BPFMAPS_TYPE_HASH, 4, sizes[i], 1, 0);
		ASSERT_EQ(0, bm_update(map, &key, value, BPFMAPS_ANY));
		flipping = true;
		memset(flipped_page, 0, 4096);
		pthread_create(&thread, NULL, flip_page, flipped_page);
		for (n = 0, failed = 0; n < rounds; n++)
			failed += bm_lookup(map, &key, flipped_page - sizes[i] + 1) != 0;
		flipping = false;
		pthread_join(thread, NULL);
		for (n = 1, wrong = 0; n < 512; n++)
			wrong += flipped_page[n] != 0;
		printf("# values of %u bytes: %u of %u look-ups failed, %u bytes too many\n",
		       sizes[i], failed, rounds, wrong);
		EXPECT_EQ(0, wrong);
		close(map);
	}
	munmap(area, 8192);
	close(dev);
}

TEST_HARNESS_MAIN
