/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What other kernel modules may call in bpfmaps.ko
 *
 * A map is taken from a descriptor or a pin, used, and put again:
 *
 *	map = bpfmaps_map_get(fd, FMODE_READ | FMODE_WRITE);
 *	if (IS_ERR(map))
 *		return PTR_ERR(map);
 *	...
 *	rcu_read_lock();
 *	value = bpfmaps_lookup_elem(map, &key);
 *	if (value)
 *		atomic64_inc(value);
 *	rcu_read_unlock();
 *	...
 *	bpfmaps_map_put(map);
 *
 * The functions on elements may be called in process, softirq and hardirq context, never in NMI
 * context, where they fail and warn; a probe by breakpoint runs in NMI context. They take locks
 * with interrupts off, so a probe may not sit on what they call. On PREEMPT_RT those that
 * allocate, free or put are not for hardirq context. Keys have key_size bytes and need no
 * alignment; values have value_size bytes, and those that a look-up returns are aligned to 8
 * bytes.
 *
 * A look-up in a map that holds maps returns the inner map, to be used in the same reader section:
 *
 *	rcu_read_lock();
 *	inner = bpfmaps_lookup_map(outer, &key);
 *	value = inner ? bpfmaps_lookup_elem(inner, &inner_key) : NULL;
 *	...
 *	rcu_read_unlock();
 */
#ifndef _LINUX_BPFMAPS_H
#define _LINUX_BPFMAPS_H

#include <linux/types.h>
#include <uapi/linux/bpfmaps.h>

struct bpfmaps_map;

/**
 * typedef bpfmaps_for_each_fn - called for each element of a map
 * @map: the map
 * @key: key_size bytes
 * @value: value_size bytes, the element itself
 * @ctx: what was given to bpfmaps_iterate_elems()
 *
 * Context: under rcu_read_lock(); may delete the element, may not sleep.
 * Return: 0 to go on, any other value to stop.
 */
typedef int (*bpfmaps_for_each_fn)(struct bpfmaps_map *map, const void *key, void *value,
				   void *ctx);

/**
 * typedef bpfmaps_ringbuf_fn - called for each record that is taken out of a USER_RINGBUF
 * @map: the map
 * @data: the record, in the ring: who wrote it may still change it, so what is checked is copied
 *	before
 * @size: bytes at @data
 * @ctx: what was given to bpfmaps_user_ringbuf_drain()
 *
 * Context: that of bpfmaps_user_ringbuf_drain().
 * Return: 0 to go on, any other value to stop behind this record.
 */
typedef int (*bpfmaps_ringbuf_fn)(struct bpfmaps_map *map, const void *data, u32 size, void *ctx);

/**
 * struct bpfmaps_ringbuf_state - where a ring buffer is
 * @size: bytes of the ring
 * @consumer_pos: consumer position; of a RINGBUF, as user space has written it
 * @producer_pos: producer position; of a USER_RINGBUF, as user space has written it
 *
 * Producer minus consumer position are the bytes that are waiting.
 */
struct bpfmaps_ringbuf_state {
	unsigned long size;
	unsigned long consumer_pos;
	unsigned long producer_pos;
};

struct bpfmaps_map *bpfmaps_map_get(int fd, fmode_t mode);
struct bpfmaps_map *bpfmaps_map_get_path(const char *path, fmode_t mode);
void bpfmaps_map_inc(struct bpfmaps_map *map);
void bpfmaps_map_put(struct bpfmaps_map *map);
void bpfmaps_map_get_info(const struct bpfmaps_map *map, struct bpfmaps_map_info *info);

void *bpfmaps_lookup_elem(struct bpfmaps_map *map, const void *key);
struct bpfmaps_map *bpfmaps_lookup_map(struct bpfmaps_map *map, const void *key);
int bpfmaps_update_elem(struct bpfmaps_map *map, const void *key, const void *value, u64 flags,
			gfp_t gfp);
void *bpfmaps_lookup_percpu_elem(struct bpfmaps_map *map, const void *key, unsigned int cpu);
int bpfmaps_delete_elem(struct bpfmaps_map *map, const void *key);
int bpfmaps_push_elem(struct bpfmaps_map *map, const void *value, u64 flags, gfp_t gfp);
int bpfmaps_peek_elem(struct bpfmaps_map *map, void *value);
int bpfmaps_pop_elem(struct bpfmaps_map *map, void *value);
int bpfmaps_iterate_elems(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx);

void *bpfmaps_ringbuf_reserve(struct bpfmaps_map *map, u32 size);
void bpfmaps_ringbuf_submit(struct bpfmaps_map *map, void *record, u64 flags);
void bpfmaps_ringbuf_discard(struct bpfmaps_map *map, void *record, u64 flags);
int bpfmaps_ringbuf_output(struct bpfmaps_map *map, const void *data, u32 size, u64 flags);
int bpfmaps_ringbuf_query(struct bpfmaps_map *map, struct bpfmaps_ringbuf_state *state);
int bpfmaps_user_ringbuf_drain(struct bpfmaps_map *map, bpfmaps_ringbuf_fn fn, void *ctx,
			       u64 flags);

#endif /* _LINUX_BPFMAPS_H */
