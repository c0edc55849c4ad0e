// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - the functions of libc that programs look at pins with
 *
 * Programs do more with a pin than bpf(2) does: they ask whether its directory is on bpffs, make
 * that directory, list it, and remove the pin. What these functions do on bpffs they do on the
 * module's filesystem. What is not there is tried where the program said, so that the programs that
 * are pinned there are still found.
 *
 * The table below has a line for each function. Directories are mapped when they are opened and
 * when they are changed to; what begins at their descriptor, or in the working directory, is there
 * then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <linux/magic.h>

#include "preload.h"

/* What was tried is not there: errno is as if it had not been. */
static bool try_given(int saved)
{
	if (errno != ENOENT)
		return false;
	errno = saved;
	return true;
}

/* A bpffs that the caller may not look into has nothing for it, as the module said already. */
static void tried_given(void)
{
	if (errno == EACCES)
		errno = ENOENT;
}

/*
 * NEXT() - pointer to the function that the program would call without this library
 *
 * It is looked up before main(), as some of these functions may be called by signal handlers.
 */
#define NEXT(type, name, params)						\
	static void *slot_##name;						\
										\
	static __attribute__((constructor)) void find_##name(void)		\
	{									\
		preload_find(&slot_##name, #name);				\
	}									\
										\
	static __typeof__(type)(*next_##name(void)) params			\
	{									\
		return (__typeof__(type)(*) params)(uintptr_t)			\
			preload_next(&slot_##name, #name);			\
	}

/*
 * FUNCTION() - a function with a parameter @path that is mapped
 * @dir: the descriptor that a relative path begins at
 * @failed: what it returns on an error
 * @params: its parameters
 * @before: declarations before the call, for what is not a parameter
 * @args: its arguments
 * @after: what is done with the result @ret
 */
#define FUNCTION(type, name, dir, failed, params, before, args, after)		\
	NEXT(type, name, params)						\
										\
	PUBLIC type name params							\
	{									\
		const char *given = path;					\
		char mapped[PATH_MAX];						\
		int saved = errno;						\
		type ret;							\
		before;								\
										\
		if (preload_map_at(mapped, dir, path))				\
			path = mapped;						\
		ret = next_##name() args;					\
		if (path == mapped && ret == (failed) && try_given(saved)) {	\
			path = given;						\
			ret = next_##name() args;				\
			if (ret == (failed))					\
				tried_given();					\
		}								\
		after;								\
		return ret;							\
	}

#define NOTHING		do { } while (0)

#define PATH(name, params, args)						\
	FUNCTION(int, name, AT_FDCWD, -1, params, NOTHING, args, NOTHING)
#define PATH_AT(name, params, args)						\
	FUNCTION(int, name, dir, -1, params, NOTHING, args, NOTHING)

/* The mode is there only where a file may be made. */
static bool has_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

#define GET_MODE								\
	mode_t mode = 0;							\
	va_list ap;								\
										\
	va_start(ap, flags);							\
	if (has_mode(flags))							\
		mode = va_arg(ap, mode_t);					\
	va_end(ap)

#define OPEN(name)								\
	FUNCTION(int, name, AT_FDCWD, -1, (const char *path, int flags, ...),	\
		 GET_MODE, (path, flags, mode), NOTHING)
#define OPEN_AT(name)								\
	FUNCTION(int, name, dir, -1, (int dir, const char *path, int flags, ...), \
		 GET_MODE, (dir, path, flags, mode), NOTHING)

/* libbpf and bpftool look at the type before they pin: the module's filesystem is their bpffs. */
#define NAME_TYPE								\
	do {									\
		if (!ret && st->f_type == BPFMAPS_FS_MAGIC)			\
			st->f_type = BPF_FS_MAGIC;				\
	} while (0)

#define STATFS(name)								\
	FUNCTION(int, name, AT_FDCWD, -1, (const char *path, struct name *st),	\
		 NOTHING, (path, st), NAME_TYPE)

#define FSTATFS(name, pointer)							\
	NEXT(int, name, (int fd, pointer st))					\
										\
	PUBLIC int name(int fd, pointer st)					\
	{									\
		int ret = next_##name()(fd, st);				\
										\
		NAME_TYPE;							\
		return ret;							\
	}

/* Each of both paths is mapped, so that what leaves the filesystem is refused as on bpffs. */
#define TWO_PATHS(name, old, new, params, args)					\
	NEXT(int, name, params)							\
										\
	PUBLIC int name params							\
	{									\
		const char *given_from = from, *given_to = to;			\
		char mapped_from[PATH_MAX], mapped_to[PATH_MAX];		\
		int saved = errno, ret;						\
										\
		if (preload_map_at(mapped_from, old, from))			\
			from = mapped_from;					\
		if (preload_map_at(mapped_to, new, to))				\
			to = mapped_to;						\
		ret = next_##name() args;					\
		if (ret != -1 || (from == given_from && to == given_to) ||	\
		    !try_given(saved))						\
			return ret;						\
		from = given_from;						\
		to = given_to;							\
		ret = next_##name() args;					\
		if (ret == -1)							\
			tried_given();						\
		return ret;							\
	}

/*
 * bpftool walks what is mounted, and finds the filesystem of the module in this way: the mount
 * point is not mapped, or each pin would be found twice. What is called may fail as it likes,
 * so errno does not tell whether the directory is there.
 */
static bool map_walk(char *to, const char *path)
{
	char root[PATH_MAX];

	if (!preload_map_at(to, AT_FDCWD, path))
		return false;
	preload_map_path(root, "/sys/fs/bpf");
	return strcmp(to, root) &&
	       !preload_call(SYS_faccessat, AT_FDCWD, (long)to, F_OK);
}

#define WALK(name, function)							\
	NEXT(int, name, (const char *path, function fn, int nr, int flags))	\
										\
	PUBLIC int name(const char *path, function fn, int nr, int flags)	\
	{									\
		char mapped[PATH_MAX];						\
										\
		if (map_walk(mapped, path))					\
			path = mapped;						\
		return next_##name()(path, fn, nr, flags);			\
	}

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)
/* Called by programs that are compiled with _FORTIFY_SOURCE; there is no mode. */
PATH(__open_2, (const char *path, int flags), (path, flags))
PATH(__open64_2, (const char *path, int flags), (path, flags))
PATH_AT(__openat_2, (int dir, const char *path, int flags), (dir, path, flags))
PATH_AT(__openat64_2, (int dir, const char *path, int flags), (dir, path, flags))

FUNCTION(DIR *, opendir, AT_FDCWD, NULL, (const char *path), NOTHING, (path), NOTHING)
FUNCTION(int, scandir, AT_FDCWD, -1,
	 (const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
	  int (*order)(const struct dirent **, const struct dirent **)), NOTHING,
	 (path, list, filter, order), NOTHING)
FUNCTION(int, scandir64, AT_FDCWD, -1,
	 (const char *path, struct dirent64 ***list, int (*filter)(const struct dirent64 *),
	  int (*order)(const struct dirent64 **, const struct dirent64 **)), NOTHING,
	 (path, list, filter, order), NOTHING)
WALK(nftw, __nftw_func_t)
WALK(nftw64, __nftw64_func_t)
PATH(chdir, (const char *path), (path))
PATH(stat, (const char *path, struct stat *st), (path, st))
PATH(stat64, (const char *path, struct stat64 *st), (path, st))
PATH(lstat, (const char *path, struct stat *st), (path, st))
PATH(lstat64, (const char *path, struct stat64 *st), (path, st))
PATH_AT(fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags))
PATH_AT(fstatat64, (int dir, const char *path, struct stat64 *st, int flags),
	(dir, path, st, flags))
PATH_AT(statx, (int dir, const char *path, int flags, unsigned int mask, struct statx *st),
	(dir, path, flags, mask, st))
/* Called by programs that are older than glibc 2.33. */
PATH(__xstat, (int ver, const char *path, struct stat *st), (ver, path, st))
PATH(__xstat64, (int ver, const char *path, struct stat64 *st), (ver, path, st))
PATH(__lxstat, (int ver, const char *path, struct stat *st), (ver, path, st))
PATH(__lxstat64, (int ver, const char *path, struct stat64 *st), (ver, path, st))
PATH_AT(__fxstatat, (int ver, int dir, const char *path, struct stat *st, int flags),
	(ver, dir, path, st, flags))
PATH_AT(__fxstatat64, (int ver, int dir, const char *path, struct stat64 *st, int flags),
	(ver, dir, path, st, flags))

PATH(access, (const char *path, int mode), (path, mode))
PATH_AT(faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
FUNCTION(char *, realpath, AT_FDCWD, NULL, (const char *path, char *to), NOTHING, (path, to),
	 NOTHING)
FUNCTION(char *, __realpath_chk, AT_FDCWD, NULL, (const char *path, char *to, size_t size), NOTHING,
	 (path, to, size), NOTHING)
FUNCTION(ssize_t, readlink, AT_FDCWD, -1, (const char *path, char *to, size_t size), NOTHING,
	 (path, to, size), NOTHING)
FUNCTION(ssize_t, readlinkat, dir, -1, (int dir, const char *path, char *to, size_t size), NOTHING,
	 (dir, path, to, size), NOTHING)
FUNCTION(ssize_t, getxattr, AT_FDCWD, -1,
	 (const char *path, const char *name, void *value, size_t size), NOTHING,
	 (path, name, value, size), NOTHING)
FUNCTION(ssize_t, lgetxattr, AT_FDCWD, -1,
	 (const char *path, const char *name, void *value, size_t size), NOTHING,
	 (path, name, value, size), NOTHING)
STATFS(statfs)
STATFS(statfs64)
FSTATFS(fstatfs, struct statfs *)
FSTATFS(fstatfs64, struct statfs64 *)
PATH(mkdir, (const char *path, mode_t mode), (path, mode))
PATH_AT(mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
PATH(symlink, (const char *target, const char *path), (target, path))
PATH_AT(symlinkat, (const char *target, int dir, const char *path), (target, dir, path))
PATH(rmdir, (const char *path), (path))
PATH(unlink, (const char *path), (path))
PATH_AT(unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
PATH(remove, (const char *path), (path))
TWO_PATHS(rename, AT_FDCWD, AT_FDCWD, (const char *from, const char *to), (from, to))
TWO_PATHS(renameat, old, new, (int old, const char *from, int new, const char *to),
	  (old, from, new, to))
TWO_PATHS(renameat2, old, new,
	  (int old, const char *from, int new, const char *to, unsigned int flags),
	  (old, from, new, to, flags))
TWO_PATHS(link, AT_FDCWD, AT_FDCWD, (const char *from, const char *to), (from, to))
TWO_PATHS(linkat, old, new, (int old, const char *from, int new, const char *to, int flags),
	  (old, from, new, to, flags))
PATH(chmod, (const char *path, mode_t mode), (path, mode))
PATH_AT(fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
PATH(chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid))
PATH(lchown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid))
PATH_AT(fchownat, (int dir, const char *path, uid_t uid, gid_t gid, int flags),
	(dir, path, uid, gid, flags))

NEXT(int, mount, (const char *source, const char *target, const char *type, unsigned long flags,
		  const void *data))

/* bpftool mounts a bpffs where it finds none: it is to be one that takes the module's maps. */
PUBLIC int mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	char mapped_source[PATH_MAX], mapped_target[PATH_MAX];

	/* What is not absolute is a name. */
	if (source && *source == '/' && preload_map_path(mapped_source, source))
		source = mapped_source;
	if (preload_map_at(mapped_target, AT_FDCWD, target))
		target = mapped_target;
	if (type && !strcmp(type, "bpf"))
		type = "bpfmaps";
	return next_mount()(source, target, type, flags, data);
}
