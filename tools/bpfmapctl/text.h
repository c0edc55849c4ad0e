/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: strings
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_TEXT_H
#define BPFMAPCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define __printf(fmt, first)		\
	__attribute__((format(		\
		printf, fmt, first)))

/* These end the program when there is no memory, and so never return NULL. */
void *text_alloc(size_t size);
char *text_printf(const char *fmt, ...) __printf(1, 2);

/*
 * A copy in printable ASCII, with \xNN for all other bytes: what the kernel lets into names and
 * paths then breaks neither a terminal nor a JSON parser. With @backslash the backslash itself is
 * written so too, which makes the text unambiguous.
 */
char *text_escape(const void *bytes, size_t len, bool backslash);

/* Undo text_escape() with @backslash; returns the length, or -1 if @text is not of this kind. */
ssize_t text_unescape(const char *text, void *bytes, size_t room);

/* Bytes as hex digits, two for each; and back: false if @text is not just that. */
void text_put_hex(FILE *to, const void *bytes, size_t size);
bool text_get_hex(const char *text, size_t len, void *bytes, size_t size);

/* Whether @word is @full or, when not empty, its beginning. */
bool text_is_prefix(const char *word, const char *full);

/* A whole number of at most @max, in decimal, hex after "0x" or octal after "0". */
bool text_to_number(const char *text, int base, __u64 max, __u64 *number);

#endif /* BPFMAPCTL_TEXT_H */
