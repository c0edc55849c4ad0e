// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERCPU_ARRAY: an array whose elements have a value of their own on each CPU
 *
 * The memory is that of the per-CPU allocator, in chunks of as many values as fit its units:
 *
 *	chunk 0: CPU 0: value 0, value 1, ...   CPU 1: value 0, value 1, ...
 *	chunk 1: CPU 0: value n, value n + 1, ...
 *
 * With BPFMAPS_F_MMAPABLE it is whole pages for each CPU, on its node, which user space maps one
 * behind the other.
 *
 * Users in the kernel read and write the value of the CPU that they are on; user space reads and
 * writes those of all CPUs at once, under one of up to BPFMAPS_SEQ_STRIPES locks with a sequence
 * count. Some neighbours have the same lock, a run: a batch takes it once for all of them.
 */
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "../map.h"
#include "../percpu.h"
#include "../seq.h"

#define PCPU_ARRAY_CREATE_FLAGS	(BPFMAPS_F_MMAPABLE | BPFMAPS_ACCESS_FLAGS)

/* A run: at most so many neighbours, with no more bytes than are copied in an instant. */
#define PCPU_ARRAY_RUN_SHIFT	3
#define PCPU_ARRAY_RUN_BYTES	SZ_4K

/**
 * struct pcpu_array_map - the type's struct
 * @map: what all types have
 * @stride: bytes from one value to the next, on a CPU
 * @run_shift: 1 << this is how many elements are a run
 * @per_chunk: values in a chunk: whole runs
 * @nr_chunks: how many chunks there are
 * @stripe_mask: number of stripes - 1
 * @stripes: locks of those who copy values
 * @chunks: the values, or NULL
 * @areas: with BPFMAPS_F_MMAPABLE the values, one area for each CPU number
 */
struct pcpu_array_map {
	struct bpfmaps_map map;
	u32 stride;
	u32 run_shift;
	u32 per_chunk;
	u32 nr_chunks;
	u32 stripe_mask;
	struct bpfmaps_seq *stripes;
	void __percpu **chunks;
	void **areas;
};

static struct pcpu_array_map *to_pcpu_array(const struct bpfmaps_map *map)
{
	return container_of(map, struct pcpu_array_map, map);
}

static u64 pcpu_array_bytes(const struct pcpu_array_map *a)
{
	return (u64)a->map.max_entries * a->stride;
}

/* Of @index, which is below max_entries. */
static struct bpfmaps_percpu pcpu_array_elem(const struct pcpu_array_map *a, u32 index)
{
	struct bpfmaps_percpu elem = { .areas = a->areas };

	index = array_index_nospec(index, a->map.max_entries);
	if (a->areas)
		elem.offset = (u64)index * a->stride;
	else
		elem.percpu = a->chunks[index / a->per_chunk] + index % a->per_chunk * a->stride;
	return elem;
}

/* Of the run of @index. */
static struct bpfmaps_seq *pcpu_array_stripe(const struct pcpu_array_map *a, u32 index)
{
	return &a->stripes[index >> a->run_shift & a->stripe_mask];
}

/* How many elements there are from @index on, which is below max_entries, to the end of its run. */
static u32 pcpu_array_run_left(const struct pcpu_array_map *a, u32 index)
{
	u32 run = 1U << a->run_shift;

	return min(run - (index & (run - 1)), a->map.max_entries - index);
}

static int pcpu_array_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~(PCPU_ARRAY_CREATE_FLAGS | BPFMAPS_F_NUMA_NODE) ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	if (bpfmaps_map_names_node(attr))
		return -EINVAL;
	if (!attr->max_entries || attr->key_size != sizeof(u32) || !attr->value_size)
		return -EINVAL;
	return bpfmaps_percpu_fits(attr->value_size) ? 0 : -E2BIG;
}

static void pcpu_array_free_chunks(struct pcpu_array_map *a)
{
	u32 i;

	for (i = 0; i < a->nr_chunks; i++) {
		free_percpu(a->chunks[i]);
		cond_resched();
	}
	kvfree(a->chunks);
}

static int pcpu_array_alloc_chunks(struct pcpu_array_map *a)
{
	u32 i, values, left = a->map.max_entries;

	a->chunks = kvcalloc(a->nr_chunks, sizeof(*a->chunks), BPFMAPS_GFP);
	if (!a->chunks)
		return -ENOMEM;
	for (i = 0; i < a->nr_chunks; i++, left -= values) {
		values = min(left, a->per_chunk);
		if (!fatal_signal_pending(current))
			a->chunks[i] = __alloc_percpu_gfp(values * a->stride, 8,
							  BPFMAPS_PERCPU_GFP);
		if (!a->chunks[i]) {
			pcpu_array_free_chunks(a);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static void pcpu_array_free_areas(struct pcpu_array_map *a)
{
	u32 cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		bpfmaps_area_free(a->areas[cpu]);
	kfree(a->areas);
}

static int pcpu_array_alloc_areas(struct pcpu_array_map *a)
{
	void *area;
	int cpu;

	a->areas = kcalloc(nr_cpu_ids, sizeof(*a->areas), BPFMAPS_GFP);
	if (!a->areas)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		area = bpfmaps_area_alloc(pcpu_array_bytes(a), cpu_to_node(cpu));
		if (IS_ERR(area)) {
			pcpu_array_free_areas(a);
			return PTR_ERR(area);
		}
		a->areas[cpu] = area;
	}
	return 0;
}

static int pcpu_array_alloc_values(struct pcpu_array_map *a)
{
	if (a->map.map_flags & BPFMAPS_F_MMAPABLE)
		return pcpu_array_alloc_areas(a);
	a->per_chunk = round_down(PCPU_MIN_UNIT_SIZE / a->stride, 1U << a->run_shift);
	a->nr_chunks = DIV_ROUND_UP_ULL(a->map.max_entries, a->per_chunk);
	return pcpu_array_alloc_chunks(a);
}

static int pcpu_array_alloc(struct bpfmaps_map *map)
{
	struct pcpu_array_map *a = to_pcpu_array(map);
	u32 runs;
	int err;

	if (!bpfmaps_percpu_possible(map->max_entries, map->value_size))
		return -ENOMEM;
	map->user_value_size = bpfmaps_percpu_user_size(map->value_size);
	a->stride = bpfmaps_percpu_stride(map->value_size);
	a->run_shift = PCPU_ARRAY_RUN_SHIFT;
	while (a->run_shift && (u64)map->user_value_size << a->run_shift > PCPU_ARRAY_RUN_BYTES)
		a->run_shift--;
	runs = DIV_ROUND_UP_ULL(map->max_entries, 1U << a->run_shift);
	a->stripes = bpfmaps_seq_alloc_stripes(runs, &a->stripe_mask);
	if (!a->stripes)
		return -ENOMEM;
	err = pcpu_array_alloc_values(a);
	if (err)
		kvfree(a->stripes);
	return err;
}

static void pcpu_array_free(struct bpfmaps_map *map)
{
	struct pcpu_array_map *a = to_pcpu_array(map);

	if (a->areas)
		pcpu_array_free_areas(a);
	else
		pcpu_array_free_chunks(a);
	kvfree(a->stripes);
}

/* The value of this CPU. */
static void *pcpu_array_lookup_elem(struct bpfmaps_map *map, const void *key)
{
	u32 index = bpfmaps_map_index(key);

	if (index >= map->max_entries)
		return NULL;
	return bpfmaps_percpu_this(pcpu_array_elem(to_pcpu_array(map), index));
}

static void *pcpu_array_lookup_percpu_elem(struct bpfmaps_map *map, const void *key, u32 cpu)
{
	u32 index = bpfmaps_map_index(key);

	if (index >= map->max_entries)
		return NULL;
	return bpfmaps_percpu_value(pcpu_array_elem(to_pcpu_array(map), index), cpu);
}

static bool pcpu_array_try_read(const struct pcpu_array_map *a, const struct bpfmaps_seq *seq,
				u32 index, u32 nr, void *value, u64 flags)
{
	unsigned int start;

	if (!bpfmaps_seq_begin(seq, &start))
		return false;
	bpfmaps_percpu_gather(&a->map, pcpu_array_elem(a, index), nr, value, flags);
	return bpfmaps_seq_valid(seq, start);
}

/* The values of @nr elements of a run, of all CPUs or of one. */
static void pcpu_array_read(const struct pcpu_array_map *a, u32 index, u32 nr, void *value,
			    u64 flags)
{
	struct bpfmaps_seq *seq = pcpu_array_stripe(a, index);
	unsigned long irq;
	int i;

	for (i = 0; i < BPFMAPS_SEQ_TRIES; i++)
		if (pcpu_array_try_read(a, seq, index, nr, value, flags))
			return;
	raw_spin_lock_irqsave(&seq->lock, irq);
	bpfmaps_percpu_gather(&a->map, pcpu_array_elem(a, index), nr, value, flags);
	raw_spin_unlock_irqrestore(&seq->lock, irq);
}

/* Called from system calls. */
static int pcpu_array_copy_value(struct bpfmaps_map *map, const void *key, void *value, u64 flags)
{
	u32 index = bpfmaps_map_index(key);

	if (index >= map->max_entries)
		return -ENOENT;
	pcpu_array_read(to_pcpu_array(map), index, 1, value, flags);
	return 0;
}

static int pcpu_array_collect_next(struct bpfmaps_map *map, const void *key,
				   struct bpfmaps_chunk *chunk)
{
	struct pcpu_array_map *a = to_pcpu_array(map);
	u32 i, index, left, run, *keys = chunk->keys;
	void *value = chunk->values;
	int err = bpfmaps_map_next_index(map, key, &index);

	if (err)
		return err;
	left = min(chunk->room, map->max_entries - index);
	chunk->fill = left;
	for (; left; left -= run) {
		run = min(left, pcpu_array_run_left(a, index));
		pcpu_array_read(a, index, run, value, chunk->flags);
		value += (u64)run * chunk->value_size;
		for (i = 0; i < run; i++)
			*keys++ = index++;
	}
	return chunk->fill < chunk->room ? -ENOENT : 0;
}

/* To @nr elements of a run; users in the kernel write the value of this CPU, of one element. */
static __always_inline int pcpu_array_write(const struct pcpu_array_map *a, u32 index, u32 nr,
					    const void *value, u64 flags, enum bpfmaps_from from)
{
	struct bpfmaps_percpu elem = pcpu_array_elem(a, index);
	struct bpfmaps_seq *seq = pcpu_array_stripe(a, index);
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&seq->lock, irq);
	err = bpfmaps_map_check_write(&a->map, from);
	if (!err) {
		write_seqcount_begin(&seq->count);
		if (from == BPFMAPS_FROM_USER)
			bpfmaps_percpu_scatter(&a->map, elem, nr, value, flags);
		else
			bpfmaps_copy_to_elem(bpfmaps_percpu_this(elem), value, a->map.value_size);
		write_seqcount_end(&seq->count);
	}
	raw_spin_unlock_irqrestore(&seq->lock, irq);
	return err;
}

/* Users in the kernel set the value of this CPU, system calls those of all, or as @flags say. */
static int pcpu_array_update_elem(struct bpfmaps_map *map, const void *key, const void *value,
				  u64 flags, enum bpfmaps_from from)
{
	u32 index = bpfmaps_map_index(key);

	if (bpfmaps_map_update_mode(map, flags, from) > BPFMAPS_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags & BPFMAPS_NOEXIST)
		return -EEXIST;
	return pcpu_array_write(to_pcpu_array(map), index, 1, value, flags, from);
}

/* How many of these keys, from the first on, are neighbours in one run. */
static u32 pcpu_array_run_keys(const struct pcpu_array_map *a, const u32 *keys, u32 nr)
{
	u32 i, most = min(nr, pcpu_array_run_left(a, keys[0]));

	for (i = 1; i < most && keys[i] == keys[0] + i; i++)
		;
	return i;
}

/* The flags of a batch, which name CPUs at most, were checked. */
static int pcpu_array_update_many(struct bpfmaps_map *map, const struct bpfmaps_chunk *chunk,
				  u64 flags, u32 *done)
{
	struct pcpu_array_map *a = to_pcpu_array(map);
	const void *value = chunk->values;
	const u32 *keys = chunk->keys;
	u32 run;
	int err;

	for (*done = 0; *done < chunk->fill; *done += run) {
		if (keys[*done] >= map->max_entries)
			return -E2BIG;
		run = pcpu_array_run_keys(a, keys + *done, chunk->fill - *done);
		err = pcpu_array_write(a, keys[*done], run, value, flags, BPFMAPS_FROM_USER);
		if (err)
			return err;
		value += (u64)run * chunk->value_size;
	}
	return 0;
}

/* Elements of an array stay. */
static int pcpu_array_delete_elem(struct bpfmaps_map *map, const void *key,
				  enum bpfmaps_from from)
{
	return -EINVAL;
}

static int pcpu_array_for_each(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx)
{
	struct pcpu_array_map *a = to_pcpu_array(map);
	int ret = 0;
	u32 i;

	for (i = 0; i < map->max_entries && !ret; i++) {
		rcu_read_lock();
		ret = fn(map, &i, bpfmaps_percpu_this(pcpu_array_elem(a, i)), ctx);
		rcu_read_unlock();
		cond_resched();
	}
	return ret;
}

/* Whole pages for each CPU. */
static s64 pcpu_array_mmap_size(struct bpfmaps_map *map)
{
	if (!(map->map_flags & BPFMAPS_F_MMAPABLE))
		return -BPFMAPS_ENOTSUPP;
	return PAGE_ALIGN(pcpu_array_bytes(to_pcpu_array(map))) * nr_cpu_ids;
}

/* NULL for a CPU that is not possible. */
static struct page *pcpu_array_mmap_page(struct bpfmaps_map *map, pgoff_t pgoff)
{
	const struct pcpu_array_map *a = to_pcpu_array(map);
	pgoff_t pages = PAGE_ALIGN(pcpu_array_bytes(a)) >> PAGE_SHIFT;
	void *area = a->areas[pgoff / pages];

	return area ? vmalloc_to_page(area + (pgoff % pages << PAGE_SHIFT)) : NULL;
}

static u64 pcpu_array_values_usage(const struct pcpu_array_map *a)
{
	if (a->areas)
		return bpfmaps_area_mem_usage(pcpu_array_bytes(a)) * num_possible_cpus() +
		       nr_cpu_ids * sizeof(*a->areas);
	return pcpu_array_bytes(a) * num_possible_cpus() + (u64)a->nr_chunks * sizeof(*a->chunks);
}

static u64 pcpu_array_mem_usage(const struct bpfmaps_map *map)
{
	const struct pcpu_array_map *a = to_pcpu_array(map);

	return pcpu_array_values_usage(a) + (u64)(a->stripe_mask + 1) * sizeof(*a->stripes);
}

const struct bpfmaps_map_ops bpfmaps_percpu_array_ops = {
	.map_size		= sizeof(struct pcpu_array_map),
	.batch			= BIT(BPFMAPS_BATCH_LOOKUP) | BIT(BPFMAPS_BATCH_UPDATE),
	.percpu			= true,
	.map_alloc_check	= pcpu_array_alloc_check,
	.map_alloc		= pcpu_array_alloc,
	.map_free		= pcpu_array_free,
	.map_lookup_elem	= pcpu_array_lookup_elem,
	.map_lookup_percpu_elem	= pcpu_array_lookup_percpu_elem,
	.map_copy_value		= pcpu_array_copy_value,
	.map_update_elem	= pcpu_array_update_elem,
	.map_delete_elem	= pcpu_array_delete_elem,
	.map_get_next_key	= bpfmaps_map_next_index,
	.map_for_each		= pcpu_array_for_each,
	.map_collect_next	= pcpu_array_collect_next,
	.map_update_many	= pcpu_array_update_many,
	.map_mmap_size		= pcpu_array_mmap_size,
	.map_mmap_page		= pcpu_array_mmap_page,
	.map_mem_usage		= pcpu_array_mem_usage,
};
