// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: read command lines, explain and complete them
 *
 * All three walk the arguments of a command in the same way, in next_arg(): obligatory arguments
 * without a keyword come first and in order, then those with a keyword, in any order.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "kind.h"
#include "output.h"
#include "select.h"
#include "text.h"

char *words_take(struct words *words)
{
	words->nr--;
	return *words->at++;
}

int fail_args(const struct request *request, const char *what, const char *word,
	      const char *behind)
{
	const struct command *command = request->command;
	char *usage = NULL;
	FILE *stream;
	size_t len;
	int ret;

	stream = open_memstream(&usage, &len);
	if (stream) {
		request_print_usage(stream, request->noun, command);
		fclose(stream);
	}
	ret = fail_usage("%s: %s'%s'%s: usage: %s", command->name, what, word, behind,
			 usage ? usage : command->name);
	free(usage);
	return ret;
}

void request_print_usage(FILE *to, const char *noun, const struct command *command)
{
	fprintf(to, "%s%s%s", noun, *noun ? " " : "", command->name);
	for (const unsigned char *a = command->args; *a; a++) {
		const struct arg *arg = &args[ARG_KIND(*a)];
		bool optional = *a & (ARG_OPTIONAL | ARG_BY_TYPE);

		fprintf(to, " %s%s%s%s%s", optional ? "[" : "", arg->keyword ? arg->keyword : "",
			arg->keyword && arg->meta ? " " : "", arg->meta ? arg->meta : "",
			optional ? "]" : "");
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

/* Types without keys or values go without the words that are about them. */
static bool is_needed(const struct request *request, unsigned char arg)
{
	if (arg & ARG_OPTIONAL)
		return false;
	switch (ARG_KIND(arg)) {
	case ARG_KEY:
		return request->info.key_size;
	case ARG_KEY_SIZE:
		return !kind_is_keyless(request->type);
	case ARG_VALUE_SIZE:
		return !kind_is_ring(request->type);
	default:
		return true;
	}
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
		ret = fail_args(request, "", what, " is missing");
		free(what);
	}
	return ret;
}

int request_size_values(struct request *request)
{
	ssize_t size = bpfmaps_value_size(&request->info);

	if (size < 0)
		return fail("the number of CPUs is not known: %s", select_strerror(size));
	request->value_room = size;
	if (bpfmaps_type_is_percpu(request->info.type))
		request->cpus = bpfmaps_num_possible_cpus();
	return STATUS_OK;
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
			return fail_args(request, "unexpected word ", words.at[0], "");
		missing &= ~(1U << i);
		arg = &args[ARG_KIND(command->args[i])];
		if (arg->keyword) {
			char *keyword = words_take(&words);

			if (arg->meta && !words.nr)
				return fail_args(request, "behind ", keyword,
						 " something is missing");
		}
		ret = arg->parse(request, arg, &words);
	}
	return ret ? ret : fail_missing(request, missing);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void request_free(struct request *request)
{
	data_free(&request->key);
	data_free(&request->value);
	close_fd(request->fd);
	close_fd(request->inner_fd);
	close_fd(request->value_fd);
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
static int arg_words(const struct request *request, unsigned int missing, const struct arg *arg,
		     const struct words *words)
{
	int nr = 1;

	if (!arg->meta)
		return 0;
	if (arg->is_map)
		return 2;
	if (!arg->is_data)
		return 1;
	while (nr < words->nr && keyword_arg(request->command, missing, words->at[nr]) < 0)
		nr++;
	return nr;
}

/* Nobody wants to be told of what the map does not have. */
static bool is_offered(const struct request *request, enum arg_kind kind)
{
	__u32 type = request->info.type;

	if (request->fd < 0)
		return true;
	switch (kind) {
	case ARG_KEY:
	case ARG_KEY_FORMAT:
		return request->info.key_size;
	case ARG_CPU:
		return request->cpus;
	case ARG_TOUCH:
		return kind_is_lru(type);
	case ARG_RECURSIVE:
	case ARG_INNER_KEY_FORMAT:
	case ARG_INNER_VALUE_FORMAT:
		return kind_holds_maps(type);
	case ARG_REQUEUE:
		/* Inner maps may be queues. */
		return kind_is_queue(type) || kind_holds_maps(type);
	default:
		return true;
	}
}

/* The last word begins an argument. */
static void complete_start(const struct request *request, unsigned int missing,
			   struct words *words)
{
	const struct command *command = request->command;

	for (int i = 0; command->args[i]; i++) {
		const struct arg *arg = &args[ARG_KIND(command->args[i])];

		if (!(missing & (1U << i)) || !is_offered(request, ARG_KIND(command->args[i])))
			continue;
		if (arg->keyword)
			request_complete_word(arg->keyword, words->at[0]);
		else if (arg->complete)
			arg->complete(request, arg, words);
		/* Nothing can stand before it. */
		if (!arg->keyword && !(command->args[i] & ARG_OPTIONAL))
			return;
	}
}

/* What follows depends on the map, if it can be opened. */
static void peek_map(struct request *request, unsigned char arg, struct words words)
{
	if (ARG_KIND(arg) == ARG_MAP)
		args[ARG_MAP].parse(request, &args[ARG_MAP], &words);
}

void request_complete(struct request *request, char **at, int nr)
{
	const struct command *command = request->command;
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
			words_take(&words);
		len = arg_words(request, missing, arg, &words);
		if (len && words.nr <= len) {
			if (arg->complete)
				arg->complete(request, arg, &words);
			if (!arg->is_data || words.nr == 1)
				return;
			len = words.nr - 1;
		}
		peek_map(request, command->args[i], words);
		words.at += len;
		words.nr -= len;
	}
	complete_start(request, missing, &words);
}
