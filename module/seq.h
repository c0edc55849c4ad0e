/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values that are never seen half written: a lock for writers and a sequence count for readers
 *
 * A reader copies and then asks whether a writer was there meanwhile. Neither side sleeps, so these
 * are for values of up to BPFMAPS_ATOMIC_VALUE bytes. Users in the kernel and mappings, which hold
 * the address of a value, take part word by word: all copies are made of aligned words.
 */
#ifndef _BPFMAPS_SEQ_H
#define _BPFMAPS_SEQ_H

#include <linux/kcsan-checks.h>
#include <linux/log2.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat/compat.h"
#include "map.h"

/* Neighbours have locks of their own, up to so many. */
#define BPFMAPS_SEQ_STRIPES 256

/* How often a reader tries before it takes the lock, which writers cannot take from it for ever. */
#define BPFMAPS_SEQ_TRIES 16

/* Values that one load or store copies as a whole. */
static inline bool bpfmaps_seq_is_word(u32 size)
{
	return size <= sizeof(long) && is_power_of_2(size);
}

struct bpfmaps_seq {
	raw_spinlock_t lock;
	seqcount_raw_spinlock_t count;
};

static inline void bpfmaps_seq_init(struct bpfmaps_seq *seq)
{
	raw_spin_lock_init(&seq->lock);
	seqcount_raw_spinlock_init(&seq->count, &seq->lock);
}

/*
 * A power of two of them: as many as @wanted, or BPFMAPS_SEQ_STRIPES. @mask becomes their number
 * less one. Returns what kvfree() frees, or NULL if there is no memory. Process context.
 */
static inline struct bpfmaps_seq *bpfmaps_seq_alloc_stripes(u64 wanted, u32 *mask)
{
	u32 i, count = min_t(u64, roundup_pow_of_two(wanted), BPFMAPS_SEQ_STRIPES);
	struct bpfmaps_seq *stripes = kvcalloc(count, sizeof(*stripes), BPFMAPS_GFP);

	for (i = 0; stripes && i < count; i++)
		bpfmaps_seq_init(&stripes[i]);
	*mask = count - 1;
	return stripes;
}

static __always_inline void bpfmaps_word_to_elem(void *to, const void *from, u32 nr)
{
	WRITE_ONCE(((long *)to)[nr], get_unaligned((const long *)from + nr));
}

static __always_inline void bpfmaps_word_from_elem(void *to, const void *from, u32 nr)
{
	put_unaligned(READ_ONCE(((const long *)from)[nr]), (long *)to + nr);
}

static __always_inline void bpfmaps_four_words_to_elem(void *to, const void *from)
{
	bpfmaps_word_to_elem(to, from, 0);
	bpfmaps_word_to_elem(to, from, 1);
	bpfmaps_word_to_elem(to, from, 2);
	bpfmaps_word_to_elem(to, from, 3);
}

static __always_inline void bpfmaps_four_words_from_elem(void *to, const void *from)
{
	bpfmaps_word_from_elem(to, from, 0);
	bpfmaps_word_from_elem(to, from, 1);
	bpfmaps_word_from_elem(to, from, 2);
	bpfmaps_word_from_elem(to, from, 3);
}

/* The bytes behind the last whole word. */
static __always_inline void bpfmaps_tail_to_elem(u8 *to, const u8 *from, u32 size)
{
	if (size & 4) {
		WRITE_ONCE(*(u32 *)to, get_unaligned((const u32 *)from));
		to += 4;
		from += 4;
	}
	if (size & 2) {
		WRITE_ONCE(*(u16 *)to, get_unaligned((const u16 *)from));
		to += 2;
		from += 2;
	}
	if (size & 1)
		WRITE_ONCE(*to, *from);
}

static __always_inline void bpfmaps_tail_from_elem(u8 *to, const u8 *from, u32 size)
{
	if (size & 4) {
		put_unaligned(READ_ONCE(*(const u32 *)from), (u32 *)to);
		to += 4;
		from += 4;
	}
	if (size & 2) {
		put_unaligned(READ_ONCE(*(const u16 *)from), (u16 *)to);
		to += 2;
		from += 2;
	}
	if (size & 1)
		*to = READ_ONCE(*from);
}

/* @to is an element, aligned to 8; @from needs no alignment. */
static __always_inline void bpfmaps_copy_to_elem(void *to, const void *from, u32 size)
{
	u32 i, words = size / sizeof(long);

	if (size == sizeof(long)) {
		bpfmaps_word_to_elem(to, from, 0);
		return;
	}
	for (; words >= 8; words -= 8) {
		bpfmaps_four_words_to_elem(to, from);
		bpfmaps_four_words_to_elem(to + 4 * sizeof(long), from + 4 * sizeof(long));
		to += 8 * sizeof(long);
		from += 8 * sizeof(long);
	}
	if (words >= 4) {
		bpfmaps_four_words_to_elem(to, from);
		to += 4 * sizeof(long);
		from += 4 * sizeof(long);
		words -= 4;
	}
	for (i = 0; i < words; i++)
		bpfmaps_word_to_elem(to, from, i);
	if (size % sizeof(long))
		bpfmaps_tail_to_elem(to + words * sizeof(long), from + words * sizeof(long),
				     size % sizeof(long));
}

/* @from is an element, aligned to 8; @to needs no alignment. */
static __always_inline void bpfmaps_copy_from_elem(void *to, const void *from, u32 size)
{
	u32 i, words = size / sizeof(long);

	if (size == sizeof(long)) {
		bpfmaps_word_from_elem(to, from, 0);
		return;
	}
	if (size == sizeof(u32)) {
		put_unaligned(READ_ONCE(*(const u32 *)from), (u32 *)to);
		return;
	}
	for (; words >= 8; words -= 8) {
		bpfmaps_four_words_from_elem(to, from);
		bpfmaps_four_words_from_elem(to + 4 * sizeof(long), from + 4 * sizeof(long));
		to += 8 * sizeof(long);
		from += 8 * sizeof(long);
	}
	if (words >= 4) {
		bpfmaps_four_words_from_elem(to, from);
		to += 4 * sizeof(long);
		from += 4 * sizeof(long);
		words -= 4;
	}
	for (i = 0; i < words; i++)
		bpfmaps_word_from_elem(to, from, i);
	if (size % sizeof(long))
		bpfmaps_tail_from_elem(to + words * sizeof(long), from + words * sizeof(long),
				       size % sizeof(long));
}

/* Under the lock. */
static inline void bpfmaps_seq_write(struct bpfmaps_seq *seq, void *elem, const void *value,
				     u32 size)
{
	write_seqcount_begin(&seq->count);
	bpfmaps_copy_to_elem(elem, value, size);
	write_seqcount_end(&seq->count);
}

/*
 * One try without the lock: begin, copy, and use what was copied if bpfmaps_seq_valid(). An odd
 * start is a writer at work: the copy would be in vain.
 */
static inline bool bpfmaps_seq_begin(const struct bpfmaps_seq *seq, unsigned int *start)
{
	*start = raw_read_seqcount(&seq->count);
	if (likely(!(*start & 1)))
		return true;
	/* For KCSAN the accesses that follow belonged to a try that is none. */
	kcsan_atomic_next(0);
	return false;
}

static inline bool bpfmaps_seq_valid(const struct bpfmaps_seq *seq, unsigned int start)
{
	return !read_seqcount_retry(&seq->count, start);
}

#endif /* _BPFMAPS_SEQ_H */
