// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: make a map again from a file
 *
 * save.h tells what a file looks like. It is read line by line. A map is pinned when all of it is
 * there, so that what goes wrong before leaves nothing behind.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idmap.h"
#include "kind.h"
#include "map.h"
#include "output.h"
#include "progress.h"
#include "save.h"
#include "select.h"
#include "source.h"

/**
 * struct shape - what a map in a file is
 * @id: its id when it was written
 * @type: its type
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @max_entries: how many elements fit
 * @flags: its flags
 * @extra: its map_extra
 * @name: its name
 * @frozen: it was frozen
 * @pinned: the paths it had, a json_t of the line at hand; NULL: none
 */
struct shape {
	__u64 id;
	int type;
	__u64 key_size;
	__u64 value_size;
	__u64 max_entries;
	__u64 flags;
	__u64 extra;
	char name[BPFMAPS_NAME_LEN];
	bool frozen;
	json_t *pinned;
};

/**
 * struct restore - a map that is being made
 * @source: the file
 * @is_inner: the map is an inner map
 * @pin: where to pin it; NULL: where it was
 * @shape: what it is
 * @inner_map: the map that inner maps are like; -1 for none
 * @maps: the ids of inner maps: before, and now
 * @map: the map; its fd is -1 before it is made
 * @key: room for a key
 * @value: room for a value
 * @elements: how many elements it has
 */
struct restore {
	struct source *source;
	bool is_inner;
	const char *pin;
	struct shape shape;
	int inner_map;
	struct idmap maps;
	struct request map;
	__u8 *key;
	__u8 *value;
	__u64 elements;
};

static int read_name(const struct source *source, const json_t *map, struct shape *shape)
{
	size_t len;
	int status;

	status = source_text(source, json_object_get(map, "name"), "name", shape->name,
			     sizeof(shape->name) - 1, &len);
	if (!status && strlen(shape->name) != len)
		return source_fail(source, "'name' has a byte 0");
	return status;
}

static int read_type(const struct source *source, const json_t *map, struct shape *shape)
{
	const char *name = json_string_value(json_object_get(map, "type"));

	if (!name)
		return source_fail(source, "'type' is missing");
	shape->type = bpfmaps_type_number(name);
	if (shape->type < 0)
		return source_fail(source, "'type' is '%s', which is not a type of map", name);
	return STATUS_OK;
}

/* The line at hand is that of a map. */
static int read_shape(const struct source *source, struct shape *shape)
{
	const json_t *map = json_object_get(source->object, "map");
	const struct {
		const char *name;
		__u64 *number;
		__u64 max;
	} numbers[] = {
		{ "id", &shape->id, UINT32_MAX },
		{ "flags", &shape->flags, UINT32_MAX },
		{ "bytes_key", &shape->key_size, UINT32_MAX },
		{ "bytes_value", &shape->value_size, UINT32_MAX },
		{ "max_entries", &shape->max_entries, UINT32_MAX },
		{ "map_extra", &shape->extra, INT64_MAX },
	};
	int status;

	memset(shape, 0, sizeof(*shape));
	if (!json_is_object(map))
		return source_fail(source, "'map' is expected");
	status = read_type(source, map, shape);
	if (!status)
		status = read_name(source, map, shape);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !status; i++)
		status = source_number(source, map, numbers[i].name, numbers[i].max,
				       numbers[i].number);
	shape->frozen = json_is_true(json_object_get(map, "frozen"));
	shape->pinned = json_incref(json_object_get(map, "pinned"));
	return status;
}

static int make_map(struct restore *restore)
{
	const struct shape *shape = &restore->shape;
	/* The kernel does not tell the node of a map. */
	BPFMAPS_OPTS(bpfmaps_map_create_opts, opts, .map_flags = shape->flags,
		     .numa_node = shape->flags & BPFMAPS_F_NUMA_NODE ? -1U : 0,
		     .map_extra = shape->extra,
		     .inner_map_fd = restore->inner_map < 0 ? 0 : restore->inner_map);
	struct request *map = &restore->map;
	int err;

	map->fd = bpfmaps_map_create(shape->type, shape->name, shape->key_size,
				     shape->value_size, shape->max_entries, &opts);
	if (map->fd < 0)
		return fail_command(map->fd, NULL, "'%s': line %llu: map %llu cannot be created",
				    restore->source->path, restore->source->line, shape->id);
	err = select_info(map->fd, &map->info);
	if (err)
		return fail("the new map does not say what it is: %s", select_strerror(err));
	restore->key = text_alloc(map->info.key_size);
	err = request_size_values(map);
	restore->value = text_alloc(map->value_room);
	return err;
}

static int read_values(struct restore *restore)
{
	const struct request *map = &restore->map;
	size_t stride = map->value_room / map->cpus;
	const struct source *source = restore->source;
	const json_t *values = json_object_get(source->object, "values");
	int status = STATUS_OK;

	if (!json_is_array(values))
		return source_fail(source, "'values' is missing");
	if (json_array_size(values) != map->cpus)
		return source_fail(source, "'values' has those of %zu CPUs: this machine has %u",
				   json_array_size(values), map->cpus);
	for (unsigned int cpu = 0; cpu < map->cpus && !status; cpu++)
		status = source_bytes(source, json_array_get(values, cpu), "values",
				      restore->value + cpu * stride, map->info.value_size);
	return status;
}

static int read_value(struct restore *restore)
{
	const struct source *source = restore->source;

	if (restore->map.cpus)
		return read_values(restore);
	return source_bytes(source, json_object_get(source->object, "value"), "value",
			    restore->value, restore->map.info.value_size);
}

/* The value is an inner map, which a line before this one has described. */
static int read_inner(struct restore *restore, int *fd)
{
	const struct source *source = restore->source;
	__u64 number;
	__u32 id;
	int status;

	status = source_number(source, source->object, "inner_map", UINT32_MAX, &number);
	if (status)
		return status;
	if (!idmap_find(&restore->maps, number, &id))
		return source_fail(source, "map %llu is not in the file before this line", number);
	*fd = bpfmaps_map_get_fd_by_id(id, NULL);
	if (*fd < 0)
		return source_fail(source, "map %u, made from map %llu, cannot be opened: %s", id,
				   number, select_strerror(*fd));
	memcpy(restore->value, fd, sizeof(*fd));
	return STATUS_OK;
}

/*
 * Where each CPU has places of its own in an LRU map, all elements fit only if each CPU inserts its
 * part. On a CPU that cannot be used the elements of another one are evicted.
 */
static void choose_cpu(const struct restore *restore)
{
	const struct bpfmaps_map_info *info = &restore->map.info;
	int nr = bpfmaps_num_possible_cpus();
	size_t size;
	cpu_set_t *cpus;
	__u64 share;

	if (!(info->map_flags & BPFMAPS_F_NO_COMMON_LRU) || nr < 1)
		return;
	share = info->max_entries / nr;
	if (!share || restore->elements % share)
		return;
	cpus = CPU_ALLOC(nr);
	if (!cpus)
		return;
	size = CPU_ALLOC_SIZE(nr);
	CPU_ZERO_S(size, cpus);
	CPU_SET_S(restore->elements / share % nr, size, cpus);
	sched_setaffinity(0, size, cpus);
	CPU_FREE(cpus);
}

static int set_elem(struct restore *restore)
{
	int err;

	choose_cpu(restore);
	err = bpfmaps_map_update_elem(restore->map.fd,
				      restore->map.info.key_size ? restore->key : NULL,
				      restore->value, BPFMAPS_ANY);
	restore->elements++;
	if (!err)
		return STATUS_OK;
	return source_fail(restore->source, "element %llu cannot be set: %s", restore->elements,
			   select_strerror(err));
}

/* The line at hand is that of an element. */
static int restore_elem(struct restore *restore)
{
	const struct source *source = restore->source;
	const struct request *map = &restore->map;
	__u32 type = map->info.type;
	int status = STATUS_OK;
	int inner = -1;

	if (kind_is_ring(type) || kind_is_bloom(type))
		return source_fail(source, "a map of type %s has no elements in a file",
				   bpfmaps_type_name(type));
	if (map->info.key_size)
		status = source_bytes(source, json_object_get(source->object, "key"), "key",
				      restore->key, map->info.key_size);
	if (status)
		return status;
	status = kind_holds_maps(type) ? read_inner(restore, &inner) : read_value(restore);
	if (!status)
		status = set_elem(restore);
	if (inner >= 0)
		close(inner);
	return status;
}

static int restore_end(const struct restore *restore)
{
	const struct source *source = restore->source;
	const json_t *end = json_object_get(source->object, "end");
	__u64 elements;
	int status;

	status = source_number(source, end, "elements", UINT32_MAX, &elements);
	if (!status && elements != restore->elements)
		return source_fail(source, "map %llu has %llu elements here: %llu were written",
				   restore->shape.id, restore->elements, elements);
	if (!status && restore->shape.frozen && bpfmaps_map_freeze(restore->map.fd))
		return fail("map %u, made from map %llu, cannot be frozen: %s",
			    restore->map.info.id, restore->shape.id, strerror(errno));
	return status;
}

static int restore_inner(struct restore *outer, int *fd);

/* An inner map; the outer one is made with the first, as nothing else says what it holds. */
static int restore_map_line(struct restore *restore, int *inner)
{
	int status;

	if (!kind_holds_maps(restore->shape.type))
		return source_fail(restore->source, "map %llu holds no maps", restore->shape.id);
	if (*inner >= 0)
		close(*inner);
	*inner = -1;
	status = restore_inner(restore, inner);
	if (status || restore->map.fd >= 0)
		return status;
	restore->inner_map = *inner;
	status = make_map(restore);
	restore->inner_map = -1;
	return status;
}

static int fail_no_inner(const struct restore *restore)
{
	return fail("'%s': map %llu has no inner map, and nothing tells what it takes: %s",
		    restore->source->path, restore->shape.id, "say 'inner_map MAP'");
}

/* The line at hand, which is not the end of the map. */
static int restore_line(struct restore *restore, int *inner)
{
	if (json_object_get(restore->source->object, "map"))
		return restore_map_line(restore, inner);
	if (restore->map.fd < 0)
		return fail_no_inner(restore);
	progress_add(!restore->is_inner);
	return restore_elem(restore);
}

static bool is_end(const struct restore *restore)
{
	return restore->map.fd >= 0 && json_object_get(restore->source->object, "end");
}

/* All lines behind that of the map. The last inner map is kept until an element needs it. */
static int restore_lines(struct restore *restore, int *inner)
{
	struct source *source = restore->source;
	int status;

	do {
		status = source_next(source);
		if (!status && !source->object)
			return fail("'%s' ends early: the 'end' of map %llu is missing",
				    source->path, restore->shape.id);
		if (!status && is_end(restore))
			return restore_end(restore);
		if (!status)
			status = restore_line(restore, inner);
	} while (!status);
	return status;
}

/* Before the work is done. */
static int check_pin(const struct restore *restore)
{
	if (restore->is_inner || restore->pin || json_array_size(restore->shape.pinned))
		return STATUS_OK;
	return fail_usage("'%s': map %llu had no pin: say 'pin PATH'", restore->source->path,
			  restore->shape.id);
}

/* The map of the line at hand, and all lines until its end. */
static int restore_map(struct restore *restore)
{
	int status = read_shape(restore->source, &restore->shape);
	int inner = -1;

	if (!status)
		status = check_pin(restore);
	if (!restore->is_inner)
		progress_begin(restore->shape.max_entries, false);
	if (!status && (!kind_holds_maps(restore->shape.type) || restore->inner_map >= 0))
		status = make_map(restore);
	if (!status)
		status = restore_lines(restore, &inner);
	if (inner >= 0)
		close(inner);
	return status;
}

static void restore_free(struct restore *restore)
{
	if (restore->map.fd >= 0)
		close(restore->map.fd);
	json_decref(restore->shape.pinned);
	idmap_free(&restore->maps);
	free(restore->key);
	free(restore->value);
}

static int restore_inner(struct restore *outer, int *fd)
{
	struct restore inner = {
		.source = outer->source,
		.is_inner = true,
		.inner_map = -1,
		.map.fd = -1,
	};
	int status;

	status = restore_map(&inner);
	if (!status && idmap_find(&outer->maps, inner.shape.id, NULL))
		status = source_fail(outer->source, "map %llu is there twice", inner.shape.id);
	if (!status) {
		idmap_add(&outer->maps, inner.shape.id, inner.map.info.id);
		*fd = inner.map.fd;
		inner.map.fd = -1;
	}
	restore_free(&inner);
	return status;
}

static int read_head(struct source *source)
{
	const char *order;
	__u64 version;
	int status;

	status = source_next(source);
	if (status)
		return status;
	if (!source->object || !json_object_get(source->object, "bpfmaps_dump"))
		return fail("'%s' is not a file that 'dump MAP file FILE' has written",
			    source->path);
	status = source_number(source, source->object, "bpfmaps_dump", UINT32_MAX, &version);
	if (status)
		return status;
	if (version != SAVE_VERSION)
		return source_fail(source, "version %llu is not known", version);
	order = json_string_value(json_object_get(source->object, "byte_order"));
	if (!order || strcmp(order, SAVE_BYTE_ORDER))
		return source_fail(source, "'byte_order' is not '%s', that of this machine",
				   SAVE_BYTE_ORDER);
	return STATUS_OK;
}

/* Pin to the paths that are asked for, or that it had; all of them or none. */
static int pin_paths(const struct restore *restore, char *const *paths, size_t nr)
{
	int status = STATUS_OK;
	size_t i;

	for (i = 0; i < nr && !status; i++)
		status = map_pin_at(restore->map.fd, paths[i]);
	/* The last one is that which failed. */
	while (status && i-- > 1)
		unlink(paths[i - 1]);
	return status;
}

static int pin_as_before(const struct restore *restore)
{
	const json_t *pinned = restore->shape.pinned;
	size_t nr = json_array_size(pinned);
	char **paths = text_alloc(nr * sizeof(*paths));
	int status = STATUS_OK;
	size_t len;

	for (size_t i = 0; i < nr && !status; i++) {
		paths[i] = text_alloc(PATH_MAX);
		status = source_text(restore->source, json_array_get(pinned, i), "pinned", paths[i],
				     PATH_MAX - 1, &len);
	}
	if (!status)
		status = pin_paths(restore, paths, nr);
	for (size_t i = 0; i < nr; i++)
		free(paths[i]);
	free(paths);
	return status;
}

static int check_last(struct source *source)
{
	int status = source_next(source);

	if (!status && source->object)
		return source_fail(source, "there is something behind the end of the map");
	return status;
}

static void warn_contents(const struct restore *restore)
{
	__u32 type = restore->shape.type;

	if (!kind_is_bloom(type) && !kind_is_ring(type))
		return;
	progress_hide();
	fprintf(stderr, "bpfmapctl: the new %s is empty: what was in it is not in '%s'\n",
		bpfmaps_type_name(type), restore->source->path);
}

static int restore_file(struct restore *restore)
{
	int status = read_head(restore->source);

	if (!status)
		status = source_next(restore->source);
	if (!status)
		status = restore_map(restore);
	if (!status)
		status = check_last(restore->source);
	if (!status && restore->pin)
		status = map_pin_at(restore->map.fd, restore->pin);
	else if (!status)
		status = pin_as_before(restore);
	if (!status)
		warn_contents(restore);
	return status;
}

int map_restore(struct request *request)
{
	struct source source = { };
	struct restore restore = {
		.source = &source,
		.pin = request->pin,
		.inner_map = request->inner_fd,
		.map.fd = -1,
	};
	int status = source_open(&source, request->file);

	if (!status)
		status = restore_file(&restore);
	progress_end();
	restore_free(&restore);
	source_close(&source);
	return status ? status : output_nothing();
}
