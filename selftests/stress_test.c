// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads do everything that there is with the elements of one map, of each type that has
 * keys and values: look-ups, updates, deletion, iteration, and all batches. Meanwhile each value
 * has to be a whole one, of its key, and not older than what the thread has seen before; and when
 * all is quiet the map has to have what a model of it says.
 *
 * Keys with an even number are inserted, replaced and removed in ways whose results say whether the
 * key was there: what was inserted more often than removed is there at the end. The others are set
 * and removed in any way.
 */
#include <kselftest_harness.h>

#include "shape.h"
#include "stress.h"

#define KEYS		24
#define PLACES		16
#define KEY_MAX		8

enum kind { OTHER, ARRAY, HASH, LRU, TRIE };

/* A type that is not here holds no values by keys: its stress is elsewhere. */
static enum kind kind_of(uint32_t type)
{
	switch (type) {
	case BPFMAPS_TYPE_ARRAY:
	case BPFMAPS_TYPE_PERCPU_ARRAY:
		return ARRAY;
	case BPFMAPS_TYPE_HASH:
	case BPFMAPS_TYPE_PERCPU_HASH:
		return HASH;
	case BPFMAPS_TYPE_LRU_HASH:
	case BPFMAPS_TYPE_LRU_PERCPU_HASH:
		return LRU;
	case BPFMAPS_TYPE_LPM_TRIE:
		return TRIE;
	default:
		return OTHER;
	}
}

static bool is_percpu(uint32_t type)
{
	return type == BPFMAPS_TYPE_PERCPU_ARRAY || type == BPFMAPS_TYPE_PERCPU_HASH ||
	       type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

/**
 * struct subject - a map and the model of it
 * @fd: the map
 * @type: its type
 * @kind: what it is like
 * @flags: of the map
 * @value_size: of one value
 * @cpus: how many values an element has
 * @max: max_entries
 * @net: how often a key was inserted, less how often it was removed
 * @written: the count of each writer, set before the value is written
 * @operations: how many calls were made
 */
struct subject {
	int fd;
	uint32_t type;
	enum kind kind;
	uint32_t flags;
	uint32_t value_size;
	uint32_t cpus;
	uint32_t max;
	int net[KEYS];
	uint32_t written[STRESS_THREADS + 1];
	unsigned long operations;
};

/**
 * struct worker - a thread
 * @s: the map
 * @nr: its number as a writer
 * @seed: of its dice
 * @rounds: how many operations it does
 * @seen: for each key and writer the count of the newest value
 * @keys: room for keys of a batch
 * @values: room for values of a batch
 */
struct worker {
	struct subject *s;
	uint32_t nr;
	uint32_t seed;
	uint32_t rounds;
	uint32_t seen[KEYS][STRESS_THREADS + 1];
	unsigned char *keys;
	unsigned char *values;
};

static uint32_t key_size(const struct subject *s)
{
	return s->kind == TRIE ? 8 : 4;
}

static uint32_t io_size(const struct subject *s)
{
	return s->value_size * s->cpus;
}

/* In a trie the keys are chains of four, each the prefix of the next. */
static void key_make(const struct subject *s, void *key, uint32_t nr)
{
	uint32_t prefix[2] = { 8 + nr % 4 * 8, nr / 4 * 0x01010101 };

	if (s->kind == TRIE)
		memcpy(key, prefix, sizeof(prefix));
	else
		memcpy(key, &nr, sizeof(nr));
}

/* The number of a key, or KEYS if there is none like it. */
static uint32_t key_number(const struct subject *s, const void *key)
{
	unsigned char want[KEY_MAX];
	uint32_t nr;

	for (nr = 0; nr < KEYS; nr++) {
		key_make(s, want, nr);
		if (!memcmp(want, key, key_size(s)))
			break;
	}
	return nr;
}

/* A trie may give the value of a prefix. */
static bool key_is_for(const struct subject *s, uint32_t key, uint32_t asked)
{
	if (s->kind == TRIE)
		return key / 4 == asked / 4 && key <= asked;
	return key == asked;
}

/* The stamp of a value, which all CPUs have; 0 if it is none, or nobody has written it yet. */
static uint64_t value_stamp(const struct subject *s, const unsigned char *value, uint32_t asked)
{
	uint64_t stamp = stress_stamp(value, s->value_size);
	uint32_t i, writer = STRESS_WRITER(stamp);

	for (i = 1; i < s->cpus; i++)
		if (memcmp(value, value + i * s->value_size, s->value_size))
			return 0;
	if (writer > STRESS_THREADS || STRESS_KEY(stamp) >= KEYS ||
	    !key_is_for(s, STRESS_KEY(stamp), asked) || !STRESS_COUNT(stamp) ||
	    STRESS_COUNT(stamp) > __atomic_load_n(&s->written[writer], __ATOMIC_ACQUIRE))
		return 0;
	return stamp;
}

static bool is_zero(const unsigned char *value, uint32_t size)
{
	return !value[0] && !memcmp(value, value + 1, size - 1);
}

static void check_value(struct worker *w, const unsigned char *value, uint32_t asked)
{
	const struct subject *s = w->s;
	uint64_t stamp;
	uint32_t *seen;

	if (asked >= KEYS) {
		stress_fail("type %u: a key that nobody has set", s->type);
		return;
	}
	stamp = value_stamp(s, value, asked);
	if (!stamp) {
		stress_fail("type %u, values of %u: no value of key %u: %#llx", s->type,
			    s->value_size, asked, *(const unsigned long long *)value);
		return;
	}
	seen = &w->seen[STRESS_KEY(stamp)][STRESS_WRITER(stamp)];
	if (STRESS_COUNT(stamp) < *seen)
		stress_fail("type %u: key %u goes back from %u to %u", s->type, asked, *seen,
			    STRESS_COUNT(stamp));
	*seen = STRESS_COUNT(stamp);
}

/* The next value of this writer for a key. */
static void make_value(struct worker *w, void *value, uint32_t key)
{
	struct subject *s = w->s;
	uint32_t i, count = s->written[w->nr] + 1;

	__atomic_store_n(&s->written[w->nr], count, __ATOMIC_RELEASE);
	for (i = 0; i < s->cpus; i++)
		stress_fill((char *)value + i * s->value_size, s->value_size,
			    STRESS_STAMP(key, w->nr, count));
}

static bool is_full(const struct subject *s, int ret)
{
	return (s->kind == HASH && ret == -E2BIG) || (s->kind == TRIE && ret == -ENOSPC);
}

static void count_key(struct subject *s, uint32_t key, int change)
{
	__atomic_fetch_add(&s->net[key], change, __ATOMIC_RELAXED);
}

static void unusual(const struct subject *s, const char *what, int ret)
{
	stress_fail("type %u: %s: %d", s->type, what, ret);
}

/* Keys with an even number are inserted or replaced, so that it is known which. */
static void do_update(struct worker *w, uint32_t nr)
{
	static const uint64_t all_flags[] = { BPFMAPS_NOEXIST, BPFMAPS_EXIST };
	struct subject *s = w->s;
	uint64_t flags = BPFMAPS_ANY;
	unsigned char key[KEY_MAX];
	int ret;

	if (s->kind != ARRAY && nr % 2 == 0)
		flags = all_flags[stress_dice(&w->seed, 2)];
	key_make(s, key, nr);
	make_value(w, w->values, nr);
	ret = bm_update(s->fd, key, w->values, flags);
	if (!ret && flags == BPFMAPS_NOEXIST)
		count_key(s, nr, 1);
	if (ret && !(flags == BPFMAPS_NOEXIST && ret == -EEXIST) &&
	    !(flags == BPFMAPS_EXIST && ret == -ENOENT) &&
	    !(flags != BPFMAPS_EXIST && is_full(s, ret)))
		unusual(s, "update", ret);
}

static void do_lookup(struct worker *w, uint32_t nr)
{
	unsigned char key[KEY_MAX];
	int ret;

	key_make(w->s, key, nr);
	ret = bm_lookup(w->s->fd, key, w->values);
	if (!ret && !(w->s->kind == ARRAY && is_zero(w->values, io_size(w->s))))
		check_value(w, w->values, nr);
	else if (ret && (ret != -ENOENT || w->s->kind == ARRAY))
		unusual(w->s, "look-up", ret);
}

static void do_delete(struct worker *w, uint32_t nr)
{
	unsigned char key[KEY_MAX];
	int ret;

	key_make(w->s, key, nr);
	ret = bm_delete(w->s->fd, key);
	if (!ret)
		count_key(w->s, nr, -1);
	else if (ret != (w->s->kind == ARRAY ? -EINVAL : -ENOENT))
		unusual(w->s, "delete", ret);
}

static void do_take(struct worker *w, uint32_t nr)
{
	const bool known = w->s->kind == HASH || w->s->kind == LRU;
	unsigned char key[KEY_MAX];
	int ret;

	key_make(w->s, key, nr);
	ret = bm_elem(w->s->fd, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, key, w->values, 0);
	if (!ret && known) {
		count_key(w->s, nr, -1);
		check_value(w, w->values, nr);
	} else if (ret != (known ? -ENOENT : -ENOTSUPP)) {
		unusual(w->s, "look-up and delete", ret);
	}
}

/* Some steps of a walk; a key that is removed meanwhile sends it back to the start. */
static void do_walk(struct worker *w, uint32_t nr)
{
	unsigned char key[KEY_MAX], next[KEY_MAX];
	uint32_t i, steps = stress_dice(&w->seed, 8);
	int ret = 0;

	key_make(w->s, key, nr);
	for (i = 0; i < steps && !ret; i++) {
		ret = bm_next(w->s->fd, key, next);
		if (!ret && key_number(w->s, next) == KEYS)
			stress_fail("type %u: next is a key that nobody has set", w->s->type);
		memcpy(key, next, key_size(w->s));
	}
	if (ret && ret != -ENOENT)
		unusual(w->s, "next key", ret);
}

static int batch(struct worker *w, unsigned int cmd, void *cursor, uint32_t *count)
{
	static __thread unsigned char out[KEY_MAX];
	struct bpfmaps_batch_attr a = {
		.in_batch = (unsigned long)cursor,
		.out_batch = (unsigned long)(cursor ? cursor : out),
		.keys = (unsigned long)w->keys,
		.values = (unsigned long)w->values,
		.count = *count,
		.map_fd = BPFMAPS_SELF,
	};
	int ret;

	if (cmd == BPFMAPS_MAP_UPDATE_BATCH || cmd == BPFMAPS_MAP_DELETE_BATCH) {
		a.in_batch = 0;
		a.out_batch = 0;
	}
	ret = bm_call(w->s->fd, cmd, &a, sizeof(a));
	*count = a.count;
	return ret;
}

/* Checks what has come, and takes note of it if it is gone from the map. */
static void check_batch(struct worker *w, uint32_t count, bool taken)
{
	const struct subject *s = w->s;
	const unsigned char *value = w->values;
	uint32_t i, nr;

	for (i = 0; i < count; i++, value += io_size(s)) {
		nr = key_number(s, w->keys + i * key_size(s));
		if (s->kind == ARRAY && nr < KEYS && is_zero(value, io_size(s)))
			continue;
		check_value(w, value, nr);
		if (taken && nr < KEYS)
			count_key(w->s, nr, -1);
	}
}

static void do_lookup_batch(struct worker *w, uint32_t nr)
{
	uint32_t count = 1 + nr;
	int ret = batch(w, BPFMAPS_MAP_LOOKUP_BATCH, NULL, &count);

	if (ret && ret != -ENOENT && !(ret == -ENOSPC && w->s->kind != ARRAY))
		unusual(w->s, "look-up in a batch", ret);
	check_batch(w, count, false);
}

static void do_take_batch(struct worker *w, uint32_t nr)
{
	const bool known = w->s->kind == HASH || w->s->kind == LRU;
	uint32_t count = 1 + nr % 4;
	int ret = batch(w, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, NULL, &count);

	if (known) {
		if (ret && ret != -ENOENT && ret != -ENOSPC)
			unusual(w->s, "look-up and delete in a batch", ret);
		check_batch(w, count, true);
	} else if (ret != -ENOTSUPP) {
		unusual(w->s, "look-up and delete in a batch", ret);
	}
}

/* Only keys with an odd number: a batch does not say whether a key was there. */
static void do_update_batch(struct worker *w, uint32_t nr)
{
	struct subject *s = w->s;
	uint32_t i, key, count = 1 + nr % 6;
	int ret;

	for (i = 0; i < count; i++) {
		key = stress_dice(&w->seed, KEYS) | 1;
		key_make(s, w->keys + i * key_size(s), key);
		make_value(w, w->values + i * io_size(s), key);
	}
	ret = batch(w, BPFMAPS_MAP_UPDATE_BATCH, NULL, &count);
	if (ret && !is_full(s, ret))
		unusual(s, "update in a batch", ret);
}

/* It ends at the first key that is not there. */
static void do_delete_batch(struct worker *w, uint32_t nr)
{
	struct subject *s = w->s;
	uint32_t i, wanted = 1 + nr % 6, count = wanted;
	int ret;

	for (i = 0; i < wanted; i++)
		key_make(s, w->keys + i * key_size(s), (nr + i) % KEYS);
	ret = batch(w, BPFMAPS_MAP_DELETE_BATCH, NULL, &count);
	if (s->kind == ARRAY) {
		if (ret != -ENOTSUPP)
			unusual(s, "delete in a batch", ret);
		return;
	}
	if ((ret && ret != -ENOENT) || (!ret && count != wanted) || count > wanted)
		unusual(s, "delete in a batch", ret);
	for (i = 0; i < count; i++)
		count_key(s, (nr + i) % KEYS, -1);
}

static void *work(void *arg)
{
	static void (*const all[])(struct worker *w, uint32_t nr) = {
		do_update, do_update, do_update, do_update, do_lookup, do_lookup, do_lookup,
		do_delete, do_take, do_walk, do_lookup_batch, do_take_batch, do_update_batch,
		do_delete_batch,
	};
	struct worker *w = arg;
	uint32_t i;

	for (i = 0; i < w->rounds; i++)
		all[stress_dice(&w->seed, ARRAY_SIZE(all))](w, stress_dice(&w->seed, KEYS));
	__atomic_fetch_add(&w->s->operations, w->rounds, __ATOMIC_RELAXED);
	return NULL;
}

/* Nobody else is at work: which keys a walk meets, and how many. */
static uint32_t walk_all(const struct subject *s, bool *met)
{
	unsigned char key[KEY_MAX], next[KEY_MAX];
	uint32_t nr, count = 0;

	while (count <= KEYS && !bm_next(s->fd, count ? key : NULL, next)) {
		nr = key_number(s, next);
		if (nr == KEYS || met[nr])
			stress_fail("type %u: a walk meets key %u again", s->type, nr);
		else
			met[nr] = true;
		memcpy(key, next, key_size(s));
		count++;
	}
	return count;
}

/* The same of a batch: all that is there, once, and a value each that is a whole one. */
static uint32_t collect_all(struct worker *w, bool *met)
{
	uint32_t i, nr, count = KEYS;
	int ret = batch(w, BPFMAPS_MAP_LOOKUP_BATCH, NULL, &count);

	if (ret != -ENOENT && !(!ret && count == KEYS))
		unusual(w->s, "batch of all", ret);
	check_batch(w, count, false);
	for (i = 0; i < count; i++) {
		nr = key_number(w->s, w->keys + i * key_size(w->s));
		if (nr == KEYS || met[nr])
			stress_fail("type %u: a batch has key %u again", w->s->type, nr);
		else
			met[nr] = true;
	}
	return count;
}

/* Whether the key has a value of its own, not that of a prefix. */
static bool has_key(struct worker *w, uint32_t nr)
{
	unsigned char key[KEY_MAX];

	key_make(w->s, key, nr);
	if (bm_lookup(w->s->fd, key, w->values))
		return false;
	return w->s->kind != TRIE || STRESS_KEY(stress_stamp(w->values, w->s->value_size)) == nr;
}

static void check_model(struct worker *w)
{
	bool walked[KEYS] = { 0 }, collected[KEYS] = { 0 };
	const struct subject *s = w->s;
	uint32_t nr, count = walk_all(s, walked);

	if (count != collect_all(w, collected) || count > s->max)
		stress_fail("type %u: %u elements of %u", s->type, count, s->max);
	for (nr = 0; nr < KEYS; nr++) {
		do_lookup(w, nr);
		if (walked[nr] != collected[nr] || walked[nr] != has_key(w, nr))
			stress_fail("type %u: key %u: walk %d, batch %d, look-up %d", s->type, nr,
				    walked[nr], collected[nr], has_key(w, nr));
		if ((s->kind == HASH || s->kind == TRIE) && nr % 2 == 0 && s->net[nr] != walked[nr])
			stress_fail("type %u: key %u was inserted %d times more than removed",
				    s->type, nr, s->net[nr]);
	}
}

/* No place was lost, and none is there twice. */
static void check_places(struct worker *w)
{
	const struct subject *s = w->s;
	unsigned char key[KEY_MAX];
	uint32_t nr, present = 0;
	int ret;

	for (nr = 0; nr < KEYS && s->kind != ARRAY; nr++) {
		key_make(s, key, nr);
		ret = bm_delete(s->fd, key);
		if (ret && ret != -ENOENT)
			unusual(s, "the last delete", ret);
	}
	for (nr = 0; nr < s->max; nr++) {
		key_make(s, key, nr);
		make_value(w, w->values, nr);
		ret = bm_update(s->fd, key, w->values, BPFMAPS_ANY);
		if (ret)
			unusual(s, "the last update", ret);
	}
	key_make(s, key, nr);
	ret = nr < KEYS ? bm_update(s->fd, key, w->values, BPFMAPS_ANY) : 0;
	if (s->kind != LRU && nr < KEYS && !is_full(s, ret))
		unusual(s, "one more update", ret);
	for (nr = 0; nr < KEYS; nr++)
		present += has_key(w, nr);
	if (present != s->max && !(s->flags & BPFMAPS_F_NO_COMMON_LRU && present < s->max))
		stress_fail("type %u: %u elements where %u fit", s->type, present, s->max);
}

/* Several times all at once, each followed by a look at what is there. */
static void stress(struct subject *s)
{
	struct worker w[STRESS_THREADS + 1] = { 0 };
	uint32_t i, phase;

	for (i = 0; i <= STRESS_THREADS; i++)
		w[i] = (struct worker) {
			.s = s, .nr = i, .seed = 100 * s->value_size + i, .rounds = scaled(700),
			.keys = malloc(KEYS * KEY_MAX), .values = malloc(KEYS * io_size(s)),
		};
	for (phase = 0; phase < 3; phase++) {
		stress_run(work, w, sizeof(w[0]));
		check_model(&w[STRESS_THREADS]);
	}
	check_places(&w[STRESS_THREADS]);
	for (i = 0; i <= STRESS_THREADS; i++) {
		free(w[i].keys);
		free(w[i].values);
	}
}

FIXTURE(type) {
	int dev;
};

FIXTURE_TYPES(type, kind_of(type_types[i].number) != OTHER)

FIXTURE_SETUP(type)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(type)
{
	close(self->dev);
}

/* The flags that make another thing of the map; 0 at the end. */
static uint32_t more_flags(enum kind kind, unsigned int nr)
{
	if (nr == 0)
		return kind == TRIE ? BPFMAPS_F_NO_PREALLOC : 0;
	if (kind == HASH)
		return BPFMAPS_F_NO_PREALLOC;
	return kind == LRU ? BPFMAPS_F_NO_COMMON_LRU : 0;
}

static struct subject make_subject(uint32_t type, uint32_t value_size, uint32_t flags)
{
	return (struct subject) {
		.type = type,
		.kind = kind_of(type),
		.flags = flags,
		.value_size = value_size,
		.cpus = is_percpu(type) ? sysconf(_SC_NPROCESSORS_CONF) : 1,
		.max = kind_of(type) == ARRAY ? KEYS : PLACES,
	};
}

/* Values of one word, of some, and so large that a hash replaces the element and an array locks. */
TEST_F(type, elements_under_stress)
{
	static const uint32_t sizes[] = { 8, 24, 1000, 5000 };
	const enum kind kind = kind_of(variant->number);
	struct bpfmaps_map_info info;
	unsigned long operations = 0;
	struct subject s;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		if (i % 2 && !more_flags(kind, 1))
			continue;
		s = make_subject(variant->number, sizes[i / 2], more_flags(kind, i % 2));
		s.fd = bm_create(self->dev, s.type, key_size(&s), s.value_size, s.max, s.flags);
		ASSERT_LE(0, s.fd);
		ASSERT_EQ(0, bm_info(s.fd, &info));
		s.max = info.max_entries;
		stress(&s);
		operations += s.operations;
		close(s.fd);
	}
	EXPECT_EQ(0, stress_failures);
	printf("# total: %s: %lu operations on elements survived\n", variant->name, operations);
	fflush(stdout);
}

TEST_HARNESS_MAIN
