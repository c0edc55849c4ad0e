// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pins.h"

#define NAMES_MAX	64

int pin(struct run *r, const char *label, int fd, const char *path)
{
	struct bpfmaps_obj_attr a = { .pathname = (unsigned long)path, .bpf_fd = fd };

	return call(r, label, BPFMAPS_OBJ_PIN, &a, sizeof(a));
}

int get(struct run *r, const char *label, const char *path, __u32 flags)
{
	struct bpfmaps_obj_attr a = { .pathname = (unsigned long)path, .file_flags = flags };

	return call(r, label, BPFMAPS_OBJ_GET, &a, sizeof(a));
}

/* What is not about names, numbers and times that differ by nature. */
void note_stat(struct run *r, const char *path)
{
	struct stat st;

	if (lstat(path, &st)) {
		note(r, "stat %s: %s", path, errno_name(errno));
		return;
	}
	note(r, "stat %s: mode %#o, links %lu, owner %u:%u, size %lld, blocks %lld", path,
	     st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid, (long long)st.st_size,
	     (long long)st.st_blocks);
}

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

void list(struct run *r, const char *dir)
{
	char *names[NAMES_MAX], path[512];
	struct dirent *d;
	DIR *stream = opendir(dir);
	int nr = 0, i;

	while (stream && nr < NAMES_MAX && (d = readdir(stream)))
		names[nr++] = strdup(d->d_name);
	if (stream)
		closedir(stream);
	qsort(names, nr, sizeof(*names), cmp_names);
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (strcmp(names[i], ".."))
			note_stat(r, path);
		free(names[i]);
	}
}

/* Which of reading and writing a descriptor allows. */
void note_access(struct run *r, int fd)
{
	if (fd < 0)
		return;
	std_lookup(r, "lookup", fd, STD_PRESENT);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, std_key(r, STD_PRESENT), std_value(r, 31),
	     0);
}

bool id_known(struct run *r, __u32 id)
{
	struct bpfmaps_id_attr a = { .start_id = id - 1 };

	return !quiet(r, BPFMAPS_MAP_GET_NEXT_ID, &a, sizeof(a)) && a.next_id == id;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

struct pin_case {
	case_fn fn;
	const void *arg;
};

static void in_directory(struct run *r, const void *arg)
{
	const struct pin_case *c = arg;
	char dir[64];

	snprintf(dir, sizeof(dir), "%s/oracle", r->be->fs);
	if (mkdir(dir, 0755) || chdir(dir)) {
		note(r, "no directory %s: %s", dir, errno_name(errno));
		return;
	}
	c->fn(r, c->arg);
	if (chdir("/") || nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS))
		note(r, "%s stays: %s", dir, errno_name(errno));
}

void compare_pins(const struct map_type *t, case_fn fn, const void *arg, const char *fmt, ...)
{
	struct pin_case c = { fn, arg };
	char name[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	compare(t, 0, in_directory, &c, "%s", name);
}
