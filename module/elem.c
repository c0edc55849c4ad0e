// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands on one element: access rights, copies from and to user space, and the type's
 * operation between them
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "map.h"
#include "ucopy.h"

/* Keys and values up to these sizes stay on the stack. */
#define ELEM_STACK_KEY		64
#define ELEM_STACK_VALUE	256

/* Larger ones are copied from and to user space in chunks of this size. */
#define ELEM_CHUNK		SZ_1M

/* Of per-CPU types. */
#define ELEM_UPDATE_FLAGS	(BPFMAPS_NOEXIST | BPFMAPS_EXIST | BPFMAPS_ONE_VALUE)

static int elem_check_cpu(const struct bpfmaps_map *map, u64 flags)
{
	u32 cpu = flags >> 32;

	if (!map->ops->percpu || (flags & BPFMAPS_ONE_VALUE) == BPFMAPS_ONE_VALUE)
		return -EINVAL;
	if (flags & BPFMAPS_F_CPU && (cpu >= nr_cpu_ids || !cpu_possible(cpu)))
		return -ERANGE;
	return 0;
}

/* Whether a command that knows the @allowed flags can have @flags on this map. */
int bpfmaps_elem_check_flags(const struct bpfmaps_map *map, u64 flags, u32 allowed)
{
	if ((u32)flags & ~allowed || (flags >> 32 && !(flags & BPFMAPS_F_CPU)))
		return -EINVAL;
	if (flags & BPFMAPS_F_TOUCH && !map->ops->lru)
		return -EINVAL;
	return flags & BPFMAPS_ONE_VALUE ? elem_check_cpu(map, flags) : 0;
}

/*
 * Room for a key or a value, which is overwritten before it is read: that it is zeroed first would
 * cost more than all the rest.
 */
#define ELEM_STACK(name, size)	u64 name[(size) / sizeof(u64)] __uninitialized

/* @stack where @size fits, or memory that elem_buf_free() gives back, or NULL. */
static inline void *elem_buf(struct bpfmaps_map *map, void *stack, u32 stack_size, u32 size)
{
	if (size <= stack_size)
		return stack;
	return bpfmaps_buf_alloc(map, size);
}

static inline void elem_buf_free(void *buf, u32 stack_size, u32 size)
{
	if (size > stack_size)
		bpfmaps_buf_free(buf, size);
}

static int elem_from_user_chunks(void *to, u64 from, u32 size)
{
	u32 chunk, done;

	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u32, size - done, ELEM_CHUNK);
		if (done && bpfmaps_killed())
			return -EINTR;
		if (copy_from_user(to + done, u64_to_user_ptr(from) + done, chunk))
			return -EFAULT;
	}
	return 0;
}

static __always_inline int elem_from_user(void *to, u64 from, u32 size)
{
	if (likely(size <= BPFMAPS_UCOPY_WORDS))
		return bpfmaps_get_words(to, u64_to_user_ptr(from), size);
	return elem_from_user_chunks(to, from, size);
}

static int elem_to_user_chunks(u64 to, const void *from, u32 size)
{
	u32 chunk, done;

	for (done = 0; done < size; done += chunk) {
		chunk = min_t(u32, size - done, ELEM_CHUNK);
		if (done && bpfmaps_killed())
			return -EINTR;
		if (copy_to_user(u64_to_user_ptr(to) + done, from + done, chunk))
			return -EFAULT;
	}
	return 0;
}

static __always_inline int elem_to_user(u64 to, const void *from, u32 size)
{
	if (likely(size <= BPFMAPS_UCOPY_WORDS))
		return bpfmaps_put_words(u64_to_user_ptr(to), from, size);
	return elem_to_user_chunks(to, from, size);
}

static __always_inline void *elem_copy_in(struct bpfmaps_map *map, void *stack, u32 stack_size,
					  u64 from, u32 size)
{
	void *buf = elem_buf(map, stack, stack_size, size);
	int err;

	if (!buf)
		return ERR_PTR(-ENOMEM);
	err = elem_from_user(buf, from, size);
	if (!err)
		return buf;
	elem_buf_free(buf, stack_size, size);
	return ERR_PTR(err);
}

/* For types without keys the pointer has to be NULL, and so is what this returns. */
static __always_inline void *elem_key(struct bpfmaps_map *map, void *stack, u32 stack_size,
				      u64 from)
{
	if (map->key_size)
		return elem_copy_in(map, stack, stack_size, from, map->key_size);
	return from ? ERR_PTR(-EINVAL) : NULL;
}

/* What is looked up in a set is its value. */
static int elem_test(struct bpfmaps_map *map, u64 from)
{
	ELEM_STACK(stack, ELEM_STACK_VALUE);
	void *value = elem_copy_in(map, stack, sizeof(stack), from, map->value_size);
	int err;

	if (IS_ERR(value))
		return PTR_ERR(value);
	err = map->ops->map_peek_elem(map, value, NULL);
	elem_buf_free(value, sizeof(stack), map->value_size);
	return err;
}

/* Copies out of the map, and what stands for the value in types without keys. */
static inline int elem_read(struct bpfmaps_map *map, const void *key, void *value, u64 flags,
			    u64 *ticket)
{
	if (map->key_size)
		return map->ops->map_copy_value(map, key, value, flags);
	return map->ops->map_peek_elem(map, value, ticket);
}

static __always_inline int elem_lookup(struct bpfmaps_map *map, const void *key, u64 to, u64 flags)
{
	ELEM_STACK(stack, ELEM_STACK_VALUE);
	u32 size = bpfmaps_map_io_size(map, flags);
	void *value = elem_buf(map, stack, sizeof(stack), size);
	u64 ticket;
	int err;

	if (!value)
		return -ENOMEM;
	err = elem_read(map, key, value, flags, &ticket);
	if (!err)
		err = elem_to_user(to, value, size);
	elem_buf_free(value, sizeof(stack), size);
	return err;
}

/* BPFMAPS_MAP_LOOKUP_ELEM */
int bpfmaps_elem_lookup(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *key;
	int err;

	if (!(mode & FMODE_CAN_READ))
		return -EPERM;
	if (attr->flags) {
		err = bpfmaps_elem_check_flags(map, attr->flags, BPFMAPS_F_CPU | BPFMAPS_F_TOUCH);
		if (err)
			return err;
	}
	if (!map->ops->map_copy_value && !map->ops->map_peek_elem)
		return -BPFMAPS_ENOTSUPP;
	key = elem_key(map, stack, sizeof(stack), attr->key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	if (map->ops->peek_is_test)
		err = elem_test(map, attr->value);
	else
		err = elem_lookup(map, key, attr->value, attr->flags);
	elem_buf_free(key, sizeof(stack), map->key_size);
	return err;
}

static __always_inline int elem_update(struct bpfmaps_map *map, const void *key, u64 from,
				       u64 flags)
{
	ELEM_STACK(stack, ELEM_STACK_VALUE);
	u32 size = bpfmaps_map_io_size(map, flags);
	void *value = elem_copy_in(map, stack, sizeof(stack), from, size);
	int err;

	if (IS_ERR(value))
		return PTR_ERR(value);
	err = bpfmaps_map_write(map, key, value, flags);
	elem_buf_free(value, sizeof(stack), size);
	return err;
}

/* BPFMAPS_MAP_UPDATE_ELEM */
int bpfmaps_elem_update(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *key;
	int err;

	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (attr->flags & BPFMAPS_F_LOCK)
		return -EINVAL;
	/* Other flags are looked at later, as in bpf(2). */
	if (map->ops->percpu && attr->flags & BPFMAPS_ONE_VALUE) {
		err = bpfmaps_elem_check_flags(map, attr->flags, ELEM_UPDATE_FLAGS);
		if (err)
			return err;
	}
	if (!map->ops->map_update_elem && !map->ops->map_push_elem)
		return -BPFMAPS_ENOTSUPP;
	key = elem_key(map, stack, sizeof(stack), attr->key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = elem_update(map, key, attr->value, attr->flags);
	elem_buf_free(key, sizeof(stack), map->key_size);
	if (!err)
		bpfmaps_inner_wait(map);
	return err;
}

/* BPFMAPS_MAP_DELETE_ELEM */
int bpfmaps_elem_delete(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *key;
	int err;

	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (!map->ops->map_delete_elem)
		return -BPFMAPS_ENOTSUPP;
	key = elem_key(map, stack, sizeof(stack), attr->key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = map->ops->map_delete_elem(map, key, BPFMAPS_FROM_USER);
	elem_buf_free(key, sizeof(stack), map->key_size);
	if (!err)
		bpfmaps_inner_wait(map);
	return err;
}

/* Remove what elem_read() has copied out, if it is still what is there. */
static inline int elem_remove(struct bpfmaps_map *map, const void *key, const void *value,
			      u64 ticket)
{
	if (map->key_size)
		return map->ops->map_delete_value(map, key, value);
	return map->ops->map_pop_elems(map, ticket, 1, BPFMAPS_FROM_USER);
}

/* The element goes when its value has arrived; if it was changed meanwhile, all begins again. */
static __always_inline int elem_take(struct bpfmaps_map *map, const void *key, u64 to)
{
	ELEM_STACK(stack, ELEM_STACK_VALUE);
	void *value = elem_buf(map, stack, sizeof(stack), map->user_value_size);
	u64 ticket = 0;
	int err;

	if (!value)
		return -ENOMEM;
	do {
		err = elem_read(map, key, value, 0, &ticket);
		if (!err)
			err = elem_to_user(to, value, map->user_value_size);
		if (!err)
			err = elem_remove(map, key, value, ticket);
		if (err == -EAGAIN && bpfmaps_killed())
			err = -EINTR;
	} while (err == -EAGAIN);
	elem_buf_free(value, sizeof(stack), map->user_value_size);
	return err;
}

/* BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM */
int bpfmaps_elem_lookup_and_delete(struct bpfmaps_map *map, fmode_t mode,
				   const struct bpfmaps_elem_attr *attr)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *key;
	int err;

	if (!(mode & FMODE_CAN_READ) || !(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (attr->flags)
		return -EINVAL;
	key = elem_key(map, stack, sizeof(stack), attr->key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	/* Maps are taken out of maps one by one without a look-up only, or in batches. */
	if (map->ops->holds_maps || (!map->ops->map_delete_value && !map->ops->map_pop_elems))
		err = -BPFMAPS_ENOTSUPP;
	else
		err = elem_take(map, key, attr->value);
	elem_buf_free(key, sizeof(stack), map->key_size);
	return err;
}

static __always_inline int elem_next_key(struct bpfmaps_map *map, const void *key, u64 to)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *next = elem_buf(map, stack, sizeof(stack), map->key_size);
	int err;

	if (!next)
		return -ENOMEM;
	err = map->ops->map_get_next_key(map, key, next);
	if (!err)
		err = elem_to_user(to, next, map->key_size);
	elem_buf_free(next, sizeof(stack), map->key_size);
	return err;
}

/* BPFMAPS_MAP_GET_NEXT_KEY */
int bpfmaps_elem_next_key(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_elem_attr *attr)
{
	ELEM_STACK(stack, ELEM_STACK_KEY);
	void *key = NULL;
	int err;

	if (!(mode & FMODE_CAN_READ))
		return -EPERM;
	if (!map->ops->map_get_next_key)
		return -BPFMAPS_ENOTSUPP;
	if (attr->key)
		key = elem_key(map, stack, sizeof(stack), attr->key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = elem_next_key(map, key, attr->next_key);
	elem_buf_free(key, sizeof(stack), map->key_size);
	return err;
}
