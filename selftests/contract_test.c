// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every map type.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "bpfmaps_util.h"
#include "release.h"
#include "scale.h"
#include "shape.h"

#define BUFFER	4096
#define UNMAPPED	((void *)0x1000UL)

FIXTURE(type) {
	int dev;
	int map;
	struct shape s;
	bool takes;		/* values can be put into it from here */
	bool keyed;		/* keys can be walked over */
	bool holds;		/* maps, of which a look-up gives the id */
	__u32 copied;		/* bytes that a look-up writes */
	unsigned char key[BUFFER];
	unsigned char value[BUFFER];
	unsigned char want[BUFFER];	/* what a look-up gives of the value */
	unsigned char out[BUFFER];
};

FIXTURE_TYPES(type, true)

static const void *key_of(const struct _test_data_type *self)
{
	return self->s.key ? self->key : NULL;
}

/*
 * A look-up of what was put in. Where it does not copy out, it asks for what it is given: that is
 * then tried, too.
 */
static int look(struct _test_data_type *self, int map)
{
	int ret;

	memset(self->out, 0, sizeof(self->out));
	ret = bm_lookup(map, key_of(self), self->out);
	if (ret != -ENOENT)
		return ret;
	memcpy(self->out, self->value, sizeof(self->out));
	return bm_lookup(map, key_of(self), self->out);
}

/* What was put in, or what follows it, consists of bytes that are not zero. */
static __u32 copied_bytes(struct _test_data_type *self)
{
	__u32 nr = 0;

	if (!look(self, self->map)) {
		while (nr < sizeof(self->out) && self->out[nr] == self->want[nr])
			nr++;
	}
	return nr;
}

/* A map that takes no value of that kind may take a map. */
static bool put_map(struct _test_data_type *self)
{
	__u32 id = bm_id(self->s.inner);

	memcpy(self->value, &self->s.inner, sizeof(self->s.inner));
	if (bm_update(self->map, key_of(self), self->value, 0))
		return false;
	memcpy(self->want, &id, sizeof(id));
	return true;
}

FIXTURE_SETUP(type)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->s.type = variant->number;
	self->s.inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	ASSERT_LE(0, self->s.inner);
	self->map = shape_find_usual(self->dev, &self->s);
	ASSERT_LE(0, self->map);
	memset(self->value, 0x5a, sizeof(self->value));
	memset(self->want, 0x5a, sizeof(self->want));
	/* Where there is no key, there must be none. */
	self->takes = !bm_update(self->map, key_of(self), self->value, 0);
	self->holds = !self->takes && put_map(self);
	self->takes |= self->holds;
	self->keyed = !bm_next(self->map, NULL, self->out);
	self->copied = copied_bytes(self);
}

FIXTURE_TEARDOWN(type)
{
	close(self->map);
	close(self->s.inner);
	close(self->dev);
}

/* What an element command that is not refused for a reason of its own may say. */
static bool is_usual(int ret)
{
	switch (ret) {
	case 0:
	case -ENOENT:
	case -EBADF:
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

/* Whether the value that was put in is there, as a whole. */
static bool is_there(struct _test_data_type *self, int map)
{
	return !look(self, map) && !memcmp(self->out, self->want, self->copied);
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
	int ret;

	s = self->s;
	s.key = 0xffffffff;
	EXPECT_GT(0, shape_create(self->dev, &s));
	s = self->s;
	s.value = 0xffffffff;
	EXPECT_GT(0, shape_create(self->dev, &s));
	s = self->s;
	s.max = 0;
	EXPECT_EQ(-EINVAL, shape_create(self->dev, &s));
	/* It depends on the type whether that many take memory from the start. */
	s.max = 0xffffffff;
	ret = shape_create(self->dev, &s);
	EXPECT_TRUE(ret >= 0 || ret == -EINVAL || ret == -E2BIG || ret == -ENOMEM);
	s = self->s;
	for (all = 0x80000000; all >= 0x8000000; all >>= 1) {
		s.key = all;
		s.value = all;
		s.max = all;
		EXPECT_GT(0, shape_create(self->dev, &s));
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
	EXPECT_EQ(self->takes, is_there(self, self->map));
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

	EXPECT_EQ(self->takes, is_there(self, self->map));
	EXPECT_TRUE(!self->takes || self->copied >= self->s.value);
	EXPECT_TRUE(is_usual(look(self, self->map)));
	ret = bm_delete(self->map, key_of(self));
	EXPECT_TRUE(is_usual(ret));
	if (self->takes && !ret)
		EXPECT_EQ(-ENOENT, look(self, self->map));
	EXPECT_TRUE(is_usual(bm_next(self->map, NULL, self->out)));
	printf("# sizes %u/%u of %u: takes values %d, of %u bytes, keyed %d, deletes %d\n",
	       self->s.key, self->s.value, self->s.max, self->takes, self->copied, self->keyed,
	       !ret);
	fflush(stdout);
}

TEST_F(type, lookup_and_delete)
{
	const unsigned int cmd = BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
	int ret;

	EXPECT_EQ(-EINVAL, bm_elem(self->map, cmd, key_of(self), self->out, 1ULL << 40));
	EXPECT_GT(0, bm_elem(self->map, cmd, UNMAPPED, self->out, 0));
	ret = bm_elem(self->map, cmd, key_of(self), self->out, 0);
	EXPECT_TRUE(is_usual(ret));
	if (ret) {
		EXPECT_EQ(self->takes, is_there(self, self->map));
		return;
	}
	EXPECT_EQ(0, memcmp(self->out, self->want, self->copied));
	EXPECT_EQ(-ENOENT, look(self, self->map));
	EXPECT_EQ(-ENOENT, bm_elem(self->map, cmd, key_of(self), self->out, 0));
}

/* A walk meets each key once, and its end is the end. */
TEST_F(type, walk)
{
	unsigned int met = 0;
	int ret;

	if (!self->keyed) {
		EXPECT_TRUE(is_usual(bm_next(self->map, NULL, self->out)));
		return;
	}
	ASSERT_EQ(0, bm_next(self->map, NULL, self->key));
	do {
		met++;
		ret = bm_lookup(self->map, self->key, self->value);
		/* A place for a map may be empty. */
		EXPECT_TRUE(!ret || (self->holds && ret == -ENOENT));
	} while (met <= self->s.max && !bm_next(self->map, self->key, self->key));
	EXPECT_GE(self->s.max, met);
	EXPECT_EQ(-ENOENT, bm_next(self->map, self->key, self->out));
}

/* On the device and on the map's own descriptor. */
static int call_fresh(struct _test_data_type *self, bool on_map, struct bpfmaps_elem_attr *a,
		      unsigned int cmd)
{
	int map = shape_create(self->dev, &self->s), ret;

	bm_update(map, key_of(self), self->value, 0);
	memcpy(self->out, self->value, sizeof(self->out));
	a->map_fd = on_map ? BPFMAPS_SELF : (__u32)map;
	ret = bm_call(on_map ? map : self->dev, cmd, a, sizeof(*a));
	close(map);
	return ret;
}

TEST_F(type, both_descriptors)
{
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_LOOKUP_ELEM, BPFMAPS_MAP_UPDATE_ELEM, BPFMAPS_MAP_DELETE_ELEM,
		BPFMAPS_MAP_GET_NEXT_KEY, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM,
	};
	struct bpfmaps_elem_attr a = { .key = (unsigned long)key_of(self) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		for (a.flags = 0; a.flags < 5; a.flags++) {
			a.value = 0;
			if (cmds[i] != BPFMAPS_MAP_DELETE_ELEM)
				a.value = (unsigned long)self->out;
			EXPECT_EQ(call_fresh(self, false, &a, cmds[i]),
				  call_fresh(self, true, &a, cmds[i]));
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
	EXPECT_EQ(self->takes, is_there(self, ro));
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
	EXPECT_EQ(self->takes, is_there(self, self->map));
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
	EXPECT_EQ(self->takes, is_there(self, map));
	close(map);
	EXPECT_EQ(0, unlink(path));
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_F(type, as_a_file)
{
	struct pollfd p = { .fd = self->map, .events = POLLIN | POLLOUT };

	EXPECT_EQ(-1, read(self->map, self->out, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->map, self->out, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_LE(0, poll(&p, 1, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self->map, 0));
}

/* The same map of bpf(2), or -1. */
static int bpf_create(const struct shape *s)
{
	struct bpfmaps_create_attr inner = {
		.map_type = BPFMAPS_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	}, a = {
		.map_type = s->type,
		.key_size = s->key,
		.value_size = s->value,
		.max_entries = s->max,
		.map_flags = s->flags,
	};
	int template = syscall(SYS_bpf, BPFMAPS_MAP_CREATE, &inner, sizeof(inner)), fd;

	a.inner_map_fd = template;
	fd = syscall(SYS_bpf, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	close(template);
	return fd;
}

/* The errno of mmap or, behind the first bits, those of mprotect to execute and to write. */
static long map_and_protect(int fd, int prot, off_t offset)
{
	void *p = mmap(NULL, 4096, prot, MAP_SHARED, fd, offset);
	long ret;

	if (p == MAP_FAILED)
		return errno;
	ret = mprotect(p, 4096, PROT_READ | PROT_EXEC) ? 1000L * errno : 0;
	ret += mprotect(p, 4096, PROT_READ | PROT_WRITE) ? 1000000L * errno : 0;
	munmap(p, 4096);
	return ret;
}

/*
 * Who may read, write and execute a mapping is as with bpf(2), for each type: its maps tell what
 * the kernel at hand lets them do.
 */
/* What bpf(2) does not map. */
static bool mapped_here_only(const struct shape *s)
{
	return s->type == BPFMAPS_TYPE_PERCPU_ARRAY && s->flags & BPFMAPS_F_MMAPABLE;
}

TEST_F(type, mapping_rights)
{
	static const __u32 flags[] = { 0, BPFMAPS_F_MMAPABLE };
	unsigned int made = 0, mapped = 0, executable = 0, i, j;
	struct shape s;
	int bpf, ours;
	long want;

	bpf = bpf_create(&self->s);
	close(bpf);
	if (bpf < 0 && old_bpf())
		SKIP(return, "this kernel's bpf(2) does not have the type");
	for (i = 0; i < 2; i++) {
		s = self->s;
		s.flags |= flags[i];
		ours = shape_create(self->dev, &s);
		bpf = bpf_create(&s);
		EXPECT_EQ(bpf < 0 && !mapped_here_only(&s), ours < 0);
		made += bpf >= 0;
		/* 8 protections at 3 offsets */
		for (j = 0; bpf >= 0 && j < 24; j++) {
			want = map_and_protect(bpf, j % 8, j / 8 * 4096);
			EXPECT_EQ(want, map_and_protect(ours, j % 8, j / 8 * 4096))
				TH_LOG("flags %#x, prot %u, page %u", s.flags, j % 8, j / 8);
			mapped += !(want % 1000);
			executable += !(want % 1000) && (j & PROT_EXEC);
		}
		close(bpf);
		close(ours);
	}
	EXPECT_LT(0, made);
	printf("# %u mappings, %u of them to execute\n", mapped, executable);
	fflush(stdout);
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
	static const unsigned int cmds[] = {
		BPFMAPS_MAP_UPDATE_ELEM, BPFMAPS_MAP_UPDATE_ELEM, BPFMAPS_MAP_LOOKUP_ELEM,
		BPFMAPS_MAP_DELETE_ELEM, BPFMAPS_MAP_GET_NEXT_KEY,
		BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM,
	};
	unsigned char key[BUFFER] = "", value[BUFFER] = "";
	unsigned int rounds = scaled(ROUNDS), i, dice, cmd;
	int ret;

	for (i = 0; i < rounds; i++) {
		w->seed = w->seed * 1664525 + 1013904223;
		dice = w->seed;
		key[0] = (dice >> 20) % (w->type->s.max + w->type->s.max / 2);
		cmd = cmds[(dice >> 16) % ARRAY_SIZE(cmds)];
		ret = bm_elem(w->type->map, cmd, w->type->s.key ? key : NULL,
			      cmd == BPFMAPS_MAP_DELETE_ELEM ? NULL : value,
			      cmd == BPFMAPS_MAP_UPDATE_ELEM ? (dice >> 12) % 3 : 0);
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
	const int rounds = scaled(300);
	__u32 id, next = 0;
	int i, map = -1;

	for (i = 0; i < rounds; i++) {
		close(map);
		map = shape_create(self->dev, &self->s);
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
