// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for keys and values on their way from or to user space, for as long as a call takes
 *
 * All of it is written before it is read, so that it is zeroed first, as kernels do that clear what
 * they allocate, is in vain, and would cost more than the rest of a call. Objects of a cache with a
 * constructor stay as they are: they were zeroed once, when their pages came.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "map.h"

static struct kmem_cache *buf_cache;

static void buf_ctor(void *buf)
{
	memset(buf, 0, BPFMAPS_BUF_SIZE);
}

/* All of a buffer may be copied from and to user space. */
int __init bpfmaps_buf_init(void)
{
	buf_cache = kmem_cache_create_usercopy("bpfmaps_buf", BPFMAPS_BUF_SIZE, sizeof(u64), 0, 0,
					       BPFMAPS_BUF_SIZE, buf_ctor);
	return buf_cache ? 0 : -ENOMEM;
}

void bpfmaps_buf_exit(void)
{
	kmem_cache_destroy(buf_cache);
}

/*
 * @size bytes with undefined contents, aligned to 8, or NULL. Not charged to a memory cgroup up to
 * BPFMAPS_BUF_SIZE bytes, of which a task has a few at most. Process context.
 */
void *bpfmaps_buf_alloc(u32 size)
{
	if (size > BPFMAPS_BUF_SIZE)
		return bpfmaps_area_alloc_buf(size, NUMA_NO_NODE);
	return kmem_cache_alloc(buf_cache, BPFMAPS_GFP & ~__GFP_ACCOUNT);
}

/* What bpfmaps_buf_alloc() has returned for @size; NULL is fine. Process context. */
void bpfmaps_buf_free(void *buf, u32 size)
{
	if (size > BPFMAPS_BUF_SIZE)
		kvfree(buf);
	else if (buf)
		kmem_cache_free(buf_cache, buf);
}
