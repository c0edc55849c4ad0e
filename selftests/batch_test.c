// SPDX-License-Identifier: GPL-2.0-only
/*
 * The batch commands on every type that has them, compared with bpf(2); and that nothing is lost
 */
#include <pthread.h>

#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "moment.h"
#include "release.h"
#include "scale.h"

#define KEYS	(1 << 17)
#define VALUES	(1 << 21)

#define ENOMEM_TRIES	10000

struct shape {
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
};

static const struct shape shapes[] = {
	{ BPFMAPS_TYPE_HASH, 4, 8, 500, 0 },
	{ BPFMAPS_TYPE_HASH, 16, 64, 300, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_HASH, 4, 300, 100, 0 },
	{ BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 200, 0 },
	{ BPFMAPS_TYPE_PERCPU_HASH, 4, 100, 50, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 300, 0 },
	{ BPFMAPS_TYPE_ARRAY, 4, 13, 70, 0 },
	{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, 100, 0 },
	{ BPFMAPS_TYPE_LPM_TRIE, 8, 8, 300, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_LPM_TRIE, 20, 30, 100, BPFMAPS_F_NO_PREALLOC },
};

/* One side of a call: what it was given and what came out. */
struct side {
	unsigned char keys[KEYS];
	unsigned char values[VALUES];
	unsigned char out[512];
	unsigned char in[512];
	long ret;
	__u32 count;
	unsigned int nr;
	unsigned char elems[VALUES];
};

static struct both b;
static struct side sides[2];
static size_t value_size, elem_size;

static bool is_hash(const struct shape *s)
{
	return s->type == BPFMAPS_TYPE_HASH || s->type == BPFMAPS_TYPE_PERCPU_HASH;
}

static bool is_percpu(const struct shape *s)
{
	return s->type == BPFMAPS_TYPE_PERCPU_HASH || s->type == BPFMAPS_TYPE_PERCPU_ARRAY;
}

static void open_shape(struct __test_metadata *_metadata, const struct shape *s)
{
	struct bpfmaps_create_attr attr = {
		.map_type = s->type, .key_size = s->key, .value_size = s->value,
		.max_entries = s->max, .map_flags = s->flags,
	};

	value_size = is_percpu(s) ? (s->value + 7) / 8 * 8 * bm_possible_cpus() : s->value;
	elem_size = s->key + value_size;
	ASSERT_TRUE(both_create(&b, &attr));
}

/*
 * Without preallocation bpf(2) takes elements from a small store that is filled in the background,
 * and says ENOMEM when it is empty; then all is written once more.
 */
static void call_one(int side, unsigned int cmd, const struct bpfmaps_batch_attr *attr)
{
	struct bpfmaps_batch_attr a;
	int tries = 0;

	do {
		a = *attr;
		a.map_fd = b.fd[side];
		a.out_batch = (unsigned long)sides[side].out;
		memset(sides[side].out, 0xdd, sizeof(sides[side].out));
		sides[side].ret = both_call_one(&b, side, cmd, &a, sizeof(a));
		sides[side].count = a.count;
	} while (side == BPF && cmd == BPFMAPS_MAP_UPDATE_BATCH && sides[side].ret == -ENOMEM &&
		 ++tries < ENOMEM_TRIES && !usleep(1000));
}

/* A call with the caller's pointers; result and count have to be the same. */
static void call_both(const char *what, unsigned int cmd, const struct bpfmaps_batch_attr *attr)
{
	call_one(BPF, cmd, attr);
	call_one(OURS, cmd, attr);
	both_compare(&b, what, sides[BPF].ret, sides[OURS].ret);
	both_compare(&b, what, sides[BPF].count, sides[OURS].count);
}

static void random_keys(const struct shape *s, unsigned char *keys, unsigned int nr)
{
	__u32 some, len;
	unsigned int i;

	memset(keys, 0, nr * s->key);
	for (i = 0; i < nr; i++, keys += s->key) {
		some = both_rand(&b, s->max + (both_rand(&b, 6) ? 0 : 3));
		len = both_rand(&b, (s->key - 4) * 8 + 1);
		if (s->type == BPFMAPS_TYPE_LPM_TRIE)
			memcpy(keys, &len, sizeof(len));
		memcpy(keys + (s->type == BPFMAPS_TYPE_LPM_TRIE ? 4 : 0), &some, sizeof(some));
	}
}

/* An update or a delete of random keys, now and then with a mistake in it. */
static void random_write(const struct shape *s, unsigned int cmd)
{
	static unsigned char keys[KEYS], values[VALUES];
	unsigned int nr = both_rand(&b, s->max + s->max / 4), i;
	struct bpfmaps_batch_attr attr = {
		.keys = both_rand(&b, 15) ? (unsigned long)keys : 0,
		.values = both_rand(&b, 15) ? (unsigned long)values : 0x1000,
		.count = nr,
		.elem_flags = both_rand(&b, 12) ? 0 : both_rand(&b, 5),
		.flags = !both_rand(&b, 12),
	};

	random_keys(s, keys, nr);
	for (i = 0; i < nr * value_size; i++)
		values[i] = both_rand(&b, 256);
	call_both(cmd == BPFMAPS_MAP_UPDATE_BATCH ? "update batch" : "delete batch", cmd, &attr);
}

/* Everything by steps of @step; what came is in elems. */
static void drain_one(const struct shape *s, int side, unsigned int cmd, unsigned int step)
{
	struct side *o = &sides[side];
	struct bpfmaps_batch_attr attr = {
		.keys = (unsigned long)o->keys,
		.values = (unsigned long)o->values,
		.count = step,
	};
	unsigned int i;

	o->nr = 0;
	do {
		call_one(side, cmd, &attr);
		for (i = 0; i < o->count && (o->nr + 1) * elem_size <= VALUES; i++, o->nr++) {
			memcpy(o->elems + o->nr * elem_size, o->keys + i * s->key, s->key);
			memcpy(o->elems + o->nr * elem_size + s->key,
			       o->values + i * value_size, value_size);
		}
		memcpy(o->in, o->out, sizeof(o->in));
		attr.in_batch = (unsigned long)o->in;
	} while (!o->ret && o->nr <= 2 * s->max);
}

static int compare_elems(const void *x, const void *y)
{
	return memcmp(x, y, elem_size);
}

static void random_drain(const struct shape *s, unsigned int cmd)
{
	unsigned int step = both_rand(&b, s->max + 20) + (is_hash(s) ? 20 : 1);
	int side;

	for (side = BPF; side <= OURS; side++) {
		drain_one(s, side, cmd, step);
		/* The order of a hash hangs on its seed. */
		if (is_hash(s))
			qsort(sides[side].elems, sides[side].nr, elem_size, compare_elems);
	}
	both_compare(&b, "end of the look-ups", sides[BPF].ret, sides[OURS].ret);
	if (both_compare(&b, "elements looked up", sides[BPF].nr, sides[OURS].nr))
		both_compare(&b, "contents", 0,
			     memcmp(sides[BPF].elems, sides[OURS].elems,
				    sides[BPF].nr * elem_size));
}

static void wrong_lookups(const struct shape *s, unsigned int cmd)
{
	static unsigned char far[512];
	struct bpfmaps_batch_attr good = {
		.keys = (unsigned long)sides[BPF].keys,
		.values = (unsigned long)sides[BPF].values,
		.count = s->max + 20,
	}, attr;

	memset(far, 0xff, sizeof(far));
	attr = good;
	attr.in_batch = (unsigned long)far;
	if (is_hash(s))
		call_both("in_batch behind the end", cmd, &attr);
	attr.in_batch = 8;
	call_both("unmapped in_batch", cmd, &attr);
	attr = good;
	attr.count = 0;
	call_both("count 0", cmd, &attr);
	attr.keys = 0;
	call_both("count 0, no keys", cmd, &attr);
	attr = good;
	attr.elem_flags = 32;
	call_both("elem_flags", cmd, &attr);
	attr.elem_flags = BPFMAPS_F_LOCK;
	call_both("elem_flags", cmd, &attr);
	attr = good;
	attr.flags = 1;
	call_both("flags", cmd, &attr);
}

TEST(wrong_calls)
{
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_LOOKUP_BATCH, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH,
		BPFMAPS_MAP_UPDATE_BATCH, BPFMAPS_MAP_DELETE_BATCH,
	};
	size_t i, j;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		open_shape(_metadata, &shapes[i]);
		for (j = 0; j < ARRAY_SIZE(cmds); j++)
			wrong_lookups(&shapes[i], cmds[j]);
		both_close(&b);
	}
	both_report(&b, "wrong calls");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(400, b.compared);
}

TEST(random_sequences)
{
	const int steps = scaled(60);
	const struct shape *s;
	size_t i;
	int n;

	if (old_bpf())
		SKIP(return, "compares with the bpf(2) of 6.1");
	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		s = &shapes[i];
		open_shape(_metadata, s);
		for (n = 0; n < steps; n++) {
			switch (both_rand(&b, 6)) {
			case 0 ... 2:
				random_write(s, BPFMAPS_MAP_UPDATE_BATCH);
				break;
			case 3:
				random_write(s, BPFMAPS_MAP_DELETE_BATCH);
				break;
			case 4:
				random_drain(s, BPFMAPS_MAP_LOOKUP_BATCH);
				break;
			default:
				random_drain(s, is_hash(s) ? BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH :
							     BPFMAPS_MAP_LOOKUP_BATCH);
			}
		}
		both_close(&b);
	}
	both_report(&b, "random sequences");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(17 * steps, b.compared);
}

/* bpf(2) deletes first: what it cannot deliver is gone. */
TEST(nothing_is_lost_to_a_bad_pointer)
{
	static unsigned char keys[4 * 100], values[8 * 100];
	struct bpfmaps_batch_attr attr = {
		.keys = (unsigned long)keys, .count = 100, .map_fd = BPFMAPS_SELF,
		.out_batch = (unsigned long)sides[OURS].out,
	};
	int dev = bm_open(), map;
	__u64 value = 7;
	__u32 key;

	map = bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, 100, 0);
	ASSERT_LE(0, map);
	for (key = 0; key < 50; key++)
		EXPECT_EQ(0, bm_update(map, &key, &value, 0));
	EXPECT_EQ(-EFAULT, bm_call(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &attr, sizeof(attr)));
	EXPECT_EQ(0, attr.count);
	EXPECT_EQ(50, bm_count(map, 4, 100));
	EXPECT_EQ(-EFAULT, bm_elem(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, keys, (void *)8, 0));
	EXPECT_EQ(50, bm_count(map, 4, 100));
	attr.values = (unsigned long)values;
	attr.count = 100;
	EXPECT_EQ(-ENOENT, bm_call(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &attr, sizeof(attr)));
	EXPECT_EQ(50, attr.count);
	EXPECT_EQ(0, bm_count(map, 4, 100));
	close(map);
	close(dev);
}

#define ADDERS	2
#define ADDS	3000

static int shared, adders_left;

/* Inserts tokens under random keys; what is there already is left alone and tried again. */
static void *add_tokens(void *arg)
{
	unsigned int seed = (unsigned long)arg, nr = scaled(ADDS), n;
	__u64 one = 1;
	__u32 key;

	for (n = 0; n < nr; n++) {
		do {
			key = rand_r(&seed) % 64;
		} while (bm_update(shared, &key, &one, BPFMAPS_NOEXIST));
	}
	__atomic_fetch_sub(&adders_left, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* What others insert comes out once, by look-up and delete, one element at a time or by batches. */
TEST(each_element_comes_out_once)
{
	const unsigned long wanted = ADDERS * scaled(ADDS);
	static __u32 keys[64];
	static __u64 values[64];
	pthread_t threads[ADDERS];
	int dev = bm_open(), last;
	unsigned long got = 0, i;
	__u64 value;
	__u32 key;

	shared = bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, 64, 0);
	ASSERT_LE(0, shared);
	adders_left = ADDERS;
	for (i = 0; i < ADDERS; i++)
		pthread_create(&threads[i], NULL, add_tokens, (void *)(i + 1));
	do {
		struct bpfmaps_batch_attr attr = {
			.keys = (unsigned long)keys, .values = (unsigned long)values,
			.count = 64, .map_fd = BPFMAPS_SELF,
			.out_batch = (unsigned long)sides[OURS].out,
		};

		last = !__atomic_load_n(&adders_left, __ATOMIC_ACQUIRE);
		bm_call(shared, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &attr, sizeof(attr));
		for (i = 0; i < attr.count; i++)
			got += values[i];
		for (key = 0; key < 64; key += 9)
			if (!bm_elem(shared, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, &key, &value, 0))
				got += value;
	} while (!last);
	for (i = 0; i < ADDERS; i++)
		pthread_join(threads[i], NULL);
	printf("# %lu inserted, %lu came out\n", wanted, got);
	EXPECT_EQ(wanted, got);
	EXPECT_EQ(0, bm_count(shared, 4, 100));
	close(shared);
	close(dev);
}

/*
 * One element at a time in a table where many buckets have more: each call says where the next one
 * goes on, also one that had no room for a bucket.
 */
TEST(goes_on_behind_a_large_bucket)
{
	const struct shape s = { BPFMAPS_TYPE_HASH, 4, 8, 256, 0 };
	__u32 in[2] = { 0 }, refused[2] = { 0 }, met[2] = { 0 }, key, size;
	__u64 value = 1;
	int side;

	both_open(&b);
	open_shape(_metadata, &s);
	for (side = BPF; side <= OURS; side++) {
		struct bpfmaps_batch_attr a = {
			.keys = (unsigned long)sides[side].keys,
			.values = (unsigned long)sides[side].values,
		};
		struct bpfmaps_elem_attr e = {
			.map_fd = b.fd[side], .key = (unsigned long)&key,
			.value = (unsigned long)&value,
		};

		for (key = 0; key < s.max; key++)
			ASSERT_EQ(0, both_call_one(&b, side, BPFMAPS_MAP_UPDATE_ELEM, &e,
						   sizeof(e)));
		size = 1;
		do {
			a.count = size;
			call_one(side, BPFMAPS_MAP_LOOKUP_BATCH, &a);
			memcpy(&in[side], sides[side].out, 4);
			a.in_batch = (unsigned long)&in[side];
			met[side] += sides[side].count;
			refused[side] += sides[side].ret == -ENOSPC;
			size = sides[side].ret == -ENOSPC ? size + 1 : 1;
		} while (!sides[side].ret || sides[side].ret == -ENOSPC);
		EXPECT_EQ(-ENOENT, sides[side].ret);
		EXPECT_EQ(s.max, met[side]);
		EXPECT_LT(0, refused[side]);
	}
	printf("# refused %u times by bpf(2), %u times here\n", refused[BPF], refused[OURS]);
	both_close(&b);
	close(b.dev);
}

/* The keys end in the middle, at a page that is not there: what was before it is counted. */
static void half_readable(struct __test_metadata *_metadata, unsigned int cmd, __u32 type,
			  __u32 count, __u32 readable)
{
	const size_t page = sysconf(_SC_PAGESIZE), size = 4 * page;
	char *area = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u32 *keys = (__u32 *)(area + size) - readable, i;
	int dev = bm_open(), map = bm_create(dev, type, 4, 8, 4096, 0);
	__u64 *values = calloc(count, sizeof(*values));
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF, .keys = (unsigned long)keys, .count = count,
		.values = (unsigned long)values,
	};

	ASSERT_LE(0, map);
	for (i = 0; i < readable; i++)
		keys[i] = i;
	ASSERT_EQ(0, munmap(area + size, page));
	for (i = 0; i < count; i++)
		bm_update(map, &i, values, BPFMAPS_ANY);
	EXPECT_EQ(-EFAULT, bm_call(map, cmd, &a, sizeof(a)));
	printf("# command %u, type %u: %u of %u readable, %u done\n", cmd, type, readable, count,
	       a.count);
	EXPECT_EQ(readable, a.count);
	free(values);
	munmap(area, size);
	close(map);
	close(dev);
}

TEST(half_readable_keys)
{
	static const __u32 sizes[][2] = {
		{ 1000, 500 }, { 1366, 1365 }, { 3000, 2999 }, { 10, 1 }
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		half_readable(_metadata, BPFMAPS_MAP_UPDATE_BATCH, BPFMAPS_TYPE_ARRAY, sizes[i][0],
			      sizes[i][1]);
		half_readable(_metadata, BPFMAPS_MAP_UPDATE_BATCH, BPFMAPS_TYPE_HASH, sizes[i][0],
			      sizes[i][1]);
		half_readable(_metadata, BPFMAPS_MAP_DELETE_BATCH, BPFMAPS_TYPE_HASH, sizes[i][0],
			      sizes[i][1]);
	}
}

#define TAKEN	3000

/**
 * struct taker - who puts all elements into a map and takes them out, again and again
 * @map: the map
 * @rounds: how often
 * @taking: taking them out was the last that it did
 * @count: how many then
 * @err: what ended it
 * @keys: of these
 * @values: of these
 */
struct taker {
	int map;
	uint64_t rounds;
	bool taking;
	__u32 count;
	int err;
	__u32 keys[TAKEN];
	__u64 values[TAKEN];
};

static void taker_batch(struct taker *t, unsigned int cmd)
{
	__u32 cursor;
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF, .keys = (unsigned long)t->keys, .count = TAKEN,
		.values = (unsigned long)t->values, .out_batch = (unsigned long)&cursor,
	};

	t->taking = cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH;
	t->err = bm_call(t->map, cmd, &a, sizeof(a));
	/* Of a batch that was refused at once the caller's count stays as it is. */
	t->count = t->err == -EPERM ? a.count % TAKEN : a.count;
}

static void *take_until_frozen(void *arg)
{
	struct taker *t = arg;
	__u32 i;

	do {
		for (i = 0; i < TAKEN; i++)
			t->keys[i] = i;
		taker_batch(t, BPFMAPS_MAP_UPDATE_BATCH);
		__atomic_store_n(&t->rounds, t->rounds + 1, __ATOMIC_RELEASE);
		if (!t->err)
			taker_batch(t, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH);
	} while (!t->err || t->err == -ENOENT);
	return NULL;
}

/* What has left a map that is frozen in the middle of a batch has arrived, and is counted. */
TEST(what_is_taken_is_counted)
{
	static const __u32 types[] = { BPFMAPS_TYPE_HASH, BPFMAPS_TYPE_LRU_HASH };
	const unsigned int rounds = scaled(300);
	static struct taker t;
	unsigned int i, j, midway = 0, seed = 1;
	int dev = bm_open();
	pthread_t thread;
	__u64 value;

	for (i = 0; i < rounds || (!midway && i < 20 * rounds); i++) {
		t.rounds = 0;
		t.map = bm_create(dev, types[i % 2], 4, 8, 2 * TAKEN, 0);
		ASSERT_LE(0, t.map);
		pthread_create(&thread, NULL, take_until_frozen, &t);
		moment_wait(&t.rounds, &seed);
		EXPECT_EQ(0, bm_freeze(t.map));
		pthread_join(thread, NULL);
		EXPECT_EQ(-EPERM, t.err);
		EXPECT_EQ(t.taking ? TAKEN - t.count : t.count, bm_count(t.map, 4, 2 * TAKEN));
		for (j = 0; t.taking && j < t.count; j++)
			EXPECT_EQ(-ENOENT, bm_lookup(t.map, &t.keys[j], &value));
		midway += t.taking && t.count;
		close(t.map);
	}
	printf("# frozen in the middle of %u of %u batches that took elements\n", midway, i);
	fflush(stdout);
	EXPECT_LT(0, midway);
	close(dev);
}

TEST_HARNESS_MAIN
