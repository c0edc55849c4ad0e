// SPDX-License-Identifier: GPL-2.0-only
/*
 * LPM_TRIE, compared with a list of prefixes that is searched from end to end; then with readers
 * beside writers, where what nobody deletes has to be found at any time
 */
#include <pthread.h>
#include <stdint.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define DATA_MAX	256
#define VALUE_MAX	5000
#define MODEL_MAX	150

struct key {
	uint32_t len;
	uint8_t data[DATA_MAX];
};

struct prefix {
	struct key key;
	uint8_t value[300];
};

static bool bit_of(const struct key *key, uint32_t nr)
{
	return key->data[nr / 8] >> (7 - nr % 8) & 1;
}

/* How many bits at the beginning are the same. */
static uint32_t same_bits(const struct key *a, const struct key *b)
{
	uint32_t limit = a->len < b->len ? a->len : b->len, nr = 0;

	while (nr + 8 <= limit && a->data[nr / 8] == b->data[nr / 8])
		nr += 8;
	while (nr < limit && bit_of(a, nr) == bit_of(b, nr))
		nr++;
	return nr;
}

static bool covers(const struct key *prefix, const struct key *key)
{
	return prefix->len <= key->len && same_bits(prefix, key) == prefix->len;
}

/* Below 0 if @a comes first: what is longer comes before what it goes on from, 0 before 1. */
static int order(const struct key *a, const struct key *b)
{
	uint32_t same = same_bits(a, b);

	if (same == a->len || same == b->len)
		return (int)b->len - (int)a->len;
	return bit_of(a, same) - bit_of(b, same);
}

/**
 * struct model - a map, and what has to be in it
 * @map: the map
 * @data: bytes of data in a key
 * @value: bytes of a value
 * @max: how many prefixes fit
 * @nr: how many there are
 * @prefixes: these
 * @seed: of the random numbers
 * @compared: how many results were compared
 * @wrong: how many were wrong
 */
struct model {
	int map;
	uint32_t data;
	uint32_t value;
	uint32_t max;
	uint32_t nr;
	struct prefix prefixes[MODEL_MAX];
	unsigned int seed;
	unsigned int compared;
	unsigned int wrong;
};

static struct model m;

static unsigned int below(unsigned int limit)
{
	return rand_r(&m.seed) % limit;
}

static void expect(const char *what, const struct key *key, long want, long got)
{
	m.compared++;
	if (want == got)
		return;
	if (m.wrong++ < 10)
		printf("# %s of a prefix of %u bits, %u bytes of data: %ld, expected %ld\n", what,
		       key ? key->len : 0, m.data, got, want);
}

static struct prefix *model_find(const struct key *key)
{
	uint32_t i;

	for (i = 0; i < m.nr; i++) {
		if (m.prefixes[i].key.len == key->len && covers(&m.prefixes[i].key, key))
			return &m.prefixes[i];
	}
	return NULL;
}

static struct prefix *model_longest(const struct key *key)
{
	struct prefix *found = NULL;
	uint32_t i;

	for (i = 0; i < m.nr; i++) {
		if (covers(&m.prefixes[i].key, key) &&
		    (!found || m.prefixes[i].key.len > found->key.len))
			found = &m.prefixes[i];
	}
	return found;
}

/* The first one behind @key; NULL, or what is not there, counts as none. */
static struct prefix *model_next(const struct key *key)
{
	struct prefix *next = NULL;
	uint32_t i;

	if (key && !model_find(key))
		key = NULL;
	for (i = 0; i < m.nr; i++) {
		if (key && order(&m.prefixes[i].key, key) <= 0)
			continue;
		if (!next || order(&m.prefixes[i].key, &next->key) < 0)
			next = &m.prefixes[i];
	}
	return next;
}

/* Like one that is there but for a bit or its length, or one of few bits that are set. */
static void random_key(struct key *key)
{
	uint32_t i, bits = 8 * m.data;

	memset(key, 0, sizeof(*key));
	if (m.nr && below(3)) {
		*key = m.prefixes[below(m.nr)].key;
		if (below(2))
			key->data[below(m.data)] ^= 1 << below(8);
		i = below(4);
		if (i == 1)
			key->len = below(bits + 1);
		else if (i == 2 && key->len < bits)
			key->len++;
		else if (i == 3 && key->len)
			key->len--;
		return;
	}
	key->len = below(2) ? below(bits + 1) : bits - below(3);
	for (i = below(4); i; i--)
		key->data[below(below(2) ? m.data : 1)] ^= 1 << below(8);
}

static void random_update(const struct key *key)
{
	uint64_t flags = below(3) ? BPFMAPS_ANY : 1 + below(2);
	struct prefix *old = model_find(key);
	uint8_t value[sizeof(old->value)];
	uint32_t i;
	int want = 0;

	if (old && flags == BPFMAPS_NOEXIST)
		want = -EEXIST;
	else if (!old && flags == BPFMAPS_EXIST)
		want = -ENOENT;
	else if (!old && m.nr == m.max)
		want = -ENOSPC;
	for (i = 0; i < m.value; i++)
		value[i] = below(256);
	expect("update", key, want, bm_update(m.map, key, value, flags));
	if (want)
		return;
	if (!old)
		old = &m.prefixes[m.nr++];
	old->key = *key;
	memcpy(old->value, value, m.value);
}

static void random_delete(const struct key *key)
{
	struct prefix *old = model_find(key);

	expect("delete", key, old ? 0 : -ENOENT, bm_delete(m.map, key));
	if (old)
		*old = m.prefixes[--m.nr];
}

static void check_lookup(const struct key *key)
{
	struct prefix *longest = model_longest(key);
	uint8_t value[sizeof(longest->value)];

	expect("look-up", key, longest ? 0 : -ENOENT, bm_lookup(m.map, key, value));
	if (longest)
		expect("value", key, 0, memcmp(longest->value, value, m.value));
}

static void check_next(const struct key *key)
{
	struct prefix *want = model_next(key);
	struct key next;

	expect("next key", key, want ? 0 : -ENOENT, bm_next(m.map, key, &next));
	if (want)
		expect("the key", key, 0, memcmp(&want->key, &next, 4 + m.data));
}

/* All of it, in order, by batches of @step. */
static void check_batch(uint32_t step)
{
	static uint8_t keys[MODEL_MAX * sizeof(struct key)], values[MODEL_MAX * 300];
	uint8_t last[sizeof(struct key)];
	struct bpfmaps_batch_attr attr = { .map_fd = BPFMAPS_SELF, .out_batch = (uintptr_t)last };
	const struct key *key = NULL;
	struct prefix *want;
	uint32_t i;
	int err;

	do {
		attr.count = step;
		attr.keys = (uintptr_t)keys;
		attr.values = (uintptr_t)values;
		err = bm_call(m.map, BPFMAPS_MAP_LOOKUP_BATCH, &attr, sizeof(attr));
		attr.in_batch = (uintptr_t)last;
		for (i = 0; i < attr.count; i++) {
			want = model_next(key);
			if (!want)
				break;
			expect("key in a batch", &want->key, 0,
			       memcmp(&want->key, keys + i * (4 + m.data), 4 + m.data));
			expect("value in a batch", &want->key, 0,
			       memcmp(want->value, values + i * m.value, m.value));
			key = &want->key;
		}
		expect("length of a batch", &m.prefixes[0].key, attr.count, i);
	} while (!err && attr.count);
	expect("end of the batches", &m.prefixes[0].key, -ENOENT, err);
	if (m.nr)
		expect("rest behind the batches", key, 0, !!model_next(key));
}

static void check_too_long(void)
{
	struct key key = { .len = 8 * m.data + 1 }, next;
	uint8_t value[300] = { };

	expect("update", &key, -EINVAL, bm_update(m.map, &key, value, BPFMAPS_ANY));
	expect("delete", &key, -EINVAL, bm_delete(m.map, &key));
	expect("look-up", &key, -ENOENT, bm_lookup(m.map, &key, value));
	expect("next key", &key, m.nr ? 0 : -ENOENT, bm_next(m.map, &key, &next));
	if (m.nr)
		expect("the key", &key, 0, memcmp(&model_next(NULL)->key, &next, 4 + m.data));
}

static void random_step(void)
{
	unsigned int what = below(100);
	struct key key;

	random_key(&key);
	if (what < 30)
		random_update(&key);
	else if (what < 50)
		random_delete(&key);
	else if (what < 80)
		check_lookup(&key);
	else if (what < 97)
		check_next(below(20) ? &key : NULL);
	else if (what < 98)
		check_too_long();
	else
		check_batch(1 + below(MODEL_MAX));
}

FIXTURE(model) {
	int dev;
};

FIXTURE_SETUP(model)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(model)
{
	close(self->dev);
}

TEST_F(model, random_sequences)
{
	static const uint32_t data[] = { 1, 4, 5, 8, 16, 31, 256 };
	static const uint32_t values[] = { 8, 12, 300 };
	static const uint32_t maxes[] = { 4, 60, MODEL_MAX };
	const int steps = scaled(3000);
	struct key key;
	size_t i, j;
	int n;

	m.seed = 1;
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			m.data = data[i];
			m.value = values[j];
			m.max = maxes[j];
			m.nr = 0;
			m.map = bm_create(self->dev, BPFMAPS_TYPE_LPM_TRIE, 4 + m.data, m.value,
					  m.max, BPFMAPS_F_NO_PREALLOC);
			ASSERT_LE(0, m.map);
			check_too_long();
			for (n = 0; n < steps; n++)
				random_step();
			check_batch(MODEL_MAX);
			while (m.nr) {
				key = m.prefixes[0].key;
				random_delete(&key);
			}
			check_next(NULL);
			close(m.map);
		}
	}
	printf("# %u results compared with the model, %u wrong\n", m.compared, m.wrong);
	fflush(stdout);
	EXPECT_EQ(0, m.wrong);
	EXPECT_LT(20 * steps, m.compared);
}

/*
 * What follows is one trie below 10.0.0.0/8, which some threads change and others read. The number
 * of a prefix is in the upper half of all words of its value. Each fourth prefix is never deleted,
 * and 10.0.0.0/8, which is the last one in order, neither.
 */
#define NR_PREFIXES	96
#define NR_WRITERS	2
#define NR_READERS	3

struct address {
	uint32_t len;
	uint8_t data[4];
};

/**
 * struct churn - one run
 * @map: the map
 * @value_size: bytes of a value, a multiple of 4
 * @updates: how many each writer does
 * @running: writers at work
 * @wrong: results that cannot be
 * @what: one of those
 * @reads: how many results were right
 * @prefixes: all that there may be
 */
struct churn {
	int map;
	uint32_t value_size;
	uint32_t updates;
	unsigned int running;
	unsigned int wrong;
	const char *what;
	unsigned int reads;
	struct key prefixes[NR_PREFIXES];
};

static struct churn churn;

static bool is_stable(uint32_t nr)
{
	return nr % 4 == 0;
}

static void churn_wrong(const char *what)
{
	churn.what = what;
	__atomic_add_fetch(&churn.wrong, 1, __ATOMIC_RELAXED);
}

static void address_of(struct address *a, const struct key *key)
{
	a->len = key->len;
	memcpy(a->data, key->data, sizeof(a->data));
}

static void random_address(struct key *key, unsigned int *seed)
{
	static const uint8_t bytes[] = { 0, 0x80, 0xc0, 0x40, 0xe0, 0x01, 0xff };
	int i;

	memset(key, 0, sizeof(*key));
	key->len = 32;
	key->data[0] = 10;
	for (i = 1; i < 4; i++)
		key->data[i] = bytes[rand_r(seed) % sizeof(bytes)];
}

static void cut(struct key *key, uint32_t len)
{
	uint32_t nr;

	for (nr = len; nr < 32; nr++)
		key->data[nr / 8] &= ~(0x80 >> nr % 8);
	key->len = len;
}

static int churn_find(const struct key *key, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (churn.prefixes[i].len == key->len && covers(&churn.prefixes[i], key))
			return i;
	}
	return -1;
}

static void churn_make_prefixes(void)
{
	unsigned int seed = 7;
	struct key key;
	uint32_t nr = 1;

	random_address(&churn.prefixes[0], &seed);
	cut(&churn.prefixes[0], 8);
	while (nr < NR_PREFIXES) {
		random_address(&key, &seed);
		cut(&key, 9 + rand_r(&seed) % 24);
		if (churn_find(&key, nr) < 0)
			churn.prefixes[nr++] = key;
	}
}

static int churn_set(uint32_t nr, uint32_t count)
{
	uint32_t value[VALUE_MAX / 4], i;
	struct address a;

	for (i = 0; i < churn.value_size / 4; i++)
		value[i] = nr << 16 | (count & 0xffff);
	address_of(&a, &churn.prefixes[nr]);
	return bm_update(churn.map, &a, value, BPFMAPS_ANY);
}

static void *churn_writer(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	struct address a;
	uint32_t i, nr;
	int err;

	for (i = 0; i < churn.updates; i++) {
		nr = rand_r(&seed) % NR_PREFIXES;
		if (!is_stable(nr) && rand_r(&seed) % 2) {
			address_of(&a, &churn.prefixes[nr]);
			err = bm_delete(churn.map, &a);
			if (err && err != -ENOENT)
				churn_wrong("delete");
		} else if (churn_set(nr, i)) {
			churn_wrong("update");
		}
	}
	__atomic_sub_fetch(&churn.running, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* The number of the prefix that a value is of, or -1 if it is none as a whole. */
static int value_nr(const uint32_t *value)
{
	uint32_t i;

	for (i = 1; i < churn.value_size / 4; i++) {
		if (value[i] != value[0])
			return -1;
	}
	return value[0] >> 16 < NR_PREFIXES ? (int)(value[0] >> 16) : -1;
}

/* Of a random address: at least as long a prefix is found as the longest that is always there. */
static const char *read_one(unsigned int *seed)
{
	uint32_t value[VALUE_MAX / 4], i;
	struct address a;
	struct key key;
	int nr;

	random_address(&key, seed);
	address_of(&a, &key);
	if (bm_lookup(churn.map, &a, value))
		return "look-up";
	nr = value_nr(value);
	if (nr < 0)
		return "torn value";
	if (!covers(&churn.prefixes[nr], &key))
		return "value of another key";
	for (i = 0; i < NR_PREFIXES; i += 4) {
		if (churn.prefixes[i].len > churn.prefixes[nr].len &&
		    covers(&churn.prefixes[i], &key))
			return "not the longest prefix";
	}
	return NULL;
}

/* Behind one that is always there comes nothing that is behind the next such one. */
static const char *next_one(unsigned int *seed)
{
	uint32_t nr = rand_r(seed) % (NR_PREFIXES / 4) * 4, i;
	const struct key *stable = NULL;
	struct address a, next;
	struct key key = { };
	int err;

	for (i = 0; i < NR_PREFIXES; i += 4) {
		if (order(&churn.prefixes[i], &churn.prefixes[nr]) > 0 &&
		    (!stable || order(&churn.prefixes[i], stable) < 0))
			stable = &churn.prefixes[i];
	}
	address_of(&a, &churn.prefixes[nr]);
	err = bm_next(churn.map, &a, &next);
	if (err)
		return stable || err != -ENOENT ? "next key" : NULL;
	if (!stable)
		return "key behind the last one";
	key.len = next.len;
	memcpy(key.data, next.data, sizeof(next.data));
	if (order(&key, &churn.prefixes[nr]) <= 0)
		return "next key that is none";
	return order(&key, stable) > 0 ? "next key that is too far" : NULL;
}

/* In one chunk all keys come in order, and those that are always there come. */
static const char *dump_one(void)
{
	static __thread uint32_t values[NR_PREFIXES][VALUE_MAX / 4];
	static __thread struct address keys[NR_PREFIXES];
	struct address last;
	struct bpfmaps_batch_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.out_batch = (uintptr_t)&last,
		.keys = (uintptr_t)keys,
		.values = (uintptr_t)values,
		.count = NR_PREFIXES,
	};
	unsigned int stable = 0;
	struct key key, before;
	uint32_t i;
	int err, nr;

	err = bm_call(churn.map, BPFMAPS_MAP_LOOKUP_BATCH, &attr, sizeof(attr));
	if (err && err != -ENOENT)
		return "batch";
	for (i = 0; i < attr.count; i++) {
		memset(&key, 0, sizeof(key));
		key.len = keys[i].len;
		memcpy(key.data, keys[i].data, sizeof(keys[i].data));
		nr = churn_find(&key, NR_PREFIXES);
		if (nr < 0 || value_nr((void *)values + i * churn.value_size) != nr)
			return "key and value of a batch";
		if (i && order(&before, &key) >= 0)
			return "order of a batch";
		stable += is_stable(nr);
		before = key;
	}
	return stable == NR_PREFIXES / 4 ? NULL : "batch without one that is there";
}

static void *churn_reader(void *arg)
{
	bool one_chunk = NR_PREFIXES * (churn.value_size + 8) < 16384;
	unsigned int seed = (uintptr_t)arg, reads = 0;
	const char *what;

	do {
		what = read_one(&seed) ?: next_one(&seed);
		if (!what && one_chunk && reads % 16 == 0)
			what = dump_one();
		if (what)
			churn_wrong(what);
		reads++;
	} while (__atomic_load_n(&churn.running, __ATOMIC_ACQUIRE));
	__atomic_add_fetch(&churn.reads, reads, __ATOMIC_RELAXED);
	return NULL;
}

static void churn_run(void)
{
	pthread_t threads[NR_WRITERS + NR_READERS];
	uintptr_t i;

	for (i = 0; i < NR_PREFIXES; i += 4) {
		if (churn_set(i, 0))
			churn_wrong("update");
	}
	churn.running = NR_WRITERS;
	for (i = 0; i < NR_WRITERS + NR_READERS; i++)
		pthread_create(&threads[i], NULL, i < NR_WRITERS ? churn_writer : churn_reader,
			       (void *)(i + 1));
	for (i = 0; i < NR_WRITERS + NR_READERS; i++)
		pthread_join(threads[i], NULL);
}

TEST_F(model, readers_beside_writers)
{
	static const uint32_t sizes[] = { 4, 8, 24, 156, 256, 260, VALUE_MAX };
	size_t i;

	churn_make_prefixes();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		churn.value_size = sizes[i];
		churn.updates = scaled(12000);
		churn.wrong = 0;
		churn.reads = 0;
		churn.map = bm_create(self->dev, BPFMAPS_TYPE_LPM_TRIE, 8, sizes[i], NR_PREFIXES,
				      BPFMAPS_F_NO_PREALLOC);
		ASSERT_LE(0, churn.map);
		churn_run();
		printf("# values of %u bytes: %u updates, %u reads, %u wrong\n", sizes[i],
		       NR_WRITERS * churn.updates, churn.reads, churn.wrong);
		fflush(stdout);
		EXPECT_EQ(0, churn.wrong)
			TH_LOG("%s", churn.what);
		EXPECT_LT(0, churn.reads);
		close(churn.map);
	}
}

TEST_HARNESS_MAIN
