/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: maps in files
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_SAVE_H
#define BPFMAPCTL_SAVE_H

#include "request.h"

/**
 * DOC: A map in a file
 *
 * A file has one JSON object on each line, of these kinds and in this order::
 *
 *	{"bpfmaps_dump": 1, "byte_order": "little"}
 *	{"map": {"id": 7, "type": "hash", ...}}
 *	{"key":"01000000","value":"0a0b"}
 *	...
 *	{"end": {"map": 7, "elements": 1}}
 *
 * Bytes are hex digits. Of a per-CPU map "values" is an array with each CPU's value. A queue or
 * stack has no keys, and its values are in the order in which they were put in. A map of maps has
 * "inner_map" with an id instead of a value; before the first element with this id comes
 * the inner map itself, with all its lines from "map" to "end".
 *
 * Names and paths are written by text_escape(). In "map", "contents" is "none" where the kernel
 * lists no elements.
 */
#define SAVE_VERSION	1

/* The byte order of this machine. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SAVE_BYTE_ORDER	"big"
#else
#define SAVE_BYTE_ORDER	"little"
#endif

/* dump MAP file FILE */
int save_map(struct request *request);

#endif /* BPFMAPCTL_SAVE_H */
