// SPDX-License-Identifier: GPL-2.0-only
/* 6.12, commit 1da91ea87aef: the file of a struct fd is asked by fd_file() */
#include <linux/file.h>
struct file *probe(struct fd f);
struct file *probe(struct fd f)
{
	return fd_file(f);
}
