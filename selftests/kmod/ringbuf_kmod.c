// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel side of ringbuf_kapi_test: calls the exported functions on ring buffers, and fails to
 * load if a result is not the expected one. Every comparison that fails is in the kernel's log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/irq_work.h>

#include "checks.h"

static int records;
module_param(records, int, 0);
MODULE_PARM_DESC(records, "how many records the race check writes");

static unsigned long waiting(struct bpfmaps_map *map)
{
	struct bpfmaps_ringbuf_state state;

	EXPECT(bpfmaps_ringbuf_query(map, &state), 0);
	EXPECT(state.size, 4096);
	return state.producer_pos - state.consumer_pos;
}

static int nothing(struct bpfmaps_map *map, const void *data, u32 size, void *ctx)
{
	return 0;
}

/* A map that is an array. */
static void check_array(struct bpfmaps_map *map)
{
	struct bpfmaps_ringbuf_state state;

	EXPECT(!!bpfmaps_ringbuf_reserve(map, 8), 0);
	EXPECT(bpfmaps_ringbuf_output(map, "abc", 3, 0), -524);
	EXPECT(bpfmaps_user_ringbuf_drain(map, nothing, NULL, 0), -524);
	EXPECT(bpfmaps_ringbuf_query(map, &state), -524);
}

/* An empty USER_RINGBUF. */
static void check_user(struct bpfmaps_map *map)
{
	EXPECT(!!bpfmaps_ringbuf_reserve(map, 8), 0);
	EXPECT(bpfmaps_ringbuf_output(map, "abc", 3, 0), -524);
	EXPECT(bpfmaps_user_ringbuf_drain(map, nothing, NULL, 4), -EINVAL);
	EXPECT(waiting(map), 0);
}

/* Of the records "first" to "fourth" the third is discarded, and the first comes last. */
static void use_ring(struct bpfmaps_map *map)
{
	void *first, *third;

	EXPECT(bpfmaps_user_ringbuf_drain(map, nothing, NULL, 0), -524);
	EXPECT(bpfmaps_ringbuf_output(map, "abc", 3, 4), -EINVAL);
	EXPECT(bpfmaps_ringbuf_output(map, "abc", 4096 - 15, 0), -E2BIG);
	EXPECT(!!bpfmaps_ringbuf_reserve(map, 4096 - 15), 0);
	EXPECT(!!bpfmaps_ringbuf_reserve(map, U32_MAX), 0);
	EXPECT(waiting(map), 0);
	first = bpfmaps_ringbuf_reserve(map, 5);
	EXPECT(bpfmaps_ringbuf_output(map, "second", 6, BPFMAPS_RB_NO_WAKEUP), 0);
	third = bpfmaps_ringbuf_reserve(map, 5);
	EXPECT(bpfmaps_ringbuf_output(map, "fourth", 6, 0), 0);
	EXPECT(first && third, 1);
	if (!first || !third)
		return;
	EXPECT(waiting(map), 64);
	memcpy(third, "third", 5);
	bpfmaps_ringbuf_discard(map, third, BPFMAPS_RB_NO_WAKEUP);
	memcpy(first, "first", 5);
	bpfmaps_ringbuf_submit(map, first, 0);
}

static void check_softirq(struct bpfmaps_map *map)
{
	in_softirq_context(map, use_ring);
}

static void check_hardirq(struct bpfmaps_map *map)
{
	in_hardirq_context(map, use_ring);
}

/* Though the consumer claims to have read it already, no record overwrites an unfinished one. */
static void check_pending(struct bpfmaps_map *map)
{
	void *record = bpfmaps_ringbuf_reserve(map, 3000);

	EXPECT(!!record, 1);
	if (!record)
		return;
	EXPECT(!!bpfmaps_ringbuf_reserve(map, 3000), 0);
	EXPECT(bpfmaps_ringbuf_output(map, "abc", 2000, 0), -EAGAIN);
	memset(record, 'x', 3000);
	bpfmaps_ringbuf_submit(map, record, 0);
	record = bpfmaps_ringbuf_reserve(map, 3000);
	EXPECT(!!record, 1);
	if (record)
		bpfmaps_ringbuf_discard(map, record, 0);
}

static unsigned long consumer_pos(struct bpfmaps_map *map)
{
	struct bpfmaps_ringbuf_state state;

	EXPECT(bpfmaps_ringbuf_query(map, &state), 0);
	return state.consumer_pos;
}

/* Room that is found only behind very many finished records, once the program has read them. */
static void check_long_way(struct bpfmaps_map *map)
{
	static const char data[4000];
	void *record = bpfmaps_ringbuf_reserve(map, 0);
	int i;

	EXPECT(!!record, 1);
	if (!record)
		return;
	for (i = 0; i < 510; i++)
		EXPECT(bpfmaps_ringbuf_output(map, "", 0, 0), 0);
	EXPECT(bpfmaps_ringbuf_output(map, "", 0, 0), -EAGAIN);
	bpfmaps_ringbuf_submit(map, record, 0);
	for (i = 0; i < 1000 && consumer_pos(map) != 4088; i++)
		msleep(20);
	EXPECT(bpfmaps_ringbuf_output(map, data, sizeof(data), 0), 0);
}

struct sum {
	u32 records;
	u32 bytes;
	u32 stop_at;
};

static int sum_record(struct bpfmaps_map *map, const void *data, u32 size, void *ctx)
{
	struct sum *sum = ctx;
	u32 i;

	EXPECT(bpfmaps_user_ringbuf_drain(map, nothing, NULL, 0), -EBUSY);
	for (i = 0; i < size; i++)
		sum->bytes += ((const u8 *)data)[i];
	return ++sum->records == sum->stop_at;
}

/* Records of 1, 2, 3, 4 times "A", the second discarded, then one that is busy. */
static void drain_all(struct bpfmaps_map *map)
{
	struct sum sum = { .stop_at = 2 };

	EXPECT(bpfmaps_user_ringbuf_drain(map, sum_record, &sum, 0), 2);
	EXPECT(sum.bytes, 4 * 'A');
	EXPECT(bpfmaps_user_ringbuf_drain(map, sum_record, &sum, BPFMAPS_RB_FORCE_WAKEUP), 1);
	EXPECT(sum.bytes, 8 * 'A');
	EXPECT(bpfmaps_user_ringbuf_drain(map, sum_record, &sum, 0), 0);
	EXPECT(sum.records, 3);
	EXPECT(waiting(map), 16);
}

static void check_drain_hardirq(struct bpfmaps_map *map)
{
	in_hardirq_context(map, drain_all);
}

static void check_drain_bad(struct bpfmaps_map *map)
{
	struct sum sum = { 0 };

	EXPECT(bpfmaps_user_ringbuf_drain(map, sum_record, &sum, 0), 1);
	EXPECT(bpfmaps_user_ringbuf_drain(map, sum_record, &sum, 0), -EINVAL);
	EXPECT(sum.records, 1);
}

static void race_output(struct irq_work *work)
{
	(void)bpfmaps_ringbuf_output(context_map, "interrupt", 9, 0);
}

/* Records from an interrupt between reserving and finishing one; user space reads meanwhile. */
static void check_race(struct bpfmaps_map *map)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(race_output);
	unsigned long end = jiffies + 100 * HZ;
	int submitted = 0;
	u32 *record;

	context_map = map;
	while (submitted < records && time_before(jiffies, end)) {
		record = bpfmaps_ringbuf_reserve(map, 4 + submitted % 100);
		if (!record) {
			cond_resched();
			continue;
		}
		irq_work_queue(&work);
		irq_work_sync(&work);
		*record = submitted++;
		bpfmaps_ringbuf_submit(map, record, 0);
		end = jiffies + 100 * HZ;
	}
	EXPECT(submitted, records);
	irq_work_sync(&work);
}

static const struct check checks[] = {
	{ "array", check_array },
	{ "user", check_user },
	{ "process", use_ring },
	{ "softirq", check_softirq },
	{ "hardirq", check_hardirq },
	{ "pending", check_pending },
	{ "long_way", check_long_way },
	{ "drain", drain_all },
	{ "drain_hardirq", check_drain_hardirq },
	{ "drain_bad", check_drain_bad },
	{ "race", check_race },
};

static int __init ringbuf_kmod_init(void)
{
	struct bpfmaps_map *map = bpfmaps_map_get(fd, FMODE_READ | FMODE_WRITE);

	EXPECT(PTR_ERR_OR_ZERO(map), 0);
	if (!IS_ERR(map)) {
		run_check(checks, ARRAY_SIZE(checks), map);
		bpfmaps_map_put(map);
	}
	return failures ? -EIO : 0;
}

static void __exit ringbuf_kmod_exit(void)
{
}

module_init(ringbuf_kmod_init);
module_exit(ringbuf_kmod_exit);

MODULE_DESCRIPTION("bpfmaps: test of the exported functions on ring buffers");
MODULE_AUTHOR("The bpfmaps authors");
MODULE_LICENSE("GPL");
