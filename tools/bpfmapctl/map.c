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

#include "map.h"
#include "output.h"
#include "select.h"
#include "text.h"

/* In tables data with a format stands in its column, in JSON in an object beside the bytes. */
enum elem_column {
	ELEM_KEY,
	ELEM_VALUE,
	ELEM_FORMATTED,
};

static const struct column elem_columns[] = {
	[ELEM_KEY] = { "KEY", "key", CELL_LIST, false },
	[ELEM_VALUE] = { "VALUE", "value", CELL_LIST, false },
	[ELEM_FORMATTED] = { NULL, "formatted", CELL_JSON, false },
};

static bool has_format(const struct request *request)
{
	return request->key_format || request->value_format;
}

static void elem_begin(const struct request *request, bool list)
{
	struct column columns[] = {
		elem_columns[ELEM_KEY],
		elem_columns[ELEM_VALUE],
		elem_columns[ELEM_FORMATTED],
	};

	if (request->key_format)
		columns[ELEM_KEY].right = request->key_format->number;
	if (request->value_format)
		columns[ELEM_VALUE].right = request->value_format->number;
	output_begin(columns, has_format(request) ? 3 : 2, list);
}

static char *formatted_json(const struct request *request, const __u8 *key, const __u8 *value)
{
	struct column columns[2];
	char *texts[2];
	char *object;
	size_t nr = 0;

	if (request->key_format) {
		columns[nr] = (struct column){ NULL, "key", CELL_TEXT, false };
		if (request->key_format->number)
			columns[nr].kind = CELL_NUMBER;
		texts[nr++] = request->key_format->print(request->key_format, key,
							 request->info.key_size);
	}
	if (request->value_format) {
		columns[nr] = (struct column){ NULL, "value", CELL_TEXT, false };
		if (request->value_format->number)
			columns[nr].kind = CELL_NUMBER;
		texts[nr++] = request->value_format->print(request->value_format, value,
							   request->info.value_size);
	}
	object = output_object(columns, texts, nr);
	while (nr--)
		free(texts[nr]);
	return object;
}

static char *data_text(const struct data_format *format, const __u8 *data, size_t size)
{
	if (format && !output_mode.json)
		return format->print(format, data, size);
	return output_bytes(data, size);
}

static int elem_row(const struct request *request, const __u8 *key, const __u8 *value)
{
	int status = output_row();

	output_cell(ELEM_KEY, data_text(request->key_format, key, request->info.key_size));
	output_cell(ELEM_VALUE, data_text(request->value_format, value,
					  request->info.value_size));
	if (output_mode.json && has_format(request))
		output_cell(ELEM_FORMATTED, formatted_json(request, key, value));
	return status;
}

static int fail_elem(const struct request *request, const char *what, int err)
{
	return fail("%s map %u: %s", what, request->info.id, select_strerror(err));
}

static int dump_elem(const struct request *request, const __u8 *key, __u8 *value, __u32 *found)
{
	int err = bpfmaps_map_lookup_elem(request->fd, key, value);

	/* Removed since its key was found. */
	if (err == -ENOENT)
		return STATUS_OK;
	if (err)
		return fail_elem(request, "cannot look up an element of", err);
	++*found;
	return elem_row(request, key, value);
}

/*
 * When the key at hand is removed by somebody else the walk begins again, so that it might never
 * end: no more steps are made than the map can have elements.
 */
static int dump_walk(const struct request *request, __u8 *key, __u8 *value, __u32 *found)
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
		status = dump_elem(request, key, value, found);
		if (status)
			return status;
	}
	return STATUS_OK;
}

int map_dump(struct request *request)
{
	__u8 *value = text_alloc(request->info.value_size);
	__u8 *key = text_alloc(request->info.key_size);
	__u32 found = 0;
	int status;

	elem_begin(request, true);
	status = dump_walk(request, key, value, &found);
	if (!status)
		status = output_end();
	if (!status && !output_mode.json)
		printf("Found %u element%s\n", found, found == 1 ? "" : "s");
	free(value);
	free(key);
	return status;
}

static int fail_no_key(const struct request *request)
{
	return fail("map %u has no such key: 'bpfmapctl dump id %u' shows those that it has",
		    request->info.id, request->info.id);
}

int map_lookup(struct request *request)
{
	__u8 *value = text_alloc(request->info.value_size);
	int status, err;

	err = bpfmaps_map_lookup_elem(request->fd, request->key.buf, value);
	if (err == -ENOENT) {
		status = fail_no_key(request);
	} else if (err) {
		status = fail_elem(request, "cannot look up in", err);
	} else {
		elem_begin(request, false);
		elem_row(request, request->key.buf, value);
		status = output_end();
	}
	free(value);
	return status;
}

static int fail_write(const struct request *request, const char *what, int err)
{
	if (err == -EPERM)
		return fail("%s map %u: it is frozen, or you may only read it", what,
			    request->info.id);
	return fail_elem(request, what, err);
}

int map_update(struct request *request)
{
	int err = bpfmaps_map_update_elem(request->fd, request->key.buf, request->value.buf,
					  request->update_flags);

	if (!err)
		return output_nothing();
	if (err == -E2BIG)
		return fail("map %u has no room for that key: max_entries is %u",
			    request->info.id, request->info.max_entries);
	if (err == -EEXIST)
		return fail("map %u has that key already: without 'noexist' it is replaced",
			    request->info.id);
	if (err == -ENOENT)
		return fail("map %u has no such key: without 'exist' it is inserted",
			    request->info.id);
	return fail_write(request, "cannot update", err);
}

int map_delete(struct request *request)
{
	int err = bpfmaps_map_delete_elem(request->fd, request->key.buf);

	if (!err)
		return output_nothing();
	if (err == -ENOENT)
		return fail_no_key(request);
	if (err == -EINVAL)
		return fail("cannot delete from map %u: its elements stay; update them instead",
			    request->info.id);
	return fail_write(request, "cannot delete from", err);
}

int map_getnext(struct request *request)
{
	/* Without a key there is no list: the cell stays empty, which JSON shows as null. */
	const struct column columns[] = {
		{ "KEY", "key", request->key.buf ? CELL_LIST : CELL_TEXT, false },
		{ "NEXT_KEY", "next_key", CELL_LIST, false },
	};
	__u8 *next = text_alloc(request->info.key_size);
	const __u8 *key = request->key.buf;
	int status, err;

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
			output_cell(0, data_text(request->key_format, key,
						 request->info.key_size));
		output_cell(1, data_text(request->key_format, next, request->info.key_size));
		status = output_end();
	}
	free(next);
	return status;
}

static int pin_at(int fd, const char *path)
{
	const char *right = NULL;
	int err = bpfmaps_obj_pin(fd, path);

	if (!err)
		return output_nothing();
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
	return pin_at(request->fd, request->file);
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

static int fail_create(const struct request *request, int err)
{
	const char *right = NULL;

	if (err == -EINVAL)
		right = "no size may be 0, array keys are 4 bytes, flags have to suit the type";
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
		     .numa_node = request->numa_node);
	int status;
	int fd;

	if (request->has_numa_node)
		opts.map_flags |= BPFMAPS_F_NUMA_NODE;
	fd = bpfmaps_map_create(request->type, request->name, request->key_size,
				request->value_size, request->max_entries, &opts);
	if (fd < 0)
		return fail_create(request, fd);
	status = pin_at(fd, request->file);
	close(fd);
	return status;
}
