/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzzer for bpfmaps that is led by coverage
 *
 * A program is a short sequence of calls, each with an operation and arguments. It is executed by
 * one thread, or from a given call on by several at once. Programs that reach what no other has
 * reached are kept in the corpus, and new programs are made by changing those:
 *
 *	gen.c	makes and changes programs	ops.c	the table of operations
 *	text.c	programs as text, and back	seeds.c	the first programs
 *	exec.c	runs a program			attr.c, mm.c, file.c	what its calls do
 *	cover.c	what a program has reached	fuzz.c	the loop, and who watches it
 *	mem.c	the memory that pointers go to	log.c	the programs in the log
 *
 * A program as text is a line for each call, with the arguments that are not 0. Three kinds of
 * arguments are not plain numbers, see FD_*, PTR_* and SIZE_*.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpfmaps.h>

#define MAX_CALLS	14
#define MAX_ARGS	12
#define MAX_THREADS	3
#define MAX_CORPUS	4096
#define NR_SLOTS	16
#define PAGE		4096UL

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/*
 * Descriptors: below NR_SLOTS what a call has left in a slot, then these, and from FD_NUMBER on the
 * number itself.
 */
enum {
	FD_DEVICE = NR_SLOTS,
	FD_DEVICE_RDONLY,
	FD_NULL,
	FD_PIPE,
	FD_PINS,
	FD_EPOLL,
	FD_MEMFD,
	FD_CLOSED,
	NR_FDS,
	FD_NUMBER = 32,
};

/*
 * Pointers: the uppermost 4 of 32 bits say where, the rest is an offset. PTR_AREA is memory with
 * keys and values (AREA_*), PTR_END counts back from its end, behind which there is nothing, and
 * PTR_WINDOW is where maps are mapped, WINDOW_SIZE bytes for each slot.
 */
enum {
	PTR_NUMBER,
	PTR_AREA,
	PTR_READONLY,
	PTR_END,
	PTR_HOLE,
	PTR_KERNEL,
	PTR_NONCANONICAL,
	PTR_WINDOW,
	NR_PTRS,
};

#define PTR_SHIFT	28
#define PTR(where, offset)	((uint64_t)(where) << PTR_SHIFT | (offset))
#define AREA_SIZE	(128 * 1024UL)
#define AREA_KEYS	0		/* 8 bytes each: the number, 0 */
#define AREA_PREFIXES	0x1000		/* 8 bytes each: a prefix length, an address */
#define AREA_INDEXES	0x2000		/* 4 bytes each, for batches */
#define AREA_VALUES	0x4000
#define WINDOW_SIZE	(1024 * 1024UL)

/* Size of an ioctl's struct: 0 is the command's, with SIZE_GIVEN it is in the lower bits. */
#define SIZE_MASK	0x3fff
#define SIZE_AT_END	0x4000		/* nothing is behind the struct */
#define SIZE_TAIL	0x8000		/* what is behind the command's fields is not zero */
#define SIZE_NOWHERE	0x10000		/* the struct's address is bad */
#define SIZE_READONLY	0x20000		/* the struct cannot be written to */
#define SIZE_GIVEN	0x40000

/* Kinds of arguments: what they may be, for those who make programs. */
enum kind {
	K_NONE,
	K_CALLED,	/* descriptor that an ioctl is called on */
	K_FD,
	K_OUT,		/* slot for a new descriptor */
	K_SLOT,		/* one that is filled */
	K_PTR,
	K_KEY,
	K_VALUE,
	K_SIZE,
	K_TYPE,
	K_CREATE_FLAGS,
	K_ELEM_FLAGS,
	K_OPEN_FLAGS,
	K_BYTES,
	K_ENTRIES,
	K_COUNT,
	K_PATH,
	K_ID,
	K_RARE,		/* nearly always 0 */
	K_SMALL,
	K_PAGES,
	K_PROT,
	K_NUMBER,
	NR_KINDS,
};

struct call {
	unsigned int op;
	uint64_t arg[MAX_ARGS];
};

/**
 * struct prog - a program
 * @nr: how many calls it has
 * @threads: how many threads run it
 * @split: the calls in front of it are run by the first thread, those behind it by all
 * @rounds: how often each thread runs those
 * @calls: the calls
 */
struct prog {
	unsigned int nr;
	unsigned int threads;
	unsigned int split;
	unsigned int rounds;
	struct call calls[MAX_CALLS];
};

/**
 * struct thread - one that runs programs
 * @nr: 0 is the one that leads
 * @cover: what the kernel writes the reached addresses to, their number first; NULL without KCOV
 * @fail_fd: where to ask for a fault, or -1
 * @fail: the next call is to have its n-th fault, 0 none
 * @guarded: a fault in user space goes to @fault
 * @fault: the place to go on
 */
struct thread {
	unsigned int nr;
	unsigned long *cover;
	int fail_fd;
	unsigned int fail;
	volatile bool guarded;
	sigjmp_buf fault;
};

struct op {
	const char *name;
	long (*fn)(struct thread *t, const struct op *op, const uint64_t *arg);
	unsigned int weight;
	unsigned int cmd;	/* of an ioctl */
	unsigned int size;	/* of its struct */
	struct {
		const char *name;
		enum kind kind;
	} params[MAX_ARGS];
};

extern const struct op ops[];
extern const unsigned int nr_ops;
extern const char *const seeds[];
extern const unsigned int nr_seeds;

/**
 * struct state - what outlives a worker
 * @rng: state of the random numbers
 * @execs: programs that were run
 * @calls: calls that were made
 * @current: the program that runs
 * @maps_before: maps that others have
 * @checked: so many programs have left no map behind
 * @seeds: so many seeds were run
 * @corpus_nr: entries of @corpus
 * @have_cover: the kernel has KCOV
 * @text: where the module's code begins
 * @text_size: its size
 * @blocks: how many bits of @pcs are set
 * @pcs: a bit for each byte of the module's code
 * @edges: a bit for each pair of addresses that came one after the other, by a hash
 * @corpus: programs that have reached something new
 */
struct state {
	uint64_t rng;
	unsigned long execs;
	unsigned long calls;
	struct prog current;
	unsigned int seeds;
	unsigned int maps_before;
	unsigned long checked;
	unsigned int corpus_nr;
	bool have_cover;
	unsigned long text;
	unsigned long text_size;
	unsigned int blocks;
	unsigned char pcs[1024 * 1024 / 8];
	unsigned char edges[(1 << 18) / 8];
	struct prog corpus[MAX_CORPUS];
};

extern struct state *state;

/* ops.c */
unsigned int ops_find(const char *name);

/* text.c */
#define TEXT_MAX	8192
unsigned int text_write(const struct prog *p, char *text);
bool text_read(struct prog *p, const char *text);

/* gen.c */
uint64_t gen_random(void);
void gen_new(struct prog *p);
void gen_mutate(struct prog *p);

/* mem.c */
void mem_init(void);
void mem_reset(void);
uint64_t mem_pointer(uint64_t arg);
void *mem_window(unsigned int slot);
void *mem_attr(const struct thread *t, uint64_t size, unsigned int bytes);
uint64_t mem_attr_given(const void *attr, uint64_t size);

/* exec.c */
void exec_init(void);
void exec_run(const struct prog *p);
bool exec_take_cover(void);
int exec_fd(uint64_t arg);
void exec_set_slot(uint64_t slot, int fd);
void exec_fail_arm(struct thread *t);
void exec_fail_disarm(struct thread *t);

/* setup.c */
void setup_system(void);
void setup_restore(void);
void setup_join_group(void);

/* log.c */
void log_init(void);
void log_program(const struct prog *p);
void log_print(const struct prog *p);

/* cover.c */
void cover_init(void);
void cover_enable(struct thread *t);
bool cover_take(struct thread *t);
void cover_print(void);

/* attr.c: ioctls */
long call_create(struct thread *t, const struct op *op, const uint64_t *arg);
long call_elem(struct thread *t, const struct op *op, const uint64_t *arg);
long call_batch(struct thread *t, const struct op *op, const uint64_t *arg);
long call_pin(struct thread *t, const struct op *op, const uint64_t *arg);
long call_get(struct thread *t, const struct op *op, const uint64_t *arg);
long call_next_id(struct thread *t, const struct op *op, const uint64_t *arg);
long call_fd_by_id(struct thread *t, const struct op *op, const uint64_t *arg);
long call_info(struct thread *t, const struct op *op, const uint64_t *arg);
long call_ring(struct thread *t, const struct op *op, const uint64_t *arg);
long call_ioctl(struct thread *t, const struct op *op, const uint64_t *arg);
void attr_reset(void);

/* mm.c: mappings and memory */
long call_mmap(struct thread *t, const struct op *op, const uint64_t *arg);
long call_munmap(struct thread *t, const struct op *op, const uint64_t *arg);
long call_mremap(struct thread *t, const struct op *op, const uint64_t *arg);
long call_mprotect(struct thread *t, const struct op *op, const uint64_t *arg);
long call_madvise(struct thread *t, const struct op *op, const uint64_t *arg);
long call_peek(struct thread *t, const struct op *op, const uint64_t *arg);
long call_poke(struct thread *t, const struct op *op, const uint64_t *arg);
long call_putfd(struct thread *t, const struct op *op, const uint64_t *arg);
long call_drop(struct thread *t, const struct op *op, const uint64_t *arg);
long call_fork(struct thread *t, const struct op *op, const uint64_t *arg);

/* file.c: descriptors and paths */
long call_close(struct thread *t, const struct op *op, const uint64_t *arg);
long call_dup(struct thread *t, const struct op *op, const uint64_t *arg);
long call_poll(struct thread *t, const struct op *op, const uint64_t *arg);
long call_epoll(struct thread *t, const struct op *op, const uint64_t *arg);
long call_readwrite(struct thread *t, const struct op *op, const uint64_t *arg);
long call_fdinfo(struct thread *t, const struct op *op, const uint64_t *arg);
long call_open(struct thread *t, const struct op *op, const uint64_t *arg);
long call_unlink(struct thread *t, const struct op *op, const uint64_t *arg);
long call_rename(struct thread *t, const struct op *op, const uint64_t *arg);
long call_link(struct thread *t, const struct op *op, const uint64_t *arg);
long call_mkdir(struct thread *t, const struct op *op, const uint64_t *arg);
long call_chmod(struct thread *t, const struct op *op, const uint64_t *arg);
long call_mount(struct thread *t, const struct op *op, const uint64_t *arg);
long call_uid(struct thread *t, const struct op *op, const uint64_t *arg);
long call_fail(struct thread *t, const struct op *op, const uint64_t *arg);
const char *file_path(uint64_t nr);
void file_reset(void);

#endif
