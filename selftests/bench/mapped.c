// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arrays that are mapped: elements are read and written without a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "cost.h"

#define IN_PAGE		(4096 / sizeof(__u64))

static const struct shape mapped = {
	"array 4/8 MMAPABLE", BPF_MAP_TYPE_ARRAY, 4, 8, BPF_F_MMAPABLE
};

static volatile __u64 *map_array(const struct bench *b)
{
	void *at = mmap(NULL, b->elements * sizeof(__u64), PROT_READ | PROT_WRITE, MAP_SHARED,
			b->map, 0);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

static void unmap_array(const struct bench *b, volatile __u64 *values)
{
	munmap((void *)values, b->elements * sizeof(__u64));
}

static void access_rows(struct bench *b)
{
	volatile __u64 *values = map_array(b);
	uint64_t from;
	__u32 i;

	/* Each page is touched before. */
	for (i = 0; i < b->elements; i++)
		values[i] = i;
	from = now();
	for (i = 0; i < b->elements; i++)
		(void)values[i];
	report(b, "read, mapped", "element", (double)(now() - from) / b->elements);
	from = now();
	for (i = 0; i < b->elements; i++)
		values[i] = 1;
	report(b, "write, mapped", "element", (double)(now() - from) / b->elements);
	unmap_array(b, values);
}

/* Maps the array, touches so many of its pages and unmaps it. */
static uint64_t touch(const struct bench *b, __u32 pages)
{
	const uint64_t from = now();
	volatile __u64 *values = map_array(b);
	__u32 i;

	for (i = 0; i < pages; i++)
		(void)values[i * IN_PAGE];
	unmap_array(b, values);
	return now() - from;
}

/* What has to be there for every mapping is made by the first. */
static void touch_row(struct bench *b, const char *op, __u32 pages)
{
	touch(b, pages);
	report(b, op, "call", touch(b, pages));
}

/*
 * 4 MiB, which is as much as takes a page table of its own, and 64 MiB. Both descriptors of bpfmaps
 * lead to the same mapping.
 */
void mapped_rows(void)
{
	static const __u32 sizes[] = { 4 << 20 >> 3, 64 << 20 >> 3 };
	static const enum way ways[] = { BPF, OWN };
	static struct bench b;
	unsigned int i, j;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		for (j = 0; j < ARRAY_LEN(ways); j++) {
			create_map(&b, &mapped, ways[j], sizes[i]);
			touch_row(&b, "map, touch 1 page, unmap", 1);
			touch_row(&b, "map, touch all, unmap", sizes[i] / IN_PAGE);
			access_rows(&b);
			close_map(&b);
		}
	}
}
