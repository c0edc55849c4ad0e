/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: the commands on ring buffers
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_RINGBUF_H
#define BPFMAPCTL_RINGBUF_H

#include "request.h"

extern const struct command ringbuf_commands[];

#endif /* BPFMAPCTL_RINGBUF_H */
