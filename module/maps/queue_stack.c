// SPDX-License-Identifier: GPL-2.0-only
/*
 * QUEUE and STACK: values without keys, first in first out or last in first out
 *
 * Both are one list, to whose end values are pushed; a queue is read at its start and a stack at
 * its end. Values are copied outside of the lock, so their size does not matter to others: a push
 * fills an element before it links it, and a peek copies the element it saw under RCU.
 *
 * A pop is a peek, and then the removal of just what was seen: peek hands out a ticket, a count
 * that goes on with every change of the end that is read. It stands for as many values as were
 * seen: those behind the first one stay behind it as long as it is the first one.
 */
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/slab.h>

#include "../map.h"
#include "../pool.h"
#include "../seq.h"

#define QS_CREATE_FLAGS	(BPFMAPS_F_NUMA_NODE | BPFMAPS_ACCESS_FLAGS)

#define QS_BATCHES	(BIT(BPFMAPS_BATCH_LOOKUP_AND_DELETE) | BIT(BPFMAPS_BATCH_UPDATE))

/* So many values are peeked at under one lock. */
#define QS_STEP		32

struct qs_elem {
	struct bpfmaps_pool_elem pool;
	u8 value[] __aligned(8);
};

/**
 * struct qs_map - the types' struct
 * @map: what all types have
 * @lock: of @list and @ticket
 * @list: from the oldest to the newest
 * @ticket: changes when the value that is next does
 * @pool: the elements
 */
struct qs_map {
	struct bpfmaps_map map;
	raw_spinlock_t lock;
	struct list_head list;
	u64 ticket;
	struct bpfmaps_pool pool;
};

static struct qs_map *to_qs(const struct bpfmaps_map *map)
{
	return container_of(map, struct qs_map, map);
}

static int qs_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->map_extra || attr->map_flags & ~QS_CREATE_FLAGS ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	if (!attr->max_entries || attr->key_size || !attr->value_size)
		return -EINVAL;
	return attr->value_size > KMALLOC_MAX_SIZE ? -E2BIG : 0;
}

static int qs_alloc(struct bpfmaps_map *map)
{
	struct qs_map *qs = to_qs(map);

	raw_spin_lock_init(&qs->lock);
	INIT_LIST_HEAD(&qs->list);
	return bpfmaps_pool_init(&qs->pool, map,
				 sizeof(struct qs_elem) + round_up(map->value_size, 8), true);
}

static void qs_free(struct bpfmaps_map *map)
{
	struct qs_map *qs = to_qs(map);
	struct qs_elem *elem, *next;

	list_for_each_entry_safe(elem, next, &qs->list, pool.list) {
		bpfmaps_pool_drop(&qs->pool, elem);
		cond_resched();
	}
	bpfmaps_pool_destroy(&qs->pool);
}

static bool qs_is_stack(const struct qs_map *qs)
{
	return qs->map.map_type == BPFMAPS_TYPE_STACK;
}

/* Under the lock: the element that is next, or NULL. */
static struct qs_elem *qs_next(const struct qs_map *qs)
{
	if (list_empty(&qs->list))
		return NULL;
	if (qs_is_stack(qs))
		return list_last_entry(&qs->list, struct qs_elem, pool.list);
	return list_first_entry(&qs->list, struct qs_elem, pool.list);
}

/* Under the lock: link @elem. Returns an errno; *@oldest is what had to make room for it. */
static int qs_link(struct qs_map *qs, struct qs_elem *elem, bool force, struct qs_elem **oldest)
{
	if (!bpfmaps_pool_reserve(&qs->pool)) {
		if (!force)
			return -E2BIG;
		*oldest = list_first_entry(&qs->list, struct qs_elem, pool.list);
		list_del(&(*oldest)->pool.list);
		qs->ticket++;
	}
	if (qs_is_stack(qs) || list_empty(&qs->list))
		qs->ticket++;
	list_add_tail(&elem->pool.list, &qs->list);
	return 0;
}

static int qs_push_elem(struct bpfmaps_map *map, const void *value, u64 flags,
			enum bpfmaps_from from)
{
	struct qs_elem *elem, *oldest = NULL;
	struct qs_map *qs = to_qs(map);
	unsigned long irq;
	int err;

	if (flags != BPFMAPS_ANY && flags != BPFMAPS_EXIST)
		return -EINVAL;
	elem = bpfmaps_pool_alloc(&qs->pool, from);
	if (!elem)
		return -ENOMEM;
	bpfmaps_copy_to_elem(elem->value, value, map->value_size);
	raw_spin_lock_irqsave(&qs->lock, irq);
	err = bpfmaps_map_check_write(map, from);
	if (!err)
		err = qs_link(qs, elem, flags == BPFMAPS_EXIST, &oldest);
	raw_spin_unlock_irqrestore(&qs->lock, irq);
	if (err)
		bpfmaps_pool_free(&qs->pool, elem);
	if (oldest)
		bpfmaps_pool_retire(&qs->pool, oldest);
	return err;
}

static int qs_peek_elem(struct bpfmaps_map *map, void *value, u64 *ticket)
{
	struct qs_map *qs = to_qs(map);
	struct qs_elem *elem;
	unsigned long irq;

	rcu_read_lock();
	raw_spin_lock_irqsave(&qs->lock, irq);
	elem = qs_next(qs);
	*ticket = qs->ticket;
	raw_spin_unlock_irqrestore(&qs->lock, irq);
	if (elem)
		bpfmaps_copy_from_elem(value, elem->value, map->value_size);
	rcu_read_unlock();
	return elem ? 0 : -ENOENT;
}

/* Under the lock: the elements that are next, in the order in which they would be popped. */
static u32 qs_next_many(const struct qs_map *qs, struct qs_elem **elems, u32 room)
{
	struct qs_elem *elem;
	u32 nr = 0;

	if (qs_is_stack(qs)) {
		list_for_each_entry_reverse(elem, &qs->list, pool.list) {
			elems[nr++] = elem;
			if (nr == room)
				break;
		}
		return nr;
	}
	list_for_each_entry(elem, &qs->list, pool.list) {
		elems[nr++] = elem;
		if (nr == room)
			break;
	}
	return nr;
}

static int qs_peek_many(struct bpfmaps_map *map, struct bpfmaps_chunk *chunk, u64 *ticket)
{
	u32 i, room = min_t(u32, chunk->room, QS_STEP);
	struct qs_map *qs = to_qs(map);
	struct qs_elem *elems[QS_STEP];
	unsigned long irq;

	rcu_read_lock();
	raw_spin_lock_irqsave(&qs->lock, irq);
	chunk->fill = qs_next_many(qs, elems, room);
	*ticket = qs->ticket;
	raw_spin_unlock_irqrestore(&qs->lock, irq);
	for (i = 0; i < chunk->fill; i++)
		bpfmaps_copy_from_elem(chunk->values + (u64)i * map->value_size, elems[i]->value,
				       map->value_size);
	rcu_read_unlock();
	return chunk->fill < room ? -ENOENT : 0;
}

/* Under the lock: take the @nr elements that are next out, and return them as a chain. */
static struct qs_elem *qs_unlink(struct qs_map *qs, u32 nr)
{
	struct qs_elem *elem, *gone = NULL;

	for (; nr; nr--) {
		elem = qs_next(qs);
		__list_del_entry(&elem->pool.list);
		bpfmaps_pool_unreserve(&qs->pool);
		elem->pool.next = gone;
		gone = elem;
	}
	qs->ticket++;
	return gone;
}

static int qs_pop_elems(struct bpfmaps_map *map, u64 ticket, u32 nr, enum bpfmaps_from from)
{
	struct qs_elem *next, *gone = NULL;
	struct qs_map *qs = to_qs(map);
	unsigned long irq;
	int err;

	raw_spin_lock_irqsave(&qs->lock, irq);
	err = bpfmaps_map_check_write(map, from);
	if (!err && qs->ticket != ticket)
		err = -EAGAIN;
	if (!err)
		gone = qs_unlink(qs, nr);
	raw_spin_unlock_irqrestore(&qs->lock, irq);
	for (; gone; gone = next) {
		next = gone->pool.next;
		bpfmaps_pool_retire(&qs->pool, gone);
	}
	return err;
}

/* There are no keys. */
static int qs_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return -EINVAL;
}

static int qs_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	return -EINVAL;
}

static void qs_reclaim(struct bpfmaps_map *map)
{
	bpfmaps_pool_flush(&to_qs(map)->pool);
}

static u64 qs_mem_usage(const struct bpfmaps_map *map)
{
	return bpfmaps_pool_mem_usage(&to_qs(map)->pool);
}

#define QS_OPS {					\
	.map_size		= sizeof(struct qs_map),	\
	.batch			= QS_BATCHES,		\
	.map_alloc_check	= qs_alloc_check,	\
	.map_alloc		= qs_alloc,		\
	.map_free		= qs_free,		\
	.map_delete_elem	= qs_delete_elem,	\
	.map_get_next_key	= qs_get_next_key,	\
	.map_push_elem		= qs_push_elem,		\
	.map_peek_elem		= qs_peek_elem,		\
	.map_peek_many		= qs_peek_many,		\
	.map_pop_elems		= qs_pop_elems,		\
	.map_reclaim		= qs_reclaim,		\
	.map_mem_usage		= qs_mem_usage,		\
}

const struct bpfmaps_map_ops bpfmaps_queue_ops = QS_OPS;
const struct bpfmaps_map_ops bpfmaps_stack_ops = QS_OPS;
