/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share: by what a call is made, and what a map is like
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/bpfmaps.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* So many elements are measured: those of a large map that are as far from each other. */
#define ELEMENTS	4096U
#define MAX_KEY		64
#define MAX_VALUE	4096

/* The sizes of the attr that callers pass who know the command. */
#define ELEM_ATTR	32
#define NEXT_ATTR	24
#define DELETE_ATTR	16

/* By what a call is made. */
enum way { BPF, DEVICE, OWN, WAYS };

extern int device;

static inline long call(enum way by, int map, unsigned int cmd, union bpf_attr *attr,
			unsigned int size)
{
	switch (by) {
	case BPF:
		return syscall(__NR_bpf, cmd, attr, size);
	case DEVICE:
		return ioctl(device, BPFMAPS_IOC(cmd, size), attr);
	default:
		return ioctl(map, BPFMAPS_IOC(cmd, size), attr);
	}
}

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/**
 * struct shape - what maps are made
 * @name: of the row
 * @type: one of enum bpf_map_type
 * @key: bytes of a key
 * @value: bytes of a value
 * @flags: of the map
 */
struct shape {
	const char *name;
	__u32 type;
	__u32 key;
	__u32 value;
	__u32 flags;
};

static inline bool is_array(const struct shape *s)
{
	return s->type == BPF_MAP_TYPE_ARRAY || s->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

#endif /* BENCH_H */
