// SPDX-License-Identifier: GPL-2.0-only
/* Calling the back end under test, and the maps that most cases start from. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"

#define ATTR_MAX	8192
#define KEYS_MAX	4096

bool makes_fd(unsigned int cmd)
{
	return cmd == BPFMAPS_MAP_CREATE || cmd == BPFMAPS_OBJ_GET ||
	       cmd == BPFMAPS_MAP_GET_FD_BY_ID;
}

/* What came out of a map of maps are ids, which no two runs have the same of. */
static void name_ids(struct run *r, unsigned int cmd, void *attr, unsigned int size, bool ok)
{
	const union bpfmaps_attr *a = attr;

	switch (cmd) {
	case BPFMAPS_MAP_LOOKUP_ELEM:
		if (ok && size >= offsetof(struct bpfmaps_elem_attr, flags))
			name_inner(r, (void *)(unsigned long)a->elem.value, 1);
		break;
	case BPFMAPS_MAP_LOOKUP_BATCH:
	case BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH:
		if (ok || errno == ENOENT)
			name_inner(r, (void *)(unsigned long)a->batch.values, a->batch.count);
		break;
	}
}

/* A call that leaves nothing in the trace; descriptors are closed with the case. */
int quiet(struct run *r, unsigned int cmd, void *attr, unsigned int size)
{
	int ret = r->be->call(r, cmd, attr, size), err = errno;

	if (makes_fd(cmd) && ret >= 0)
		keep_fd(r, ret);
	if (r->type->holds)
		name_ids(r, cmd, attr, size, ret >= 0);
	errno = err;
	return ret;
}

static void note_call(struct run *r, const char *label, unsigned int cmd, int ret)
{
	if (makes_fd(cmd) && ret >= 0)
		note(r, "%s: a descriptor", label);
	else
		note_ret(r, label, ret);
}

/* For an @attr that this process itself may not touch. */
int call_wild(struct run *r, const char *label, unsigned int cmd, void *attr, unsigned int size)
{
	int ret = quiet(r, cmd, attr, size);

	note_call(r, label, cmd, ret);
	return ret;
}

static void note_changes(struct run *r, const char *label, const unsigned char *before,
			 const unsigned char *after, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (before[i] != after[i])
			note(r, "%s: attr byte %zu became %02x", label, i, after[i]);
	}
}

int call(struct run *r, const char *label, unsigned int cmd, void *attr, unsigned int size)
{
	unsigned char before[ATTR_MAX];
	int ret, err;

	if (size > sizeof(before))
		abort();
	memcpy(before, attr, size);
	ret = quiet(r, cmd, attr, size);
	err = errno;
	note_call(r, label, cmd, ret);
	note_changes(r, label, before, attr, size);
	errno = err;
	return ret;
}

static void elem_attr(struct bpfmaps_elem_attr *a, int fd, const void *key, void *value,
		      __u64 flags)
{
	*a = (struct bpfmaps_elem_attr) {
		.map_fd = fd,
		.key = (unsigned long)key,
		.value = (unsigned long)value,
		.flags = flags,
	};
}

int elem(struct run *r, const char *label, unsigned int cmd, int fd, const void *key, void *value,
	 __u64 flags)
{
	struct bpfmaps_elem_attr a;

	elem_attr(&a, fd, key, value, flags);
	return call(r, label, cmd, &a, sizeof(a));
}

int elem_quiet(struct run *r, unsigned int cmd, int fd, const void *key, void *value, __u64 flags)
{
	struct bpfmaps_elem_attr a;

	elem_attr(&a, fd, key, value, flags);
	return quiet(r, cmd, &a, sizeof(a));
}

static int inner_template(struct run *r)
{
	make_inner(r);
	return r->template;
}

int new_map(struct run *r, __u32 key, __u32 value, __u32 max, __u32 flags)
{
	struct bpfmaps_create_attr a = {
		.map_type = r->type->number,
		.key_size = key,
		.value_size = value,
		.max_entries = max,
		.map_flags = flags,
		.inner_map_fd = inner_template(r),
	};
	int fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));

	if (fd < 0)
		note(r, "no map of %u/%u bytes, %u entries, flags %#x: %s", key, value, max, flags,
		     errno_name(errno));
	return fd;
}

void lookup_noted(struct run *r, const char *label, int fd, __u32 key, size_t value_size)
{
	void *out = out_buf(r, value_size);

	elem(r, label, BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, out, 0);
	note_out(r, label, value_size);
}

int get_info(struct run *r, int fd, struct bpfmaps_map_info *info)
{
	struct bpfmaps_info_attr a = {
		.bpf_fd = fd,
		.info_len = sizeof(*info),
		.info = (unsigned long)info,
	};

	memset(info, 0, sizeof(*info));
	return quiet(r, BPFMAPS_OBJ_GET_INFO_BY_FD, &a, sizeof(a));
}

__u32 map_id(struct run *r, int fd)
{
	struct bpfmaps_map_info info;

	return get_info(r, fd, &info) ? 0 : info.id;
}

static size_t cmp_size;

static int cmp_keys(const void *a, const void *b)
{
	return memcmp(a, b, cmp_size);
}

/* Notes each key with its value; sorted where two kernels have no common order. */
void note_contents(struct run *r, int fd, size_t key_size, size_t value_size)
{
	unsigned char *keys = calloc(KEYS_MAX + 1, key_size);
	unsigned char *prev = NULL, *next = keys;
	size_t nr = 0, i;

	while (nr < KEYS_MAX && !elem_quiet(r, BPFMAPS_MAP_GET_NEXT_KEY, fd, prev, next, 0)) {
		prev = next;
		next += key_size;
		nr++;
	}
	note_ret(r, "contents: end of the keys", -1);
	cmp_size = key_size;
	if (!has_order(r))
		qsort(keys, nr, key_size, cmp_keys);
	for (i = 0; i < nr; i++) {
		void *out = out_buf(r, value_size);

		note_bytes(r, "contents: key", keys + i * key_size, key_size);
		elem(r, "contents: lookup", BPFMAPS_MAP_LOOKUP_ELEM, fd, keys + i * key_size, out,
		     0);
		note_out(r, "contents: value", value_size);
	}
	free(keys);
}

/* Runs @fn in a child, which adds to the same trace; notes how it ended. */
void in_child(struct run *r, const char *label, case_fn fn, const void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		fn(r, arg);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		note(r, "%s: no child: %s", label, errno_name(errno));
	else if (WIFSIGNALED(status))
		note(r, "%s: signal %d", label, WTERMSIG(status));
	else
		note(r, "%s: exit %d", label, WEXITSTATUS(status));
}

/* For children: gives up root for good. */
void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534))
		_exit(99);
}
