/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: commands, their arguments, and what is asked for
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_REQUEST_H
#define BPFMAPCTL_REQUEST_H

#include <stdbool.h>
#include <stdio.h>

#include "bpfmaps.h"
#include "data.h"

/* What a command takes; the grammar of each is in request.c. */
enum arg_kind {
	ARG_NONE,
	ARG_MAP,
	ARG_FILE,
	ARG_KEY,
	ARG_VALUE,
	ARG_KEY_FORMAT,
	ARG_VALUE_FORMAT,
	ARG_UPDATE_FLAGS,
	ARG_TYPE,
	ARG_KEY_SIZE,
	ARG_VALUE_SIZE,
	ARG_ENTRIES,
	ARG_NAME,
	ARG_FLAGS,
	ARG_NUMA_NODE,
	ARG_EXTRA,
};

/* A command works without it. */
#define ARG_OPTIONAL	0x80
#define ARG_KIND(arg)	((enum arg_kind)((arg) & ~ARG_OPTIONAL))

#define MAX_ARGS	9

/**
 * struct request - a command line, read
 * @command: the command
 * @show_pins: option -f
 * @fd: descriptor of the MAP; -1 for none
 * @info: what that map is
 * @cpus: of a per-CPU map, how many values it has for a key; else 0
 * @value_room: bytes of a value, or of all CPUs' values, as they are copied
 * @key: the key; @key.buf is NULL when it was not given
 * @value: the value; @value.buf is NULL when it was not given
 * @key_format: how to print keys; NULL: as bytes
 * @value_format: how to print values; NULL: as bytes
 * @update_flags: BPFMAPS_ANY, BPFMAPS_EXIST or BPFMAPS_NOEXIST
 * @file: FILE
 * @name: NAME
 * @type: TYPE
 * @key_size: KEY_SIZE
 * @value_size: VALUE_SIZE
 * @max_entries: MAX_ENTRIES
 * @flags: FLAGS
 * @numa_node: N
 * @has_numa_node: whether it was given
 * @extra: MAP_EXTRA
 */
struct request {
	const struct command *command;
	bool show_pins;
	int fd;
	struct bpfmaps_map_info info;
	unsigned int cpus;
	size_t value_room;
	struct data key;
	struct data value;
	const struct data_format *key_format;
	const struct data_format *value_format;
	__u64 update_flags;
	const char *file;
	const char *name;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	__u32 numa_node;
	bool has_numa_node;
	__u32 extra;
};

/**
 * struct command - one command
 * @name: its name
 * @run: do it; returns enum exit_status
 * @access: the access that it needs to a MAP: 0, BPFMAPS_F_RDONLY or BPFMAPS_F_WRONLY
 * @args: its arguments in the order of the usage, ending with ARG_NONE. Those that begin with a
 *        keyword are accepted in any order behind those that do not and are obligatory.
 */
struct command {
	const char *name;
	int (*run)(struct request *request);
	__u32 access;
	unsigned char args[MAX_ARGS + 1];
};

/* Find the command that @word names, in full or by its beginning; NULL: the failure is told. */
const struct command *request_command(const struct command *commands, const char *word);

/* Read the words behind the command and open its map; returns enum exit_status. */
int request_parse(struct request *request, char **words, int nr_words);
void request_free(struct request *request);

void request_print_usage(FILE *to, const struct command *command);

/* Print what may stand in place of the last word. */
void request_complete(const struct command *command, char **words, int nr_words);
void request_complete_word(const char *candidate, const char *word);

#endif /* BPFMAPCTL_REQUEST_H */
