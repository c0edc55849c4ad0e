/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: read files that have a JSON object on each line
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_SOURCE_H
#define BPFMAPCTL_SOURCE_H

#include <stdio.h>
#include <jansson.h>
#include <linux/types.h>

#include "text.h"

/**
 * struct source - a file that is being read
 * @from: the file
 * @path: its name
 * @line: the number of the line at hand, from 1 on
 * @object: the line at hand
 * @text: the line's text
 * @room: bytes at @text
 */
struct source {
	FILE *from;
	const char *path;
	unsigned long long line;
	json_t *object;
	char *text;
	size_t room;
};

/* Open the file, "-" for standard input; returns enum exit_status and has told what failed. */
int source_open(struct source *source, const char *path);
void source_close(struct source *source);

/* Read the next line; returns enum exit_status. Without one @source->object is NULL. */
int source_next(struct source *source);

/* Say what is wrong with the line at hand; returns STATUS_FAILED. */
int source_fail(const struct source *source, const char *fmt, ...) __printf(2, 3);

/*
 * A member of @object, which the line at hand has in it: a number of up to @max, or hex digits that
 * fill @size bytes. Return enum exit_status.
 */
int source_number(const struct source *source, const json_t *object, const char *name, __u64 max,
		  __u64 *number);
int source_bytes(const struct source *source, const json_t *text, const char *name, void *bytes,
		 size_t size);

/* A text that is written by text_escape(), of up to @room bytes; the length is returned in @len. */
int source_text(const struct source *source, const json_t *text, const char *name, char *bytes,
		size_t room, size_t *len);

#endif /* BPFMAPCTL_SOURCE_H */
