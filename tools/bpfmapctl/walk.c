// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: all elements of a map
 *
 * Both go by batches where the type has them: a walk over the buckets of a hash, in batches, meets
 * no element twice and always ends. The other types are walked key by key.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdlib.h>

#include "elem.h"
#include "map.h"
#include "output.h"
#include "progress.h"
#include "select.h"
#include "text.h"
#include "walk.h"

/* About so many bytes are copied at a time. */
#define BATCH_BYTES	(64 * 1024)

/* The type has no batches. */
#define STATUS_NO_BATCH	(-1)

/* Whom to show the elements; @visit is NULL when they are just removed. */
struct visitor {
	walk_fn visit;
	void *arg;
	__u32 found;
};

typedef int (*batch_fn)(int fd, const void *in_batch, void *out_batch, void *keys, void *values,
			__u32 *count, const struct bpfmaps_map_batch_opts *opts);

/**
 * struct batch - room for a batch of elements
 * @cursor: where the next one begins
 * @keys: the keys
 * @values: the values
 * @room: for how many elements there is room
 */
struct batch {
	__u8 *cursor;
	__u8 *keys;
	__u8 *values;
	__u32 room;
};

static void batch_resize(struct batch *batch, const struct request *request, __u32 room)
{
	free(batch->keys);
	free(batch->values);
	batch->keys = text_alloc((size_t)room * request->info.key_size);
	batch->values = text_alloc((size_t)room * request->value_room);
	batch->room = room;
}

static void batch_init(struct batch *batch, const struct request *request)
{
	size_t size = request->info.key_size + request->value_room;

	/* The cursor is a key, or a number of 4 bytes. */
	batch->cursor = text_alloc(request->info.key_size + sizeof(__u32));
	batch_resize(batch, request, size < BATCH_BYTES ? BATCH_BYTES / size : 1);
}

static void batch_free(struct batch *batch)
{
	free(batch->cursor);
	free(batch->keys);
	free(batch->values);
}

static int visit_batch(const struct request *request, const struct batch *batch, __u32 count,
		       struct visitor *visitor)
{
	int status = STATUS_OK;

	visitor->found += count;
	if (!visitor->visit) {
		progress_add(count);
		return STATUS_OK;
	}
	for (__u32 i = 0; i < count && !status; i++)
		status = visitor->visit(request, batch->keys + (size_t)i * request->info.key_size,
					batch->values + (size_t)i * request->value_room,
					visitor->arg);
	return status;
}

static int fail_batch(const struct request *request, const struct visitor *visitor, int err)
{
	return visitor->visit ? fail_elem(request, "cannot look up the elements of", err) :
				fail_delete(request, err);
}

/*
 * When the key at hand is removed by somebody else a prefix trie begins again, so that the walk
 * might never end: it goes no further than the map can have elements.
 */
static bool walk_ends(const struct request *request, __u32 found)
{
	return request->info.type == BPFMAPS_TYPE_LPM_TRIE && found >= request->info.max_entries;
}

static int walk_batches(const struct request *request, struct batch *batch,
			struct visitor *visitor)
{
	batch_fn next = visitor->visit ? bpfmaps_map_lookup_batch :
					 bpfmaps_map_lookup_and_delete_batch;
	const __u8 *in = NULL;
	int status, err;
	__u32 count;

	do {
		count = batch->room;
		err = next(request->fd, in, batch->cursor, batch->keys, batch->values, &count,
			   NULL);
		if (err == -ENOTSUPP_KERNEL)
			return STATUS_NO_BATCH;
		if (err == -ENOSPC) {
			batch_resize(batch, request, 2 * batch->room);
			continue;
		}
		if (err && err != -ENOENT)
			return fail_batch(request, visitor, err);
		status = visit_batch(request, batch, count, visitor);
		if (status)
			return status;
		in = batch->cursor;
	} while (err != -ENOENT && !walk_ends(request, visitor->found));
	return STATUS_OK;
}

static int visit_elem(const struct request *request, const __u8 *key, __u8 *value,
		      struct visitor *visitor)
{
	int err = bpfmaps_map_lookup_elem(request->fd, key, value);

	/* Removed since its key was found. */
	if (err == -ENOENT)
		return STATUS_OK;
	if (err)
		return fail_elem(request, "cannot look up an element of", err);
	return visitor->visit(request, key, value, visitor->arg);
}

/* As many steps as the map can have elements. */
static int walk_keys(const struct request *request, __u8 *key, __u8 *value,
		     struct visitor *visitor)
{
	const __u8 *prev = NULL;
	int status, err;

	for (__u32 i = 0; i < request->info.max_entries; i++) {
		err = bpfmaps_map_get_next_key(request->fd, prev, key);
		if (err == -ENOENT)
			return STATUS_OK;
		if (err)
			return fail_elem(request, "cannot walk the keys of", err);
		prev = key;
		status = visit_elem(request, key, value, visitor);
		if (status)
			return status;
	}
	return STATUS_OK;
}

int walk_elems(const struct request *request, walk_fn visit, void *arg)
{
	struct visitor visitor = { .visit = visit, .arg = arg };
	struct batch batch = { };
	int status;

	batch_init(&batch, request);
	status = walk_batches(request, &batch, &visitor);
	if (status == STATUS_NO_BATCH)
		status = walk_keys(request, batch.keys, batch.values, &visitor);
	batch_free(&batch);
	return status;
}

/* Delete the key behind @prev; NULL: the first. */
static int delete_next(const struct request *request, const __u8 *prev, __u8 *key)
{
	int err = bpfmaps_map_get_next_key(request->fd, prev, key);

	if (err)
		return err;
	err = bpfmaps_map_delete_elem(request->fd, key);
	/* Somebody else was faster. */
	return err == -ENOENT ? 0 : err;
}

/* Where others insert at the same time this ends all the same. */
static int clear_one_by_one(const struct request *request, __u8 *key, __u8 *value)
{
	/* In an array the keys stay, also without a map. */
	bool array = request->info.type == BPFMAPS_TYPE_ARRAY_OF_MAPS;
	int err = 0;

	for (__u32 i = 0; i < request->info.max_entries && !err; i++) {
		err = request->info.key_size ?
			delete_next(request, array && i ? key : NULL, key) :
			bpfmaps_map_lookup_and_delete_elem(request->fd, NULL, value);
		progress_add(!err);
	}
	return err && err != -ENOENT ? fail_delete(request, err) : STATUS_OK;
}

int map_clear(struct request *request)
{
	int status = STATUS_NO_BATCH;
	struct visitor visitor = { };
	struct batch batch = { };

	progress_begin(request->info.max_entries, false);
	batch_init(&batch, request);
	if (request->info.key_size)
		status = walk_batches(request, &batch, &visitor);
	if (status == STATUS_NO_BATCH)
		status = clear_one_by_one(request, batch.keys, batch.values);
	progress_end();
	batch_free(&batch);
	return status ? status : output_nothing();
}
