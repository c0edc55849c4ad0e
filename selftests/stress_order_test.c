// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads push to and pop from one QUEUE or STACK, peek at what is next, and push out what
 * is oldest: each value comes out whole, and once, and from a queue in the order of its writer.
 * Several threads add to one BLOOM_FILTER, and what was added is found.
 */
#include <sched.h>

#include <kselftest_harness.h>

#include "stress.h"

#define ROUNDS		scaled(4000)
#define PLACES		8
#define BATCH		4

/**
 * struct subject - a map and the model of it
 * @fd: the map
 * @type: its type
 * @value_size: of a value
 * @force: values are pushed out
 * @pushed: how many values each writer has pushed
 * @tried: the count of the newest value of each writer, set before it is pushed
 * @out: for each writer, by count, how often the value has come out
 */
struct subject {
	int fd;
	uint32_t type;
	uint32_t value_size;
	bool force;
	uint32_t pushed[STRESS_THREADS];
	uint32_t tried[STRESS_THREADS];
	unsigned char *out[STRESS_THREADS];
};

/**
 * struct worker - a thread
 * @s: the map
 * @nr: its number as a writer
 * @seed: of its dice
 * @forced: how often it may have pushed a value out
 * @popped: how many values it has taken out
 * @last: for each writer the count of what was popped last
 * @operations: how many calls it made
 * @value: room for some values
 */
struct worker {
	struct subject *s;
	uint32_t nr;
	uint32_t seed;
	uint32_t forced;
	uint32_t popped;
	uint32_t last[STRESS_THREADS];
	uint32_t operations;
	unsigned char *value;
};

static bool value_is_known(const struct subject *s, uint64_t stamp)
{
	uint32_t writer = STRESS_WRITER(stamp);

	return stamp && writer < STRESS_THREADS && STRESS_KEY(stamp) == s->type &&
	       STRESS_COUNT(stamp) <= __atomic_load_n(&s->tried[writer], __ATOMIC_ACQUIRE);
}

static void check_popped(struct worker *w, const unsigned char *value)
{
	struct subject *s = w->s;
	uint64_t stamp = stress_stamp(value, s->value_size);
	uint32_t count = STRESS_COUNT(stamp), writer = STRESS_WRITER(stamp);

	if (!value_is_known(s, stamp)) {
		stress_fail("type %u: popped %#llx", s->type, (unsigned long long)stamp);
		return;
	}
	if (__atomic_fetch_add(&s->out[writer][count], 1, __ATOMIC_RELAXED))
		stress_fail("type %u: value %u of %u was popped twice", s->type, count, writer);
	if (s->type == BPFMAPS_TYPE_QUEUE && count < w->last[writer])
		stress_fail("value %u of %u came after %u", count, writer, w->last[writer]);
	w->last[writer] = count;
	w->popped++;
}

static void next_value(struct worker *w, unsigned char *value)
{
	struct subject *s = w->s;
	uint32_t count = s->tried[w->nr] + 1;

	__atomic_store_n(&s->tried[w->nr], count, __ATOMIC_RELEASE);
	stress_fill(value, s->value_size, STRESS_STAMP(s->type, w->nr, count));
}

static int batch(struct worker *w, unsigned int cmd, uint32_t *count)
{
	struct bpfmaps_batch_attr a = {
		.values = (unsigned long)w->value, .count = *count, .map_fd = BPFMAPS_SELF,
	};
	int ret = bm_call(w->s->fd, cmd, &a, sizeof(a));

	*count = a.count;
	return ret;
}

static void push(struct worker *w, uint64_t flags)
{
	struct subject *s = w->s;
	int ret;

	next_value(w, w->value);
	ret = bm_update(s->fd, NULL, w->value, flags);
	s->pushed[w->nr] += !ret;
	w->forced += flags == BPFMAPS_EXIST;
	if (ret && (ret != -E2BIG || flags == BPFMAPS_EXIST))
		stress_fail("type %u: pushing: %d", s->type, ret);
}

static void push_many(struct worker *w)
{
	struct subject *s = w->s;
	uint32_t i, wanted = 1 + stress_dice(&w->seed, BATCH), count = wanted;
	int ret;

	for (i = 0; i < wanted; i++)
		next_value(w, w->value + i * s->value_size);
	ret = batch(w, BPFMAPS_MAP_UPDATE_BATCH, &count);
	s->pushed[w->nr] += count;
	if (ret ? ret != -E2BIG || count >= wanted : count != wanted)
		stress_fail("type %u: pushing %u of %u: %d", s->type, count, wanted, ret);
}

static void pop(struct worker *w)
{
	int ret = bm_elem(w->s->fd, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL, w->value, 0);

	if (!ret)
		check_popped(w, w->value);
	else if (ret != -ENOENT)
		stress_fail("type %u: popping: %d", w->s->type, ret);
}

static void pop_many(struct worker *w)
{
	uint32_t i, wanted = 1 + stress_dice(&w->seed, BATCH), count = wanted;
	int ret = batch(w, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &count);

	for (i = 0; i < count && i < wanted; i++)
		check_popped(w, w->value + i * w->s->value_size);
	if (ret ? ret != -ENOENT || count >= wanted : count != wanted)
		stress_fail("type %u: popping %u of %u: %d", w->s->type, count, wanted, ret);
}

static void peek(struct worker *w)
{
	int ret = bm_lookup(w->s->fd, NULL, w->value);
	uint64_t stamp = stress_stamp(w->value, w->s->value_size);

	if (ret ? ret != -ENOENT : !value_is_known(w->s, stamp))
		stress_fail("type %u: peeking: %d, %#llx", w->s->type, ret,
			    (unsigned long long)stamp);
}

static void *push_and_pop(void *arg)
{
	struct worker *w = arg;
	uint32_t i, rounds = ROUNDS;

	for (i = 0; i < rounds; i++) {
		switch (stress_dice(&w->seed, 8)) {
		case 0:
			push(w, w->s->force ? BPFMAPS_EXIST : BPFMAPS_ANY);
			break;
		case 1:
		case 2:
			push(w, BPFMAPS_ANY);
			break;
		case 3:
			peek(w);
			break;
		case 4:
			push_many(w);
			break;
		case 5:
			pop_many(w);
			break;
		default:
			pop(w);
		}
	}
	w->operations += rounds;
	return NULL;
}

/* What went in has come out, or was pushed out; and there is room for as much as at the start. */
static void check_sum(struct subject *s, struct worker *w)
{
	uint32_t i, pushed = 0, popped = 0, forced = 0, before = w->popped;

	while (w->popped <= before + PLACES && !bm_lookup(s->fd, NULL, w->value))
		pop(w);
	if (w->popped > before + PLACES)
		stress_fail("type %u: more than %u values were left", s->type, PLACES);
	for (i = 0; i < STRESS_THREADS; i++) {
		pushed += s->pushed[i];
		popped += w[i].popped;
		forced += w[i].forced;
	}
	if (popped > pushed || pushed - popped > forced)
		stress_fail("type %u: %u pushed, %u popped, at most %u pushed out", s->type, pushed,
			    popped, forced);
	for (i = 0; i <= PLACES; i++)
		if (bm_update(s->fd, NULL, w->value, BPFMAPS_ANY) != (i < PLACES ? 0 : -E2BIG))
			stress_fail("type %u: push %u into the empty map", s->type, i);
}

static uint32_t stress(struct subject *s)
{
	struct worker w[STRESS_THREADS];
	uint32_t i, operations = 0;

	for (i = 0; i < STRESS_THREADS; i++) {
		w[i] = (struct worker) {
			.s = s, .nr = i, .seed = s->value_size + i,
			.value = malloc(BATCH * s->value_size),
		};
		s->out[i] = calloc(BATCH * ROUNDS + 1, 1);
	}
	stress_run(push_and_pop, w, sizeof(w[0]));
	check_sum(s, w);
	for (i = 0; i < STRESS_THREADS; i++) {
		operations += w[i].operations;
		free(w[i].value);
		free(s->out[i]);
	}
	return operations;
}

FIXTURE(map) {
	int dev;
};

FIXTURE_SETUP(map)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(map)
{
	close(self->dev);
}

static const uint32_t sizes[] = { 8, 40, 5000 };

TEST_F(map, push_and_pop)
{
	static const struct {
		uint32_t number;
		const char *name;
	} types[] = { { BPFMAPS_TYPE_QUEUE, "queue" }, { BPFMAPS_TYPE_STACK, "stack" } };
	unsigned long operations;
	struct subject s;
	size_t i, t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		operations = 0;
		for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
			s = (struct subject) {
				.type = types[t].number, .value_size = sizes[i / 2], .force = i % 2,
			};
			s.fd = bm_create(self->dev, s.type, 0, s.value_size, PLACES, 0);
			ASSERT_LE(0, s.fd);
			operations += stress(&s);
			close(s.fd);
		}
		EXPECT_EQ(0, stress_failures);
		printf("# total: %s: %lu operations on values survived\n", types[t].name,
		       operations);
		fflush(stdout);
	}
}

/* Half of the threads add values, the other half asks for what these have added. */
static void *add_and_test(void *arg)
{
	struct worker *w = arg;
	struct subject *s = w->s;
	uint32_t rounds = ROUNDS, other = w->nr - STRESS_THREADS / 2, known;
	int ret;

	for (; w->operations < rounds; w->operations++) {
		if (w->nr < STRESS_THREADS / 2) {
			stress_fill(w->value, s->value_size,
				    STRESS_STAMP(s->type, w->nr, w->operations + 1));
			ret = bm_update(s->fd, NULL, w->value, BPFMAPS_ANY);
			__atomic_store_n(&s->pushed[w->nr], w->operations + 1, __ATOMIC_RELEASE);
		} else {
			while (!(known = __atomic_load_n(&s->pushed[other], __ATOMIC_ACQUIRE)))
				sched_yield();
			stress_fill(w->value, s->value_size,
				    STRESS_STAMP(s->type, other,
						 1 + stress_dice(&w->seed, known)));
			ret = bm_lookup(s->fd, NULL, w->value);
		}
		if (ret)
			stress_fail("bloom filter, thread %u: %d", w->nr, ret);
	}
	return NULL;
}

/* How many of the values of @writer are said to be there. */
static uint32_t count_known(struct subject *s, unsigned char *value, uint32_t writer)
{
	uint32_t i, known = 0;

	for (i = 1; i <= ROUNDS; i++) {
		stress_fill(value, s->value_size, STRESS_STAMP(s->type, writer, i));
		known += !bm_lookup(s->fd, NULL, value);
	}
	return known;
}

/* All that was added is there, and of what was not added little: the filter is not full of ones. */
TEST_F(map, bloom_filter)
{
	struct worker w[STRESS_THREADS];
	unsigned char *value = malloc(sizes[ARRAY_SIZE(sizes) - 1]);
	unsigned long operations = 0;
	uint32_t strange, n;
	struct subject s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		s = (struct subject) { .type = BPFMAPS_TYPE_BLOOM_FILTER, .value_size = sizes[i] };
		s.fd = bm_create(self->dev, s.type, 0, s.value_size, 2 * ROUNDS, 0);
		ASSERT_LE(0, s.fd);
		for (n = 0; n < STRESS_THREADS; n++)
			w[n] = (struct worker) {
				.s = &s, .nr = n, .seed = n, .value = malloc(s.value_size),
			};
		stress_run(add_and_test, w, sizeof(w[0]));
		EXPECT_EQ(ROUNDS, count_known(&s, value, 0));
		EXPECT_EQ(ROUNDS, count_known(&s, value, 1));
		strange = count_known(&s, value, STRESS_THREADS);
		EXPECT_GT(ROUNDS / 5, strange);
		for (n = 0; n < STRESS_THREADS; n++) {
			operations += w[n].operations;
			free(w[n].value);
		}
		close(s.fd);
	}
	EXPECT_EQ(0, stress_failures);
	free(value);
	printf("# total: bloom_filter: %lu operations on values survived\n", operations);
	fflush(stdout);
}

TEST_HARNESS_MAIN
