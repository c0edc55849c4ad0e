// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies between the values of all CPUs, or of one, and what user space has
 *
 * Elements whose values are side by side on each CPU are copied together, CPU by CPU: here two of
 * them, on two CPUs
 *
 *	CPU 0: a0 b0  CPU 1: a1 b1	user space: a0 a1 b0 b1
 */
#include <linux/nospec.h>
#include <linux/string.h>

#include "percpu.h"

/* Of the CPUs that @flags mean. bpfmaps_elem_check_flags() has seen them. */
static __always_inline u32 first_cpu(u64 flags)
{
	return flags & BPFMAPS_F_CPU ? array_index_nospec((u32)(flags >> 32), nr_cpu_ids) : 0;
}

static __always_inline u32 end_cpu(u64 flags, u32 first)
{
	return flags & BPFMAPS_F_CPU ? first + 1 : nr_cpu_ids;
}

/* @nr values of one CPU, to @step bytes from each other. */
static __always_inline void values_out(void *to, u32 step, const void *from, u32 size, u32 nr)
{
	u32 i, stride = bpfmaps_percpu_stride(size);

	if (size == sizeof(long) && stride == size) {
		for (i = 0; i < nr; i++, to += step)
			bpfmaps_word_from_elem(to, from + i * sizeof(long), 0);
		return;
	}
	for (i = 0; i < nr; i++, to += step, from += stride)
		bpfmaps_copy_from_elem(to, from, size);
}

static __always_inline void values_in(void *to, const void *from, u32 step, u32 size, u32 nr)
{
	u32 i, stride = bpfmaps_percpu_stride(size);

	if (size == sizeof(long) && stride == size) {
		for (i = 0; i < nr; i++, from += step)
			bpfmaps_word_to_elem(to + i * sizeof(long), from, 0);
		return;
	}
	for (i = 0; i < nr; i++, to += stride, from += step)
		bpfmaps_copy_to_elem(to, from, size);
}

/* bpfmaps_percpu_gather(), out of line. */
void bpfmaps_percpu_gather_any(const struct bpfmaps_map *map, struct bpfmaps_percpu from, u32 nr,
			       void *to, u64 flags)
{
	u32 step = bpfmaps_map_io_size(map, flags), first = first_cpu(flags), cpu;
	u32 size = bpfmaps_percpu_stride(map->value_size);

	if (flags & BPFMAPS_F_CPU)
		size = map->value_size;
	bpfmaps_for_each_cpu_between(cpu, first, end_cpu(flags, first)) {
		values_out(to, step, bpfmaps_percpu_value(from, cpu), size, nr);
		to += size;
	}
}

/* bpfmaps_percpu_scatter(), out of line. */
void bpfmaps_percpu_scatter_any(const struct bpfmaps_map *map, struct bpfmaps_percpu to, u32 nr,
				const void *from, u64 flags)
{
	u32 step = bpfmaps_map_io_size(map, flags), first = first_cpu(flags), cpu;
	u32 size = bpfmaps_percpu_stride(map->value_size), next = size;

	if (flags & BPFMAPS_ONE_VALUE) {
		size = map->value_size;
		next = 0;
	}
	bpfmaps_for_each_cpu_between(cpu, first, end_cpu(flags, first)) {
		values_in(bpfmaps_percpu_value(to, cpu), from, step, size, nr);
		from += next;
	}
}

void bpfmaps_percpu_zero(struct bpfmaps_percpu values, u32 value_size)
{
	u32 cpu;

	bpfmaps_for_each_cpu(cpu)
		memset(bpfmaps_percpu_value(values, cpu), 0, bpfmaps_percpu_stride(value_size));
}

/* Whether the values of all CPUs are what user space has. */
bool bpfmaps_percpu_equal(struct bpfmaps_percpu values, const void *other, u32 value_size)
{
	u32 cpu, stride = bpfmaps_percpu_stride(value_size);

	bpfmaps_for_each_cpu(cpu) {
		if (memcmp(bpfmaps_percpu_value(values, cpu), other, stride))
			return false;
		other += stride;
	}
	return true;
}
