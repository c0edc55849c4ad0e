/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: elements in tables and JSON
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_ELEM_H
#define BPFMAPCTL_ELEM_H

#include "request.h"

/*
 * Elements are printed between elem_begin() and output_end(). The value is as the library copies
 * it: of a per-CPU map one for each CPU. These return enum exit_status.
 */
void elem_begin(const struct request *request, bool list);
int elem_row(const struct request *request, const __u8 *key, const __u8 *value);

/* Data in the form that the output wants. */
char *elem_data(const struct data_format *format, const __u8 *data, size_t size);

/* Say why a command on elements failed with the negative errno @err. */
int fail_elem(const struct request *request, const char *what, int err);
int fail_write(const struct request *request, const char *what, int err);
int fail_delete(const struct request *request, int err);
int fail_keyless(const struct request *request);

#endif /* BPFMAPCTL_ELEM_H */
