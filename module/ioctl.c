// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dispatcher: sizes and zeros as bpf(2) asks for them, then one handler per command
 */
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <uapi/linux/bpf.h>

#include "map.h"
#include "ucopy.h"

/**
 * struct call - one ioctl
 * @attr: the argument: as many bytes as the command has, those that the caller did not pass zero
 * @uattr: where user space has it, for commands that write to it
 * @self: the file, where the ioctl is on a map's own descriptor, else NULL
 */
struct call {
	union bpfmaps_attr attr;
	union bpfmaps_attr __user *uattr;
	struct file *self;
};

typedef int (*map_fn)(struct bpfmaps_map *map, fmode_t mode, const struct bpfmaps_elem_attr *attr);

static bool call_is_self(const struct call *call, u32 fd)
{
	return call->self && fd == BPFMAPS_SELF;
}

static __always_inline int call_file(struct file *file, const struct call *call, map_fn fn)
{
	struct bpfmaps_map *map = bpfmaps_map_of_file(file);

	if (IS_ERR(map))
		return PTR_ERR(map);
	return fn(map, bpfmaps_map_mode(map, file), &call->attr.elem);
}

static __always_inline int call_map(const struct call *call, map_fn fn)
{
	struct fd f;
	int err;

	if (call_is_self(call, call->attr.elem.map_fd))
		return call_file(call->self, call, fn);
	f = fdget(call->attr.elem.map_fd);
	if (!fd_file(f))
		return -EBADF;
	err = call_file(fd_file(f), call, fn);
	fdput(f);
	return err;
}

/* bpf(2) asks this before it looks at the descriptor. */
static bool lookup_flags_valid(u64 flags)
{
	const u32 known = BPFMAPS_F_LOCK | BPFMAPS_F_CPU | BPFMAPS_F_TOUCH;

	return !((u32)flags & ~known) && (!(flags >> 32) || flags & BPFMAPS_F_CPU);
}

static int cmd_lookup_elem(struct call *call)
{
	if (!lookup_flags_valid(call->attr.elem.flags))
		return -EINVAL;
	return call_map(call, bpfmaps_elem_lookup);
}

static int cmd_update_elem(struct call *call)
{
	return call_map(call, bpfmaps_elem_update);
}

static int cmd_delete_elem(struct call *call)
{
	return call_map(call, bpfmaps_elem_delete);
}

static int cmd_lookup_and_delete_elem(struct call *call)
{
	if (call->attr.elem.flags & ~(u64)BPFMAPS_F_LOCK)
		return -EINVAL;
	return call_map(call, bpfmaps_elem_lookup_and_delete);
}

static int cmd_get_next_key(struct call *call)
{
	return call_map(call, bpfmaps_elem_next_key);
}

static int map_freeze(struct bpfmaps_map *map, fmode_t mode, const struct bpfmaps_elem_attr *attr)
{
	return bpfmaps_map_freeze(map, mode);
}

static int cmd_freeze(struct call *call)
{
	return call_map(call, map_freeze);
}

/* All structs that call_map() is used for begin with the map's descriptor. */
static const struct bpfmaps_ringbuf_attr *ringbuf_attr(const struct bpfmaps_elem_attr *attr)
{
	static_assert(offsetof(union bpfmaps_attr, elem.map_fd) ==
		      offsetof(union bpfmaps_attr, ringbuf.map_fd));

	return &container_of(attr, const union bpfmaps_attr, elem)->ringbuf;
}

static int ringbuf_output(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_elem_attr *attr)
{
	return bpfmaps_ringbuf_write(map, mode, ringbuf_attr(attr));
}

static int cmd_ringbuf_output(struct call *call)
{
	return call_map(call, ringbuf_output);
}

static int ringbuf_drain(struct bpfmaps_map *map, fmode_t mode,
			 const struct bpfmaps_elem_attr *attr)
{
	return bpfmaps_user_ringbuf_read(map, mode, ringbuf_attr(attr));
}

static int cmd_ringbuf_drain(struct call *call)
{
	return call_map(call, ringbuf_drain);
}

static int cmd_create(struct call *call)
{
	return bpfmaps_map_create(&call->attr.create);
}

/* The directory where a relative path starts goes to @dfd. */
static int obj_dfd(const struct bpfmaps_obj_attr *attr, int *dfd)
{
	*dfd = attr->file_flags & BPFMAPS_F_PATH_FD ? attr->path_fd : AT_FDCWD;
	return attr->path_fd && !(attr->file_flags & BPFMAPS_F_PATH_FD) ? -EINVAL : 0;
}

static int cmd_obj_pin(struct call *call)
{
	const struct bpfmaps_obj_attr *attr = &call->attr.obj;
	struct bpfmaps_map *map;
	struct fd f;
	int dfd, err;

	if (obj_dfd(attr, &dfd) || attr->file_flags & ~BPFMAPS_F_PATH_FD)
		return -EINVAL;
	f = fdget(attr->bpf_fd);
	if (!fd_file(f))
		return -EINVAL;	/* bpf(2) does not say EBADF here */
	map = bpfmaps_map_of_file(fd_file(f));
	err = PTR_ERR_OR_ZERO(map);
	if (!err)
		err = bpfmaps_pinfs_pin(fd_file(f), map, dfd, u64_to_user_ptr(attr->pathname));
	fdput(f);
	return err;
}

/* Takes over the caller's reference. */
static int map_to_fd(struct bpfmaps_map *map, u32 flags)
{
	int fd = bpfmaps_map_new_fd(map, flags);

	if (fd < 0)
		bpfmaps_map_put(map);
	return fd;
}

static int cmd_obj_get(struct call *call)
{
	const struct bpfmaps_obj_attr *attr = &call->attr.obj;
	struct bpfmaps_map *map;
	int open_flags, dfd;

	if (attr->bpf_fd || obj_dfd(attr, &dfd))
		return -EINVAL;
	open_flags = bpfmaps_map_open_flags(attr->file_flags & ~BPFMAPS_F_PATH_FD);
	if (open_flags < 0)
		return open_flags;
	map = bpfmaps_pinfs_get(dfd, u64_to_user_ptr(attr->pathname), OPEN_FMODE(open_flags));
	if (IS_ERR(map))
		return PTR_ERR(map);
	return map_to_fd(map, attr->file_flags & ~BPFMAPS_F_PATH_FD);
}

static int cmd_get_next_id(struct call *call)
{
	u32 next;
	int err;

	if (call->attr.id.start_id >= INT_MAX)
		return -EINVAL;
	err = bpfmaps_id_next(call->attr.id.start_id, &next);
	if (err)
		return err;
	return put_user(next, &call->uattr->id.next_id);
}

static int cmd_get_fd_by_id(struct call *call)
{
	const struct bpfmaps_id_attr *attr = &call->attr.id;
	struct bpfmaps_map *map;
	int err;

	err = bpfmaps_map_open_flags(attr->open_flags);
	if (err < 0)
		return err;
	map = bpfmaps_id_get(attr->map_id);
	if (IS_ERR(map))
		return PTR_ERR(map);
	return map_to_fd(map, attr->open_flags);
}

/* Nothing but zeros behind @known of @size bytes; an errno otherwise. */
static int check_zero_tail(const void __user *ptr, u32 known, u32 size)
{
	int res;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size <= known)
		return 0;
	res = check_zeroed_user(ptr + known, size - known);
	if (res < 0)
		return res;
	return res ? 0 : -E2BIG;
}

static int map_batch(struct file *file, struct call *call, enum bpfmaps_batch_op op)
{
	struct bpfmaps_map *map = bpfmaps_map_of_file(file);

	if (IS_ERR(map))
		return PTR_ERR(map);
	return bpfmaps_batch(map, bpfmaps_map_mode(map, file), &call->attr.batch, op,
			     &call->uattr->batch.count);
}

static int call_batch(struct call *call, enum bpfmaps_batch_op op)
{
	struct fd f;
	int err;

	if (call_is_self(call, call->attr.batch.map_fd))
		return map_batch(call->self, call, op);
	f = fdget(call->attr.batch.map_fd);
	if (!fd_file(f))
		return -EBADF;
	err = map_batch(fd_file(f), call, op);
	fdput(f);
	return err;
}

static int cmd_lookup_batch(struct call *call)
{
	return call_batch(call, BPFMAPS_BATCH_LOOKUP);
}

static int cmd_lookup_and_delete_batch(struct call *call)
{
	return call_batch(call, BPFMAPS_BATCH_LOOKUP_AND_DELETE);
}

static int cmd_update_batch(struct call *call)
{
	return call_batch(call, BPFMAPS_BATCH_UPDATE);
}

static int cmd_delete_batch(struct call *call)
{
	return call_batch(call, BPFMAPS_BATCH_DELETE);
}

static int map_info(struct file *file, struct call *call)
{
	struct bpfmaps_map_info __user *uinfo = u64_to_user_ptr(call->attr.info.info);
	struct bpfmaps_map *map = bpfmaps_map_of_file(file);
	struct bpfmaps_map_info info;
	u32 len = call->attr.info.info_len;
	int err;

	if (IS_ERR(map))
		return PTR_ERR(map);
	err = check_zero_tail(uinfo, sizeof(info), len);
	if (err)
		return err;
	len = min_t(u32, len, sizeof(info));
	bpfmaps_map_fill_info(map, &info);
	if (copy_to_user(uinfo, &info, len) || put_user(len, &call->uattr->info.info_len))
		return -EFAULT;
	return 0;
}

static int cmd_get_info(struct call *call)
{
	struct fd f;
	int err;

	if (call_is_self(call, call->attr.info.bpf_fd))
		return map_info(call->self, call);
	f = fdget(call->attr.info.bpf_fd);
	if (!fd_file(f))
		return -EBADFD;
	err = map_info(fd_file(f), call);
	fdput(f);
	return err;
}

/**
 * struct command - a line of the command table
 * @fn: the handler
 * @size: where the command's last field ends; what follows has to be zero
 * @on_map: also accepted on a map's own descriptor
 */
struct command {
	int (*fn)(struct call *call);
	u16 size;
	bool on_map;
};

#define CREATE_END(field)	offsetofend(struct bpfmaps_create_attr, field)
#define ELEM_END(field)		offsetofend(struct bpfmaps_elem_attr, field)
#define OBJ_END(field)		offsetofend(struct bpfmaps_obj_attr, field)
#define ID_END(field)		offsetofend(struct bpfmaps_id_attr, field)
#define INFO_END(field)		offsetofend(struct bpfmaps_info_attr, field)
#define BATCH_END(field)	offsetofend(struct bpfmaps_batch_attr, field)
#define RINGBUF_END(field)	offsetofend(struct bpfmaps_ringbuf_attr, field)

static const struct command commands[] = {
	[BPFMAPS_MAP_CREATE]		= { cmd_create,       CREATE_END(map_extra), false },
	[BPFMAPS_MAP_LOOKUP_ELEM]	= { cmd_lookup_elem,  ELEM_END(flags),       true },
	[BPFMAPS_MAP_UPDATE_ELEM]	= { cmd_update_elem,  ELEM_END(flags),       true },
	[BPFMAPS_MAP_DELETE_ELEM]	= { cmd_delete_elem,  ELEM_END(key),         true },
	[BPFMAPS_MAP_GET_NEXT_KEY]	= { cmd_get_next_key, ELEM_END(next_key),    true },
	[BPFMAPS_OBJ_PIN]		= { cmd_obj_pin,      OBJ_END(path_fd),      false },
	[BPFMAPS_OBJ_GET]		= { cmd_obj_get,      OBJ_END(path_fd),      false },
	[BPFMAPS_MAP_GET_NEXT_ID]	= { cmd_get_next_id,  ID_END(next_id),       false },
	[BPFMAPS_MAP_GET_FD_BY_ID]	= { cmd_get_fd_by_id, ID_END(open_flags),    false },
	[BPFMAPS_OBJ_GET_INFO_BY_FD]	= { cmd_get_info,     INFO_END(info),        true },
	[BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM] = {
					    cmd_lookup_and_delete_elem, ELEM_END(flags), true },
	[BPFMAPS_MAP_FREEZE]		= { cmd_freeze,       ELEM_END(map_fd),      true },
	[BPFMAPS_MAP_LOOKUP_BATCH]	= { cmd_lookup_batch, BATCH_END(flags),      true },
	[BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH] = {
					    cmd_lookup_and_delete_batch, BATCH_END(flags), true },
	[BPFMAPS_MAP_UPDATE_BATCH]	= { cmd_update_batch, BATCH_END(flags),      true },
	[BPFMAPS_MAP_DELETE_BATCH]	= { cmd_delete_batch, BATCH_END(flags),      true },
	[BPFMAPS_RINGBUF_OUTPUT]	= { cmd_ringbuf_output, RINGBUF_END(flags),  true },
	[BPFMAPS_RINGBUF_DRAIN]		= { cmd_ringbuf_drain, RINGBUF_END(flags),   true },
};

/* NULL for a number that is no command. */
static const struct command *find_command(u32 nr)
{
	const struct command *command;

	if (nr >= ARRAY_SIZE(commands))
		return NULL;
	command = &commands[array_index_nospec(nr, ARRAY_SIZE(commands))];
	return command->fn ? command : NULL;
}

/*
 * Copy in the @known bytes of the command's struct from one of another size. bpf(2) has one union
 * for all commands and tells a byte in another command's part of it (EINVAL) from one behind its
 * end (E2BIG).
 */
static noinline int copy_other_attr(struct call *call, u32 known, u32 size)
{
	const u32 all = sizeof(union bpf_attr);
	int err;

	err = check_zero_tail(call->uattr, all, size);
	if (err)
		return err;
	if (size < known)
		memset((void *)&call->attr + size, 0, known - size);
	if (copy_from_user(&call->attr, call->uattr, min(size, known)))
		return -EFAULT;
	err = check_zero_tail(call->uattr, known, min(size, all));
	return err == -E2BIG ? -EINVAL : err;
}

static __always_inline int copy_attr(struct call *call, u32 known, u32 size)
{
	if (likely(size == known && size))
		return bpfmaps_copy_in(&call->attr, call->uattr, size);
	return copy_other_attr(call, known, size);
}

static long dispatch(struct file *self, unsigned int cmd, unsigned long arg)
{
	const struct command *command;
	struct call call __uninitialized;
	int err;

	if (cmd != BPFMAPS_IOC(_IOC_NR(cmd), _IOC_SIZE(cmd)))
		return -ENOTTY;
	call.uattr = (void __user *)arg;
	call.self = self;
	command = find_command(_IOC_NR(cmd));
	err = copy_attr(&call, command ? command->size : 0, _IOC_SIZE(cmd));
	if (err)
		return err;
	if (!command || (self && !command->on_map))
		return -EINVAL;
	return command->fn(&call);
}

/* ioctl() on /dev/bpfmaps */
long bpfmaps_ioctl_device(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dispatch(NULL, cmd, arg);
}

/* ioctl() on a map's own descriptor */
long bpfmaps_ioctl_map(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dispatch(file, cmd, arg);
}
