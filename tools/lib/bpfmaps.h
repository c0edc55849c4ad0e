/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libbpfmaps - the maps of /dev/bpfmaps for C and C++ programs
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPS_H
#define BPFMAPS_H

#include <stddef.h>
#include <sys/types.h>
#include <linux/bpfmaps.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: libbpfmaps
 *
 * One function per command of ``<linux/bpfmaps.h>``, named as libbpf names its own. Each returns
 * a value of 0 or more, or ``-errno``, and leaves the same number in errno. The error 524
 * (ENOTSUPP, which libc does not name) says that the type of the map does not know the operation.
 *
 * All functions may be called from several threads at a time. The library opens /dev/bpfmaps when
 * a call first needs it and keeps that descriptor, close-on-exec, for the life of the process; a
 * child after fork() shares it. The environment variable ``BPFMAPS_DEVICE`` names another path,
 * except in programs with raised privileges. Calls on a map use the map's own descriptor, so a
 * process that was handed a map needs no access to the device.
 *
 * Ring buffers are read and written through a mapping by the functions bpfmaps_ring_*(). They have
 * one reader or writer of this kind at a time: these functions may not work on the same ring in two
 * threads at once, nor may two processes open it. The other side may be any number of users in
 * the kernel and system calls. A 32-bit program may use the ring buffers of a 64-bit kernel.
 *
 * Maps are plain descriptors, close-on-exec: the caller closes them with close().
 *
 * Optional arguments are in a struct whose first field is its size, so that it can grow; NULL
 * stands for all defaults, and BPFMAPS_OPTS() declares one.
 */

/**
 * BPFMAPS_OPTS() - declare a struct of optional arguments
 * @TYPE: bpfmaps_map_create_opts, bpfmaps_open_opts or bpfmaps_map_batch_opts
 * @NAME: the variable
 *
 * Fields follow as designated initializers; fields that are not named are 0.
 */
#define BPFMAPS_OPTS(TYPE, NAME, ...)	\
	struct TYPE NAME = { .sz = sizeof(struct TYPE), ##__VA_ARGS__ }

/**
 * struct bpfmaps_map_create_opts - optional arguments of bpfmaps_map_create()
 * @sz: size of this struct in bytes, as the caller knows it
 * @map_flags: BPFMAPS_F_*
 * @numa_node: with BPFMAPS_F_NUMA_NODE, the node to allocate from
 * @inner_map_fd: ARRAY_OF_MAPS, HASH_OF_MAPS: a map that is like those to be held; else not used
 * @map_extra: what the type makes of it; else 0
 */
struct bpfmaps_map_create_opts {
	size_t	sz;
	__u32	map_flags;
	__u32	numa_node;
	__aligned_u64 map_extra;
	__u32	inner_map_fd;
	/* private: 0, keeps the struct free of padding */
	__u32	reserved;
};

/**
 * struct bpfmaps_open_opts - optional arguments of the functions that open or pin a map
 * @sz: size of this struct in bytes, as the caller knows it
 * @flags: 0 for reading and writing, BPFMAPS_F_RDONLY or BPFMAPS_F_WRONLY; for paths also
 *	BPFMAPS_F_PATH_FD
 * @path_fd: with BPFMAPS_F_PATH_FD, a descriptor of the directory where a relative path starts;
 *	else 0
 */
struct bpfmaps_open_opts {
	size_t	sz;
	__u32	flags;
	__s32	path_fd;
};

/**
 * struct bpfmaps_map_batch_opts - optional arguments of the functions on many elements
 * @sz: size of this struct in bytes, as the caller knows it
 * @elem_flags: 0, or what the functions on one element take
 * @flags: 0
 */
struct bpfmaps_map_batch_opts {
	size_t	sz;
	__aligned_u64 elem_flags;
	__aligned_u64 flags;
};

/**
 * bpfmaps_map_create() - make a map
 * @map_type: one of enum bpfmaps_type
 * @map_name: up to 15 letters, digits, '_' and '.'; NULL or "" for none
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @max_entries: how many elements fit
 * @opts: flags and more, or NULL
 *
 * Return: a descriptor of the map, to be closed by the caller; -EINVAL: an unknown type or flag,
 * a size that the type does not take, a bad name, or a field of @opts that is not known; -E2BIG:
 * sizes over the limits of the type; -ENOMEM: no memory; -ENOENT, -EACCES or what else open()
 * says: the device cannot be opened.
 */
int bpfmaps_map_create(__u32 map_type, const char *map_name, __u32 key_size, __u32 value_size,
		       __u32 max_entries, const struct bpfmaps_map_create_opts *opts);

/**
 * bpfmaps_map_lookup_elem() - copy out the value of a key
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL for the types without keys
 * @value: room for bpfmaps_value_size() bytes; written on success only. A bloom filter reads
 *	it: the result tells whether it was added. A map of maps writes a __u32, the inner map's id
 *
 * Return: 0; -ENOENT: no such key; -EPERM: @fd is write-only; -EINVAL: @fd is not a map.
 */
int bpfmaps_map_lookup_elem(int fd, const void *key, void *value);

/**
 * bpfmaps_map_lookup_elem_flags() - copy out the value of a key, with flags
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL for the types without keys
 * @value: room for bpfmaps_value_size() bytes; written on success only. A bloom filter reads
 *	it: the result tells whether it was added. A map of maps writes a __u32, the inner map's id
 * @flags: 0, or those that the type has: BPFMAPS_F_CPU with the number of a CPU in the upper 32
 *	bits, and then @value is value_size bytes; BPFMAPS_F_TOUCH
 *
 * Return: as bpfmaps_map_lookup_elem(); -ERANGE: there is no such CPU; -EINVAL also for flags that
 * the type does not know.
 */
int bpfmaps_map_lookup_elem_flags(int fd, const void *key, void *value, __u64 flags);

/**
 * bpfmaps_map_update_elem() - set the value of a key
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL for the types without keys
 * @value: bpfmaps_value_size() bytes; of a map of maps a __u32, the inner map's descriptor,
 *	which has to be for reading and writing
 * @flags: BPFMAPS_ANY, BPFMAPS_NOEXIST (insert only) or BPFMAPS_EXIST (replace only), for the
 *	per-CPU types with BPFMAPS_F_CPU and the number of a CPU in the upper 32 bits, or
 *	BPFMAPS_F_ALL_CPUS; then @value is value_size bytes
 *
 * Return: 0; -E2BIG: the map is full, or the array has no such index; -EEXIST or -ENOENT: as
 * @flags ask; -ERANGE: there is no such CPU; -EPERM: @fd is read-only or the map is frozen;
 * -EINVAL: unknown @flags, or @fd is not a map.
 */
int bpfmaps_map_update_elem(int fd, const void *key, const void *value, __u64 flags);

/**
 * bpfmaps_map_delete_elem() - remove a key
 * @fd: descriptor of the map
 * @key: key_size bytes
 *
 * Return: 0; -ENOENT: no such key; -EPERM: @fd is read-only or the map is frozen; -EINVAL: @fd is
 * not a map, or the elements of its type cannot be removed.
 */
int bpfmaps_map_delete_elem(int fd, const void *key);

/**
 * bpfmaps_map_delete_elem_flags() - remove a key, with flags
 * @fd: descriptor of the map
 * @key: key_size bytes
 * @flags: 0; no type knows another one
 *
 * Return: as bpfmaps_map_delete_elem(); -EINVAL also for @flags that are not 0.
 */
int bpfmaps_map_delete_elem_flags(int fd, const void *key, __u64 flags);

/**
 * bpfmaps_map_lookup_and_delete_elem() - copy out the value of a key and remove it
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL for a queue or stack, which gives its next value
 * @value: room for a value; written on success only
 *
 * Return: 0; -ENOENT: no such key, or the queue or stack is empty; -EPERM: @fd is not for both
 * reading and writing, or the map is frozen; -524: the type does not know it; -EINVAL: @fd is not
 * a map.
 */
int bpfmaps_map_lookup_and_delete_elem(int fd, const void *key, void *value);

/**
 * bpfmaps_map_lookup_and_delete_elem_flags() - the same, with flags
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL for a queue or stack
 * @value: room for a value; written on success only
 * @flags: 0; other flags belong to types that have them
 *
 * Return: as bpfmaps_map_lookup_and_delete_elem(); -EINVAL also for flags that the type does not
 * know.
 */
int bpfmaps_map_lookup_and_delete_elem_flags(int fd, const void *key, void *value, __u64 flags);

/**
 * bpfmaps_map_lookup_batch() - copy out many elements
 * @fd: descriptor of the map
 * @in_batch: what the call before wrote to @out_batch; NULL begins at the start
 * @out_batch: where the next call goes on: room for key_size bytes, and at least 4; may be
 *	@in_batch
 * @keys: room for @count keys
 * @values: room for @count values of bpfmaps_value_size() bytes
 * @count: in: how many elements there is room for; out: how many were copied, also with -ENOENT
 * @opts: flags, or NULL
 *
 * Return: 0: there may be more; -ENOENT: the last element was copied; -ENOSPC: a bucket of a hash
 * type has more than @count elements: ask again with more room; -EPERM: @fd is write-only;
 * -524: the type does not know it; -EINVAL: unknown flags, or @fd is not a map.
 */
int bpfmaps_map_lookup_batch(int fd, const void *in_batch, void *out_batch, void *keys,
			     void *values, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts);

/**
 * bpfmaps_map_lookup_and_delete_batch() - copy out many elements and remove them
 * @fd: descriptor of the map
 * @in_batch: what the call before wrote to @out_batch; NULL begins at the start
 * @out_batch: where the next call goes on
 * @keys: room for @count keys
 * @values: room for @count values of bpfmaps_value_size() bytes
 * @count: in: how many elements there is room for; out: how many were removed
 * @opts: flags, or NULL
 *
 * Of a queue or stack it pops up to @count values, in their order; @in_batch, @out_batch and @keys
 * are NULL, and -ENOENT says that there were fewer.
 *
 * Return: as bpfmaps_map_lookup_batch(); -EPERM also for a map that is read-only or frozen.
 */
int bpfmaps_map_lookup_and_delete_batch(int fd, const void *in_batch, void *out_batch, void *keys,
					void *values, __u32 *count,
					const struct bpfmaps_map_batch_opts *opts);

/**
 * bpfmaps_map_update_batch() - set the values of many keys
 * @fd: descriptor of the map
 * @keys: @count keys
 * @values: @count values of bpfmaps_value_size() bytes
 * @count: in: how many elements; out: how many were set, also on an error of an element
 * @opts: flags, or NULL
 *
 * To a queue, stack or bloom filter it pushes the values; @keys is NULL.
 *
 * Return: 0; an error of bpfmaps_map_update_elem() of the first element that was not set; -524:
 * the type does not know it; -EINVAL: unknown flags, or @fd is not a map.
 */
int bpfmaps_map_update_batch(int fd, const void *keys, const void *values, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts);

/**
 * bpfmaps_map_delete_batch() - remove many keys
 * @fd: descriptor of the map
 * @keys: @count keys
 * @count: in: how many keys; out: how many were removed, also on an error of a key
 * @opts: flags, or NULL
 *
 * Return: 0; an error of bpfmaps_map_delete_elem() of the first key that was not removed; -524:
 * the type does not know it; -EINVAL: unknown flags, or @fd is not a map.
 */
int bpfmaps_map_delete_batch(int fd, const void *keys, __u32 *count,
			     const struct bpfmaps_map_batch_opts *opts);

/**
 * bpfmaps_map_get_next_key() - walk the keys of a map
 * @fd: descriptor of the map
 * @key: key_size bytes; NULL, or a key that is not in the map, asks for the first key
 * @next_key: room for key_size bytes; may be @key
 *
 * The order is the map's own. Keys that come and go meanwhile may be missed, and the removal of
 * @key makes the walk begin again, so a loop needs a bound where others write.
 *
 * Return: 0; -ENOENT: @key was the last one, or the map is empty; -EPERM: @fd is write-only;
 * -EINVAL: @fd is not a map.
 */
int bpfmaps_map_get_next_key(int fd, const void *key, void *next_key);

/**
 * bpfmaps_map_freeze() - make a map read-only for user space, for good
 * @fd: descriptor of the map
 *
 * Return: 0; -EBUSY: the map has a writable mapping, or is frozen already; -EPERM: the caller may
 * not freeze it; -EINVAL: @fd is not a map.
 */
int bpfmaps_map_freeze(int fd);

/**
 * bpfmaps_obj_pin() - give a map a path
 * @fd: descriptor of the map
 * @pathname: a new path on a filesystem of type bpfmaps; no '.' in its last component
 *
 * The pin keeps the map until it is removed with unlink().
 *
 * Return: 0; -EEXIST: the path exists; -ENOENT: a directory of it does not; -EACCES: the
 * directory forbids it; -EPERM: not on a bpfmaps filesystem, or a '.' in the name; -EINVAL: @fd
 * is not a map.
 */
int bpfmaps_obj_pin(int fd, const char *pathname);

/**
 * bpfmaps_obj_pin_opts() - give a map a path, which may start at a directory
 * @fd: descriptor of the map
 * @pathname: as of bpfmaps_obj_pin()
 * @opts: the directory, or NULL; @opts->flags is 0 or BPFMAPS_F_PATH_FD
 *
 * Return: as bpfmaps_obj_pin(); -EBADF or -ENOTDIR: the descriptor of @opts is no directory.
 */
int bpfmaps_obj_pin_opts(int fd, const char *pathname, const struct bpfmaps_open_opts *opts);

/**
 * bpfmaps_obj_get() - open the map at a path
 * @pathname: path of a pin
 * @opts: access, or NULL for reading and writing
 *
 * Return: a descriptor of the map, to be closed by the caller; -ENOENT: no such path; -EACCES:
 * the path is not a pin, or its permissions forbid the access; -EPERM: not on a bpfmaps
 * filesystem; -EINVAL: unknown flags.
 */
int bpfmaps_obj_get(const char *pathname, const struct bpfmaps_open_opts *opts);

/**
 * bpfmaps_map_get_next_id() - walk the ids of the maps that the caller may see
 * @start_id: the id to start behind; 0 for the first
 * @next_id: where the next id is written
 *
 * Return: 0; -ENOENT: there is no further id.
 */
int bpfmaps_map_get_next_id(__u32 start_id, __u32 *next_id);

/**
 * bpfmaps_map_get_fd_by_id() - open the map with an id
 * @id: the id
 * @opts: access, or NULL for reading and writing
 *
 * Return: a descriptor of the map, to be closed by the caller; -ENOENT: no such id; -EPERM: the
 * map belongs to another user; -EINVAL: unknown flags.
 */
int bpfmaps_map_get_fd_by_id(__u32 id, const struct bpfmaps_open_opts *opts);

/**
 * bpfmaps_obj_get_info_by_fd() - ask what a map is
 * @fd: descriptor of the map
 * @info: a struct bpfmaps_map_info; bytes beyond the struct that the kernel knows have to be 0
 * @info_len: in: bytes at @info; out: bytes that were written
 *
 * Return: 0; -E2BIG: a byte beyond the kernel's struct is not 0; -EINVAL: @fd is not a map.
 */
int bpfmaps_obj_get_info_by_fd(int fd, struct bpfmaps_map_info *info, __u32 *info_len);

/**
 * bpfmaps_ringbuf_output() - append a record to a RINGBUF
 * @fd: descriptor of the map
 * @data: the record
 * @size: bytes of the record
 * @flags: BPFMAPS_RB_NO_WAKEUP or BPFMAPS_RB_FORCE_WAKEUP, or 0: who polls is woken up if the
 *	consumer has read all that came before
 *
 * Return: 0; -EAGAIN: there is no room now; -E2BIG: there never is; -EPERM: @fd is read-only or the
 * map is frozen; -EINVAL: unknown @flags, or @fd is not a map; -524: the map is no RINGBUF.
 */
int bpfmaps_ringbuf_output(int fd, const void *data, __u32 size, __u64 flags);

/**
 * bpfmaps_user_ringbuf_drain() - take records out of a USER_RINGBUF
 * @fd: descriptor of the map
 * @data: room for records, aligned to 4 bytes; bpfmaps_ringbuf_next() goes through them
 * @size: bytes of room
 * @flags: BPFMAPS_RB_NO_WAKEUP or BPFMAPS_RB_FORCE_WAKEUP, or 0: who polls is woken up if there is
 *	more room now
 *
 * Return: how many bytes of @data were filled, 0 if no finished record is there; -ENOSPC: the next
 * record is larger than @size; -EAGAIN: many discarded records were skipped, call again; -EBUSY: a
 * user in the kernel drains; -EINVAL: what is in the ring makes no sense, or unknown @flags, or
 * @fd is not a map; -EPERM: @fd is not for both reading and writing; -524: the map is no
 * USER_RINGBUF.
 */
int bpfmaps_user_ringbuf_drain(int fd, void *data, __u32 size, __u64 flags);

/**
 * bpfmaps_ringbuf_next() - go through what bpfmaps_user_ringbuf_drain() has filled in
 * @data: its buffer
 * @bytes: what it returned
 * @at: where the next record begins: 0 at first, and moved on by each call
 * @size: is set to the bytes of the record
 *
 * Return: the record, within @data; NULL: there is no further one.
 */
const void *bpfmaps_ringbuf_next(const void *data, size_t bytes, size_t *at, __u32 *size);

/* A RINGBUF that is read, or a USER_RINGBUF that is written. */
struct bpfmaps_ring;

/**
 * bpfmaps_ring_open() - map a ring buffer
 * @fd: descriptor of a RINGBUF or USER_RINGBUF; it has to stay open, and still is the caller's. It
 *	may be given to poll() or epoll: POLLIN says that a RINGBUF has records, finished or not,
 *	POLLOUT that a USER_RINGBUF has some room
 *
 * Return: the ring, for bpfmaps_ring_close(); NULL with errno: EINVAL: @fd is no ring buffer;
 * EPERM: @fd is not for both reading and writing, or the map is frozen; ENOMEM: no memory, or no
 * room in the address space; EOPNOTSUPP: a 32-bit program on a big-endian machine.
 */
struct bpfmaps_ring *bpfmaps_ring_open(int fd);

/**
 * bpfmaps_ring_close() - unmap a ring buffer
 * @ring: what bpfmaps_ring_open() returned, or NULL
 *
 * A record that was peeked at and not released is still there for the next who opens it; one that
 * was reserved and not finished holds up all that come behind it for good.
 */
void bpfmaps_ring_close(struct bpfmaps_ring *ring);

/**
 * bpfmaps_ring_peek() - the oldest record of a RINGBUF
 * @ring: the ring
 * @size: is set to the bytes of the record
 *
 * Records that were discarded are left out. Without bpfmaps_ring_release() in between it is the
 * same record again.
 *
 * Return: the record, which may be read until it is released; NULL with errno: EAGAIN: there is
 * none, or it is not finished; EINVAL: @ring is no RINGBUF, or somebody else has set the position.
 */
const void *bpfmaps_ring_peek(struct bpfmaps_ring *ring, size_t *size);

/**
 * bpfmaps_ring_release() - be done with a record of a RINGBUF
 * @ring: the ring
 *
 * The record that bpfmaps_ring_peek() has returned last makes room for new ones. Without such a
 * record nothing happens.
 */
void bpfmaps_ring_release(struct bpfmaps_ring *ring);

/**
 * bpfmaps_ring_reserve() - begin a record of a USER_RINGBUF
 * @ring: the ring
 * @size: bytes of the record
 *
 * Several records may be begun and finished in any order; they arrive in that in which they were
 * begun.
 *
 * Return: room for the record, aligned to 8 bytes, to be given to bpfmaps_ring_submit() or
 * bpfmaps_ring_discard(); NULL with errno: EAGAIN: there is no room now, for which
 * bpfmaps_ring_wait() waits; E2BIG: there never is; EINVAL: @ring is no USER_RINGBUF, or somebody
 * else has set the position.
 */
void *bpfmaps_ring_reserve(struct bpfmaps_ring *ring, size_t size);

/**
 * bpfmaps_ring_submit() - finish a record of a USER_RINGBUF
 * @ring: the ring
 * @record: what bpfmaps_ring_reserve() returned; not used any more afterwards
 */
void bpfmaps_ring_submit(struct bpfmaps_ring *ring, void *record);

/**
 * bpfmaps_ring_discard() - give a record of a USER_RINGBUF up: it is skipped
 * @ring: the ring
 * @record: what bpfmaps_ring_reserve() returned; not used any more afterwards
 */
void bpfmaps_ring_discard(struct bpfmaps_ring *ring, void *record);

/**
 * bpfmaps_ring_wait() - wait for a finished record, or for room
 * @ring: the ring
 * @timeout_ms: how long at most, in milliseconds; 0: not at all; -1: for ever
 *
 * Of a USER_RINGBUF the room waited for is that which bpfmaps_ring_reserve() lacked last.
 *
 * Return: 1: it is there; 0: the time is over; -EINTR: a signal was handled.
 */
int bpfmaps_ring_wait(struct bpfmaps_ring *ring, int timeout_ms);

/**
 * bpfmaps_num_possible_cpus() - how many CPUs the machine may ever have
 *
 * Return: the number; what open() says of /sys/devices/system/cpu/possible, or -EINVAL: its text
 * is not understood.
 */
int bpfmaps_num_possible_cpus(void);

/**
 * bpfmaps_type_is_percpu() - whether the maps of a type have a value for each CPU
 * @map_type: one of enum bpfmaps_type
 *
 * Return: 1 or 0.
 */
int bpfmaps_type_is_percpu(__u32 map_type);

/**
 * bpfmaps_value_size() - how large a value is for user space
 * @info: what the map is
 *
 * Values of the per-CPU types are copied as one value for each possible CPU, each rounded up to
 * 8 bytes.
 *
 * Return: the number of bytes, or an error of bpfmaps_num_possible_cpus().
 */
ssize_t bpfmaps_value_size(const struct bpfmaps_map_info *info);

/**
 * bpfmaps_type_name() - the name of a map type
 * @map_type: one of enum bpfmaps_type
 *
 * Return: the name in lower case, such as "hash", which is static; NULL: not known.
 */
const char *bpfmaps_type_name(__u32 map_type);

/**
 * bpfmaps_type_number() - the number of a map type
 * @name: the name in lower case, such as "hash"
 *
 * Return: the number, one of enum bpfmaps_type; -EINVAL: not known.
 */
int bpfmaps_type_number(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* BPFMAPS_H */
