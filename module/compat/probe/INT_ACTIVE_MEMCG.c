// SPDX-License-Identifier: GPL-2.0-only
/* 5.14, commit c74d40e8b5e2: modules can charge to a cgroup in interrupts; told by its release */
#include <linux/sched.h>
int probe(void);
int probe(void)
{
	return task_is_running(current);
}
