/* SPDX-License-Identifier: GPL-2.0-only */
/* What random sequences of operations on one element and on batches share. */
#ifndef ORACLE_RANDOM_H
#define ORACLE_RANDOM_H

#include "oracle.h"

#define SIDES		2

struct random_shape {
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
};

/**
 * struct sequence - one sequence
 * @r: a run on each back end
 * @fd: a map of each
 * @type: type of the maps
 * @s: their sizes
 * @state: of the generator
 * @seed: what that started from
 * @op: number of the operation
 * @ops: how many there are to be
 * @key: the key that was drawn
 * @value: room for a value
 * @value_size: bytes of a value as user space has it
 */
struct sequence {
	struct run r[SIDES];
	int fd[SIDES];
	const struct map_type *type;
	struct random_shape s;
	unsigned long long state;
	unsigned long long seed;
	unsigned long op;
	unsigned long ops;
	unsigned char *key;
	unsigned char *value;
	size_t value_size;
};

/* random.c */
__u32 draw(struct sequence *q);
void draw_key(struct sequence *q);
int draw_inner(struct sequence *q);
void random_bytes(struct sequence *q, unsigned char *p, size_t len);
bool same_result(struct sequence *q, const char *what, const int *ret, const int *err);
void sequence_differs(struct sequence *q, const char *what, const char *a, const char *b);

/* random_batch.c */
bool random_batch(struct sequence *q);

#endif
