// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the commands of /dev/bpfmaps
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fuzz.h"

/* What a map may take, and all maps of a program, unless it is far more than there is. */
#define MAP_BYTES	(128UL << 10)
#define ALL_BYTES	(1UL << 20)
#define HUGE_BYTES	(1UL << 30)
#define ELEMENT_BYTES	64

static atomic_ulong taken;

void attr_reset(void)
{
	atomic_store(&taken, 0);
}

/* @full is the command's struct with the fields that it does not read, if there are some. */
static long attr_ioctl(struct thread *t, const struct op *op, uint64_t fd, uint64_t size,
		       const void *attr, unsigned int full)
{
	unsigned int bytes = size & SIZE_GIVEN ? size & SIZE_MASK : op->size;
	unsigned char *at = mem_attr(t, size, bytes);
	long ret;

	memset(at, 0, bytes);
	memcpy(at, attr, bytes < full ? bytes : full);
	if (size & SIZE_TAIL && bytes > op->size)
		at[op->size + size % (bytes - op->size)] = 1;
	exec_fail_arm(t);
	ret = ioctl(exec_fd(fd), BPFMAPS_IOC(op->cmd, bytes), mem_attr_given(at, size));
	exec_fail_disarm(t);
	return ret;
}

static void new_descriptor(uint64_t slot, long fd)
{
	if (fd >= 0)
		exec_set_slot(slot, fd);
}

/* So many bytes are about what an element takes; of ring buffers it is one. */
static uint64_t element_bytes(const struct bpfmaps_create_attr *a)
{
	if (a->map_type == BPFMAPS_TYPE_RINGBUF || a->map_type == BPFMAPS_TYPE_USER_RINGBUF)
		return 1;
	return (uint64_t)a->key_size + 4UL * a->value_size + ELEMENT_BYTES;
}

/*
 * The guest has to survive, and the memory that is full is to be that of the map which asks for too
 * much: so what is neither small nor far too large is made smaller.
 */
static void bound_memory(struct bpfmaps_create_attr *a)
{
	uint64_t each = element_bytes(a);
	bool full = atomic_load(&taken) > ALL_BYTES;

	if (a->max_entries * each >= HUGE_BYTES)
		return;
	while (a->max_entries > 1 && a->max_entries * each > (full ? PAGE : MAP_BYTES))
		a->max_entries /= 2;
	atomic_fetch_add(&taken, a->max_entries * each);
}

static void set_name(char *name, uint64_t which)
{
	static const char *const names[] = {
		"", "a", "fifteen_letters", "sixteen__letters", "no space",
		"a.b_C9", "\xe4\xf6", "\x7f",
	};

	memcpy(name, names[which % 8], strnlen(names[which % 8], BPFMAPS_NAME_LEN));
}

long call_create(struct thread *t, const struct op *op, const uint64_t *arg)
{
	struct bpfmaps_create_attr a = {
		.map_type = arg[2],
		.key_size = arg[3],
		.value_size = arg[4],
		.max_entries = arg[5],
		.map_flags = arg[6],
		.numa_node = arg[8],
		.map_extra = arg[9],
	};
	long ret;

	if (a.map_type == BPFMAPS_TYPE_ARRAY_OF_MAPS || a.map_type == BPFMAPS_TYPE_HASH_OF_MAPS)
		a.inner_map_fd = exec_fd(arg[7]);
	set_name(a.map_name, arg[10]);
	/* A number in the upper half is for the fields that ask for nothing but zero. */
	if (arg[10] >> 32) {
		a.map_ifindex = arg[10] >> 32 & 1;
		a.btf_key_type_id = arg[10] >> 33 & 1;
	}
	bound_memory(&a);
	ret = attr_ioctl(t, op, arg[1], arg[11], &a, sizeof(a));
	new_descriptor(arg[0], ret);
	return ret;
}

long call_elem(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_elem_attr a = {
		.map_fd = exec_fd(arg[1]),
		.key = mem_pointer(arg[2]),
		.value = mem_pointer(arg[3]),
		.flags = arg[4],
	};

	return attr_ioctl(t, op, arg[0], arg[5], &a, sizeof(a));
}

long call_batch(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_batch_attr a = {
		.map_fd = exec_fd(arg[1]),
		.in_batch = mem_pointer(arg[2]),
		.out_batch = mem_pointer(arg[3]),
		.keys = mem_pointer(arg[4]),
		.values = mem_pointer(arg[5]),
		.count = arg[6],
		.elem_flags = arg[7],
		.flags = arg[8],
	};

	return attr_ioctl(t, op, arg[0], arg[9], &a, sizeof(a));
}

/* A number below 16 is one of our paths, another one a pointer. */
static uint64_t path_pointer(uint64_t arg)
{
	const char *path = file_path(arg);

	return path ? (uintptr_t)path : mem_pointer(arg);
}

long call_pin(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_obj_attr a = {
		.pathname = path_pointer(arg[2]),
		.bpf_fd = exec_fd(arg[1]),
		.file_flags = arg[3],
		.path_fd = arg[4] ? exec_fd(arg[4]) : 0,
	};

	return attr_ioctl(t, op, arg[0], arg[5], &a, sizeof(a));
}

long call_get(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_obj_attr a = {
		.pathname = path_pointer(arg[2]),
		.bpf_fd = arg[5],
		.file_flags = arg[3],
		.path_fd = arg[4] ? exec_fd(arg[4]) : 0,
	};
	long ret = attr_ioctl(t, op, arg[1], arg[6], &a, sizeof(a));

	new_descriptor(arg[0], ret);
	return ret;
}

/* A number below NR_SLOTS stands for the id of the map in this slot. */
static uint32_t map_id(uint64_t arg)
{
	struct bpfmaps_map_info info = { };
	struct bpfmaps_info_attr a = {
		.bpf_fd = BPFMAPS_SELF,
		.info_len = sizeof(info),
		.info = (uintptr_t)&info,
	};

	if (arg >= NR_SLOTS)
		return arg;
	ioctl(exec_fd(arg), BPFMAPS_IOC(BPFMAPS_OBJ_GET_INFO_BY_FD, sizeof(a)), &a);
	return info.id;
}

long call_next_id(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_id_attr a = { .start_id = map_id(arg[1]), .open_flags = arg[2] };

	return attr_ioctl(t, op, arg[0], arg[3], &a, sizeof(a));
}

long call_fd_by_id(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_id_attr a = { .map_id = map_id(arg[2]), .open_flags = arg[3] };
	long ret = attr_ioctl(t, op, arg[1], arg[4], &a, sizeof(a));

	new_descriptor(arg[0], ret);
	return ret;
}

long call_info(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_info_attr a = {
		.bpf_fd = exec_fd(arg[1]),
		.info_len = arg[2],
		.info = mem_pointer(arg[3]),
	};

	return attr_ioctl(t, op, arg[0], arg[4], &a, sizeof(a));
}

long call_ring(struct thread *t, const struct op *op, const uint64_t *arg)
{
	const struct bpfmaps_ringbuf_attr a = {
		.map_fd = exec_fd(arg[1]),
		.size = arg[2],
		.data = mem_pointer(arg[3]),
		.flags = arg[4],
	};

	return attr_ioctl(t, op, arg[0], arg[5], &a, sizeof(a));
}

/* Any request. Those of file descriptors in general change how the fuzzer's own behave. */
long call_ioctl(struct thread *t, const struct op *op, const uint64_t *arg)
{
	unsigned int request = arg[1];
	long ret;

	(void)op;
	if (_IOC_TYPE(request) != BPFMAPS_IOC_MAGIC)
		request = BPFMAPS_IOC(_IOC_NR(request), _IOC_SIZE(request)) ^ (request & 0x100);
	exec_fail_arm(t);
	ret = ioctl(exec_fd(arg[0]), request, mem_pointer(arg[2]));
	exec_fail_disarm(t);
	return ret;
}
