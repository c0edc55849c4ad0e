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
