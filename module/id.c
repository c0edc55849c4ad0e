// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map ids: handed out in a circle, seen by the owner and by the privileged
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "map.h"

static DEFINE_XARRAY_FLAGS(map_ids, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ | XA_FLAGS_ACCOUNT);
static u32 map_id_cursor;

/* The caller's own, or the caller may see all; no capability is asked for, or logged, in vain. */
static bool id_visible(const struct bpfmaps_map *map)
{
	if (uid_eq(map->owner, current_euid()) && map->user_ns == current_user_ns())
		return true;
	return ns_capable_noaudit(&init_user_ns, CAP_BPF) ||
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

int bpfmaps_id_alloc(struct bpfmaps_map *map)
{
	int err;

	err = xa_alloc_cyclic_irq(&map_ids, &map->id, map, XA_LIMIT(1, INT_MAX), &map_id_cursor,
				  BPFMAPS_GFP);
	/* 1 says that the circle was closed. */
	return min(err, 0);
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
	struct bpfmaps_map *map;
	unsigned long id = start;
	bool found;

	do {
		rcu_read_lock();
		map = xa_find_after(&map_ids, &id, INT_MAX, XA_PRESENT);
		found = map && id_visible(map);
		rcu_read_unlock();
		cond_resched();
	} while (map && !found && !fatal_signal_pending(current));
	if (!found)
		return -ENOENT;
	*next = id;
	return 0;
}

/* Takes a reference, and to no map that the caller may not see. */
struct bpfmaps_map *bpfmaps_id_get(u32 id)
{
	struct bpfmaps_map *map;

	rcu_read_lock();
	map = xa_load(&map_ids, id);
	if (!map)
		map = ERR_PTR(-ENOENT);
	else if (!id_visible(map))
		map = ERR_PTR(-EPERM);
	else if (!refcount_inc_not_zero(&map->refcnt))
		map = ERR_PTR(-ENOENT);
	rcu_read_unlock();
	return map;
}
