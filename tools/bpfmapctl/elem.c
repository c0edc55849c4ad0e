// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: elements in tables and JSON
 *
 * In tables data with a format stands in its column, in JSON in an object beside the bytes. Each
 * CPU's value of a per-CPU map is a row of its own in a table; in JSON they are the array "values".
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elem.h"
#include "kind.h"
#include "output.h"
#include "select.h"

enum elem_column {
	ELEM_KEY,
	ELEM_INNER_ID,
	ELEM_INNER_KEY,
	ELEM_CPU,
	ELEM_VALUE,
	ELEM_FORMATTED,
	NR_ELEM_COLUMNS,
};

static const struct column inner_id_column = {
	"INNER_MAP_ID", "inner_map_id", CELL_NUMBER, true
};

static bool has_format(const struct request *request)
{
	return request->key_format || request->value_format;
}

/* The columns of a value, which have to be the last. */
static void value_columns(const struct request *request, struct column *columns)
{
	columns[ELEM_VALUE] = (struct column){ "VALUE", "value", CELL_LIST, false };
	if (request->cpus) {
		columns[ELEM_CPU] = (struct column){ "CPU", NULL, CELL_TEXT, true };
		columns[ELEM_VALUE] = (struct column){ "VALUE", "values", CELL_JSON, false };
	}
	if (request->value_format)
		columns[ELEM_VALUE].right = request->value_format->number;
	if (kind_holds_maps(request->info.type)) {
		columns[ELEM_VALUE].heading = NULL;
		columns[ELEM_INNER_ID] = inner_id_column;
	}
}

static struct column key_column(const char *heading, const struct data_format *format)
{
	return (struct column){ heading, "key", CELL_LIST, format && format->number };
}

void elem_begin(const struct request *request, bool list)
{
	struct column columns[NR_ELEM_COLUMNS] = { };

	if (request->info.key_size)
		columns[ELEM_KEY] = key_column("KEY", request->key_format);
	value_columns(request, columns);
	if (has_format(request))
		columns[ELEM_FORMATTED] = (struct column){ NULL, "formatted", CELL_JSON, false };
	output_begin(columns, NR_ELEM_COLUMNS, list);
}

void elem_begin_inner(const struct request *outer, const struct request *inner)
{
	struct column columns[NR_ELEM_COLUMNS] = { };

	columns[ELEM_KEY] = key_column("KEY", outer->key_format);
	columns[ELEM_INNER_ID] = inner_id_column;
	if (inner->info.key_size)
		columns[ELEM_INNER_KEY] = key_column("INNER_KEY", inner->key_format);
	value_columns(inner, columns);
	output_begin(columns, NR_ELEM_COLUMNS, true);
}

char *elem_data(const struct data_format *format, const __u8 *data, size_t size)
{
	if (format && !output_mode.json)
		return format->print(format, data, size);
	return output_bytes(data, size);
}

static const __u8 *cpu_value(const struct request *request, const __u8 *values, unsigned int cpu)
{
	return values + cpu * (request->value_room / request->cpus);
}

static struct column data_column(const char *name, const struct data_format *format)
{
	return (struct column){ NULL, name, format->number ? CELL_NUMBER : CELL_TEXT, false };
}

/* One CPU's value as an object; with a @format formatted, else as bytes. */
static char *cpu_json(const struct request *request, const struct data_format *format,
		      const __u8 *value, unsigned int cpu)
{
	struct column columns[] = {
		{ NULL, "cpu", CELL_NUMBER, false },
		{ NULL, "value", CELL_LIST, false },
	};
	char *texts[2] = { text_printf("%u", cpu) };
	size_t size = request->info.value_size;
	char *object;

	if (format)
		columns[1] = data_column("value", format);
	texts[1] = format ? format->print(format, value, size) : output_bytes(value, size);
	object = output_object(columns, texts, 2);
	free(texts[0]);
	free(texts[1]);
	return object;
}

static char *cpus_json(const struct request *request, const struct data_format *format,
		       const __u8 *values)
{
	char *list = text_printf("[");

	for (unsigned int cpu = 0; cpu < request->cpus; cpu++) {
		char *object = cpu_json(request, format, cpu_value(request, values, cpu), cpu);
		char *longer = text_printf("%s%s%s%s", list, cpu ? "," : "", object,
					   cpu + 1 == request->cpus ? "]" : "");

		free(object);
		free(list);
		list = longer;
	}
	return list;
}

static char *sum_text(const struct request *request, const __u8 *values)
{
	return data_sum(request->value_format, values, request->info.value_size,
			request->value_room / request->cpus, request->cpus);
}

static char *formatted_json(const struct request *request, const __u8 *key, const __u8 *value)
{
	const struct data_format *key_format = request->key_format;
	const struct data_format *format = request->value_format;
	struct column columns[3] = { };
	char *texts[3] = { };
	char *object;
	size_t nr = 0;

	if (key_format) {
		columns[nr] = data_column("key", key_format);
		texts[nr++] = key_format->print(key_format, key, request->info.key_size);
	}
	if (format && !request->cpus) {
		columns[nr] = data_column("value", format);
		texts[nr++] = format->print(format, value, request->info.value_size);
	}
	if (format && request->cpus) {
		columns[nr] = (struct column){ NULL, "values", CELL_JSON, false };
		texts[nr++] = cpus_json(request, format, value);
		columns[nr] = (struct column){ NULL, "sum", CELL_NUMBER, false };
		if (format->number)
			texts[nr++] = sum_text(request, value);
	}
	object = output_object(columns, texts, nr);
	while (nr--)
		free(texts[nr]);
	return object;
}

static char *inner_id(const __u8 *value)
{
	__u32 id;

	memcpy(&id, value, sizeof(id));
	return text_printf("%u", id);
}

static int row_json(const struct request *request, const __u8 *key, const __u8 *value)
{
	int status = output_row();

	output_cell(ELEM_KEY, output_bytes(key, request->info.key_size));
	if (request->cpus)
		output_cell(ELEM_VALUE, cpus_json(request, NULL, value));
	else
		output_cell(ELEM_VALUE, output_bytes(value, request->info.value_size));
	if (kind_holds_maps(request->info.type))
		output_cell(ELEM_INNER_ID, inner_id(value));
	if (has_format(request))
		output_cell(ELEM_FORMATTED, formatted_json(request, key, value));
	return status;
}

char *elem_outer_json(const struct elem_outer *outer)
{
	const struct request *request = outer->request;
	struct column columns[] = {
		{ NULL, "key", CELL_LIST, false },
		{ NULL, "value", CELL_LIST, false },
		inner_id_column,
		{ NULL, "formatted", CELL_JSON, false },
	};
	char *texts[4] = {
		output_bytes(outer->key, request->info.key_size),
		output_bytes(outer->value, request->info.value_size),
		text_printf("%u", outer->id),
		has_format(request) ? formatted_json(request, outer->key, outer->value) : NULL,
	};
	char *object = output_object(columns, texts, has_format(request) ? 4 : 3);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	return object;
}

int elem_row_outer(const struct elem_outer *outer)
{
	const struct request *request = outer->request;
	int status = output_row();

	output_cell(ELEM_KEY, elem_data(request->key_format, outer->key, request->info.key_size));
	output_cell(ELEM_INNER_ID, text_printf("%u", outer->id));
	return status;
}

static int row_table(const struct request *request, const struct elem_outer *outer,
		     const __u8 *key, char *cpu, char *value)
{
	int status = outer ? elem_row_outer(outer) : output_row();

	output_cell(outer ? ELEM_INNER_KEY : ELEM_KEY,
		    elem_data(request->key_format, key, request->info.key_size));
	output_cell(ELEM_CPU, cpu);
	output_cell(ELEM_VALUE, value);
	return status;
}

/* A row for each CPU, and for numbers one with their sum. */
static int rows_percpu(const struct request *request, const struct elem_outer *outer,
		       const __u8 *key, const __u8 *values)
{
	const struct data_format *format = request->value_format;
	int status = STATUS_OK;

	for (unsigned int cpu = 0; cpu < request->cpus && !status; cpu++)
		status = row_table(request, outer, key, text_printf("%u", cpu),
				   elem_data(format, cpu_value(request, values, cpu),
					     request->info.value_size));
	if (!status && format && format->number)
		status = row_table(request, outer, key, text_printf("sum"),
				   sum_text(request, values));
	return status;
}

int elem_row(const struct request *request, const struct elem_outer *outer, const __u8 *key,
	     const __u8 *value)
{
	int status;

	if (output_mode.json)
		return row_json(request, key, value);
	if (request->cpus)
		return rows_percpu(request, outer, key, value);
	status = row_table(request, outer, key, NULL, elem_data(request->value_format, value,
								request->info.value_size));
	if (kind_holds_maps(request->info.type))
		output_cell(ELEM_INNER_ID, inner_id(value));
	return status;
}

int fail_elem(const struct request *request, const char *what, int err)
{
	return fail("%s map %u: %s", what, request->info.id, select_strerror(err));
}

int fail_write(const struct request *request, const char *what, int err)
{
	if (err == -EPERM)
		return fail("%s map %u: it is frozen, or you may only read it", what,
			    request->info.id);
	return fail_elem(request, what, err);
}

int fail_delete(const struct request *request, int err)
{
	if (err == -EINVAL && kind_is_array(request->info.type))
		return fail("cannot delete from map %u: its elements stay; update them instead",
			    request->info.id);
	return fail_write(request, "cannot delete from", err);
}

int fail_keyless(const struct request *request)
{
	if (kind_is_ring(request->info.type))
		return fail("map %u has no keys: 'ringbuf read' and 'ringbuf drain' show records",
			    request->info.id);
	if (kind_is_bloom(request->info.type))
		return fail("map %u has no keys: 'lookup' and 'value DATA' asks for a value",
			    request->info.id);
	return fail("map %u has no keys: 'peek' and 'pop' show the next value", request->info.id);
}
