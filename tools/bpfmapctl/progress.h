/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: tell how far long work has come
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_PROGRESS_H
#define BPFMAPCTL_PROGRESS_H

#include <stdbool.h>
#include <linux/types.h>

/*
 * Work on up to @max elements begins, of which once a second is told on standard error how many are
 * done, if that is a terminal. With @prints the work itself prints to standard output, and if
 * that is a terminal nothing is told.
 */
void progress_begin(__u64 max, bool prints);
void progress_add(__u64 elements);

/* Erase what was told, before anything else is written to standard error. */
void progress_hide(void);
void progress_end(void);

#endif /* BPFMAPCTL_PROGRESS_H */
