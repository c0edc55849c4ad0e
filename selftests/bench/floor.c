// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls cost at least: those on /dev/floor, which move as much as those on maps and do nothing
 * else, and parts of the work on maps one by one. Each copy is measured in two ways, see
 * ../kmod/floor_kmod.c; the cheaper one counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kmod/floor.h"
#include "cost.h"

static const char * const way_names[] = { "words", "kernel" };

/**
 * struct floor - one descriptor
 * @fd: it
 * @sizes: what its calls move
 * @shape: maps whose calls these are like, or NULL
 * @keys: in user space, for a batch
 * @values: likewise
 */
struct floor {
	int fd;
	struct floor_sizes sizes;
	const struct shape *shape;
	unsigned char *keys;
	unsigned char *values;
};

static void report_floor(const struct floor *f, const char *op, double cost)
{
	printf("{\"row\":\"floor\",\"op\":\"%s%s%s\",\"way\":\"%s\",\"cost\":%.1f}\n",
	       f->shape ? f->shape->name : "", f->shape ? " " : "", op,
	       way_names[f->sizes.by_kernel], cost);
}

static void __attribute__((noreturn)) fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_floor(struct floor *f)
{
	f->fd = open("/dev/floor", O_RDWR | O_CLOEXEC);
	if (f->fd < 0 || ioctl(f->fd, FLOOR_SET, &f->sizes))
		fail("/dev/floor");
	f->keys = malloc(f->sizes.count * f->sizes.key);
	f->values = malloc(f->sizes.count * f->sizes.value);
	if (!f->keys || !f->values)
		fail("malloc");
	/* No page fault is counted. */
	memset(f->keys, 1, f->sizes.count * f->sizes.key);
	memset(f->values, 1, f->sizes.count * f->sizes.value);
}

static void close_floor(struct floor *f)
{
	close(f->fd);
	free(f->keys);
	free(f->values);
}

/* What @calls calls take together. */
static uint64_t timed(const struct floor *f, unsigned int cmd, void *arg, __u32 calls)
{
	const uint64_t from = now();
	unsigned long failed = 0;
	uint64_t took;
	__u32 i;

	for (i = 0; i < calls; i++)
		failed += ioctl(f->fd, cmd, arg) != 0;
	took = now() - from;
	if (failed)
		fail("ioctl of /dev/floor");
	return took;
}

static void single_floors(struct floor *f)
{
	static const struct {
		const char *op;
		unsigned int cmd;
		bool has_key;
	} rows[] = {
		{ "lookup", FLOOR_LOOKUP, true }, { "miss", FLOOR_MISS, true },
		{ "update", FLOOR_UPDATE, true }, { "delete", FLOOR_DELETE, true },
		{ "next key", FLOOR_NEXT_KEY, true },
		{ "push", FLOOR_PUSH, false }, { "pop", FLOOR_POP, false },
	};
	union bpf_attr attr = { .key = (uintptr_t)f->keys, .value = (uintptr_t)f->values };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].has_key == !!f->shape->key)
			report_floor(f, rows[i].op, (double)timed(f, rows[i].cmd, &attr, ELEMENTS) /
						    ELEMENTS);
	}
}

static void batch_floors(struct floor *f, const char *op, unsigned int cmd)
{
	static const __u32 steps[] = { 1, 10, 100, ELEMENTS };
	union bpf_attr attr;
	__u32 calls, step;
	unsigned int i;
	uint64_t took;
	char name[32];

	memset(&attr, 0, sizeof(attr));
	attr.batch.keys = (uintptr_t)f->keys;
	attr.batch.values = (uintptr_t)f->values;
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		step = steps[i];
		calls = ELEMENTS / step;
		attr.batch.count = step;
		took = timed(f, cmd, &attr, calls);
		snprintf(name, sizeof(name), "batch %s by %u", op, step);
		report_floor(f, name, (double)took / (calls * step));
	}
}

/* For the calls on maps of a shape. Arrays have no keys in their elements. */
void shape_floors(const struct shape *s)
{
	struct floor f = { .shape = s };

	for (; f.sizes.by_kernel <= 1; f.sizes.by_kernel++) {
		f.sizes.key = s->key ? s->key : sizeof(__u32);
		f.sizes.value = s->value;
		f.sizes.count = ELEMENTS;
		f.sizes.has_keys = !is_array(s);
		open_floor(&f);
		single_floors(&f);
		if (s->key) {
			batch_floors(&f, "lookup", FLOOR_BATCH_LOOKUP);
			batch_floors(&f, "update", FLOOR_BATCH_UPDATE);
		}
		close_floor(&f);
	}
}

/* What a turn takes, without the loop that it is in. */
static void turn(const struct floor *f, const char *op, unsigned int cmd)
{
	const uint64_t empty = timed(f, FLOOR_TURNS, NULL, 1);

	report_floor(f, op, ((double)timed(f, cmd, NULL, 1) - empty) / f->sizes.count);
}

static void hash_floors(void)
{
	static const __u32 keys[] = { 4, 16, 64 };
	struct floor f = { .sizes = { .value = 8, .count = ELEMENTS } };
	unsigned int i;
	char op[32];

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		f.sizes.key = keys[i];
		open_floor(&f);
		snprintf(op, sizeof(op), "hash of %u bytes", keys[i]);
		turn(&f, op, FLOOR_HASH);
		close_floor(&f);
	}
}

/* Once, as a map is made once. */
static void file_floor(const struct floor *f)
{
	const uint64_t from = now();
	const int fd = ioctl(f->fd, FLOOR_FILE, 0);
	const uint64_t took = now() - from;

	if (fd < 0)
		fail("FLOOR_FILE");
	close(fd);
	report_floor(f, "descriptor", took);
}

static void parts_floors(void)
{
	struct floor f = { .sizes = { .key = 4, .value = MAX_VALUE, .count = ELEMENTS } };
	const double kibs = ELEMENTS * (MAX_VALUE / 1024);
	uint64_t from = now();
	__u32 i;

	for (i = 0; i < ELEMENTS; i++)
		getppid();
	report_floor(&f, "getppid", (double)(now() - from) / ELEMENTS);
	open_floor(&f);
	report_floor(&f, "ioctl", (double)timed(&f, FLOOR_NOTHING, NULL, ELEMENTS) / ELEMENTS);
	turn(&f, "lock and unlock", FLOOR_LOCK);
	turn(&f, "RCU section", FLOOR_RCU);
	file_floor(&f);
	report_floor(&f, "KiB of large memory", timed(&f, FLOOR_AREA, NULL, 1) / kibs);
	close_floor(&f);
}

/* What is in more than one row. */
void common_floors(void)
{
	parts_floors();
	hash_floors();
}
