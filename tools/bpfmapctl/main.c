// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl - use the maps of /dev/bpfmaps from a shell
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "map.h"
#include "output.h"
#include "request.h"
#include "ringbuf.h"
#include "text.h"

#define OPT(kind)	((kind) | ARG_OPTIONAL)
#define BY_TYPE(kind)	((kind) | ARG_BY_TYPE)

static int help(struct request *request);

static const struct command map_commands[] = {
	{ "show", map_show, BPFMAPS_F_RDONLY, { OPT(ARG_MAP) } },
	{ "list", map_show, BPFMAPS_F_RDONLY, { OPT(ARG_MAP) } },
	{ "create", map_create, 0,
	  { ARG_FILE, ARG_TYPE, BY_TYPE(ARG_KEY_SIZE), BY_TYPE(ARG_VALUE_SIZE), ARG_ENTRIES,
	    OPT(ARG_NAME), OPT(ARG_FLAGS), OPT(ARG_INNER_MAP), OPT(ARG_NUMA_NODE),
	    OPT(ARG_EXTRA) } },
	{ "dump", map_dump, BPFMAPS_F_RDONLY,
	  { ARG_MAP, OPT(ARG_KEY_FORMAT), OPT(ARG_VALUE_FORMAT), OPT(ARG_RECURSIVE),
	    OPT(ARG_INNER_KEY_FORMAT), OPT(ARG_INNER_VALUE_FORMAT), OPT(ARG_REQUEUE),
	    OPT(ARG_TO_FILE) } },
	{ "restore", map_restore, 0, { ARG_FILE, OPT(ARG_PIN), OPT(ARG_INNER_MAP) } },
	{ "lookup", map_lookup, BPFMAPS_F_RDONLY,
	  { ARG_MAP, BY_TYPE(ARG_KEY), OPT(ARG_VALUE_FORMAT), OPT(ARG_CPU), OPT(ARG_TOUCH) } },
	{ "update", map_update, BPFMAPS_F_WRONLY,
	  { ARG_MAP, BY_TYPE(ARG_KEY), ARG_VALUE, OPT(ARG_CPU), OPT(ARG_UPDATE_FLAGS) } },
	{ "delete", map_delete, BPFMAPS_F_WRONLY, { ARG_MAP, ARG_KEY } },
	{ "getnext", map_getnext, BPFMAPS_F_RDONLY, { ARG_MAP, OPT(ARG_KEY) } },
	{ "peek", map_peek, BPFMAPS_F_RDONLY, { ARG_MAP, OPT(ARG_VALUE_FORMAT) } },
	{ "push", map_push, BPFMAPS_F_WRONLY, { ARG_MAP, ARG_VALUE } },
	{ "pop", map_pop, 0, { ARG_MAP, OPT(ARG_VALUE_FORMAT) } },
	{ "enqueue", map_push, BPFMAPS_F_WRONLY, { ARG_MAP, ARG_VALUE } },
	{ "dequeue", map_pop, 0, { ARG_MAP, OPT(ARG_VALUE_FORMAT) } },
	{ "clear", map_clear, 0, { ARG_MAP } },
	{ "pin", map_pin, 0, { ARG_MAP, ARG_FILE } },
	{ "freeze", map_freeze, 0, { ARG_MAP } },
	{ "help", help, 0, { ARG_NONE } },
	{ }
};

/**
 * struct noun - commands that belong together
 * @name: the word before them
 * @commands: the commands
 */
static const struct noun {
	const char *name;
	const struct command *commands;
} nouns[] = {
	{ "map", map_commands },
	{ "ringbuf", ringbuf_commands },
};

static const struct {
	struct option option;
	const char *help;
} options[] = {
	{ { "json", no_argument, NULL, 'j' }, "JSON output, on one line" },
	{ { "pretty", no_argument, NULL, 'p' }, "JSON output, on several lines" },
	{ { "bpffs", no_argument, NULL, 'f' }, "show the paths of pinned maps" },
	{ { "nomount", no_argument, NULL, 'n' }, "as in bpftool; nothing is ever mounted" },
	{ { "version", no_argument, NULL, 'V' }, "print the version" },
	{ { "help", no_argument, NULL, 'h' }, "print this help" },
};

#define TYPE_ENTRY(number, NAME, name)	{ number, #name },

static const struct {
	__u32 number;
	const char *name;
} types[] = {
	BPFMAPS_TYPES(TYPE_ENTRY)
};

static int help(struct request *request)
{
	(void)request;
	if (output_mode.json)
		return output_nothing();
	puts("Usage: bpfmapctl [OPTIONS] [map] COMMAND\n"
	     "       bpfmapctl [OPTIONS] ringbuf COMMAND\n\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++)
		for (const struct command *c = nouns[i].commands; c->name; c++) {
			fputs("  ", stdout);
			request_print_usage(stdout, i ? nouns[i].name : "", c);
			putchar('\n');
		}
	puts("\nDATA of a value is a MAP where the values are maps. requeue takes the values out\n"
	     "of a queue or stack to see them, and puts them back: only if nobody else uses it.");
	fputs("key is left out for types without keys, and obligatory for all others:", stdout);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (kind_is_keyless(types[i].number))
			printf(" %s", types[i].name);
	putchar('\n');
	puts("\nOptions:");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		printf("  -%c, --%-10s %s\n", options[i].option.val, options[i].option.name,
		       options[i].help);
	puts("\nMAP is one of: id N, pinned FILE, name S\n"
	     "DATA is bytes (10 0x0a 012), 'hex' and bytes (hex 0a), or FORMAT:TEXT (u32:10)");
	fputs("FORMAT is one of:", stdout);
	for (const struct data_format *f = data_formats; f->name; f++)
		printf(" %s", f->name);
	fputs("\nTYPE is one of:", stdout);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		printf(" %s", types[i].name);
	putchar('\n');
	return STATUS_OK;
}

static int version(void)
{
	static const struct column columns[] = { { NULL, "version", CELL_TEXT, false } };

	if (!output_mode.json) {
		puts("bpfmapctl " VERSION);
		return STATUS_OK;
	}
	output_begin(columns, 1, false);
	output_row();
	output_cell(0, text_printf("%s", VERSION));
	return output_end();
}

/* Take the noun from the words, if there is one; without it the commands are those on maps. */
static const struct noun *take_noun(char ***words, int *nr_words)
{
	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++) {
		if (!*nr_words || strcmp(**words, nouns[i].name))
			continue;
		++*words;
		--*nr_words;
		return &nouns[i];
	}
	return NULL;
}

static int run(struct request *request, char **words, int nr_words)
{
	const struct noun *noun = take_noun(&words, &nr_words);
	int status;

	/* As bpftool does. */
	if (noun == &nouns[0] && !nr_words)
		return run(request, (char *[]){ "show", NULL }, 1);
	if (!nr_words)
		return fail_usage("a command is missing: 'bpfmapctl help' lists them");
	if (noun && noun != &nouns[0])
		request->noun = noun->name;
	request->command = request_command(noun ? noun->commands : map_commands, words[0]);
	if (!request->command)
		return STATUS_USAGE;
	status = request_parse(request, words + 1, nr_words - 1);
	return status ? status : request->command->run(request);
}

static void complete_options(const char *last)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char *option = text_printf("--%s", options[i].option.name);

		request_complete_word(option, last);
		free(option);
	}
}

/* The last word is a noun or a command. */
static void complete_command(const struct noun *noun, const char *last)
{
	for (const struct command *c = noun ? noun->commands : map_commands; c->name; c++)
		request_complete_word(c->name, last);
	for (size_t i = 0; i < ARRAY_SIZE(nouns) && !noun; i++)
		request_complete_word(nouns[i].name, last);
}

/* For the completion of the shell: print what may stand in place of the last word. */
static int complete(struct request *request, char **words, int nr_words)
{
	const char *last = nr_words ? words[nr_words - 1] : "";
	const struct noun *noun = NULL;

	/* Nothing that goes wrong is told. */
	if (!freopen("/dev/null", "w", stderr))
		return STATUS_FAILED;
	if (*last == '-')
		complete_options(last);
	while (nr_words > 1 && **words == '-') {
		words++;
		nr_words--;
	}
	if (nr_words > 1)
		noun = take_noun(&words, &nr_words);
	if (nr_words < 2) {
		complete_command(noun, last);
		return STATUS_OK;
	}
	for (const struct command *c = noun ? noun->commands : map_commands; c->name; c++) {
		request->command = c;
		if (!strcmp(*words, c->name))
			request_complete(request, words + 1, nr_words - 1);
	}
	return STATUS_OK;
}

/* Returns 0, or the letter of an option that asks for an answer of its own, or '?'. */
static int read_options(struct request *request, int argc, char **argv)
{
	struct option longs[ARRAY_SIZE(options) + 1] = { };
	char letters[ARRAY_SIZE(options) + 1] = "";
	int answer = 0;
	int c;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		longs[i] = options[i].option;
		letters[i] = options[i].option.val;
	}
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?')
			return c;
		output_mode.json |= c == 'j' || c == 'p';
		output_mode.pretty |= c == 'p';
		request->show_pins |= c == 'f';
		if (c == 'V' || c == 'h')
			answer = c;
	}
	return answer;
}

static int fail_option(const char *word)
{
	char letter[] = { '-', optopt, '\0' };

	return fail_usage("'%s' is not an option: 'bpfmapctl help' lists them",
			  strncmp(word, "--", 2) ? letter : word);
}

int main(int argc, char **argv)
{
	struct request request = { .noun = "", .fd = -1, .inner_fd = -1, .value_fd = -1 };
	int status;

	if (argc > 1 && !strcmp(argv[1], "--complete"))
		return output_finish(complete(&request, argv + 2, argc - 2));
	switch (read_options(&request, argc, argv)) {
	case '?':
		status = fail_option(argv[optind - 1]);
		break;
	case 'V':
		status = version();
		break;
	case 'h':
		status = help(&request);
		break;
	default:
		status = run(&request, argv + optind, argc - optind);
	}
	request_free(&request);
	return output_finish(status);
}
