// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps of each type that come and go while others use them: descriptors closed under calls,
 * freezing while others write and map, pins that hold the last reference, inner maps replaced under
 * readers.
 */
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <kselftest_harness.h>

#include "shape.h"
#include "stress.h"

#define PLACES		16
#define PAGE		4096
#define HERE		BM_PINS "/life"
#define VALUE_MAX	(8 * 64)

/* The descriptor that is opened and closed while others use it. */
#define SLOT		300

static bool holds_maps(uint32_t type)
{
	return type == BPFMAPS_TYPE_ARRAY_OF_MAPS || type == BPFMAPS_TYPE_HASH_OF_MAPS;
}

/**
 * struct subject - a type, and what its maps are made of
 * @dev: the device
 * @inner: template of maps that hold maps
 * @inner_id: its id
 * @shape: of the maps
 */
struct subject {
	int dev;
	int inner;
	uint32_t inner_id;
	struct bpfmaps_create_attr shape;
};

/* A map of @type that has 16 places, or where there are none, a page. */
static struct bpfmaps_create_attr shape_of(uint32_t type, int inner)
{
	struct bpfmaps_create_attr a = {
		.map_type = type, .key_size = 4, .value_size = 8, .max_entries = PLACES,
	};

	switch (type) {
	case BPFMAPS_TYPE_LPM_TRIE:
		a.key_size = 8;
		a.map_flags = BPFMAPS_F_NO_PREALLOC;
		break;
	case BPFMAPS_TYPE_ARRAY:
		a.map_flags = BPFMAPS_F_MMAPABLE;
		break;
	case BPFMAPS_TYPE_ARRAY_OF_MAPS:
	case BPFMAPS_TYPE_HASH_OF_MAPS:
		a.value_size = 4;
		a.inner_map_fd = inner;
		break;
	case BPFMAPS_TYPE_QUEUE:
	case BPFMAPS_TYPE_STACK:
	case BPFMAPS_TYPE_BLOOM_FILTER:
		a.key_size = 0;
		break;
	case BPFMAPS_TYPE_RINGBUF:
	case BPFMAPS_TYPE_USER_RINGBUF:
		a.key_size = 0;
		a.value_size = 0;
		a.max_entries = PAGE;
		break;
	}
	return a;
}

FIXTURE(type) {
	struct subject s;
};

FIXTURE_TYPES(type, true)

static struct subject make_subject(uint32_t type)
{
	struct subject s = { .dev = bm_open() };

	s.inner = bm_create(s.dev, BPFMAPS_TYPE_ARRAY, 4, 8, PLACES, 0);
	s.inner_id = bm_id(s.inner);
	s.shape = shape_of(type, s.inner);
	return s;
}

static void drop_subject(const struct subject *s)
{
	close(s->inner);
	close(s->dev);
}

FIXTURE_SETUP(type)
{
	self->s = make_subject(variant->number);
	ASSERT_LE(0, self->s.inner);
}

FIXTURE_TEARDOWN(type)
{
	drop_subject(&self->s);
}

static int new_map(const struct subject *s)
{
	struct bpfmaps_create_attr a = s->shape;

	return bm_call(s->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static const void *make_key(const struct bpfmaps_create_attr *shape, uint32_t *key, uint32_t nr)
{
	key[0] = shape->key_size == 8 ? 32 : nr;
	key[1] = nr;
	return shape->key_size ? key : NULL;
}

/* For all CPUs that there may be. */
static void make_value(const struct bpfmaps_create_attr *shape, uint64_t *value, uint64_t stamp)
{
	uint32_t i;

	if (holds_maps(shape->map_type))
		memcpy(value, &shape->inner_map_fd, 4);
	else
		for (i = 0; i < VALUE_MAX / 8; i++)
			value[i] = stamp;
}

static int elem_call(int map, const struct bpfmaps_create_attr *shape, unsigned int cmd,
		     uint32_t nr, uint64_t *value)
{
	uint32_t key[2];
	const void *pointer = make_key(shape, key, nr);

	return bm_elem(map, cmd, pointer, cmd == BPFMAPS_MAP_DELETE_ELEM ? NULL : value, 0);
}

static int batch_call(int map, const struct bpfmaps_create_attr *shape, unsigned int cmd,
		      uint32_t nr)
{
	uint64_t values[2 * VALUE_MAX / 8] = { 0 };
	uint32_t keys[4], key[2], out[2];
	struct bpfmaps_batch_attr a = {
		.keys = (unsigned long)keys,
		.values = (unsigned long)values,
		.count = 2,
		.map_fd = BPFMAPS_SELF,
	};

	if (cmd == BPFMAPS_MAP_LOOKUP_BATCH || cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH)
		a.out_batch = (unsigned long)out;
	make_key(shape, key, nr);
	memcpy(keys, key, shape->key_size);
	memcpy((char *)keys + shape->key_size, key, shape->key_size);
	make_value(shape, values, nr + 1);
	memcpy((char *)values + 4, values, holds_maps(shape->map_type) ? 4 : 0);
	return bm_call(map, cmd, &a, sizeof(a));
}

static int ring_call(int map, unsigned int cmd, void *data, uint32_t size)
{
	struct bpfmaps_ringbuf_attr a = {
		.map_fd = BPFMAPS_SELF, .size = size, .data = (unsigned long)data,
	};

	return bm_call(map, cmd, &a, sizeof(a));
}

/* Maps a page that may be written, and lets it go. Values are written to, positions are not. */
static int map_call(int map, const struct bpfmaps_create_attr *shape, int prot)
{
	const bool second = prot & PROT_WRITE && shape->map_type == BPFMAPS_TYPE_USER_RINGBUF;
	uint64_t *page = mmap(NULL, PAGE, prot, MAP_SHARED, map, second ? PAGE : 0);

	if (page == MAP_FAILED)
		return -errno;
	if (prot & PROT_WRITE && shape->map_type == BPFMAPS_TYPE_ARRAY)
		__atomic_store_n(page, 1, __ATOMIC_RELAXED);
	else
		__atomic_load_n(page, __ATOMIC_RELAXED);
	munmap(page, PAGE);
	return 0;
}

static int read_call(int map, const struct bpfmaps_create_attr *shape, uint32_t nr)
{
	struct pollfd p = { .fd = map, .events = POLLIN | POLLOUT };
	uint64_t value[VALUE_MAX / 8] = { nr + 1 };
	struct bpfmaps_map_info info;
	uint32_t key[2], next[2];

	switch (nr % 7) {
	case 0:
		return elem_call(map, shape, BPFMAPS_MAP_LOOKUP_ELEM, nr, value);
	case 1:
		return bm_next(map, make_key(shape, key, nr), next);
	case 2:
		return batch_call(map, shape, BPFMAPS_MAP_LOOKUP_BATCH, nr);
	case 3:
		return bm_info(map, &info);
	case 4:
		return map_call(map, shape, PROT_READ);
	case 5:
		return bm_fdinfo(map, "memlock") < 0 ? -EBADF : 0;
	default:
		return poll(&p, 1, 0) < 0 ? -errno : 0;
	}
}

static int write_call(int map, const struct bpfmaps_create_attr *shape, uint32_t nr)
{
	uint64_t value[VALUE_MAX / 8];

	make_value(shape, value, nr + 1);
	switch (nr % 8) {
	case 0:
		return elem_call(map, shape, BPFMAPS_MAP_DELETE_ELEM, nr, value);
	case 1:
		return elem_call(map, shape, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, nr, value);
	case 2:
		return batch_call(map, shape, BPFMAPS_MAP_UPDATE_BATCH, nr);
	case 3:
		return batch_call(map, shape, BPFMAPS_MAP_DELETE_BATCH, nr);
	case 4:
		return batch_call(map, shape, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, nr);
	case 5:
		return ring_call(map, BPFMAPS_RINGBUF_OUTPUT, value, nr);
	case 6:
		return ring_call(map, BPFMAPS_RINGBUF_DRAIN, value, sizeof(value));
	default:
		return elem_call(map, shape, BPFMAPS_MAP_UPDATE_ELEM, nr, value);
	}
}

/* What a call may end with that comes too late, too early, or to the wrong type. */
static bool is_usual(int ret)
{
	static const int usual[] = {
		-ENOENT, -EBADF, -EEXIST, -E2BIG, -ENOSPC, -EINVAL, -ENOTSUPP, -EOPNOTSUPP, -EPERM,
		-EAGAIN, -EBUSY, -EACCES,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(usual); i++)
		if (ret == usual[i])
			return true;
	return ret >= 0;
}

/**
 * struct crowd - threads and what they share
 * @s: the type
 * @map: what they use
 * @done: they are to end
 * @next: the number of the next thread
 * @operations: how many calls they made
 * @writes: how many of these changed something
 * @busy: how often a mapping or a pin was met
 */
struct crowd {
	const struct subject *s;
	int map;
	bool done;
	uint32_t next;
	unsigned long operations;
	unsigned long writes;
	unsigned long busy;
};

static void count_one(unsigned long *number)
{
	__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

static bool is_done(const struct crowd *c)
{
	return __atomic_load_n(&c->done, __ATOMIC_ACQUIRE);
}

/* Several threads that do @fn with the crowd, until they are told that it is over. */
static void crowd_start(struct crowd *c, pthread_t *threads, int nr, void *(*fn)(void *))
{
	int i;

	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, fn, c))
			stress_fail("no thread");
}

static void crowd_end(struct crowd *c, pthread_t *threads, int nr)
{
	int i;

	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

/* Only the template is left of all maps; the others may be freed a moment later. */
static bool all_gone(const struct subject *s)
{
	uint32_t id;
	int i;

	for (i = 0; i < 6000; i++) {
		if (!bm_next_id(s->dev, 0, &id) && id == s->inner_id &&
		    bm_next_id(s->dev, id, &id) == -ENOENT)
			return true;
		usleep(10000);
	}
	return false;
}

static void *call_anything(void *arg)
{
	struct crowd *c = arg;
	uint32_t nr, seed = __atomic_add_fetch(&c->next, 1, __ATOMIC_RELAXED);
	int ret;

	while (!is_done(c)) {
		nr = stress_dice(&seed, 56);
		if (stress_dice(&seed, 2))
			ret = read_call(c->map, &c->s->shape, nr);
		else if (nr)
			ret = write_call(c->map, &c->s->shape, nr);
		else
			ret = bm_freeze(c->map);
		if (!is_usual(ret))
			stress_fail("call %u: %d", nr, ret);
		count_one(&c->operations);
		if (ret == -EBADF)
			count_one(&c->busy);
	}
	return NULL;
}

/* A map is put over the one that others have a call under way on, or it is just closed. */
TEST_F(type, closed_under_calls)
{
	const int rounds = scaled(100);
	struct crowd c = { .s = &self->s, .map = SLOT };
	pthread_t threads[3];
	uint32_t seed = 1;
	int i, map;

	crowd_start(&c, threads, ARRAY_SIZE(threads), call_anything);
	for (i = 0; i < rounds || !__atomic_load_n(&c.operations, __ATOMIC_RELAXED); i++) {
		map = new_map(&self->s);
		if (map < 0)
			stress_fail("create: %d", map);
		dup2(map, SLOT);
		close(map);
		usleep(stress_dice(&seed, 300));
		if (i % 4 == 0)
			close(SLOT);
	}
	crowd_end(&c, threads, ARRAY_SIZE(threads));
	close(SLOT);
	EXPECT_EQ(0, stress_failures);
	EXPECT_LT(0, c.operations);
	EXPECT_TRUE(all_gone(&self->s));
	printf("# total: %s: %lu calls survived %d maps closed under them\n", variant->name,
	       c.operations, i);
	fflush(stdout);
}

/* Writes until it is told that the map is frozen. */
static void *write_until_frozen(void *arg)
{
	struct crowd *c = arg;
	uint32_t seed = __atomic_add_fetch(&c->next, 1, __ATOMIC_RELAXED);
	int ret;

	do {
		ret = write_call(c->map, &c->s->shape, stress_dice(&seed, 56));
		if (!is_usual(ret))
			stress_fail("write: %d", ret);
		if (ret >= 0)
			count_one(&c->writes);
		count_one(&c->operations);
	} while (ret != -EPERM);
	return NULL;
}

/* The same through mappings, where there are some. */
static void *map_until_frozen(void *arg)
{
	struct crowd *c = arg;
	int ret;

	do {
		ret = map_call(c->map, &c->s->shape, PROT_READ | PROT_WRITE);
		count_one(&c->operations);
		usleep(10);
	} while (!ret);
	if (ret != -EPERM && ret != -ENOTSUPP)
		stress_fail("mmap: %d", ret);
	return NULL;
}

/* All that can be seen of a map, as one number. */
static uint64_t contents(int map, const struct bpfmaps_create_attr *shape)
{
	uint64_t sum = 14695981039346656037ULL, value[VALUE_MAX / 8], *page;
	uint32_t nr, i;
	int ret;

	for (nr = 0; nr < 56; nr++) {
		memset(value, 0, sizeof(value));
		make_value(shape, value, nr + 1);
		if (shape->key_size)
			memset(value, 0, sizeof(value));
		ret = elem_call(map, shape, BPFMAPS_MAP_LOOKUP_ELEM, nr, value);
		for (i = 0; i < VALUE_MAX / 8; i++)
			sum = (sum ^ value[i] ^ (uint64_t)ret) * 1099511628211ULL;
	}
	/* Of a ring these are both positions and a page of data. */
	for (i = 0; i < 3; i++) {
		page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, map, i * PAGE);
		for (nr = 0; page != MAP_FAILED && nr < PAGE / 8; nr++)
			sum = (sum ^ page[nr]) * 1099511628211ULL;
		if (page != MAP_FAILED)
			munmap(page, PAGE);
	}
	return sum;
}

/* Freezes the map, which is busy as long as there is a mapping; returns how often it was. */
static unsigned int freeze(int map)
{
	unsigned int busy = 0;
	int ret;

	while ((ret = bm_freeze(map)) == -EBUSY) {
		busy++;
		sched_yield();
	}
	if (ret)
		stress_fail("freezing: %d", ret);
	return busy;
}

/* Once it is frozen, a map stays as it is, whoever had a call or a mapping under way. */
TEST_F(type, frozen_under_writers)
{
	const int rounds = scaled(24);
	struct crowd c = { .s = &self->s };
	pthread_t threads[3];
	unsigned int busy = 0;
	uint64_t before;
	int i;

	for (i = 0; i < rounds; i++) {
		c.map = new_map(&self->s);
		ASSERT_LE(0, c.map);
		c.writes = 0;
		c.done = false;
		crowd_start(&c, threads, 2, write_until_frozen);
		crowd_start(&c, &threads[2], 1, map_until_frozen);
		while (__atomic_load_n(&c.writes, __ATOMIC_RELAXED) < 3)
			sched_yield();
		busy += freeze(c.map);
		before = contents(c.map, &self->s.shape);
		crowd_end(&c, threads, ARRAY_SIZE(threads));
		EXPECT_EQ(before, contents(c.map, &self->s.shape));
		EXPECT_EQ(-EPERM, write_call(c.map, &self->s.shape, 7));
		close(c.map);
	}
	EXPECT_EQ(0, stress_failures);
	printf("# total: %s: %lu writes until %d maps were frozen, %u times busy\n", variant->name,
	       c.operations, rounds, busy);
	fflush(stdout);
}

/* Opens the pin that comes and goes, looks into it, and gives it another name for a moment. */
static void *open_pin(void *arg)
{
	struct crowd *c = arg;
	const struct subject *s = c->s;
	uint32_t nr = __atomic_add_fetch(&c->next, 1, __ATOMIC_RELAXED);
	struct bpfmaps_map_info info;
	char path[64];
	int map, ret;

	snprintf(path, sizeof(path), HERE "/other_%u", nr);
	while (!is_done(c)) {
		count_one(&c->operations);
		map = bm_get(s->dev, HERE "/pin", 0);
		if (map < 0) {
			if (map != -ENOENT)
				stress_fail("get: %d", map);
			continue;
		}
		count_one(&c->busy);
		if (bm_info(map, &info) || info.type != s->shape.map_type)
			stress_fail("a map of type %u", info.type);
		ret = bm_pin(s->dev, map, path);
		close(map);
		map = bm_get(s->dev, path, 0);
		if (ret || unlink(path) || map < 0 || bm_id(map) != info.id)
			stress_fail("the other name: %d, %d", ret, map);
		ret = read_call(map, &s->shape, nr++);
		if (!is_usual(ret))
			stress_fail("read: %d", ret);
		close(map);
	}
	return NULL;
}

/* Pins that are all that holds a map are opened while they are removed. */
TEST_F(type, unpinned_under_opens)
{
	const int rounds = scaled(120);
	struct crowd c = { .s = &self->s };
	pthread_t threads[3];
	int i, map, ret;

	ASSERT_EQ(0, mkdir(HERE, 0700));
	crowd_start(&c, threads, ARRAY_SIZE(threads), open_pin);
	for (i = 0; i < rounds; i++) {
		map = new_map(&self->s);
		/* Maps of maps wait for readers then. */
		if (i % 8 == 0)
			write_call(map, &self->s.shape, 7);
		ret = bm_pin(self->s.dev, map, HERE "/pin");
		close(map);
		if (i % 2)
			sched_yield();
		if (map < 0 || ret || unlink(HERE "/pin"))
			stress_fail("pin: %d, %d, %d", map, ret, errno);
	}
	crowd_end(&c, threads, ARRAY_SIZE(threads));
	EXPECT_EQ(0, rmdir(HERE));
	EXPECT_EQ(0, stress_failures);
	EXPECT_TRUE(all_gone(&self->s));
	printf("# total: %s: %lu opens survived %d pins and removals, %lu met one\n", variant->name,
	       c.operations, rounds, c.busy);
	fflush(stdout);
}

/* Opens the inner map whose id a look-up gives; its elements say which one it is. */
static void open_inner(struct crowd *c, uint32_t id)
{
	int map = bm_fd_by_id(c->s->dev, id, 0);
	uint32_t key = id % PLACES;
	uint64_t value = 0;

	if (map == -ENOENT)
		return;
	if (map < 0 || bm_lookup(map, &key, &value))
		stress_fail("inner map %u: %d", id, map);
	else if (STRESS_KEY(value) != id)
		stress_fail("inner map %u has the value of %u", id, STRESS_KEY(value));
	count_one(&c->busy);
	close(map);
}

static void *read_inner(void *arg)
{
	struct crowd *c = arg;
	uint32_t seed = __atomic_add_fetch(&c->next, 1, __ATOMIC_RELAXED);
	uint32_t i, key, out, keys[PLACES], ids[PLACES];
	int ret;

	while (!is_done(c)) {
		struct bpfmaps_batch_attr a = {
			.out_batch = (unsigned long)&out, .keys = (unsigned long)keys,
			.values = (unsigned long)ids, .count = PLACES, .map_fd = BPFMAPS_SELF,
		};

		key = stress_dice(&seed, PLACES);
		ret = bm_lookup(c->map, &key, ids);
		if (!ret)
			open_inner(c, ids[0]);
		else if (ret != -ENOENT)
			stress_fail("inner map of key %u: %d", key, ret);
		ret = bm_call(c->map, BPFMAPS_MAP_LOOKUP_BATCH, &a, sizeof(a));
		if (ret && ret != -ENOENT)
			stress_fail("batch of inner maps: %d", ret);
		for (i = 0; i < a.count; i++)
			open_inner(c, ids[i]);
		__atomic_fetch_add(&c->operations, 2, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A map whose elements all say which one it is, and which is held by the outer one only. */
static void put_inner(const struct subject *s, int outer, uint32_t key)
{
	int map = bm_create(s->dev, BPFMAPS_TYPE_ARRAY, 4, 8, PLACES, 0), ret = 0;
	uint64_t value = STRESS_STAMP(bm_id(map), 0, 1);
	uint32_t i;

	for (i = 0; i < PLACES && !ret; i++)
		ret = bm_update(map, &i, &value, BPFMAPS_ANY);
	if (!ret)
		ret = bm_update(outer, &key, &map, BPFMAPS_ANY);
	if (ret)
		stress_fail("put: %d", ret);
	close(map);
}

/* What is in a map of maps is replaced and removed while others open it. */
static void replace_under_readers(const struct subject *s, int map, int rounds)
{
	uint32_t key, seed = 1;
	int i, ret;

	for (i = 0; i < rounds; i++) {
		put_inner(s, map, stress_dice(&seed, PLACES));
		key = stress_dice(&seed, PLACES);
		ret = i % 3 ? 0 : bm_delete(map, &key);
		if (ret && ret != -ENOENT)
			stress_fail("delete: %d", ret);
	}
}

TEST(inner_replaced_under_readers)
{
	static const uint32_t outer[] = { BPFMAPS_TYPE_ARRAY_OF_MAPS, BPFMAPS_TYPE_HASH_OF_MAPS };
	const int rounds = scaled(60);
	pthread_t threads[3];
	uint32_t key, there;
	struct subject s;
	struct crowd c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(outer); i++) {
		s = make_subject(outer[i]);
		c = (struct crowd) { .s = &s, .map = new_map(&s) };
		ASSERT_LE(0, c.map);
		crowd_start(&c, threads, ARRAY_SIZE(threads), read_inner);
		replace_under_readers(&s, c.map, rounds);
		crowd_end(&c, threads, ARRAY_SIZE(threads));
		for (key = 0; key < PLACES; key++)
			put_inner(&s, c.map, key);
		for (key = 0, there = 0; key < PLACES; key++)
			there += !bm_delete(c.map, &key);
		EXPECT_EQ(PLACES, there);
		close(c.map);
		EXPECT_EQ(0, stress_failures);
		EXPECT_TRUE(all_gone(&s));
		drop_subject(&s);
		printf("# total: %s: %lu look-ups survived %d replacements, %lu maps opened\n",
		       i ? "hash_of_maps" : "array_of_maps", c.operations, rounds, c.busy);
		fflush(stdout);
	}
}

TEST_HARNESS_MAIN
