/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: tables, JSON and messages
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_OUTPUT_H
#define BPFMAPCTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

enum exit_status {
	STATUS_OK	= 0,
	STATUS_FAILED	= 1,
	STATUS_USAGE	= 2,
};

/**
 * struct output_mode - the options that rule the output
 * @json: JSON instead of tables
 * @pretty: JSON on several lines
 */
struct output_mode {
	bool json;
	bool pretty;
};

extern struct output_mode output_mode;

enum cell_kind {
	CELL_TEXT,	/* a string */
	CELL_NUMBER,	/* a number */
	CELL_LIST,	/* an array of the lines of the text */
	CELL_JSON,	/* a piece of JSON */
};

/**
 * struct column - a column of a table, a field of a JSON object
 * @heading: its heading in a table; NULL: in JSON only
 * @name: its name in JSON, in lower case; NULL: in tables only
 * @kind: enum cell_kind, for JSON
 * @right: whether a table aligns it to the right
 */
struct column {
	const char *heading;
	const char *name;
	enum cell_kind kind;
	bool right;
};

/*
 * Rows go between output_begin() and output_end(). They are printed while they come, so that a map
 * of any size can be shown. As a list they make a JSON array; else there is one row and it makes
 * an object. A cell takes over the allocated text, NULL leaves it empty. Cells of columns that
 * the output does not have are dropped. The functions that return a status have printed why.
 */
void output_begin(const struct column *columns, size_t nr_columns, bool list);
int output_row(void);
void output_cell(size_t column, char *text);
int output_end(void);

/*
 * In JSON only: between output_nest_begin() and output_nest_end() a list is printed whose objects
 * each have a list in them. output_nest() begins an object, of which the text @object is all but
 * the list @name, and takes that text over; then follow output_begin() and so on, or
 * output_nest_null() where there is no list.
 */
void output_nest_begin(void);
void output_nest(char *object, const char *name);
int output_nest_null(void);
int output_nest_end(void);

/* The result of commands that have none: "null" in JSON, nothing else. */
int output_nothing(void);

/* An object {"name": text, ...} or array as text for a cell of kind CELL_JSON. */
char *output_object(const struct column *columns, char *const *texts, size_t nr_columns);
char *output_list(char *text);

/* Bytes as the cell of a column of kind CELL_LIST, in the form that the output wants. */
char *output_bytes(const void *bytes, size_t size);

/* Say what is wrong, on one line or as {"error": ...}; returns STATUS_FAILED or STATUS_USAGE. */
int fail(const char *fmt, ...) __printf(1, 2);
int fail_usage(const char *fmt, ...) __printf(1, 2);

/* Whether all that was printed has reached its destination; returns the new status. */
int output_finish(int status);

#endif /* BPFMAPCTL_OUTPUT_H */
