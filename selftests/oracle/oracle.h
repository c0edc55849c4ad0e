/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: one case, run on several back ends, must leave the same trace.
 *
 * A case is a function. It makes its calls through the functions below, which note everything
 * that a caller could see (result, errno, changed bytes of the attr, whole output buffers with
 * the guard bytes around them) as lines of text. What differs between two correct kernels
 * (descriptor numbers, ids, addresses) is noted by its relation to something known.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/bpfmaps.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define TRACE_SIZE	(512 * 1024)
#define GUARD		64
#define OUT_MAX		(160 * 1024)
#define PAGE		4096UL

/* Room for a key and a value of a standard map, with a value for each of 500 CPUs. */
#define STD_KEY		16
#define STD_BYTES	4096

/* Maps that a run has to put into others, and places in its list of them. */
#define NR_INNER	4
#define INNER_OTHER	NR_INNER	/* one that does not fit */
#define INNER_NULL	(NR_INNER + 1)	/* no map */
#define INNER_NONE	(NR_INNER + 2)	/* no descriptor */
#define INNER_ALL	(NR_INNER + 3)

/* An address that no process has mapped: below the lowest that mmap gives. */
#define UNMAPPED	((void *)0x1000UL)

struct run;

/**
 * struct backend - something that understands the commands
 * @name: how differences name it
 * @fs: where its pins live
 * @fstype: type of the filesystem there
 * @call: bpf(2)'s arguments; returns as system calls do, with errno
 */
struct backend {
	const char *name;
	const char *fs;
	const char *fstype;
	int (*call)(struct run *r, unsigned int cmd, void *attr, unsigned int size);
};

/**
 * struct map_type - what a case has to know about the map type it runs with
 * @name: how its cases are named
 * @number: the type
 * @key: bytes of a key of the standard map
 * @value: bytes of a value of the standard map
 * @max: entries of the standard map
 * @flags: without which there is none
 * @keyed: keys come and go; else every index below max_entries exists, or there are no keys
 * @per_cpu: user space has a value for each CPU
 * @asks: a look-up reads the value
 * @holds: values are maps: descriptors go in, and ids come out
 * @ring: it has no elements, but a mapping
 * @ordered: a walk has the same order on all back ends
 * @minimum: how many cases there were when this was last written; fewer means that some got lost
 */
struct map_type {
	const char *name;
	__u32 number;
	__u32 key;
	__u32 value;
	__u32 max;
	__u32 flags;
	bool keyed;
	bool per_cpu;
	bool asks;
	bool holds;
	bool ring;
	bool ordered;
	unsigned int minimum;
};

#define NR_TYPES	12

/* The first two are hash_type and array_type, with which all cases run. */
extern const struct map_type map_types[NR_TYPES];

#define hash_type	map_types[0]
#define array_type	map_types[1]

/* One case on one back end. */
struct run {
	const struct backend *be;
	const struct map_type *type;
	char *trace;		/* shared with children */
	size_t *len;
	unsigned char *out;	/* output buffer, between guards */
	unsigned char keys[16][STD_KEY];
	unsigned char value[STD_BYTES];
	unsigned int nr_keys;
	int template;		/* of the maps that a map of maps takes */
	int inner[INNER_ALL];
	__u32 inner_ids[NR_INNER];
	int fds[256];
	int nr_fds;
};

typedef void (*case_fn)(struct run *r, const void *arg);

/* Also runs with the map's own descriptor in place of the device's. */
#define SELF	1U

extern const struct backend bpf_backend, dev_backend, self_backend;

/* oracle.c: comparing */
void compare(const struct map_type *type, unsigned int modes, case_fn fn, const void *arg,
	     const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void count_compared(const struct map_type *type, unsigned int nr);
void report_difference(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
unsigned int differences(void);
unsigned int compared(const struct map_type *type);
void count_operations(const struct map_type *type, unsigned long nr);
unsigned long operations(const struct map_type *type);
unsigned int unused_deviations(void);
unsigned int case_step(void);
unsigned int traces_differ(const struct backend *a, const struct backend *b,
			   const struct map_type *type, case_fn fn, const void *arg);
void oracle_setup(void);
void run_start(struct run *r, unsigned int slot, const struct backend *be,
	       const struct map_type *type);
void run_end(struct run *r);

/* trace.c: noting */
void note(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void note_ret(struct run *r, const char *label, long ret);
void note_bytes(struct run *r, const char *label, const void *p, size_t len);
void *out_buf(struct run *r, size_t len);
void note_out(struct run *r, const char *label, size_t len);
int keep_fd(struct run *r, int fd);
void drop_fd(struct run *r, int fd);
const char *errno_name(int err);

/* calls.c: calling */
int quiet(struct run *r, unsigned int cmd, void *attr, unsigned int size);
int call(struct run *r, const char *label, unsigned int cmd, void *attr, unsigned int size);
int call_wild(struct run *r, const char *label, unsigned int cmd, void *attr, unsigned int size);
bool makes_fd(unsigned int cmd);
int elem(struct run *r, const char *label, unsigned int cmd, int fd, const void *key, void *value,
	 __u64 flags);
int elem_quiet(struct run *r, unsigned int cmd, int fd, const void *key, void *value, __u64 flags);
int new_map(struct run *r, __u32 key, __u32 value, __u32 max, __u32 flags);
void lookup_noted(struct run *r, const char *label, int fd, __u32 key, size_t value_size);
int get_info(struct run *r, int fd, struct bpfmaps_map_info *info);
void note_contents(struct run *r, int fd, size_t key_size, size_t value_size);
void in_child(struct run *r, const char *label, case_fn fn, const void *arg);
__u32 map_id(struct run *r, int fd);
void become_nobody(void);

/*
 * typed.c: the standard map of each type, with the keys 0, 1 and 2 set; values are of 8 bytes, but
 * for those that are maps
 */
#define STD_MAX		4
#define STD_VALUE	8
#define STD_FILLED	3
#define STD_PRESENT	1
#define STD_ABSENT	77

struct bpfmaps_create_attr std_attr(struct run *r);
int map_of_max(struct run *r, __u32 max);
void make_inner(struct run *r);
void name_inner(const struct run *r, void *ids, __u32 nr);
int std_map(struct run *r, __u32 flags);
void fill(struct run *r, int fd, __u32 nr);
void *std_key(struct run *r, __u32 index);
void *std_value(struct run *r, __u32 index);
void *std_out(struct run *r, __u32 index);
void note_std_out(struct run *r, const char *label);
void std_lookup(struct run *r, const char *label, int fd, __u32 index);
void note_std(struct run *r, int fd);
void note_kept(struct run *r, int fd, size_t value_size);
void *followed_key(struct run *r, int fd);
size_t user_size(const struct map_type *t, size_t value_size);
size_t std_size(const struct map_type *t);
bool has_order(const struct run *r);
bool takes_flags(const struct map_type *t, __u32 flags);
__u32 other_flags(const struct map_type *t);

/* The cases, by subject. */
void create_cases(const struct map_type *t);
void create_pair_cases(const struct map_type *t);
void attr_size_cases(const struct map_type *t);
void attr_word_cases(const struct map_type *t);
void pointer_cases(const struct map_type *t);
void precedence_cases(const struct map_type *t);
void descriptor_cases(const struct map_type *t);
void elem_cases(const struct map_type *t);
void full_cases(const struct map_type *t);
void iterate_cases(const struct map_type *t);
void freeze_cases(const struct map_type *t);
void access_cases(const struct map_type *t);
void batch_cases(const struct map_type *t);
void holding_cases(const struct map_type *t);
void ring_cases(const struct map_type *t);
void flow_cases(const struct map_type *t);
void trie_cases(const struct map_type *t);
void taking_cases(const struct map_type *t);
void bloom_cases(const struct map_type *t);
void id_cases(const struct map_type *t);
void info_cases(const struct map_type *t);
void pin_cases(const struct map_type *t);
void pinfs_cases(const struct map_type *t);
void mmap_cases(const struct map_type *t);
void mapping_cases(const struct map_type *t);
void file_cases(const struct map_type *t);
void pass_cases(const struct map_type *t);
unsigned long random_ops(const struct map_type *t, unsigned long long seed);

#endif
