// SPDX-License-Identifier: GPL-2.0-only
/*
 * What calls on maps cost at least: /dev/floor, for the benchmark. Its calls move as much between
 * user space and the kernel as those on maps do, and do nothing else; others do one part of the
 * work.
 *
 * A value goes straight between user space and the memory it is in. Copies are made in two ways,
 * word by word within one window of user access or by the functions of the kernel; the benchmark
 * measures both and takes the cheaper one. Nothing is locked: sizes and memory stay as they were
 * set once, and what two threads make of the bytes is their affair.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <uapi/linux/bpfmaps.h>

#include "floor.h"

/**
 * struct floor - what a descriptor stands for
 * @sizes: as they were set
 * @keys: room for the keys of a batch
 * @values: and for its values
 * @elems: elements, which are apart from each other in a map
 * @area: what was taken at once
 * @seed: of hashes
 * @lock: to take and release
 * @sum: where results go to
 * @key: of a call on one element
 */
struct floor {
	struct floor_sizes sizes;
	void *keys;
	void *values;
	void *elems;
	void *area;
	hsiphash_key_t seed;
	raw_spinlock_t lock;
	u32 sum;
	u64 key[FLOOR_MAX_KEY / sizeof(u64)];
};

#define MOVE_FOUR(move, nr)							\
do {										\
	move(long, nr);								\
	move(long, (nr) + 1);							\
	move(long, (nr) + 2);							\
	move(long, (nr) + 3);							\
} while (0)

#define MOVE_STEPS(step, ...)							\
do {										\
	for (; size >= (step); size -= (step)) {				\
		__VA_ARGS__;							\
		to += (step);							\
		from += (step);							\
	}									\
} while (0)

/* Long steps: what a loop costs is hardly more than its loads and stores. */
#define MOVE_WORDS(move)							\
do {										\
	MOVE_STEPS(128, MOVE_FOUR(move, 0); MOVE_FOUR(move, 4);			\
		   MOVE_FOUR(move, 8); MOVE_FOUR(move, 12));			\
	MOVE_STEPS(32, MOVE_FOUR(move, 0));					\
	MOVE_STEPS(8, move(long, 0));						\
	if (size)								\
		move(u32, 0);							\
} while (0)

#define GET_WORD(type, nr)	\
	unsafe_get_user(((type *)to)[nr], (const type __user *)from + (nr), fault)
#define PUT_WORD(type, nr)	\
	unsafe_put_user(((const type *)from)[nr], (type __user *)to + (nr), fault)
/* Words that stay single loads and stores. */
#define MOVE_WORD(type, nr)	WRITE_ONCE(((type *)to)[nr], READ_ONCE(((const type *)from)[nr]))

static __always_inline int get_words(void *to, const void __user *from, u32 size)
{
	if (!user_read_access_begin(from, size))
		return -EFAULT;
	MOVE_WORDS(GET_WORD);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static __always_inline int put_words(void __user *to, const void *from, u32 size)
{
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	MOVE_WORDS(PUT_WORD);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static __always_inline void move_words(void *to, const void *from, u32 size)
{
	MOVE_WORDS(MOVE_WORD);
}

static __always_inline int get_user_bytes(const struct floor *f, void *to, u64 from, u32 size)
{
	if (f->sizes.by_kernel)
		return copy_from_user(to, u64_to_user_ptr(from), size) ? -EFAULT : 0;
	return get_words(to, u64_to_user_ptr(from), size);
}

static __always_inline int put_user_bytes(const struct floor *f, u64 to, const void *from, u32 size)
{
	if (f->sizes.by_kernel)
		return copy_to_user(u64_to_user_ptr(to), from, size) ? -EFAULT : 0;
	return put_words(u64_to_user_ptr(to), from, size);
}

enum { KEY_IN = 1, VALUE_IN = 2, KEY_OUT = 4, VALUE_OUT = 8 };

/* @size and @moves are constants. The next key is where otherwise the value is. */
static __always_inline long floor_single(struct floor *f, const void __user *arg, u32 size,
					 unsigned int moves)
{
	struct bpfmaps_elem_attr attr;
	int err;

	err = get_words(&attr, arg, size);
	if (!err && moves & KEY_IN)
		err = get_user_bytes(f, f->key, attr.key, f->sizes.key);
	if (!err && moves & VALUE_IN)
		err = get_user_bytes(f, f->elems, attr.value, f->sizes.value);
	if (!err && moves & KEY_OUT)
		err = put_user_bytes(f, attr.value, f->key, f->sizes.key);
	if (!err && moves & VALUE_OUT)
		err = put_user_bytes(f, attr.value, f->elems, f->sizes.value);
	return err;
}

/* Where elements have no keys, @key is 0. */
static __always_inline void elems_out(struct floor *f, u32 count, u32 key, u32 value)
{
	void *elem = f->elems, *keys = f->keys, *values = f->values;

	for (; count; count--) {
		if (key)
			move_words(keys, elem, key);
		move_words(values, elem + round_up(key, 8), value);
		keys += key;
		values += value;
		elem += round_up(key, 8) + round_up(value, 8);
	}
}

static __always_inline void elems_in(struct floor *f, u32 count, u32 key, u32 value)
{
	void *elem = f->elems, *keys = f->keys, *values = f->values;

	for (; count; count--) {
		if (key)
			move_words(elem, keys, key);
		move_words(elem + round_up(key, 8), values, value);
		keys += key;
		values += value;
		elem += round_up(key, 8) + round_up(value, 8);
	}
}

/* @move is known to the compiler, and so are the smallest sizes: those loops decide nothing. */
static __always_inline void move_elems(struct floor *f, u32 count,
				       void (*move)(struct floor *, u32, u32, u32))
{
	const u32 key = f->sizes.has_keys ? f->sizes.key : 0;

	if (f->sizes.value == 8 && !key)
		move(f, count, 0, 8);
	else if (f->sizes.value == 8 && key == 4)
		move(f, count, 4, 8);
	else if (f->sizes.value == 8 && key == 8)
		move(f, count, 8, 8);
	else
		move(f, count, key, f->sizes.value);
}

static long batch_out(struct floor *f, const struct bpfmaps_batch_attr *attr)
{
	move_elems(f, attr->count, elems_out);
	return put_user_bytes(f, attr->keys, f->keys, attr->count * f->sizes.key) ?:
	       put_user_bytes(f, attr->values, f->values, attr->count * f->sizes.value);
}

static long batch_in(struct floor *f, const struct bpfmaps_batch_attr *attr)
{
	if (get_user_bytes(f, f->keys, attr->keys, attr->count * f->sizes.key) ||
	    get_user_bytes(f, f->values, attr->values, attr->count * f->sizes.value))
		return -EFAULT;
	move_elems(f, attr->count, elems_in);
	return 0;
}

static __always_inline long floor_batch(struct floor *f, struct bpfmaps_batch_attr __user *uattr,
					bool out)
{
	struct bpfmaps_batch_attr attr;
	long err;

	if (get_words(&attr, uattr, sizeof(attr)))
		return -EFAULT;
	if (attr.count > f->sizes.count)
		return -EINVAL;
	if (put_user(0, &uattr->count))
		return -EFAULT;
	err = out ? batch_out(f, &attr) : batch_in(f, &attr);
	return err ?: put_user(attr.count, &uattr->count);
}

/* As hashes do it, by the size of the key. */
static __always_inline u32 hash_key(const struct floor *f)
{
	const u32 *words = (const u32 *)f->key;

	switch (f->sizes.key) {
	case 4:
		return hsiphash_1u32(words[0], &f->seed);
	case 16:
		return hsiphash_4u32(words[0], words[1], words[2], words[3], &f->seed);
	default:
		return hsiphash(words, f->sizes.key, &f->seed);
	}
}

static __always_inline void floor_turn(struct floor *f, unsigned int cmd)
{
	unsigned long irq;

	switch (cmd) {
	case FLOOR_HASH:
		WRITE_ONCE(f->sum, hash_key(f));
		break;
	case FLOOR_LOCK:
		raw_spin_lock_irqsave(&f->lock, irq);
		raw_spin_unlock_irqrestore(&f->lock, irq);
		break;
	case FLOOR_RCU:
		rcu_read_lock();
		barrier();
		rcu_read_unlock();
		break;
	default:
		barrier();
	}
}

/* @cmd is a constant: nothing is decided in the loop. */
static __always_inline long floor_turns(struct floor *f, unsigned int cmd)
{
	u32 i;

	for (i = 0; i < f->sizes.count; i++)
		floor_turn(f, cmd);
	return 0;
}

static void floor_free(struct floor *f)
{
	if (!f)
		return;
	kvfree(f->keys);
	kvfree(f->values);
	kvfree(f->elems);
	vfree(f->area);
	kfree(f);
}

static bool sizes_valid(const struct floor_sizes *s)
{
	return s->key && s->key <= FLOOR_MAX_KEY && s->key % 4 == 0 &&
	       s->value && s->value <= FLOOR_MAX_VALUE && s->value % 4 == 0 &&
	       s->count && s->count <= FLOOR_MAX_COUNT && s->has_keys <= 1 && s->by_kernel <= 1;
}

static struct floor *floor_alloc(const struct floor_sizes *sizes)
{
	const u32 key = sizes->has_keys ? round_up(sizes->key, 8) : 0;
	struct floor *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	f->sizes = *sizes;
	raw_spin_lock_init(&f->lock);
	f->keys = kvcalloc(sizes->count, sizes->key, GFP_KERNEL_ACCOUNT);
	f->values = kvcalloc(sizes->count, sizes->value, GFP_KERNEL_ACCOUNT);
	f->elems = kvcalloc(sizes->count, key + round_up(sizes->value, 8), GFP_KERNEL_ACCOUNT);
	if (f->keys && f->values && f->elems)
		return f;
	floor_free(f);
	return NULL;
}

static long floor_set(struct file *file, const void __user *arg)
{
	struct floor_sizes sizes;
	struct floor *f;

	if (copy_from_user(&sizes, arg, sizeof(sizes)))
		return -EFAULT;
	if (!sizes_valid(&sizes))
		return -EINVAL;
	f = floor_alloc(&sizes);
	if (!f)
		return -ENOMEM;
	if (!cmpxchg(&file->private_data, NULL, f))
		return 0;
	floor_free(f);
	return -EBUSY;
}

static long floor_area(struct floor *f)
{
	void *area = __vmalloc((unsigned long)f->sizes.count * f->sizes.value,
			       GFP_KERNEL_ACCOUNT | __GFP_ZERO);

	if (!area)
		return -ENOMEM;
	if (!cmpxchg(&f->area, NULL, area))
		return 0;
	vfree(area);
	return -EBUSY;
}

static const struct file_operations file_fops = {
	.owner	= THIS_MODULE,
};

static long floor_part(struct floor *f, unsigned int cmd)
{
	switch (cmd) {
	case FLOOR_TURNS:
		return floor_turns(f, FLOOR_TURNS);
	case FLOOR_HASH:
		return floor_turns(f, FLOOR_HASH);
	case FLOOR_LOCK:
		return floor_turns(f, FLOOR_LOCK);
	case FLOOR_RCU:
		return floor_turns(f, FLOOR_RCU);
	case FLOOR_AREA:
		return floor_area(f);
	case FLOOR_FILE:
		return anon_inode_getfd("floor", &file_fops, NULL, O_CLOEXEC);
	default:
		return -ENOTTY;
	}
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	struct floor *f = READ_ONCE(file->private_data);

	if (!f)
		return cmd == FLOOR_SET ? floor_set(file, uarg) : -EINVAL;
	switch (cmd) {
	case FLOOR_NOTHING:
		return 0;
	case FLOOR_LOOKUP:
		return floor_single(f, uarg, 32, KEY_IN | VALUE_OUT);
	case FLOOR_MISS:
		return floor_single(f, uarg, 32, KEY_IN);
	case FLOOR_UPDATE:
		return floor_single(f, uarg, 32, KEY_IN | VALUE_IN);
	case FLOOR_DELETE:
		return floor_single(f, uarg, 16, KEY_IN);
	case FLOOR_NEXT_KEY:
		return floor_single(f, uarg, 24, KEY_IN | KEY_OUT);
	case FLOOR_PUSH:
		return floor_single(f, uarg, 32, VALUE_IN);
	case FLOOR_POP:
		return floor_single(f, uarg, 32, VALUE_OUT);
	case FLOOR_BATCH_LOOKUP:
		return floor_batch(f, uarg, true);
	case FLOOR_BATCH_UPDATE:
		return floor_batch(f, uarg, false);
	case FLOOR_SET:
		return -EBUSY;
	default:
		return floor_part(f, cmd);
	}
}

/* What a misc device has there at first is itself. */
static int floor_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static int floor_release(struct inode *inode, struct file *file)
{
	floor_free(file->private_data);
	return 0;
}

static const struct file_operations floor_fops = {
	.owner		= THIS_MODULE,
	.open		= floor_open,
	.release	= floor_release,
	.unlocked_ioctl	= floor_ioctl,
};

static struct miscdevice floor_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "floor",
	.fops	= &floor_fops,
	.mode	= 0600,
};

module_misc_device(floor_device);

MODULE_DESCRIPTION("What calls on maps cost at least, for the benchmark");
MODULE_AUTHOR("The bpfmaps authors");
MODULE_LICENSE("GPL");
