// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct bpfmaps_map: its life, its descriptors and what they can do
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "map.h"

/* Flags that a descriptor has, not the map. */
#define MAP_FD_FLAGS	(BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY)

static struct workqueue_struct *map_wq;

/* O_RDONLY, O_WRONLY or O_RDWR of @flags, or -EINVAL for both or any other flag. */
int bpfmaps_map_open_flags(u32 flags)
{
	switch (flags) {
	case 0:
		return O_RDWR;
	case BPFMAPS_F_RDONLY:
		return O_RDONLY;
	case BPFMAPS_F_WRONLY:
		return O_WRONLY;
	default:
		return -EINVAL;
	}
}

/* A descriptor that takes over one reference. @flags were checked. */
int bpfmaps_map_new_fd(struct bpfmaps_map *map, u32 flags)
{
	return anon_inode_getfd("bpf-map", &bpfmaps_map_fops, map,
				bpfmaps_map_open_flags(flags & MAP_FD_FLAGS) | O_CLOEXEC);
}

static void map_destroy(struct bpfmaps_map *map)
{
	map->ops->map_free(map);
	mem_cgroup_put(map->memcg);
	put_user_ns(map->user_ns);
	kfree(map);
}

static void map_free_work(struct work_struct *work)
{
	map_destroy(container_of(to_rcu_work(work), struct bpfmaps_map, free_work));
}

/**
 * bpfmaps_map_put() - drop a reference
 * @map: the map
 *
 * The last one frees the map, a grace period later and in a work queue.
 *
 * Context: any but NMI.
 */
void bpfmaps_map_put(struct bpfmaps_map *map)
{
	if (!refcount_dec_and_test(&map->refcnt))
		return;
	bpfmaps_id_free(map);
	queue_rcu_work(map_wq, &map->free_work);
}
EXPORT_SYMBOL_GPL(bpfmaps_map_put);

/**
 * bpfmaps_map_inc() - take another reference
 * @map: a map that the caller has a reference to
 *
 * Context: any.
 */
void bpfmaps_map_inc(struct bpfmaps_map *map)
{
	refcount_inc(&map->refcnt);
}
EXPORT_SYMBOL_GPL(bpfmaps_map_inc);

/* NUL-terminated within its size, of the characters that bpf(2) takes. */
static bool name_is_valid(const char *name)
{
	size_t len = strnlen(name, BPFMAPS_NAME_LEN);
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum(name[i]) && name[i] != '_' && name[i] != '.')
			return false;
	return len < BPFMAPS_NAME_LEN;
}

static int attr_numa_node(const struct bpfmaps_create_attr *attr)
{
	return attr->map_flags & BPFMAPS_F_NUMA_NODE ? attr->numa_node : NUMA_NO_NODE;
}

static bool numa_node_is_valid(int node)
{
	return node == NUMA_NO_NODE || ((unsigned int)node < nr_node_ids && node_online(node));
}

/* BTF describes values to the verifier, and networks devices take maps over: neither is here. */
static bool attr_is_for_programs(const struct bpfmaps_create_attr *attr)
{
	return attr->btf_key_type_id || attr->btf_value_type_id ||
	       attr->btf_vmlinux_value_type_id || attr->map_ifindex;
}

/* Everything that can be refused before memory is taken. */
static int map_check(const struct bpfmaps_create_attr *attr, const struct bpfmaps_map_ops **ops,
		     struct bpfmaps_inner *inner)
{
	int err;

	if (attr_is_for_programs(attr) ||
	    bpfmaps_map_open_flags(attr->map_flags & MAP_FD_FLAGS) < 0 ||
	    !numa_node_is_valid(attr_numa_node(attr)))
		return -EINVAL;
	*ops = bpfmaps_registry_find(attr->map_type);
	if (!*ops)
		return -EINVAL;
	err = (*ops)->map_alloc_check(attr);
	if (!err && (*ops)->holds_maps)
		err = bpfmaps_inner_set(inner, attr->inner_map_fd);
	if (err)
		return err;
	return name_is_valid(attr->map_name) ? 0 : -EINVAL;
}

static struct bpfmaps_map *map_alloc(const struct bpfmaps_create_attr *attr,
				     const struct bpfmaps_map_ops *ops,
				     const struct bpfmaps_inner *inner)
{
	struct bpfmaps_map *map;
	int err;

	map = kzalloc(ops->map_size, BPFMAPS_GFP);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->ops = ops;
	map->map_type = attr->map_type;
	map->key_size = attr->key_size;
	map->value_size = attr->value_size;
	map->user_value_size = attr->value_size;
	map->max_entries = attr->max_entries;
	map->map_flags = attr->map_flags & ~MAP_FD_FLAGS;
	map->numa_node = attr_numa_node(attr);
	map->map_extra = attr->map_extra;
	map->inner = *inner;
	strscpy(map->name, attr->map_name, sizeof(map->name));
	map->owner = current_euid();
	map->user_ns = get_user_ns(current_user_ns());
	map->memcg = get_mem_cgroup_from_mm(current->mm);
	mutex_init(&map->freeze_mutex);
	refcount_set(&map->refcnt, 1);
	INIT_RCU_WORK(&map->free_work, map_free_work);

	err = ops->map_alloc(map);
	if (!err)
		return map;
	mem_cgroup_put(map->memcg);
	put_user_ns(map->user_ns);
	kfree(map);
	return ERR_PTR(err);
}

/* BPFMAPS_MAP_CREATE: returns a descriptor. */
int bpfmaps_map_create(const struct bpfmaps_create_attr *attr)
{
	const struct bpfmaps_map_ops *ops;
	struct bpfmaps_inner inner = { };
	struct bpfmaps_map *map;
	int err;

	err = map_check(attr, &ops, &inner);
	if (err)
		return err;
	map = map_alloc(attr, ops, &inner);
	if (IS_ERR(map))
		return PTR_ERR(map);
	err = bpfmaps_id_alloc(map);
	if (err) {
		map_destroy(map);
		return err;
	}
	/* Others may have opened it by its id: from here on it is put, not destroyed. */
	err = bpfmaps_map_new_fd(map, attr->map_flags);
	if (err < 0)
		bpfmaps_map_put(map);
	return err;
}

/*
 * BPFMAPS_MAP_FREEZE: once this has returned 0, no write by a system call or a mapping is under way
 * or to come. Only devices may still write to pages that they were given out of a mapping before.
 */
int bpfmaps_map_freeze(struct bpfmaps_map *map, fmode_t mode)
{
	int err = 0;

	if (READ_ONCE(map->frozen))
		return -BPFMAPS_FROZEN_ERRNO;
	if (!(mode & FMODE_CAN_WRITE))
		return -EPERM;
	if (mutex_lock_killable(&map->freeze_mutex))
		return -EINTR;
	if (atomic_long_read(&map->writable_mappings))
		err = -EBUSY;
	else if (map->frozen)
		err = -BPFMAPS_FROZEN_ERRNO;
	else
		WRITE_ONCE(map->frozen, true);
	mutex_unlock(&map->freeze_mutex);
	if (err)
		return err;
	synchronize_rcu();
	return map->ops->map_settle ? map->ops->map_settle(map) : 0;
}

/* BPFMAPS_OBJ_GET_INFO_BY_FD */
void bpfmaps_map_fill_info(const struct bpfmaps_map *map, struct bpfmaps_map_info *info)
{
	memset(info, 0, sizeof(*info));
	info->type = map->map_type;
	info->id = map->id;
	info->key_size = map->key_size;
	info->value_size = map->value_size;
	info->max_entries = map->max_entries;
	info->map_flags = map->map_flags;
	info->map_extra = map->map_extra;
	memcpy(info->name, map->name, sizeof(info->name));
}

/* map_get_next_key of types whose keys are indexes. */
int bpfmaps_map_next_index(struct bpfmaps_map *map, const void *key, void *next_key)
{
	u32 index = key ? bpfmaps_map_index(key) : U32_MAX;
	u32 next = index >= map->max_entries ? 0 : index + 1;

	if (next >= map->max_entries)
		return -ENOENT;
	memcpy(next_key, &next, sizeof(next));
	return 0;
}

static int map_release(struct inode *inode, struct file *file)
{
	bpfmaps_map_put(file->private_data);
	return 0;
}

static void map_show_fdinfo(struct seq_file *m, struct file *file)
{
	const struct bpfmaps_map *map = file->private_data;

	seq_printf(m, "map_type:\t%u\n", map->map_type);
	seq_printf(m, "key_size:\t%u\n", map->key_size);
	seq_printf(m, "value_size:\t%u\n", map->value_size);
	seq_printf(m, "max_entries:\t%u\n", map->max_entries);
	seq_printf(m, "map_flags:\t%#x\n", map->map_flags);
	seq_printf(m, "map_extra:\t%#llx\n", map->map_extra);
	seq_printf(m, "memlock:\t%llu\n", map->ops->map_size + map->ops->map_mem_usage(map));
	seq_printf(m, "map_id:\t%u\n", map->id);
	seq_printf(m, "frozen:\t%u\n", READ_ONCE(map->frozen));
}

/* Without a read and a write method a file gets neither FMODE_CAN_READ nor FMODE_CAN_WRITE. */
static ssize_t map_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	return -EINVAL;
}

static ssize_t map_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	return -EINVAL;
}

static __poll_t map_poll(struct file *file, struct poll_table_struct *pt)
{
	struct bpfmaps_map *map = file->private_data;

	return map->ops->map_poll ? map->ops->map_poll(map, file, pt) : EPOLLERR;
}

/*
 * A mapping that is or can become writable counts as long as it lives: fork and a split open it
 * once more, unmapping closes it.
 */
static void map_vm_open(struct vm_area_struct *vma)
{
	struct bpfmaps_map *map = vma->vm_private_data;

	if (vma->vm_flags & VM_MAYWRITE)
		atomic_long_inc(&map->writable_mappings);
}

static void map_vm_close(struct vm_area_struct *vma)
{
	struct bpfmaps_map *map = vma->vm_private_data;

	if (vma->vm_flags & VM_MAYWRITE)
		atomic_long_dec(&map->writable_mappings);
}

static vm_fault_t map_vm_fault(struct vm_fault *vmf)
{
	struct bpfmaps_map *map = vmf->vma->vm_private_data;
	struct page *page;

	if (vmf->pgoff >= map->ops->map_mmap_size(map) >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	page = map->ops->map_mmap_page(map, vmf->pgoff);
	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct map_vm_ops = {
	.open	= map_vm_open,
	.close	= map_vm_close,
	.fault	= map_vm_fault,
};

static int mmap_check_size(struct bpfmaps_map *map, const struct vm_area_struct *vma)
{
	s64 size = map->ops->map_mmap_size(map);
	u64 end = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (vma->vm_end - vma->vm_start);

	if (size < 0)
		return size;
	return end > size || vma->vm_pgoff > size >> PAGE_SHIFT ? -EINVAL : 0;
}

/* Under freeze_mutex: count the mapping, or say why it may not be written to. */
static int mmap_check_write(struct bpfmaps_map *map, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_WRITE)) {
		vm_flags_clear(vma, VM_MAYWRITE);
		return 0;
	}
	if (map->frozen)
		return -EPERM;
	if (map->map_flags & BPFMAPS_F_RDONLY_PROG)
		return -EACCES;
	if (map->ops->map_mmap_writable &&
	    !map->ops->map_mmap_writable(map, vma->vm_pgoff, vma_pages(vma)))
		return -EPERM;
	return 0;
}

static int map_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bpfmaps_map *map = file->private_data;
	int err;

	if (!map->ops->map_mmap_size || map->ops->map_mmap_size(map) == -BPFMAPS_ENOTSUPP)
		return -BPFMAPS_ENOTSUPP;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&map->freeze_mutex);
	err = mmap_check_write(map, vma);
	if (!err)
		err = mmap_check_size(map, vma);
	if (!err) {
		vma->vm_private_data = map;
		vma->vm_ops = &map_vm_ops;
		vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
		vm_flags_clear(vma, VM_MAYEXEC);
		map_vm_open(vma);
	}
	mutex_unlock(&map->freeze_mutex);
	return err;
}

const struct file_operations bpfmaps_map_fops = {
	.owner		= THIS_MODULE,
	.release	= map_release,
	.show_fdinfo	= map_show_fdinfo,
	.read		= map_read,
	.write		= map_write,
	.poll		= map_poll,
	.mmap		= map_mmap,
	.unlocked_ioctl	= bpfmaps_ioctl_map,
	.compat_ioctl	= compat_ptr_ioctl,
};

int bpfmaps_map_init(void)
{
	map_wq = alloc_workqueue("bpfmaps", WQ_UNBOUND, 0);
	return map_wq ? 0 : -ENOMEM;
}

/*
 * Nobody has a map any more, but the last ones may still wait for their grace period, and then
 * those that are held by one of these for theirs.
 */
void bpfmaps_map_exit(void)
{
	rcu_barrier();
	flush_workqueue(map_wq);
	WARN_ON(!bpfmaps_id_none());
	rcu_barrier();
	destroy_workqueue(map_wq);
}
