// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: read command lines, explain and complete them
 *
 * All three walk the arguments of a command in the same way, in next_arg(): obligatory arguments
 * without a keyword come first and in order, then those with a keyword, in any order.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "request.h"
#include "select.h"
#include "text.h"

/* The words that are still to be read. */
struct words {
	char **at;
	int nr;
};

/**
 * struct arg - the grammar of one enum arg_kind
 * @keyword: the word that begins it; NULL: none
 * @meta: what stands in the usage for the words behind
 * @is_data: its length depends on the map
 * @field: where parse_number() puts the number, in struct request
 * @parse: read the words behind the keyword; returns enum exit_status
 * @complete: print what may stand as the last word; NULL: nothing is known
 */
struct arg {
	const char *keyword;
	const char *meta;
	bool is_data;
	size_t field;
	int (*parse)(struct request *request, const struct arg *arg, struct words *words);
	void (*complete)(struct words *words);
};

static char *take(struct words *words)
{
	words->nr--;
	return *words->at++;
}

/* Usage errors end with the right usage. */
static int fail_args(const struct command *command, const char *what, const char *word,
		     const char *behind)
{
	char *usage = NULL;
	FILE *stream;
	size_t len;
	int ret;

	stream = open_memstream(&usage, &len);
	if (stream) {
		request_print_usage(stream, command);
		fclose(stream);
	}
	ret = fail_usage("%s: %s'%s'%s: usage: %s", command->name, what, word, behind,
			 usage ? usage : command->name);
	free(usage);
	return ret;
}

static const char *const map_keywords[] = { "id", "pinned", "name" };

/* Open the map that @word names. */
static int open_map(struct request *request, const char *keyword, const char *word)
{
	__u32 access = request->command->access;
	__u64 id;

	if (text_is_prefix(keyword, "pinned"))
		return select_by_path(word, access, &request->fd, &request->info);
	if (text_is_prefix(keyword, "name"))
		return select_by_name(word, access, &request->fd, &request->info);
	if (!text_to_number(word, 0, UINT32_MAX, &id))
		return fail_usage("%s: '%s' is not the id of a map: a number is",
				  request->command->name, word);
	return select_by_id(id, access, &request->fd, &request->info);
}

/* How its values are copied. */
static int size_values(struct request *request)
{
	ssize_t size = bpfmaps_value_size(&request->info);

	if (size < 0)
		return fail("the number of CPUs is not known: %s", select_strerror(size));
	request->value_room = size;
	if (bpfmaps_type_is_percpu(request->info.type))
		request->cpus = bpfmaps_num_possible_cpus();
	return STATUS_OK;
}

static int parse_map(struct request *request, const struct arg *arg, struct words *words)
{
	const char *keyword = take(words);
	int status;

	(void)arg;
	if (!text_is_prefix(keyword, "id") && !text_is_prefix(keyword, "pinned") &&
	    !text_is_prefix(keyword, "name"))
		return fail_args(request->command, "'id', 'pinned' or 'name' is expected, not ",
				 keyword, "");
	if (!words->nr)
		return fail_args(request->command, "behind ", keyword, " something is missing");
	status = open_map(request, keyword, take(words));
	return status ? status : size_values(request);
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

static void complete_map(struct words *words)
{
	if (words->nr == 1)
		for (size_t i = 0; i < ARRAY_SIZE(map_keywords); i++)
			request_complete_word(map_keywords[i], words->at[0]);
	else if (text_is_prefix(words->at[0], "id"))
		select_each(visit_id, words->at[1]);
	else if (text_is_prefix(words->at[0], "name"))
		select_each(visit_name, words->at[1]);
}

static int parse_file(struct request *request, const struct arg *arg, struct words *words)
{
	(void)arg;
	request->file = take(words);
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

static void complete_data(struct words *words)
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

static int parse_format(struct request *request, const struct arg *arg, struct words *words)
{
	bool key = !strcmp(arg->keyword, "key");
	__u32 size = key ? request->info.key_size : request->info.value_size;
	const struct data_format *format;
	char *sizes;
	const char *name;
	int ret;

	/* It is asked for a value. */
	if (!key && request->info.type == BPFMAPS_TYPE_BLOOM_FILTER)
		return parse_data(request, arg, words);
	name = take(words);
	format = data_format_find(name);
	if (!format)
		return fail_usage("'%s' is not a format: 'bpfmapctl help' lists them", name);
	if (!data_format_fits(format, size)) {
		sizes = data_format_sizes(format);
		ret = fail_usage("format %s is of %s bytes: the %ss of map %u have %u", name,
				 sizes, arg->keyword, request->info.id, size);
		free(sizes);
		return ret;
	}
	if (key)
		request->key_format = format;
	else
		request->value_format = format;
	return STATUS_OK;
}

static void complete_format(struct words *words)
{
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
	const char *word = take(words);

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(update_flags); i++) {
		if (!text_is_prefix(word, update_flags[i].name))
			continue;
		request->update_flags = update_flags[i].flags;
		return STATUS_OK;
	}
	return fail_args(request->command, "unexpected word ", word, "");
}

static void complete_update_flags(struct words *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(update_flags); i++)
		request_complete_word(update_flags[i].name, words->at[0]);
}

static int parse_type(struct request *request, const struct arg *arg, struct words *words)
{
	const char *name = take(words);
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

static void complete_type(struct words *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		request_complete_word(type_names[i], words->at[0]);
}

static int parse_number(struct request *request, const struct arg *arg, struct words *words)
{
	const char *word = take(words);
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
	request->name = take(words);
	if (is_name(request->name))
		return STATUS_OK;
	return fail_usage("'%s' is not a name for a map: up to %d letters, digits, '_' and '.' are",
			  request->name, BPFMAPS_NAME_LEN - 1);
}

#define NUMBER_ARG(KEYWORD, META, FIELD)						\
	{ .keyword = KEYWORD, .meta = META, .field = offsetof(struct request, FIELD),	\
	  .parse = parse_number }

static const struct arg args[] = {
	[ARG_MAP] = { .meta = "MAP", .parse = parse_map, .complete = complete_map },
	[ARG_FILE] = { .meta = "FILE", .parse = parse_file },
	[ARG_KEY] = { .keyword = "key", .meta = "DATA", .is_data = true, .parse = parse_data,
		      .complete = complete_data },
	[ARG_VALUE] = { .keyword = "value", .meta = "DATA", .is_data = true,
			.parse = parse_data, .complete = complete_data },
	[ARG_KEY_FORMAT] = { .keyword = "key", .meta = "FORMAT", .parse = parse_format,
			     .complete = complete_format },
	[ARG_VALUE_FORMAT] = { .keyword = "value", .meta = "FORMAT", .parse = parse_format,
			       .complete = complete_format },
	[ARG_UPDATE_FLAGS] = { .meta = "any | exist | noexist", .parse = parse_update_flags,
			       .complete = complete_update_flags },
	[ARG_TYPE] = { .keyword = "type", .meta = "TYPE", .parse = parse_type,
		       .complete = complete_type },
	[ARG_KEY_SIZE] = NUMBER_ARG("key", "KEY_SIZE", key_size),
	[ARG_VALUE_SIZE] = NUMBER_ARG("value", "VALUE_SIZE", value_size),
	[ARG_ENTRIES] = NUMBER_ARG("entries", "MAX_ENTRIES", max_entries),
	[ARG_NAME] = { .keyword = "name", .meta = "NAME", .parse = parse_name },
	[ARG_FLAGS] = NUMBER_ARG("flags", "FLAGS", flags),
	[ARG_NUMA_NODE] = { .keyword = "numa_node", .meta = "N", .parse = parse_numa_node,
			    .field = offsetof(struct request, numa_node) },
	[ARG_EXTRA] = NUMBER_ARG("extra", "MAP_EXTRA", extra),
};

void request_print_usage(FILE *to, const struct command *command)
{
	fputs(command->name, to);
	for (const unsigned char *a = command->args; *a; a++) {
		const struct arg *arg = &args[ARG_KIND(*a)];
		bool optional = *a & ARG_OPTIONAL;

		fprintf(to, " %s%s%s%s%s", optional ? "[" : "", arg->keyword ? arg->keyword : "",
			arg->keyword ? " " : "", arg->meta, optional ? "]" : "");
	}
}

/* The one of the @missing arguments whose keyword is @word; failing that, begins with it. */
static int keyword_arg(const struct command *command, unsigned int missing, const char *word)
{
	int found = -1;

	for (int i = 0; command->args[i]; i++) {
		const char *keyword = args[ARG_KIND(command->args[i])].keyword;

		if (!(missing & (1U << i)) || !keyword)
			continue;
		if (!strcmp(word, keyword))
			return i;
		if (text_is_prefix(word, keyword))
			found = found == -1 ? i : -2;
	}
	return found;
}

/* Which of the @missing arguments @word begins; -1: none. */
static int next_arg(const struct command *command, unsigned int missing, const char *word)
{
	int by_keyword = keyword_arg(command, missing, word);
	int optional = -1;

	for (int i = 0; command->args[i]; i++) {
		if (!(missing & (1U << i)) || args[ARG_KIND(command->args[i])].keyword)
			continue;
		if (!(command->args[i] & ARG_OPTIONAL))
			return i;
		if (optional < 0)
			optional = i;
	}
	return by_keyword >= 0 ? by_keyword : optional;
}

static unsigned int all_args(const struct command *command)
{
	unsigned int missing = 0;

	for (int i = 0; command->args[i]; i++)
		missing |= 1U << i;
	return missing;
}

static bool is_keyless(__u32 type)
{
	return type == BPFMAPS_TYPE_QUEUE || type == BPFMAPS_TYPE_STACK ||
	       type == BPFMAPS_TYPE_BLOOM_FILTER;
}

/* Types without keys go without the words that are about them. */
static bool is_needed(const struct request *request, unsigned char arg)
{
	if (arg & ARG_OPTIONAL)
		return false;
	if (arg == ARG_KEY)
		return request->info.key_size;
	return arg != ARG_KEY_SIZE || !is_keyless(request->type);
}

static int fail_missing(const struct request *request, unsigned int missing)
{
	const struct command *command = request->command;
	const struct arg *arg;
	int ret = STATUS_OK;
	char *what;

	for (int i = 0; command->args[i] && !ret; i++) {
		if (!(missing & (1U << i)) || !is_needed(request, command->args[i]))
			continue;
		arg = &args[ARG_KIND(command->args[i])];
		what = text_printf("%s%s%s", arg->keyword ? arg->keyword : "",
				   arg->keyword ? " " : "", arg->meta);
		ret = fail_args(command, "", what, " is missing");
		free(what);
	}
	return ret;
}

int request_parse(struct request *request, char **at, int nr)
{
	const struct command *command = request->command;
	unsigned int missing = all_args(command);
	struct words words = { at, nr };
	int ret = STATUS_OK;

	while (words.nr && !ret) {
		int i = next_arg(command, missing, words.at[0]);
		const struct arg *arg;

		if (i < 0)
			return fail_args(command, "unexpected word ", words.at[0], "");
		missing &= ~(1U << i);
		arg = &args[ARG_KIND(command->args[i])];
		if (arg->keyword) {
			char *keyword = take(&words);

			if (!words.nr)
				return fail_args(command, "behind ", keyword,
						 " something is missing");
		}
		ret = arg->parse(request, arg, &words);
	}
	return ret ? ret : fail_missing(request, missing);
}

void request_free(struct request *request)
{
	data_free(&request->key);
	data_free(&request->value);
	if (request->fd >= 0)
		close(request->fd);
}

const struct command *request_command(const struct command *commands, const char *word)
{
	const struct command *found = NULL;

	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(word, c->name))
			return c;
		if (!text_is_prefix(word, c->name))
			continue;
		if (found) {
			fail_usage("'%s' may be '%s' or '%s': more letters are needed", word,
				   found->name, c->name);
			return NULL;
		}
		found = c;
	}
	if (!found)
		fail_usage("'%s' is not a command: 'bpfmapctl help' lists them", word);
	return found;
}

void request_complete_word(const char *candidate, const char *word)
{
	if (!*word || text_is_prefix(word, candidate))
		puts(candidate);
}

/* How many words @arg takes at most; of data, those until the next keyword. */
static int arg_words(const struct command *command, unsigned int missing, const struct arg *arg,
		     const struct words *words)
{
	int nr = 1;

	if (arg->parse == parse_map)
		return 2;
	if (!arg->is_data)
		return 1;
	while (nr < words->nr && keyword_arg(command, missing, words->at[nr]) < 0)
		nr++;
	return nr;
}

/* The last word begins an argument. */
static void complete_start(const struct command *command, unsigned int missing,
			   struct words *words)
{
	for (int i = 0; command->args[i]; i++) {
		const struct arg *arg = &args[ARG_KIND(command->args[i])];

		if (!(missing & (1U << i)))
			continue;
		if (arg->keyword)
			request_complete_word(arg->keyword, words->at[0]);
		else if (arg->complete)
			arg->complete(words);
		/* Nothing can stand before it. */
		if (!arg->keyword && !(command->args[i] & ARG_OPTIONAL))
			return;
	}
}

void request_complete(const struct command *command, char **at, int nr)
{
	unsigned int missing = all_args(command);
	struct words words = { at, nr };
	const struct arg *arg;
	int i, len;

	while (words.nr > 1) {
		i = next_arg(command, missing, words.at[0]);
		if (i < 0)
			return;
		missing &= ~(1U << i);
		arg = &args[ARG_KIND(command->args[i])];
		if (arg->keyword)
			take(&words);
		len = arg_words(command, missing, arg, &words);
		if (words.nr <= len) {
			if (arg->complete)
				arg->complete(&words);
			if (!arg->is_data || words.nr == 1)
				return;
			len = words.nr - 1;
		}
		words.at += len;
		words.nr -= len;
	}
	complete_start(command, missing, &words);
}
