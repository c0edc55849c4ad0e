// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: the paths of maps
 *
 * The kernel does not know them: they are found by opening every file of every mounted
 * filesystem of type bpfmaps. Files that the caller may not read are left out.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <fts.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pins.h"
#include "select.h"
#include "text.h"

struct pin {
	struct pin *next;
	__u32 id;
	char *path;
};

static struct pin *pins;

static void add_pin(const char *path)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = BPFMAPS_F_RDONLY);
	struct bpfmaps_map_info info;
	struct pin *pin;
	int fd;

	fd = bpfmaps_obj_get(path, &opts);
	if (fd < 0)
		return;
	if (!select_info(fd, &info)) {
		pin = text_alloc(sizeof(*pin));
		pin->id = info.id;
		pin->path = text_escape(path, strlen(path), true);
		pin->next = pins;
		pins = pin;
	}
	close(fd);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*b)->fts_name, (*a)->fts_name);
}

/* Backwards, because the list of pins grows at its head. */
static void walk_mount(char *dir)
{
	char *const dirs[] = { dir, NULL };
	FTSENT *entry;
	FTS *walk;

	walk = fts_open(dirs, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, by_name);
	if (!walk)
		return;
	while ((entry = fts_read(walk)))
		if (entry->fts_info == FTS_F || entry->fts_info == FTS_DEFAULT)
			add_pin(entry->fts_path);
	fts_close(walk);
}

void pins_collect(void)
{
	struct mntent *mount;
	FILE *mounts;

	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return;
	while ((mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "bpfmaps"))
			walk_mount(mount->mnt_dir);
	endmntent(mounts);
}

char *pins_of(__u32 id)
{
	char *all = text_printf("%s", "");

	for (struct pin *pin = pins; pin; pin = pin->next) {
		char *paths = all;

		if (pin->id != id)
			continue;
		all = text_printf("%s%s%s", paths, *paths ? "\n" : "", pin->path);
		free(paths);
	}
	return all;
}

void pins_free(void)
{
	struct pin *pin;

	while ((pin = pins)) {
		pins = pin->next;
		free(pin->path);
		free(pin);
	}
}
