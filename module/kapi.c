// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other kernel modules may call: the helpers of this world
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/rcupdate.h>

#include "map.h"

static bool kapi_mode_is_valid(fmode_t mode)
{
	return mode && !(mode & ~(FMODE_READ | FMODE_WRITE));
}

/* The flags that bind users in the kernel are asked once, when they take the map. */
static int kapi_check_access(const struct bpfmaps_map *map, fmode_t mode)
{
	if (mode & FMODE_READ && map->map_flags & BPFMAPS_F_WRONLY_PROG)
		return -EACCES;
	if (mode & FMODE_WRITE && map->map_flags & BPFMAPS_F_RDONLY_PROG)
		return -EACCES;
	return 0;
}

static struct bpfmaps_map *kapi_map_of_file(struct file *file, fmode_t mode)
{
	struct bpfmaps_map *map = bpfmaps_map_of_file(file);
	int err;

	if (IS_ERR(map))
		return map;
	if (mode & ~file->f_mode)
		return ERR_PTR(-EPERM);
	err = kapi_check_access(map, mode);
	if (err)
		return ERR_PTR(err);
	bpfmaps_map_inc(map);
	return map;
}

/**
 * bpfmaps_map_get() - take a reference to the map of a descriptor
 * @fd: a map descriptor of the current process
 * @mode: what the caller will do: FMODE_READ, FMODE_WRITE or both
 *
 * As with a program in BPF, freezing the map does not bind users in the kernel.
 *
 * Context: process.
 * Return: the map, to be given to bpfmaps_map_put(), or an ERR_PTR: -EBADF, -EINVAL if it is not a
 * map or @mode is none, -EPERM if the descriptor does not allow @mode, -EACCES if
 * BPFMAPS_F_RDONLY_PROG or BPFMAPS_F_WRONLY_PROG does not.
 */
struct bpfmaps_map *bpfmaps_map_get(int fd, fmode_t mode)
{
	struct bpfmaps_map *map;
	struct fd f;

	if (!kapi_mode_is_valid(mode))
		return ERR_PTR(-EINVAL);
	f = fdget(fd);
	if (!fd_file(f))
		return ERR_PTR(-EBADF);
	map = kapi_map_of_file(fd_file(f), mode);
	fdput(f);
	return map;
}
EXPORT_SYMBOL_GPL(bpfmaps_map_get);

/**
 * bpfmaps_map_get_path() - take a reference to a pinned map
 * @path: of a pin on a bpfmaps filesystem
 * @mode: what the caller will do: FMODE_READ, FMODE_WRITE or both
 *
 * Context: process; the path and the permissions are those of the current process.
 * Return: as bpfmaps_map_get(), and the errors of a path: -ENOENT, -EACCES, ...
 */
struct bpfmaps_map *bpfmaps_map_get_path(const char *path, fmode_t mode)
{
	struct bpfmaps_map *map;
	int err;

	if (!kapi_mode_is_valid(mode))
		return ERR_PTR(-EINVAL);
	map = bpfmaps_pinfs_get_kern(path, mode);
	if (IS_ERR(map))
		return map;
	err = kapi_check_access(map, mode);
	if (!err)
		return map;
	bpfmaps_map_put(map);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(bpfmaps_map_get_path);

/**
 * bpfmaps_map_get_info() - what a map is
 * @map: the map
 * @info: is filled; type, sizes and max_entries are what a caller should check before it uses @map
 *
 * Context: any.
 */
void bpfmaps_map_get_info(const struct bpfmaps_map *map, struct bpfmaps_map_info *info)
{
	bpfmaps_map_fill_info(map, info);
}
EXPORT_SYMBOL_GPL(bpfmaps_map_get_info);

static bool kapi_in_nmi(void)
{
	return WARN_ON_ONCE(in_nmi());
}

/**
 * bpfmaps_lookup_elem() - the value of a key, in place
 * @map: the map
 * @key: key_size bytes
 *
 * The value stays this key's as long as the caller's RCU reader section lasts, even if the element
 * is deleted meanwhile. It may be changed in place, word by word, by atomic operations or under
 * rules that its users agree on. A user that took the map without FMODE_WRITE does not write to it.
 *
 * Context: process, softirq or hardirq; under rcu_read_lock().
 * Return: the address, or NULL if there is no such key or the type has no addresses to give: a map
 * that holds maps has bpfmaps_lookup_map().
 */
void *bpfmaps_lookup_elem(struct bpfmaps_map *map, const void *key)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "map look-up without rcu_read_lock()");
	if (kapi_in_nmi() || !map->ops->map_lookup_elem)
		return NULL;
	return map->ops->map_lookup_elem(map, key);
}
EXPORT_SYMBOL_GPL(bpfmaps_lookup_elem);

/**
 * bpfmaps_lookup_map() - the map that a map of maps has under a key
 * @map: an ARRAY_OF_MAPS or HASH_OF_MAPS
 * @key: key_size bytes
 *
 * The inner map may be used in the caller's RCU reader section, replaced or not. What it may be
 * used for is up to its own flags, BPFMAPS_F_RDONLY_PROG and BPFMAPS_F_WRONLY_PROG, see
 * bpfmaps_map_get_info(). The caller has no reference to it, so bpfmaps_map_inc() is not for it.
 *
 * This is not bpfmaps_lookup_elem(), because who forgets to ask for the type of a map would take
 * the inner map for a value, and write to it.
 *
 * Context: process, softirq or hardirq; under rcu_read_lock().
 * Return: the inner map, or NULL if there is none or @map holds no maps.
 */
struct bpfmaps_map *bpfmaps_lookup_map(struct bpfmaps_map *map, const void *key)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "map look-up without rcu_read_lock()");
	if (kapi_in_nmi() || !map->ops->map_lookup_map)
		return NULL;
	return map->ops->map_lookup_map(map, key);
}
EXPORT_SYMBOL_GPL(bpfmaps_lookup_map);

/**
 * bpfmaps_lookup_percpu_elem() - the value of a key on a CPU, in place
 * @map: the map, of a per-CPU type
 * @key: key_size bytes
 * @cpu: number of a possible CPU
 *
 * bpfmaps_lookup_elem() returns that of the CPU it runs on.
 *
 * Context: process, softirq or hardirq; under rcu_read_lock().
 * Return: the address, or NULL if there is no such key or CPU, or the type has one value for all.
 */
void *bpfmaps_lookup_percpu_elem(struct bpfmaps_map *map, const void *key, unsigned int cpu)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "map look-up without rcu_read_lock()");
	if (kapi_in_nmi() || !map->ops->map_lookup_percpu_elem)
		return NULL;
	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return NULL;
	return map->ops->map_lookup_percpu_elem(map, key, cpu);
}
EXPORT_SYMBOL_GPL(bpfmaps_lookup_percpu_elem);

/*
 * Whether a user in the kernel may write now, by an operation that the type has. Maps are put into
 * maps by descriptors, which only a process has.
 */
static int kapi_check_write(const struct bpfmaps_map *map, bool has_op)
{
	if (kapi_in_nmi() || !has_op)
		return -BPFMAPS_ENOTSUPP;
	if (map->ops->holds_maps)
		return -EOPNOTSUPP;
	return map->map_flags & BPFMAPS_F_RDONLY_PROG ? -EACCES : 0;
}

static enum bpfmaps_from kapi_from(gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) ? BPFMAPS_FROM_KERNEL : BPFMAPS_FROM_ATOMIC;
}

/**
 * bpfmaps_update_elem() - set the value of a key
 * @map: the map
 * @key: key_size bytes
 * @value: value_size bytes; of a per-CPU type the value of the CPU it runs on
 * @flags: BPFMAPS_ANY, BPFMAPS_NOEXIST or BPFMAPS_EXIST
 * @gfp: GFP_KERNEL where the caller may sleep, otherwise GFP_ATOMIC, and no more than that: memory
 *	is charged to the creator's memory cgroup, and no reserves are taken
 *
 * Context: process, softirq or hardirq, as @gfp says; within rcu_read_lock() only with GFP_ATOMIC.
 * Return: 0 or a negative errno: those of BPFMAPS_MAP_UPDATE_ELEM, -EACCES with
 * BPFMAPS_F_RDONLY_PROG, -EOPNOTSUPP for an array value of more than a page without GFP_KERNEL,
 * -EINTR if the caller is killed while it waits for the lock of such values, -EOPNOTSUPP for a
 * map that holds maps, which only system calls put in and take out.
 */
int bpfmaps_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			gfp_t gfp)
{
	int err = kapi_check_write(map, map->ops->map_update_elem);

	if (err)
		return err;
	might_alloc(gfp);
	return map->ops->map_update_elem(map, key, value, flags, kapi_from(gfp));
}
EXPORT_SYMBOL_GPL(bpfmaps_update_elem);

/**
 * bpfmaps_push_elem() - add a value to a map without keys
 * @map: a queue, a stack or a bloom filter
 * @value: value_size bytes
 * @flags: BPFMAPS_ANY; of a queue or stack BPFMAPS_EXIST removes the oldest value if it is full
 * @gfp: as for bpfmaps_update_elem()
 *
 * Context: process, softirq or hardirq, as @gfp says.
 * Return: 0 or a negative errno: -E2BIG if it is full, -EINVAL, -ENOMEM, -EACCES with
 * BPFMAPS_F_RDONLY_PROG, -524 if the type has keys.
 */
int bpfmaps_push_elem(struct bpfmaps_map *map, const void *value, u64 flags, gfp_t gfp)
{
	int err = kapi_check_write(map, map->ops->map_push_elem);

	if (err)
		return err;
	might_alloc(gfp);
	return map->ops->map_push_elem(map, value, flags, kapi_from(gfp));
}
EXPORT_SYMBOL_GPL(bpfmaps_push_elem);

/**
 * bpfmaps_peek_elem() - the next value of a map without keys
 * @map: a queue, a stack or a bloom filter
 * @value: value_size bytes: of a queue or stack written; of a bloom filter read and looked for
 *
 * Context: process, softirq or hardirq.
 * Return: 0, -ENOENT if it is empty or the value was never added, -524 if the type has keys.
 */
int bpfmaps_peek_elem(struct bpfmaps_map *map, void *value)
{
	u64 ticket;

	if (kapi_in_nmi() || !map->ops->map_peek_elem)
		return -BPFMAPS_ENOTSUPP;
	return map->ops->map_peek_elem(map, value, &ticket);
}
EXPORT_SYMBOL_GPL(bpfmaps_peek_elem);

/**
 * bpfmaps_pop_elem() - take the next value out of a queue or stack
 * @map: the map
 * @value: value_size bytes are written
 *
 * Context: process, softirq or hardirq.
 * Return: 0, -ENOENT if it is empty, -EACCES with BPFMAPS_F_RDONLY_PROG, -524 if the type is
 * another.
 */
int bpfmaps_pop_elem(struct bpfmaps_map *map, void *value)
{
	int err = kapi_check_write(map, map->ops->map_pop_elems);
	u64 ticket;

	if (err)
		return err;
	do {
		err = map->ops->map_peek_elem(map, value, &ticket);
		if (!err)
			err = map->ops->map_pop_elems(map, ticket, 1, BPFMAPS_FROM_ATOMIC);
	} while (err == -EAGAIN);
	return err;
}
EXPORT_SYMBOL_GPL(bpfmaps_pop_elem);

/**
 * bpfmaps_delete_elem() - remove a key
 * @map: the map
 * @key: key_size bytes
 *
 * Context: process, softirq or hardirq.
 * Return: 0 or a negative errno: those of BPFMAPS_MAP_DELETE_ELEM, -EACCES with
 * BPFMAPS_F_RDONLY_PROG, -EOPNOTSUPP for a map that holds maps.
 */
int bpfmaps_delete_elem(struct bpfmaps_map *map, const void *key)
{
	int err = kapi_check_write(map, map->ops->map_delete_elem);

	return err ? err : map->ops->map_delete_elem(map, key, BPFMAPS_FROM_ATOMIC);
}
EXPORT_SYMBOL_GPL(bpfmaps_delete_elem);

/**
 * bpfmaps_iterate_elems() - call a function for each element
 * @map: the map
 * @fn: called under rcu_read_lock()
 * @ctx: passed on to @fn
 *
 * An element that is there from begin to end is seen once; one that comes or goes meanwhile may be
 * seen or not.
 *
 * Context: process, may sleep; not within rcu_read_lock().
 * Return: 0, what @fn returned other than 0, or -524 if the type cannot be walked.
 */
int bpfmaps_iterate_elems(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
{
	might_sleep();
	return map->ops->map_for_each ? map->ops->map_for_each(map, fn, ctx) : -BPFMAPS_ENOTSUPP;
}
EXPORT_SYMBOL_GPL(bpfmaps_iterate_elems);
