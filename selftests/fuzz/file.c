// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on descriptors and on paths
 */
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

#define PINS	"/sys/fs/bpfmaps/fuzz"
#define MOUNT	"/tmp/fuzz-mount"
#define KEPT	PINS "/kept"	/* so that nobody removes PINS */
#define TEN	"0123456789"
#define FIFTY	TEN TEN TEN TEN TEN

static const char *const paths[] = {
	PINS "/a", PINS "/b", PINS "/d", PINS "/d/c", PINS "/d/a", PINS "/x.y", "/tmp/fuzz-file",
	"",
	PINS "/a/b", PINS "/none/b", MOUNT "/a", "a", "d/c", PINS "/" FIFTY FIFTY FIFTY FIFTY FIFTY,
	PINS "/" FIFTY FIFTY FIFTY FIFTY FIFTY TEN, PINS,
};

#define NR_PATHS	ARRAY_SIZE(paths)

/* Is there something to be cleared away? At first there is what a lost worker may have left. */
static atomic_bool paths_used = true, mounted = true;

/* NULL if @nr is none. */
const char *file_path(uint64_t nr)
{
	if (nr >= NR_PATHS)
		return NULL;
	atomic_store(&paths_used, true);
	return paths[nr];
}

static const char *path_of(uint64_t arg)
{
	return file_path(arg % NR_PATHS);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level && strcmp(path, KEPT) ? remove(path) : 0;
}

/* Before the first program, and after each. */
void file_reset(void)
{
	if (atomic_exchange(&mounted, false))
		while (!umount2(MOUNT, MNT_DETACH))
			;
	if (!atomic_exchange(&paths_used, false))
		return;
	mkdir(PINS, 0755);
	mkdir(KEPT, 0755);
	mkdir(MOUNT, 0755);
	if (chmod(PINS, 01777) || chown(PINS, 0, 0) || chdir(PINS))
		err(1, PINS);
	if (nftw(PINS, remove_entry, 8, FTW_DEPTH | FTW_PHYS))
		err(1, "removing from %s", PINS);
	remove("/tmp/fuzz-file");
}

/* Never one of the fuzzer's own. */
long call_close(struct thread *t, const struct op *op, const uint64_t *arg)
{
	(void)t;
	(void)op;
	return arg[0] < NR_SLOTS ? close(exec_fd(arg[0])) : -1;
}

long call_dup(struct thread *t, const struct op *op, const uint64_t *arg)
{
	int fd = dup(exec_fd(arg[1]));

	(void)t;
	(void)op;
	if (fd >= 0)
		exec_set_slot(arg[0], fd);
	return fd;
}

long call_poll(struct thread *t, const struct op *op, const uint64_t *arg)
{
	struct pollfd p = { .fd = exec_fd(arg[0]), .events = arg[1] };

	(void)t;
	(void)op;
	return poll(&p, 1, arg[1] >> 16 & 1);
}

long call_epoll(struct thread *t, const struct op *op, const uint64_t *arg)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int epoll = exec_fd(FD_EPOLL), fd = exec_fd(arg[0]);

	(void)t;
	(void)op;
	switch (arg[1] % 4) {
	case 0:
		return epoll_wait(epoll, &event, 1, 0);
	case 1:
		event.events |= EPOLLET;
		return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	case 2:
		return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	default:
		return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
	}
}

long call_readwrite(struct thread *t, const struct op *op, const uint64_t *arg)
{
	int fd = exec_fd(arg[0]);
	char byte = 0;

	(void)t;
	(void)op;
	/* Standard output is for the fuzzer. */
	if (fd <= STDERR_FILENO)
		return -1;
	switch (arg[1] % 4) {
	case 0:
		return read(fd, &byte, 1);
	case 1:
		return write(fd, &byte, 1);
	case 2:
		return lseek(fd, 1, SEEK_SET);
	default:
		return pread(fd, &byte, 1, 0);
	}
}

static long read_all(const char *path)
{
	char text[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long got;

	if (fd < 0)
		return -1;
	do
		got = read(fd, text, sizeof(text));
	while (got > 0);
	close(fd);
	return got;
}

long call_fdinfo(struct thread *t, const struct op *op, const uint64_t *arg)
{
	char path[64];

	(void)t;
	(void)op;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", exec_fd(arg[0]));
	return read_all(path);
}

static long read_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[512];
	long got;

	if (fd < 0)
		return -1;
	do
		got = syscall(SYS_getdents64, fd, entries, sizeof(entries));
	while (got > 0);
	close(fd);
	return got;
}

/* Opening a pin is no way to its map. */
long call_open(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const char *path = path_of(arg[1]);
	struct statfs fs;
	struct stat st;
	int fd;

	(void)t;
	(void)op;
	switch (arg[2] % 4) {
	case 0:
		return read_directory(path);
	case 1:
		return stat(path, &st);
	case 2:
		return statfs(path, &fs);
	}
	fd = open(path, (arg[2] & 4 ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		exec_set_slot(arg[0], fd);
	return fd;
}

long call_unlink(struct thread *t, const struct op *op, const uint64_t *arg)
{
	(void)t;
	(void)op;
	return unlinkat(AT_FDCWD, path_of(arg[0]), arg[1] ? AT_REMOVEDIR : 0);
}

long call_rename(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const char *path = path_of(arg[0]);

	(void)t;
	(void)op;
	return renameat2(AT_FDCWD, path, AT_FDCWD, path_of(arg[1]), arg[2] % 8);
}

long call_link(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const char *path = path_of(arg[0]);
	long ret;

	(void)op;
	exec_fail_arm(t);
	ret = arg[2] ? symlink(path, path_of(arg[1])) : link(path, path_of(arg[1]));
	exec_fail_disarm(t);
	return ret;
}

long call_mkdir(struct thread *t, const struct op *op, const uint64_t *arg)
{
	long ret;

	(void)op;
	exec_fail_arm(t);
	ret = mkdir(path_of(arg[0]), 0777);
	exec_fail_disarm(t);
	return ret;
}

long call_chmod(struct thread *t, const struct op *op, const uint64_t *arg)
{
	static const mode_t modes[] = { 0, 0400, 0600, 0644, 0666, 0755, 01777, 0222 };
	const char *path = path_of(arg[0]);

	(void)t;
	(void)op;
	if (arg[1] & 8)
		return chown(path, 1000, 1000);
	return chmod(path, modes[arg[1] % 8]);
}

/* The filesystem once more, with good and bad options. */
long call_mount(struct thread *t, const struct op *op, const uint64_t *arg)
{
	static const char *const options[] = {
		NULL, "mode=0700", "uid=1000,gid=1000", "mode=0755,uid=1000", "mode=99",
		"uid=-1", "none=1",
	};
	long ret;

	(void)op;
	if (arg[0] == 7)
		return umount2(MOUNT, MNT_DETACH);
	if (arg[0] == 8)
		return read_all("/proc/self/mountinfo");
	atomic_store(&mounted, true);
	exec_fail_arm(t);
	ret = mount("fuzz", MOUNT, "bpfmaps", 0, options[arg[0] % 7]);
	exec_fail_disarm(t);
	return ret;
}

/* Of this thread alone, which the C library's function does not do. */
long call_uid(struct thread *t, const struct op *op, const uint64_t *arg)
{
	(void)t;
	(void)op;
	return syscall(SYS_setresuid, -1, arg[0] ? 1000 : 0, -1);
}

long call_fail(struct thread *t, const struct op *op, const uint64_t *arg)
{
	(void)op;
	t->fail = arg[0] % 64;
	return 0;
}
