// SPDX-License-Identifier: GPL-2.0-only
/* 5.11, commit 7a9f50a05843: work for interrupts has initializers */
#include <linux/irq_work.h>
void probe(struct irq_work *work);
void probe(struct irq_work *work)
{
	*work = IRQ_WORK_INIT_HARD(NULL);
}
