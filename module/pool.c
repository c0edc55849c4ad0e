// SPDX-License-Identifier: GPL-2.0-only
/*
 * Elements for maps that readers walk under RCU
 *
 * An element that leaves its map may still be under a reader's eyes, so it is not used again before
 * a grace period has passed. It goes through three lists of the CPU that took it out:
 *
 *	retired  ->  waiting  ->  free (elements of the area) or the heap (all others)
 *
 * "waiting" is one batch for which a grace period runs; what leaves meanwhile gathers in "retired"
 * and becomes the next batch. So there is one RCU callback for a batch, not one for each element.
 *
 * A map with preallocation has max_entries elements in one area, and one more for each CPU: so a
 * full map has one to put in the place of another. While these wait for readers, a new element may
 * have to come from the heap; it goes back there when it is retired. Only if the heap is empty,
 * too, a caller that may sleep waits for the grace period.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "map.h"
#include "pool.h"

struct pool_cpu {
	raw_spinlock_t lock;
	struct bpfmaps_pool_elem *free;
	struct bpfmaps_pool_elem *retired;
	struct bpfmaps_pool_elem *waiting;
	struct bpfmaps_pool *pool;
	struct rcu_work work;
};

static void *pool_area_elem(const struct bpfmaps_pool *pool, u32 nr)
{
	return pool->area + (u64)nr * pool->elem_size;
}

static bool pool_in_area(const struct bpfmaps_pool *pool, const void *elem)
{
	return pool->area && elem >= pool->area &&
	       elem < pool->area + (u64)pool->max * pool->elem_size;
}

/* Bytes that the heap really gives away for an element. */
static size_t pool_heap_size(const struct bpfmaps_pool *pool, const void *elem)
{
	if (unlikely(is_vmalloc_addr(elem)))
		return pool->cpu_bytes + bpfmaps_area_mem_usage(pool->elem_size);
	return pool->cpu_bytes + pool->slab_bytes;
}

static void pool_heap_free(struct bpfmaps_pool *pool, void *elem)
{
	atomic_long_sub(pool_heap_size(pool, elem), &pool->heap_bytes);
	if (pool->percpu_size)
		free_percpu(*bpfmaps_pool_percpu(pool, elem));
	kvfree(elem);
}

static bool pool_alloc_percpu(struct bpfmaps_pool *pool, void *elem, gfp_t gfp)
{
	void __percpu *values;

	if (!pool->percpu_size)
		return true;
	values = __alloc_percpu_gfp(pool->percpu_size, 8, gfp);
	*bpfmaps_pool_percpu(pool, elem) = values;
	return values;
}

/* Without sleeping no reserves are taken: they would be charged above the limit of the cgroup. */
#define POOL_ATOMIC_GFP	(GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

static void *pool_heap_elem(const struct bpfmaps_pool *pool, enum bpfmaps_from from)
{
	if (from == BPFMAPS_FROM_ATOMIC)
		return kmalloc_node(pool->elem_size, POOL_ATOMIC_GFP, pool->numa_node);
	return bpfmaps_area_alloc_buf(pool->elem_size, pool->numa_node);
}

static void *pool_heap_alloc(struct bpfmaps_pool *pool, enum bpfmaps_from from)
{
	const gfp_t percpu = from == BPFMAPS_FROM_ATOMIC ? POOL_ATOMIC_GFP : BPFMAPS_PERCPU_GFP;
	struct mem_cgroup *old = bpfmaps_set_active_memcg(pool->memcg);
	void *elem = pool_heap_elem(pool, from);

	if (elem && !pool_alloc_percpu(pool, elem, percpu)) {
		kvfree(elem);
		elem = NULL;
	}
	bpfmaps_set_active_memcg(old);
	if (elem)
		atomic_long_add(pool_heap_size(pool, elem), &pool->heap_bytes);
	return elem;
}

/* Put a chain from @first to @last on the free list. */
static void pool_cpu_refill(struct pool_cpu *cpu, struct bpfmaps_pool_elem *first,
			    struct bpfmaps_pool_elem *last)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&cpu->lock, flags);
	last->link = cpu->free;
	WRITE_ONCE(cpu->free, first);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
}

static void *pool_cpu_take(struct pool_cpu *cpu)
{
	struct bpfmaps_pool_elem *elem;
	unsigned long flags;

	/* Mostly empty lists of other CPUs are passed by without their locks. */
	if (!READ_ONCE(cpu->free))
		return NULL;
	raw_spin_lock_irqsave(&cpu->lock, flags);
	elem = cpu->free;
	if (elem)
		WRITE_ONCE(cpu->free, elem->link);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
	return elem;
}

/* True if a batch was formed, whose grace period the caller has to start. */
static bool pool_cpu_next_batch(struct pool_cpu *cpu)
{
	lockdep_assert_held(&cpu->lock);
	if (cpu->waiting || !cpu->retired)
		return false;
	WRITE_ONCE(cpu->waiting, cpu->retired);
	cpu->retired = NULL;
	return true;
}

/* Sort a batch whose readers are gone into the free list and the heap. */
static void pool_cpu_reclaim(struct pool_cpu *cpu, struct bpfmaps_pool_elem *elem)
{
	struct bpfmaps_pool_elem *next, *first = NULL, *last = NULL;

	for (; elem; elem = next) {
		next = elem->link;
		cond_resched();
		if (!pool_in_area(cpu->pool, elem)) {
			pool_heap_free(cpu->pool, elem);
			continue;
		}
		elem->link = first;
		first = elem;
		if (!last)
			last = elem;
	}
	if (first)
		pool_cpu_refill(cpu, first, last);
}

static void pool_cpu_work(struct work_struct *work)
{
	struct pool_cpu *cpu = container_of(to_rcu_work(work), struct pool_cpu, work);
	unsigned long flags;
	bool more;

	pool_cpu_reclaim(cpu, cpu->waiting);
	raw_spin_lock_irqsave(&cpu->lock, flags);
	WRITE_ONCE(cpu->waiting, NULL);
	more = pool_cpu_next_batch(cpu);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
	if (more)
		queue_rcu_work(system_unbound_wq, &cpu->work);
}

/* Hand over an element that was unlinked. Any context but NMI. */
void bpfmaps_pool_retire(struct bpfmaps_pool *pool, void *ptr)
{
	struct bpfmaps_pool_elem *elem = ptr;
	struct pool_cpu *cpu = raw_cpu_ptr(pool->cpus);
	unsigned long flags;
	bool start;

	raw_spin_lock_irqsave(&cpu->lock, flags);
	elem->link = cpu->retired;
	cpu->retired = elem;
	start = pool_cpu_next_batch(cpu);
	raw_spin_unlock_irqrestore(&cpu->lock, flags);
	if (start)
		queue_rcu_work(system_unbound_wq, &cpu->work);
}

/* Give back an element that no reader has seen. */
void bpfmaps_pool_free(struct bpfmaps_pool *pool, void *elem)
{
	if (pool_in_area(pool, elem))
		pool_cpu_refill(raw_cpu_ptr(pool->cpus), elem, elem);
	else
		pool_heap_free(pool, elem);
}

/* Give back an element of a map that is destroyed; those of the area go with the pool. */
void bpfmaps_pool_drop(struct bpfmaps_pool *pool, void *elem)
{
	if (!pool_in_area(pool, elem))
		pool_heap_free(pool, elem);
}

static void *pool_area_take(struct bpfmaps_pool *pool)
{
	void *elem;
	u32 nr;
	int cpu;

	elem = pool_cpu_take(raw_cpu_ptr(pool->cpus));
	if (elem)
		return elem;
	nr = atomic_fetch_add_unless(&pool->fresh, 1, pool->max);
	if (nr < pool->max)
		return pool_area_elem(pool, nr);
	for_each_possible_cpu(cpu) {
		elem = pool_cpu_take(per_cpu_ptr(pool->cpus, cpu));
		if (elem)
			return elem;
	}
	return NULL;
}

static bool pool_waits(const struct bpfmaps_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(pool->cpus, cpu)->waiting))
			return true;
	return false;
}

/*
 * Let all that was retired before come to its end: a worker that has formed a batch but not queued
 * it yet, that batch, and one behind it. Of each the grace period ends once for all CPUs. Nothing
 * is left if nobody retires meanwhile. Process context.
 */
void bpfmaps_pool_flush(struct bpfmaps_pool *pool)
{
	int cpu, i;

	for (i = 0; i < 3; i++) {
		if (pool_waits(pool))
			rcu_barrier();
		for_each_possible_cpu(cpu)
			flush_work(&per_cpu_ptr(pool->cpus, cpu)->work.work);
	}
}

static void *pool_try_alloc(struct bpfmaps_pool *pool, enum bpfmaps_from from)
{
	void *elem = pool->area ? pool_area_take(pool) : NULL;

	return elem ?: pool_heap_alloc(pool, from);
}

/*
 * An element with undefined contents, or NULL. Any context but NMI, as @from says. Memory that only
 * waits for readers counts as free memory where it can be waited for.
 */
void *bpfmaps_pool_alloc(struct bpfmaps_pool *pool, enum bpfmaps_from from)
{
	void *elem = pool_try_alloc(pool, from);

	if (elem || from == BPFMAPS_FROM_ATOMIC || fatal_signal_pending(current))
		return elem;
	bpfmaps_pool_flush(pool);
	return pool_try_alloc(pool, from);
}

static void pool_cpus_init(struct bpfmaps_pool *pool)
{
	struct pool_cpu *cpu;
	int nr;

	for_each_possible_cpu(nr) {
		cpu = per_cpu_ptr(pool->cpus, nr);
		raw_spin_lock_init(&cpu->lock);
		cpu->pool = pool;
		INIT_RCU_WORK(&cpu->work, pool_cpu_work);
	}
}

static void pool_free_area(struct bpfmaps_pool *pool)
{
	u32 i;

	for (i = 0; pool->percpu_size && i < pool->max; i++) {
		free_percpu(*bpfmaps_pool_percpu(pool, pool_area_elem(pool, i)));
		cond_resched();
	}
	bpfmaps_area_free(pool->area);
}

static int pool_alloc_area(struct bpfmaps_pool *pool, u32 max_entries)
{
	u32 max = max_entries + min(num_possible_cpus(), U32_MAX - max_entries);
	void *area = bpfmaps_area_alloc((u64)pool->elem_size * max, pool->numa_node);
	u32 i;

	if (IS_ERR(area))
		return PTR_ERR(area);
	pool->area = area;
	pool->max = max;
	for (i = 0; pool->percpu_size && i < max; i++) {
		if (fatal_signal_pending(current) ||
		    !pool_alloc_percpu(pool, pool_area_elem(pool, i), BPFMAPS_PERCPU_GFP)) {
			pool_free_area(pool);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

/**
 * bpfmaps_pool_init() - set up the elements of a map
 * @pool: the pool, zeroed but for @percpu_size and @percpu_offset
 * @map: its map, for max_entries, NUMA node and memory cgroup
 * @elem_size: bytes of an element, a multiple of 8
 * @prealloc: allocate max_entries elements now
 *
 * Context: process; charges the caller's memory cgroup.
 * Return: 0, -ENOMEM or -EINTR.
 */
int bpfmaps_pool_init(struct bpfmaps_pool *pool, const struct bpfmaps_map *map, u32 elem_size,
		      bool prealloc)
{
	int err;

	pool->elem_size = elem_size;
	pool->slab_bytes = kmalloc_size_roundup(elem_size);
	pool->cpu_bytes = (size_t)pool->percpu_size * num_possible_cpus();
	pool->limit = map->max_entries;
	pool->numa_node = map->numa_node;
	pool->memcg = map->memcg;
	err = prealloc ? pool_alloc_area(pool, map->max_entries) : 0;
	if (err)
		return err;
	pool->cpus = alloc_percpu_gfp(struct pool_cpu, BPFMAPS_PERCPU_GFP);
	if (!pool->cpus) {
		pool_free_area(pool);
		return -ENOMEM;
	}
	pool_cpus_init(pool);
	return 0;
}

/*
 * The elements that were still in the map were given to bpfmaps_pool_drop(); no other user is left.
 */
void bpfmaps_pool_destroy(struct bpfmaps_pool *pool)
{
	bpfmaps_pool_flush(pool);
	free_percpu(pool->cpus);
	pool_free_area(pool);
}

u64 bpfmaps_pool_mem_usage(const struct bpfmaps_pool *pool)
{
	u64 bytes = num_possible_cpus() * sizeof(struct pool_cpu);

	if (pool->area)
		bytes += bpfmaps_area_mem_usage((u64)pool->max * pool->elem_size);
	bytes += (u64)pool->max * pool->cpu_bytes;
	return bytes + atomic_long_read(&pool->heap_bytes);
}
