/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of ring buffers on both back ends. What are commands of /dev/bpfmaps are helpers of
 * programs with bpf(2), so there small programs are loaded and run that call these.
 */
#ifndef ORACLE_RING_PROG_H
#define ORACLE_RING_PROG_H

#include "oracle.h"

/* The largest record that can be tried. */
#define FLOW_MAX	8191

/**
 * struct flow - a ring with a mapping, and what is needed to call the helper
 * @size: bytes of the ring
 * @fd: the ring
 * @consumer: its consumer position
 * @producer: its producer position
 * @data: the ring, twice
 * @prog: the program, with bpf(2)
 * @args: what it is called with and returns
 */
struct flow {
	unsigned long size;
	int fd;
	unsigned long *consumer;
	unsigned long *producer;
	unsigned char *data;
	int prog;
	struct flow_args *args;
};

bool flow_open(struct run *r, struct flow *f, unsigned long size);
void flow_close(struct flow *f);
int flow_output(struct run *r, struct flow *f, const void *data, __u32 size, __u64 flags);
int flow_drain(struct run *r, struct flow *f, __u64 flags);

#endif
