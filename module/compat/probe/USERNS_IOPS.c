// SPDX-License-Identifier: GPL-2.0-only
/* 5.12, commit 549c7297717c: inode_init_owner() and inode operations take a user_namespace */
#include <linux/fs.h>
void probe(struct user_namespace *ns, struct inode *inode);
void probe(struct user_namespace *ns, struct inode *inode)
{
	inode_init_owner(ns, inode, NULL, 0);
}
