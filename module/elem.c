// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands on one element: access rights, copies from and to user space, and the type's
 * operation between them
 *
 * Writes are reader sections of bpfmaps_map_writers, for which freezing waits. Whether the map is
 * frozen is asked again inside: it may have become so since the caller's access was checked.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "map.h"

/* Keys and values up to these sizes stay on the stack. */
#define ELEM_STACK_KEY		64
#define ELEM_STACK_VALUE	256

/* @stack where @size fits, or memory that elem_buf_free() gives back, or NULL. */
static void *elem_buf(void *stack, u32 stack_size, u32 size)
{
	if (size <= stack_size)
		return stack;
	return kvmalloc(size, BPFMAPS_GFP);
}

static void elem_buf_free(void *stack, void *buf)
{
	if (buf != stack)
		kvfree(buf);
}

static void *elem_copy_in(void *stack, u32 stack_size, u64 from, u32 size)
{
	void *buf = elem_buf(stack, stack_size, size);

	if (!buf)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(buf, u64_to_user_ptr(from), size))
		return buf;
	elem_buf_free(stack, buf);
	return ERR_PTR(-EFAULT);
}

static int elem_lookup(struct bpfmaps_map *map, const void *key, u64 to)
{
	u64 stack[ELEM_STACK_VALUE / sizeof(u64)];
	void *value = elem_buf(stack, sizeof(stack), map->value_size);
	int err;

	if (!value)
		return -ENOMEM;
	err = map->ops->map_copy_value(map, key, value);
	if (!err && copy_to_user(u64_to_user_ptr(to), value, map->value_size))
		err = -EFAULT;
	elem_buf_free(stack, value);
	return err;
}

/* BPFMAPS_MAP_LOOKUP_ELEM */
int bpfmaps_elem_lookup(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	u64 stack[ELEM_STACK_KEY / sizeof(u64)];
	void *key;
	int err;

	if (!(mode & FMODE_CAN_READ))
		return -EPERM;
	if (attr->flags)
		return -EINVAL;
	if (!map->ops->map_copy_value)
		return -BPFMAPS_ENOTSUPP;
	key = elem_copy_in(stack, sizeof(stack), attr->key, map->key_size);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = elem_lookup(map, key, attr->value);
	elem_buf_free(stack, key);
	return err;
}

static int elem_update(struct bpfmaps_map *map, const void *key, u64 from, u64 flags)
{
	u64 stack[ELEM_STACK_VALUE / sizeof(u64)];
	void *value = elem_copy_in(stack, sizeof(stack), from, map->value_size);
	int err, idx;

	if (IS_ERR(value))
		return PTR_ERR(value);
	idx = srcu_read_lock(&bpfmaps_map_writers);
	if (READ_ONCE(map->frozen))
		err = -EPERM;
	else
		err = map->ops->map_update_elem(map, key, value, flags, BPFMAPS_GFP);
	srcu_read_unlock(&bpfmaps_map_writers, idx);
	elem_buf_free(stack, value);
	return err;
}

/* BPFMAPS_MAP_UPDATE_ELEM */
int bpfmaps_elem_update(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	u64 stack[ELEM_STACK_KEY / sizeof(u64)];
	void *key;
	int err;

	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (attr->flags & BPFMAPS_F_LOCK)
		return -EINVAL;
	if (!map->ops->map_update_elem)
		return -BPFMAPS_ENOTSUPP;
	key = elem_copy_in(stack, sizeof(stack), attr->key, map->key_size);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = elem_update(map, key, attr->value, attr->flags);
	elem_buf_free(stack, key);
	return err;
}

/* BPFMAPS_MAP_DELETE_ELEM */
int bpfmaps_elem_delete(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr)
{
	u64 stack[ELEM_STACK_KEY / sizeof(u64)];
	int err, idx;
	void *key;

	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (!map->ops->map_delete_elem)
		return -BPFMAPS_ENOTSUPP;
	key = elem_copy_in(stack, sizeof(stack), attr->key, map->key_size);
	if (IS_ERR(key))
		return PTR_ERR(key);
	idx = srcu_read_lock(&bpfmaps_map_writers);
	if (READ_ONCE(map->frozen))
		err = -EPERM;
	else
		err = map->ops->map_delete_elem(map, key);
	srcu_read_unlock(&bpfmaps_map_writers, idx);
	elem_buf_free(stack, key);
	return err;
}

static int elem_next_key(struct bpfmaps_map *map, const void *key, u64 to)
{
	u64 stack[ELEM_STACK_KEY / sizeof(u64)];
	void *next = elem_buf(stack, sizeof(stack), map->key_size);
	int err;

	if (!next)
		return -ENOMEM;
	err = map->ops->map_get_next_key(map, key, next);
	if (!err && copy_to_user(u64_to_user_ptr(to), next, map->key_size))
		err = -EFAULT;
	elem_buf_free(stack, next);
	return err;
}

/* BPFMAPS_MAP_GET_NEXT_KEY */
int bpfmaps_elem_next_key(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_elem_attr *attr)
{
	u64 stack[ELEM_STACK_KEY / sizeof(u64)];
	void *key;
	int err;

	if (!(mode & FMODE_CAN_READ))
		return -EPERM;
	if (!map->ops->map_get_next_key)
		return -BPFMAPS_ENOTSUPP;
	if (!attr->key)
		return elem_next_key(map, NULL, attr->next_key);
	key = elem_copy_in(stack, sizeof(stack), attr->key, map->key_size);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = elem_next_key(map, key, attr->next_key);
	elem_buf_free(stack, key);
	return err;
}
