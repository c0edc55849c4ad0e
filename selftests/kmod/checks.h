/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test modules share: the check to do is a parameter, a comparison that fails is in the
 * kernel's log, and the module fails to load if there was one
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/string.h>

#include <linux/bpfmaps.h>

#include "module/compat/compat.h"

static char *check = "";
module_param(check, charp, 0);
MODULE_PARM_DESC(check, "which of the checks to do");

static int fd = -1;
module_param(fd, int, 0);
MODULE_PARM_DESC(fd, "descriptor of a map");

static int failures;

#define EXPECT(expr, want) expect_long(#expr, (long)(expr), (long)(want))

static void expect_long(const char *expr, long got, long want)
{
	if (got == want)
		return;
	failures++;
	pr_info("%s: %s is %ld, expected %ld\n", check, expr, got, want);
}

typedef void (*check_fn)(struct bpfmaps_map *map);

struct check {
	const char *name;
	check_fn fn;
};

static void run_check(const struct check *checks, size_t nr, struct bpfmaps_map *map)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(check, checks[i].name))
			return checks[i].fn(map);
	EXPECT(-EINVAL, 0);
}

static struct bpfmaps_map *context_map;
static check_fn context_fn;
static DECLARE_COMPLETION(context_done);

static void softirq_work(struct tasklet_struct *tasklet)
{
	EXPECT(!!in_serving_softirq(), 1);
	context_fn(context_map);
	complete(&context_done);
}

static void in_softirq_context(struct bpfmaps_map *map, check_fn fn)
{
	static DECLARE_TASKLET(tasklet, softirq_work);

	context_map = map;
	context_fn = fn;
	tasklet_schedule(&tasklet);
	wait_for_completion(&context_done);
	tasklet_kill(&tasklet);
}

static void hardirq_work(struct irq_work *work)
{
	EXPECT(!!hardirq_count(), 1);
	context_fn(context_map);
	complete(&context_done);
}

static void in_hardirq_context(struct bpfmaps_map *map, check_fn fn)
{
	static struct irq_work work = IRQ_WORK_INIT_HARD(hardirq_work);

	context_map = map;
	context_fn = fn;
	irq_work_queue(&work);
	wait_for_completion(&context_done);
	irq_work_sync(&work);
}

#endif
