// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: the arguments of commands
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "kind.h"
#include "output.h"
#include "select.h"
#include "text.h"

static const char *const map_keywords[] = { "id", "pinned", "name" };

/* Open the map that @keyword and @word name. */
static int open_map(const struct request *request, __u32 access, const char *keyword,
		    const char *word, int *fd, struct bpfmaps_map_info *info)
{
	__u64 id;

	if (text_is_prefix(keyword, "pinned"))
		return select_by_path(word, access, fd, info);
	if (text_is_prefix(keyword, "name"))
		return select_by_name(word, access, fd, info);
	if (!text_to_number(word, 0, UINT32_MAX, &id))
		return fail_usage("%s: '%s' is not the id of a map: a number is",
				  request->command->name, word);
	return select_by_id(id, access, fd, info);
}

static int take_map(const struct request *request, __u32 access, struct words *words, int *fd,
		    struct bpfmaps_map_info *info)
{
	const char *keyword = words_take(words);

	if (!text_is_prefix(keyword, "id") && !text_is_prefix(keyword, "pinned") &&
	    !text_is_prefix(keyword, "name"))
		return fail_args(request, "'id', 'pinned' or 'name' is expected, not ", keyword,
				 "");
	if (!words->nr)
		return fail_args(request, "behind ", keyword, " something is missing");
	return open_map(request, access, keyword, words_take(words), fd, info);
}

static int parse_map(struct request *request, const struct arg *arg, struct words *words)
{
	int status;

	(void)arg;
	request->map_words = words->at;
	status = take_map(request, request->command->access, words, &request->fd, &request->info);
	return status ? status : request_size_values(request);
}

int request_reopen(struct request *request)
{
	struct bpfmaps_map_info info;
	int status, fd;

	status = open_map(request, 0, request->map_words[0], request->map_words[1], &fd, &info);
	if (status)
		return status;
	close(request->fd);
	request->fd = fd;
	if (info.id == request->info.id)
		return STATUS_OK;
	return fail("%s: map %u has just been replaced by map %u", request->command->name,
		    request->info.id, info.id);
}

/* A map as an argument beside MAP: only its descriptor is wanted. */
static int parse_other_map(struct request *request, const struct arg *arg, struct words *words)
{
	int *fd = (int *)((char *)request + arg->field);
	struct bpfmaps_map_info info;

	return take_map(request, BPFMAPS_F_RDONLY, words, fd, &info);
}

static int visit_id(int fd, const struct bpfmaps_map_info *info, void *word)
{
	char *id = text_printf("%u", info->id);

	(void)fd;
	request_complete_word(id, word);
	free(id);
	return 0;
}

static int visit_name(int fd, const struct bpfmaps_map_info *info, void *word)
{
	char *name = select_name(info);

	(void)fd;
	if (*name)
		request_complete_word(name, word);
	free(name);
	return 0;
}

static void complete_map(const struct request *request, const struct arg *arg,
			 struct words *words)
{
	(void)request;
	(void)arg;
	if (words->nr == 1)
		for (size_t i = 0; i < ARRAY_SIZE(map_keywords); i++)
			request_complete_word(map_keywords[i], words->at[0]);
	else if (text_is_prefix(words->at[0], "id"))
		select_each(visit_id, words->at[1]);
	else if (text_is_prefix(words->at[0], "name"))
		select_each(visit_name, words->at[1]);
}

static int parse_word(struct request *request, const struct arg *arg, struct words *words)
{
	const char *word = words_take(words);

	memcpy((char *)request + arg->field, &word, sizeof(word));
	return STATUS_OK;
}

/* The keyword is all. */
static int parse_bare(struct request *request, const struct arg *arg, struct words *words)
{
	(void)words;
	*((char *)request + arg->field) = true;
	return STATUS_OK;
}

static int parse_data(struct request *request, const struct arg *arg, struct words *words)
{
	bool key = !strcmp(arg->keyword, "key");
	struct data *data = key ? &request->key : &request->value;
	int used;

	data->what = arg->keyword;
	data->size = key ? request->info.key_size : request->info.value_size;
	if (!data->size)
		return fail_usage("%s: map %u has no keys", request->command->name,
				  request->info.id);
	used = data_parse(data, words->at, words->nr);
	if (used < 0)
		return fail_usage("%s", data->error);
	words->at += used;
	words->nr -= used;
	/* What was written with a format is printed with it. */
	if (key)
		request->key_format = data->format;
	else
		request->value_format = data->format;
	return STATUS_OK;
}

/* What a ring buffer takes is as long as the words make it. */
static int parse_record(struct request *request, const struct arg *arg, struct words *words)
{
	struct data *data = &request->value;
	int used;

	data->what = arg->keyword;
	used = data_measure(data, words->at, words->nr);
	if (used >= 0)
		used = data_parse(data, words->at, words->nr);
	if (used < 0)
		return fail_usage("%s", data->error);
	words->at += used;
	words->nr -= used;
	return STATUS_OK;
}

static void complete_words(struct words *words)
{
	const char *word = words->at[words->nr - 1];

	if (words->nr == 1)
		request_complete_word("hex", word);
	for (const struct data_format *f = data_formats; f->name; f++) {
		char *candidate = text_printf("%s:", f->name);

		request_complete_word(candidate, word);
		free(candidate);
	}
}

/* The value of a map of maps: the kernel wants a descriptor for reading and writing. */
static int parse_inner(struct request *request, const struct arg *arg, struct words *words)
{
	struct bpfmaps_map_info info;
	int status;
	__u32 fd;

	status = take_map(request, 0, words, &request->value_fd, &info);
	if (status)
		return status;
	fd = request->value_fd;
	request->value.what = arg->keyword;
	request->value.size = request->info.value_size;
	request->value.buf = text_alloc(sizeof(fd));
	memcpy(request->value.buf, &fd, sizeof(fd));
	return STATUS_OK;
}

static int parse_value(struct request *request, const struct arg *arg, struct words *words)
{
	if (kind_holds_maps(request->info.type))
		return parse_inner(request, arg, words);
	return parse_data(request, arg, words);
}

static void complete_data(const struct request *request, const struct arg *arg,
			  struct words *words)
{
	if (!strcmp(arg->keyword, "value") && kind_holds_maps(request->info.type))
		complete_map(request, arg, words);
	else
		complete_words(words);
}

static int fail_format_size(const struct request *request, const struct arg *arg,
			    const struct data_format *format, __u32 size)
{
	char *sizes = data_format_sizes(format);
	int ret;

	ret = fail_usage("format %s is of %s bytes: the %ss of map %u have %u", format->name, sizes,
			 arg->keyword, request->info.id, size);
	free(sizes);
	return ret;
}

static int take_format(struct words *words, const struct data_format **format)
{
	const char *name = words_take(words);

	*format = data_format_find(name);
	if (*format)
		return STATUS_OK;
	return fail_usage("'%s' is not a format: 'bpfmapctl help' lists them", name);
}

static int parse_format(struct request *request, const struct arg *arg, struct words *words)
{
	bool key = !strcmp(arg->keyword, "key");
	__u32 size = key ? request->info.key_size : request->info.value_size;
	const struct data_format *format;
	int status;

	/* It is asked for a value. */
	if (!key && kind_is_bloom(request->info.type))
		return parse_data(request, arg, words);
	if (!key && kind_holds_maps(request->info.type))
		return fail_usage("the values of map %u are maps: they have no format",
				  request->info.id);
	status = take_format(words, &format);
	if (status)
		return status;
	/* The records of a ring buffer have no fixed size. */
	if (!kind_is_ring(request->info.type) && !data_format_fits(format, size))
		return fail_format_size(request, arg, format, size);
	if (key)
		request->key_format = format;
	else
		request->value_format = format;
	return STATUS_OK;
}

/* Whether it fits is seen when there is an inner map. */
static int parse_inner_format(struct request *request, const struct arg *arg,
			      struct words *words)
{
	const struct data_format *format;
	int status = take_format(words, &format);

	memcpy((char *)request + arg->field, &format, sizeof(format));
	return status;
}

static void complete_format(const struct request *request, const struct arg *arg,
			    struct words *words)
{
	if (!strcmp(arg->keyword, "value") && kind_is_bloom(request->info.type)) {
		complete_words(words);
		return;
	}
	for (const struct data_format *f = data_formats; f->name; f++)
		request_complete_word(f->name, words->at[0]);
}

static const struct {
	const char *name;
	__u64 flags;
} update_flags[] = {
	{ "any", BPFMAPS_ANY },
	{ "exist", BPFMAPS_EXIST },
	{ "noexist", BPFMAPS_NOEXIST },
};

static int parse_update_flags(struct request *request, const struct arg *arg,
			      struct words *words)
{
	const char *word = words_take(words);

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(update_flags); i++) {
		if (!text_is_prefix(word, update_flags[i].name))
			continue;
		request->update_flags = update_flags[i].flags;
		return STATUS_OK;
	}
	return fail_args(request, "unexpected word ", word, "");
}

static void complete_update_flags(const struct request *request, const struct arg *arg,
				  struct words *words)
{
	(void)request;
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(update_flags); i++)
		request_complete_word(update_flags[i].name, words->at[0]);
}

static int parse_type(struct request *request, const struct arg *arg, struct words *words)
{
	const char *name = words_take(words);
	int type = bpfmaps_type_number(name);

	(void)arg;
	if (type < 0)
		return fail_usage("'%s' is not a type of map: 'bpfmapctl help' lists them", name);
	request->type = type;
	return STATUS_OK;
}

#define TYPE_NAME(number, NAME, name)	#name,

static const char *const type_names[] = {
	BPFMAPS_TYPES(TYPE_NAME)
};

static void complete_type(const struct request *request, const struct arg *arg,
			  struct words *words)
{
	(void)request;
	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		request_complete_word(type_names[i], words->at[0]);
}

static int parse_number(struct request *request, const struct arg *arg, struct words *words)
{
	const char *word = words_take(words);
	__u64 number;
	__u32 value;

	if (!text_to_number(word, 0, UINT32_MAX, &number))
		return fail_usage("%s: '%s' is not a %s: a number from 0 to %u is right",
				  request->command->name, word, arg->meta, UINT32_MAX);
	value = number;
	memcpy((char *)request + arg->field, &value, sizeof(value));
	return STATUS_OK;
}

static int parse_numa_node(struct request *request, const struct arg *arg, struct words *words)
{
	request->has_numa_node = true;
	return parse_number(request, arg, words);
}

static int parse_cpu(struct request *request, const struct arg *arg, struct words *words)
{
	if (!request->cpus)
		return fail_usage("%s: map %u has no values of its own for each CPU",
				  request->command->name, request->info.id);
	request->has_cpu = true;
	return parse_number(request, arg, words);
}

static int parse_count(struct request *request, const struct arg *arg, struct words *words)
{
	int status = parse_number(request, arg, words);

	if (!status && !request->count)
		return fail_usage("%s: a count of 0 makes no sense", request->command->name);
	return status;
}

static int parse_timeout(struct request *request, const struct arg *arg, struct words *words)
{
	request->has_timeout = true;
	return parse_number(request, arg, words);
}

/* The letters of other alphabets are left to the kernel, which takes some. */
static bool is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!(*c & 0x80) && !isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			return false;
	return strlen(name) < BPFMAPS_NAME_LEN;
}

static int parse_name(struct request *request, const struct arg *arg, struct words *words)
{
	(void)arg;
	request->name = words_take(words);
	if (is_name(request->name))
		return STATUS_OK;
	return fail_usage("'%s' is not a name for a map: up to %d letters, digits, '_' and '.' are",
			  request->name, BPFMAPS_NAME_LEN - 1);
}

#define INNER_FORMAT_ARG(KEYWORD, FIELD)						\
	{ .keyword = KEYWORD, .meta = "FORMAT", .field = offsetof(struct request, FIELD),	\
	  .parse = parse_inner_format, .complete = complete_format }

#define WORD_ARG(KEYWORD, META, FIELD)						\
	{ .keyword = KEYWORD, .meta = META, .field = offsetof(struct request, FIELD),	\
	  .parse = parse_word }

#define BARE_ARG(KEYWORD, FIELD)							\
	{ .keyword = KEYWORD, .field = offsetof(struct request, FIELD), .parse = parse_bare }

#define NUMBER_ARG(KEYWORD, META, FIELD)						\
	{ .keyword = KEYWORD, .meta = META, .field = offsetof(struct request, FIELD),	\
	  .parse = parse_number }

const struct arg args[] = {
	[ARG_MAP] = { .meta = "MAP", .is_map = true, .parse = parse_map,
		      .complete = complete_map },
	[ARG_FILE] = { .meta = "FILE", .parse = parse_word,
		       .field = offsetof(struct request, file) },
	[ARG_KEY] = { .keyword = "key", .meta = "DATA", .is_data = true, .parse = parse_data,
		      .complete = complete_data },
	[ARG_VALUE] = { .keyword = "value", .meta = "DATA", .is_data = true,
			.parse = parse_value, .complete = complete_data },
	[ARG_RECORD] = { .keyword = "value", .meta = "DATA", .is_data = true,
			 .parse = parse_record, .complete = complete_data },
	[ARG_KEY_FORMAT] = { .keyword = "key", .meta = "FORMAT", .parse = parse_format,
			     .complete = complete_format },
	[ARG_VALUE_FORMAT] = { .keyword = "value", .meta = "FORMAT", .parse = parse_format,
			       .complete = complete_format },
	[ARG_INNER_KEY_FORMAT] = INNER_FORMAT_ARG("inner_key", inner_key_format),
	[ARG_INNER_VALUE_FORMAT] = INNER_FORMAT_ARG("inner_value", inner_value_format),
	[ARG_UPDATE_FLAGS] = { .meta = "any | exist | noexist", .parse = parse_update_flags,
			       .complete = complete_update_flags },
	[ARG_CPU] = { .keyword = "cpu", .meta = "N", .parse = parse_cpu,
		      .field = offsetof(struct request, cpu) },
	[ARG_TOUCH] = BARE_ARG("touch", touch),
	[ARG_TYPE] = { .keyword = "type", .meta = "TYPE", .parse = parse_type,
		       .complete = complete_type },
	[ARG_KEY_SIZE] = NUMBER_ARG("key", "KEY_SIZE", key_size),
	[ARG_VALUE_SIZE] = NUMBER_ARG("value", "VALUE_SIZE", value_size),
	[ARG_ENTRIES] = NUMBER_ARG("entries", "MAX_ENTRIES", max_entries),
	[ARG_NAME] = { .keyword = "name", .meta = "NAME", .parse = parse_name },
	[ARG_FLAGS] = NUMBER_ARG("flags", "FLAGS", flags),
	[ARG_INNER_MAP] = { .keyword = "inner_map", .meta = "MAP", .is_map = true,
			    .field = offsetof(struct request, inner_fd),
			    .parse = parse_other_map, .complete = complete_map },
	[ARG_NUMA_NODE] = { .keyword = "numa_node", .meta = "N", .parse = parse_numa_node,
			    .field = offsetof(struct request, numa_node) },
	[ARG_EXTRA] = NUMBER_ARG("extra", "MAP_EXTRA", extra),
	[ARG_RECURSIVE] = BARE_ARG("recursive", recursive),
	[ARG_REQUEUE] = BARE_ARG("requeue", requeue),
	[ARG_TO_FILE] = WORD_ARG("file", "FILE", file),
	[ARG_PIN] = WORD_ARG("pin", "PATH", pin),
	[ARG_COUNT] = { .keyword = "count", .meta = "N", .parse = parse_count,
			.field = offsetof(struct request, count) },
	[ARG_TIMEOUT] = { .keyword = "timeout", .meta = "SECONDS", .parse = parse_timeout,
			  .field = offsetof(struct request, timeout) },
	[ARG_FOLLOW] = BARE_ARG("follow", follow),
};
