// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel side of kapi_test: calls the exported functions, and fails to load if a result is not
 * the expected one. Every comparison that fails is in the kernel's log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "checks.h"

static char *path;
module_param(path, charp, 0);
MODULE_PARM_DESC(path, "of a pinned map");

static int mode = 3;
module_param(mode, int, 0);
MODULE_PARM_DESC(mode, "FMODE_READ 1, FMODE_WRITE 2 or both 3");

static int expect;
module_param(expect, int, 0);
MODULE_PARM_DESC(expect, "the errno that taking the map gives, or 0");

static struct bpfmaps_map *take(void)
{
	fmode_t fmode = (__force fmode_t)mode;

	return path ? bpfmaps_map_get_path(path, fmode) : bpfmaps_map_get(fd, fmode);
}

/* Taking a map was all. */
static void check_get(struct bpfmaps_map *map)
{
}

static u64 value_of(struct bpfmaps_map *map, u32 key)
{
	u64 *value, copy = 0;

	rcu_read_lock();
	value = bpfmaps_lookup_elem(map, &key);
	if (value)
		copy = READ_ONCE(*value);
	rcu_read_unlock();
	return copy;
}

static int set(struct bpfmaps_map *map, u32 key, u64 value, u64 flags, gfp_t gfp)
{
	return bpfmaps_update_elem(map, &key, &value, flags, gfp);
}

static int del(struct bpfmaps_map *map, u32 key)
{
	return bpfmaps_delete_elem(map, &key);
}

static void add_in_place(struct bpfmaps_map *map, u32 key, u64 what)
{
	atomic64_t *value;

	rcu_read_lock();
	value = bpfmaps_lookup_elem(map, &key);
	if (value)
		atomic64_add(what, value);
	rcu_read_unlock();
}

/* What holds in every context, on a hash of 4 and 8 bytes with room for 8 elements. */
static void use_hash(struct bpfmaps_map *map, gfp_t gfp)
{
	u32 key;

	EXPECT(del(map, 1), -ENOENT);
	EXPECT(set(map, 1, 10, BPFMAPS_EXIST, gfp), -ENOENT);
	EXPECT(set(map, 1, 10, BPFMAPS_EXIST + 1, gfp), -EINVAL);
	EXPECT(set(map, 1, 10, BPFMAPS_NOEXIST, gfp), 0);
	EXPECT(set(map, 1, 11, BPFMAPS_NOEXIST, gfp), -EEXIST);
	EXPECT(value_of(map, 1), 10);
	EXPECT(set(map, 1, 12, BPFMAPS_EXIST, gfp), 0);
	add_in_place(map, 1, 5);
	EXPECT(value_of(map, 1), 17);
	for (key = 2; key <= 8; key++)
		EXPECT(set(map, key, key, BPFMAPS_ANY, gfp), 0);
	EXPECT(set(map, 9, 9, BPFMAPS_ANY, gfp), -E2BIG);
	for (key = 1; key <= 8; key++)
		EXPECT(del(map, key), 0);
	EXPECT(value_of(map, 1), 0);
}

static void check_process(struct bpfmaps_map *map)
{
	use_hash(map, GFP_KERNEL);
	use_hash(map, GFP_ATOMIC);
}

static void check_atomic(struct bpfmaps_map *map)
{
	use_hash(map, GFP_ATOMIC);
}

static void check_softirq(struct bpfmaps_map *map)
{
	in_softirq_context(map, check_atomic);
}

static void check_hardirq(struct bpfmaps_map *map)
{
	in_hardirq_context(map, check_atomic);
}

/* A value keeps its address and its key while a reader may look at it, deleted or not. */
static void check_recycle(struct bpfmaps_map *map)
{
	u64 *value;
	u32 i, key = 1;

	EXPECT(set(map, key, 4711, BPFMAPS_ANY, GFP_KERNEL), 0);
	rcu_read_lock();
	value = bpfmaps_lookup_elem(map, &key);
	EXPECT(!!value, 1);
	EXPECT(del(map, key), 0);
	for (i = 0; i < 1000; i++) {
		EXPECT(set(map, 100 + i, 1, BPFMAPS_NOEXIST, GFP_ATOMIC), 0);
		EXPECT(del(map, 100 + i), 0);
	}
	EXPECT(value ? *value : 0, 4711);
	rcu_read_unlock();
}

static int sum_value(struct bpfmaps_map *map, const void *key, void *value, void *ctx)
{
	*(u64 *)ctx += *(u64 *)value;
	return 0;
}

static int delete_one(struct bpfmaps_map *map, const void *key, void *value, void *ctx)
{
	u32 copy = *(u32 *)key;

	EXPECT(bpfmaps_delete_elem(map, &copy), 0);
	return 0;
}

static int stop(struct bpfmaps_map *map, const void *key, void *value, void *ctx)
{
	return 42;
}

static void check_iterate(struct bpfmaps_map *map)
{
	u64 sum = 0;
	u32 key;

	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), 0);
	for (key = 1; key <= 8; key++)
		EXPECT(set(map, key, key, BPFMAPS_ANY, GFP_KERNEL), 0);
	EXPECT(bpfmaps_iterate_elems(map, sum_value, &sum), 0);
	EXPECT(sum, 36);
	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), 42);
	EXPECT(bpfmaps_iterate_elems(map, delete_one, NULL), 0);
	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), 0);
}

struct trie_key {
	u32 prefixlen;
	u8 data[4];
};

static struct trie_key trie_key(u32 prefixlen)
{
	return (struct trie_key){ prefixlen, { 10, 1, 2, 3 } };
}

static int delete_prefix(struct bpfmaps_map *map, const void *key, void *value, void *ctx)
{
	struct trie_key copy = *(const struct trie_key *)key;

	*(u64 *)ctx += *(u64 *)value;
	EXPECT(bpfmaps_delete_elem(map, &copy), 0);
	return 0;
}

/* Prefixes of 0 to 32 bits, whose value is the square of their length. */
static void fill_trie(struct bpfmaps_map *map)
{
	struct trie_key key;
	u64 value;
	u32 len;

	rcu_read_lock();
	for (len = 0; len <= 32; len++) {
		key = trie_key(len);
		value = len * len;
		EXPECT(bpfmaps_update_elem(map, &key, &value, BPFMAPS_NOEXIST, GFP_ATOMIC), 0);
	}
	rcu_read_unlock();
}

/* An LPM_TRIE of prefixes of 32 bits with values of 8 bytes. */
static void check_trie(struct bpfmaps_map *map)
{
	struct trie_key key = trie_key(24);
	u64 *value, sum = 0;

	fill_trie(map);
	EXPECT(bpfmaps_iterate_elems(map, sum_value, &sum), 0);
	EXPECT(sum, 11440);
	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), 42);
	rcu_read_lock();
	value = bpfmaps_lookup_elem(map, &key);
	EXPECT(bpfmaps_delete_elem(map, &key), 0);
	EXPECT(value ? *value : 0, 24 * 24);
	value = bpfmaps_lookup_elem(map, &key);
	EXPECT(value ? *value : 0, 23 * 23);
	rcu_read_unlock();
	sum = 0;
	EXPECT(bpfmaps_iterate_elems(map, delete_prefix, &sum), 0);
	EXPECT(sum, 11440 - 24 * 24);
	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), 0);
}

/* An array of 8 values of 8 bytes. */
static void check_array(struct bpfmaps_map *map)
{
	u64 sum = 0;
	u32 key = 0;

	rcu_read_lock();
	EXPECT(!bpfmaps_lookup_map(map, &key), 1);
	rcu_read_unlock();
	EXPECT(set(map, 8, 1, BPFMAPS_ANY, GFP_KERNEL), -E2BIG);
	EXPECT(set(map, U32_MAX, 1, BPFMAPS_ANY, GFP_KERNEL), -E2BIG);
	EXPECT(set(map, 0, 1, BPFMAPS_NOEXIST, GFP_KERNEL), -EEXIST);
	EXPECT(del(map, 0), -EINVAL);
	EXPECT(set(map, 7, 70, BPFMAPS_ANY, GFP_ATOMIC), 0);
	add_in_place(map, 7, 7);
	EXPECT(value_of(map, 7), 77);
	EXPECT(bpfmaps_iterate_elems(map, sum_value, &sum), 0);
	EXPECT(sum, 77);
}

/* Values of more than a page are copied under a lock that sleeps. */
static void check_large(struct bpfmaps_map *map)
{
	struct bpfmaps_map_info info;
	u32 key = 0;
	void *value;

	bpfmaps_map_get_info(map, &info);
	value = kzalloc(info.value_size, GFP_KERNEL);
	EXPECT(!!value, 1);
	if (!value)
		return;
	EXPECT(bpfmaps_update_elem(map, &key, value, BPFMAPS_ANY, GFP_ATOMIC), -EOPNOTSUPP);
	EXPECT(bpfmaps_update_elem(map, &key, value, BPFMAPS_ANY, GFP_KERNEL), 0);
	kfree(value);
}

static void check_rdonly(struct bpfmaps_map *map)
{
	EXPECT(set(map, 1, 1, BPFMAPS_ANY, GFP_KERNEL), -EACCES);
	EXPECT(del(map, 1), -EACCES);
}

static int push(struct bpfmaps_map *map, u64 value, u64 flags)
{
	return bpfmaps_push_elem(map, &value, flags, GFP_ATOMIC);
}

/* A queue or stack for 3 values of 8 bytes; @first is what comes out of it first. */
static void use_pushed(struct bpfmaps_map *map, u64 first, u64 last)
{
	u64 value = 0;

	EXPECT(bpfmaps_peek_elem(map, &value), -ENOENT);
	EXPECT(bpfmaps_pop_elem(map, &value), -ENOENT);
	EXPECT(push(map, 1, BPFMAPS_NOEXIST), -EINVAL);
	EXPECT(push(map, 1, BPFMAPS_ANY), 0);
	EXPECT(push(map, 2, BPFMAPS_ANY), 0);
	EXPECT(push(map, 3, BPFMAPS_ANY), 0);
	EXPECT(push(map, 4, BPFMAPS_ANY), -E2BIG);
	EXPECT(bpfmaps_peek_elem(map, &value), 0);
	EXPECT(value, first);
	EXPECT(push(map, 4, BPFMAPS_EXIST), 0);
	EXPECT(bpfmaps_pop_elem(map, &value), 0);
	EXPECT(value, last == 1 ? 4 : 2);
	EXPECT(bpfmaps_pop_elem(map, &value), 0);
	EXPECT(value, 3);
	EXPECT(bpfmaps_pop_elem(map, &value), 0);
	EXPECT(value, last == 1 ? 2 : 4);
	EXPECT(bpfmaps_pop_elem(map, &value), -ENOENT);
	EXPECT(set(map, 1, 1, BPFMAPS_ANY, GFP_ATOMIC), -524);
}

static void check_queue(struct bpfmaps_map *map)
{
	use_pushed(map, 1, 3);
}

static void check_stack(struct bpfmaps_map *map)
{
	use_pushed(map, 3, 1);
}

/* A bloom filter for values of 8 bytes. */
static void check_bloom(struct bpfmaps_map *map)
{
	u64 value = 4711;

	EXPECT(bpfmaps_peek_elem(map, &value), -ENOENT);
	EXPECT(push(map, value, BPFMAPS_ANY), 0);
	EXPECT(bpfmaps_peek_elem(map, &value), 0);
	EXPECT(bpfmaps_pop_elem(map, &value), -524);
}

/* The value of CPU @cpu, or 0. */
static u64 value_on(struct bpfmaps_map *map, u32 key, unsigned int cpu)
{
	u64 *value, copy = 0;

	rcu_read_lock();
	value = bpfmaps_lookup_percpu_elem(map, &key, cpu);
	if (value)
		copy = READ_ONCE(*value);
	rcu_read_unlock();
	return copy;
}

/* A per-CPU type with key 1 and values of 8 bytes: an update is for the CPU it runs on. */
static void check_percpu(struct bpfmaps_map *map)
{
	unsigned int cpu, here;
	u64 sum = 0;

	here = get_cpu();
	EXPECT(set(map, 1, 42, BPFMAPS_ANY, GFP_ATOMIC), 0);
	EXPECT(value_of(map, 1), 42);
	add_in_place(map, 1, 8);
	EXPECT(value_on(map, 1, here), 50);
	put_cpu();
	for_each_possible_cpu(cpu)
		sum += value_on(map, 1, cpu);
	EXPECT(sum, 50);
	EXPECT(value_on(map, 1, nr_cpu_ids), 0);
}

/* An LRU hash for 8 elements: what was looked up stays, what was not goes. */
static void check_lru(struct bpfmaps_map *map)
{
	u32 key;

	for (key = 1; key <= 8; key++)
		EXPECT(set(map, key, key, BPFMAPS_ANY, GFP_ATOMIC), 0);
	EXPECT(value_of(map, 1), 1);
	EXPECT(value_of(map, 3), 3);
	for (key = 9; key <= 14; key++)
		EXPECT(set(map, key, key, BPFMAPS_ANY, GFP_ATOMIC), 0);
	for (key = 9; key <= 14; key++)
		EXPECT(value_of(map, key), key);
	EXPECT(value_of(map, 1), 1);
	EXPECT(value_of(map, 3), 3);
	EXPECT(value_of(map, 2), 0);
	EXPECT(value_of(map, 8), 0);
}

/* What user space has put into index 0 of each map that is put into the map under key 0. */
#define INNER_VALUE	0x1122334455667788ULL

static void check_holds_maps(struct bpfmaps_map *map)
{
	struct bpfmaps_map_info info;
	struct bpfmaps_map *inner;
	u32 key = 0;

	rcu_read_lock();
	/* Who expects a value there would write into the map object. */
	EXPECT(!bpfmaps_lookup_elem(map, &key), 1);
	inner = bpfmaps_lookup_map(map, &key);
	EXPECT(!!inner, 1);
	if (inner) {
		bpfmaps_map_get_info(inner, &info);
		EXPECT(info.type, BPFMAPS_TYPE_ARRAY);
		EXPECT(value_of(inner, 0), INNER_VALUE);
		EXPECT(set(inner, 1, 4711, BPFMAPS_ANY, GFP_ATOMIC), 0);
	}
	key = 1;
	EXPECT(!bpfmaps_lookup_map(map, &key), 1);
	key = U32_MAX;
	EXPECT(!bpfmaps_lookup_map(map, &key), 1);
	rcu_read_unlock();
	EXPECT(set(map, 0, 0, BPFMAPS_ANY, GFP_KERNEL), -EOPNOTSUPP);
	EXPECT(set(map, 1, 0, BPFMAPS_ANY, GFP_ATOMIC), -EOPNOTSUPP);
	EXPECT(del(map, 0), -EOPNOTSUPP);
	EXPECT(bpfmaps_iterate_elems(map, stop, NULL), -524);
}

/*
 * An inner map stays what it is while a reader works on it, replaced and closed or not. On a busy
 * machine the writer has to wait long for each grace period.
 */
static void check_replaced(struct bpfmaps_map *map)
{
	struct bpfmaps_map_info before, after;
	unsigned long least = jiffies + 4 * HZ, most = jiffies + 100 * HZ;
	unsigned int seen = 0, wrong = 0;
	struct bpfmaps_map *inner;
	u32 key = 0, last = 0;
	int i;

	while (time_before(jiffies, seen > 10 ? least : most)) {
		rcu_read_lock();
		inner = bpfmaps_lookup_map(map, &key);
		if (inner) {
			bpfmaps_map_get_info(inner, &before);
			for (i = 0; i < 100; i++) {
				udelay(9);
				wrong += value_of(inner, 0) != INNER_VALUE;
			}
			bpfmaps_map_get_info(inner, &after);
			wrong += memcmp(&before, &after, sizeof(after)) != 0;
			seen += before.id != last;
			last = before.id;
		}
		rcu_read_unlock();
		cond_resched();
	}
	pr_info("%s: %u maps seen\n", check, seen);
	EXPECT(wrong, 0);
	EXPECT(seen > 10, 1);
}

static const struct check checks[] = {
	{ "get", check_get },
	{ "process", check_process },
	{ "softirq", check_softirq },
	{ "hardirq", check_hardirq },
	{ "recycle", check_recycle },
	{ "iterate", check_iterate },
	{ "trie", check_trie },
	{ "array", check_array },
	{ "large", check_large },
	{ "rdonly", check_rdonly },
	{ "holds_maps", check_holds_maps },
	{ "replaced", check_replaced },
	{ "queue", check_queue },
	{ "stack", check_stack },
	{ "bloom", check_bloom },
	{ "percpu", check_percpu },
	{ "lru", check_lru },
};

static int __init kapi_kmod_init(void)
{
	struct bpfmaps_map *map = take();

	EXPECT(PTR_ERR_OR_ZERO(map), -expect);
	if (!IS_ERR(map)) {
		/* One reference more and one less. */
		bpfmaps_map_inc(map);
		run_check(checks, ARRAY_SIZE(checks), map);
		bpfmaps_map_put(map);
		bpfmaps_map_put(map);
	}
	return failures ? -EIO : 0;
}

static void __exit kapi_kmod_exit(void)
{
}

module_init(kapi_kmod_init);
module_exit(kapi_kmod_exit);

MODULE_DESCRIPTION("bpfmaps: test of the exported functions");
MODULE_AUTHOR("The bpfmaps authors");
MODULE_LICENSE("GPL");
