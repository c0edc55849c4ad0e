// SPDX-License-Identifier: GPL-2.0-only
/* Has to compile everywhere: if not, no answer of the other probes means anything. */
#include <linux/module.h>
MODULE_LICENSE("GPL");
