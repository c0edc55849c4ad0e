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
 * @areas: if not NULL, in an area of each CPU
 * @offset: of the value in there
 * @percpu: otherwise, from the per-CPU allocator
 */
struct bpfmaps_percpu {
	void **areas;
	union {
		unsigned long offset;
		void __percpu *percpu;
	};
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

/*
 * A test of each CPU's bit costs less than a small copy; what for_each_possible_cpu() calls to find
 * the next CPU costs more.
 */
#define bpfmaps_for_each_cpu_between(cpu, first, end)		\
	for ((cpu) = (first); (cpu) < (end); (cpu)++)		\
		if (cpu_possible(cpu))

#define bpfmaps_for_each_cpu(cpu) bpfmaps_for_each_cpu_between(cpu, 0, nr_cpu_ids)

/* percpu.c */
void bpfmaps_percpu_gather_any(const struct bpfmaps_map *map, struct bpfmaps_percpu from, u32 nr,
			       void *to, u64 flags);
void bpfmaps_percpu_scatter_any(const struct bpfmaps_map *map, struct bpfmaps_percpu to, u32 nr,
				const void *from, u64 flags);
void bpfmaps_percpu_zero(struct bpfmaps_percpu values, u32 value_size);
bool bpfmaps_percpu_equal(struct bpfmaps_percpu values, const void *other, u32 value_size);

/* One element, with a word on each CPU: what is usual, and is copied without a call. */
static __always_inline bool bpfmaps_percpu_usual(const struct bpfmaps_map *map, u32 nr, u64 flags)
{
	return nr == 1 && !(flags & BPFMAPS_ONE_VALUE) &&
	       bpfmaps_percpu_stride(map->value_size) == sizeof(long);
}

/*
 * To what user space gets: the values of @nr elements, which are side by side from @from on, of all
 * CPUs or with BPFMAPS_F_CPU of one.
 */
static __always_inline void bpfmaps_percpu_gather(const struct bpfmaps_map *map,
						  struct bpfmaps_percpu from, u32 nr, void *to,
						  u64 flags)
{
	u32 cpu;

	if (!bpfmaps_percpu_usual(map, nr, flags)) {
		bpfmaps_percpu_gather_any(map, from, nr, to, flags);
		return;
	}
	bpfmaps_for_each_cpu(cpu) {
		bpfmaps_word_from_elem(to, bpfmaps_percpu_value(from, cpu), 0);
		to += sizeof(long);
	}
}

/* From what user space gave: one value for each CPU, or as @flags say. */
static __always_inline void bpfmaps_percpu_scatter(const struct bpfmaps_map *map,
						   struct bpfmaps_percpu to, u32 nr,
						   const void *from, u64 flags)
{
	u32 cpu;

	if (!bpfmaps_percpu_usual(map, nr, flags)) {
		bpfmaps_percpu_scatter_any(map, to, nr, from, flags);
		return;
	}
	bpfmaps_for_each_cpu(cpu) {
		bpfmaps_word_to_elem(bpfmaps_percpu_value(to, cpu), from, 0);
		from += sizeof(long);
	}
}

#endif /* _BPFMAPS_PERCPU_H */
