// SPDX-License-Identifier: GPL-2.0-only
/* Noting what a case saw. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"

#define FILLER		0xa5
#define HEX_MAX		128

void note(struct run *r, const char *fmt, ...)
{
	size_t room = TRACE_SIZE - *r->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->trace + *r->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 2 > room) {
		fprintf(stderr, "# a trace is longer than %d bytes\n", TRACE_SIZE);
		abort();
	}
	*r->len += n;
	r->trace[(*r->len)++] = '\n';
	r->trace[*r->len] = '\0';
}

const char *errno_name(int err)
{
	static char number[16];
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	snprintf(number, sizeof(number), "%d", err);
	return number;
}

void note_ret(struct run *r, const char *label, long ret)
{
	if (ret < 0)
		note(r, "%s: %ld %s", label, ret, errno_name(errno));
	else
		note(r, "%s: %ld", label, ret);
}

static unsigned long long hash_bytes(const unsigned char *p, size_t len)
{
	unsigned long long h = 0xcbf29ce484222325ULL ^ len, word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x100000001b3ULL;
		h ^= h >> 29;
	}
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

/* Short runs of bytes are printed, long ones only told apart. */
void note_bytes(struct run *r, const char *label, const void *p, size_t len)
{
	char hex[2 * HEX_MAX + 1] = "";
	const unsigned char *b = p;
	size_t i;

	if (len > HEX_MAX) {
		note(r, "%s: %zu bytes, hash %016llx", label, len, hash_bytes(b, len));
		return;
	}
	for (i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", b[i]);
	note(r, "%s: %s", label, hex);
}

/* Buffer for @len bytes of output, with known bytes in it and around it. */
void *out_buf(struct run *r, size_t len)
{
	if (len + 2 * GUARD > OUT_MAX)
		abort();
	memset(r->out, FILLER, len + 2 * GUARD);
	return r->out + GUARD;
}

static void note_guard(struct run *r, const char *label, const unsigned char *p)
{
	size_t i;

	for (i = 0; i < GUARD; i++) {
		if (p[i] != FILLER) {
			note(r, "%s: changed, byte %zu", label, i);
			return;
		}
	}
}

void note_out(struct run *r, const char *label, size_t len)
{
	note_guard(r, "guard before the buffer", r->out);
	note_bytes(r, label, r->out + GUARD, len);
	note_guard(r, "guard after the buffer", r->out + GUARD + len);
}

int keep_fd(struct run *r, int fd)
{
	if (fd >= 0) {
		if (r->nr_fds == ARRAY_LEN(r->fds))
			abort();
		r->fds[r->nr_fds++] = fd;
	}
	return fd;
}

/* Closes @fd before the end of the case. */
void drop_fd(struct run *r, int fd)
{
	int i;

	for (i = 0; i < r->nr_fds; i++) {
		if (r->fds[i] == fd) {
			r->fds[i] = r->fds[--r->nr_fds];
			close(fd);
			return;
		}
	}
}
