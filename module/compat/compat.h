/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where kernels differ. The code is written for the newest kernel; what an older one
 * lacks is given here under the newest name or one of our own. HAVE_* come from the probes.
 */
#ifndef _BPFMAPS_COMPAT_H
#define _BPFMAPS_COMPAT_H

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

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

/*
 * BPFMAPS_INODE_OP(NAME, TYPE) makes NAME_op, an inode operation as this kernel has it, of the
 * function NAME, which takes the directory, the entry and a TYPE, and returns 0 or an errno.
 */
#if defined(HAVE_MNT_IDMAP)
#define BPFMAPS_IOP_ARGS	struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry

static inline void bpfmaps_inode_init_owner(struct inode *inode, const struct inode *dir,
					    umode_t mode)
{
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
}
#elif defined(HAVE_USERNS_IOPS)
#define BPFMAPS_IOP_ARGS	struct user_namespace *ns, struct inode *dir, struct dentry *dentry

static inline void bpfmaps_inode_init_owner(struct inode *inode, const struct inode *dir,
					    umode_t mode)
{
	inode_init_owner(&init_user_ns, inode, dir, mode);
}
#else
#define BPFMAPS_IOP_ARGS	struct inode *dir, struct dentry *dentry

static inline void bpfmaps_inode_init_owner(struct inode *inode, const struct inode *dir,
					    umode_t mode)
{
	inode_init_owner(inode, dir, mode);
}
#endif

#define BPFMAPS_INODE_OP(name, type)						\
static int name##_op(BPFMAPS_IOP_ARGS, type last)				\
{										\
	return name(dir, dentry, last);						\
}

#ifdef HAVE_MKDIR_DENTRY
#define BPFMAPS_MKDIR_OP(name)							\
static struct dentry *name##_op(BPFMAPS_IOP_ARGS, umode_t mode)			\
{										\
	return ERR_PTR(name(dir, dentry, mode));				\
}
#else
#define BPFMAPS_MKDIR_OP(name)	BPFMAPS_INODE_OP(name, umode_t)
#endif

/* A new entry, and what is done with all of them when the file system goes. */
#ifdef HAVE_D_MAKE_PERSISTENT
#define bpfmaps_kill_super	kill_anon_super
#else
#define bpfmaps_kill_super	kill_litter_super

static inline void d_make_persistent(struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	dget(dentry);
}
#endif

#ifndef HAVE_INODE_JUST_DROP
#define inode_just_drop		generic_delete_inode
#endif

#ifndef HAVE_START_CREATING_USER_PATH
#define start_creating_user_path user_path_create
#define end_creating_path	done_path_create
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

/* What kmalloc() gives for so many bytes, of its caches or in pages. */
#ifndef HAVE_KMALLOC_SIZE_ROUNDUP
static inline size_t kmalloc_size_roundup(size_t size)
{
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return PAGE_SIZE << get_order(size);
	if (KMALLOC_MIN_SIZE <= 32 && size > 64 && size <= 96)
		return 96;
	if (KMALLOC_MIN_SIZE <= 64 && size > 128 && size <= 192)
		return 192;
	return max_t(size_t, roundup_pow_of_two(size), KMALLOC_MIN_SIZE);
}
#endif

/*
 * Whom memory is charged to from here on; returns who it was before. Where a module cannot set
 * that for interrupts, what is allocated in them is not charged.
 */
#if defined(HAVE_INT_ACTIVE_MEMCG) || !defined(CONFIG_MEMCG)
#define bpfmaps_set_active_memcg	set_active_memcg
#else
static inline struct mem_cgroup *bpfmaps_set_active_memcg(struct mem_cgroup *memcg)
{
	struct mem_cgroup *old;

	if (in_interrupt())
		return NULL;
	old = current->active_memcg;
	current->active_memcg = memcg;
	return old;
}
#endif

/* In an interrupt on a kernel for real time, too; the tests ask for it. */
#ifndef HAVE_IRQ_WORK_INIT_HARD
#define IRQ_WORK_INIT_HARD(fn) { .flags = ATOMIC_INIT(IRQ_WORK_HARD_IRQ), .func = (fn) }
#endif

#endif /* _BPFMAPS_COMPAT_H */
