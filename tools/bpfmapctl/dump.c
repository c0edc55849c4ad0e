// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: dump
 *
 * With "recursive" the elements of inner maps are shown as well: in a table as rows that begin with
 * the key of the inner map, in JSON as an array "elements" in the object of that key.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "elem.h"
#include "kind.h"
#include "map.h"
#include "output.h"
#include "progress.h"
#include "queue.h"
#include "save.h"
#include "select.h"
#include "walk.h"

/**
 * struct dump - a dump that goes on
 * @outer: where the elements of an inner map belong to
 * @found: how many elements the map has
 * @begun: the headings are there
 */
struct dump {
	struct elem_outer outer;
	__u32 found;
	bool begun;
};

static int print_found(const struct dump *dump)
{
	if (!output_mode.json)
		printf("Found %u element%s\n", dump->found, dump->found == 1 ? "" : "s");
	return STATUS_OK;
}

static int visit_plain(const struct request *request, const __u8 *key, const __u8 *value,
		       void *arg)
{
	struct dump *dump = arg;

	dump->found++;
	progress_add(1);
	return elem_row(request, NULL, key, value);
}

static int dump_plain(const struct request *request)
{
	struct dump dump = { };
	int status;

	elem_begin(request, true);
	status = walk_elems(request, visit_plain, &dump);
	if (!status)
		status = output_end();
	return status ? status : print_found(&dump);
}

int dump_open_inner(const struct request *outer, __u32 id, struct request *inner)
{
	BPFMAPS_OPTS(bpfmaps_open_opts, opts, .flags = BPFMAPS_F_RDONLY);
	int err;

	memset(inner, 0, sizeof(*inner));
	inner->inner_fd = -1;
	inner->value_fd = -1;
	inner->command = outer->command;
	inner->noun = outer->noun;
	inner->requeue = outer->requeue;
	inner->key_format = outer->inner_key_format;
	inner->value_format = outer->inner_value_format;
	inner->fd = bpfmaps_map_get_fd_by_id(id, &opts);
	if (inner->fd == -ENOENT)
		return STATUS_GONE;
	if (inner->fd < 0)
		return fail("map %u in map %u cannot be opened: %s", id, outer->info.id,
			    select_strerror(inner->fd));
	err = select_info(inner->fd, &inner->info);
	if (err)
		return fail("map %u does not say what it is: %s", id, select_strerror(err));
	return request_size_values(inner);
}

/* In the order in which they would come out. */
static int dump_queue(struct request *request)
{
	struct values values = { };
	struct dump dump = { };
	int status = queue_requeue(request, &values);

	if (!status)
		elem_begin(request, true);
	for (__u32 i = 0; i < values.nr && !status; i++)
		status = visit_plain(request, NULL, values.buf + i * values.size, &dump);
	if (!status)
		status = output_end();
	free(values.buf);
	return status ? status : print_found(&dump);
}

static int fail_format(const struct request *inner, const struct data_format *format,
		       const char *what, __u32 size)
{
	char *sizes = data_format_sizes(format);
	int ret;

	ret = fail_usage("format %s is of %s bytes: the %ss of inner map %u have %u", format->name,
			 sizes, what, inner->info.id, size);
	free(sizes);
	return ret;
}

static int check_formats(const struct request *inner)
{
	const struct data_format *format = inner->key_format;

	if (format && !data_format_fits(format, inner->info.key_size))
		return fail_format(inner, format, "key", inner->info.key_size);
	format = inner->value_format;
	if (format && !data_format_fits(format, inner->info.value_size))
		return fail_format(inner, format, "value", inner->info.value_size);
	return STATUS_OK;
}

static int visit_inner(const struct request *inner, const __u8 *key, const __u8 *value, void *arg)
{
	struct dump *dump = arg;

	dump->outer.has_elems = true;
	return elem_row(inner, &dump->outer, key, value);
}

static int inner_table(const struct request *inner, struct dump *dump)
{
	int status = STATUS_OK;

	/* All inner maps are like the first. */
	if (!dump->begun)
		elem_begin_inner(dump->outer.request, inner);
	dump->begun = true;
	if (walk_knows(inner))
		status = walk_elems(inner, visit_inner, dump);
	if (!status && !dump->outer.has_elems)
		status = elem_row_outer(&dump->outer);
	return status;
}

static int inner_json(const struct request *inner, struct dump *dump)
{
	int status;

	output_nest(elem_outer_json(&dump->outer), "elements");
	if (!walk_knows(inner))
		return output_nest_null();
	elem_begin(inner, true);
	status = walk_elems(inner, visit_inner, dump);
	return status ? status : output_end();
}

static int visit_outer(const struct request *request, const __u8 *key, const __u8 *value,
		       void *arg)
{
	struct dump *dump = arg;
	struct request inner;
	__u32 id;
	int status;

	memcpy(&id, value, sizeof(id));
	dump->outer = (struct elem_outer){ request, key, value, id, false };
	status = dump_open_inner(request, id, &inner);
	if (!status)
		status = check_formats(&inner);
	if (!status)
		status = output_mode.json ? inner_json(&inner, dump) : inner_table(&inner, dump);
	request_free(&inner);
	/* Replaced since its id was found. */
	if (status == STATUS_GONE)
		return STATUS_OK;
	dump->found++;
	progress_add(1);
	return status;
}

static int dump_recursive(const struct request *request)
{
	struct dump dump = { };
	int status;

	if (output_mode.json)
		output_nest_begin();
	status = walk_elems(request, visit_outer, &dump);
	if (status)
		return status;
	if (output_mode.json)
		return output_nest_end();
	if (dump.begun)
		status = output_end();
	return status ? status : print_found(&dump);
}

static int dump_elems(struct request *request)
{
	int status;

	progress_begin(request->info.max_entries, true);
	status = request->recursive ? dump_recursive(request) : dump_plain(request);
	progress_end();
	return status;
}

int map_dump(struct request *request)
{
	if (request->file)
		return save_map(request);
	if (kind_is_queue(request->info.type) && request->requeue)
		return dump_queue(request);
	if (request->requeue)
		return fail_usage("dump: map %u is neither a queue nor a stack", request->info.id);
	if (!walk_knows(request))
		return fail_keyless(request);
	if (request->recursive && !kind_holds_maps(request->info.type))
		return fail_usage("dump: map %u holds no maps: 'recursive' is for those that do",
				  request->info.id);
	return dump_elems(request);
}
