// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs do with pins and their directories, apart from bpf(2).
 *
 *   preload_path_helper all DIR	by each function, below DIR
 *   preload_path_helper look PATH	looks whether something is there
 *   preload_path_helper path_fd DIR	pins relative to a descriptor
 *
 * What the first prints is the same for bpf(2) and for bpfmaps.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <bpf/bpf.h>

static char at[PATH_MAX], pin[PATH_MAX], none[PATH_MAX], sub[PATH_MAX], in_sub[PATH_MAX];

static long result(const char *what, long ret)
{
	printf("%s: %ld %s\n", what, ret < 0 ? ret : 0, ret < 0 ? strerrorname_np(errno) : "");
	errno = 0;
	return ret;
}

#define SHOW(call)	result(#call, call)

static void show_mode(const char *what, int ret, const mode_t *mode)
{
	result(what, ret);
	if (!ret)
		printf("  mode %o\n", *mode);
}

#define SHOW_STAT(call)	show_mode(#call, call, &st.st_mode)

static void show_open(const char *what, int fd)
{
	result(what, fd);
	if (fd >= 0)
		close(fd);
}

#define SHOW_OPEN(call)	show_open(#call, call)

static void by_stat(int dir)
{
	struct statx stx;
	struct stat64 st64;
	struct stat st;

	SHOW_STAT(stat(pin, &st));
	SHOW_STAT(stat(none, &st));
	SHOW_STAT(stat(at, &st));
	SHOW_STAT(lstat(pin, &st));
	SHOW_STAT(lstat(none, &st));
	show_mode("stat64", stat64(pin, &st64), &st64.st_mode);
	show_mode("lstat64", lstat64(pin, &st64), &st64.st_mode);
	SHOW_STAT(fstatat(AT_FDCWD, pin, &st, 0));
	SHOW_STAT(fstatat(dir, "pin", &st, AT_SYMLINK_NOFOLLOW));
	SHOW_STAT(fstatat(dir, "none", &st, 0));
	SHOW_STAT(fstatat(dir, "", &st, AT_EMPTY_PATH));
	SHOW_STAT(fstatat(-1, pin, &st, 0));
	SHOW_STAT(fstatat(-1, "pin", &st, 0));
	show_mode("fstatat64", fstatat64(dir, pin, &st64, 0), &st64.st_mode);
	result("statx", statx(AT_FDCWD, pin, 0, STATX_MODE, &stx));
	printf("  mode %o\n", stx.stx_mode);
	result("statx", statx(dir, "pin", 0, STATX_MODE, &stx));
	result("statx", statx(dir, none, 0, STATX_MODE, &stx));
}

static void by_access(int dir)
{
	SHOW(access(pin, R_OK | W_OK));
	SHOW(access(at, R_OK | W_OK | X_OK));
	SHOW(access(none, F_OK));
	SHOW(faccessat(AT_FDCWD, pin, R_OK, AT_EACCESS));
	SHOW(faccessat(dir, "pin", R_OK, 0));
	SHOW(faccessat(dir, none, R_OK, 0));
}

/* A pin cannot be opened as a file. */
static void by_open(int dir)
{
	SHOW_OPEN(open(pin, O_RDONLY));
	SHOW_OPEN(open(pin, O_PATH));
	SHOW_OPEN(open(none, O_RDONLY));
	SHOW_OPEN(open(none, O_RDWR | O_CREAT, 0600));
	SHOW_OPEN(open(at, O_RDONLY | O_DIRECTORY));
	SHOW_OPEN(open64(at, O_RDONLY));
	SHOW_OPEN(openat(AT_FDCWD, at, O_RDONLY));
	SHOW_OPEN(openat(dir, "pin", O_PATH));
	SHOW_OPEN(openat(dir, "none", O_RDWR | O_CREAT, 0600));
	SHOW_OPEN(openat64(dir, at, O_RDONLY));
}

/* What older programs call, and those compiled with _FORTIFY_SOURCE: no header declares it. */
static void by_other_names(int dir)
{
	int (*old_stat)(int ver, const char *path, struct stat *st) =
		dlsym(RTLD_DEFAULT, "__xstat");
	int (*old_lstat)(int ver, const char *path, struct stat *st) =
		dlsym(RTLD_DEFAULT, "__lxstat");
	int (*old_fstatat)(int ver, int dir, const char *path, struct stat *st, int flags) =
		dlsym(RTLD_DEFAULT, "__fxstatat");
	int (*checked_open)(const char *path, int flags) = dlsym(RTLD_DEFAULT, "__open_2");
	int (*checked_openat)(int dir, const char *path, int flags) =
		dlsym(RTLD_DEFAULT, "__openat_2");
	struct stat st;

	SHOW_STAT(old_stat(1, pin, &st));
	SHOW_STAT(old_lstat(1, pin, &st));
	SHOW_STAT(old_fstatat(1, dir, pin, &st, 0));
	SHOW_OPEN(checked_open(at, O_RDONLY));
	SHOW_OPEN(checked_openat(dir, ".", O_RDONLY));
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

static void list(const char *path)
{
	char *names[64];
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t count = 0, i;

	result("opendir", dir ? 0 : -1);
	if (!dir)
		return;
	while ((entry = readdir(dir)) && count < 64)
		names[count++] = strdup(entry->d_name);
	closedir(dir);
	qsort(names, count, sizeof(names[0]), compare);
	for (i = 0; i < count; i++)
		printf("  '%s'\n", names[i]);
}

static void scan(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort), i;

	result("scandir", count);
	for (i = 0; i < count; i++)
		printf("  '%s'\n", entries[i]->d_name);
}

static int see(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	printf("  level %d, type %d, mode %o, '%s'\n", ftw->level, type, st->st_mode,
	       path + ftw->base);
	return 0;
}

static int fail(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	printf("  type %d, can be found: %d\n", type, access(path, F_OK));
	errno = ENOENT;
	return -1;
}

static void by_directory(void)
{
	list(at);
	list(none);
	scan(at);
	scan(none);
	SHOW(nftw(sub, see, 4, FTW_PHYS));
	SHOW(nftw(sub, fail, 4, FTW_PHYS));
	SHOW(nftw(none, see, 4, FTW_PHYS));
}

static void by_filesystem(int dir)
{
	struct statfs64 st64;
	struct statfs st;

	SHOW(statfs(pin, &st));
	printf("  %lx\n", (long)st.f_type);
	SHOW(statfs(none, &st));
	SHOW(statfs64(at, &st64));
	printf("  %lx\n", (long)st64.f_type);
	SHOW(fstatfs(dir, &st));
	printf("  %lx\n", (long)st.f_type);
	SHOW(fstatfs64(dir, &st64));
	printf("  %lx\n", (long)st64.f_type);
	SHOW(statfs("/tmp", &st));
	printf("  %lx\n", (long)st.f_type);
}

static void by_change(int dir)
{
	SHOW(mkdir(sub, 0700));
	SHOW(mkdir(none, 01755));
	SHOW(rmdir(none));
	SHOW(rmdir(none));
	SHOW(mkdirat(AT_FDCWD, none, 0755));
	SHOW(unlinkat(AT_FDCWD, none, 0));
	SHOW(unlinkat(AT_FDCWD, none, AT_REMOVEDIR));
	SHOW(mkdirat(dir, "none", 0755));
	SHOW(unlinkat(dir, "none", AT_REMOVEDIR));
	SHOW(chmod(pin, 0640));
	SHOW(fchmodat(dir, "pin", 0604, 0));
	SHOW(fchmodat(dir, pin, 0600, 0));
	SHOW(chown(pin, -1, -1));
	SHOW(lchown(pin, -1, -1));
	SHOW(fchownat(dir, pin, -1, -1, 0));
	SHOW(chown(none, -1, -1));
	SHOW(rename(pin, none));
	SHOW(rename(pin, none));
	SHOW(renameat(AT_FDCWD, none, dir, "pin"));
	SHOW(rename(pin, "/tmp/pin"));
	SHOW(rename("/tmp", none));
	SHOW(renameat2(AT_FDCWD, pin, AT_FDCWD, sub, RENAME_NOREPLACE));
	SHOW(renameat2(AT_FDCWD, pin, AT_FDCWD, in_sub, RENAME_NOREPLACE));
	SHOW(rmdir(sub));
	SHOW(remove(sub));
	SHOW(renameat2(dir, in_sub, dir, "pin", 0));
	SHOW(remove(none));
}

static void by_link(int dir)
{
	char text[PATH_MAX] = "";
	struct stat st;

	SHOW(symlink("pin", none));
	SHOW(symlink("pin", none));
	result("readlink", readlink(none, text, sizeof(text) - 1));
	printf("  '%s'\n", text);
	result("readlinkat", readlinkat(dir, "none", text, sizeof(text) - 1));
	SHOW_STAT(lstat(none, &st));
	SHOW_STAT(fstatat(dir, none, &st, AT_SYMLINK_NOFOLLOW));
	printf("realpath: '%s'\n", realpath(none, text) ? text : "");
	SHOW(unlink(none));
	printf("realpath: '%s'\n", realpath(none, text) ? text : "");
	SHOW(symlinkat("pin", dir, "none"));
	SHOW(unlinkat(dir, "none", 0));
	SHOW(link(pin, none));
	SHOW(link(pin, none));
	SHOW(linkat(dir, "none", AT_FDCWD, in_sub, 0));
	SHOW(link(pin, "/tmp/pin"));
	SHOW(unlink(none));
	SHOW(unlink(in_sub));
	SHOW(readlink(pin, text, sizeof(text)));
	SHOW(getxattr(pin, "user.x", text, sizeof(text)));
	SHOW(lgetxattr(none, "user.x", text, sizeof(text)));
}

static void by_relative_path(int map)
{
	struct stat st;

	SHOW(chdir(none));
	SHOW(chdir(at));
	SHOW_STAT(stat("pin", &st));
	SHOW(bpf_obj_pin(map, "another"));
	SHOW(unlink("another"));
	SHOW(chdir("/"));
	SHOW_STAT(stat("pin", &st));
}

/* The working directory is on bpffs itself, where the program was started. */
static void by_inherited_directory(int map, const char *dir)
{
	struct stat st;

	SHOW(syscall(SYS_chdir, dir));
	SHOW_STAT(stat("paths/pin", &st));
	SHOW_STAT(stat("./paths/none", &st));
	SHOW(bpf_obj_pin(map, "another"));
	SHOW(access("another", F_OK));
	list("paths");
	SHOW(rename("another", "paths/second"));
	SHOW(unlink("paths/second"));
	SHOW(unlink("paths/second"));
	SHOW(chdir("paths"));
	SHOW(access("pin", F_OK));
	SHOW(chdir("/"));
}

static void names_below(const char *dir)
{
	snprintf(at, sizeof(at), "%s/paths", dir);
	snprintf(pin, sizeof(pin), "%.200s/pin", at);
	snprintf(none, sizeof(none), "%.200s/none", at);
	snprintf(sub, sizeof(sub), "%.200s/sub", at);
	snprintf(in_sub, sizeof(in_sub), "%.200s/sub/pin", at);
}

static void all(const char *parent)
{
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "paths", 4, 8, 4, NULL);
	int dir;

	umask(022);
	names_below(parent);
	SHOW(mkdir(at, 0755));
	dir = SHOW(open(at, O_RDONLY | O_DIRECTORY));
	SHOW(bpf_obj_pin(map, pin));
	by_stat(dir);
	by_access(dir);
	by_open(dir);
	by_other_names(dir);
	by_filesystem(dir);
	by_change(dir);
	by_link(dir);
	SHOW(bpf_obj_pin(map, in_sub));
	by_directory();
	by_relative_path(map);
	by_inherited_directory(map, parent);
	SHOW(rmdir(at));
	SHOW(unlink(in_sub));
	SHOW(unlinkat(dir, "sub", AT_REMOVEDIR));
	SHOW(unlinkat(AT_FDCWD, pin, 0));
	SHOW(rmdir(at));
	close(dir);
	close(map);
}

/* BPF_F_PATH_FD of kernels newer than 6.1: @dir is where the path starts. */
static int at_descriptor(int cmd, const char *path, int map, int dir)
{
	struct {
		__u64 path;
		__u32 map;
		__u32 flags;
		__s32 dir;
		__u32 unused;
	} attr = { .path = (unsigned long)path, .map = map, .flags = 1 << 14, .dir = dir };

	return syscall(SYS_bpf, cmd, &attr, sizeof(attr));
}

static void path_fd(const char *parent)
{
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "path_fd", 4, 8, 4, NULL);
	int dir = open(parent, O_PATH | O_DIRECTORY);

	names_below(parent);
	SHOW(at_descriptor(BPF_OBJ_PIN, "pin", map, dir));
	SHOW(at_descriptor(BPF_OBJ_PIN, "pin", map, dir));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, "pin", 0, dir));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, "none", 0, dir));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, none, 0, dir));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, "pin", 0, -1));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, "pin", 0, AT_FDCWD));
	SHOW(syscall(SYS_chdir, parent));
	SHOW_OPEN(at_descriptor(BPF_OBJ_GET, "pin", 0, AT_FDCWD));
	SHOW(unlinkat(dir, "pin", 0));
}

static void look(const char *path)
{
	struct statfs stfs;
	struct stat st;

	SHOW_STAT(stat(path, &st));
	SHOW_STAT(lstat(path, &st));
	SHOW(access(path, F_OK));
	SHOW(statfs(path, &stfs));
	list(path);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "all"))
		all(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "look"))
		look(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "path_fd"))
		path_fd(argv[2]);
	else
		return 2;
	return 0;
}
