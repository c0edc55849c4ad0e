// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call costs: the same loops on bpf(2) and on /dev/bpfmaps, by the descriptor of the device
 * and by that of the map itself. Writes one JSON object a line. With a clock that counts
 * instructions the costs are instructions, see bench.sh.
 *
 * usage: bench [quick]	quick: small maps only
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/bpfmaps.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define ELEMENTS	4096U
#define MAX_KEY		64
#define MAX_VALUE	4096
#define ELEM_ATTR	32
#define DELETE_ATTR	16

/* By what a call is made. */
enum way { BPF, DEVICE, OWN, WAYS };

static const char * const way_names[WAYS] = { "bpf(2)", "device", "own descriptor" };

static int device;

static long call(enum way by, int map, unsigned int cmd, union bpf_attr *attr, unsigned int size)
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

static uint64_t now(void)
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

static const struct shape shapes[] = {
	{ "hash 4/8", BPF_MAP_TYPE_HASH, 4, 8, 0 },
	{ "hash 16/64", BPF_MAP_TYPE_HASH, 16, 64, 0 },
	{ "hash 64/256", BPF_MAP_TYPE_HASH, 64, 256, 0 },
	{ "hash 4/4096", BPF_MAP_TYPE_HASH, 4, 4096, 0 },
	{ "array 4/8", BPF_MAP_TYPE_ARRAY, 4, 8, 0 },
	{ "array 4/64", BPF_MAP_TYPE_ARRAY, 4, 64, 0 },
	{ "array 4/256", BPF_MAP_TYPE_ARRAY, 4, 256, 0 },
	{ "array 4/4096", BPF_MAP_TYPE_ARRAY, 4, 4096, 0 },
	{ "percpu_hash 4/8", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 0 },
	{ "percpu_array 4/8", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 0 },
	{ "lru_hash 4/8", BPF_MAP_TYPE_LRU_HASH, 4, 8, 0 },
	{ "lpm_trie 8/8", BPF_MAP_TYPE_LPM_TRIE, 8, 8, BPF_F_NO_PREALLOC },
	{ "queue 8", BPF_MAP_TYPE_QUEUE, 0, 8, 0 },
	{ "stack 8", BPF_MAP_TYPE_STACK, 0, 8, 0 },
	{ "bloom_filter 8", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 0 },
};

static bool is_array(const struct shape *s)
{
	return s->type == BPF_MAP_TYPE_ARRAY || s->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_batched(const struct shape *s)
{
	return s->key;
}

/**
 * struct bench - one map of a shape
 * @shape: its shape
 * @way: by what it is reached
 * @map: descriptor
 * @elements: as many are in it
 * @attr: of the calls; @key and @value are its buffers
 * @key: a key
 * @value: a value, of all CPUs for per-CPU types
 * @failed: results that were not the expected ones
 */
struct bench {
	const struct shape *shape;
	enum way way;
	int map;
	__u32 elements;
	union bpf_attr attr;
	unsigned char key[MAX_KEY];
	unsigned char value[MAX_VALUE];
	unsigned long failed;
};

static int create(enum way by, const struct shape *s, __u32 elements)
{
	union bpf_attr attr = {
		.map_type = s->type, .key_size = s->key, .value_size = s->value,
		.max_entries = elements, .map_flags = s->flags,
	};

	return call(by == BPF ? BPF : DEVICE, -1, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void report(const struct bench *b, const char *op, uint64_t from, uint64_t count)
{
	printf("{\"row\":\"%s\",\"op\":\"%s\",\"elements\":%u,\"way\":\"%s\",\"cost\":%.1f}\n",
	       b->shape->name, op, b->elements, way_names[b->way], (now() - from) / (double)count);
	if (b->failed) {
		fprintf(stderr, "%s, %s, %s: %lu calls failed\n", b->shape->name, op,
			way_names[b->way], b->failed);
		exit(1);
	}
}

/* Keys are numbers; those of a trie prefixes of 32 bits, in another order than the numbers. */
static void set_key(struct bench *b, __u32 nr)
{
	if (b->shape->type == BPF_MAP_TYPE_LPM_TRIE) {
		nr *= 2654435761u;
		memcpy(b->key + 4, &nr, sizeof(nr));
	} else {
		memcpy(b->key, &nr, sizeof(nr));
	}
}

/* One call for each of ELEMENTS keys from @first on, spread over the map. */
static void each(struct bench *b, const char *op, unsigned int cmd, __u32 first, __u64 flags,
		 unsigned int size, int expected)
{
	const __u32 stride = b->elements / ELEMENTS;
	uint64_t from;
	__u32 i;

	memset(&b->attr, 0, sizeof(b->attr));
	b->attr.map_fd = b->way == OWN ? -1 : b->map;
	b->attr.key = b->shape->key ? (uintptr_t)b->key : 0;
	if (size > DELETE_ATTR) {
		b->attr.value = (uintptr_t)b->value;
		b->attr.flags = flags;
	}
	from = now();
	for (i = 0; i < ELEMENTS; i++) {
		set_key(b, first + i * stride);
		b->failed += (call(b->way, b->map, cmd, &b->attr, size) < 0 ? -errno : 0) !=
			     expected;
	}
	report(b, op, from, ELEMENTS);
}

/* Batches of @step: all keys, and again until ELEMENTS were done. */
static void batches(struct bench *b, const char *op, unsigned int cmd, __u32 step,
		    unsigned char *keys, unsigned char *values)
{
	const __u32 value_size = b->shape->value < 8 ? 8 : b->shape->value;
	__u32 done, cpus = sysconf(_SC_NPROCESSORS_CONF);
	__u64 cursor[MAX_KEY / 8] = { };
	bool lookup = cmd == BPF_MAP_LOOKUP_BATCH;
	uint64_t from;
	long ret;

	if (b->shape->type != BPF_MAP_TYPE_PERCPU_HASH &&
	    b->shape->type != BPF_MAP_TYPE_PERCPU_ARRAY)
		cpus = 1;
	from = now();
	for (done = 0; done < ELEMENTS; done += b->attr.batch.count) {
		memset(&b->attr, 0, sizeof(b->attr));
		b->attr.batch.map_fd = b->way == OWN ? -1 : b->map;
		b->attr.batch.in_batch = lookup && done ? (uintptr_t)cursor : 0;
		b->attr.batch.out_batch = lookup ? (uintptr_t)cursor : 0;
		b->attr.batch.keys = (uintptr_t)(keys + (size_t)done * b->shape->key);
		b->attr.batch.values = (uintptr_t)(values + (size_t)done * value_size * cpus);
		b->attr.batch.count = step < ELEMENTS - done ? step : ELEMENTS - done;
		ret = call(b->way, b->map, cmd, &b->attr, sizeof(b->attr.batch));
		if (ret < 0 && errno != ENOENT) {
			b->failed += errno != ENOSPC;
			/* A bucket is larger than the step, so there is no such row. */
			if (errno == ENOSPC)
				return;
			break;
		}
		if (ret < 0)
			break;
	}
	report(b, op, from, ELEMENTS);
}

static void batch_rows(struct bench *b)
{
	static const __u32 steps[] = { 1, 10, 100, ELEMENTS };
	const size_t keys = (size_t)ELEMENTS * b->shape->key;
	const size_t values = (size_t)ELEMENTS * b->shape->value * sysconf(_SC_NPROCESSORS_CONF);
	unsigned char *buf = calloc(1, keys + values);
	unsigned int i;
	char op[32];

	/* Touched before, so that no page fault is counted; then filled with the keys. */
	memset(buf, 1, keys + values);
	for (i = 0; i < ELEMENTS; i++) {
		set_key(b, i);
		memcpy(buf + (size_t)i * b->shape->key, b->key, b->shape->key);
	}
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		snprintf(op, sizeof(op), "batch update by %u", steps[i]);
		batches(b, op, BPF_MAP_UPDATE_BATCH, steps[i], buf, buf + keys);
	}
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		snprintf(op, sizeof(op), "batch lookup by %u", steps[i]);
		batches(b, op, BPF_MAP_LOOKUP_BATCH, steps[i], buf, buf + keys);
	}
	free(buf);
}

static void next_keys(struct bench *b)
{
	unsigned char keys[2][MAX_KEY];
	uint64_t from = now();
	__u32 i;

	memset(&b->attr, 0, sizeof(b->attr));
	b->attr.map_fd = b->way == OWN ? -1 : b->map;
	for (i = 0; i < ELEMENTS; i++) {
		b->attr.key = i ? (uintptr_t)keys[i & 1] : 0;
		b->attr.next_key = (uintptr_t)keys[~i & 1];
		b->failed += call(b->way, b->map, BPF_MAP_GET_NEXT_KEY, &b->attr, 24) < 0;
	}
	report(b, "next key", from, ELEMENTS);
}

/* All elements of a large map, which is measured by some. */
static void fill(struct bench *b)
{
	static __u32 keys[ELEMENTS];
	static __u64 values[ELEMENTS];
	__u32 done, i;

	for (done = 0; done < b->elements; done += ELEMENTS) {
		for (i = 0; i < ELEMENTS; i++)
			keys[i] = done + i;
		memset(&b->attr, 0, sizeof(b->attr));
		b->attr.batch.map_fd = b->way == OWN ? -1 : b->map;
		b->attr.batch.keys = (uintptr_t)keys;
		b->attr.batch.values = (uintptr_t)values;
		b->attr.batch.count = ELEMENTS;
		b->failed += call(b->way, b->map, BPF_MAP_UPDATE_BATCH, &b->attr,
				  sizeof(b->attr.batch)) < 0;
	}
}

static void keyed_rows(struct bench *b)
{
	const bool trie = b->shape->type == BPF_MAP_TYPE_LPM_TRIE;

	if (b->elements > ELEMENTS)
		fill(b);
	else if (!is_array(b->shape))
		each(b, "insert", BPF_MAP_UPDATE_ELEM, 0, BPF_ANY, ELEM_ATTR, 0);
	each(b, "update", BPF_MAP_UPDATE_ELEM, 0, BPF_ANY, ELEM_ATTR, 0);
	each(b, "lookup", BPF_MAP_LOOKUP_ELEM, 0, 0, ELEM_ATTR, 0);
	if (!trie)
		each(b, "miss", BPF_MAP_LOOKUP_ELEM, b->elements, 0, ELEM_ATTR, -ENOENT);
	if (b->elements == ELEMENTS) {
		next_keys(b);
		batch_rows(b);
	}
	if (!is_array(b->shape))
		each(b, "delete", BPF_MAP_DELETE_ELEM, 0, 0, DELETE_ATTR, 0);
}

static void keyless_rows(struct bench *b)
{
	const bool bloom = b->shape->type == BPF_MAP_TYPE_BLOOM_FILTER;

	each(b, "push", BPF_MAP_UPDATE_ELEM, 0, BPF_ANY, ELEM_ATTR, 0);
	each(b, "peek", BPF_MAP_LOOKUP_ELEM, 0, 0, ELEM_ATTR, 0);
	if (!bloom)
		each(b, "pop", BPF_MAP_LOOKUP_AND_DELETE_ELEM, 0, 0, ELEM_ATTR, 0);
}

static void bench_shape(const struct shape *s, enum way by, __u32 elements)
{
	static struct bench b;
	uint64_t from;

	memset(&b, 0, sizeof(b));
	b.shape = s;
	b.way = by;
	b.elements = elements;
	memset(b.value, 7, sizeof(b.value));
	if (s->type == BPF_MAP_TYPE_LPM_TRIE)
		b.key[0] = 32;
	from = now();
	b.map = create(by, s, elements);
	if (b.map < 0) {
		fprintf(stderr, "%s, %s: cannot create: %s\n", s->name, way_names[by],
			strerror(errno));
		exit(1);
	}
	report(&b, "create", from, 1);
	if (is_batched(s))
		keyed_rows(&b);
	else
		keyless_rows(&b);
	from = now();
	close(b.map);
	report(&b, "close", from, 1);
	/* It is freed later, which is not to be counted where the next one is measured. */
	usleep(200000);
}

/* What a system call costs that does nothing, and an ioctl that does nothing. */
static void floors(void)
{
	static const struct shape none = { .name = "floor" };
	struct bench b = { .shape = &none, .way = BPF };
	uint64_t from = now();
	unsigned int i;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (i = 0; i < ELEMENTS; i++)
		getppid();
	report(&b, "getppid", from, ELEMENTS);
	from = now();
	for (i = 0; i < ELEMENTS; i++)
		ioctl(null, 0, 0);
	report(&b, "ioctl", from, ELEMENTS);
	close(null);
}

int main(int argc, char **argv)
{
	static const __u32 sizes[] = { 1 << 16, 1 << 20 };
	const bool quick = argc > 1 && !strcmp(argv[1], "quick");
	enum way by;
	unsigned int i;

	device = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	if (device < 0) {
		perror("/dev/bpfmaps");
		return 1;
	}
	floors();
	for (i = 0; i < ARRAY_LEN(shapes); i++) {
		for (by = BPF; by < WAYS; by++)
			bench_shape(&shapes[i], by, ELEMENTS);
	}
	for (i = 0; i < ARRAY_LEN(sizes) && !quick; i++) {
		for (by = BPF; by < WAYS; by++) {
			bench_shape(&shapes[0], by, sizes[i]);
			bench_shape(&shapes[4], by, sizes[i]);
		}
	}
	return 0;
}
