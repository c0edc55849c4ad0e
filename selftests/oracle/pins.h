/* SPDX-License-Identifier: GPL-2.0-only */
/* What the cases about pins share. */
#ifndef PINS_H
#define PINS_H

#include "oracle.h"

int pin(struct run *r, const char *label, int fd, const char *path);
int get(struct run *r, const char *label, const char *path, __u32 flags);
void list(struct run *r, const char *dir);
void note_stat(struct run *r, const char *path);
void note_access(struct run *r, int fd);
bool id_known(struct run *r, __u32 id);

/* compare() with the work directory in an empty directory of the back end's filesystem. */
void compare_pins(const struct map_type *t, case_fn fn, const void *arg, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
