// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: strings
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void *check_alloc(void *ptr)
{
	if (!ptr) {
		fputs("bpfmapctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return ptr;
}

void *text_alloc(size_t size)
{
	return check_alloc(calloc(1, size ? size : 1));
}

char *text_printf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	return check_alloc(len < 0 ? NULL : text);
}

char *text_escape(const void *bytes, size_t len, bool backslash)
{
	const unsigned char *from = bytes;
	char *text = text_alloc(4 * len + 1);
	char *to = text;

	for (; len--; from++) {
		if (*from < 0x20 || *from > 0x7e || (backslash && *from == '\\'))
			to += sprintf(to, "\\x%02x", *from);
		else
			*to++ = *from;
	}
	return text;
}

bool text_is_prefix(const char *word, const char *full)
{
	size_t len = strlen(word);

	return len && !strncmp(word, full, len);
}

bool text_to_number(const char *text, int base, __u64 max, __u64 *number)
{
	char *end;

	/* strtoull() would take blanks and signs. */
	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !errno && !*end && *number <= max;
}

/* The value of a hex digit in lower case, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of two hex digits, or -1. */
static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);

	return low < 0 ? -1 : 16 * high + low;
}

ssize_t text_unescape(const char *text, void *bytes, size_t room)
{
	unsigned char *to = bytes;
	size_t len = 0;

	while (*text) {
		int byte = (unsigned char)*text++;

		if (byte == '\\') {
			byte = *text == 'x' ? hex_byte(text + 1) : -1;
			text += 3;
		}
		if (byte < 0 || len == room)
			return -1;
		to[len++] = byte;
	}
	return len;
}

void text_put_hex(FILE *to, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < size; i++) {
		putc_unlocked(digits[from[i] >> 4], to);
		putc_unlocked(digits[from[i] & 15], to);
	}
}

bool text_get_hex(const char *text, size_t len, void *bytes, size_t size)
{
	unsigned char *to = bytes;

	if (len != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int byte = hex_byte(text + 2 * i);

		if (byte < 0)
			return false;
		to[i] = byte;
	}
	return true;
}
