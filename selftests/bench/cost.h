/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the benchmark on one CPU share
 */
#ifndef BENCH_COST_H
#define BENCH_COST_H

#include "bench.h"

/**
 * struct bench - one map of a shape
 * @shape: its shape
 * @way: by what it is reached
 * @map: descriptor
 * @elements: as many are in it
 * @count: as many of them are measured
 * @attr: of the calls; @key and @value are its buffers
 * @key: a key
 * @value: a value
 * @failed: results that were not the expected ones
 */
struct bench {
	const struct shape *shape;
	enum way way;
	int map;
	__u32 elements;
	__u32 count;
	union bpf_attr attr;
	unsigned char key[MAX_KEY];
	unsigned char value[MAX_VALUE];
	unsigned long failed;
};

/* bench.c */
void create_map(struct bench *b, const struct shape *s, enum way by, __u32 elements);
void close_map(struct bench *b);
void report(const struct bench *b, const char *op, const char *unit, double cost);

/* ops.c */
void fill(struct bench *b);
void insert_rows(struct bench *b);
void keyed_rows(struct bench *b);
void keyless_rows(struct bench *b);
void guard_rows(struct bench *b);

/* account.c */
uint64_t free_bytes(void);
uint64_t charged_bytes(void);
uint64_t settle(void);

/* floor.c */
void common_floors(void);
void shape_floors(const struct shape *s);

/* mapped.c */
void mapped_rows(void);

#endif /* BENCH_COST_H */
