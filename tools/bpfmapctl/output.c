// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: tables, JSON and messages
 *
 * libsmartcols prints both, and escapes what JSON wants escaped. It prints whole tables only, in
 * JSON as {"table": [{...}, {...}]}; the output here is the part inside, so that a list is an
 * array as in bpftool. A long list is printed as a chain of tables with the same columns.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "output.h"
#include "progress.h"
#include "text.h"

/* A table is printed when it holds that many rows, or that many characters. */
#define CHUNK_ROWS	1024
#define CHUNK_TEXT	(1024 * 1024)

#define MAX_COLUMNS	12

/* How far libsmartcols indents the objects in the array in the table. */
#define INDENT		6

struct output_mode output_mode;

/* What output_begin() opened; rows is NULL when nothing is open. */
static struct {
	struct libscols_table *rows;
	struct libscols_line *row;
	struct libscols_column *columns[MAX_COLUMNS];
	size_t nr_columns;
	size_t text;
	bool list;
	bool started;
} out;

/* A list whose objects have a list in them; see output_nest_begin(). */
static struct {
	bool open;
	bool started;
} nest;

static void *check(void *ptr)
{
	if (!ptr) {
		fputs("bpfmapctl: out of memory\n", stderr);
		exit(STATUS_FAILED);
	}
	return ptr;
}

static struct libscols_table *new_table(bool json)
{
	struct libscols_table *table = check(scols_new_table());

	scols_table_set_name(table, "table");
	scols_table_enable_json(table, json);
	scols_table_enable_noencoding(table, 1);
	/* Wide cells are what was asked for: never cut them to a terminal. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

static struct libscols_column *new_column(struct libscols_table *table,
					  const struct column *column, bool json)
{
	static const int json_type[] = {
		[CELL_TEXT] = SCOLS_JSON_STRING,
		[CELL_NUMBER] = SCOLS_JSON_NUMBER,
		[CELL_LIST] = SCOLS_JSON_ARRAY_STRING,
		/* Numbers are printed as they are. */
		[CELL_JSON] = SCOLS_JSON_NUMBER,
	};
	const char *name = json ? column->name : column->heading;
	struct libscols_column *col;

	if (!name)
		return NULL;
	col = check(scols_table_new_column(table, name, 0, column->right ? SCOLS_FL_RIGHT : 0));
	if (!json)
		return col;
	scols_column_set_json_type(col, json_type[column->kind]);
	if (column->kind == CELL_LIST) {
		scols_column_set_flags(col, SCOLS_FL_WRAP);
		scols_column_set_wrapfunc(col, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					  NULL);
	}
	return col;
}

/* The text between the first @from and the last @to, both included, in place. */
static char *cut(char *text, char from, char to)
{
	char *start = strchr(text, from);
	char *end = strrchr(text, to);

	if (!start || !end || end < start)
		return text;
	end[1] = '\0';
	return start;
}

/* Print lines less indented by @indent, or all on one line when that is 0. */
static void put_lines(FILE *to, const char *text, size_t indent)
{
	for (;;) {
		size_t len = strcspn(text, "\n");
		size_t blanks;

		fwrite(text, 1, len, to);
		if (!text[len])
			return;
		text += len + 1;
		blanks = strspn(text, " ");
		text += indent && blanks > indent ? indent : blanks;
		if (indent)
			putc('\n', to);
	}
}

static void table_text(struct libscols_table *table, char **text)
{
	if (scols_print_table_to_string(table, text))
		check(NULL);
}

static void put_rows(void)
{
	char *text;

	table_text(out.rows, &text);
	if (!output_mode.json) {
		puts(text);
		/* What follows continues the table: no headings, and columns as wide as here. */
		scols_table_enable_noheadings(out.rows, 1);
		for (size_t i = 0; i < out.nr_columns; i++)
			if (out.columns[i])
				scols_column_set_whint(out.columns[i],
						       scols_column_get_width(out.columns[i]));
	} else {
		if (out.list)
			putchar(out.started ? ',' : '[');
		put_lines(stdout, cut(cut(text, '[', ']'), '{', '}'),
			  output_mode.pretty ? INDENT : 0);
	}
	out.started = true;
	free(text);
}

static int flush_rows(void)
{
	if (!scols_table_is_empty(out.rows))
		put_rows();
	scols_table_remove_lines(out.rows);
	out.row = NULL;
	out.text = 0;
	return ferror(stdout) ? output_finish(STATUS_OK) : STATUS_OK;
}

void output_begin(const struct column *columns, size_t nr_columns, bool list)
{
	out.rows = new_table(output_mode.json);
	out.nr_columns = nr_columns;
	out.list = list;
	out.started = false;
	for (size_t i = 0; i < nr_columns; i++)
		out.columns[i] = new_column(out.rows, &columns[i], output_mode.json);
}

int output_row(void)
{
	int status = STATUS_OK;

	if (scols_table_get_nlines(out.rows) >= CHUNK_ROWS || out.text >= CHUNK_TEXT)
		status = flush_rows();
	out.row = check(scols_table_new_line(out.rows, NULL));
	return status;
}

void output_cell(size_t column, char *text)
{
	if (!text)
		return;
	out.text += strlen(text);
	if (!out.columns[column]) {
		free(text);
		return;
	}
	if (scols_line_refer_column_data(out.row, out.columns[column], text))
		check(NULL);
}

int output_end(void)
{
	int status = flush_rows();

	if (output_mode.json) {
		if (out.list)
			fputs(out.started ? "]" : "[]", stdout);
		putchar(nest.open ? '}' : '\n');
	}
	scols_unref_table(out.rows);
	out.rows = NULL;
	return status;
}

void output_nest_begin(void)
{
	nest.open = true;
	nest.started = false;
}

void output_nest(char *object, const char *name)
{
	strrchr(object, '}')[0] = '\0';
	printf("%c%s, \"%s\": ", nest.started ? ',' : '[', object, name);
	nest.started = true;
	free(object);
}

int output_nest_null(void)
{
	fputs("null}", stdout);
	return ferror(stdout) ? output_finish(STATUS_OK) : STATUS_OK;
}

int output_nest_end(void)
{
	puts(nest.started ? "]" : "[]");
	nest.open = false;
	return STATUS_OK;
}

int output_nothing(void)
{
	if (output_mode.json)
		puts("null");
	return STATUS_OK;
}

/* One row, as libsmartcols prints it. */
static void row_text(const struct column *columns, char *const *texts, size_t nr_columns,
		     char **text)
{
	struct libscols_table *table = new_table(true);
	struct libscols_line *line;

	for (size_t i = 0; i < nr_columns; i++)
		new_column(table, &columns[i], true);
	line = check(scols_table_new_line(table, NULL));
	for (size_t i = 0; i < nr_columns; i++)
		if (scols_line_set_data(line, i, texts[i]))
			check(NULL);
	table_text(table, text);
	scols_unref_table(table);
}

/* What is inside the array of the table, on one line; @text is freed. */
static char *one_line(char *text, char from, char to)
{
	char *line = NULL;
	size_t len;
	FILE *stream = check(open_memstream(&line, &len));

	put_lines(stream, cut(strchr(text, '[') + 1, from, to), 0);
	if (fclose(stream))
		check(NULL);
	free(text);
	return line;
}

char *output_object(const struct column *columns, char *const *texts, size_t nr_columns)
{
	char *text;

	row_text(columns, texts, nr_columns, &text);
	strrchr(text, '}')[0] = '\0';
	return one_line(text, '{', '}');
}

/* An empty text is an empty array, for which libsmartcols would print [null]. */
char *output_list(char *text)
{
	static const struct column column = { NULL, "list", CELL_LIST, false };
	char *row;

	if (!*text)
		return text_printf("[]");
	row_text(&column, &text, 1, &row);
	strrchr(row, ']')[0] = '\0';
	return one_line(row, '[', ']');
}

char *output_bytes(const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *text = text_alloc(5 * size + 1);
	char *to = text;

	for (size_t i = 0; i < size; i++) {
		if (i)
			*to++ = output_mode.json ? '\n' : ' ';
		if (output_mode.json) {
			*to++ = '0';
			*to++ = 'x';
		}
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
	return text;
}

/* In a list the error comes behind the rows so far: in JSON as the last element of the array. */
static void put_error_json(char *message)
{
	static const struct column column = { NULL, "error", CELL_TEXT, false };
	char *object = output_object(&column, &message, 1);

	if (nest.open && out.rows)
		printf(out.started ? ",%s]}]\n" : "[%s]}]\n", object);
	else if (nest.open && nest.started)
		printf(",%s]\n", object);
	else
		printf(out.rows && out.started ? ",%s]\n" : "%s\n", object);
	free(object);
}

static void put_error(const char *fmt, va_list args)
{
	char *message, *escaped;

	progress_hide();
	if (vasprintf(&message, fmt, args) < 0)
		message = check(NULL);
	escaped = text_escape(message, strlen(message), false);
	if (out.rows && out.list)
		flush_rows();
	if (output_mode.json)
		put_error_json(escaped);
	else
		fprintf(stderr, "bpfmapctl: %s\n", escaped);
	if (out.rows)
		scols_unref_table(out.rows);
	out.rows = NULL;
	free(escaped);
	free(message);
}

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_error(fmt, args);
	va_end(args);
	return STATUS_FAILED;
}

int fail_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_error(fmt, args);
	va_end(args);
	return STATUS_USAGE;
}

int output_finish(int status)
{
	static bool reported;

	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (!reported)
		fprintf(stderr, "bpfmapctl: the output cannot be written: %s\n", strerror(errno));
	reported = true;
	return STATUS_FAILED;
}
