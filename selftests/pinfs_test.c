// SPDX-License-Identifier: GPL-2.0-only
/* The pin filesystem: what bpffs does not have, or what is about many mounts and threads. */
#include <grp.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define TYPE	"bpfmaps"
#define HERE	"/tmp/pinfs_test"
#define THERE	"/tmp/pinfs_test_2"

FIXTURE(pinfs) {
	int dev;
	int map;
};

FIXTURE_SETUP(pinfs)
{
	__u32 key = 0;
	__u64 value = 5;

	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->map = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, bm_update(self->map, &key, &value, BPFMAPS_ANY));
	mkdir(HERE, 0755);
	mkdir(THERE, 0755);
	ASSERT_EQ(0, mount(TYPE, HERE, TYPE, 0, NULL));
}

FIXTURE_TEARDOWN(pinfs)
{
	close(self->map);
	EXPECT_EQ(0, umount2(HERE, MNT_DETACH));
	close(self->dev);
}

TEST_F(pinfs, bad_mount_options)
{
	static const char * const bad[] = {
		"mode=9", "mode=", "mode=-1", "uid=x", "gid=", "uid=-1", "gid=4294967295", "size=1",
		"nonsense", "mode=0755,nonsense", "uid=4294967296",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, mount(TYPE, THERE, TYPE, 0, bad[i]))
			TH_LOG("%s", bad[i]);
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("%s", bad[i]);
	}
}

TEST_F(pinfs, mount_options)
{
	struct stat st;

	ASSERT_EQ(0, mount(TYPE, THERE, TYPE, 0, "mode=0750,uid=1000,gid=1001"));
	EXPECT_EQ(0, stat(THERE, &st));
	EXPECT_EQ(S_IFDIR | 0750, st.st_mode);
	EXPECT_EQ(1000, st.st_uid);
	EXPECT_EQ(1001, st.st_gid);
	EXPECT_EQ(0, umount(THERE));
	EXPECT_EQ(0, stat(HERE, &st));
	EXPECT_EQ(S_IFDIR | 01777, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
}

/* Whether a line of @file holds @text. */
static bool listed(const char *file, const char *text)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(file, "re");

	while (f && fgets(line, sizeof(line), f))
		found |= !!strstr(line, text);
	if (f)
		fclose(f);
	return found;
}

TEST_F(pinfs, is_known)
{
	struct statfs here, bpffs;
	struct stat st;

	EXPECT_TRUE(listed("/proc/filesystems", "nodev\t" TYPE "\n"));
	EXPECT_EQ(0, stat(BM_PINS, &st));
	EXPECT_TRUE(S_ISDIR(st.st_mode));
	EXPECT_EQ(0, statfs(HERE, &here));
	EXPECT_EQ(0, statfs("/sys/fs/bpf", &bpffs));
	EXPECT_NE(bpffs.f_type, here.f_type);
	ASSERT_EQ(0, mount(TYPE, THERE, TYPE, 0, "mode=0700,uid=7"));
	EXPECT_TRUE(listed("/proc/self/mounts", THERE " " TYPE " rw,relatime,mode=700,uid=7 "));
	EXPECT_EQ(0, umount(THERE));
}

/* Each mount is a filesystem of its own. */
TEST_F(pinfs, two_mounts)
{
	__u32 id = bm_id(self->map);
	int map;

	ASSERT_EQ(0, mount(TYPE, THERE, TYPE, 0, NULL));
	EXPECT_EQ(0, bm_pin(self->dev, self->map, HERE "/map"));
	EXPECT_EQ(-ENOENT, bm_get(self->dev, THERE "/map", 0));
	EXPECT_EQ(0, bm_pin(self->dev, self->map, THERE "/map"));
	EXPECT_EQ(-1, rename(HERE "/map", THERE "/other"));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(-1, link(HERE "/map", THERE "/other"));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_EQ(0, unlink(HERE "/map"));
	close(self->map);
	map = bm_get(self->dev, THERE "/map", 0);
	EXPECT_EQ(id, bm_id(map));
	close(map);
	/* The pins go with their filesystem, and the map with its last pin. */
	EXPECT_EQ(0, umount(THERE));
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_F(pinfs, unmount_drops_what_is_deep)
{
	__u32 id = bm_id(self->map);

	ASSERT_EQ(0, mount(TYPE, THERE, TYPE, 0, NULL));
	EXPECT_EQ(0, mkdir(THERE "/a", 0755));
	EXPECT_EQ(0, mkdir(THERE "/a/b", 0755));
	EXPECT_EQ(0, bm_pin(self->dev, self->map, THERE "/a/b/c"));
	EXPECT_EQ(0, symlink("a/b/c", THERE "/link"));
	EXPECT_EQ(0, link(THERE "/a/b/c", THERE "/hard"));
	close(self->map);
	EXPECT_EQ(id, bm_id(bm_get(self->dev, THERE "/link", 0)));
	EXPECT_EQ(0, umount(THERE));
	/* The descriptor that the line above has left open. */
	EXPECT_LE(0, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_F(pinfs, read_only_mount)
{
	int map;

	EXPECT_EQ(0, bm_pin(self->dev, self->map, HERE "/map"));
	ASSERT_EQ(0, mount(NULL, HERE, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, bm_pin(self->dev, self->map, HERE "/other"));
	EXPECT_EQ(-1, unlink(HERE "/map"));
	EXPECT_EQ(EROFS, errno);
	map = bm_get(self->dev, HERE "/map", BPFMAPS_F_RDONLY);
	EXPECT_LE(0, map);
	EXPECT_EQ(bm_id(self->map), bm_id(map));
	close(map);
	EXPECT_EQ(-EROFS, bm_get(self->dev, HERE "/map", 0));
}

/* What a container is given: the filesystem is writable, and this mount of it is not. */
TEST_F(pinfs, read_only_bind_mount)
{
	int map;

	ASSERT_EQ(0, bm_pin(self->dev, self->map, HERE "/map"));
	ASSERT_EQ(0, mount(HERE, THERE, NULL, MS_BIND, NULL));
	map = bm_get(self->dev, THERE "/map", 0);
	EXPECT_LE(0, map);
	close(map);
	ASSERT_EQ(0, mount(NULL, THERE, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, bm_pin(self->dev, self->map, THERE "/other"));
	EXPECT_EQ(-EROFS, bm_get(self->dev, THERE "/map", 0));
	EXPECT_EQ(-EROFS, bm_get(self->dev, THERE "/map", BPFMAPS_F_WRONLY));
	map = bm_get(self->dev, THERE "/map", BPFMAPS_F_RDONLY);
	EXPECT_EQ(bm_id(self->map), bm_id(map));
	close(map);
	/* What may be done elsewhere is as it was. */
	map = bm_get(self->dev, HERE "/map", 0);
	EXPECT_LE(0, map);
	close(map);
	EXPECT_EQ(0, umount(THERE));
}

static int bpf_path(int cmd, const char *path, int fd)
{
	union bpf_attr attr = { .pathname = (unsigned long)path, .bpf_fd = fd };
	int ret = syscall(__NR_bpf, cmd, &attr, sizeof(attr));

	return ret < 0 ? -errno : ret;
}

static int bpf_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	};

	return syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* bpf(2)'s maps and pins, and ours, do not mix. */
TEST_F(pinfs, bpffs_is_another)
{
	int theirs = bpf_map();

	ASSERT_LE(0, theirs);
	EXPECT_EQ(-EPERM, bm_pin(self->dev, self->map, "/sys/fs/bpf/pinfs_test"));
	EXPECT_EQ(-EPERM, bpf_path(BPF_OBJ_PIN, HERE "/map", theirs));
	EXPECT_EQ(-EINVAL, bm_pin(self->dev, theirs, HERE "/map"));
	EXPECT_EQ(-EINVAL, bpf_path(BPF_OBJ_PIN, "/sys/fs/bpf/pinfs_test", self->map));
	ASSERT_EQ(0, bm_pin(self->dev, self->map, HERE "/map"));
	ASSERT_EQ(0, bpf_path(BPF_OBJ_PIN, "/sys/fs/bpf/pinfs_test", theirs));
	EXPECT_EQ(-EACCES, bpf_path(BPF_OBJ_GET, HERE "/map", 0));
	EXPECT_EQ(-EACCES, bm_get(self->dev, "/sys/fs/bpf/pinfs_test", 0));
	EXPECT_EQ(0, unlink("/sys/fs/bpf/pinfs_test"));
	close(theirs);
}

/* A pin gives no more than the descriptor had that it was made from. */
TEST_F(pinfs, narrow_pins)
{
	static const __u32 flags[] = { BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY };
	__u32 key = 0;
	__u64 value = 1;
	int i, fd, map;

	for (i = 0; i < 2; i++) {
		fd = bm_fd_by_id(self->dev, bm_id(self->map), flags[i]);
		ASSERT_EQ(0, bm_pin(self->dev, fd, HERE "/narrow"));
		EXPECT_EQ(0, chmod(HERE "/narrow", 0777));
		EXPECT_EQ(-EPERM, bm_get(self->dev, HERE "/narrow", 0));
		EXPECT_EQ(-EPERM, bm_get(self->dev, HERE "/narrow", flags[1 - i]));
		EXPECT_EQ(0, link(HERE "/narrow", HERE "/hard"));
		EXPECT_EQ(-EPERM, bm_get(self->dev, HERE "/hard", 0));
		EXPECT_EQ(0, rename(HERE "/hard", HERE "/moved"));
		EXPECT_EQ(-EPERM, bm_get(self->dev, HERE "/moved", 0));
		map = bm_get(self->dev, HERE "/moved", flags[i]);
		ASSERT_LE(0, map);
		EXPECT_EQ(i ? 0 : -EPERM, bm_update(map, &key, &value, BPFMAPS_ANY));
		EXPECT_EQ(i ? -EPERM : 0, bm_lookup(map, &key, &value));
		close(map);
		close(fd);
		EXPECT_EQ(0, unlink(HERE "/narrow"));
		EXPECT_EQ(0, unlink(HERE "/moved"));
	}
}

static int mount_in_own_namespace(void)
{
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 99;
	return mount(TYPE, THERE, TYPE, 0, NULL) ? errno : 0;
}

/* Pin or get by a path that starts at a directory. */
static int at(int dev, unsigned int cmd, int map, int dfd, const char *path, __u32 flags)
{
	struct bpfmaps_obj_attr a = {
		.pathname = (unsigned long)path, .bpf_fd = map, .file_flags = flags, .path_fd = dfd,
	};

	return bm_call(dev, cmd, &a, sizeof(a));
}

TEST_F(pinfs, relative_to_a_directory)
{
	const __u32 path_fd = BPFMAPS_F_PATH_FD;
	int dir, sub, map;

	dir = open(HERE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, mkdirat(dir, "sub", 0700));
	sub = openat(dir, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_EQ(0, at(self->dev, BPFMAPS_OBJ_PIN, self->map, sub, "one", path_fd));
	EXPECT_EQ(0, access(HERE "/sub/one", F_OK));
	EXPECT_EQ(-EEXIST, at(self->dev, BPFMAPS_OBJ_PIN, self->map, dir, "sub/one", path_fd));
	map = at(self->dev, BPFMAPS_OBJ_GET, 0, dir, "sub/one", path_fd | BPFMAPS_F_RDONLY);
	ASSERT_LE(0, map);
	EXPECT_EQ(bm_id(self->map), bm_id(map));
	EXPECT_EQ(-EPERM, bm_freeze(map));
	close(map);
	/* An absolute path starts where it says. */
	map = at(self->dev, BPFMAPS_OBJ_GET, 0, -1, HERE "/sub/one", path_fd);
	EXPECT_LE(0, map);
	close(map);
	ASSERT_EQ(0, chdir(HERE));
	map = at(self->dev, BPFMAPS_OBJ_GET, 0, AT_FDCWD, "sub/one", path_fd);
	EXPECT_LE(0, map);
	close(map);
	ASSERT_EQ(0, chdir("/"));

	EXPECT_EQ(-EBADF, at(self->dev, BPFMAPS_OBJ_GET, 0, -1, "one", path_fd));
	EXPECT_EQ(-EBADF, at(self->dev, BPFMAPS_OBJ_PIN, self->map, 1000, "two", path_fd));
	EXPECT_EQ(-ENOTDIR, at(self->dev, BPFMAPS_OBJ_GET, 0, self->map, "one", path_fd));
	EXPECT_EQ(-EINVAL, at(self->dev, BPFMAPS_OBJ_GET, 0, sub, "one", 0));
	EXPECT_EQ(-EINVAL, at(self->dev, BPFMAPS_OBJ_PIN, self->map, sub, "two", 0));
	EXPECT_EQ(-EINVAL, at(self->dev, BPFMAPS_OBJ_PIN, self->map, sub, "two",
			      path_fd | BPFMAPS_F_RDONLY));
	EXPECT_EQ(-1, access(HERE "/sub/two", F_OK));
	close(sub);
	close(dir);
}

/* Not for the root of a user namespace that anybody may make. */
TEST_F(pinfs, mounting_is_for_root)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(mount_in_own_namespace());
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
}

#define MANY	500

static const char *nth_path(char *path, int i)
{
	sprintf(path, HERE "/pin_%d", i);
	return path;
}

TEST_F(pinfs, many_pins)
{
	__u32 id = bm_id(self->map);
	char path[64];
	int i, map;

	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, bm_pin(self->dev, self->map, nth_path(path, i)));
	close(self->map);
	self->map = -1;
	for (i = 0; i < MANY; i++) {
		map = bm_get(self->dev, nth_path(path, i), 0);
		EXPECT_EQ(id, bm_id(map));
		close(map);
		EXPECT_EQ(0, unlink(path));
	}
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
}

#define ROUNDS	1500

struct race {
	int rounds;
	int dev;
	int map;
	__u32 id;
	unsigned int pinned;
	unsigned int got;
	int unusual;
};

/* Result of one of several threads that do contrary things to the same name. */
static void note_race(struct race *r, int ret)
{
	if (ret && ret != -ENOENT && ret != -EEXIST)
		r->unusual = ret;
}

static void *race_pin(void *arg)
{
	struct race *r = arg;
	int i, ret;

	for (i = 0; i < r->rounds; i++) {
		ret = bm_pin(r->dev, r->map, HERE "/race");
		r->pinned += !ret;
		note_race(r, ret);
		note_race(r, unlink(i % 2 ? HERE "/race" : HERE "/raced") ? -errno : 0);
	}
	return NULL;
}

static void *race_rename(void *arg)
{
	struct race *r = arg;
	int i;

	for (i = 0; i < r->rounds; i++)
		note_race(r, rename(HERE "/race", HERE "/raced") ? -errno : 0);
	return NULL;
}

static void *race_get(void *arg)
{
	struct race *r = arg;
	int i, map;

	for (i = 0; i < r->rounds; i++) {
		map = bm_get(r->dev, i % 2 ? HERE "/race" : HERE "/raced", 0);
		if (map < 0) {
			note_race(r, map);
			continue;
		}
		r->got++;
		if (bm_id(map) != r->id)
			r->unusual = 1;
		close(map);
	}
	return NULL;
}

TEST_F(pinfs, races)
{
	void *(*all[])(void *) = { race_pin, race_rename, race_get, race_pin };
	struct race r[ARRAY_SIZE(all)];
	pthread_t threads[ARRAY_SIZE(all)];
	__u32 id = bm_id(self->map);
	int rounds = scaled(ROUNDS);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		r[i] = (struct race) {
			.rounds = rounds, .dev = self->dev, .map = self->map, .id = id,
		};
		pthread_create(&threads[i], NULL, all[i], &r[i]);
	}
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, r[i].unusual);
	}
	/* Where nothing was, the first pin does not fail. */
	EXPECT_LT(0, r[0].pinned + r[3].pinned);
	unlink(HERE "/race");
	unlink(HERE "/raced");
	printf("# %d rounds, %u pins, %u gets met one\n", rounds, r[0].pinned + r[3].pinned,
	       r[2].got);
	fflush(stdout);
	close(self->map);
	EXPECT_EQ(-ENOENT, bm_fd_by_id(self->dev, id, 0));
	self->map = -1;
}

TEST_HARNESS_MAIN
