// SPDX-License-Identifier: GPL-2.0-only
/* 6.12, commit 5f60d5f6bbc1: unaligned access is in linux/unaligned.h */
#include <linux/unaligned.h>
u32 probe(const void *ptr);
u32 probe(const void *ptr)
{
	return get_unaligned((const u32 *)ptr);
}
