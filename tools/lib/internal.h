/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libbpfmaps: what its files share
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPS_INTERNAL_H
#define BPFMAPS_INTERNAL_H

#include <stddef.h>

#include <linux/bpfmaps.h>

/* A command on a map's own descriptor; returns what the ioctl does, or -errno with errno set. */
int bpfmaps_map_command(int fd, enum bpfmaps_cmd cmd, void *attr, size_t size);

#endif /* BPFMAPS_INTERNAL_H */
