// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map ids: handed out in a circle, seen by the owner and by the privileged
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "map.h"

static DEFINE_XARRAY_FLAGS(map_ids, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
static u32 map_id_cursor;

/* Maps that the caller may see: its own, or all. */
struct id_filter {
	bool all;
	kuid_t uid;
	struct user_namespace *user_ns;
};

static struct id_filter id_filter_current(void)
{
	return (struct id_filter) {
		.all = capable(CAP_BPF) || capable(CAP_SYS_ADMIN),
		.uid = current_euid(),
		.user_ns = current_user_ns(),
	};
}

static bool id_visible(const struct id_filter *filter, const struct bpfmaps_map *map)
{
	return filter->all ||
	       (uid_eq(map->owner, filter->uid) && map->user_ns == filter->user_ns);
}

int bpfmaps_id_alloc(struct bpfmaps_map *map)
{
	int err;

	err = xa_alloc_cyclic_irq(&map_ids, &map->id, map, XA_LIMIT(1, INT_MAX), &map_id_cursor,
				  BPFMAPS_GFP);
	return err < 0 ? err : 0;
}

/* Any context but NMI. A look-up may see the map until a grace period later. */
void bpfmaps_id_free(struct bpfmaps_map *map)
{
	unsigned long flags;

	xa_lock_irqsave(&map_ids, flags);
	__xa_erase(&map_ids, map->id);
	xa_unlock_irqrestore(&map_ids, flags);
}

bool bpfmaps_id_none(void)
{
	return xa_empty(&map_ids);
}

/* The lowest id above @start that the caller may see. */
int bpfmaps_id_next(u32 start, u32 *next)
{
	struct id_filter filter = id_filter_current();
	struct bpfmaps_map *map;
	unsigned long id = start;
	bool found;

	do {
		rcu_read_lock();
		map = xa_find_after(&map_ids, &id, INT_MAX, XA_PRESENT);
		found = map && id_visible(&filter, map);
		rcu_read_unlock();
		cond_resched();
	} while (map && !found);
	if (!found)
		return -ENOENT;
	*next = id;
	return 0;
}

/* Takes a reference. */
struct bpfmaps_map *bpfmaps_id_get(u32 id)
{
	struct id_filter filter = id_filter_current();
	struct bpfmaps_map *map;

	rcu_read_lock();
	map = xa_load(&map_ids, id);
	if (map && !refcount_inc_not_zero(&map->refcnt))
		map = NULL;
	rcu_read_unlock();
	if (!map)
		return ERR_PTR(-ENOENT);
	if (!id_visible(&filter, map)) {
		bpfmaps_map_put(map);
		return ERR_PTR(-EPERM);
	}
	return map;
}
