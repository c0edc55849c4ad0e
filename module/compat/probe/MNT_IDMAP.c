// SPDX-License-Identifier: GPL-2.0-only
/* 6.3, commit f2d40141d5d9: inode_init_owner() and inode operations take a mnt_idmap */
#include <linux/fs.h>
void probe(struct mnt_idmap *idmap, struct inode *inode);
void probe(struct mnt_idmap *idmap, struct inode *inode)
{
	inode_init_owner(idmap, inode, NULL, 0);
}
