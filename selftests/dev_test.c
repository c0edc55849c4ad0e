// SPDX-License-Identifier: GPL-2.0-only
/* The device and its ioctls, whatever the map: numbers, rights, processes, threads. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "child.h"
#include "scale.h"

#define NOBODY		65534
#define SOMEBODY	1000

FIXTURE(dev) {
	int dev;
	int map;
};

FIXTURE_SETUP(dev)
{
	__u32 key = 1;
	__u64 value = 11;

	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 8, 16, 0);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, bm_update(self->map, &key, &value, BPFMAPS_ANY));
}

FIXTURE_TEARDOWN(dev)
{
	close(self->map);
	close(self->dev);
}

static int raw(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* Only one magic number and one direction are of this interface. */
TEST_F(dev, foreign_ioctls)
{
	const unsigned int cmd = BPFMAPS_MAP_LOOKUP_ELEM, size = sizeof(struct bpfmaps_elem_attr);
	struct bpfmaps_elem_attr a = { .map_fd = self->map };
	int fds[] = { self->dev, self->map };
	unsigned int magic, i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(-ENOTTY, raw(fds[i], _IOC(_IOC_READ, BPFMAPS_IOC_MAGIC, cmd, size), &a));
		EXPECT_EQ(-ENOTTY, raw(fds[i], _IOC(_IOC_WRITE, BPFMAPS_IOC_MAGIC, cmd, size), &a));
		EXPECT_EQ(-ENOTTY, raw(fds[i], _IOC(_IOC_NONE, BPFMAPS_IOC_MAGIC, cmd, size), &a));
		EXPECT_EQ(-ENOTTY, raw(fds[i], _IOC(_IOC_NONE, BPFMAPS_IOC_MAGIC, cmd, 0), &a));
		EXPECT_EQ(-ENOTTY, raw(fds[i], 0x5413, &a));
		/* 'T' and 'f' have numbers that the kernel takes for every file. */
		for (magic = 0x80; magic < 256; magic++) {
			if (magic != BPFMAPS_IOC_MAGIC)
				EXPECT_EQ(-ENOTTY, raw(fds[i], _IOC(_IOC_READ | _IOC_WRITE, magic,
								    cmd, size), &a));
		}
	}
}

static bool is_command(unsigned int cmd)
{
	switch (cmd) {
	case BPFMAPS_MAP_CREATE:
	case BPFMAPS_MAP_LOOKUP_ELEM:
	case BPFMAPS_MAP_UPDATE_ELEM:
	case BPFMAPS_MAP_DELETE_ELEM:
	case BPFMAPS_MAP_GET_NEXT_KEY:
	case BPFMAPS_OBJ_PIN:
	case BPFMAPS_OBJ_GET:
	case BPFMAPS_MAP_GET_NEXT_ID:
	case BPFMAPS_MAP_GET_FD_BY_ID:
	case BPFMAPS_OBJ_GET_INFO_BY_FD:
	case BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPFMAPS_MAP_FREEZE:
		return true;
	}
	return false;
}

TEST_F(dev, unknown_commands)
{
	static const unsigned int sizes[] = { 0, 4, 32, 128, 4096 };
	unsigned char attr[8192] = "";
	unsigned int cmd, i;

	for (cmd = 0; cmd < 256; cmd++) {
		if (is_command(cmd))
			continue;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(-EINVAL, bm_call(self->dev, cmd, attr, sizes[i]));
			EXPECT_EQ(-EINVAL, bm_call(self->map, cmd, attr, sizes[i]));
		}
		EXPECT_EQ(-E2BIG, bm_call(self->dev, cmd, attr, 4097));
		EXPECT_EQ(-E2BIG, bm_call(self->dev, cmd, attr, 8191));
		EXPECT_EQ(-EFAULT, bm_call(self->dev, cmd, NULL, 8));
	}
}

/* A map's own descriptor knows what is about one map, and no more. */
TEST_F(dev, commands_on_a_map)
{
	struct bpfmaps_create_attr create = {
		.map_type = BPFMAPS_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 1,
	};
	struct bpfmaps_id_attr id = { 0 };

	EXPECT_EQ(-EINVAL, bm_call(self->map, BPFMAPS_MAP_CREATE, &create, sizeof(create)));
	EXPECT_EQ(-EINVAL, bm_pin(self->map, self->map, BM_PINS "/dev_test"));
	EXPECT_EQ(-EINVAL, bm_get(self->map, BM_PINS "/dev_test", 0));
	EXPECT_EQ(-EINVAL, bm_call(self->map, BPFMAPS_MAP_GET_NEXT_ID, &id, sizeof(id)));
	id.map_id = bm_id(self->map);
	EXPECT_EQ(-EINVAL, bm_call(self->map, BPFMAPS_MAP_GET_FD_BY_ID, &id, sizeof(id)));
}

TEST_F(dev, self_and_others)
{
	int other = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 8, 16, 0);
	__u32 key = 1;
	__u64 value = 22;
	struct bpfmaps_elem_attr a = {
		.map_fd = other, .key = (unsigned long)&key, .value = (unsigned long)&value,
	};
	struct bpfmaps_info_attr info = { .bpf_fd = BPFMAPS_SELF };

	/* On the device there is no "self"; a number that is a descriptor is that one anywhere. */
	EXPECT_EQ(-EBADFD, bm_call(self->dev, BPFMAPS_OBJ_GET_INFO_BY_FD, &info, sizeof(info)));
	EXPECT_EQ(0, bm_call(self->map, BPFMAPS_MAP_UPDATE_ELEM, &a, sizeof(a)));
	EXPECT_EQ(0, bm_lookup(self->map, &key, &value));
	EXPECT_EQ(11, value);
	EXPECT_EQ(0, bm_lookup(other, &key, &value));
	EXPECT_EQ(22, value);
	a.map_fd = BPFMAPS_SELF;
	EXPECT_EQ(-EBADF, bm_call(self->dev, BPFMAPS_MAP_LOOKUP_ELEM, &a, sizeof(a)));
	close(other);
	a.map_fd = other;
	EXPECT_EQ(-EBADF, bm_call(self->map, BPFMAPS_MAP_LOOKUP_ELEM, &a, sizeof(a)));
}

TEST_F(dev, device_as_a_file)
{
	struct pollfd p = { .fd = self->dev, .events = POLLIN };
	struct stat st;
	char c = 0;

	EXPECT_EQ(-1, read(self->dev, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->dev, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->dev, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_LE(0, poll(&p, 1, 0));
	EXPECT_EQ(0, stat(BM_DEVICE, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
}

static int try_open(void *arg)
{
	(void)arg;
	return -bm_open();
}

TEST_F(dev, who_may_open)
{
	EXPECT_EQ(EACCES, as_user(NOBODY, try_open, NULL));
	EXPECT_EQ(EACCES, as_user(SOMEBODY, try_open, NULL));
}

struct ids {
	int dev;
	__u32 foreign;
};

/* Returns the number of the first expectation that was not met. */
static int own_ids(void *arg)
{
	const struct ids *i = arg;
	__u32 next = 0, first, second;
	int a, b;

	if (bm_next_id(i->dev, 0, &next) != -ENOENT)
		return 1;
	if (bm_fd_by_id(i->dev, i->foreign, 0) != -EPERM)
		return 2;
	a = bm_create(i->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	b = bm_create(i->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	first = bm_id(a);
	second = bm_id(b);
	if (a < 0 || b < 0 || !first || !second)
		return 3;
	if (bm_next_id(i->dev, 0, &next) || next != first)
		return 4;
	if (bm_next_id(i->dev, first, &next) || next != second)
		return 5;
	if (bm_next_id(i->dev, second, &next) != -ENOENT)
		return 6;
	if (bm_fd_by_id(i->dev, second, 0) < 0 || bm_fd_by_id(i->dev, first, BPFMAPS_F_RDONLY) < 0)
		return 7;
	return 0;
}

struct given {
	int dev;
	int sock;
	__u32 id;
};

static int cannot_see(void *arg)
{
	const struct given *g = arg;
	__u32 next = 0;

	if (bm_fd_by_id(g->dev, g->id, 0) != -EPERM)
		return 1;
	while (!bm_next_id(g->dev, next, &next)) {
		if (next == g->id)
			return 2;
	}
	return 0;
}

static int can_see(void *arg)
{
	const struct given *g = arg;
	int map = bm_fd_by_id(g->dev, g->id, 0);

	return map < 0 || bm_id(map) != g->id;
}

/* Makes a map, tells its id, and keeps it until it is told to end. */
static int keep_a_map(void *arg)
{
	const struct given *g = arg;
	int map = bm_create(g->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	__u32 id = bm_id(map);

	if (map < 0 || !id || write(g->sock, &id, sizeof(id)) != sizeof(id))
		return 1;
	return read(g->sock, &id, sizeof(id)) != sizeof(id);
}

TEST_F(dev, ids_of_one_user)
{
	struct ids i = { .dev = self->dev, .foreign = bm_id(self->map) };

	EXPECT_EQ(0, as_user(NOBODY, own_ids, &i));
}

TEST_F(dev, ids_of_another_user)
{
	struct given g = { .dev = self->dev };
	int pair[2], status = -1;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		g.sock = pair[1];
		become(SOMEBODY);
		_exit(keep_a_map(&g));
	}
	ASSERT_EQ(sizeof(g.id), read(pair[0], &g.id, sizeof(g.id)));
	EXPECT_EQ(0, as_user(NOBODY, cannot_see, &g));
	EXPECT_EQ(0, as_user(SOMEBODY, can_see, &g));
	EXPECT_EQ(0, can_see(&g));
	EXPECT_EQ(sizeof(g.id), write(pair[0], &g.id, sizeof(g.id)));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* The same uid in a user namespace of its own is somebody else. */
static int in_own_namespace(void *arg)
{
	if (unshare(CLONE_NEWUSER))
		return 98;
	return cannot_see(arg);
}

TEST_F(dev, ids_in_a_user_namespace)
{
	struct given g = { .dev = self->dev, .id = bm_id(self->map) };

	EXPECT_EQ(0, as_user(0, in_own_namespace, &g));
}

static int use_map(void *arg)
{
	__u32 key = 1, absent = 2;
	int map = *(int *)arg;
	__u64 value = 0;

	if (bm_lookup(map, &key, &value) || value != 11)
		return 1;
	value = 12;
	if (bm_update(map, &key, &value, BPFMAPS_EXIST))
		return 2;
	if (bm_update(map, &absent, &value, BPFMAPS_NOEXIST))
		return 3;
	return bm_freeze(map) ? 4 : 0;
}

/* A descriptor is enough, whoever holds it. */
TEST_F(dev, inherited_by_another_user)
{
	__u32 key = 1;
	__u64 value = 0;

	EXPECT_EQ(0, as_user(NOBODY, use_map, &self->map));
	EXPECT_EQ(0, bm_lookup(self->map, &key, &value));
	EXPECT_EQ(12, value);
	EXPECT_EQ(-EPERM, bm_update(self->map, &key, &value, BPFMAPS_ANY));
}

/* The map lives as long as one of the processes that share it. */
TEST_F(dev, fork_keeps_the_map)
{
	__u32 id = bm_id(self->map), key = 1;
	__u64 value = 0;
	int pair[2], status = -1, map;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid)
		_exit(read(pair[1], &key, sizeof(key)) != sizeof(key) ||
		      bm_lookup(self->map, &key, &value) || value != 11);
	close(self->map);
	map = bm_fd_by_id(self->dev, id, 0);
	EXPECT_LE(0, map);
	close(map);
	EXPECT_EQ(sizeof(key), write(pair[0], &key, sizeof(key)));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

#define RACE_ROUNDS	1500

struct race {
	int dev;
	int map;
	bool done;
	unsigned int calls;
	int unusual;
};

/* Whatever the number in map_fd is at the moment: a map, a closed descriptor, another map. */
static void *call_raced(void *arg)
{
	struct race *r = arg;
	__u32 key = 1, next;
	__u64 value = 0;
	struct bpfmaps_elem_attr a = {
		.key = (unsigned long)&key, .value = (unsigned long)&value,
	};
	struct bpfmaps_map_info info;
	int ret;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		a.map_fd = __atomic_load_n(&r->map, __ATOMIC_RELAXED);
		ret = bm_call(r->dev, BPFMAPS_MAP_UPDATE_ELEM + r->calls % 2, &a,
			      r->calls % 2 ? 16 : sizeof(a));
		if (ret && ret != -EBADF && ret != -ENOENT)
			r->unusual = ret;
		ret = bm_next(a.map_fd, NULL, &next);
		if (ret && ret != -EBADF && ret != -ENOENT)
			r->unusual = ret;
		bm_info(a.map_fd, &info);
		r->calls++;
	}
	return NULL;
}

TEST_F(dev, close_races_with_calls)
{
	const int rounds = scaled(RACE_ROUNDS);
	struct race r = { .dev = self->dev, .map = -1 };
	pthread_t threads[2];
	int i, map;

	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, call_raced, &r);
	/* A few rounds may be over before the threads run at all. */
	for (i = 0; i < rounds || !__atomic_load_n(&r.calls, __ATOMIC_RELAXED); i++) {
		map = bm_create(self->dev, BPFMAPS_TYPE_HASH, 4, 8, 16, i % 2);
		EXPECT_LE(0, map);
		__atomic_store_n(&r.map, map, __ATOMIC_RELAXED);
		sched_yield();
		close(map);
	}
	__atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_EQ(0, r.unusual);
	EXPECT_LT(0, r.calls);
	printf("# %d maps closed during %u rounds of calls\n", i, r.calls);
	fflush(stdout);
}

static void *ids_raced(void *arg)
{
	struct race *r = arg;
	__u32 id = 0, next;
	int map;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		if (bm_next_id(r->dev, id, &next)) {
			id = 0;
			continue;
		}
		id = next;
		map = bm_fd_by_id(r->dev, id, 0);
		if (map < 0 && map != -ENOENT)
			r->unusual = map;
		if (map >= 0)
			close(map);
		r->calls++;
	}
	return NULL;
}

/* Opening by id while the last descriptor goes away: a map, or none. */
TEST_F(dev, close_races_with_ids)
{
	const int rounds = scaled(RACE_ROUNDS);
	struct race r = { .dev = self->dev, .map = -1 };
	__u32 id = 0, next;
	pthread_t thread;
	int i, map;

	pthread_create(&thread, NULL, ids_raced, &r);
	/* A few rounds may be over before the thread runs at all. */
	for (i = 0; i < rounds || !__atomic_load_n(&r.calls, __ATOMIC_RELAXED); i++) {
		map = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
		EXPECT_LE(0, map);
		close(map);
	}
	__atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.unusual);
	EXPECT_LT(0, r.calls);
	/* Only the fixture's map is left. */
	EXPECT_EQ(0, bm_next_id(self->dev, id, &next));
	EXPECT_EQ(bm_id(self->map), next);
	EXPECT_EQ(-ENOENT, bm_next_id(self->dev, next, &next));
}

#define FROZEN_ROUNDS	150
#define FROZEN_VALUE	50000

struct freezer {
	int map;
	uint64_t last;
	int error;
};

/* The values start with a count; setting a large one takes long. */
static void *write_until_frozen(void *arg)
{
	static unsigned char value[FROZEN_VALUE];
	struct freezer *f = arg;
	__u32 key = 1;
	uint64_t count;
	int err = 0;

	for (count = 1; !err; count++) {
		memcpy(value, &count, sizeof(count));
		err = bm_update(f->map, &key, value, BPFMAPS_ANY);
		if (!err)
			__atomic_store_n(&f->last, count, __ATOMIC_RELEASE);
	}
	f->error = err;
	return NULL;
}

static uint64_t count_in(int map)
{
	static unsigned char value[FROZEN_VALUE];
	uint64_t count = 0;
	__u32 key = 1;

	if (!bm_lookup(map, &key, value))
		memcpy(&count, value, sizeof(count));
	return count;
}

static const __u32 frozen_shapes[][2] = {
	{ BPFMAPS_TYPE_HASH, FROZEN_VALUE },
	{ BPFMAPS_TYPE_ARRAY, 8 },
	{ BPFMAPS_TYPE_HASH, 8 },
};

/* After freeze has returned, nothing changes any more: writers are through or refused. */
TEST_F(dev, freeze_races_with_updates)
{
	const int rounds = scaled(FROZEN_ROUNDS);
	uint64_t seen;
	struct freezer f;
	pthread_t thread;
	const __u32 *s;
	int i;

	for (i = 0; i < rounds; i++) {
		s = frozen_shapes[i % ARRAY_SIZE(frozen_shapes)];
		f = (struct freezer) { 0 };
		f.map = bm_create(self->dev, s[0], 4, s[1], 4, 0);
		ASSERT_LE(0, f.map);
		pthread_create(&thread, NULL, write_until_frozen, &f);
		while (__atomic_load_n(&f.last, __ATOMIC_ACQUIRE) < 3)
			sched_yield();
		EXPECT_EQ(0, bm_freeze(f.map));
		seen = count_in(f.map);
		pthread_join(thread, NULL);
		EXPECT_EQ(-EPERM, f.error);
		EXPECT_EQ(seen, count_in(f.map));
		EXPECT_EQ(f.last, seen);
		close(f.map);
	}
}

TEST_HARNESS_MAIN
