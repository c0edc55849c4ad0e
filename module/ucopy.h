/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a few bytes from and to user space
 *
 * What copy_from_user() does before and after a copy costs more than the copy of a small key or
 * value itself: here small ones go word by word, within one window of user access. The usual sizes
 * come first and need no loop.
 */
#ifndef _BPFMAPS_UCOPY_H
#define _BPFMAPS_UCOPY_H

#include <linux/uaccess.h>

#include "compat/compat.h"

/*
 * Above this size the copies that the kernel has are the better ones. They are the only ones where
 * words have to be aligned, and where copies are made to fail for a test.
 */
#if defined(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) && !defined(CONFIG_FAULT_INJECTION_USERCOPY)
#define BPFMAPS_UCOPY_WORDS	512
#else
#define BPFMAPS_UCOPY_WORDS	0
#endif

#define bpfmaps_get_word(to, from, nr, fault) \
	unsafe_get_user(((long *)(to))[nr], (const long __user *)(from) + (nr), fault)

#define bpfmaps_get_four_words(to, from, nr, fault) do {		\
	bpfmaps_get_word(to, from, nr, fault);			\
	bpfmaps_get_word(to, from, (nr) + 1, fault);		\
	bpfmaps_get_word(to, from, (nr) + 2, fault);		\
	bpfmaps_get_word(to, from, (nr) + 3, fault);		\
} while (0)

#define bpfmaps_put_word(to, from, nr, fault) \
	unsafe_put_user(((const long *)(from))[nr], (long __user *)(to) + (nr), fault)

#define bpfmaps_put_four_words(to, from, nr, fault) do {		\
	bpfmaps_put_word(to, from, nr, fault);			\
	bpfmaps_put_word(to, from, (nr) + 1, fault);		\
	bpfmaps_put_word(to, from, (nr) + 2, fault);		\
	bpfmaps_put_word(to, from, (nr) + 3, fault);		\
} while (0)

static __always_inline int bpfmaps_get_words(void *to, const void __user *from, u32 size)
{
	/* Of nothing any address is good. */
	if (!user_read_access_begin(from, size))
		return size ? -EFAULT : 0;
	if (size == sizeof(long)) {
		bpfmaps_get_word(to, from, 0, fault);
		goto done;
	}
	if (size == sizeof(u32)) {
		unsafe_get_user(*(u32 *)to, (const u32 __user *)from, fault);
		goto done;
	}
	for (; size >= 8 * sizeof(long); size -= 8 * sizeof(long)) {
		bpfmaps_get_four_words(to, from, 0, fault);
		bpfmaps_get_four_words(to, from, 4, fault);
		to += 8 * sizeof(long);
		from += 8 * sizeof(long);
	}
	if (size >= 4 * sizeof(long)) {
		bpfmaps_get_four_words(to, from, 0, fault);
		to += 4 * sizeof(long);
		from += 4 * sizeof(long);
		size -= 4 * sizeof(long);
	}
	if (size >= 2 * sizeof(long)) {
		bpfmaps_get_word(to, from, 0, fault);
		bpfmaps_get_word(to, from, 1, fault);
		to += 2 * sizeof(long);
		from += 2 * sizeof(long);
		size -= 2 * sizeof(long);
	}
	if (size >= sizeof(long)) {
		bpfmaps_get_word(to, from, 0, fault);
		to += sizeof(long);
		from += sizeof(long);
		size -= sizeof(long);
	}
	if (!size)
		goto done;
	if (size & 4) {
		unsafe_get_user(*(u32 *)to, (const u32 __user *)from, fault);
		to += 4;
		from += 4;
		size -= 4;
	}
	if (size & 2) {
		unsafe_get_user(*(u16 *)to, (const u16 __user *)from, fault);
		to += 2;
		from += 2;
		size -= 2;
	}
	if (size & 1)
		unsafe_get_user(*(u8 *)to, (const u8 __user *)from, fault);
done:
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline int bpfmaps_put_words(void __user *to, const void *from, u32 size)
{
	if (!user_write_access_begin(to, size))
		return size ? -EFAULT : 0;
	if (size == sizeof(long)) {
		bpfmaps_put_word(to, from, 0, fault);
		goto done;
	}
	if (size == sizeof(u32)) {
		unsafe_put_user(*(const u32 *)from, (u32 __user *)to, fault);
		goto done;
	}
	for (; size >= 8 * sizeof(long); size -= 8 * sizeof(long)) {
		bpfmaps_put_four_words(to, from, 0, fault);
		bpfmaps_put_four_words(to, from, 4, fault);
		to += 8 * sizeof(long);
		from += 8 * sizeof(long);
	}
	if (size >= 4 * sizeof(long)) {
		bpfmaps_put_four_words(to, from, 0, fault);
		to += 4 * sizeof(long);
		from += 4 * sizeof(long);
		size -= 4 * sizeof(long);
	}
	if (size >= 2 * sizeof(long)) {
		bpfmaps_put_word(to, from, 0, fault);
		bpfmaps_put_word(to, from, 1, fault);
		to += 2 * sizeof(long);
		from += 2 * sizeof(long);
		size -= 2 * sizeof(long);
	}
	if (size >= sizeof(long)) {
		bpfmaps_put_word(to, from, 0, fault);
		to += sizeof(long);
		from += sizeof(long);
		size -= sizeof(long);
	}
	if (!size)
		goto done;
	if (size & 4) {
		unsafe_put_user(*(const u32 *)from, (u32 __user *)to, fault);
		to += 4;
		from += 4;
		size -= 4;
	}
	if (size & 2) {
		unsafe_put_user(*(const u16 *)from, (u16 __user *)to, fault);
		to += 2;
		from += 2;
		size -= 2;
	}
	if (size & 1)
		unsafe_put_user(*(const u8 *)from, (u8 __user *)to, fault);
done:
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	/* What comes before the byte that cannot be written is written. */
	return copy_to_user(to, from, size) ? -EFAULT : 0;
}

/* @to is aligned to 8. 0 or -EFAULT, and then nobody knows how much of @to was written. */
static inline int bpfmaps_copy_in(void *to, const void __user *from, u32 size)
{
	if (size <= BPFMAPS_UCOPY_WORDS)
		return bpfmaps_get_words(to, from, size);
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

/* @from is aligned to 8. 0 or -EFAULT. */
static inline int bpfmaps_copy_out(void __user *to, const void *from, u32 size)
{
	if (size <= BPFMAPS_UCOPY_WORDS)
		return bpfmaps_put_words(to, from, size);
	return copy_to_user(to, from, size) ? -EFAULT : 0;
}

#endif /* _BPFMAPS_UCOPY_H */
