// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call costs: the same loops on bpf(2) and on /dev/bpfmaps, by the descriptor of the device
 * and by that of the map itself. Writes one JSON object a line. With a clock that counts
 * instructions the costs are instructions, see bench.sh.
 *
 * usage: bench [quick|guard]	quick: 4096 elements only; guard: the rows of guard.sh
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"

int device;

static const char * const way_names[WAYS] = { "bpf(2)", "device", "own descriptor" };

enum {
	HASH_4_8, HASH_16_64, HASH_64_256, HASH_4_4096,
	ARRAY_4_8, ARRAY_4_64, ARRAY_4_256, ARRAY_4_4096,
	PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LPM_TRIE, QUEUE, STACK, BLOOM_FILTER,
	/* In large maps only. */
	LATER_4_8, LATER_16_64,
	GUARDED,
};

static const struct shape shapes[] = {
	[HASH_4_8] = { "hash 4/8", BPF_MAP_TYPE_HASH, 4, 8, 0 },
	[HASH_16_64] = { "hash 16/64", BPF_MAP_TYPE_HASH, 16, 64, 0 },
	[HASH_64_256] = { "hash 64/256", BPF_MAP_TYPE_HASH, 64, 256, 0 },
	[HASH_4_4096] = { "hash 4/4096", BPF_MAP_TYPE_HASH, 4, 4096, 0 },
	[ARRAY_4_8] = { "array 4/8", BPF_MAP_TYPE_ARRAY, 4, 8, 0 },
	[ARRAY_4_64] = { "array 4/64", BPF_MAP_TYPE_ARRAY, 4, 64, 0 },
	[ARRAY_4_256] = { "array 4/256", BPF_MAP_TYPE_ARRAY, 4, 256, 0 },
	[ARRAY_4_4096] = { "array 4/4096", BPF_MAP_TYPE_ARRAY, 4, 4096, 0 },
	[PERCPU_HASH] = { "percpu_hash 4/8", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 0 },
	[PERCPU_ARRAY] = { "percpu_array 4/8", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 0 },
	[LRU_HASH] = { "lru_hash 4/8", BPF_MAP_TYPE_LRU_HASH, 4, 8, 0 },
	[LPM_TRIE] = { "lpm_trie 8/8", BPF_MAP_TYPE_LPM_TRIE, 8, 8, BPF_F_NO_PREALLOC },
	[QUEUE] = { "queue 8", BPF_MAP_TYPE_QUEUE, 0, 8, 0 },
	[STACK] = { "stack 8", BPF_MAP_TYPE_STACK, 0, 8, 0 },
	[BLOOM_FILTER] = { "bloom_filter 8", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 0 },
	[LATER_4_8] = { "hash 4/8 NO_PREALLOC", BPF_MAP_TYPE_HASH, 4, 8, BPF_F_NO_PREALLOC },
	[LATER_16_64] = { "hash 16/64 NO_PREALLOC", BPF_MAP_TYPE_HASH, 16, 64, BPF_F_NO_PREALLOC },
	/* The same buckets in each run. */
	[GUARDED] = { "hash 4/8", BPF_MAP_TYPE_HASH, 4, 8, BPF_F_ZERO_SEED },
};

/* What is done with a map: CALLS on elements; MEMORY that it holds when it is full, and its end. */
enum { CALLS = 1, MEMORY = 2 };

/**
 * struct run - maps of other sizes
 * @shape: index of its shape
 * @elements: how many
 * @what: CALLS, MEMORY, or 0: it is created and closed only
 */
struct run {
	unsigned int shape;
	__u32 elements;
	unsigned int what;
};

static const struct run runs[] = {
	{ HASH_4_8, 1 << 10, CALLS },
	{ ARRAY_4_8, 1 << 10, CALLS },
	{ LPM_TRIE, 1 << 10, CALLS },
	{ HASH_4_8, 1 << 16, CALLS },
	{ ARRAY_4_8, 1 << 16, CALLS },
	{ LPM_TRIE, 1 << 16, CALLS },
	{ HASH_4_8, 1 << 20, CALLS | MEMORY },
	{ ARRAY_4_8, 1 << 20, CALLS | MEMORY },
	{ LPM_TRIE, 1 << 20, CALLS | MEMORY },
	{ HASH_16_64, 1 << 20, MEMORY },
	{ LATER_4_8, 1 << 20, MEMORY },
	{ LATER_16_64, 1 << 20, MEMORY },
	{ LRU_HASH, 1 << 20, 0 },
	{ QUEUE, 1 << 20, 0 },
	{ BLOOM_FILTER, 1 << 20, 0 },
};

void report(const struct bench *b, const char *op, const char *unit, double cost)
{
	printf("{\"row\":\"%s\",\"op\":\"%s\",\"elements\":%u,", b->shape->name, op, b->elements);
	printf("\"way\":\"%s\",\"unit\":\"%s\",\"cost\":%.1f}\n", way_names[b->way], unit, cost);
	if (b->failed) {
		fprintf(stderr, "%s, %s, %s: %lu calls failed\n", b->shape->name, op,
			way_names[b->way], b->failed);
		exit(1);
	}
}

/* The map itself is made by the device in both ways. */
void create_map(struct bench *b, const struct shape *s, enum way by, __u32 elements)
{
	union bpf_attr attr = {
		.map_type = s->type, .key_size = s->key, .value_size = s->value,
		.max_entries = elements, .map_flags = s->flags,
	};
	uint64_t from;

	memset(b, 0, sizeof(*b));
	b->shape = s;
	b->way = by;
	b->elements = elements;
	b->count = elements < ELEMENTS ? elements : ELEMENTS;
	memset(b->value, 7, sizeof(b->value));
	if (s->type == BPF_MAP_TYPE_LPM_TRIE)
		b->key[0] = 32;
	from = now();
	b->map = call(by == BPF ? BPF : DEVICE, -1, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (b->map < 0) {
		fprintf(stderr, "%s, %s: cannot create: %s\n", s->name, way_names[by],
			strerror(errno));
		exit(1);
	}
	report(b, "create", "call", now() - from);
}

/*
 * Much of what it takes to close a map is done by others, and later: nothing of it is to be left
 * when the next one is measured.
 */
void close_map(struct bench *b)
{
	const uint64_t from = now();
	uint64_t took;

	close(b->map);
	took = now() - from;
	report(b, "close", "call", took);
	took += settle();
	/* Of less the rest of the kernel does as much. */
	if (b->elements >= 1 << 16)
		report(b, "close, and all that follows", "call", took);
}

static void small(const struct shape *s, enum way by)
{
	static struct bench b;

	create_map(&b, s, by, ELEMENTS);
	if (s->key) {
		if (!is_array(s))
			insert_rows(&b);
		keyed_rows(&b);
	} else {
		keyless_rows(&b);
	}
	close_map(&b);
}

static void other_size(const struct run *run, enum way by)
{
	uint64_t charged, was_free;
	static struct bench b;

	charged = charged_bytes();
	was_free = free_bytes();
	create_map(&b, &shapes[run->shape], by, run->elements);
	/* A million calls would take too long. */
	if (run->what == CALLS && !is_array(b.shape))
		insert_rows(&b);
	else if (run->what)
		fill(&b);
	if (run->what & MEMORY) {
		report(&b, "memory, by the cgroup", "bytes",
		       (double)(charged_bytes() - charged) / b.elements);
		report(&b, "memory, by free pages", "bytes",
		       (double)(was_free - free_bytes()) / b.elements);
	}
	if (run->what & CALLS)
		keyed_rows(&b);
	close_map(&b);
}

static void guard(void)
{
	static const unsigned int guarded[] = { ARRAY_4_8, GUARDED };
	static struct bench b;
	unsigned int i;
	enum way by;

	for (i = 0; i < ARRAY_LEN(guarded); i++) {
		for (by = BPF; by < WAYS; by++) {
			create_map(&b, &shapes[guarded[i]], by, ELEMENTS);
			guard_rows(&b);
			close_map(&b);
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static char results[1 << 20];
	unsigned int i;
	enum way by;

	device = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	if (device < 0) {
		perror("/dev/bpfmaps");
		return 1;
	}
	/* At the end: the line that they go to has interrupts of its own. */
	setvbuf(stdout, results, _IOFBF, sizeof(results));
	settle();
	if (!strcmp(what, "guard")) {
		guard();
		return 0;
	}
	common_floors();
	for (i = 0; i < LATER_4_8; i++) {
		shape_floors(&shapes[i]);
		for (by = BPF; by < WAYS; by++)
			small(&shapes[i], by);
	}
	if (!strcmp(what, "quick"))
		return 0;
	mapped_rows();
	for (i = 0; i < ARRAY_LEN(runs); i++) {
		for (by = BPF; by < WAYS; by++)
			other_size(&runs[i], by);
	}
	return 0;
}
