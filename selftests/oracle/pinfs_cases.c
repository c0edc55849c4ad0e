// SPDX-License-Identifier: GPL-2.0-only
/* The filesystem of the pins, by ordinary system calls. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pins.h"

/* A map, a directory with a map in it, and an empty directory. */
static __u32 populate(struct run *r)
{
	int fd = std_map(r, 0);
	__u32 id = map_id(r, fd);

	pin(r, "pin", fd, "map");
	note_ret(r, "mkdir", mkdir("full", 0755));
	note_ret(r, "mkdir", mkdir("empty", 0755));
	pin(r, "pin inside", fd, "full/map");
	return id;
}

static void wrong_names(struct run *r, const void *arg)
{
	(void)arg;
	populate(r);
	note_ret(r, "mkdir with a dot", mkdir("a.b", 0755));
	note_ret(r, "mkdir .x", mkdir(".x", 0755));
	note_ret(r, "symlink with a dot", symlink("map", "a.b"));
	note_ret(r, "link with a dot", link("map", "a.b"));
	note_ret(r, "rename to a dot", rename("map", "a.b"));
	note_ret(r, "stat with a dot", access("a.b", F_OK));
	note_ret(r, "unlink with a dot", unlink("a.b"));
	note_ret(r, "mkdir existing", mkdir("map", 0755));
	note_ret(r, "mkdir in a map", mkdir("map/x", 0755));
	note_ret(r, "mkdir in nothing", mkdir("missing/x", 0755));
	note_ret(r, "unlink nothing", unlink("missing"));
	note_ret(r, "rename nothing", rename("missing", "x"));
	list(r, ".");
}

static void wrong_kinds(struct run *r, const void *arg)
{
	(void)arg;
	populate(r);
	note_ret(r, "rmdir full", rmdir("full"));
	note_ret(r, "rmdir of a map", rmdir("map"));
	note_ret(r, "unlink of a directory", unlink("empty"));
	note_ret(r, "create a file", open("file", O_CREAT | O_RDWR, 0600));
	note_ret(r, "create a temporary file", open(".", O_TMPFILE | O_RDWR, 0600));
	note_ret(r, "mknod file", mknod("file", S_IFREG | 0600, 0));
	note_ret(r, "mknod fifo", mknod("file", S_IFIFO | 0600, 0));
	note_ret(r, "mknod device", mknod("file", S_IFCHR | 0600, makedev(1, 3)));
	note_ret(r, "link of a directory", link("full", "x"));
	note_ret(r, "setxattr", setxattr("map", "user.x", "y", 1, 0));
	note_ret(r, "setxattr", setxattr("map", "trusted.x", "y", 1, 0));
	note_ret(r, "listxattr", listxattr("map", NULL, 0));
	list(r, ".");
	list(r, "full");
}

/* A pin is a name, nothing to read from. */
static void opened(struct run *r, const void *arg)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_TRUNC, O_PATH };
	struct stat st;
	size_t i;
	int fd;

	(void)arg;
	populate(r);
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		fd = keep_fd(r, open("map", flags[i] | O_CLOEXEC));
		note(r, "open with %#x: %s", flags[i], fd < 0 ? errno_name(errno) : "ok");
		if (fd >= 0) {
			note_ret(r, "fstat", fstat(fd, &st));
			note(r, "as a map: %d", map_id(r, fd) != 0);
		}
	}
	note_ret(r, "truncate", truncate("map", 0));
	note_ret(r, "truncate to 10", truncate("map", 10));
	note_stat(r, "map");
	note_access(r, get(r, "get", "map", 0));
}

static void renamed(struct run *r, const void *arg)
{
	__u32 id = populate(r);
	int other = new_map(r, 4, 8, 9, 0);

	(void)arg;
	note_ret(r, "rename", rename("map", "new"));
	note(r, "same: %d", map_id(r, get(r, "get", "new", 0)) == id);
	get(r, "get the old name", "map", 0);
	note_ret(r, "into a directory", rename("new", "empty/new"));
	note(r, "same: %d", map_id(r, get(r, "get", "empty/new", 0)) == id);
	note_ret(r, "a directory", rename("full", "moved"));
	note(r, "same: %d", map_id(r, get(r, "get", "moved/map", 0)) == id);
	pin(r, "pin another", other, "other");
	note_ret(r, "over another", rename("moved/map", "other"));
	note(r, "same: %d", map_id(r, get(r, "get", "other", 0)) == id);
	note_ret(r, "a map over a directory", rename("other", "moved"));
	note_ret(r, "a directory over a map", rename("moved", "other"));
	note_ret(r, "over a full directory", rename("moved", "empty"));
	note_ret(r, "into itself", rename("empty", "empty/x"));
	note_ret(r, "to itself", rename("other", "other"));
	note_ret(r, "out of the filesystem", rename("other", "/tmp/x"));
	list(r, ".");
	list(r, "empty");
}

static void renamed_away(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), other = std_map(r, 0);
	__u32 id = map_id(r, fd);

	(void)arg;
	pin(r, "pin", fd, "map");
	pin(r, "pin", other, "other");
	drop_fd(r, fd);
	note(r, "known: %d", id_known(r, id));
	note_ret(r, "over it", rename("other", "map"));
	note(r, "known: %d", id_known(r, id));
	list(r, ".");
}

static void rename_flags(struct run *r, const void *arg)
{
	unsigned int flags = *(const unsigned int *)arg;

	populate(r);
	pin(r, "pin another", new_map(r, 4, 8, 9, 0), "other");
	note_ret(r, "over another", renameat2(AT_FDCWD, "map", AT_FDCWD, "other", flags));
	note_ret(r, "to a new name", renameat2(AT_FDCWD, "map", AT_FDCWD, "new", flags));
	list(r, ".");
}

static void modes(struct run *r, const void *arg)
{
	static const mode_t wanted[] = { 0, 0400, 0644, 0777, 04755, 02755, 01777 };
	size_t i;

	(void)arg;
	populate(r);
	for (i = 0; i < ARRAY_LEN(wanted); i++) {
		note_ret(r, "chmod", chmod("map", wanted[i]));
		note_stat(r, "map");
		note_ret(r, "chmod of a directory", chmod("empty", wanted[i]));
		note_stat(r, "empty");
	}
	note_ret(r, "chown", chown("map", 1000, 1001));
	note_ret(r, "chown", chown("empty", 1000, -1));
	list(r, ".");
}

static void as_nobody(struct run *r, const void *arg)
{
	(void)arg;
	become_nobody();
	note_ret(r, "unlink", unlink("map"));
	note_ret(r, "rename", rename("map", "x"));
	note_ret(r, "mkdir", mkdir("x", 0755));
	note_ret(r, "rmdir", rmdir("empty"));
	note_ret(r, "chmod", chmod("map", 0666));
	note_ret(r, "chown", chown("map", 65534, 65534));
	note_ret(r, "symlink", symlink("map", "y"));
	note_ret(r, "link", link("map", "z"));
	note_ret(r, "unlink own directory", rmdir("own"));
	list(r, ".");
}

/* By a stranger, in a directory that is the first's, everybody's, or his own. */
static void strangers(struct run *r, const void *arg)
{
	mode_t mode = *(const mode_t *)arg;

	populate(r);
	note_ret(r, "mkdir", mkdir("own", 0755));
	note_ret(r, "chown", chown("own", 65534, 65534));
	note_ret(r, "chmod", chmod(".", mode));
	in_child(r, "nobody", as_nobody, NULL);
	note_ret(r, "chmod", chmod(".", 0755));
	list(r, ".");
}

static void links(struct run *r, const void *arg)
{
	char target[64] = "";
	__u32 id = populate(r);

	(void)arg;
	note_ret(r, "link", link("map", "second"));
	note_stat(r, "map");
	note_ret(r, "link over another", link("map", "second"));
	note_ret(r, "link elsewhere", link("map", "/tmp/x"));
	note_ret(r, "unlink", unlink("map"));
	note(r, "same: %d", map_id(r, get(r, "get", "second", 0)) == id);
	note_ret(r, "symlink", symlink("second", "soft"));
	note_ret(r, "readlink", readlink("soft", target, sizeof(target)));
	note(r, "target %s", target);
	note_ret(r, "long symlink", symlink("0123456789012345678901234567890123456789", "long"));
	list(r, ".");
}

static void directories(struct run *r, const void *arg)
{
	int i, fd = std_map(r, 0);
	char path[400] = "";

	(void)arg;
	for (i = 0; i < 30; i++) {
		strcat(path, "deep/");
		note_ret(r, "mkdir", mkdir(path, 0755));
	}
	strcat(path, "map");
	pin(r, "pin", fd, path);
	get(r, "get", path, 0);
	note_stat(r, "deep");
	note_stat(r, ".");
}

static void removed_directory(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), dir, ret;

	(void)arg;
	note_ret(r, "mkdir", mkdir("gone", 0755));
	dir = keep_fd(r, open("gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	ret = chdir("gone");
	note_ret(r, "chdir", ret);
	note_ret(r, "rmdir", rmdir("../gone"));
	pin(r, "pin where nothing is", fd, "map");
	get(r, "get where nothing is", "map", 0);
	note_ret(r, "mkdir where nothing is", mkdir("x", 0755));
	note_ret(r, "mkdirat", mkdirat(dir, "x", 0755));
	note_ret(r, "back", chdir(r->be->fs));
	note_ret(r, "back", chdir("oracle"));
}

static void statistics(struct run *r, const void *arg)
{
	struct statfs st = { 0 };

	(void)arg;
	note_ret(r, "statfs", statfs(".", &st));
	note(r, "block size %ld, name length %ld, files %llu", (long)st.f_bsize,
	     (long)st.f_namelen, (unsigned long long)st.f_files);
}

void pinfs_cases(const struct map_type *t)
{
	static const unsigned int flags[] = { 1, 2, 4, 8 };
	static const mode_t dirs[] = { 0700, 0755, 0777, 01777 };
	size_t i;

	compare_pins(t, wrong_names, NULL, "pinfs/wrong names");
	compare_pins(t, wrong_kinds, NULL, "pinfs/wrong kinds");
	compare_pins(t, opened, NULL, "pinfs/opened");
	compare_pins(t, removed_directory, NULL, "pinfs/removed directory");
	for (i = 0; i < ARRAY_LEN(flags); i++)
		compare_pins(t, rename_flags, &flags[i], "pinfs/rename flags %u", flags[i]);
	for (i = 0; i < ARRAY_LEN(dirs); i++)
		compare_pins(t, strangers, &dirs[i], "pinfs/stranger, directory %#o", dirs[i]);
	compare_pins(t, renamed, NULL, "pinfs/renamed");
	compare_pins(t, renamed_away, NULL, "pinfs/renamed away");
	compare_pins(t, modes, NULL, "pinfs/modes");
	compare_pins(t, links, NULL, "pinfs/links");
	compare_pins(t, directories, NULL, "pinfs/directories");
	compare_pins(t, statistics, NULL, "pinfs/statistics");
}
