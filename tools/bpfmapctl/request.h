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

/* What a command takes; the grammar of each is in args.c. */
enum arg_kind {
	ARG_NONE,
	ARG_MAP,
	ARG_FILE,
	ARG_KEY,
	ARG_VALUE,
	ARG_RECORD,
	ARG_KEY_FORMAT,
	ARG_VALUE_FORMAT,
	ARG_INNER_KEY_FORMAT,
	ARG_INNER_VALUE_FORMAT,
	ARG_UPDATE_FLAGS,
	ARG_CPU,
	ARG_TOUCH,
	ARG_TYPE,
	ARG_KEY_SIZE,
	ARG_VALUE_SIZE,
	ARG_ENTRIES,
	ARG_NAME,
	ARG_FLAGS,
	ARG_INNER_MAP,
	ARG_NUMA_NODE,
	ARG_EXTRA,
	ARG_RECURSIVE,
	ARG_REQUEUE,
	ARG_TO_FILE,
	ARG_PIN,
	ARG_COUNT,
	ARG_TIMEOUT,
	ARG_FOLLOW,
};

/* A command works without it. */
#define ARG_OPTIONAL	0x80

/* The types that have no keys, or no values, go without it; the others need it. */
#define ARG_BY_TYPE	0x40

#define ARG_KIND(arg)	((enum arg_kind)((arg) & ~(ARG_OPTIONAL | ARG_BY_TYPE)))

#define MAX_ARGS	10

/**
 * struct request - a command line, read
 * @noun: the word before the command that belongs to it, or ""
 * @command: the command
 * @show_pins: option -f
 * @map_words: the words of the MAP
 * @fd: descriptor of the MAP; -1 for none
 * @info: what that map is
 * @cpus: of a per-CPU map, how many values it has for a key; else 0
 * @value_room: bytes of a value, or of all CPUs' values, as they are copied
 * @key: the key; @key.buf is NULL when it was not given
 * @value: the value; @value.buf is NULL when it was not given
 * @value_fd: the map that was given as the value; -1 for none
 * @key_format: how to print keys; NULL: as bytes
 * @value_format: how to print values; NULL: as bytes
 * @inner_key_format: how to print the keys of inner maps; NULL: as bytes
 * @inner_value_format: how to print the values of inner maps; NULL: as bytes
 * @update_flags: BPFMAPS_ANY, BPFMAPS_EXIST or BPFMAPS_NOEXIST
 * @cpu: the CPU whose value alone is meant
 * @has_cpu: whether it was given
 * @touch: the look-up counts as a use
 * @file: FILE; NULL when it was not given
 * @pin: PATH; NULL when it was not given
 * @name: NAME
 * @type: TYPE
 * @key_size: KEY_SIZE
 * @value_size: VALUE_SIZE
 * @max_entries: MAX_ENTRIES
 * @flags: FLAGS
 * @inner_fd: the map that inner maps are like; -1 for none
 * @numa_node: N
 * @has_numa_node: whether it was given
 * @extra: MAP_EXTRA
 * @recursive: show the elements of inner maps
 * @requeue: take the values out of a queue or stack, and put them back
 * @follow: wait for more records
 * @count: how many records to wait for; 0: it was not given
 * @timeout: for how many seconds
 * @has_timeout: whether it was given
 */
struct request {
	const char *noun;
	const struct command *command;
	bool show_pins;
	char **map_words;
	int fd;
	struct bpfmaps_map_info info;
	unsigned int cpus;
	size_t value_room;
	struct data key;
	struct data value;
	int value_fd;
	const struct data_format *key_format;
	const struct data_format *value_format;
	const struct data_format *inner_key_format;
	const struct data_format *inner_value_format;
	__u64 update_flags;
	__u32 cpu;
	bool has_cpu;
	bool touch;
	const char *file;
	const char *pin;
	const char *name;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	int inner_fd;
	__u32 numa_node;
	bool has_numa_node;
	__u32 extra;
	bool recursive;
	bool requeue;
	bool follow;
	__u32 count;
	__u32 timeout;
	bool has_timeout;
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

/* Open the MAP for reading and writing, whatever the command asks for; returns enum exit_status. */
int request_reopen(struct request *request);

/* Fill in how the values of @request->info are copied; returns enum exit_status. */
int request_size_values(struct request *request);

void request_print_usage(FILE *to, const char *noun, const struct command *command);

/* Print what may stand in place of the last word of a command line for @request->command. */
void request_complete(struct request *request, char **words, int nr_words);
void request_complete_word(const char *candidate, const char *word);

#endif /* BPFMAPCTL_REQUEST_H */
