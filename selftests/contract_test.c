// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every map type. The types come from the list in <linux/bpfmaps.h>, and what sizes
 * a type takes is found by trying, so that a new type is tested as soon as it is in the list.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"

#define SIZE_MAX_TRIED	64
#define UNMAPPED	((void *)0x1000UL)

struct shape {
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
};

FIXTURE(type) {
	int dev;
	int map;
	struct shape s;
	bool takes;		/* values can be put into it from here */
	bool keyed;		/* keys can be walked over */
	unsigned char key[SIZE_MAX_TRIED];
	unsigned char value[SIZE_MAX_TRIED];
	unsigned char out[SIZE_MAX_TRIED];
};

FIXTURE_VARIANT(type) {
	__u32 number;
	char name[32];
};

#define TYPE_ENTRY(nr, NAME, text)	{ .number = (nr), .name = #text },

static const FIXTURE_VARIANT(type) types[] = { BPFMAPS_TYPES(TYPE_ENTRY) };
static struct __fixture_variant_metadata variants[ARRAY_SIZE(types)];

/* FIXTURE_VARIANT_ADD() for each type. The harness puts what comes later first. */
static void __attribute__((constructor)) add_types(void)
{
	size_t i = ARRAY_SIZE(types);

	while (i--) {
		variants[i].name = types[i].name;
		variants[i].data = &types[i];
		__register_fixture_variant(&_type_fixture_object, &variants[i]);
	}
}

static int create(int dev, const struct shape *s)
{
	return bm_create(dev, s->type, s->key, s->value, s->max, s->flags);
}

/* The first combination that works, and its map. */
static int find_shape(int dev, struct shape *s)
{
	static const __u32 keys[] = { 4, 8, 0 }, values[] = { 8, 4, 0 }, maxima[] = { 16, 4096 };
	static const __u32 flags[] = { 0, BPFMAPS_F_NO_PREALLOC };
	unsigned int i;
	int map = -1;

	for (i = 0; map < 0 && i < 36; i++) {
		s->key = keys[i % 3];
		s->value = values[i / 3 % 3];
		s->max = maxima[i / 9 % 2];
		s->flags = flags[i / 18];
		map = create(dev, s);
	}
	return map;
}

FIXTURE_SETUP(type)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->s.type = variant->number;
	self->map = find_shape(self->dev, &self->s);
	ASSERT_LE(0, self->map);
	memset(self->value, 0x5a, sizeof(self->value));
	/* Where there is no key, there must be none. */
	self->takes = !bm_update(self->map, self->s.key ? self->key : NULL, self->value, 0);
	self->keyed = !bm_next(self->map, NULL, self->out);
}

FIXTURE_TEARDOWN(type)
{
	close(self->map);
	close(self->dev);
}

/* What an element command that is not refused for a reason of its own may say. */
static bool is_usual(int ret)
{
	switch (ret) {
	case 0:
	case -ENOENT:
	case -EEXIST:
	case -E2BIG:
	case -ENOSPC:
	case -EINVAL:
	case -EOPNOTSUPP:
	case -ENOTSUPP:
		return true;
	}
	return false;
}

static const void *key_of(const struct _test_data_type *self)
{
	return self->s.key ? self->key : NULL;
}

TEST_F(type, create_refuses)
{
	struct bpfmaps_create_attr good = {
		.map_type = self->s.type,
		.key_size = self->s.key,
		.value_size = self->s.value,
		.max_entries = self->s.max,
		.map_flags = self->s.flags,
	}, a;

	a = good;
	a.map_flags |= 1U << 31;
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	a.map_flags |= BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY;
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	memset(a.map_name, 'x', sizeof(a.map_name));
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	a.map_name[0] = '-';
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	a.btf_value_type_id = 1;
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	a.map_flags |= BPFMAPS_F_NUMA_NODE;
	a.numa_node = 1000;
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	a = good;
	a.map_extra = ~0ULL;
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
	EXPECT_EQ(-EINVAL, bm_call(self->dev, BPFMAPS_MAP_CREATE, &good, 4));
	EXPECT_EQ(-E2BIG, bm_call(self->dev, BPFMAPS_MAP_CREATE, &good, 4097));
}

TEST_F(type, create_refuses_sizes)
{
	struct shape s;
	__u32 all;

	s = self->s;
	s.key = 0xffffffff;
	EXPECT_GT(0, create(self->dev, &s));
	s = self->s;
	s.value = 0xffffffff;
	EXPECT_GT(0, create(self->dev, &s));
	s = self->s;
	s.max = 0;
	EXPECT_EQ(-EINVAL, create(self->dev, &s));
	s.max = 0xffffffff;
	EXPECT_GT(0, create(self->dev, &s));
	s = self->s;
	for (all = 0x80000000; all >= 0x8000000; all >>= 1) {
		s.key = all;
		s.value = all;
		s.max = all;
		EXPECT_GT(0, create(self->dev, &s));
	}
}

TEST_F(type, bad_pointers_change_nothing)
{
	struct bpfmaps_elem_attr a = { .map_fd = BPFMAPS_SELF };
	unsigned int cmd, before = self->keyed ? bm_count(self->map, self->s.key, 5000) : 0;
	void *bad[] = { UNMAPPED, (void *)~0UL, (void *)0xffff888000000000UL };
	size_t i;

	for (cmd = BPFMAPS_MAP_LOOKUP_ELEM; cmd <= BPFMAPS_MAP_GET_NEXT_KEY; cmd++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			a.key = (unsigned long)bad[i];
			a.value = cmd == BPFMAPS_MAP_DELETE_ELEM ? 0 : (unsigned long)bad[i];
			EXPECT_GT(0, bm_call(self->map, cmd, &a, sizeof(a)));
			EXPECT_EQ(-EFAULT, bm_call(self->map, cmd, bad[i], sizeof(a)));
		}
		EXPECT_EQ(-EFAULT, bm_call(self->map, cmd, NULL, sizeof(a)));
	}
	if (self->keyed)
		EXPECT_EQ(before, bm_count(self->map, self->s.key, 5000));
	if (self->takes) {
		EXPECT_EQ(0, bm_lookup(self->map, key_of(self), self->out));
		EXPECT_EQ(0, memcmp(self->out, self->value, self->s.value));
	}
}

TEST_F(type, bad_flags)
{
	static const __u64 flags[] = { 4, 1ULL << 20, 1ULL << 32, 1ULL << 40, 1ULL << 63 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-EINVAL, bm_elem(self->map, BPFMAPS_MAP_LOOKUP_ELEM, key_of(self),
					   self->out, flags[i]));
		EXPECT_GT(0, bm_update(self->map, key_of(self), self->value, flags[i]));
	}
}

TEST_F(type, elements)
{
	int ret;

	if (self->takes) {
		EXPECT_EQ(0, bm_lookup(self->map, key_of(self), self->out));
		EXPECT_EQ(0, memcmp(self->out, self->value, self->s.value));
	} else {
		EXPECT_TRUE(is_usual(bm_lookup(self->map, key_of(self), self->out)));
	}
	ret = bm_delete(self->map, key_of(self));
	EXPECT_TRUE(is_usual(ret));
	if (self->takes && !ret)
		EXPECT_EQ(-ENOENT, bm_lookup(self->map, key_of(self), self->out));
	EXPECT_TRUE(is_usual(bm_next(self->map, NULL, self->out)));
	printf("# sizes %u/%u of %u: takes values %d, keyed %d, deletes %d\n", self->s.key,
	       self->s.value, self->s.max, self->takes, self->keyed, !ret);
	fflush(stdout);
}

/* A walk meets each key once, and its end is the end. */
TEST_F(type, walk)
{
	unsigned int met = 0;

	if (!self->keyed) {
		EXPECT_TRUE(is_usual(bm_next(self->map, NULL, self->out)));
		return;
	}
	ASSERT_EQ(0, bm_next(self->map, NULL, self->key));
	do {
		met++;
		EXPECT_EQ(0, bm_lookup(self->map, self->key, self->value));
	} while (met <= self->s.max && !bm_next(self->map, self->key, self->key));
	EXPECT_GE(self->s.max, met);
	EXPECT_EQ(-ENOENT, bm_next(self->map, self->key, self->out));
}

/* On the device and on the map's own descriptor. */
TEST_F(type, both_descriptors)
{
	struct bpfmaps_elem_attr a = { .key = (unsigned long)key_of(self) };
	unsigned int cmd;
	__u64 flags;
	int ret;

	for (cmd = BPFMAPS_MAP_LOOKUP_ELEM; cmd <= BPFMAPS_MAP_GET_NEXT_KEY; cmd++) {
		for (flags = 0; flags < 5; flags++) {
			memcpy(self->out, self->value, sizeof(self->out));
			a.value = cmd == BPFMAPS_MAP_DELETE_ELEM ? 0 : (unsigned long)self->out;
			a.flags = flags;
			/* The same state before each of the two. */
			bm_update(self->map, key_of(self), self->value, 0);
			a.map_fd = self->map;
			ret = bm_call(self->dev, cmd, &a, sizeof(a));
			bm_update(self->map, key_of(self), self->value, 0);
			a.map_fd = BPFMAPS_SELF;
			EXPECT_EQ(ret, bm_call(self->map, cmd, &a, sizeof(a)));
		}
	}
}

TEST_F(type, info_and_ids)
{
	__u32 id = bm_id(self->map), next = 0;
	struct bpfmaps_map_info info;
	int map;

	EXPECT_NE(0, id);
	EXPECT_EQ(0, bm_info(self->map, &info));
	EXPECT_EQ(self->s.type, info.type);
	EXPECT_EQ(self->s.key, info.key_size);
	EXPECT_EQ(self->s.value, info.value_size);
	EXPECT_LE(self->s.max, info.max_entries);
	EXPECT_EQ(self->s.flags, info.map_flags);
	EXPECT_EQ(0, info.ifindex);
	EXPECT_EQ(0, info.btf_id);
	EXPECT_EQ(0, info.unused);
	EXPECT_EQ(0, bm_next_id(self->dev, id - 1, &next));
	EXPECT_EQ(id, next);
	map = bm_fd_by_id(self->dev, id, 0);
	EXPECT_LE(0, map);
	EXPECT_EQ(id, bm_id(map));
	EXPECT_EQ(FD_CLOEXEC, fcntl(map, F_GETFD));
	close(map);
	close(self->map);
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_F(type, fdinfo)
{
	EXPECT_EQ(self->s.type, bm_fdinfo(self->map, "map_type"));
	EXPECT_EQ(self->s.key, bm_fdinfo(self->map, "key_size"));
	EXPECT_EQ(self->s.value, bm_fdinfo(self->map, "value_size"));
	EXPECT_LE(self->s.max, bm_fdinfo(self->map, "max_entries"));
	EXPECT_EQ(self->s.flags, bm_fdinfo(self->map, "map_flags"));
	EXPECT_EQ(bm_id(self->map), bm_fdinfo(self->map, "map_id"));
	EXPECT_EQ(0, bm_fdinfo(self->map, "frozen"));
	EXPECT_LT(0, bm_fdinfo(self->map, "memlock"));
	EXPECT_EQ(0, bm_freeze(self->map));
	EXPECT_EQ(1, bm_fdinfo(self->map, "frozen"));
}

TEST_F(type, narrow_descriptors)
{
	__u32 id = bm_id(self->map);
	int ro = bm_fd_by_id(self->dev, id, BPFMAPS_F_RDONLY);
	int wo = bm_fd_by_id(self->dev, id, BPFMAPS_F_WRONLY);

	EXPECT_EQ(-EINVAL, bm_fd_by_id(self->dev, id, BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY));
	EXPECT_EQ(-EINVAL, bm_fd_by_id(self->dev, id, BPFMAPS_F_MMAPABLE));
	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	EXPECT_EQ(-EPERM, bm_update(ro, key_of(self), self->value, 0));
	EXPECT_EQ(-EPERM, bm_delete(ro, key_of(self)));
	EXPECT_EQ(-EPERM, bm_freeze(ro));
	EXPECT_EQ(-EPERM, bm_lookup(wo, key_of(self), self->out));
	EXPECT_EQ(-EPERM, bm_next(wo, NULL, self->out));
	EXPECT_EQ(self->takes, !bm_lookup(ro, key_of(self), self->out));
	EXPECT_EQ(self->takes, !bm_update(wo, key_of(self), self->value, 0));
	EXPECT_EQ(self->keyed, !bm_next(ro, NULL, self->out));
	close(ro);
	close(wo);
}

TEST_F(type, frozen)
{
	int again;

	EXPECT_EQ(0, bm_freeze(self->map));
	again = bm_freeze(self->map);
	EXPECT_TRUE(again == -EBUSY || again == -EPERM);
	EXPECT_EQ(-EPERM, bm_update(self->map, key_of(self), self->value, 0));
	EXPECT_EQ(-EPERM, bm_delete(self->map, key_of(self)));
	EXPECT_EQ(self->takes, !bm_lookup(self->map, key_of(self), self->out));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, self->map, 0));
}

TEST_F(type, pinned)
{
	const char *path = BM_PINS "/contract_test";
	__u32 id = bm_id(self->map);
	int map;

	EXPECT_EQ(-EPERM, bm_pin(self->dev, self->map, BM_PINS "/with.dot"));
	EXPECT_EQ(-EPERM, bm_pin(self->dev, self->map, "/tmp/contract_test"));
	EXPECT_EQ(-ENOENT, bm_get(self->dev, path, 0));
	ASSERT_EQ(0, bm_pin(self->dev, self->map, path));
	EXPECT_EQ(-EEXIST, bm_pin(self->dev, self->map, path));
	close(self->map);
	map = bm_get(self->dev, path, 0);
	EXPECT_LE(0, map);
	EXPECT_EQ(id, bm_id(map));
	EXPECT_EQ(self->takes, !bm_lookup(map, key_of(self), self->out));
	close(map);
	EXPECT_EQ(0, unlink(path));
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_F(type, as_a_file)
{
	struct pollfd p = { .fd = self->map, .events = POLLIN | POLLOUT };
	void *mapping;

	EXPECT_EQ(-1, read(self->map, self->out, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->map, self->out, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_LE(0, poll(&p, 1, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self->map, 0));
	mapping = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, self->map, 0);
	EXPECT_EQ(MAP_FAILED, mapping);
}

#define THREADS	4
#define ROUNDS	1500

struct worker {
	const struct _test_data_type *type;
	unsigned int seed;
	int unusual;
};

/* Any command with any key: the result may be this or that, but not strange. */
static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned char key[SIZE_MAX_TRIED] = "", value[SIZE_MAX_TRIED] = "";
	unsigned int i, dice;
	int ret;

	for (i = 0; i < ROUNDS; i++) {
		w->seed = w->seed * 1664525 + 1013904223;
		dice = w->seed;
		key[0] = (dice >> 20) % (w->type->s.max + w->type->s.max / 2);
		if ((dice >> 16) % 4 == 0)
			ret = bm_delete(w->type->map, w->type->s.key ? key : NULL);
		else if ((dice >> 16) % 4 == 1)
			ret = bm_next(w->type->map, key, value);
		else if ((dice >> 16) % 4 == 2)
			ret = bm_lookup(w->type->map, w->type->s.key ? key : NULL, value);
		else
			ret = bm_update(w->type->map, w->type->s.key ? key : NULL, value,
					(dice >> 12) % 3);
		if (!is_usual(ret))
			w->unusual = ret;
	}
	return NULL;
}

TEST_F(type, many_at_a_time)
{
	pthread_t threads[THREADS];
	struct worker w[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) { .type = self, .seed = i };
		pthread_create(&threads[i], NULL, work, &w[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, w[i].unusual);
	}
	if (self->keyed)
		EXPECT_GE(self->s.max, bm_count(self->map, self->s.key, 2 * self->s.max));
}

/* Nothing is left of maps that are gone. */
TEST_F(type, come_and_go)
{
	__u32 id, next = 0;
	int i, map = -1;

	for (i = 0; i < 300; i++) {
		close(map);
		map = create(self->dev, &self->s);
		ASSERT_LE(0, map);
		EXPECT_TRUE(is_usual(bm_update(map, key_of(self), self->value, 0)));
	}
	id = bm_id(map);
	EXPECT_EQ(0, bm_next_id(self->dev, bm_id(self->map), &next));
	EXPECT_EQ(id, next);
	close(map);
	EXPECT_EQ(-ENOENT, bm_next_id(self->dev, bm_id(self->map), &next));
}

TEST_HARNESS_MAIN
