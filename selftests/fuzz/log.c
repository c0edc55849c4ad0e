// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs go to the kernel's log before they are run, below the level that the console shows. When
 * the kernel panics, all of the log is shown, and so what was run last.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define PREFIX		"<7>fuzz: "
#define PIECE		900	/* bytes of a message; the kernel takes some more */

static int kmsg = -1;

void log_init(void)
{
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (kmsg < 0)
		err(1, "/dev/kmsg");
}

/* As much of @text as a message has room for, in whole lines. Returns how much. */
static unsigned int log_piece(const char *text)
{
	char message[sizeof(PREFIX) + PIECE];
	unsigned int len = strnlen(text, PIECE), total;

	if (len == PIECE)
		while (text[len - 1] != '\n')
			len--;
	total = sprintf(message, PREFIX "%.*s", (int)len, text);
	if (write(kmsg, message, total) < 0)
		err(1, "/dev/kmsg");
	return len;
}

void log_program(const struct prog *p)
{
	static char text[TEXT_MAX];
	const char *rest = text;
	unsigned int len = sprintf(text, "program %lu\n", state->execs);

	text_write(p, text + len);
	while (*rest)
		rest += log_piece(rest);
}

void log_print(const struct prog *p)
{
	static char text[TEXT_MAX];

	text_write(p, text);
	fputs(text, stdout);
	fflush(stdout);
}
