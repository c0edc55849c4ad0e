// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - a program's /sys/fs/bpf is the module's /sys/fs/bpfmaps
 *
 * Programs do more with a pin than bpf(2) does: they ask whether its directory is on bpffs, make
 * that directory, and remove the pin. Those functions of libc take the mapped path too. What is not
 * there is tried where the program said, so that pinned programs are still found.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "preload.h"

#define MAPPED_ROOT	"/sys/fs/bpfmaps"

/* Skips '/' and "/./" like the kernel does. */
static const char *skip_slashes(const char *path)
{
	while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || !path[1])))
		path++;
	return path;
}

/* Behind the component @name of @path and the slashes that follow; NULL if it is another. */
static const char *skip_component(const char *path, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(path, name, len) || (path[len] && path[len] != '/'))
		return NULL;
	return skip_slashes(path + len);
}

/* What follows /sys/fs/bpf in @path, or NULL if it is elsewhere. */
static const char *below_bpffs(const char *path)
{
	static const char * const components[] = { "sys", "fs", "bpf" };
	size_t i;

	if (*path != '/')
		return NULL;
	path = skip_slashes(path);
	for (i = 0; path && i < ARRAY_SIZE(components); i++)
		path = skip_component(path, components[i]);
	return path;
}

static bool join(char *to, const char *dir, const char *path)
{
	int len = snprintf(to, PATH_MAX, "%s%s%s", dir, *path ? "/" : "", path);

	return len < PATH_MAX;
}

/* True if @path is mapped: then @to, of PATH_MAX bytes, has where. */
bool preload_map_path(char *to, const char *path)
{
	const char *rest = below_bpffs(path);

	return rest && join(to, MAPPED_ROOT, rest);
}

/* The same for a path that begins at the working directory. */
bool preload_map_relative(char *to, const char *path)
{
	char absolute[PATH_MAX];
	long len;

	/* With the NUL, in whose place the slash is. */
	len = preload_call(SYS_getcwd, (long)absolute, sizeof(absolute));
	if (len <= 0 || len + strlen(path) >= sizeof(absolute))
		return false;
	absolute[len - 1] = '/';
	strcpy(absolute + len, path);
	return preload_map_path(to, absolute);
}

/* What a program may pass where a path is expected, to see it refused. */
static bool is_no_path(const char *path)
{
	return (uintptr_t)path < 4096;
}

static bool map_argument(char *to, const char *path)
{
	return !is_no_path(path) && preload_map_path(to, path);
}

/*
 * ON_PATH() - a function of libc whose first argument is a path
 * @name: the function
 * @params: its parameters behind the path, in parentheses; empty, or beginning with a comma
 * @args: the same as arguments
 */
#define ON_PATH(name, params, args)					\
	static void *next_##name;					\
									\
	PUBLIC int name(const char *path BARE params)			\
	{								\
		int (*next)(const char *path BARE params);		\
		char mapped[PATH_MAX];					\
		int saved = errno, ret;					\
									\
		next = (__typeof__(next))(uintptr_t)			\
			preload_next(&next_##name, #name);		\
		if (!map_argument(mapped, path))			\
			return next(path BARE args);			\
		ret = next(mapped BARE args);				\
		if (ret != -1 || errno != ENOENT)			\
			return ret;					\
		errno = saved;						\
		return next(path BARE args);				\
	}

/* Takes the parentheses off. */
#define BARE(...)	__VA_ARGS__

ON_PATH(access, (, int mode), (, mode))
ON_PATH(chmod, (, mode_t mode), (, mode))
ON_PATH(chown, (, uid_t uid, gid_t gid), (, uid, gid))
ON_PATH(lstat, (, struct stat *st), (, st))
ON_PATH(lstat64, (, struct stat64 *st), (, st))
ON_PATH(mkdir, (, mode_t mode), (, mode))
ON_PATH(remove, (), ())
ON_PATH(rmdir, (), ())
ON_PATH(stat, (, struct stat *st), (, st))
ON_PATH(stat64, (, struct stat64 *st), (, st))
ON_PATH(unlink, (), ())

static void *next_rename;

PUBLIC int rename(const char *from, const char *to)
{
	int (*next)(const char *from, const char *to);
	char mapped_from[PATH_MAX], mapped_to[PATH_MAX];
	int saved = errno, ret;

	next = (__typeof__(next))(uintptr_t)preload_next(&next_rename, "rename");
	if (!map_argument(mapped_from, from) || !map_argument(mapped_to, to))
		return next(from, to);
	ret = next(mapped_from, mapped_to);
	if (ret != -1 || errno != ENOENT)
		return ret;
	errno = saved;
	return next(from, to);
}

/*
 * ON_STATFS() - statfs() or statfs64()
 *
 * libbpf and bpftool look at the type before they pin: the module's filesystem is their bpffs.
 */
#define ON_STATFS(name)							\
	static void *next_##name;					\
									\
	PUBLIC int name(const char *path, struct name *st)		\
	{								\
		int (*next)(const char *path, struct name *st);		\
		char mapped[PATH_MAX];					\
		int saved = errno, ret;					\
									\
		next = (__typeof__(next))(uintptr_t)			\
			preload_next(&next_##name, #name);		\
		if (!map_argument(mapped, path))			\
			mapped[0] = '\0';				\
		ret = next(mapped[0] ? mapped : path, st);		\
		if (ret && mapped[0] && errno == ENOENT) {		\
			errno = saved;					\
			ret = next(path, st);				\
		}							\
		if (!ret && st->f_type == BPFMAPS_FS_MAGIC)		\
			st->f_type = BPF_FS_MAGIC;			\
		return ret;						\
	}

ON_STATFS(statfs)
ON_STATFS(statfs64)

static void *next_mount;

/* bpftool mounts a bpffs where it finds none: it is to be one that takes the module's maps. */
PUBLIC int mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	int (*next)(const char *source, const char *target, const char *type, unsigned long flags,
		    const void *data);
	char mapped_source[PATH_MAX], mapped_target[PATH_MAX];

	next = (__typeof__(next))(uintptr_t)preload_next(&next_mount, "mount");
	if (map_argument(mapped_source, source))
		source = mapped_source;
	if (map_argument(mapped_target, target))
		target = mapped_target;
	if (!is_no_path(type) && !strcmp(type, "bpf"))
		type = "bpfmaps";
	return next(source, target, type, flags, data);
}
