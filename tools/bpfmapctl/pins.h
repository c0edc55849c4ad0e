/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: the paths of maps
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_PINS_H
#define BPFMAPCTL_PINS_H

#include <linux/types.h>

/* Look through all mounts of type bpfmaps; once, before pins_of() is called. */
void pins_collect(void);

/* The paths of a map, one on a line; "" for none; to be freed. */
char *pins_of(__u32 id);

void pins_free(void);

#endif /* BPFMAPCTL_PINS_H */
