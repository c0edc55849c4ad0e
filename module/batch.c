// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands on many elements
 *
 * Keys and values go between user space and the kernel in chunks, which are filled and worked off
 * outside of all locks. The count that a caller gets back is how many elements were done, also when
 * the call failed. A look-up that deletes has delivered an element before it takes it out, and
 * leaves in the map what was changed in between.
 *
 * Where a look-up goes on is told by in_batch: for types with map_collect a __u32 that the type
 * makes something of, for the others a key. To and from types without keys many values are pushed
 * and popped.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "map.h"
#include "ucopy.h"

/* About so many bytes make a chunk; the keys are rounded up to 8. */
#define BATCH_CHUNK	(BPFMAPS_BUF_SIZE - 8)

/* Where this is enough, nothing is allocated. */
#define BATCH_STACK	512

/**
 * struct batch - one call
 * @map: the map
 * @attr: the caller's argument
 * @chunk: keys and values in the kernel; @chunk.room elements fit
 * @stack: memory for a small chunk
 * @bytes: of @chunk.keys, with the values behind them
 * @cap: what @chunk has memory for
 * @done: elements that are over
 */
struct batch {
	struct bpfmaps_map *map;
	const struct bpfmaps_batch_attr *attr;
	struct bpfmaps_chunk chunk;
	void *stack;
	u32 bytes;
	u32 cap;
	u32 done;
};

/* A usual chunk goes word by word; values that are larger in pieces, others run between them. */
static int batch_get(void *to, const void __user *from, u64 size)
{
	u64 piece, done;

	if (BPFMAPS_UCOPY_WORDS && size <= BATCH_CHUNK)
		return bpfmaps_get_words(to, from, size);
	for (done = 0; done < size; done += piece) {
		piece = min_t(u64, size - done, SZ_1M);
		if (copy_from_user(to + done, from + done, piece))
			return -EFAULT;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static int batch_put(void __user *to, const void *from, u64 size)
{
	u64 piece, done;

	if (BPFMAPS_UCOPY_WORDS && size <= BATCH_CHUNK)
		return bpfmaps_put_words(to, from, size);
	for (done = 0; done < size; done += piece) {
		piece = min_t(u64, size - done, SZ_1M);
		if (copy_to_user(to + done, from + done, piece))
			return -EFAULT;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

static void __user *batch_keys(const struct batch *b, u32 nr)
{
	return u64_to_user_ptr(b->attr->keys) + (u64)nr * b->map->key_size;
}

static void __user *batch_values(const struct batch *b, u32 nr)
{
	return u64_to_user_ptr(b->attr->values) + (u64)nr * b->chunk.value_size;
}

static u32 batch_left(const struct batch *b)
{
	return b->attr->count - b->done;
}

static void *chunk_key(const struct batch *b, u32 nr)
{
	return b->chunk.keys + (u64)nr * b->map->key_size;
}

static void *chunk_value(const struct batch *b, u32 nr)
{
	return b->chunk.values + (u64)nr * b->chunk.value_size;
}

static void batch_free(struct batch *b)
{
	if (b->bytes > BATCH_STACK)
		bpfmaps_buf_free(b->chunk.keys, b->bytes);
	b->bytes = 0;
}

/* Memory for @cap elements. */
static int batch_alloc(struct batch *b, u32 cap)
{
	u64 keys = (u64)cap * b->map->key_size;
	u64 values = (u64)cap * b->chunk.value_size;

	batch_free(b);
	b->cap = cap;
	keys = round_up(keys, 8);
	if (keys > INT_MAX || values > INT_MAX)
		return -ENOMEM;
	b->bytes = keys + values;
	b->chunk.keys = b->bytes <= BATCH_STACK ? b->stack : bpfmaps_buf_alloc(b->map, b->bytes);
	b->chunk.values = b->chunk.keys + keys;
	return b->chunk.keys ? 0 : -ENOMEM;
}

static u32 batch_usual_cap(const struct batch *b)
{
	u64 size = (u64)b->map->key_size + b->chunk.value_size;

	return clamp_t(u64, BATCH_CHUNK / size, 1, b->attr->count);
}

static void batch_begin_chunk(struct batch *b)
{
	b->chunk.fill = 0;
	b->chunk.room = min(b->cap, batch_left(b));
}

/* Deliver the chunk behind what is done. */
static int batch_copy_out(struct batch *b)
{
	u64 keys = (u64)b->chunk.fill * b->map->key_size;
	u64 values = (u64)b->chunk.fill * b->chunk.value_size;

	if (batch_put(batch_keys(b, b->done), b->chunk.keys, keys) ||
	    batch_put(batch_values(b, b->done), b->chunk.values, values))
		return -EFAULT;
	return 0;
}

/* The element at @from has left the map: it goes behind those that have before. */
static void batch_keep(struct batch *b, u32 from)
{
	u32 to = b->chunk.fill++;

	if (to == from)
		return;
	memcpy(chunk_key(b, to), chunk_key(b, from), b->map->key_size);
	memcpy(chunk_value(b, to), chunk_value(b, from), b->chunk.value_size);
}

/* Take what was delivered out of the map. What was changed meanwhile stays; it leaves the chunk. */
static int batch_delete_chunk(struct batch *b)
{
	u32 i, nr = b->chunk.fill, in_place = 0;
	int err = 0;

	b->chunk.fill = 0;
	for (i = 0; i < nr && err != -EPERM; i++) {
		err = b->map->ops->map_delete_value(b->map, chunk_key(b, i), chunk_value(b, i));
		if (!err)
			batch_keep(b, i);
		if (b->chunk.fill > i)
			in_place = b->chunk.fill;
		bpfmaps_batch_pause(i);
	}
	err = err == -EPERM ? err : 0;
	if (in_place < b->chunk.fill && batch_copy_out(b)) {
		b->chunk.fill = in_place;
		err = -EFAULT;
	}
	b->done += b->chunk.fill;
	return err;
}

static int batch_deliver(struct batch *b, bool delete)
{
	int err = batch_copy_out(b);

	if (err)
		return err;
	if (delete)
		return batch_delete_chunk(b);
	b->done += b->chunk.fill;
	return 0;
}

/* Fill a chunk from @cursor on; a step of the type that has more elements gets more memory. */
static int batch_collect(struct batch *b, u32 *cursor)
{
	int err;

	batch_begin_chunk(b);
	err = b->map->ops->map_collect(b->map, cursor, &b->chunk);
	while (err == -ENOSPC && b->cap < batch_left(b)) {
		err = batch_alloc(b, min_t(u64, (u64)b->cap * 4, batch_left(b)));
		if (err)
			return err;
		batch_begin_chunk(b);
		err = b->map->ops->map_collect(b->map, cursor, &b->chunk);
	}
	return err;
}

/* Look up by a cursor of the type. Returns -ENOENT behind the last element. */
static int batch_lookup_cursor(struct batch *b, bool delete)
{
	const u32 __user *in = u64_to_user_ptr(b->attr->in_batch);
	u32 __user *out = u64_to_user_ptr(b->attr->out_batch);
	u32 start, cursor = 0;
	int err, end;

	if (in && get_user(cursor, in))
		return -EFAULT;
	start = cursor;
	do {
		end = batch_collect(b, &cursor);
		/* The next call goes on here, with room for more. */
		if (end == -ENOSPC && !b->done)
			break;
		if (end == -ENOSPC)
			end = 0;
		/* A start behind the end is no place to go on from. */
		if (end && (end != -ENOENT || cursor == start))
			return end;
		err = batch_deliver(b, delete);
		if (err)
			return err;
		if (bpfmaps_killed())
			return -EINTR;
	} while (!end && b->chunk.fill && batch_left(b));
	if (put_user(cursor, out))
		return -EFAULT;
	return end;
}

/* One more element behind @prev, which becomes it. An element that goes meanwhile is passed by. */
static int batch_next(struct batch *b, void *prev, bool *has_prev)
{
	void *key = chunk_key(b, b->chunk.fill);
	int err;

	err = b->map->ops->map_get_next_key(b->map, *has_prev ? prev : NULL, key);
	if (err)
		return err;
	memcpy(prev, key, b->map->key_size);
	*has_prev = true;
	err = b->map->ops->map_copy_value(b->map, key, chunk_value(b, b->chunk.fill),
					   b->attr->elem_flags);
	if (!err)
		b->chunk.fill++;
	return err == -ENOENT ? 0 : err;
}

/* Fill a chunk with what is behind @prev. */
static int batch_collect_next(struct batch *b, void *prev, bool *has_prev)
{
	int err;

	batch_begin_chunk(b);
	if (b->map->ops->map_collect_next) {
		err = b->map->ops->map_collect_next(b->map, *has_prev ? prev : NULL, &b->chunk);
		if (b->chunk.fill) {
			memcpy(prev, chunk_key(b, b->chunk.fill - 1), b->map->key_size);
			*has_prev = true;
		}
		return err;
	}
	do {
		err = batch_next(b, prev, has_prev);
		if (bpfmaps_killed())
			return -EINTR;
	} while (!err && b->chunk.fill < b->chunk.room);
	return err;
}

static int batch_lookup_keys_from(struct batch *b, void *prev)
{
	bool has_prev = b->attr->in_batch;
	int err, end;

	if (has_prev && batch_get(prev, u64_to_user_ptr(b->attr->in_batch), b->map->key_size))
		return -EFAULT;
	do {
		end = batch_collect_next(b, prev, &has_prev);
		if (end && end != -ENOENT)
			return end;
		err = batch_deliver(b, false);
		if (err)
			return err;
		if (bpfmaps_killed())
			return -EINTR;
	} while (!end && batch_left(b));
	if (b->done && batch_put(u64_to_user_ptr(b->attr->out_batch), prev, b->map->key_size))
		return -EFAULT;
	return end;
}

/* Look up by keys. Returns -ENOENT behind the last element. */
static int batch_lookup_keys(struct batch *b)
{
	u64 stack[2];
	void *prev = stack;
	int err;

	if (b->map->key_size > sizeof(stack))
		prev = bpfmaps_buf_alloc(b->map, b->map->key_size);
	if (!prev)
		return -ENOMEM;
	err = batch_lookup_keys_from(b, prev);
	if (prev != stack)
		bpfmaps_buf_free(prev, b->map->key_size);
	return err;
}

static int batch_lookup(struct batch *b)
{
	if (b->map->ops->map_collect)
		return batch_lookup_cursor(b, false);
	return batch_lookup_keys(b);
}

/* Pop a chunk, if it has safely arrived. Returns -ENOENT behind the last value. */
static int batch_pop_chunk(struct batch *b)
{
	const struct bpfmaps_map_ops *ops = b->map->ops;
	u64 ticket;
	int err, end;

	batch_begin_chunk(b);
	end = ops->map_peek_many(b->map, &b->chunk, &ticket);
	if (!b->chunk.fill)
		return end;
	err = batch_copy_out(b);
	if (!err)
		err = ops->map_pop_elems(b->map, ticket, b->chunk.fill, BPFMAPS_FROM_USER);
	if (err)
		return err;
	b->done += b->chunk.fill;
	return end;
}

static int batch_pop(struct batch *b)
{
	int err;

	do {
		err = batch_pop_chunk(b);
		if (bpfmaps_killed())
			return -EINTR;
	} while (err == -EAGAIN || (!err && batch_left(b)));
	return err;
}

static int batch_lookup_and_delete(struct batch *b)
{
	if (b->map->ops->map_peek_many)
		return batch_pop(b);
	return batch_lookup_cursor(b, true);
}

static int batch_update_chunk(struct batch *b, u32 *done)
{
	const struct bpfmaps_map_ops *ops = b->map->ops;
	int err = 0;

	if (ops->map_update_many)
		return ops->map_update_many(b->map, &b->chunk, b->attr->elem_flags, done);
	for (*done = 0; *done < b->chunk.fill; ++*done) {
		err = bpfmaps_map_write(b->map, chunk_key(b, *done), chunk_value(b, *done),
					b->attr->elem_flags);
		if (err)
			break;
		bpfmaps_batch_pause(*done);
	}
	return err;
}

static int batch_remove_chunk(struct batch *b, u32 *done)
{
	int err = 0;

	for (*done = 0; *done < b->chunk.fill; ++*done) {
		err = b->map->ops->map_delete_elem(b->map, chunk_key(b, *done), BPFMAPS_FROM_USER);
		if (err)
			break;
		bpfmaps_batch_pause(*done);
	}
	return err;
}

/* Copy in what comes next: a chunk, or as much of it as can be read. */
static int batch_copy_in(struct batch *b, bool values)
{
	batch_begin_chunk(b);
	b->chunk.fill = b->chunk.room;
	while (batch_get(b->chunk.keys, batch_keys(b, b->done),
			 (u64)b->chunk.fill * b->map->key_size) ||
	       (values && batch_get(b->chunk.values, batch_values(b, b->done),
				    (u64)b->chunk.fill * b->chunk.value_size))) {
		b->chunk.fill /= 2;
		if (!b->chunk.fill)
			return -EFAULT;
	}
	return 0;
}

static int batch_for_each(struct batch *b, bool values, int (*fn)(struct batch *b, u32 *done))
{
	u32 done;
	int err;

	while (batch_left(b)) {
		err = batch_copy_in(b, values);
		if (err)
			return err;
		err = fn(b, &done);
		b->done += done;
		if (err)
			return err;
		if (bpfmaps_killed())
			return -EINTR;
	}
	return 0;
}

static int batch_update(struct batch *b)
{
	return batch_for_each(b, true, batch_update_chunk);
}

static int batch_delete(struct batch *b)
{
	return batch_for_each(b, false, batch_remove_chunk);
}

static int batch_run(struct batch *b, u32 __user *ucount, int (*fn)(struct batch *b))
{
	int err;

	if (put_user(0, ucount))
		return -EFAULT;
	err = batch_alloc(b, batch_usual_cap(b));
	if (!err)
		err = fn(b);
	batch_free(b);
	if (put_user(b->done, ucount))
		return -EFAULT;
	return err;
}

static const struct batch_op {
	int (*fn)(struct batch *b);
	fmode_t mode;
	u32 elem_flags;
} batch_ops[] = {
	[BPFMAPS_BATCH_LOOKUP]		  = { batch_lookup, FMODE_CAN_READ,
					      BPFMAPS_F_CPU | BPFMAPS_F_TOUCH },
	[BPFMAPS_BATCH_LOOKUP_AND_DELETE] = { batch_lookup_and_delete,
					      FMODE_CAN_READ | FMODE_CAN_WRITE },
	[BPFMAPS_BATCH_UPDATE]		  = { batch_update, FMODE_CAN_WRITE, BPFMAPS_ONE_VALUE },
	[BPFMAPS_BATCH_DELETE]		  = { batch_delete, FMODE_CAN_WRITE },
};

static int batch_check(const struct bpfmaps_map *map, const struct bpfmaps_batch_attr *attr,
		       enum bpfmaps_batch_op op)
{
	int err = bpfmaps_elem_check_flags(map, attr->elem_flags, batch_ops[op].elem_flags);

	if (err)
		return err;
	/* bpf(2) looks at these for the look-ups of hash types only. */
	return attr->flags && map->ops->map_collect && batch_ops[op].mode & FMODE_CAN_READ ?
	       -EINVAL : 0;
}

/*
 * As single pushes and pops, whose flags the type knows. There are no keys and no place to go on
 * from: who has pointers to them gets what bpf(2) says, which has no such batches.
 */
static int batch_check_keyless(const struct bpfmaps_batch_attr *attr, enum bpfmaps_batch_op op)
{
	if (attr->keys || attr->in_batch || attr->out_batch)
		return -BPFMAPS_ENOTSUPP;
	return attr->flags || (attr->elem_flags && op != BPFMAPS_BATCH_UPDATE) ? -EINVAL : 0;
}

/* BPFMAPS_MAP_*_BATCH; @ucount is the count in the caller's argument. */
int bpfmaps_batch(struct bpfmaps_map *map, fmode_t mode, const struct bpfmaps_batch_attr *attr,
		  enum bpfmaps_batch_op op, u32 __user *ucount)
{
	u64 stack[BATCH_STACK / sizeof(u64)] __uninitialized;
	struct batch b = {
		.map = map,
		.attr = attr,
		.stack = stack,
		.chunk.flags = attr->elem_flags,
		.chunk.value_size = bpfmaps_map_io_size(map, attr->elem_flags),
	};
	int err;

	if (batch_ops[op].mode & ~mode)
		return -EPERM;
	if (!(map->ops->batch & BIT(op)))
		return -BPFMAPS_ENOTSUPP;
	if (map->key_size)
		err = batch_check(map, attr, op);
	else
		err = batch_check_keyless(attr, op);
	if (err)
		return err;
	if (!attr->count)
		return 0;
	err = batch_run(&b, ucount, batch_ops[op].fn);
	if (batch_ops[op].mode & FMODE_CAN_WRITE)
		bpfmaps_inner_wait(map);
	return err;
}
