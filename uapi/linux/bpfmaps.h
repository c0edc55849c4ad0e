/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * bpfmaps - BPF maps from a character device
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef _UAPI_LINUX_BPFMAPS_H
#define _UAPI_LINUX_BPFMAPS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The ABI of /dev/bpfmaps
 *
 * Every command is one ioctl::
 *
 *	ret = ioctl(fd, BPFMAPS_IOC(cmd, size), attr);
 *
 * @fd is an open /dev/bpfmaps. @cmd is the number that bpf(2) gives the command, @attr points to
 * the struct of the command, and @size is its size in bytes: the three arguments of bpf(2). Each
 * struct here has the layout of its part of ``union bpf_attr``, byte for byte, so a
 * ``union bpf_attr`` may be passed as it is. Integers are in the byte order of the machine and
 * pointers are carried in a __u64, so that 32-bit programs use the same structs on a 64-bit kernel.
 *
 * Sizes: a struct shorter than the command's is taken as continued with zeros; of a longer one the
 * rest has to be zero. A @size over 4096 bytes is refused.
 *
 * Descriptors: a map is a file descriptor, close-on-exec, and lives until the last descriptor,
 * mapping, pin and user in the kernel is gone. The element commands, BPFMAPS_MAP_FREEZE and
 * BPFMAPS_OBJ_GET_INFO_BY_FD are accepted on a map's own descriptor as well, where a map_fd of
 * BPFMAPS_SELF means "this map".
 *
 * Results: 0 or, for the commands that make a descriptor, the descriptor; BPFMAPS_RINGBUF_DRAIN
 * returns a number of bytes. On an error the ioctl returns -1 with errno set, and nothing has
 * changed:
 *
 * ========  =======================================================================================
 * E2BIG     @size is over 4096, or a byte behind the end of ``union bpf_attr`` is not zero; the
 *           map is full; an array has no such index (update); sizes over the type's limits
 * EACCES    the path is not a pin, or its permissions forbid the access
 * EBADF     the descriptor is not open
 * EBADFD    the same, of BPFMAPS_OBJ_GET_INFO_BY_FD; of BPFMAPS_OBJ_PIN it is EINVAL
 * EBUSY     freeze: the map has a writable mapping, or is frozen already
 * EEXIST    the key exists (BPFMAPS_NOEXIST); the path exists
 * EFAULT    a pointer is not readable or not writable
 * EINTR     a fatal signal came during a long allocation
 * EINVAL    an unknown command, type or flag; a field that the command does not have is not zero;
 *           a value out of range; the descriptor is something else than a map
 * ENOENT    no such key; no further key; no such id; no such path
 * ENOMEM    no memory, or the memory cgroup is at its limit
 * ENOSPC    a prefix trie is full; a bucket has more elements than a batch asks for
 * ENOTTY    not an ioctl of this interface
 * EPERM     the descriptor is read-only or write-only, the map is frozen, the map belongs to
 *           another user, or the path is not on a bpfmaps filesystem
 * 524       (ENOTSUPP) the type does not know this operation
 * ========  =======================================================================================
 *
 * The semantics are those of bpf(2); where they differ on purpose the README has a table.
 */

#define BPFMAPS_IOC_MAGIC	0xBF

/**
 * BPFMAPS_IOC() - the ioctl request of a command
 * @cmd: one of enum bpfmaps_cmd
 * @size: size in bytes of the struct that the ioctl's argument points to, below 16384: the request
 *	has no room for more
 */
#define BPFMAPS_IOC(cmd, size)	_IOC(_IOC_READ | _IOC_WRITE, BPFMAPS_IOC_MAGIC, (cmd), (size))

/* f_type of the filesystem that holds the pins, as statfs(2) tells it. */
#define BPFMAPS_FS_MAGIC	0x62706d70

/* Room for a map's name with its terminating NUL. */
#define BPFMAPS_NAME_LEN	16

/* As map_fd on a map's own descriptor: this map. */
#define BPFMAPS_SELF		((__u32)-1)

/**
 * enum bpfmaps_cmd - the commands, numbered as bpf(2) does
 * @BPFMAPS_MAP_CREATE: make a map, return its descriptor; &struct bpfmaps_create_attr
 * @BPFMAPS_MAP_LOOKUP_ELEM: copy out the value of a key; &struct bpfmaps_elem_attr
 * @BPFMAPS_MAP_UPDATE_ELEM: set the value of a key; &struct bpfmaps_elem_attr
 * @BPFMAPS_MAP_DELETE_ELEM: remove a key; &struct bpfmaps_elem_attr
 * @BPFMAPS_MAP_GET_NEXT_KEY: copy out the key that follows a key; &struct bpfmaps_elem_attr
 * @BPFMAPS_OBJ_PIN: give a map a path; &struct bpfmaps_obj_attr
 * @BPFMAPS_OBJ_GET: return a descriptor of the map at a path; &struct bpfmaps_obj_attr
 * @BPFMAPS_MAP_GET_NEXT_ID: find the next map id; &struct bpfmaps_id_attr
 * @BPFMAPS_MAP_GET_FD_BY_ID: return a descriptor of the map with an id; &struct bpfmaps_id_attr
 * @BPFMAPS_OBJ_GET_INFO_BY_FD: copy out what a map is; &struct bpfmaps_info_attr
 * @BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM: copy out the value of a key and remove it, or the next value
 *	of a queue or stack; &struct bpfmaps_elem_attr
 * @BPFMAPS_MAP_FREEZE: make a map read-only for user space; &struct bpfmaps_elem_attr
 * @BPFMAPS_MAP_LOOKUP_BATCH: copy out many elements; &struct bpfmaps_batch_attr
 * @BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH: the same, and remove them; &struct bpfmaps_batch_attr
 * @BPFMAPS_MAP_UPDATE_BATCH: set the values of many keys; &struct bpfmaps_batch_attr
 * @BPFMAPS_MAP_DELETE_BATCH: remove many keys; &struct bpfmaps_batch_attr
 * @BPFMAPS_RINGBUF_OUTPUT: append a record to a RINGBUF; &struct bpfmaps_ringbuf_attr
 * @BPFMAPS_RINGBUF_DRAIN: take records out of a USER_RINGBUF, return their bytes;
 *	&struct bpfmaps_ringbuf_attr
 *
 * Commands that bpf(2) does not have are numbered from 64.
 */
enum bpfmaps_cmd {
	BPFMAPS_MAP_CREATE		= 0,
	BPFMAPS_MAP_LOOKUP_ELEM		= 1,
	BPFMAPS_MAP_UPDATE_ELEM		= 2,
	BPFMAPS_MAP_DELETE_ELEM		= 3,
	BPFMAPS_MAP_GET_NEXT_KEY	= 4,
	BPFMAPS_OBJ_PIN			= 6,
	BPFMAPS_OBJ_GET			= 7,
	BPFMAPS_MAP_GET_NEXT_ID		= 12,
	BPFMAPS_MAP_GET_FD_BY_ID	= 14,
	BPFMAPS_OBJ_GET_INFO_BY_FD	= 15,
	BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM = 21,
	BPFMAPS_MAP_FREEZE		= 22,
	BPFMAPS_MAP_LOOKUP_BATCH	= 24,
	BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH = 25,
	BPFMAPS_MAP_UPDATE_BATCH	= 26,
	BPFMAPS_MAP_DELETE_BATCH	= 27,
	BPFMAPS_RINGBUF_OUTPUT		= 64,
	BPFMAPS_RINGBUF_DRAIN		= 65,
};

/**
 * BPFMAPS_TYPES() - the registry of map types
 * @X: called as X(number, NAME, name) for each type: the number of bpf(2), or one from 0x8000 for
 *     a type that bpf(2) does not have
 *
 * The one list of types: the enum below, the module's table of operations, and the names in
 * bpfmapctl and the tests come from it.
 */
#define BPFMAPS_TYPES(X)	\
	X(1, HASH, hash)	\
	X(2, ARRAY, array)	\
	X(5, PERCPU_HASH, percpu_hash)	\
	X(6, PERCPU_ARRAY, percpu_array)	\
	X(9, LRU_HASH, lru_hash)	\
	X(10, LRU_PERCPU_HASH, lru_percpu_hash)	\
	X(11, LPM_TRIE, lpm_trie)	\
	X(12, ARRAY_OF_MAPS, array_of_maps)	\
	X(13, HASH_OF_MAPS, hash_of_maps)	\
	X(22, QUEUE, queue)	\
	X(23, STACK, stack)	\
	X(27, RINGBUF, ringbuf)	\
	X(30, BLOOM_FILTER, bloom_filter)	\
	X(31, USER_RINGBUF, user_ringbuf)

#define BPFMAPS_TYPE_ENUM(number, NAME, name)	BPFMAPS_TYPE_##NAME = number,

/* The map types: BPFMAPS_TYPE_HASH and so on, from BPFMAPS_TYPES(). */
enum bpfmaps_type {
	BPFMAPS_TYPE_UNSPEC = 0,
	BPFMAPS_TYPES(BPFMAPS_TYPE_ENUM)
};

/**
 * enum bpfmaps_create_flags - map_flags of BPFMAPS_MAP_CREATE, and file_flags
 * @BPFMAPS_F_NO_PREALLOC: allocate elements when they are inserted
 * @BPFMAPS_F_NO_COMMON_LRU: LRU types: each CPU has places of its own, max_entries is rounded up
 *	to a multiple of the CPUs
 * @BPFMAPS_F_NUMA_NODE: numa_node holds the node to allocate from
 * @BPFMAPS_F_RDONLY: the descriptor is read-only; also of the commands that open a map
 * @BPFMAPS_F_WRONLY: the descriptor is write-only; also of the commands that open a map
 * @BPFMAPS_F_ZERO_SEED: hash without a random seed; asks for CAP_SYS_ADMIN
 * @BPFMAPS_F_RDONLY_PROG: users in the kernel may only read
 * @BPFMAPS_F_WRONLY_PROG: users in the kernel may only write
 * @BPFMAPS_F_MMAPABLE: the values can be mmapped, each rounded up to 8 bytes; those of a per-CPU
 *	array (not in bpf(2)) CPU after CPU, max_entries values each, rounded up to whole pages
 * @BPFMAPS_F_INNER_MAP: as an inner map, may have another max_entries than its template
 * @BPFMAPS_F_PATH_FD: BPFMAPS_OBJ_PIN and BPFMAPS_OBJ_GET: a path starts at path_fd
 * @BPFMAPS_F_TOUCH_LOOKUP: LRU types: every look-up counts as a use; not in bpf(2)
 */
enum bpfmaps_create_flags {
	BPFMAPS_F_NO_PREALLOC	= 1U << 0,
	BPFMAPS_F_NO_COMMON_LRU	= 1U << 1,
	BPFMAPS_F_NUMA_NODE	= 1U << 2,
	BPFMAPS_F_RDONLY	= 1U << 3,
	BPFMAPS_F_WRONLY	= 1U << 4,
	BPFMAPS_F_ZERO_SEED	= 1U << 6,
	BPFMAPS_F_RDONLY_PROG	= 1U << 7,
	BPFMAPS_F_WRONLY_PROG	= 1U << 8,
	BPFMAPS_F_MMAPABLE	= 1U << 10,
	BPFMAPS_F_INNER_MAP	= 1U << 12,
	BPFMAPS_F_PATH_FD	= 1U << 14,
	BPFMAPS_F_TOUCH_LOOKUP	= 1U << 30,
};

/**
 * enum bpfmaps_elem_flags - flags of the commands on elements
 * @BPFMAPS_ANY: update: insert or replace
 * @BPFMAPS_NOEXIST: update: insert only
 * @BPFMAPS_EXIST: update: replace only
 * @BPFMAPS_F_LOCK: under the value's spin lock; no map has one, so EINVAL
 * @BPFMAPS_F_CPU: per-CPU types: the value of the CPU whose number the upper 32 bits are, and
 *	only this one; look-up and update. The values that a new element has for the other CPUs are
 *	zero. ERANGE: there is no such CPU
 * @BPFMAPS_F_ALL_CPUS: per-CPU types: one value for all CPUs; update
 * @BPFMAPS_F_TOUCH: LRU types: the look-up counts as a use; not in bpf(2)
 *
 * With BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS, which bpf(2) has since 7.0, a value is value_size
 * bytes.
 */
enum bpfmaps_elem_flags {
	BPFMAPS_ANY	= 0,
	BPFMAPS_NOEXIST	= 1,
	BPFMAPS_EXIST	= 2,
	BPFMAPS_F_LOCK	= 4,
	BPFMAPS_F_CPU	= 8,
	BPFMAPS_F_ALL_CPUS = 16,
	BPFMAPS_F_TOUCH	= 1U << 30,
};

/**
 * struct bpfmaps_create_attr - of BPFMAPS_MAP_CREATE
 * @map_type: one of enum bpfmaps_type
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @max_entries: how many elements fit; of ring buffers the bytes of data, a power of two and
 *	whole pages
 * @map_flags: BPFMAPS_F_*
 * @inner_map_fd: ARRAY_OF_MAPS, HASH_OF_MAPS: descriptor of a map that is like those to be held,
 *	and holds no maps itself; otherwise not used
 * @numa_node: with BPFMAPS_F_NUMA_NODE, the node to allocate from; (__u32)-1 for any
 * @map_name: up to 15 letters (of ISO 8859-1), digits, '_' and '.', then a NUL; may be empty
 * @map_ifindex: 0
 * @btf_fd: not used
 * @btf_key_type_id: 0
 * @btf_value_type_id: 0
 * @btf_vmlinux_value_type_id: 0
 * @map_extra: BLOOM_FILTER: how many hash functions, 0 to 15, where 0 stands for 5; otherwise 0
 *
 * Returns a descriptor. The memory is charged to the memory cgroup of the caller.
 */
struct bpfmaps_create_attr {
	__u32	map_type;
	__u32	key_size;
	__u32	value_size;
	__u32	max_entries;
	__u32	map_flags;
	__u32	inner_map_fd;
	__u32	numa_node;
	char	map_name[BPFMAPS_NAME_LEN];
	__u32	map_ifindex;
	__u32	btf_fd;
	__u32	btf_key_type_id;
	__u32	btf_value_type_id;
	__u32	btf_vmlinux_value_type_id;
	__aligned_u64 map_extra;
};

/**
 * struct bpfmaps_elem_attr - of the commands on one element
 * @map_fd: descriptor of the map
 * @unused: ignored
 * @key: pointer to key_size bytes; for BPFMAPS_MAP_GET_NEXT_KEY 0 asks for the first key; 0 for the
 *	types without keys
 * @value: pointer to value_size bytes: read by an update, written by a lookup. Of the per-CPU types
 *	it is value_size rounded up to 8 bytes, times the possible CPUs. A look-up in a
 *	BLOOM_FILTER reads the value and tells by its result whether it was added.
 *	ARRAY_OF_MAPS and HASH_OF_MAPS: an update reads a __u32 with the descriptor of a map, for
 *	reading and writing; a look-up writes a __u32 with the id of the map that is there
 * @next_key: BPFMAPS_MAP_GET_NEXT_KEY writes key_size bytes there
 * @flags: look-up: 0, or BPFMAPS_F_CPU and BPFMAPS_F_TOUCH; update: BPFMAPS_ANY, BPFMAPS_NOEXIST or
 *	BPFMAPS_EXIST, with BPFMAPS_F_CPU or BPFMAPS_F_ALL_CPUS; look-up and delete: 0
 *
 * BPFMAPS_MAP_DELETE_ELEM ends with @key, BPFMAPS_MAP_GET_NEXT_KEY with @next_key and
 * BPFMAPS_MAP_FREEZE with @map_fd: what follows has to be zero.
 */
struct bpfmaps_elem_attr {
	__u32	map_fd;
	__u32	unused;
	__aligned_u64 key;
	union {
		__aligned_u64 value;
		__aligned_u64 next_key;
	};
	__aligned_u64 flags;
};

/**
 * struct bpfmaps_batch_attr - of the commands on many elements
 * @in_batch: look-ups: pointer to what the call before wrote to @out_batch; 0 begins at the start
 * @out_batch: look-ups: pointer to where the next call goes on: 4 bytes for the hash types,
 *	key_size bytes for the others
 * @keys: pointer to @count times key_size bytes
 * @values: pointer to @count times what a single element command has as its value
 * @count: in: how many elements; out: how many were done, also on an error
 * @map_fd: descriptor of the map
 * @elem_flags: 0; BPFMAPS_F_CPU, BPFMAPS_F_ALL_CPUS and BPFMAPS_F_TOUCH as for single elements
 * @flags: 0
 *
 * Look-ups return ENOENT when the last element was copied out, with its number in @count. The hash
 * types copy out whole buckets; ENOSPC is one that has more than @count elements, and
 * @out_batch says where to find it again.
 *
 * Not in bpf(2): BPFMAPS_MAP_UPDATE_BATCH pushes @count values to a queue, stack or bloom filter,
 * with @elem_flags of a single push, and BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH pops up to @count of a
 * queue or stack; ENOENT says that there were fewer. @in_batch, @out_batch and @keys are 0 there,
 * or the result is that of bpf(2), 524.
 */
struct bpfmaps_batch_attr {
	__aligned_u64 in_batch;
	__aligned_u64 out_batch;
	__aligned_u64 keys;
	__aligned_u64 values;
	__u32	count;
	__u32	map_fd;
	__aligned_u64 elem_flags;
	__aligned_u64 flags;
};

/**
 * struct bpfmaps_obj_attr - of BPFMAPS_OBJ_PIN and BPFMAPS_OBJ_GET
 * @pathname: pointer to the path, NUL-terminated
 * @bpf_fd: descriptor of the map to pin; 0 for get
 * @file_flags: get: 0, BPFMAPS_F_RDONLY or BPFMAPS_F_WRONLY; pin: 0; both: BPFMAPS_F_PATH_FD
 * @path_fd: with BPFMAPS_F_PATH_FD a descriptor of the directory where a relative @pathname
 *	starts, or AT_FDCWD; otherwise 0
 * @unused: 0
 *
 * The path is on a filesystem of type bpfmaps, usually mounted on /sys/fs/bpfmaps; its last
 * component has no '.'. Get asks for the permissions of the file that the flags imply, and
 * returns a descriptor.
 */
struct bpfmaps_obj_attr {
	__aligned_u64 pathname;
	__u32	bpf_fd;
	__u32	file_flags;
	__s32	path_fd;
	__u32	unused;
};

/**
 * struct bpfmaps_id_attr - of BPFMAPS_MAP_GET_NEXT_ID and BPFMAPS_MAP_GET_FD_BY_ID
 * @start_id: next id: the id to start behind, 0 for the first
 * @map_id: descriptor by id: the id
 * @next_id: next id: written by the kernel; descriptor by id: ignored
 * @open_flags: descriptor by id: 0, BPFMAPS_F_RDONLY or BPFMAPS_F_WRONLY; next id: 0
 *
 * A caller sees the maps that a process of its uid created in its user namespace; one with
 * CAP_BPF or CAP_SYS_ADMIN sees all.
 */
struct bpfmaps_id_attr {
	union {
		__u32	start_id;
		__u32	map_id;
	};
	__u32	next_id;
	__u32	open_flags;
};

/**
 * struct bpfmaps_info_attr - of BPFMAPS_OBJ_GET_INFO_BY_FD
 * @bpf_fd: descriptor of the map
 * @info_len: in: bytes at @info; out: bytes that were written
 * @info: pointer to a &struct bpfmaps_map_info; of a longer one the rest has to be zero
 */
struct bpfmaps_info_attr {
	__u32	bpf_fd;
	__u32	info_len;
	__aligned_u64 info;
};

/**
 * DOC: Ring buffers
 *
 * A RINGBUF carries records from users in the kernel, and from BPFMAPS_RINGBUF_OUTPUT, to one
 * program that mmaps it. A USER_RINGBUF carries them the other way round: a program mmaps it and
 * writes, users in the kernel or BPFMAPS_RINGBUF_DRAIN take the records out. Key and value size are
 * 0, and none of the commands on elements is known. A mapping has, as with bpf(2):
 *
 * ==================  ============================  ==============================================
 * page                RINGBUF                       USER_RINGBUF
 * ==================  ============================  ==============================================
 * 0                   consumer position, writable   consumer position, read-only
 *                     in a mapping of this one page
 * 1                   producer position, read-only  producer position, writable
 * 2 and on            the data, and then the data   the same, writable
 *                     once more, read-only
 * ==================  ============================  ==============================================
 *
 * Positions are an unsigned long that counts bytes from the start and is never set back; position p
 * is byte p % max_entries of the data. A record is a &struct bpfmaps_ringbuf_hdr, its bytes, and
 * padding up to a multiple of 8. Thanks to the second copy it can be read in one piece where it
 * goes over the end. The consumer position is that of the oldest record that is still wanted; the
 * producer position is where the next one comes.
 *
 * poll(2): POLLIN if a RINGBUF has records, finished or not; POLLOUT if a USER_RINGBUF has room.
 */

/**
 * struct bpfmaps_ringbuf_hdr - what is in front of each record of a ring buffer
 * @len: bytes of the record, with BPFMAPS_RINGBUF_BUSY_BIT as long as it is being written, or
 *	BPFMAPS_RINGBUF_DISCARD_BIT if it is to be skipped
 * @pg_off: RINGBUF: page of the mapping that the header is in; USER_RINGBUF: ignored
 */
struct bpfmaps_ringbuf_hdr {
	__u32	len;
	__u32	pg_off;
};

/* In len of &struct bpfmaps_ringbuf_hdr: not finished; finished, to be skipped. */
#define BPFMAPS_RINGBUF_BUSY_BIT	0x80000000U
#define BPFMAPS_RINGBUF_DISCARD_BIT	0x40000000U
#define BPFMAPS_RINGBUF_HDR_SZ		8

/**
 * enum bpfmaps_ringbuf_flags - whether to wake up those who poll
 * @BPFMAPS_RB_NO_WAKEUP: do not
 * @BPFMAPS_RB_FORCE_WAKEUP: do; without a flag, they are woken up when a record has come that the
 *	consumer is waiting for, or room
 */
enum bpfmaps_ringbuf_flags {
	BPFMAPS_RB_NO_WAKEUP	= 1U << 0,
	BPFMAPS_RB_FORCE_WAKEUP	= 1U << 1,
};

/**
 * struct bpfmaps_ringbuf_attr - of BPFMAPS_RINGBUF_OUTPUT and BPFMAPS_RINGBUF_DRAIN
 * @map_fd: descriptor of the map
 * @size: output: bytes of the record; drain: bytes at @data
 * @data: pointer to @size bytes: read by output, written by drain
 * @flags: enum bpfmaps_ringbuf_flags
 *
 * Both are accepted on a map's own descriptor. Output returns 0; EAGAIN: there is no room now;
 * E2BIG: there never is, since with header and padding a record has to be smaller than the ring.
 * It asks for a descriptor that may write.
 *
 * Drain writes as many finished records as there are and fit, in their order, each with a header
 * whose pg_off is 0 and with padding of zeros, and returns how many bytes that were: 0 if no record
 * is there. Discarded ones are left out. A record goes from the ring only when it has arrived, and
 * an error is returned only where no record has: EAGAIN: many discarded records were skipped, call
 * again; EBUSY: a user in the kernel drains; EINVAL: a position or length in the ring is wrong;
 * ENOSPC: the next record is larger than @size. It asks for a descriptor that may read and write.
 */
struct bpfmaps_ringbuf_attr {
	__u32	map_fd;
	__u32	size;
	__aligned_u64 data;
	__aligned_u64 flags;
};

/**
 * union bpfmaps_attr - the argument of any command
 * @create: of BPFMAPS_MAP_CREATE
 * @elem: of the commands on one element, and BPFMAPS_MAP_FREEZE
 * @batch: of the commands on many elements
 * @obj: of BPFMAPS_OBJ_PIN and BPFMAPS_OBJ_GET
 * @id: of BPFMAPS_MAP_GET_NEXT_ID and BPFMAPS_MAP_GET_FD_BY_ID
 * @info: of BPFMAPS_OBJ_GET_INFO_BY_FD
 * @ringbuf: of BPFMAPS_RINGBUF_OUTPUT and BPFMAPS_RINGBUF_DRAIN
 */
union bpfmaps_attr {
	struct bpfmaps_create_attr	create;
	struct bpfmaps_elem_attr	elem;
	struct bpfmaps_batch_attr	batch;
	struct bpfmaps_obj_attr		obj;
	struct bpfmaps_id_attr		id;
	struct bpfmaps_info_attr	info;
	struct bpfmaps_ringbuf_attr	ringbuf;
};

/**
 * struct bpfmaps_map_info - what BPFMAPS_OBJ_GET_INFO_BY_FD writes: struct bpf_map_info
 * @type: one of enum bpfmaps_type
 * @id: the map's id, never 0, not used by another map as long as this one lives
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @max_entries: how many elements fit
 * @map_flags: BPFMAPS_F_* without BPFMAPS_F_RDONLY and BPFMAPS_F_WRONLY, which are a
 *             descriptor's
 * @name: NUL-terminated
 * @ifindex: 0
 * @btf_vmlinux_value_type_id: 0
 * @netns_dev: 0
 * @netns_ino: 0
 * @btf_id: 0
 * @btf_key_type_id: 0
 * @btf_value_type_id: 0
 * @unused: 0
 * @map_extra: 0
 */
struct bpfmaps_map_info {
	__u32	type;
	__u32	id;
	__u32	key_size;
	__u32	value_size;
	__u32	max_entries;
	__u32	map_flags;
	char	name[BPFMAPS_NAME_LEN];
	__u32	ifindex;
	__u32	btf_vmlinux_value_type_id;
	__aligned_u64 netns_dev;
	__aligned_u64 netns_ino;
	__u32	btf_id;
	__u32	btf_key_type_id;
	__u32	btf_value_type_id;
	__u32	unused;
	__aligned_u64 map_extra;
};

#endif /* _UAPI_LINUX_BPFMAPS_H */
