// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockex1: count the IPv4 packets that this machine receives, or their bytes, by protocol
 *
 * The kernel's sample of this name is a BPF program with an array; this one is a netfilter hook
 * with an array of bpfmaps. The map is made and read in user space:
 *
 *	bpfmapctl map create /sys/fs/bpfmaps/packets type array key 4 value 8 entries 256
 *	insmod sockex1.ko map=/sys/fs/bpfmaps/packets
 *	bpfmapctl map dump pinned /sys/fs/bpfmaps/packets
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>

#include <linux/bpfmaps.h>

static char *map;
module_param(map, charp, 0444);
MODULE_PARM_DESC(map, "path of a pinned array with values of 8 bytes");

static bool bytes;
module_param(bytes, bool, 0444);
MODULE_PARM_DESC(bytes, "count bytes instead of packets");

static struct bpfmaps_map *counts;

/* Called in softirq context, under rcu_read_lock(). */
static unsigned int count_packet(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 ip_protocol = ip_hdr(skb)->protocol;
	atomic64_t *value;

	value = bpfmaps_lookup_elem(counts, &ip_protocol);
	if (value)
		atomic64_add(bytes ? skb->len : 1, value);
	return NF_ACCEPT;
}

static const struct nf_hook_ops hook = {
	.hook		= count_packet,
	.pf		= NFPROTO_IPV4,
	.hooknum	= NF_INET_LOCAL_IN,
	.priority	= NF_IP_PRI_FIRST,
};

static bool map_fits(const struct bpfmaps_map *candidate)
{
	struct bpfmaps_map_info info;

	bpfmaps_map_get_info(candidate, &info);
	return info.type == BPFMAPS_TYPE_ARRAY && info.value_size == sizeof(atomic64_t);
}

static int __init sockex1_init(void)
{
	int err;

	if (!map) {
		pr_err("the parameter map= is missing\n");
		return -EINVAL;
	}
	counts = bpfmaps_map_get_path(map, FMODE_READ | FMODE_WRITE);
	if (IS_ERR(counts))
		return PTR_ERR(counts);
	err = -EINVAL;
	if (!map_fits(counts)) {
		pr_err("%s is not an array with values of 8 bytes\n", map);
		goto err_put;
	}
	err = nf_register_net_hook(&init_net, &hook);
	if (err)
		goto err_put;
	return 0;

err_put:
	bpfmaps_map_put(counts);
	return err;
}

static void __exit sockex1_exit(void)
{
	nf_unregister_net_hook(&init_net, &hook);
	bpfmaps_map_put(counts);
}

module_init(sockex1_init);
module_exit(sockex1_exit);

MODULE_DESCRIPTION("bpfmaps sample: packets by protocol");
MODULE_AUTHOR("The bpfmaps authors");
MODULE_LICENSE("GPL");
