// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: find and open maps
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "output.h"
#include "select.h"
#include "text.h"

/* So many ids are listed when a name is ambiguous. */
#define MAX_LISTED	8

const char *select_strerror(int err)
{
	switch (-err) {
	case ENOTSUPP_KERNEL:
		return "the type of the map does not know this operation";
	case E2BIG:
		return "too large";
	default:
		return strerror(-err);
	}
}

static const char *device_path(void)
{
	const char *path = secure_getenv("BPFMAPS_DEVICE");

	return path && *path ? path : "/dev/bpfmaps";
}

/* What the mode, the owner and the group of the device say. */
static int fail_access(const char *path)
{
	struct passwd *user;
	struct group *group;
	struct stat st;

	if (stat(path, &st))
		return fail("%s cannot be reached by you: %s", path, strerror(errno));
	user = getpwuid(st.st_uid);
	group = getgrgid(st.st_gid);
	if (!user || !group || !(st.st_mode & 060))
		return fail("%s cannot be opened by you: only by user %s", path,
			    user ? user->pw_name : "root");
	return fail("%s cannot be opened by you: only by user %s and group %s", path,
		    user->pw_name, group->gr_name);
}

/* Whether the device itself is the trouble, which is then told. */
static bool device_fails(int err)
{
	const char *path = device_path();
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		if (err == -ENOTTY)
			fail("%s is not the device of bpfmaps: BPFMAPS_DEVICE should be unset",
			     path);
		return err == -ENOTTY;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		fail("%s is not there: load the module by 'modprobe bpfmaps' or 'insmod'",
		     path);
	else if (errno == EACCES || errno == EPERM)
		fail_access(path);
	else
		fail("%s cannot be opened: %s", path, strerror(errno));
	return true;
}

int fail_command(int err, const char *right, const char *fmt, ...)
{
	va_list args;
	char *what;

	if (device_fails(err))
		return STATUS_FAILED;
	va_start(args, fmt);
	if (vasprintf(&what, fmt, args) < 0)
		what = NULL;
	va_end(args);
	fail("%s: %s%s%s", what ? what : fmt, select_strerror(err), right ? ": " : "",
	     right ? right : "");
	free(what);
	return STATUS_FAILED;
}

int select_info(int fd, struct bpfmaps_map_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpfmaps_obj_get_info_by_fd(fd, info, &len);
}

bool select_fdinfo(int fd, const char *name, unsigned long long *number)
{
	char *path = text_printf("/proc/self/fdinfo/%d", fd);
	size_t len = strlen(name);
	bool found = false;
	char line[128];
	FILE *fdinfo;

	fdinfo = fopen(path, "re");
	free(path);
	if (!fdinfo)
		return false;
	while (!found && fgets(line, sizeof(line), fdinfo))
		found = !strncmp(line, name, len) &&
			sscanf(line + len, ": %llu", number) == 1;
	fclose(fdinfo);
	return found;
}

char *select_name(const struct bpfmaps_map_info *info)
{
	return text_escape(info->name, strnlen(info->name, sizeof(info->name)), true);
}

static int ask_info(int fd, struct bpfmaps_map_info *info)
{
	int err = select_info(fd, info);

	if (!err)
		return STATUS_OK;
	close(fd);
	return fail("the map does not say what it is: %s", select_strerror(err));
}

int select_by_id(__u32 id, __u32 access, int *fd, struct bpfmaps_map_info *info)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = access);
	const char *right = NULL;

	*fd = bpfmaps_map_get_fd_by_id(id, &opts);
	if (*fd >= 0)
		return ask_info(*fd, info);
	if (*fd == -ENOENT)
		right = "'bpfmapctl list' shows the maps that there are";
	else if (*fd == -EPERM)
		right = "only its owner, CAP_BPF or CAP_SYS_ADMIN may";
	return fail_command(*fd, right, "map %u cannot be opened", id);
}

int select_by_path(const char *path, __u32 access, int *fd, struct bpfmaps_map_info *info)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = access);
	const char *right = NULL;

	*fd = bpfmaps_obj_get(path, &opts);
	if (*fd >= 0)
		return ask_info(*fd, info);
	if (*fd == -ENOENT)
		right = "'bpfmapctl -f list' shows the pins that there are";
	else if (*fd == -EPERM)
		right = "pins are on a filesystem of type bpfmaps, usually /sys/fs/bpfmaps";
	else if (*fd == -EACCES)
		right = "it has to be a pin that you may read or write as the command does";
	return fail_command(*fd, right, "'%s' cannot be opened", path);
}

int select_each(int (*visit)(int fd, const struct bpfmaps_map_info *info, void *arg), void *arg)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = BPFMAPS_F_RDONLY);
	struct bpfmaps_map_info info;
	__u32 id = 0;
	int ret;
	int fd;

	while (!(ret = bpfmaps_map_get_next_id(id, &id))) {
		fd = bpfmaps_map_get_fd_by_id(id, &opts);
		/* Gone since, or another user's. */
		if (fd == -ENOENT || fd == -EPERM)
			continue;
		if (fd < 0)
			return fd;
		ret = select_info(fd, &info);
		if (!ret)
			ret = visit(fd, &info, arg);
		close(fd);
		if (ret)
			return ret;
	}
	/* The end of the ids; but no device is the same errno. */
	if (ret == -ENOENT && (id || !access(device_path(), F_OK)))
		return 0;
	return ret;
}

struct named {
	const char *name;
	__u32 id;
	unsigned int found;
	char *ids;
};

/* The name is given as the kernel has it, or as it is printed. */
static int visit_named(int fd, const struct bpfmaps_map_info *info, void *arg)
{
	struct named *named = arg;
	char *printed = select_name(info);
	bool same = !strcmp(named->name, printed) ||
		!strncmp(named->name, info->name, sizeof(info->name));
	char *ids = named->ids;

	(void)fd;
	free(printed);
	if (!same || named->found++ >= MAX_LISTED)
		return 0;
	named->id = info->id;
	named->ids = text_printf("%s%s%u", ids ? ids : "", ids ? ", " : "", info->id);
	free(ids);
	return 0;
}

int select_by_name(const char *name, __u32 access, int *fd, struct bpfmaps_map_info *info)
{
	struct named named = { .name = name };
	int ret;

	ret = select_each(visit_named, &named);
	if (ret < 0)
		ret = fail_command(ret, NULL, "the maps cannot be listed");
	else if (!named.found)
		ret = fail("no map has the name '%s': 'bpfmapctl list' shows the maps", name);
	else if (named.found > 1)
		ret = fail("the name '%s' is that of %u maps: say 'id N' with N one of %s%s", name,
			   named.found, named.ids, named.found > MAX_LISTED ? ", ..." : "");
	free(named.ids);
	return ret ? ret : select_by_id(named.id, access, fd, info);
}
