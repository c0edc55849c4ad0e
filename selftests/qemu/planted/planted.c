// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with bugs, to see that the kernels for this find them: bug=NAME does the one of that
 * name while the module is loaded.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *bug = "none";
module_param(bug, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(lock);
static int __rcu *shared;
static struct rcu_head head;
/* The compiler is not to know the values, nor that a result is of no use. */
static volatile int number = 40;
static volatile int result;

static int none(void)
{
	return 0;
}

static int use_after_free(void)
{
	volatile int *p = kzalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	kfree((void *)p);
	result = p[1];
	return 0;
}

static int out_of_bounds(void)
{
	volatile char *p = kzalloc(20, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	result = p[number];
	kfree((void *)p);
	return 0;
}

/* Several: the address of the last one may still be in a register or on a stack. */
static int leak(void)
{
	int i;

	for (i = 0; i < 20; i++)
		if (!kmalloc(200, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static int lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int sleep_in_atomic(void)
{
	spin_lock(&lock);
	msleep(20);
	spin_unlock(&lock);
	return 0;
}

static int no_rcu_lock(void)
{
	result = !rcu_dereference(shared);
	return 0;
}

static int wide_shift(void)
{
	result = 1 << number;
	return 0;
}

static int deleted_twice(void)
{
	struct list_head *entry = kmalloc(sizeof(*entry), GFP_KERNEL);
	LIST_HEAD(list);

	if (!entry)
		return -ENOMEM;
	list_add(entry, &list);
	list_del(entry);
	list_del(entry);
	kfree(entry);
	return 0;
}

/* For longer than anybody should have to wait. */
static void stay_busy(void)
{
	unsigned long end = jiffies + 20 * HZ;

	while (time_before(jiffies, end))
		cpu_relax();
}

static int busy_cpu(void)
{
	preempt_disable();
	stay_busy();
	preempt_enable();
	return 0;
}

static void called(struct rcu_head *unused)
{
}

/* Only a grace period that somebody waits for is reported. */
static int long_reader(void)
{
	rcu_read_lock();
	call_rcu(&head, called);
	stay_busy();
	rcu_read_unlock();
	rcu_barrier();
	return 0;
}

static int called_twice(void)
{
	call_rcu(&head, called);
	call_rcu(&head, called);
	rcu_barrier();
	return 0;
}

static int stepping(void *step)
{
	while (!kthread_should_stop()) {
		((void (*)(void))step)();
		cond_resched();
	}
	return 0;
}

/* Two threads, each of which does @step again and again for ten seconds. */
static int step_in_two(void (*step)(void))
{
	struct task_struct *other = kthread_run(stepping, step, "planted");
	unsigned long end = jiffies + 10 * HZ;

	if (IS_ERR(other))
		return PTR_ERR(other);
	while (time_before(jiffies, end)) {
		step();
		cond_resched();
	}
	return kthread_stop(other);
}

/* What the threads of the following share. */
static int steps;
static int taken;

static noinline void step_unmarked(void)
{
	steps++;
}

static int unmarked(void)
{
	return step_in_two(step_unmarked);
}

/* Nothing says that the addition is over when the next one may take the place. */
static noinline void step_no_release(void)
{
	if (cmpxchg_acquire(&taken, 0, 1))
		return;
	steps++;
	WRITE_ONCE(taken, 0);
}

static int no_release(void)
{
	return step_in_two(step_no_release);
}

/* No bug. */
static noinline void step_release(void)
{
	if (cmpxchg_acquire(&taken, 0, 1))
		return;
	steps++;
	/* Pairs with the cmpxchg_acquire(). */
	smp_store_release(&taken, 0);
}

static int release(void)
{
	return step_in_two(step_release);
}

/* No bug, if it is known that the kernel's locks are barriers. */
static noinline void step_locked(void)
{
	spin_lock(&lock);
	steps++;
	spin_unlock(&lock);
	mutex_lock(&first);
	taken++;
	mutex_unlock(&first);
}

static int locked(void)
{
	return step_in_two(step_locked);
}

#ifdef CONFIG_FAULT_INJECTION
/* No bug: the next allocation fails because it is asked to, and the kernel says nothing. */
static int fault(void)
{
	void *p;

	current->fail_nth = 1;
	p = kmalloc(16, GFP_NOWAIT);
	current->fail_nth = 0;
	kfree(p);
	return p ? -EEXIST : 0;
}
#endif

#define ENTRY(name)	{ #name, name }
static const struct {
	const char *name;
	int (*make)(void);
} bugs[] = {
	ENTRY(none),
	ENTRY(use_after_free),
	ENTRY(out_of_bounds),
	ENTRY(leak),
	ENTRY(lock_inversion),
	ENTRY(sleep_in_atomic),
	ENTRY(no_rcu_lock),
	ENTRY(wide_shift),
	ENTRY(deleted_twice),
	ENTRY(called_twice),
	ENTRY(long_reader),
	ENTRY(busy_cpu),
#ifdef CONFIG_FAULT_INJECTION
	ENTRY(fault),
#endif
	ENTRY(unmarked),
	ENTRY(no_release),
	ENTRY(release),
	ENTRY(locked),
};

static int __init planted_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bug, bugs[i].name))
			return bugs[i].make();
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bugs for the kernels that find them");
