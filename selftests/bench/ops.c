// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands on elements: one at a time, in batches, and walking through the keys.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"

/* Of one call, or of one element in a batch. */
static void report_each(const struct bench *b, const char *op, const char *unit, uint64_t from,
			__u32 count)
{
	report(b, op, unit, (double)(now() - from) / count);
}

/* Keys are numbers; those of a trie prefixes of 32 bits, in another order than the numbers. */
static void set_key(struct bench *b, __u32 nr)
{
	if (b->shape->type == BPF_MAP_TYPE_LPM_TRIE) {
		nr *= 2654435761u;
		memcpy(b->key + 4, &nr, sizeof(nr));
	} else {
		memcpy(b->key, &nr, sizeof(nr));
	}
}

static __u32 map_fd(const struct bench *b)
{
	return b->way == OWN ? -1 : b->map;
}

/* One call for each key that is measured, from @first on. */
static void each(struct bench *b, const char *op, unsigned int cmd, __u32 first, unsigned int size,
		 int expected)
{
	const __u32 stride = b->elements / b->count;
	uint64_t from;
	__u32 i;

	memset(&b->attr, 0, sizeof(b->attr));
	b->attr.map_fd = map_fd(b);
	b->attr.key = b->shape->key ? (uintptr_t)b->key : 0;
	if (size > DELETE_ATTR)
		b->attr.value = (uintptr_t)b->value;
	from = now();
	for (i = 0; i < b->count; i++) {
		set_key(b, first + i * stride);
		b->failed += (call(b->way, b->map, cmd, &b->attr, size) < 0 ? -errno : 0) !=
			     expected;
	}
	report_each(b, op, "call", from, b->count);
}

/**
 * struct buffers - keys and values of batches
 * @room: for as many elements
 * @keys: key_size bytes each
 * @values: what a call on one element has as its value
 * @value_size: bytes of these
 */
struct buffers {
	__u32 room;
	unsigned char *keys;
	unsigned char *values;
	size_t value_size;
};

static bool is_percpu(const struct shape *s)
{
	return s->type == BPF_MAP_TYPE_PERCPU_HASH || s->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Touched, so that no page fault is counted. */
static void get_buffers(struct buffers *buf, const struct shape *s, __u32 room)
{
	buf->room = room;
	buf->value_size = s->value;
	if (is_percpu(s))
		buf->value_size = (s->value + 7) / 8 * 8 * sysconf(_SC_NPROCESSORS_CONF);
	buf->keys = malloc((size_t)room * s->key);
	buf->values = malloc(room * buf->value_size);
	if (!buf->keys || !buf->values) {
		perror("malloc");
		exit(1);
	}
	memset(buf->keys, 1, (size_t)room * s->key);
	memset(buf->values, 1, room * buf->value_size);
}

static void put_buffers(struct buffers *buf)
{
	free(buf->keys);
	free(buf->values);
}

static void set_keys(struct bench *b, struct buffers *buf, __u32 first, __u32 stride, __u32 count)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		set_key(b, first + i * stride);
		memcpy(buf->keys + (size_t)i * b->shape->key, b->key, b->shape->key);
	}
}

/* A batch of up to @count elements, which are those in @buf from @at on; 0 or an errno. */
static int batch(struct bench *b, unsigned int cmd, const struct buffers *buf, __u32 at,
		 __u32 count)
{
	b->attr.batch.map_fd = map_fd(b);
	b->attr.batch.keys = (uintptr_t)(buf->keys + (size_t)at * b->shape->key);
	b->attr.batch.values = (uintptr_t)(buf->values + at * buf->value_size);
	b->attr.batch.count = count;
	return call(b->way, b->map, cmd, &b->attr, sizeof(b->attr.batch)) < 0 ? errno : 0;
}

static void update_batches(struct bench *b, __u32 step, const struct buffers *buf)
{
	__u32 done, count;
	uint64_t from;
	char op[32];

	memset(&b->attr, 0, sizeof(b->attr));
	from = now();
	for (done = 0; done < b->count; done += count) {
		count = step < b->count - done ? step : b->count - done;
		b->failed += batch(b, BPF_MAP_UPDATE_BATCH, buf, done, count) != 0;
	}
	snprintf(op, sizeof(op), "batch update by %u", step);
	report_each(b, op, "element", from, b->count);
}

/*
 * Batches of @step, until @count elements have come. A hash returns whole buckets: for one that is
 * larger than the step there is another call with twice the room, as programs have it. Returns how
 * many came.
 */
static __u32 collect(struct bench *b, __u32 step, __u32 count, __u64 *cursor, bool *begun,
		     const struct buffers *buf)
{
	__u32 done = 0, room = step;
	int err;

	while (done < count) {
		b->attr.batch.in_batch = *begun ? (uintptr_t)cursor : 0;
		err = batch(b, BPF_MAP_LOOKUP_BATCH, buf, 0, room);
		*begun = true;
		room = err == ENOSPC ? 2 * room : step;
		if (err == ENOSPC && room <= buf->room)
			continue;
		done += b->attr.batch.count;
		if (err) {
			b->failed += err != ENOENT;
			break;
		}
	}
	return done;
}

/* In a large map from its middle on, where it has to go on and not to begin again. */
static void lookup_batches(struct bench *b, __u32 step, const struct buffers *buf)
{
	__u64 cursor[MAX_KEY / 8] = { };
	bool begun = false;
	uint64_t from;
	__u32 done;
	char op[32];

	memset(&b->attr, 0, sizeof(b->attr));
	b->attr.batch.out_batch = (uintptr_t)cursor;
	if (b->elements > ELEMENTS)
		collect(b, ELEMENTS, b->elements / 2, cursor, &begun, buf);
	from = now();
	done = collect(b, step, b->count, cursor, &begun, buf);
	b->failed += done < b->count;
	snprintf(op, sizeof(op), "batch lookup by %u", step);
	report_each(b, op, "element", from, done);
}

static void batch_rows(struct bench *b)
{
	static const __u32 steps[] = { 1, 10, 100, ELEMENTS };
	struct buffers buf;
	unsigned int i;

	get_buffers(&buf, b->shape, ELEMENTS);
	set_keys(b, &buf, 0, b->elements / b->count, b->count);
	for (i = 0; i < ARRAY_LEN(steps); i++)
		update_batches(b, steps[i], &buf);
	for (i = 0; i < ARRAY_LEN(steps); i++)
		lookup_batches(b, steps[i], &buf);
	put_buffers(&buf);
}

/* From one key to the next, from the first one on. */
static void next_keys(struct bench *b)
{
	unsigned char keys[2][MAX_KEY];
	uint64_t from = now();
	__u32 i;

	memset(&b->attr, 0, sizeof(b->attr));
	b->attr.map_fd = map_fd(b);
	for (i = 0; i < b->count; i++) {
		b->attr.key = i ? (uintptr_t)keys[i & 1] : 0;
		b->attr.next_key = (uintptr_t)keys[~i & 1];
		b->failed += call(b->way, b->map, BPF_MAP_GET_NEXT_KEY, &b->attr, NEXT_ATTR) < 0;
	}
	report_each(b, "next key", "call", from, b->count);
}

/* What a program does that shows all of a map: next key and look-up, to the end. */
static void dump_map(struct bench *b)
{
	unsigned char keys[2][MAX_KEY];
	uint64_t from = now();
	__u32 i;

	for (i = 0; i <= b->elements; i++) {
		memset(&b->attr, 0, ELEM_ATTR);
		b->attr.map_fd = map_fd(b);
		b->attr.key = i ? (uintptr_t)keys[i & 1] : 0;
		b->attr.next_key = (uintptr_t)keys[~i & 1];
		if (call(b->way, b->map, BPF_MAP_GET_NEXT_KEY, &b->attr, NEXT_ATTR) < 0)
			break;
		b->attr.key = (uintptr_t)keys[~i & 1];
		b->attr.value = (uintptr_t)b->value;
		b->failed += call(b->way, b->map, BPF_MAP_LOOKUP_ELEM, &b->attr, ELEM_ATTR) < 0;
	}
	b->failed += i != b->elements || errno != ENOENT;
	report_each(b, "dump key by key", "element", from, b->elements);
}

/* All elements, by batches. */
void fill(struct bench *b)
{
	struct buffers buf;
	uint64_t took = 0, from;
	__u32 done, count;

	get_buffers(&buf, b->shape, ELEMENTS);
	for (done = 0; done < b->elements; done += count) {
		count = b->elements - done < ELEMENTS ? b->elements - done : ELEMENTS;
		set_keys(b, &buf, done, 1, count);
		memset(&b->attr, 0, sizeof(b->attr));
		from = now();
		b->failed += batch(b, BPF_MAP_UPDATE_BATCH, &buf, 0, count) != 0;
		took += now() - from;
	}
	report(b, is_array(b->shape) ? "batch update of all" : "batch insert of all", "element",
	       (double)took / b->elements);
	put_buffers(&buf);
}

/* All elements, one by one. */
void insert_rows(struct bench *b)
{
	const __u32 count = b->count;

	b->count = b->elements;
	each(b, "insert", BPF_MAP_UPDATE_ELEM, 0, ELEM_ATTR, 0);
	b->count = count;
}

/* All elements are there. The last row tells whether keys that were just deleted cost more. */
void keyed_rows(struct bench *b)
{
	each(b, "update", BPF_MAP_UPDATE_ELEM, 0, ELEM_ATTR, 0);
	each(b, "lookup", BPF_MAP_LOOKUP_ELEM, 0, ELEM_ATTR, 0);
	if (b->shape->type != BPF_MAP_TYPE_LPM_TRIE)
		each(b, "miss", BPF_MAP_LOOKUP_ELEM, b->elements, ELEM_ATTR, -ENOENT);
	next_keys(b);
	if (b->elements != ELEMENTS && b->elements <= 1 << 16)
		dump_map(b);
	batch_rows(b);
	if (is_array(b->shape))
		return;
	each(b, "delete", BPF_MAP_DELETE_ELEM, 0, DELETE_ATTR, 0);
	if (b->elements != ELEMENTS)
		each(b, "insert again", BPF_MAP_UPDATE_ELEM, 0, ELEM_ATTR, 0);
}

void keyless_rows(struct bench *b)
{
	each(b, "push", BPF_MAP_UPDATE_ELEM, 0, ELEM_ATTR, 0);
	each(b, "peek", BPF_MAP_LOOKUP_ELEM, 0, ELEM_ATTR, 0);
	if (b->shape->type != BPF_MAP_TYPE_BLOOM_FILTER)
		each(b, "pop", BPF_MAP_LOOKUP_AND_DELETE_ELEM, 0, ELEM_ATTR, 0);
}

void guard_rows(struct bench *b)
{
	struct buffers buf;

	if (!is_array(b->shape)) {
		insert_rows(b);
		each(b, "update", BPF_MAP_UPDATE_ELEM, 0, ELEM_ATTR, 0);
	}
	each(b, "lookup", BPF_MAP_LOOKUP_ELEM, 0, ELEM_ATTR, 0);
	if (!is_array(b->shape)) {
		get_buffers(&buf, b->shape, ELEMENTS);
		lookup_batches(b, ELEMENTS, &buf);
		put_buffers(&buf);
	}
}
