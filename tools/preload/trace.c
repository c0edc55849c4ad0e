// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - the trace of every call of bpf(2), a line each
 *
 * BPFMAPS_TRACE is 1 or stderr, or the path of a file that lines are added to. Nothing of the
 * program is touched: not its stdio, and a file is open only while a line is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/bpf.h>

#include "preload.h"

#define LINE_SIZE	(2 * PATH_MAX + 512)

/* Empty: none. "-": standard error. */
static char trace_to[PATH_MAX];

static const char * const command_names[] = {
	[BPF_MAP_CREATE]		= "MAP_CREATE",
	[BPF_MAP_LOOKUP_ELEM]		= "MAP_LOOKUP_ELEM",
	[BPF_MAP_UPDATE_ELEM]		= "MAP_UPDATE_ELEM",
	[BPF_MAP_DELETE_ELEM]		= "MAP_DELETE_ELEM",
	[BPF_MAP_GET_NEXT_KEY]		= "MAP_GET_NEXT_KEY",
	[BPF_PROG_LOAD]			= "PROG_LOAD",
	[BPF_OBJ_PIN]			= "OBJ_PIN",
	[BPF_OBJ_GET]			= "OBJ_GET",
	[BPF_PROG_ATTACH]		= "PROG_ATTACH",
	[BPF_PROG_DETACH]		= "PROG_DETACH",
	[BPF_PROG_TEST_RUN]		= "PROG_TEST_RUN",
	[BPF_PROG_GET_NEXT_ID]		= "PROG_GET_NEXT_ID",
	[BPF_MAP_GET_NEXT_ID]		= "MAP_GET_NEXT_ID",
	[BPF_PROG_GET_FD_BY_ID]		= "PROG_GET_FD_BY_ID",
	[BPF_MAP_GET_FD_BY_ID]		= "MAP_GET_FD_BY_ID",
	[BPF_OBJ_GET_INFO_BY_FD]	= "OBJ_GET_INFO_BY_FD",
	[BPF_PROG_QUERY]		= "PROG_QUERY",
	[BPF_RAW_TRACEPOINT_OPEN]	= "RAW_TRACEPOINT_OPEN",
	[BPF_BTF_LOAD]			= "BTF_LOAD",
	[BPF_BTF_GET_FD_BY_ID]		= "BTF_GET_FD_BY_ID",
	[BPF_TASK_FD_QUERY]		= "TASK_FD_QUERY",
	[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = "MAP_LOOKUP_AND_DELETE_ELEM",
	[BPF_MAP_FREEZE]		= "MAP_FREEZE",
	[BPF_BTF_GET_NEXT_ID]		= "BTF_GET_NEXT_ID",
	[BPF_MAP_LOOKUP_BATCH]		= "MAP_LOOKUP_BATCH",
	[BPF_MAP_LOOKUP_AND_DELETE_BATCH] = "MAP_LOOKUP_AND_DELETE_BATCH",
	[BPF_MAP_UPDATE_BATCH]		= "MAP_UPDATE_BATCH",
	[BPF_MAP_DELETE_BATCH]		= "MAP_DELETE_BATCH",
	[BPF_LINK_CREATE]		= "LINK_CREATE",
	[BPF_LINK_UPDATE]		= "LINK_UPDATE",
	[BPF_LINK_GET_FD_BY_ID]		= "LINK_GET_FD_BY_ID",
	[BPF_LINK_GET_NEXT_ID]		= "LINK_GET_NEXT_ID",
	[BPF_ENABLE_STATS]		= "ENABLE_STATS",
	[BPF_ITER_CREATE]		= "ITER_CREATE",
	[BPF_LINK_DETACH]		= "LINK_DETACH",
	[BPF_PROG_BIND_MAP]		= "PROG_BIND_MAP",
};

/* A file is one wherever the program changes to. Closed, 2 will be the number of something else. */
static __attribute__((constructor)) void init(void)
{
	const char *to = secure_getenv("BPFMAPS_TRACE");
	char cwd[PATH_MAX];

	if (!to || !*to)
		return;
	if (!strcmp(to, "1") || !strcmp(to, "stderr")) {
		if (preload_call(SYS_fcntl, STDERR_FILENO, F_GETFD) >= 0)
			strcpy(trace_to, "-");
		return;
	}
	cwd[0] = '\0';
	if (*to != '/' && preload_call(SYS_getcwd, (long)cwd, sizeof(cwd)) < 0)
		return;
	if (snprintf(trace_to, sizeof(trace_to), "%s%s%s", cwd, *cwd ? "/" : "", to) >=
	    (int)sizeof(trace_to))
		trace_to[0] = '\0';
}

bool preload_tracing(void)
{
	return trace_to[0];
}

static const char *type_name(unsigned int type)
{
#define TYPE_NAME(number, NAME, name)	{ number, #name },
	static const struct {
		unsigned int type;
		const char *name;
	} names[] = {
		BPFMAPS_TYPES(TYPE_NAME)
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return "of bpf";
}

static int print_create(char *to, size_t size, const struct bpfmaps_create_attr *attr)
{
	return snprintf(to, size,
			"type %u (%s) key %u value %u entries %u flags %#x inner %d extra %#llx name \"%.*s\"",
			attr->map_type, type_name(attr->map_type), attr->key_size, attr->value_size,
			attr->max_entries, attr->map_flags, (int)attr->inner_map_fd,
			(unsigned long long)attr->map_extra, BPFMAPS_NAME_LEN, attr->map_name);
}

static int print_elem(char *to, size_t size, const struct bpfmaps_elem_attr *attr)
{
	return snprintf(to, size, "map %d key %#llx value %#llx flags %#llx",
			(int)attr->map_fd, attr->key, attr->value, attr->flags);
}

static int print_next_key(char *to, size_t size, const struct bpfmaps_elem_attr *attr)
{
	return snprintf(to, size, "map %d key %#llx next %#llx", (int)attr->map_fd, attr->key,
			attr->next_key);
}

static int print_batch(char *to, size_t size, const struct bpfmaps_batch_attr *attr)
{
	return snprintf(to, size,
			"map %d in %#llx out %#llx count %u keys %#llx values %#llx elem_flags %#llx",
			(int)attr->map_fd, attr->in_batch, attr->out_batch, attr->count,
			attr->keys, attr->values, attr->elem_flags);
}

static int print_load(char *to, size_t size, const struct bpf_call *call)
{
	union bpf_attr attr = { .prog_type = 0 };

	memcpy(&attr, &call->copy, sizeof(call->copy));
	return snprintf(to, size, "type %u insns %u name \"%.*s\"", attr.prog_type, attr.insn_cnt,
			BPF_OBJ_NAME_LEN, attr.prog_name);
}

static int print_obj(char *to, size_t size, const struct bpf_call *call)
{
	const struct bpfmaps_obj_attr *attr = &call->copy.obj;
	char path[PATH_MAX], mapped[PATH_MAX];

	if (preload_peek_path(path, (const void *)(uintptr_t)attr->pathname))
		strcpy(path, "?");
	if (!preload_call_path(call, mapped))
		mapped[0] = '\0';
	return snprintf(to, size, "path \"%s\"%s%s fd %d flags %#x at %d", path,
			*mapped ? " as " : "", mapped, (int)attr->bpf_fd, attr->file_flags,
			attr->path_fd);
}

static int print_arguments(char *to, size_t size, const struct bpf_call *call)
{
	switch (call->cmd) {
	case BPF_MAP_CREATE:
		return print_create(to, size, &call->copy.create);
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_DELETE_ELEM:
		return print_elem(to, size, &call->copy.elem);
	case BPF_MAP_GET_NEXT_KEY:
		return print_next_key(to, size, &call->copy.elem);
	case BPF_PROG_LOAD:
		return print_load(to, size, call);
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
		return print_batch(to, size, &call->copy.batch);
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET:
		return print_obj(to, size, call);
	case BPF_MAP_GET_NEXT_ID:
	case BPF_MAP_GET_FD_BY_ID:
		return snprintf(to, size, "id %u", call->copy.id.start_id);
	case BPF_OBJ_GET_INFO_BY_FD:
	case BPF_MAP_FREEZE:
		return snprintf(to, size, "fd %d", (int)call->copy.info.bpf_fd);
	default:
		return snprintf(to, size, "attr %p", call->attr);
	}
}

static int print_command(char *to, size_t size, int cmd)
{
	if (cmd >= 0 && (size_t)cmd < ARRAY_SIZE(command_names) && command_names[cmd])
		return snprintf(to, size, "%s", command_names[cmd]);
	return snprintf(to, size, "command %d", cmd);
}

/* 524 has no name in user space. */
static int print_result(char *to, size_t size, const struct bpf_call *call, long ret)
{
	const char *who = call->on_bpf ? "bpf" : "bpfmaps";
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	if (ret >= 0)
		return snprintf(to, size, "= %ld by %s\n", ret, who);
	if (name)
		return snprintf(to, size, "= -1 %s by %s\n", name, who);
	return snprintf(to, size, "= -1 errno %ld by %s\n", -ret, who);
}

/* In one write(), so that lines of several threads and processes stay whole. */
static void write_line(const char *line, size_t len)
{
	long fd;

	if (!strcmp(trace_to, "-")) {
		preload_call(SYS_write, STDERR_FILENO, (long)line, len);
		return;
	}
	fd = preload_call(SYS_openat, AT_FDCWD, (long)trace_to,
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return;
	preload_call(SYS_write, fd, (long)line, len);
	preload_call(SYS_close, fd);
}

/* A name or a path is not to look like another line. */
static void make_printable(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = '?';
}

void preload_trace(const struct bpf_call *call, long ret)
{
	char line[LINE_SIZE];
	int saved = errno;
	int len;

	len = snprintf(line, sizeof(line), "bpfmaps-preload[%ld]: ", preload_call(SYS_gettid, 0));
	len += print_command(line + len, sizeof(line) - len, call->cmd);
	len += snprintf(line + len, sizeof(line) - len, " size %u ", call->size);
	len += print_arguments(line + len, sizeof(line) - len, call);
	make_printable(line);
	line[len++] = ' ';
	len += print_result(line + len, sizeof(line) - len, call, ret);
	write_line(line, len);
	errno = saved;
}
