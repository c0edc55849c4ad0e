// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: the commands on ring buffers
 *
 * Records are printed one a line, also in JSON: whoever reads them need not wait for the end.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "elem.h"
#include "kind.h"
#include "output.h"
#include "ringbuf.h"
#include "select.h"
#include "text.h"

/* Room for records that are taken out; it grows where one is larger. */
#define DRAIN_BYTES	(64 * 1024U)

static const struct data_format *record_format(const struct request *request, size_t size)
{
	const struct data_format *format = request->value_format;

	return format && data_format_fits(format, size) ? format : NULL;
}

static void print_json(const struct data_format *format, const __u8 *data, size_t size)
{
	const struct column columns[] = {
		{ NULL, "size", CELL_NUMBER, false },
		{ NULL, "value", CELL_JSON, false },
		{ NULL, "formatted", CELL_JSON, false },
	};
	char *bytes = output_bytes(data, size);
	char *texts[3] = { text_printf("%zu", size), output_list(bytes), NULL };
	struct column column = { NULL, "value", CELL_TEXT, false };
	char *text, *object;

	if (format) {
		text = format->print(format, data, size);
		column.kind = format->number ? CELL_NUMBER : CELL_TEXT;
		texts[2] = output_object(&column, &text, 1);
		free(text);
	}
	object = output_object(columns, texts, format ? 3 : 2);
	puts(object);
	free(object);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	free(bytes);
}

/* A record that has not the size of the format is shown as bytes. */
static int print_record(const struct request *request, const void *data, size_t size)
{
	const struct data_format *format = record_format(request, size);
	char *text;

	if (output_mode.json) {
		print_json(format, data, size);
	} else {
		text = elem_data(format, data, size);
		puts(text);
		free(text);
	}
	return ferror(stdout) ? output_finish(STATUS_OK) : STATUS_OK;
}

/**
 * struct reader - a reader of a RINGBUF
 * @request: what is asked for
 * @ring: the ring
 * @records: how many were read
 * @bytes: how many bytes these had
 * @end: when the time is over, in milliseconds
 */
struct reader {
	const struct request *request;
	struct bpfmaps_ring *ring;
	__u32 records;
	__u64 bytes;
	__s64 end;
};

static __s64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int time_left(const struct reader *reader)
{
	__s64 left = reader->end - now_ms();

	if (!reader->request->has_timeout)
		return -1;
	if (left < 0)
		return 0;
	return left < INT_MAX ? left : INT_MAX;
}

static bool reader_is_done(const struct reader *reader)
{
	const struct request *request = reader->request;

	if (request->count)
		return reader->records == request->count;
	/* Others may write faster than we read: so much can have been there at the start. */
	return !request->follow && !request->has_timeout &&
	       reader->bytes >= request->info.max_entries;
}

/* Read what is there. */
static int read_records(struct reader *reader)
{
	const void *record;
	int status = STATUS_OK;
	size_t size;

	while (!status && !reader_is_done(reader)) {
		record = bpfmaps_ring_peek(reader->ring, &size);
		if (!record && errno == EAGAIN)
			return STATUS_OK;
		if (!record)
			return fail("map %u cannot be read: somebody else has set its position",
				    reader->request->info.id);
		status = print_record(reader->request, record, size);
		bpfmaps_ring_release(reader->ring);
		reader->bytes += size + BPFMAPS_RINGBUF_HDR_SZ;
		reader->records++;
	}
	return status;
}

static int fail_count(const struct reader *reader)
{
	return fail("map %u: %u of %u records came in %u seconds", reader->request->info.id,
		    reader->records, reader->request->count, reader->request->timeout);
}

static int read_and_wait(struct reader *reader)
{
	const struct request *request = reader->request;
	int status, ret;

	for (;;) {
		status = read_records(reader);
		if (status || reader_is_done(reader))
			return status;
		if (!request->follow && !request->count && !request->has_timeout)
			return STATUS_OK;
		/* Whoever reads our output sees what there is before we sleep. */
		status = output_finish(STATUS_OK);
		if (status)
			return status;
		ret = bpfmaps_ring_wait(reader->ring, time_left(reader));
		if (ret < 0 && ret != -EINTR)
			return fail_elem(request, "cannot wait for", ret);
		if (!ret)
			return request->count ? fail_count(reader) : STATUS_OK;
	}
}

static int fail_type(const struct request *request)
{
	__u32 id = request->info.id;

	if (request->info.type == BPFMAPS_TYPE_RINGBUF)
		return fail("%s: map %u is a ringbuf: 'ringbuf read' shows its records",
			    request->command->name, id);
	if (request->info.type == BPFMAPS_TYPE_USER_RINGBUF)
		return fail("%s: map %u is a user_ringbuf: 'ringbuf drain' takes its records out",
			    request->command->name, id);
	return fail("%s: map %u is not a ring buffer", request->command->name, id);
}

static int open_ring(const struct request *request, struct bpfmaps_ring **ring)
{
	*ring = bpfmaps_ring_open(request->fd);
	if (*ring)
		return STATUS_OK;
	return fail_write(request, "cannot map", -errno);
}

static int ringbuf_read(struct request *request)
{
	struct reader reader = { .request = request };
	int status;

	if (request->info.type != BPFMAPS_TYPE_RINGBUF)
		return fail_type(request);
	status = open_ring(request, &reader.ring);
	if (status)
		return status;
	reader.end = now_ms() + (__s64)request->timeout * 1000;
	status = read_and_wait(&reader);
	bpfmaps_ring_close(reader.ring);
	return status;
}

static int fail_record(const struct request *request, int err)
{
	if (err == -EAGAIN)
		return fail("map %u has no room for the record now: %s", request->info.id,
			    "its records have to be taken out first");
	if (err == -E2BIG)
		return fail("map %u is too small for a record of %zu bytes: it has %u",
			    request->info.id, request->value.size, request->info.max_entries);
	if (err == -EINVAL)
		return fail("map %u cannot be written: somebody else has set its position",
			    request->info.id);
	return fail_write(request, "cannot write to", err);
}

static int write_user_ring(const struct request *request)
{
	struct bpfmaps_ring *ring;
	int status, err;
	void *record;

	status = open_ring(request, &ring);
	if (status)
		return status;
	record = bpfmaps_ring_reserve(ring, request->value.size);
	err = -errno;
	if (record) {
		memcpy(record, request->value.buf, request->value.size);
		bpfmaps_ring_submit(ring, record);
	}
	bpfmaps_ring_close(ring);
	return record ? output_nothing() : fail_record(request, err);
}

static int ringbuf_write(struct request *request)
{
	int err;

	if (request->info.type == BPFMAPS_TYPE_USER_RINGBUF)
		return write_user_ring(request);
	if (request->info.type != BPFMAPS_TYPE_RINGBUF)
		return fail_type(request);
	err = bpfmaps_ringbuf_output(request->fd, request->value.buf, request->value.size, 0);
	return err ? fail_record(request, err) : output_nothing();
}

/**
 * struct drain - room for records that are taken out
 * @buf: the room
 * @size: bytes of room
 * @total: bytes that were taken out
 */
struct drain {
	__u8 *buf;
	__u32 size;
	__u64 total;
};

static int fail_drain(const struct request *request, int err)
{
	if (err == -EBUSY)
		return fail("map %u is being drained by a user in the kernel", request->info.id);
	if (err == -EINVAL)
		return fail("map %u cannot be drained: what its writer has left makes no sense",
			    request->info.id);
	return fail_write(request, "cannot drain", err);
}

static int print_drained(const struct request *request, const struct drain *drain, size_t bytes)
{
	int status = STATUS_OK;
	const void *record;
	size_t at = 0;
	__u32 size;

	while (!status && (record = bpfmaps_ringbuf_next(drain->buf, bytes, &at, &size)))
		status = print_record(request, record, size);
	return status;
}

/* What is in the ring now, but not all that others may add meanwhile. */
static int drain_records(const struct request *request, struct drain *drain)
{
	int status = STATUS_OK;
	int ret;

	while (!status && drain->total < request->info.max_entries) {
		ret = bpfmaps_user_ringbuf_drain(request->fd, drain->buf, drain->size, 0);
		if (!ret)
			break;
		if (ret == -ENOSPC && drain->size < request->info.max_entries) {
			free(drain->buf);
			drain->size = request->info.max_entries;
			drain->buf = text_alloc(drain->size);
			continue;
		}
		if (ret == -EAGAIN)
			continue;
		if (ret < 0)
			return fail_drain(request, ret);
		status = print_drained(request, drain, ret);
		drain->total += ret;
	}
	return status;
}

static int ringbuf_drain(struct request *request)
{
	struct drain drain = { .size = DRAIN_BYTES };
	int status;

	if (request->info.type != BPFMAPS_TYPE_USER_RINGBUF)
		return fail_type(request);
	drain.buf = text_alloc(drain.size);
	status = drain_records(request, &drain);
	free(drain.buf);
	return status;
}

#define OPT(kind)	((kind) | ARG_OPTIONAL)

const struct command ringbuf_commands[] = {
	{ "read", ringbuf_read, 0,
	  { ARG_MAP, OPT(ARG_VALUE_FORMAT), OPT(ARG_COUNT), OPT(ARG_TIMEOUT), OPT(ARG_FOLLOW) } },
	{ "write", ringbuf_write, 0, { ARG_MAP, ARG_RECORD } },
	{ "drain", ringbuf_drain, 0, { ARG_MAP, OPT(ARG_VALUE_FORMAT) } },
	{ }
};
