// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: the commands on one map
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elem.h"
#include "kind.h"
#include "map.h"
#include "output.h"
#include "select.h"
#include "text.h"

static int fail_no_key(const struct request *request)
{
	if (kind_is_bloom(request->info.type))
		return fail("map %u does not have that value", request->info.id);
	if (!request->info.key_size)
		return fail("map %u is empty", request->info.id);
	return fail("map %u has no such key: 'bpfmapctl dump id %u' shows those that it has",
		    request->info.id, request->info.id);
}

static int show_elem(const struct request *request, const __u8 *value, int err)
{
	if (err == -ENOENT)
		return fail_no_key(request);
	if (err == -EPERM)
		return fail_write(request, "cannot read and write", err);
	if (err)
		return fail_elem(request, "cannot look up in", err);
	elem_begin(request, false);
	elem_row(request, NULL, request->key.buf, value);
	return output_end();
}

/* A bloom filter is asked for a value, and gives none. */
static int lookup_value(const struct request *request)
{
	if (!request->value.buf)
		return fail_usage("lookup: 'value DATA' is missing: map %u is asked for a value",
				  request->info.id);
	return show_elem(request, request->value.buf,
			 bpfmaps_map_lookup_elem(request->fd, NULL, request->value.buf));
}

/* From here on there is only the value of the CPU that is asked for. Returns the flags for that. */
static __u64 only_cpu(struct request *request)
{
	if (!request->has_cpu)
		return 0;
	request->cpus = 0;
	request->value_room = request->info.value_size;
	return BPFMAPS_F_CPU | (__u64)request->cpu << 32;
}

static int fail_cpu(const struct request *request)
{
	return fail("there is no CPU %u: the last one is %d", request->cpu,
		    bpfmaps_num_possible_cpus() - 1);
}

int map_lookup(struct request *request)
{
	__u64 flags = request->touch ? BPFMAPS_F_TOUCH : 0;
	__u8 *value;
	int status, err;

	if (kind_is_bloom(request->info.type))
		return lookup_value(request);
	flags |= only_cpu(request);
	value = text_alloc(request->value_room);
	err = bpfmaps_map_lookup_elem_flags(request->fd, request->key.buf, value, flags);
	if (err == -ERANGE)
		status = fail_cpu(request);
	else if (err == -EINVAL && request->touch)
		status = fail("map %u is not an LRU map: a look-up changes nothing there",
			      request->info.id);
	else
		status = show_elem(request, value, err);
	free(value);
	return status;
}

static int fail_not_queue(const struct request *request)
{
	return fail("%s: map %u is neither a queue nor a stack", request->command->name,
		    request->info.id);
}

int map_peek(struct request *request)
{
	return kind_is_queue(request->info.type) ? map_lookup(request) : fail_not_queue(request);
}

int map_pop(struct request *request)
{
	__u8 *value;
	int status;

	if (!kind_is_queue(request->info.type))
		return fail_not_queue(request);
	value = text_alloc(request->value_room);
	status = show_elem(request, value,
			   bpfmaps_map_lookup_and_delete_elem(request->fd, NULL, value));
	free(value);
	return status;
}

/* Of a per-CPU map, all CPUs get the value, or just one. */
static int update_elem(struct request *request)
{
	__u64 flags = request->update_flags | only_cpu(request);
	size_t size = request->info.value_size;
	size_t stride = request->cpus ? request->value_room / request->cpus : size;
	__u8 *value = text_alloc(request->value_room);
	int err;

	for (size_t at = 0; at < request->value_room; at += stride)
		memcpy(value + at, request->value.buf, size);
	err = bpfmaps_map_update_elem(request->fd, request->key.buf, value, flags);
	free(value);
	return err;
}

int map_update(struct request *request)
{
	int err = update_elem(request);

	if (!err)
		return output_nothing();
	if (err == -ERANGE)
		return fail_cpu(request);
	if (err == -E2BIG && !request->info.key_size)
		return fail("map %u is full: max_entries is %u", request->info.id,
			    request->info.max_entries);
	if (err == -E2BIG || err == -ENOSPC)
		return fail("map %u has no room for that key: max_entries is %u",
			    request->info.id, request->info.max_entries);
	if (err == -EINVAL && request->value_fd >= 0)
		return fail("map %u does not take that map: it is not like its inner map",
			    request->info.id);
	if (err == -EEXIST)
		return fail("map %u has that key already: without 'noexist' it is replaced",
			    request->info.id);
	if (err == -ENOENT)
		return fail("map %u has no such key: without 'exist' it is inserted",
			    request->info.id);
	return fail_write(request, "cannot update", err);
}

int map_push(struct request *request)
{
	return kind_is_queue(request->info.type) ? map_update(request) : fail_not_queue(request);
}

int map_delete(struct request *request)
{
	int err;

	if (!request->info.key_size)
		return fail_keyless(request);
	err = bpfmaps_map_delete_elem(request->fd, request->key.buf);
	if (!err)
		return output_nothing();
	if (err == -ENOENT)
		return fail_no_key(request);
	return fail_delete(request, err);
}

int map_getnext(struct request *request)
{
	/* Without a key there is no list: the cell stays empty, which JSON shows as null. */
	const struct column columns[] = {
		{ "KEY", "key", request->key.buf ? CELL_LIST : CELL_TEXT, false },
		{ "NEXT_KEY", "next_key", CELL_LIST, false },
	};
	const __u8 *key = request->key.buf;
	int status, err;
	__u8 *next;

	if (!request->info.key_size)
		return fail_keyless(request);
	next = text_alloc(request->info.key_size);
	err = bpfmaps_map_get_next_key(request->fd, key, next);
	if (err == -ENOENT) {
		status = fail(key ? "map %u: that key is the last one" : "map %u has no keys",
			      request->info.id);
	} else if (err) {
		status = fail_elem(request, "cannot walk the keys of", err);
	} else {
		output_begin(columns, 2, false);
		output_row();
		if (key)
			output_cell(0, elem_data(request->key_format, key,
						 request->info.key_size));
		output_cell(1, elem_data(request->key_format, next, request->info.key_size));
		status = output_end();
	}
	free(next);
	return status;
}

int map_pin_at(int fd, const char *path)
{
	const char *right = NULL;
	int err = bpfmaps_obj_pin(fd, path);

	if (!err)
		return STATUS_OK;
	if (err == -EPERM)
		right = "FILE has to be on a bpfmaps filesystem, its name without '.'";
	else if (err == -EEXIST)
		right = "remove it first, or take another FILE";
	else if (err == -ENOENT)
		right = "its directory has to exist";
	return fail_command(err, right, "cannot pin to '%s'", path);
}

int map_pin(struct request *request)
{
	int status = map_pin_at(request->fd, request->file);

	return status ? status : output_nothing();
}

int map_freeze(struct request *request)
{
	int err = bpfmaps_map_freeze(request->fd);

	if (!err)
		return output_nothing();
	if (err == -EBUSY)
		return fail("cannot freeze map %u: it is frozen, or mapped for writing",
			    request->info.id);
	return fail_elem(request, "cannot freeze", err);
}

/* What the type asks for, beyond right flags. */
static const char *type_rules(__u32 type)
{
	switch (type) {
	case BPFMAPS_TYPE_QUEUE:
	case BPFMAPS_TYPE_STACK:
	case BPFMAPS_TYPE_BLOOM_FILTER:
		return "the key has to be 0, nothing else may be 0, flags have to suit the type";
	case BPFMAPS_TYPE_RINGBUF:
	case BPFMAPS_TYPE_USER_RINGBUF:
		return "key and value have to be 0, the entries a power of two and whole pages";
	case BPFMAPS_TYPE_ARRAY_OF_MAPS:
	case BPFMAPS_TYPE_HASH_OF_MAPS:
		return "no size may be 0, values are 4 bytes, the inner map holds no maps itself";
	case BPFMAPS_TYPE_LPM_TRIE:
		return "the key has to be 5 to 260 bytes, and flags 1 (no preallocation)";
	default:
		return "no size may be 0, array keys are 4 bytes, flags have to suit the type";
	}
}

static int fail_create(const struct request *request, int err)
{
	const char *right = NULL;

	if (err == -EINVAL)
		right = type_rules(request->type);
	else if (err == -E2BIG)
		right = "smaller sizes or fewer entries";
	else if (err == -ENOMEM)
		right = "fewer entries";
	return fail_command(err, right,
			    "cannot create type %s key %u value %u entries %u flags 0x%x",
			    bpfmaps_type_name(request->type), request->key_size,
			    request->value_size, request->max_entries, request->flags);
}

int map_create(struct request *request)
{
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts, .map_flags = request->flags,
		     .numa_node = request->numa_node, .map_extra = request->extra);
	bool holds_maps = kind_holds_maps(request->type);
	int status;
	int fd;

	if (holds_maps && request->inner_fd < 0)
		return fail_usage("create: 'inner_map MAP' is missing: what the map will hold");
	if (!holds_maps && request->inner_fd >= 0)
		return fail_usage("create: type %s holds no maps",
				  bpfmaps_type_name(request->type));
	if (request->inner_fd >= 0)
		opts.inner_map_fd = request->inner_fd;
	if (request->has_numa_node)
		opts.map_flags |= BPFMAPS_F_NUMA_NODE;
	fd = bpfmaps_map_create(request->type, request->name, request->key_size,
				request->value_size, request->max_entries, &opts);
	if (fd < 0)
		return fail_create(request, fd);
	status = map_pin_at(fd, request->file);
	close(fd);
	return status ? status : output_nothing();
}
