// SPDX-License-Identifier: GPL-2.0-only
/* 6.5, commit c4c84f6fb2c4: bpf(2) freezes through writable descriptors; told by its release */
#include <linux/bpf.h>
int probe(void);
int probe(void)
{
	return BPF_F_PATH_FD;
}
