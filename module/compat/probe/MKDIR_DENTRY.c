// SPDX-License-Identifier: GPL-2.0-only
/* 6.15, commit 88d5baf69082: mkdir of inode operations returns a dentry */
#include <linux/fs.h>
struct inode *probe(struct inode *dir);
struct inode *probe(struct inode *dir)
{
	return dir->i_op->mkdir(&nop_mnt_idmap, dir, NULL, 0)->d_inode;
}
