/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: elements in tables and JSON
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_ELEM_H
#define BPFMAPCTL_ELEM_H

#include "request.h"

/**
 * struct elem_outer - where the elements of an inner map belong to
 * @request: the outer map
 * @key: the key of the inner map
 * @value: its value
 * @id: which is this id
 * @has_elems: an element was shown
 */
struct elem_outer {
	const struct request *request;
	const __u8 *key;
	const __u8 *value;
	__u32 id;
	bool has_elems;
};

/*
 * Elements are printed between elem_begin() and output_end(). The value is as the library copies
 * it: of a per-CPU map one for each CPU. Elements of inner maps go into a table that was begun by
 * elem_begin_inner(), and then @outer is not NULL. These return enum exit_status.
 */
void elem_begin(const struct request *request, bool list);
void elem_begin_inner(const struct request *outer, const struct request *inner);
int elem_row(const struct request *request, const struct elem_outer *outer, const __u8 *key,
	     const __u8 *value);

/* An inner map without elements, in such a table. */
int elem_row_outer(const struct elem_outer *outer);

/* The element of the outer map as a JSON object, to be freed. */
char *elem_outer_json(const struct elem_outer *outer);

/* Data in the form that the output wants. */
char *elem_data(const struct data_format *format, const __u8 *data, size_t size);

/* Say why a command on elements failed with the negative errno @err. */
int fail_elem(const struct request *request, const char *what, int err);
int fail_write(const struct request *request, const char *what, int err);
int fail_delete(const struct request *request, int err);
int fail_keyless(const struct request *request);

#endif /* BPFMAPCTL_ELEM_H */
