// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - a program's /sys/fs/bpf is the module's /sys/fs/bpfmaps
 *
 * Only how the path is written counts: it is not resolved.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

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
static bool map_relative(char *to, const char *path)
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

/*
 * The same for a path that begins at @dir if it is relative. What begins at a descriptor is not
 * mapped.
 */
bool preload_map_at(char *to, int dir, const char *path)
{
	if (is_no_path(path) || !*path)
		return false;
	if (*path == '/')
		return preload_map_path(to, path);
	return dir == AT_FDCWD && map_relative(to, path);
}
