// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for keys and values on their way from or to user space, for as long as a call takes
 *
 * All of it is written before it is read, so that it is zeroed first, as kernels do that clear what
 * they allocate, is in vain, and would cost more than the rest of a call. Objects of a cache with a
 * constructor stay as they are: they were zeroed once, when their pages came.
 *
 * Sanitizers get memory of just the right size, whose contents count as undefined.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "map.h"

#define BUF_CACHED	(!IS_ENABLED(CONFIG_KASAN) && !IS_ENABLED(CONFIG_KMSAN))

/* What the slab adds fits into the page, too. */
#define BUF_SMALL	(SZ_4K - 64)

/* Larger pieces come from elsewhere if there are none. */
#define BUF_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_NORETRY)

static struct kmem_cache *buf_small, *buf_large;

static void buf_ctor_small(void *buf)
{
	memset(buf, 0, BUF_SMALL);
}

static void buf_ctor_large(void *buf)
{
	memset(buf, 0, BPFMAPS_BUF_SIZE);
}

/* All of a buffer may be copied from and to user space. */
static struct kmem_cache *buf_create_cache(const char *name, u32 size, void (*ctor)(void *buf))
{
	return kmem_cache_create_usercopy(name, size, sizeof(u64), 0, 0, size, ctor);
}

int __init bpfmaps_buf_init(void)
{
	if (!BUF_CACHED)
		return 0;
	buf_small = buf_create_cache("bpfmaps_buf_small", BUF_SMALL, buf_ctor_small);
	buf_large = buf_create_cache("bpfmaps_buf_large", BPFMAPS_BUF_SIZE, buf_ctor_large);
	if (buf_small && buf_large)
		return 0;
	bpfmaps_buf_exit();
	return -ENOMEM;
}

void bpfmaps_buf_exit(void)
{
	kmem_cache_destroy(buf_small);
	kmem_cache_destroy(buf_large);
}

/* NULL where there is none for @size. */
static struct kmem_cache *buf_cache(u32 size)
{
	if (!BUF_CACHED || size > BPFMAPS_BUF_SIZE)
		return NULL;
	return size <= BUF_SMALL ? buf_small : buf_large;
}

static void *buf_try_alloc(u32 size)
{
	struct kmem_cache *cache = buf_cache(size);
	void *buf;

	if (!cache)
		return bpfmaps_area_alloc_buf(size, NUMA_NO_NODE);
	buf = kmem_cache_alloc(cache, BUF_GFP);
	if (buf)
		return buf;
	buf = bpfmaps_area_alloc(size, NUMA_NO_NODE);
	return IS_ERR(buf) ? NULL : buf;
}

/*
 * @size bytes with undefined contents, aligned to 8, or NULL. Charged to the caller's memory
 * cgroup: how long a copy takes is up to user space. Memory of @map that only waits for readers
 * counts as free memory. Process context.
 */
void *bpfmaps_buf_alloc(struct bpfmaps_map *map, u32 size)
{
	void *buf = buf_try_alloc(size);

	if (buf || !map->ops->map_reclaim || fatal_signal_pending(current))
		return buf;
	map->ops->map_reclaim(map);
	return buf_try_alloc(size);
}

/* What bpfmaps_buf_alloc() has returned for @size; NULL is fine. Process context. */
void bpfmaps_buf_free(void *buf, u32 size)
{
	struct kmem_cache *cache = buf_cache(size);

	if (!buf || !cache || is_vmalloc_addr(buf)) {
		kvfree(buf);
		return;
	}
	/* The slabs do not do it for such caches. */
	if (want_init_on_free())
		memzero_explicit(buf, size);
	kmem_cache_free(cache, buf);
}
