// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning maps and getting them back. Each case has a directory of its own on the back end's
 * filesystem; the paths below are relative to it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oracle.h"
#include "pins.h"

static void bad_pin_path(struct run *r, const void *arg)
{
	pin(r, "pin", std_map(r, 0), arg);
	list(r, ".");
}

static void bad_get_path(struct run *r, const void *arg)
{
	pin(r, "pin", std_map(r, 0), "map");
	note_ret(r, "mkdir", mkdir("dir", 0700));
	note_ret(r, "symlink", symlink("loop", "loop"));
	note_ret(r, "symlink", symlink("missing", "dangling"));
	note_ret(r, "symlink", symlink("/proc/self/maps", "elsewhere"));
	get(r, "get", arg, 0);
	get(r, "get read-only", arg, BPFMAPS_F_RDONLY);
}

static void path_pointers(struct run *r, const void *arg)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = std_map(r, 0);

	(void)arg;
	mprotect(p + PAGE, PAGE, PROT_NONE);
	memcpy(p + PAGE - 4, "name", 4);
	pin(r, "pin at an end without NUL", fd, p + PAGE - 4);
	get(r, "get at an end without NUL", p + PAGE - 4, 0);
	p[PAGE - 1] = '\0';
	pin(r, "pin up to the end", fd, p + PAGE - 4);
	get(r, "get up to the end", p + PAGE - 4, 0);
	pin(r, "pin, unmapped", fd, UNMAPPED);
	get(r, "get, unmapped", UNMAPPED, 0);
	pin(r, "pin, NULL", fd, NULL);
	get(r, "get, NULL", NULL, 0);
	get(r, "get, kernel", (void *)0xffff888000000000UL, 0);
	munmap(p, 2 * PAGE);
	list(r, ".");
}

static void long_names(struct run *r, const void *arg)
{
	static const size_t lens[] = { 254, 255, 256, 4094, 4095, 4096, 5000 };
	static char path[5001];
	int fd = std_map(r, 0);
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		memset(path, 'x', lens[i]);
		path[lens[i]] = '\0';
		pin(r, "pin", fd, path);
		get(r, "get", path, 0);
	}
	list(r, ".");
}

static void pin_exists(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	note_ret(r, "mkdir", mkdir("dir", 0700));
	note_ret(r, "symlink", symlink("nowhere", "link"));
	pin(r, "pin", fd, "map");
	pin(r, "pin again", fd, "map");
	pin(r, "pin another", std_map(r, 0), "map");
	pin(r, "pin on a directory", fd, "dir");
	pin(r, "pin on a dangling link", fd, "link");
	pin(r, "pin as ..", fd, "..");
	pin(r, "pin as dir/.", fd, "dir/.");
	list(r, ".");
}

static void pin_descriptors(struct run *r, const void *arg)
{
	static const int fds[] = { -1, 1000, 0, -100, 0x7fffffff };
	int dir = keep_fd(r, open(".", O_RDONLY | O_CLOEXEC));
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_LEN(fds); i++)
		pin(r, "pin", fds[i], "map");
	pin(r, "pin a directory", dir, "map");
	list(r, ".");
}

/* Whether a pin is the way from a narrow descriptor to a wide one. */
static void pin_narrow(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);
	__u32 flags = *(const __u32 *)arg;

	a.map_flags |= flags;
	pin(r, "pin", quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a)), "map");
	list(r, ".");
	note_access(r, get(r, "get as it was", "map", flags));
	drop_fd(r, get(r, "get", "map", 0));
}

static void pin_flags(struct run *r, const void *arg)
{
	__u32 flags = *(const __u32 *)arg;
	struct bpfmaps_obj_attr a = { .file_flags = flags };

	a.bpf_fd = std_map(r, 0);
	a.pathname = (unsigned long)"map";
	call(r, "pin", BPFMAPS_OBJ_PIN, &a, sizeof(a));
	pin(r, "pin without flags", a.bpf_fd, "map");
	note_access(r, get(r, "get", "map", flags));
	get(r, "get of nothing", "missing", flags);
}

static void get_with_fd(struct run *r, const void *arg)
{
	struct bpfmaps_obj_attr a = { .bpf_fd = *(const __u32 *)arg };

	pin(r, "pin", std_map(r, 0), "map");
	a.pathname = (unsigned long)"map";
	call(r, "get", BPFMAPS_OBJ_GET, &a, sizeof(a));
}

/* The pin keeps the map, and each way to it is to the same one. */
static void pin_lives(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), again;
	__u32 id = map_id(r, fd);

	(void)arg;
	pin(r, "pin", fd, "one");
	pin(r, "pin twice", fd, "two");
	drop_fd(r, fd);
	again = get(r, "get", "one", 0);
	note(r, "same: %d", map_id(r, again) == id);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, again, std_key(r, 0), std_value(r, 99), 0);
	drop_fd(r, again);
	again = get(r, "get the other", "two", 0);
	note_std(r, again);
	note_ret(r, "unlink", unlink("one"));
	get(r, "get the unlinked", "one", 0);
	drop_fd(r, again);
	note(r, "known: %d", id_known(r, id));
	note_ret(r, "unlink", unlink("two"));
	note(r, "known: %d", id_known(r, id));
}

static void unlinked_in_use(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), other;

	(void)arg;
	pin(r, "pin", fd, "map");
	other = get(r, "get", "map", 0);
	drop_fd(r, fd);
	note_ret(r, "unlink", unlink("map"));
	note_std(r, other);
	pin(r, "pin again", other, "map");
	note_std(r, get(r, "get", "map", 0));
}

static void frozen_pin(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);
	struct bpfmaps_elem_attr a = { .map_fd = fd };

	(void)arg;
	call(r, "freeze", BPFMAPS_MAP_FREEZE, &a, sizeof(a));
	pin(r, "pin", fd, "map");
	note_access(r, get(r, "get", "map", 0));
}

static void pin_by_link(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);
	__u32 id = map_id(r, fd);

	(void)arg;
	note_ret(r, "mkdir", mkdir("dir", 0700));
	note_ret(r, "symlink", symlink("dir", "to_dir"));
	pin(r, "pin through a link", fd, "to_dir/map");
	list(r, "dir");
	note_ret(r, "symlink", symlink("dir/map", "to_map"));
	note(r, "same: %d", map_id(r, get(r, "get", "to_map", 0)) == id);
	note_ret(r, "link", link("dir/map", "second"));
	note_ret(r, "unlink", unlink("dir/map"));
	drop_fd(r, fd);
	note(r, "same: %d", map_id(r, get(r, "get the hard link", "second", 0)) == id);
}

struct mode_case {
	mode_t mode;
	__u32 flags;
	bool owner;
};

static void get_as_nobody(struct run *r, const void *arg)
{
	const struct mode_case *m = arg;
	int fd;

	become_nobody();
	fd = get(r, "get", "map", m->flags);
	if (fd >= 0)
		note_access(r, fd);
}

static void get_by_mode(struct run *r, const void *arg)
{
	const struct mode_case *m = arg;

	pin(r, "pin", std_map(r, 0), "map");
	note_ret(r, "chmod", chmod("map", m->mode));
	if (m->owner)
		note_ret(r, "chown", chown("map", 65534, 65534));
	in_child(r, "nobody", get_as_nobody, m);
	get(r, "get as root", "map", m->flags);
}

static void dir_as_nobody(struct run *r, const void *arg)
{
	become_nobody();
	pin(r, "pin", *(const int *)arg, "mine");
	get(r, "get", "map", 0);
}

static void get_by_dir_mode(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	pin(r, "pin", fd, "map");
	note_ret(r, "chmod", chmod("map", 0666));
	note_ret(r, "chmod", chmod(".", *(const mode_t *)arg));
	in_child(r, "nobody", dir_as_nobody, &fd);
	note_ret(r, "chmod", chmod(".", 0755));
	list(r, ".");
}

static void pin_umask(struct run *r, const void *arg)
{
	mode_t old = umask(*(const mode_t *)arg);

	pin(r, "pin", std_map(r, 0), "map");
	note_ret(r, "mkdir", mkdir("dir", 0777));
	umask(old);
	note_stat(r, "map");
	note_stat(r, "dir");
}

static void path_rows(const struct map_type *t)
{
	static const char * const pins[] = {
		"", "a.b", ".hidden", "trailing.", ".", "..", "/", "missing/map", "map/",
		"/dev/null", "/dev/null/x", "/tmp/oracle_pin", "/proc/oracle_pin",
		"/sys/oracle_pin",
		"/sys/fs/oracle_pin", "/oracle_pin", "with space", "new\nline", "-", "x",
	};
	static const char * const gets[] = {
		"", "a.b", ".", "..", "/", "missing", "missing/map", "map/", "map/x", "dir", "dir/",
		"loop", "dangling", "elsewhere", "/dev/null", "/proc/self/maps", "/tmp", "/init",
		"/dev/null/x", "./map", "dir/../map", "//map", "map",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(pins); i++)
		compare_pins(t, bad_pin_path, pins[i], "pin/at '%s'", pins[i]);
	for (i = 0; i < ARRAY_LEN(gets); i++)
		compare_pins(t, bad_get_path, gets[i], "pin/get '%s'", gets[i]);
}

static void mode_rows(const struct map_type *t)
{
	static const mode_t modes[] = { 0, 0400, 0200, 0600, 0004, 0002, 0006, 0440, 0777 };
	static const __u32 flags[] = { BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY, 0 };
	static const mode_t masks[] = { 0, 022, 077, 0400, 0200, 0777 };
	struct mode_case m;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(modes); i++) {
		for (j = 0; j < 2 * ARRAY_LEN(flags); j++) {
			m = (struct mode_case) { modes[i], flags[j / 2], j % 2 };
			compare_pins(t, get_by_mode, &m, "pin/mode %#o, get with %#x as %s", m.mode,
				     m.flags, m.owner ? "owner" : "other");
		}
		compare_pins(t, get_by_dir_mode, &modes[i], "pin/directory of mode %#o", modes[i]);
	}
	for (i = 0; i < ARRAY_LEN(masks); i++)
		compare_pins(t, pin_umask, &masks[i], "pin/umask %#o", masks[i]);
}

void pin_cases(const struct map_type *t)
{
	static const __u32 fds[] = { 1, 0xffffffff };
	__u32 flags;
	size_t i;

	/* What paths and modes do is not up to the type. */
	if (t == &hash_type || t == &array_type) {
		path_rows(t);
		mode_rows(t);
	}
	compare_pins(t, path_pointers, NULL, "pin/path pointers");
	compare_pins(t, long_names, NULL, "pin/long names");
	compare_pins(t, pin_exists, NULL, "pin/exists");
	compare_pins(t, pin_descriptors, NULL, "pin/descriptors");
	flags = BPFMAPS_F_RDONLY;
	compare_pins(t, pin_narrow, &flags, "pin/of a read-only descriptor");
	flags = BPFMAPS_F_WRONLY;
	compare_pins(t, pin_narrow, &flags, "pin/of a write-only descriptor");
	for (i = 0; i < 32; i++) {
		flags = 1U << i;
		compare_pins(t, pin_flags, &flags, "pin/file flag %#x", flags);
	}
	flags = BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY;
	compare_pins(t, pin_flags, &flags, "pin/file flags %#x", flags);
	for (i = 0; i < ARRAY_LEN(fds); i++)
		compare_pins(t, get_with_fd, &fds[i], "pin/get with descriptor %u", fds[i]);
	compare_pins(t, pin_lives, NULL, "pin/lives");
	compare_pins(t, unlinked_in_use, NULL, "pin/unlinked in use");
	compare_pins(t, frozen_pin, NULL, "pin/frozen");
	compare_pins(t, pin_by_link, NULL, "pin/by links");
}
