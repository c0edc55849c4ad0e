// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches to and from types without keys: as many single pushes and pops of bpf(2), which has no
 * batches there
 */
#include <pthread.h>

#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "both.h"
#include "scale.h"

#define BATCH_ROOM	(1 << 20)
#define BATCH_MOST	70

static struct both b;
static unsigned char rooms[2][BATCH_ROOM];

struct shape {
	__u32 type;
	__u32 value;
	__u32 max;
};

static const struct shape shapes[] = {
	{ BPFMAPS_TYPE_QUEUE, 8, 50 },
	{ BPFMAPS_TYPE_QUEUE, 13, 100 },
	{ BPFMAPS_TYPE_QUEUE, 5000, 40 },
	{ BPFMAPS_TYPE_STACK, 8, 50 },
	{ BPFMAPS_TYPE_STACK, 1, 200 },
	{ BPFMAPS_TYPE_STACK, 300, 33 },
	{ BPFMAPS_TYPE_BLOOM_FILTER, 8, 100 },
};

/* What is certain to be in the set; of others each filter may say by mistake that they are. */
static unsigned char in_set[8];
static bool is_in_set;

static bool holds_values(__u32 type)
{
	return type != BPFMAPS_TYPE_BLOOM_FILTER;
}

static int batch(int map, unsigned int cmd, const void *values, __u32 *count, __u64 elem_flags)
{
	struct bpfmaps_batch_attr a = {
		.map_fd = BPFMAPS_SELF, .values = (unsigned long)values, .count = *count,
		.elem_flags = elem_flags,
	};
	int ret = bm_call(map, cmd, &a, sizeof(a));

	*count = a.count;
	return ret;
}

/* Single operations of bpf(2) until one fails; @count is how many did not. */
static long singly(unsigned int cmd, unsigned char *values, __u32 size, __u32 *count, __u64 flags)
{
	__u32 nr = *count;
	long ret = 0;

	for (*count = 0; *count < nr; ++*count) {
		struct bpfmaps_elem_attr a = {
			.map_fd = b.fd[BPF], .flags = flags,
			.value = (unsigned long)values + (size_t)*count * size,
		};

		ret = both_call_one(&b, BPF, cmd, &a, sizeof(a));
		if (ret)
			break;
	}
	return ret;
}

static void push_both(const struct shape *s)
{
	__u64 flags = both_rand(&b, 4) ? 0 : both_rand(&b, 5);
	__u32 nr = both_rand(&b, BATCH_MOST), count[2] = { nr, nr }, i;
	long ret;

	for (i = 0; i < nr * s->value; i++)
		rooms[BPF][i] = both_rand(&b, 256);
	ret = singly(BPFMAPS_MAP_UPDATE_ELEM, rooms[BPF], s->value, &count[BPF], flags);
	/* Of nothing the type does not look at the flags. */
	both_compare(&b, "push", ret, batch(b.fd[OURS], BPFMAPS_MAP_UPDATE_BATCH, rooms[BPF],
					    &count[OURS], flags));
	both_compare(&b, "pushed", count[BPF], count[OURS]);
	if (!holds_values(s->type) && count[BPF]) {
		memcpy(in_set, rooms[BPF], sizeof(in_set));
		is_in_set = true;
	}
}

static void pop_both(const struct shape *s)
{
	__u32 nr = both_rand(&b, BATCH_MOST), count[2] = { nr, nr };
	long ret;

	memset(rooms, 0xee, sizeof(rooms));
	ret = singly(BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, rooms[BPF], s->value, &count[BPF], 0);
	both_compare(&b, "pop", ret, batch(b.fd[OURS], BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH,
					   rooms[OURS], &count[OURS], 0));
	both_compare(&b, "popped", count[BPF], count[OURS]);
	both_compare(&b, "values", 0, memcmp(rooms[BPF], rooms[OURS], sizeof(*rooms)));
}

/* Pushed values are in the set; bpf(2) says so, too. */
static void peek_both(void)
{
	if (!is_in_set)
		return;
	memcpy(b.buf[BPF], in_set, sizeof(in_set));
	memcpy(b.buf[OURS], in_set, sizeof(in_set));
	both_lookup(&b, NULL, 0);
}

TEST(as_many_single_ones)
{
	const int steps = scaled(400);
	struct bpfmaps_create_attr attr;
	size_t i;
	int n;

	both_open(&b);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		attr = (struct bpfmaps_create_attr) {
			.map_type = shapes[i].type, .value_size = shapes[i].value,
			.max_entries = shapes[i].max,
		};
		ASSERT_TRUE(both_create(&b, &attr));
		is_in_set = false;
		for (n = 0; n < steps; n++) {
			if (both_rand(&b, 2))
				push_both(&shapes[i]);
			else if (holds_values(shapes[i].type))
				pop_both(&shapes[i]);
			else
				peek_both();
		}
		both_close(&b);
	}
	both_report(&b, "batches against single operations");
	EXPECT_EQ(0, b.differ);
	EXPECT_LT(7 * steps, b.compared);
	close(b.dev);
}

static const __u32 queues[] = { BPFMAPS_TYPE_QUEUE, BPFMAPS_TYPE_STACK };

static int filled(int dev, __u32 type, __u32 nr)
{
	int map = bm_create(dev, type, 0, sizeof(__u64), nr, 0);
	__u64 value;

	for (value = 0; value < nr; value++)
		bm_update(map, NULL, &value, BPFMAPS_ANY);
	return map;
}

static int refused(int map, unsigned int cmd, struct bpfmaps_batch_attr a)
{
	__u64 values[4] = { 0 };
	__u32 count = a.count;
	int ret;

	a.map_fd = BPFMAPS_SELF;
	if (!a.values)
		a.values = (unsigned long)values;
	ret = bm_call(map, cmd, &a, sizeof(a));
	/* What is wrong with the argument itself leaves it alone. */
	if ((ret == -ENOTSUPP || (ret == -EINVAL && !a.elem_flags)) && a.count != count)
		return 1;
	return ret;
}

TEST(refuses)
{
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_UPDATE_BATCH, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH,
	};
	int dev = bm_open(), map, taken = BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH;
	__u64 some = 0, where = (unsigned long)&some;
	size_t t, c;

#define REFUSED(...) refused(map, cmds[c], (struct bpfmaps_batch_attr){ __VA_ARGS__ })
	for (t = 0; t < ARRAY_SIZE(queues); t++) {
		map = filled(dev, queues[t], 4);
		ASSERT_LE(0, map);
		for (c = 0; c < ARRAY_SIZE(cmds); c++) {
			EXPECT_EQ(-ENOTSUPP, REFUSED(.count = 1, .keys = where));
			EXPECT_EQ(-ENOTSUPP, REFUSED(.count = 1, .in_batch = where));
			EXPECT_EQ(-ENOTSUPP, REFUSED(.count = 1, .out_batch = where));
			EXPECT_EQ(-EINVAL, REFUSED(.count = 1, .flags = 1));
			EXPECT_EQ(-EINVAL, REFUSED(.count = 1, .elem_flags = 1ULL << 32));
			EXPECT_EQ(-EINVAL, REFUSED(.count = 1, .elem_flags = BPFMAPS_NOEXIST));
			EXPECT_EQ(-EFAULT, REFUSED(.count = 1, .values = 8));
			EXPECT_EQ(-EFAULT, REFUSED(.count = ~0U, .values = ~0UL - 8));
			EXPECT_EQ(0, REFUSED(.count = 0));
			EXPECT_EQ(-ENOTSUPP, REFUSED(.count = 0, .keys = where));
		}
		EXPECT_EQ(-EINVAL, refused(map, taken, (struct bpfmaps_batch_attr){
			.count = 1, .elem_flags = BPFMAPS_EXIST }));
		EXPECT_EQ(-ENOTSUPP, refused(map, BPFMAPS_MAP_LOOKUP_BATCH,
					     (struct bpfmaps_batch_attr){ .count = 1 }));
		EXPECT_EQ(-ENOTSUPP, refused(map, BPFMAPS_MAP_DELETE_BATCH,
					     (struct bpfmaps_batch_attr){ .count = 1 }));
		/* All four are still there, and then no more. */
		EXPECT_EQ(0, refused(map, taken, (struct bpfmaps_batch_attr){ .count = 4 }));
		EXPECT_EQ(-ENOENT, refused(map, taken, (struct bpfmaps_batch_attr){ .count = 1 }));
		close(map);
	}
#undef REFUSED
	close(dev);
}

TEST(narrow_and_frozen)
{
	int dev = bm_open(), map, narrow;
	__u64 value = 0;
	__u32 count;
	size_t t;

	for (t = 0; t < ARRAY_SIZE(queues); t++) {
		map = filled(dev, queues[t], 4);
		ASSERT_LE(0, map);
		narrow = bm_fd_by_id(dev, bm_id(map), BPFMAPS_F_RDONLY);
		EXPECT_EQ(-EPERM, batch(narrow, BPFMAPS_MAP_UPDATE_BATCH, &value,
					&(__u32){ 1 }, 0));
		EXPECT_EQ(-EPERM, batch(narrow, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &value,
					&(__u32){ 1 }, 0));
		close(narrow);
		narrow = bm_fd_by_id(dev, bm_id(map), BPFMAPS_F_WRONLY);
		EXPECT_EQ(0, batch(narrow, BPFMAPS_MAP_UPDATE_BATCH, &value, &(__u32){ 1 },
				   BPFMAPS_EXIST));
		EXPECT_EQ(-EPERM, batch(narrow, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &value,
					&(__u32){ 1 }, 0));
		close(narrow);
		EXPECT_EQ(0, bm_freeze(map));
		EXPECT_EQ(-EPERM, batch(map, BPFMAPS_MAP_UPDATE_BATCH, &value, &(__u32){ 1 }, 0));
		count = 1;
		EXPECT_EQ(-EPERM, batch(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, &value, &count,
					0));
		EXPECT_EQ(0, bm_lookup(map, NULL, &value));
		close(map);
	}
	close(dev);
}

/* The room for values ends at a page that is not there: nothing is gone that did not arrive. */
TEST(nothing_is_lost_to_a_bad_pointer)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const __u32 nr = 4096;
	int dev = bm_open(), map;
	__u64 *area, *rest = calloc(nr, sizeof(*rest));
	__u32 count, left;
	size_t t;

	area = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	ASSERT_EQ(0, munmap((char *)area + page, page));
	for (t = 0; t < ARRAY_SIZE(queues); t++) {
		map = filled(dev, queues[t], nr);
		ASSERT_LE(0, map);
		count = nr;
		EXPECT_EQ(-EFAULT, batch(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, area, &count,
					 0));
		left = nr;
		EXPECT_EQ(-ENOENT, batch(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, rest, &left,
					 0));
		printf("# type %u: %u arrived, then %u\n", queues[t], count, left);
		EXPECT_LT(0, count);
		EXPECT_GE(page / sizeof(*area), count);
		EXPECT_EQ(nr, count + left);
		/* The rest begins behind what has arrived. */
		EXPECT_EQ(queues[t] == BPFMAPS_TYPE_STACK ? nr - 1 - count : count, rest[0]);
		close(map);
	}
	munmap(area, page);
	free(rest);
	close(dev);
}

#define THREADS	3
#define VALUES	6000
#define STEP	40

static int shared;
static unsigned char seen[THREADS * VALUES];

/* Pushes its values some at a time, and pops as many. */
static void *push_and_pop(void *arg)
{
	__u64 values[STEP], nr = scaled(VALUES), first = (unsigned long)arg * nr, pushed = 0;
	unsigned int seed = (unsigned long)arg + 1, i;
	__u64 popped = 0;
	__u32 count;

	while (pushed < nr || popped < nr) {
		count = 1 + rand_r(&seed) % STEP;
		for (i = 0; i < count; i++)
			values[i] = first + pushed + i;
		if (count > nr - pushed)
			count = nr - pushed;
		batch(shared, BPFMAPS_MAP_UPDATE_BATCH, values, &count, 0);
		pushed += count;
		count = 1 + rand_r(&seed) % STEP;
		if (count > nr - popped)
			count = nr - popped;
		batch(shared, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, values, &count, 0);
		for (i = 0; i < count; i++)
			__atomic_fetch_add(&seen[values[i]], 1, __ATOMIC_RELAXED);
		popped += count;
	}
	return NULL;
}

TEST(each_value_comes_out_once)
{
	const size_t wanted = THREADS * scaled(VALUES);
	pthread_t threads[THREADS];
	int dev = bm_open();
	unsigned long i;
	size_t t, once;

	for (t = 0; t < ARRAY_SIZE(queues); t++) {
		memset(seen, 0, sizeof(seen));
		shared = bm_create(dev, queues[t], 0, 8, 2 * STEP, 0);
		ASSERT_LE(0, shared);
		for (i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, push_and_pop, (void *)i);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (i = 0, once = 0; i < sizeof(seen); i++)
			once += seen[i] == 1;
		printf("# type %u: %zu of %zu values came out once\n", queues[t], once, wanted);
		EXPECT_EQ(wanted, once);
		close(shared);
	}
	close(dev);
}

TEST_HARNESS_MAIN
