// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - the commands of bpf(2) that are about maps, and who they are for
 *
 * A descriptor tells itself whether it is one of the module's maps: anything else answers the
 * ioctl with ENOTTY. So no list of descriptors is kept that dup(), close() or a unix socket would
 * outdate.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <linux/bpf.h>

#include "preload.h"

#define DEVICE_PATH	"/dev/bpfmaps"

/* The request of an ioctl has 14 bits for the size. */
#define MAX_SIZE	16383

/* struct bpfmaps_obj_attr, and what a later version of it has behind. */
#define MAX_OBJ_SIZE	256

static long map_ioctl(int fd, int cmd, unsigned int size, void *attr)
{
	return preload_call(SYS_ioctl, fd, BPFMAPS_IOC(cmd, size), (long)attr);
}

static bool is_open(int fd)
{
	long flags = preload_call(SYS_fcntl, fd, F_GETFL);

	return flags >= 0 && !(flags & O_PATH);
}

bool preload_is_map(int fd)
{
	struct bpfmaps_info_attr attr = { .bpf_fd = fd };

	return map_ioctl(fd, BPFMAPS_OBJ_GET_INFO_BY_FD, sizeof(attr), &attr) == 0;
}

/* EBADF is ours as well where it is about another descriptor, of an inner map. */
static long call_map(struct bpf_call *call, int fd)
{
	long ret = map_ioctl(fd, call->cmd, call->size, call->attr);

	if (ret == -ENOTTY || (ret == -EBADF && !is_open(fd)))
		return PASS_ON;
	return ret;
}

/* No file, or no driver behind it: not ENOENT, which the commands have a use for. */
static int no_device(int err)
{
	return err == -ENOENT || err == -ENXIO ? -ENODEV : err;
}

static int open_device(void)
{
	const char *path = secure_getenv("BPFMAPS_DEVICE");

	if (!path || !*path)
		path = DEVICE_PATH;
	return no_device(preload_call(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC));
}

static long call_device(int cmd, unsigned int size, void *attr)
{
	int fd = open_device();
	long ret;

	if (fd < 0)
		return fd;
	ret = map_ioctl(fd, cmd, size, attr);
	preload_call(SYS_close, fd);
	return ret == -ENOTTY ? -ENODEV : ret;
}

/* That no type is one is said by the module too: a plain user would get EPERM from bpf(2). */
static bool type_is_known(unsigned int type)
{
#define TYPE_CASE(number, NAME, name)	case number:
	switch (type) {
	case BPFMAPS_TYPE_UNSPEC:
	BPFMAPS_TYPES(TYPE_CASE)
		return true;
	default:
		return false;
	}
}

static long cmd_create(struct bpf_call *call)
{
	if (!type_is_known(call->copy.create.map_type))
		return PASS_ON;
	return call_device(call->cmd, call->size, call->attr);
}

static long cmd_elem(struct bpf_call *call)
{
	return call_map(call, call->copy.elem.map_fd);
}

static long cmd_batch(struct bpf_call *call)
{
	return call_map(call, call->copy.batch.map_fd);
}

static long cmd_info(struct bpf_call *call)
{
	return call_map(call, call->copy.info.bpf_fd);
}

static long cmd_id(struct bpf_call *call)
{
	return call_device(call->cmd, call->size, call->attr);
}

/* True if the module is to have another path than the program gave: then @to has it. */
bool preload_call_path(const struct bpf_call *call, char *to)
{
	const struct bpfmaps_obj_attr *attr = &call->copy.obj;
	char path[PATH_MAX];
	int dir;

	if (call->size < sizeof(attr->pathname) || call->size > MAX_OBJ_SIZE ||
	    preload_peek_path(path, (void *)(uintptr_t)attr->pathname))
		return false;
	dir = attr->file_flags & BPFMAPS_F_PATH_FD ? attr->path_fd : AT_FDCWD;
	return preload_map_at(to, dir, path);
}

/* A path that cannot be read, or an attribute that is too long: the module says what is wrong. */
static long call_with_path(struct bpf_call *call)
{
	char attr[MAX_OBJ_SIZE], path[PATH_MAX];
	__u64 pathname = (uintptr_t)path;

	if (!preload_call_path(call, path))
		return call_device(call->cmd, call->size, call->attr);
	if (preload_peek(attr, call->attr, call->size))
		return -EFAULT;
	memcpy(attr, &pathname, sizeof(pathname));
	return call_device(call->cmd, call->size, attr);
}

static long cmd_pin(struct bpf_call *call)
{
	if (!preload_is_map(call->copy.obj.bpf_fd))
		return PASS_ON;
	return call_with_path(call);
}

/* What is not a pin of the module's may be one of bpf(2)'s: a program, or a map of another type. */
static long cmd_get(struct bpf_call *call)
{
	long ours = call_with_path(call);
	long theirs;

	if (ours != -ENOENT && ours != -EACCES && ours != -ENODEV)
		return ours;
	theirs = preload_raw(__NR_bpf, call->args);
	if (theirs < 0)
		return ours;
	call->on_bpf = true;
	return theirs;
}

/*
 * What libbpf only asks by loading a program is answered for the module's maps. It closes the
 * descriptor at once: one of the device will do.
 */
static long cmd_prog_load(struct bpf_call *call)
{
	long ret = preload_raw(__NR_bpf, call->args);
	int fd;

	call->on_bpf = true;
	if (ret != -EPERM || !preload_is_probe(call))
		return ret;
	fd = open_device();
	if (fd < 0)
		return ret;
	call->on_bpf = false;
	return fd;
}

typedef long (*command_fn)(struct bpf_call *call);

static const command_fn commands[] = {
	[BPFMAPS_MAP_CREATE]			= cmd_create,
	[BPFMAPS_MAP_LOOKUP_ELEM]		= cmd_elem,
	[BPFMAPS_MAP_UPDATE_ELEM]		= cmd_elem,
	[BPFMAPS_MAP_DELETE_ELEM]		= cmd_elem,
	[BPFMAPS_MAP_GET_NEXT_KEY]		= cmd_elem,
	[BPF_PROG_LOAD]				= cmd_prog_load,
	[BPFMAPS_OBJ_PIN]			= cmd_pin,
	[BPFMAPS_OBJ_GET]			= cmd_get,
	[BPFMAPS_MAP_GET_NEXT_ID]		= cmd_id,
	[BPFMAPS_MAP_GET_FD_BY_ID]		= cmd_id,
	[BPFMAPS_OBJ_GET_INFO_BY_FD]		= cmd_info,
	[BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM]	= cmd_elem,
	[BPFMAPS_MAP_FREEZE]			= cmd_elem,
	[BPFMAPS_MAP_LOOKUP_BATCH]		= cmd_batch,
	[BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH]	= cmd_batch,
	[BPFMAPS_MAP_UPDATE_BATCH]		= cmd_batch,
	[BPFMAPS_MAP_DELETE_BATCH]		= cmd_batch,
};

static long dispatch(struct bpf_call *call)
{
	size_t size = call->size < sizeof(call->copy) ? call->size : sizeof(call->copy);
	command_fn fn;

	memset(&call->copy, 0, sizeof(call->copy));
	if (call->cmd < 0 || (size_t)call->cmd >= ARRAY_SIZE(commands))
		return PASS_ON;
	fn = commands[call->cmd];
	if (!fn)
		return PASS_ON;
	if (call->size > MAX_SIZE)
		return fn == cmd_prog_load ? PASS_ON : -E2BIG;
	if (preload_peek(&call->copy, call->attr, size))
		return fn == cmd_prog_load ? PASS_ON : -EFAULT;
	return fn(call);
}

long preload_bpf(struct bpf_call *call)
{
	long ret = dispatch(call);

	if (ret != PASS_ON)
		return ret;
	call->on_bpf = true;
	return preload_raw(__NR_bpf, call->args);
}

/**
 * bpfmaps_lookup_ref() - look up a value as a BPF program does
 * @fd: descriptor of a map of bpfmaps
 * @key: key_size bytes
 * @value: gets the value, as bpf_map_lookup_elem() has it
 *
 * In the LRU types the look-up counts as a use, which one by a system call else does not. In other
 * types there is nothing to count. Programs that do not link with the library find it by dlsym(3).
 *
 * Return: 0, or -1 with errno as of BPFMAPS_MAP_LOOKUP_ELEM; ENOTTY if @fd is no map of bpfmaps.
 */
PUBLIC int bpfmaps_lookup_ref(int fd, const void *key, void *value);

int bpfmaps_lookup_ref(int fd, const void *key, void *value)
{
	struct bpfmaps_elem_attr attr = {
		.map_fd = BPFMAPS_SELF,
		.key = (uintptr_t)key,
		.value = (uintptr_t)value,
		.flags = BPFMAPS_F_TOUCH,
	};
	long ret = map_ioctl(fd, BPFMAPS_MAP_LOOKUP_ELEM, sizeof(attr), &attr);

	if (ret == -EINVAL) {
		attr.flags = 0;
		ret = map_ioctl(fd, BPFMAPS_MAP_LOOKUP_ELEM, sizeof(attr), &attr);
	}
	if (ret < 0)
		errno = -ret;
	return ret < 0 ? -1 : 0;
}
