// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init and exit, the misc device
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "map.h"

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= bpfmaps_ioctl_device,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "bpfmaps",
	.mode	= 0600,
	.fops	= &device_fops,
};

static int __init bpfmaps_init(void)
{
	int err;

	err = bpfmaps_buf_init();
	if (err)
		return err;
	err = bpfmaps_map_init();
	if (err)
		goto err_buf;
	err = bpfmaps_pinfs_init();
	if (err)
		goto err_map;
	err = misc_register(&device);
	if (err)
		goto err_pinfs;
	pr_info("version %s\n", BPFMAPS_VERSION);
	return 0;

err_pinfs:
	bpfmaps_pinfs_exit();
err_map:
	bpfmaps_map_exit();
err_buf:
	bpfmaps_buf_exit();
	return err;
}

static void __exit bpfmaps_exit(void)
{
	misc_deregister(&device);
	bpfmaps_pinfs_exit();
	bpfmaps_map_exit();
	bpfmaps_buf_exit();
}

module_init(bpfmaps_init);
module_exit(bpfmaps_exit);

MODULE_DESCRIPTION("BPF maps from a character device");
MODULE_AUTHOR("The bpfmaps authors");
MODULE_VERSION(BPFMAPS_VERSION);
MODULE_LICENSE("GPL");
