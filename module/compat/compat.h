/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where kernels differ. The code is written for the newest kernel; what an older one
 * lacks is given here under the newest name or one of our own. HAVE_* come from the probes.
 */
#ifndef _BPFMAPS_COMPAT_H
#define _BPFMAPS_COMPAT_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>

#ifdef HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* The compiler's word for: do not zero this variable, it is written before it is read. */
#ifndef __uninitialized
#if __has_attribute(uninitialized)
#define __uninitialized __attribute__((uninitialized))
#else
#define __uninitialized
#endif
#endif

#ifndef HAVE_FD_FILE
#define fd_file(f)	((f).file)
#endif

#ifndef HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* First argument of inode operations, and what inode_init_owner() takes for it. */
#ifdef HAVE_MNT_IDMAP
#define bpfmaps_idmap mnt_idmap
#define BPFMAPS_NOP_IDMAP (&nop_mnt_idmap)
#else
#define bpfmaps_idmap user_namespace
#define BPFMAPS_NOP_IDMAP (&init_user_ns)
#endif

/* All times of a new inode; mtime and ctime of a directory that got an entry. */
#ifdef HAVE_SIMPLE_INODE_INIT_TS
static inline void bpfmaps_inode_init_times(struct inode *inode)
{
	simple_inode_init_ts(inode);
}

static inline void bpfmaps_dir_touch(struct inode *dir)
{
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
}
#else
static inline void bpfmaps_dir_touch(struct inode *dir)
{
	dir->i_mtime = current_time(dir);
	dir->i_ctime = dir->i_mtime;
}

static inline void bpfmaps_inode_init_times(struct inode *inode)
{
	bpfmaps_dir_touch(inode);
	inode->i_atime = inode->i_mtime;
}
#endif

/*
 * What bpf(2) says to freezing a frozen map. Since it asks for a writable descriptor, it asks for
 * that first, and no descriptor of a frozen map is.
 */
#ifdef HAVE_FREEZE_WRITABLE
#define BPFMAPS_FROZEN_ERRNO	EPERM
#else
#define BPFMAPS_FROZEN_ERRNO	EBUSY
#endif

#endif /* _BPFMAPS_COMPAT_H */
