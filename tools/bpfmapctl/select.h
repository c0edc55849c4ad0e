/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: find and open maps
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_SELECT_H
#define BPFMAPCTL_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpfmaps.h"
#include "text.h"

/* The kernel's "not supported", which libc does not name. */
#define ENOTSUPP_KERNEL	524

/*
 * Open the map that "id N", "pinned FILE" or "name S" names, and ask what it is. They return
 * enum exit_status and have told the failure.
 */
int select_by_id(__u32 id, __u32 access, int *fd, struct bpfmaps_map_info *info);
int select_by_path(const char *path, __u32 access, int *fd, struct bpfmaps_map_info *info);
int select_by_name(const char *name, __u32 access, int *fd, struct bpfmaps_map_info *info);

/*
 * Call @visit for each map that the caller may see, with a descriptor for reading that is closed
 * afterwards, until it returns something else than 0. Returns that, or a negative errno.
 */
int select_each(int (*visit)(int fd, const struct bpfmaps_map_info *info, void *arg), void *arg);

/* Ask what a map is; returns 0 or a negative errno. */
int select_info(int fd, struct bpfmaps_map_info *info);

/* A number in the fdinfo of a descriptor; false: it is not there. */
bool select_fdinfo(int fd, const char *name, unsigned long long *number);

/* A map's name in printable ASCII, to be freed. */
char *select_name(const struct bpfmaps_map_info *info);

/*
 * Tell why a command on the device failed: what was tried, the errno @err (negative), and, when
 * not NULL, what would be right. Returns STATUS_FAILED.
 */
int fail_command(int err, const char *right, const char *fmt, ...)
	__printf(3, 4);

/* The text of a negative errno. */
const char *select_strerror(int err);

#endif /* BPFMAPCTL_SELECT_H */
