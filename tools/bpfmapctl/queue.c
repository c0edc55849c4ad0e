// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: all values of a queue or stack
 *
 * They can only be seen by taking them out, and are put back. Others find it empty in between, and
 * what they put in meanwhile comes to stand before the values; so this is done only for who asks
 * for it. It is as short as can be, and no signal that can be held off interrupts it.
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "elem.h"
#include "output.h"
#include "queue.h"

/* Make room for one more; nothing is lost where there is no memory. */
static bool values_grow(struct values *values, __u32 *room)
{
	__u32 more = *room ? 2 * *room : 64;
	__u8 *buf;

	if (values->nr < *room)
		return true;
	buf = reallocarray(values->buf, more, values->size);
	if (!buf)
		return false;
	values->buf = buf;
	*room = more;
	return true;
}

/* Ends although others put values in; returns a negative errno, or 0. */
static int take_all(const struct request *request, struct values *values)
{
	__u32 room = 0;
	int err;

	while (values->nr < request->info.max_entries) {
		if (!values_grow(values, &room))
			return -ENOMEM;
		err = bpfmaps_map_lookup_and_delete_elem(request->fd, NULL,
							 values->buf + values->nr * values->size);
		if (err == -ENOENT)
			return 0;
		if (err)
			return err;
		values->nr++;
	}
	return 0;
}

/* Returns how many have no place any more. */
static __u32 put_back(const struct request *request, const struct values *values)
{
	for (__u32 i = 0; i < values->nr; i++)
		if (bpfmaps_map_update_elem(request->fd, NULL, queue_value(request, values, i),
					    BPFMAPS_ANY))
			return values->nr - i;
	return 0;
}

static int requeue(const struct request *request, struct values *values)
{
	sigset_t held, before;
	__u32 lost;
	int err;

	sigfillset(&held);
	sigprocmask(SIG_SETMASK, &held, &before);
	err = take_all(request, values);
	lost = put_back(request, values);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (lost)
		return fail("map %u: the last %u of %u values could not be put back: %s",
			    request->info.id, lost, values->nr,
			    "others have put in values or frozen it meanwhile");
	return err ? fail_write(request, "cannot take the values out of", err) : STATUS_OK;
}

const __u8 *queue_value(const struct request *request, const struct values *values, __u32 i)
{
	if (request->info.type == BPFMAPS_TYPE_STACK)
		i = values->nr - 1 - i;
	return values->buf + i * values->size;
}

int queue_requeue(struct request *request, struct values *values)
{
	int status = request_reopen(request);

	values->size = request->value_room;
	return status ? status : requeue(request, values);
}
