/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libbpfmaps-preload - what its files share
 *
 * Results are as those of system calls: a value, or -errno. errno itself is left alone.
 */
#ifndef _BPFMAPS_PRELOAD_H
#define _BPFMAPS_PRELOAD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpfmaps.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* What programs see; the rest is compiled with hidden visibility. */
#define PUBLIC	__attribute__((visibility("default")))

/* Not a result of a system call: the call is bpf(2)'s. */
#define PASS_ON	(-4096L)

/**
 * struct bpf_call - one call of bpf(2)
 * @cmd: the command
 * @size: bytes at @attr
 * @attr: the argument
 * @args: the six arguments of syscall() behind the number
 * @copy: the beginning of what @attr points to, continued with zeros
 * @on_bpf: the result is bpf(2)'s
 */
struct bpf_call {
	int cmd;
	unsigned int size;
	void *attr;
	const long *args;
	union bpfmaps_attr copy;
	bool on_bpf;
};

/* syscall.c */
long preload_raw(long number, const long args[6]);
#define preload_call(number, ...)	preload_raw(number, (const long [6]) { __VA_ARGS__ })
void preload_find(void **slot, const char *name);
void *preload_next(void **slot, const char *name);

/* bpf.c */
long preload_bpf(struct bpf_call *call);
bool preload_call_path(const struct bpf_call *call, char *to);
bool preload_is_map(int fd);

/* memory.c */
int preload_peek(void *to, const void *from, size_t size);
int preload_peek_path(char *to, const void *from);

/* path.c */
bool preload_map_path(char *to, const char *path);
bool preload_map_at(char *to, int dir, const char *path);

/* probe.c */
bool preload_is_probe(const struct bpf_call *call);

/* trace.c */
bool preload_tracing(void);
void preload_trace(const struct bpf_call *call, long ret);

#endif
