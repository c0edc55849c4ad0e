// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: read files that have a JSON object on each line
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "source.h"

int source_open(struct source *source, const char *path)
{
	source->path = path;
	source->from = strcmp(path, "-") ? fopen(path, "re") : stdin;
	return source->from ? STATUS_OK : fail("'%s' cannot be opened: %s", path, strerror(errno));
}

void source_close(struct source *source)
{
	if (source->from && source->from != stdin)
		fclose(source->from);
	json_decref(source->object);
	free(source->text);
}

int source_fail(const struct source *source, const char *fmt, ...)
{
	va_list args;
	char *what;
	int len;

	va_start(args, fmt);
	len = vasprintf(&what, fmt, args);
	va_end(args);
	fail("'%s': line %llu: %s", source->path, source->line, len < 0 ? fmt : what);
	if (len >= 0)
		free(what);
	return STATUS_FAILED;
}

int source_next(struct source *source)
{
	json_error_t error;
	ssize_t len;

	json_decref(source->object);
	source->object = NULL;
	errno = 0;
	len = getline(&source->text, &source->room, source->from);
	if (len < 0 && (ferror(source->from) || errno))
		return fail("'%s' cannot be read: %s", source->path, strerror(errno));
	if (len < 0)
		return STATUS_OK;
	source->line++;
	source->object = json_loadb(source->text, len, JSON_REJECT_DUPLICATES, &error);
	if (!source->object)
		return source_fail(source, "column %d: %s", error.column, error.text);
	if (!json_is_object(source->object))
		return source_fail(source,
				   "it is no JSON object, as 'dump MAP file FILE' writes them");
	return STATUS_OK;
}

int source_number(const struct source *source, const json_t *object, const char *name, __u64 max,
		  __u64 *number)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		return source_fail(source, "'%s' is missing", name);
	/* Numbers of more than 63 bits are refused, and there are none. */
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (__u64)json_integer_value(value) > max)
		return source_fail(source, "'%s' is not a number from 0 to %llu", name,
				   (unsigned long long)max);
	*number = json_integer_value(value);
	return STATUS_OK;
}

int source_bytes(const struct source *source, const json_t *text, const char *name, void *bytes,
		 size_t size)
{
	if (!text)
		return source_fail(source, "'%s' is missing", name);
	if (!json_is_string(text) ||
	    !text_get_hex(json_string_value(text), json_string_length(text), bytes, size))
		return source_fail(source, "'%s' is not %zu hex digits, for %zu bytes", name,
				   2 * size, size);
	return STATUS_OK;
}

int source_text(const struct source *source, const json_t *text, const char *name, char *bytes,
		size_t room, size_t *len)
{
	ssize_t ret;

	if (!text)
		return source_fail(source, "'%s' is missing", name);
	ret = json_is_string(text) ? text_unescape(json_string_value(text), bytes, room) : -1;
	if (ret < 0)
		return source_fail(source, "'%s' is not a text of up to %zu bytes", name, room);
	*len = ret;
	return STATUS_OK;
}
