// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: write a map to a file
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "dump.h"
#include "elem.h"
#include "idmap.h"
#include "kind.h"
#include "output.h"
#include "pins.h"
#include "progress.h"
#include "queue.h"
#include "save.h"
#include "select.h"
#include "walk.h"

/**
 * struct saver - a file that is being written
 * @to: the file
 * @path: its name
 * @maps: the inner maps that are in it
 * @elements: how many elements of the map at hand are in it
 * @inner: the map at hand is an inner map
 */
struct saver {
	FILE *to;
	const char *path;
	struct idmap maps;
	__u32 elements;
	bool inner;
};

static int fail_file(const struct saver *saver, const char *what, int err)
{
	return fail("'%s' cannot be %s: %s", saver->path, what, strerror(err));
}

static void save_line(const struct saver *saver, json_t *line)
{
	if (!line || json_dumpf(line, saver->to, JSON_COMPACT)) {
		/* An error of the file is told when it is closed. */
		if (!ferror(saver->to))
			errno = ENOMEM;
	}
	json_decref(line);
	putc('\n', saver->to);
}

static json_t *pins_json(__u32 id)
{
	json_t *list = json_array();
	char *paths, *rest, *path;

	pins_collect();
	paths = pins_of(id);
	for (rest = paths; (path = strsep(&rest, "\n"));)
		if (*path)
			json_array_append_new(list, json_string(path));
	free(paths);
	pins_free();
	return list;
}

/* The kernel has no way to list what is in it. */
static bool is_listed(const struct request *request)
{
	return walk_knows(request) || kind_is_queue(request->info.type);
}

static void save_head(const struct saver *saver, const struct request *request)
{
	const struct bpfmaps_map_info *info = &request->info;
	unsigned long long frozen = 0;
	char *name = select_name(info);
	json_t *map;

	select_fdinfo(request->fd, "frozen", &frozen);
	map = json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "id",
			(json_int_t)info->id,
			"type", bpfmaps_type_name(info->type), "name", name,
			"flags", (json_int_t)info->map_flags,
			"bytes_key", (json_int_t)info->key_size,
			"bytes_value", (json_int_t)info->value_size,
			"max_entries", (json_int_t)info->max_entries,
			"map_extra", (json_int_t)info->map_extra, "frozen", (int)frozen,
			"contents", is_listed(request) ? "all" : "none");
	if (!saver->inner)
		json_object_set_new(map, "pinned", pins_json(info->id));
	save_line(saver, json_pack("{so}", "map", map));
	free(name);
}

static void save_end(const struct saver *saver, const struct request *request)
{
	save_line(saver, json_pack("{s{sI sI}}", "end", "map", (json_int_t)request->info.id,
				   "elements", (json_int_t)saver->elements));
}

static void put_member(const struct saver *saver, const char *before, const void *bytes,
		       size_t size)
{
	fprintf(saver->to, "%s\"", before);
	text_put_hex(saver->to, bytes, size);
	putc('"', saver->to);
}

static void put_values(const struct saver *saver, const struct request *request,
		       const __u8 *value)
{
	size_t stride = request->value_room / request->cpus;

	for (unsigned int cpu = 0; cpu < request->cpus; cpu++)
		put_member(saver, cpu ? "," : ",\"values\":[", value + cpu * stride,
			   request->info.value_size);
	putc(']', saver->to);
}

static int save_inner(struct saver *saver, const struct request *outer, __u32 id);

static int save_elem(const struct request *request, const __u8 *key, const __u8 *value, void *arg)
{
	struct saver *saver = arg;
	bool maps = kind_holds_maps(request->info.type);
	int status;
	__u32 id;

	if (maps) {
		memcpy(&id, value, sizeof(id));
		status = save_inner(saver, request, id);
		/* Replaced since its id was found. */
		if (status)
			return status == STATUS_GONE ? STATUS_OK : status;
	}
	put_member(saver, "{\"key\":", key, request->info.key_size);
	if (maps)
		fprintf(saver->to, ",\"inner_map\":%u", id);
	else if (request->cpus)
		put_values(saver, request, value);
	else
		put_member(saver, ",\"value\":", value, request->info.value_size);
	fputs("}\n", saver->to);
	saver->elements++;
	if (!saver->inner)
		progress_add(1);
	return ferror(saver->to) ? fail_file(saver, "written", errno) : STATUS_OK;
}

static void warn_contents(const struct request *request)
{
	progress_hide();
	fprintf(stderr, "bpfmapctl: map %u: %s: the file says only how to create it\n",
		request->info.id, kind_is_ring(request->info.type) ?
		"the records of a ring buffer are a stream" :
		"the values of a bloom filter cannot be listed");
}

/* Nobody loses values who did not ask for it. */
static int check_queue(const struct request *request)
{
	if (!kind_is_queue(request->info.type) || request->requeue)
		return STATUS_OK;
	return fail_usage("dump: the values of map %u cannot be listed: %s", request->info.id,
			  "'requeue' takes them out and puts them back, if nobody else uses it");
}

static int save_queue(struct saver *saver, struct request *request)
{
	struct values values = { };
	int status = queue_requeue(request, &values);

	for (__u32 i = 0; i < values.nr && !status; i++) {
		put_member(saver, "{\"value\":", queue_value(request, &values, i), values.size);
		fputs("}\n", saver->to);
		saver->elements++;
	}
	free(values.buf);
	return status;
}

static int save_contents(struct saver *saver, struct request *request)
{
	int status;

	status = check_queue(request);
	if (status)
		return status;
	saver->elements = 0;
	save_head(saver, request);
	if (walk_knows(request))
		status = walk_elems(request, save_elem, saver);
	else if (kind_is_queue(request->info.type))
		status = save_queue(saver, request);
	else
		warn_contents(request);
	if (!status)
		save_end(saver, request);
	return status;
}

/* An inner map that is not in the file yet. */
static int save_inner(struct saver *saver, const struct request *outer, __u32 id)
{
	__u32 elements = saver->elements;
	struct request inner;
	char *word;
	int status;

	if (idmap_find(&saver->maps, id, NULL))
		return STATUS_OK;
	status = dump_open_inner(outer, id, &inner);
	if (!status) {
		word = text_printf("%u", id);
		inner.map_words = (char *[]){ "id", word };
		saver->inner = true;
		status = save_contents(saver, &inner);
		saver->inner = false;
		free(word);
	}
	if (!status)
		idmap_add(&saver->maps, id, id);
	saver->elements = elements;
	request_free(&inner);
	return status;
}

static bool to_stdout(const struct saver *saver)
{
	return !strcmp(saver->path, "-");
}

static int save_open(struct saver *saver)
{
	int fd;

	if (to_stdout(saver)) {
		saver->to = stdout;
		return STATUS_OK;
	}
	fd = open(saver->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return fail("'%s' exists: remove it first, or take another FILE", saver->path);
	if (fd < 0)
		return fail_file(saver, "created", errno);
	saver->to = fdopen(fd, "w");
	return saver->to ? STATUS_OK : fail_file(saver, "created", errno);
}

/* What has not arrived as a whole is not left there. */
static int save_close(const struct saver *saver, int status)
{
	bool bad;

	if (to_stdout(saver))
		return status;
	bad = fflush(saver->to) || ferror(saver->to);
	bad |= !bad && fsync(fileno(saver->to)) && errno != EINVAL;
	if (fclose(saver->to) || bad)
		status = status ? status : fail_file(saver, "written", errno);
	if (status)
		unlink(saver->path);
	return status ? status : output_nothing();
}

int save_map(struct request *request)
{
	struct saver saver = { .path = request->file };
	int status = check_queue(request);

	if (request->key_format || request->value_format || request->inner_key_format ||
	    request->inner_value_format)
		return fail_usage("dump: a file has no formats");
	if (!status)
		status = save_open(&saver);
	if (status)
		return status;
	fprintf(saver.to, "{\"bpfmaps_dump\":%d,\"byte_order\":\"%s\"}\n", SAVE_VERSION,
		SAVE_BYTE_ORDER);
	progress_begin(request->info.max_entries, to_stdout(&saver));
	status = save_contents(&saver, request);
	progress_end();
	idmap_free(&saver.maps);
	return save_close(&saver, status);
}
