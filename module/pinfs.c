// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pin filesystem: directories, symbolic links, and files that each hold a reference to a map.
 * The files are made by BPFMAPS_OBJ_PIN only and cannot be opened; BPFMAPS_OBJ_GET asks for their
 * permissions and returns a map descriptor.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "map.h"

#define PINFS_MOUNT_POINT	"bpfmaps"

/*
 * A pin is told by its i_op. There is one table for each access mode, by FMODE_READ | FMODE_WRITE:
 * a pin of a read-only descriptor never gives a writable one, whatever its permissions say.
 */
static const struct inode_operations pin_iops[4];

static bool inode_is_pin(const struct inode *inode)
{
	return inode->i_op >= pin_iops && inode->i_op < pin_iops + ARRAY_SIZE(pin_iops);
}

static fmode_t pin_mode(const struct inode *inode)
{
	return (__force fmode_t)(inode->i_op - pin_iops);
}

static int pin_open(struct inode *inode, struct file *file)
{
	return -EIO;
}

static const struct file_operations pin_fops = {
	.owner	= THIS_MODULE,
	.open	= pin_open,
};

static struct inode *pinfs_new_inode(struct super_block *sb, const struct inode *dir, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	bpfmaps_inode_init_times(inode);
	bpfmaps_inode_init_owner(inode, dir, mode);
	return inode;
}

/* The entry keeps a reference of its own: nothing but memory holds it. */
static void pinfs_add(struct dentry *dentry, struct inode *inode, struct inode *dir)
{
	d_make_persistent(dentry, inode);
	bpfmaps_dir_touch(dir);
}

static const struct inode_operations dir_iops;

static void init_dir_inode(struct inode *inode)
{
	inode->i_op = &dir_iops;
	inode->i_fop = &simple_dir_operations;
	inc_nlink(inode);
}

static int dir_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode)
{
	struct inode *inode = pinfs_new_inode(dir->i_sb, dir, S_IFDIR | mode);

	if (!inode)
		return -ENOMEM;
	init_dir_inode(inode);
	inc_nlink(dir);
	pinfs_add(dentry, inode, dir);
	return 0;
}

static int dir_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	struct inode *inode;
	char *link = kstrdup(target, BPFMAPS_GFP);

	if (!link)
		return -ENOMEM;
	inode = pinfs_new_inode(dir->i_sb, dir, S_IFLNK | 0777);
	if (!inode) {
		kfree(link);
		return -ENOMEM;
	}
	inode->i_op = &simple_symlink_inode_operations;
	inode->i_link = link;
	pinfs_add(dentry, inode, dir);
	return 0;
}

/* Names with a '.' are refused, as on bpffs, which keeps them for itself. */
static struct dentry *dir_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	if (strchr(dentry->d_name.name, '.'))
		return ERR_PTR(-EPERM);
	return simple_lookup(dir, dentry, flags);
}

BPFMAPS_MKDIR_OP(dir_mkdir)
BPFMAPS_INODE_OP(dir_symlink, const char *)

static const struct inode_operations dir_iops = {
	.lookup		= dir_lookup,
	.mkdir		= dir_mkdir_op,
	.rmdir		= simple_rmdir,
	.symlink	= dir_symlink_op,
	.link		= simple_link,
	.unlink		= simple_unlink,
	.rename		= simple_rename,
};

/* What vfs_mkobj() passes on to make a pin. */
struct pin_source {
	struct bpfmaps_map *map;
	fmode_t mode;
};

static int pin_make(struct dentry *dentry, umode_t mode, void *arg)
{
	const struct pin_source *source = arg;
	struct inode *dir = d_inode(dentry->d_parent);
	struct inode *inode = pinfs_new_inode(dir->i_sb, dir, mode);

	if (!inode)
		return -ENOMEM;
	bpfmaps_map_inc(source->map);
	inode->i_private = source->map;
	inode->i_op = &pin_iops[(__force unsigned int)source->mode];
	inode->i_fop = &pin_fops;
	pinfs_add(dentry, inode, dir);
	return 0;
}

/* BPFMAPS_OBJ_PIN: @file is the map's, @dfd where a relative path starts. */
int bpfmaps_pinfs_pin(struct file *file, struct bpfmaps_map *map, int dfd,
		      const char __user *pathname)
{
	struct pin_source source = {
		.map = map,
		.mode = file->f_mode & (FMODE_READ | FMODE_WRITE),
	};
	umode_t mode = S_IFREG | (0600 & ~current_umask());
	struct dentry *dentry;
	struct path path;
	int err;

	dentry = start_creating_user_path(dfd, pathname, &path, 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = security_path_mknod(&path, dentry, mode, 0);
	if (!err && d_inode(path.dentry)->i_op != &dir_iops)
		err = -EPERM;
	if (!err)
		err = vfs_mkobj(dentry, mode, pin_make, &source);
	end_creating_path(&path, dentry);
	return err;
}

/* @mode has to be allowed by the file's permissions and by the descriptor that was pinned. */
static struct bpfmaps_map *pin_get(const struct path *path, fmode_t mode)
{
	const struct inode *inode = d_backing_inode(path->dentry);
	int err, mask = 0;

	if (mode & FMODE_READ)
		mask |= MAY_READ;
	if (mode & FMODE_WRITE)
		mask |= MAY_WRITE;
	err = path_permission(path, mask);
	if (err)
		return ERR_PTR(err);
	/* One mount of a writable filesystem can be read-only, as containers are given it. */
	if (mode & FMODE_WRITE && __mnt_is_readonly(path->mnt))
		return ERR_PTR(-EROFS);
	if (!inode_is_pin(inode))
		return ERR_PTR(-EACCES);
	if (mode & ~pin_mode(inode))
		return ERR_PTR(-EPERM);
	touch_atime(path);
	bpfmaps_map_inc(inode->i_private);
	return inode->i_private;
}

/* BPFMAPS_OBJ_GET: takes a reference. */
struct bpfmaps_map *bpfmaps_pinfs_get(int dfd, const char __user *pathname, fmode_t mode)
{
	struct bpfmaps_map *map;
	struct path path;
	int err;

	err = user_path_at(dfd, pathname, LOOKUP_FOLLOW, &path);
	if (err)
		return ERR_PTR(err);
	map = pin_get(&path, mode);
	path_put(&path);
	return map;
}

/* The same for users in the kernel. */
struct bpfmaps_map *bpfmaps_pinfs_get_kern(const char *pathname, fmode_t mode)
{
	struct bpfmaps_map *map;
	struct path path;
	int err;

	err = kern_path(pathname, LOOKUP_FOLLOW, &path);
	if (err)
		return ERR_PTR(err);
	map = pin_get(&path, mode);
	path_put(&path);
	return map;
}

static void pinfs_evict_inode(struct inode *inode)
{
	clear_inode(inode);
	if (inode_is_pin(inode))
		bpfmaps_map_put(inode->i_private);
}

/* A grace period after the last path walk that may have seen the inode. */
static void pinfs_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	free_inode_nonrcu(inode);
}

static int pinfs_show_options(struct seq_file *m, struct dentry *root)
{
	const struct inode *inode = d_inode(root);

	seq_printf(m, ",mode=%o", inode->i_mode & 07777);
	if (!uid_eq(inode->i_uid, GLOBAL_ROOT_UID))
		seq_printf(m, ",uid=%u", from_kuid_munged(&init_user_ns, inode->i_uid));
	if (!gid_eq(inode->i_gid, GLOBAL_ROOT_GID))
		seq_printf(m, ",gid=%u", from_kgid_munged(&init_user_ns, inode->i_gid));
	return 0;
}

static const struct super_operations pinfs_super_ops = {
	.statfs		= simple_statfs,
	.drop_inode	= inode_just_drop,
	.evict_inode	= pinfs_evict_inode,
	.free_inode	= pinfs_free_inode,
	.show_options	= pinfs_show_options,
};

/* Mount options: owner and permissions of the root directory. */
struct pinfs_options {
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
};

enum { OPT_MODE, OPT_UID, OPT_GID };

static const struct fs_parameter_spec pinfs_parameters[] = {
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_u32("uid", OPT_UID),
	fsparam_u32("gid", OPT_GID),
	{}
};

static int pinfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct pinfs_options *options = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, pinfs_parameters, param, &result);

	switch (opt) {
	case OPT_MODE:
		options->mode = result.uint_32 & 07777;
		return 0;
	case OPT_UID:
		options->uid = make_kuid(current_user_ns(), result.uint_32);
		return uid_valid(options->uid) ? 0 : -EINVAL;
	case OPT_GID:
		options->gid = make_kgid(current_user_ns(), result.uint_32);
		return gid_valid(options->gid) ? 0 : -EINVAL;
	default:
		return opt;
	}
}

static int pinfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct pinfs_options *options = fc->fs_private;
	struct inode *root;

	sb->s_magic = BPFMAPS_FS_MAGIC;
	sb->s_op = &pinfs_super_ops;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;

	root = pinfs_new_inode(sb, NULL, S_IFDIR | options->mode);
	if (!root)
		return -ENOMEM;
	init_dir_inode(root);
	root->i_uid = options->uid;
	root->i_gid = options->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int pinfs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, pinfs_fill_super);
}

static void pinfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations pinfs_context_ops = {
	.free		= pinfs_free_fc,
	.parse_param	= pinfs_parse_param,
	.get_tree	= pinfs_get_tree,
};

static int pinfs_init_fs_context(struct fs_context *fc)
{
	struct pinfs_options *options = kzalloc(sizeof(*options), GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	options->mode = S_ISVTX | 0777;
	options->uid = GLOBAL_ROOT_UID;
	options->gid = GLOBAL_ROOT_GID;
	fc->fs_private = options;
	fc->ops = &pinfs_context_ops;
	return 0;
}

static struct file_system_type pinfs_type = {
	.owner			= THIS_MODULE,
	.name			= "bpfmaps",
	.init_fs_context	= pinfs_init_fs_context,
	.parameters		= pinfs_parameters,
	.kill_sb		= bpfmaps_kill_super,
};
MODULE_ALIAS_FS("bpfmaps");

int bpfmaps_pinfs_init(void)
{
	int err = sysfs_create_mount_point(fs_kobj, PINFS_MOUNT_POINT);

	if (err)
		return err;
	err = register_filesystem(&pinfs_type);
	if (err)
		sysfs_remove_mount_point(fs_kobj, PINFS_MOUNT_POINT);
	return err;
}

/* A mounted filesystem holds the module, so none is mounted. */
void bpfmaps_pinfs_exit(void)
{
	unregister_filesystem(&pinfs_type);
	sysfs_remove_mount_point(fs_kobj, PINFS_MOUNT_POINT);
}
