/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values that are there once for each CPU
 *
 * User space has them side by side, one for each possible CPU, each rounded up to 8 bytes, and with
 * them the padding, which is stored like the rest. All copies are made under a struct bpfmaps_seq.
 */
#ifndef _BPFMAPS_PERCPU_H
#define _BPFMAPS_PERCPU_H

#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/percpu.h>

#include "map.h"
#include "seq.h"

/* Bytes from one CPU's value to the next in user space. */
static inline u32 bpfmaps_percpu_stride(u32 value_size)
{
	return round_up(value_size, 8);
}

static inline bool bpfmaps_percpu_fits(u32 value_size)
{
	return value_size <= PCPU_MIN_UNIT_SIZE &&
	       bpfmaps_percpu_stride(value_size) <= PCPU_MIN_UNIT_SIZE;
}

static inline u32 bpfmaps_percpu_user_size(u32 value_size)
{
	return bpfmaps_percpu_stride(value_size) * num_possible_cpus();
}

/* Whether so many values could ever fit: a try alone would take long and most of the memory. */
static inline bool bpfmaps_percpu_possible(u64 count, u32 value_size)
{
	u64 each = (u64)bpfmaps_percpu_stride(value_size) * num_possible_cpus();

	return count <= div64_u64((u64)totalram_pages() << PAGE_SHIFT, each);
}

/**
 * struct bpfmaps_percpu - where the values of an element are
 * @percpu: from the per-CPU allocator
 * @areas: or, if not NULL, in an area of each CPU
 * @offset: of the value in there
 */
struct bpfmaps_percpu {
	void __percpu *percpu;
	void **areas;
	u64 offset;
};

static __always_inline void *bpfmaps_percpu_value(struct bpfmaps_percpu values, u32 cpu)
{
	if (values.areas)
		return values.areas[cpu] + values.offset;
	return per_cpu_ptr(values.percpu, cpu);
}

/* The value of this CPU. */
static __always_inline void *bpfmaps_percpu_this(struct bpfmaps_percpu values)
{
	if (values.areas)
		return values.areas[raw_smp_processor_id()] + values.offset;
	return raw_cpu_ptr(values.percpu);
}

/* The value of the CPU that @flags name; bpfmaps_elem_check_flags() has seen it. */
static __always_inline void *bpfmaps_percpu_named(struct bpfmaps_percpu values, u64 flags)
{
	return bpfmaps_percpu_value(values, array_index_nospec((u32)(flags >> 32), nr_cpu_ids));
}

/* To what user space gets: the values of all CPUs, or with BPFMAPS_F_CPU of one. */
static __always_inline void bpfmaps_percpu_gather(void *to, struct bpfmaps_percpu from,
						  u32 value_size, u64 flags)
{
	u32 stride = bpfmaps_percpu_stride(value_size);
	int cpu;

	if (flags & BPFMAPS_F_CPU) {
		bpfmaps_copy_from_elem(to, bpfmaps_percpu_named(from, flags), value_size);
		return;
	}
	for_each_possible_cpu(cpu) {
		bpfmaps_copy_from_elem(to, bpfmaps_percpu_value(from, cpu), stride);
		to += stride;
	}
}

/* From what user space gave: one value for each CPU, or as @flags say. */
static __always_inline void bpfmaps_percpu_scatter(struct bpfmaps_percpu to, const void *from,
						   u32 value_size, u64 flags)
{
	u32 stride = flags & BPFMAPS_ONE_VALUE ? 0 : bpfmaps_percpu_stride(value_size);
	int cpu;

	if (flags & BPFMAPS_F_CPU) {
		bpfmaps_copy_to_elem(bpfmaps_percpu_named(to, flags), from, value_size);
		return;
	}
	for_each_possible_cpu(cpu) {
		bpfmaps_copy_to_elem(bpfmaps_percpu_value(to, cpu), from, stride ?: value_size);
		from += stride;
	}
}

static inline void bpfmaps_percpu_zero(struct bpfmaps_percpu values, u32 value_size)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(bpfmaps_percpu_value(values, cpu), 0, bpfmaps_percpu_stride(value_size));
}

static inline bool bpfmaps_percpu_equal(struct bpfmaps_percpu values, const void *other,
					u32 value_size)
{
	u32 stride = bpfmaps_percpu_stride(value_size);
	int cpu;

	for_each_possible_cpu(cpu) {
		if (memcmp(bpfmaps_percpu_value(values, cpu), other, stride))
			return false;
		other += stride;
	}
	return true;
}

#endif /* _BPFMAPS_PERCPU_H */
