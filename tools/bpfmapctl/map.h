/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: the commands
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_MAP_H
#define BPFMAPCTL_MAP_H

#include "request.h"

/* Each does one command and returns enum exit_status. */
int map_create(struct request *request);
int map_show(struct request *request);
int map_dump(struct request *request);
int map_clear(struct request *request);
int map_restore(struct request *request);
int map_lookup(struct request *request);
int map_update(struct request *request);
int map_delete(struct request *request);
int map_getnext(struct request *request);
int map_peek(struct request *request);
int map_push(struct request *request);
int map_pop(struct request *request);
int map_pin(struct request *request);
int map_freeze(struct request *request);

/* Pin a map; tells what fails. */
int map_pin_at(int fd, const char *path);

#endif /* BPFMAPCTL_MAP_H */
