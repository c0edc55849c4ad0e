/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: all values of a queue or stack
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_QUEUE_H
#define BPFMAPCTL_QUEUE_H

#include "request.h"

/**
 * struct values - the values of a queue or stack
 * @buf: the values, in the order in which they came out
 * @size: bytes of a value
 * @nr: how many
 */
struct values {
	__u8 *buf;
	size_t size;
	__u32 nr;
};

/*
 * Take all values out of the MAP and put them back in the same order. Returns enum exit_status and
 * has told what failed; free @values->buf in any case.
 */
int queue_requeue(struct request *request, struct values *values);

/* The value at @i of the order in which they are put in. */
const __u8 *queue_value(const struct request *request, const struct values *values, __u32 i);

#endif /* BPFMAPCTL_QUEUE_H */
