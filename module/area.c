// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large, zeroed memory: single pages from one NUMA node, charged to the caller's memory cgroup and
 * mapped side by side. The allocators that the kernel exports do each of this, but none all.
 */
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "map.h"

/* What bpfmaps_area_alloc_pages() has returned. Process context. */
void bpfmaps_area_free_pages(struct page **pages, unsigned long count)
{
	while (count--) {
		__free_page(pages[count]);
		cond_resched();
	}
	kvfree(pages);
}

static struct page *area_page(int numa_node)
{
	gfp_t gfp = BPFMAPS_GFP | __GFP_ZERO | __GFP_HIGHMEM;

	if (numa_node == NUMA_NO_NODE)
		return alloc_page(gfp);
	return alloc_pages_node(numa_node, gfp, 0);
}

static unsigned long area_fill(struct page **pages, unsigned long count, int numa_node)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		if (fatal_signal_pending(current))
			break;
		pages[i] = area_page(numa_node);
		if (!pages[i])
			break;
		cond_resched();
	}
	return i;
}

/*
 * @count zeroed pages, in an array with room for @slots. Returns an ERR_PTR: -ENOMEM, or -EINTR
 * after a fatal signal.
 */
struct page **bpfmaps_area_alloc_pages(u64 count, u64 slots, int numa_node)
{
	struct page **pages;
	unsigned long got;

	if (count > totalram_pages())
		return ERR_PTR(-ENOMEM);
	pages = kvmalloc_array(slots, sizeof(*pages), BPFMAPS_GFP);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	got = area_fill(pages, count, numa_node);
	if (got == count)
		return pages;
	bpfmaps_area_free_pages(pages, got);
	return ERR_PTR(fatal_signal_pending(current) ? -EINTR : -ENOMEM);
}

/* Page-aligned and zeroed to the end of the last page. Returns an ERR_PTR as above. */
void *bpfmaps_area_alloc(u64 size, int numa_node)
{
	u64 count = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	struct page **pages = bpfmaps_area_alloc_pages(count, count, numa_node);
	void *area;

	if (IS_ERR(pages))
		return ERR_CAST(pages);
	/* From here on the pages and their array belong to the mapping. */
	area = vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	if (area) {
		kmemleak_alloc(area, count << PAGE_SHIFT, 2, GFP_KERNEL);
		return area;
	}
	bpfmaps_area_free_pages(pages, count);
	return ERR_PTR(-ENOMEM);
}

/* Bytes that an area of @size holds: its pages and the array of them. */
u64 bpfmaps_area_mem_usage(u64 size)
{
	return PAGE_ALIGN(size) + DIV_ROUND_UP_ULL(size, PAGE_SIZE) * sizeof(struct page *);
}

/*
 * Memory with undefined contents that kvfree() frees, or NULL: from the slabs, or an area where
 * these have not enough in one piece. Process context.
 */
void *bpfmaps_area_alloc_buf(u32 size, int numa_node)
{
	gfp_t gfp = BPFMAPS_GFP;
	void *buf;

	if (size > PAGE_SIZE)
		gfp = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY;
	if (size <= PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER) {
		buf = kmalloc_node(size, gfp, numa_node);
		if (buf || size <= PAGE_SIZE)
			return buf;
	}
	buf = bpfmaps_area_alloc(size, numa_node);
	return IS_ERR(buf) ? NULL : buf;
}

/* NULL is fine. Process context. */
void bpfmaps_area_free(void *area)
{
	vfree(area);
}
