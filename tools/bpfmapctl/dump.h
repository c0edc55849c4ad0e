/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: maps in maps, for those who show them
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_DUMP_H
#define BPFMAPCTL_DUMP_H

#include "request.h"

/* The inner map is not there any more. */
#define STATUS_GONE	(-2)

/*
 * Open an inner map for reading; returns enum exit_status, with the failure told, or STATUS_GONE.
 * Whatever is returned, request_free() is called for @inner.
 */
int dump_open_inner(const struct request *outer, __u32 id, struct request *inner);

#endif /* BPFMAPCTL_DUMP_H */
