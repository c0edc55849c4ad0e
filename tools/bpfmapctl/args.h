/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: the arguments of commands
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_ARGS_H
#define BPFMAPCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

/* The words that are still to be read. */
struct words {
	char **at;
	int nr;
};

/**
 * struct arg - the grammar of one enum arg_kind
 * @keyword: the word that begins it; NULL: none
 * @meta: what stands in the usage for the words behind; NULL: nothing follows the keyword
 * @is_data: its length depends on the map
 * @is_map: it has the words of a MAP
 * @field: where parse_number() and the like put what they read, in struct request
 * @parse: read the words behind the keyword; returns enum exit_status
 * @complete: print what may stand as the last word; NULL: nothing is known
 */
struct arg {
	const char *keyword;
	const char *meta;
	bool is_data;
	bool is_map;
	size_t field;
	int (*parse)(struct request *request, const struct arg *arg, struct words *words);
	void (*complete)(const struct request *request, const struct arg *arg,
			 struct words *words);
};

extern const struct arg args[];

char *words_take(struct words *words);

/* Usage errors end with the right usage; returns STATUS_USAGE. */
int fail_args(const struct request *request, const char *what, const char *word,
	      const char *behind);

#endif /* BPFMAPCTL_ARGS_H */
