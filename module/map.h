/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map object and its table of operations
 */
#ifndef _BPFMAPS_MAP_H
#define _BPFMAPS_MAP_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include <linux/bpfmaps.h>

#include "compat/compat.h"

struct mem_cgroup;

/* ENOTSUPP is what bpf(2) lets out to user space as 524. */
#define BPFMAPS_ENOTSUPP	524

/* The same for the per-CPU allocator, which knows only this flag against killing. */
#define BPFMAPS_PERCPU_GFP	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_NORETRY)

/* Who may read and write, in user space and in the kernel: all storage types take these. */
#define BPFMAPS_ACCESS_FLAGS	(BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY | \
				 BPFMAPS_F_RDONLY_PROG | BPFMAPS_F_WRONLY_PROG)

/*
 * For all memory that a caller makes the module hold: charged to its memory cgroup, and where there
 * is none left the caller gets ENOMEM and nobody is killed.
 */
#define BPFMAPS_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* Values above this size are never copied with interrupts off. */
#define BPFMAPS_ATOMIC_VALUE	PAGE_SIZE

/* With these a value is that of one CPU. */
#define BPFMAPS_ONE_VALUE	(BPFMAPS_F_CPU | BPFMAPS_F_ALL_CPUS)

enum bpfmaps_batch_op {
	BPFMAPS_BATCH_LOOKUP,
	BPFMAPS_BATCH_LOOKUP_AND_DELETE,
	BPFMAPS_BATCH_UPDATE,
	BPFMAPS_BATCH_DELETE,
};

/**
 * struct bpfmaps_chunk - some elements on their way to or from user space
 * @keys: key_size bytes each
 * @values: value_size bytes each
 * @value_size: as bpfmaps_map_io_size() says
 * @flags: BPFMAPS_F_CPU and BPFMAPS_F_TOUCH
 * @room: how many fit
 * @fill: how many there are
 */
struct bpfmaps_chunk {
	void *keys;
	void *values;
	u32 value_size;
	u64 flags;
	u32 room;
	u32 fill;
};

/* Between two steps: let others run, and go no further if the caller is killed. */
static inline bool bpfmaps_killed(void)
{
	cond_resched();
	return fatal_signal_pending(current);
}

/* Elements may be in long chains, so others run in the middle of a chunk, too. */
static inline void bpfmaps_batch_pause(u32 nr)
{
	if (nr % 64 == 63)
		cond_resched();
}

/**
 * enum bpfmaps_from - who writes
 * @BPFMAPS_FROM_USER: a system call, which a frozen map refuses; may sleep
 * @BPFMAPS_FROM_KERNEL: another module, where it may sleep
 * @BPFMAPS_FROM_ATOMIC: another module, where it may not
 */
enum bpfmaps_from {
	BPFMAPS_FROM_USER,
	BPFMAPS_FROM_KERNEL,
	BPFMAPS_FROM_ATOMIC,
};

/**
 * struct bpfmaps_map_ops - what a map type does; one table per type
 * @map_size: bytes of the type's struct, whose first member is a struct bpfmaps_map
 * @map_alloc_check: may this be created? Reads @attr only. Process context.
 * @map_alloc: allocate what belongs to the type; all fields of the map are set. Process
 *	context. On an error @map_free is not called.
 * @map_free: free what @map_alloc and the operations allocated. Process context; a grace period
 *	has passed since the last user was gone.
 * @holds_maps: the values are maps: system calls pass a descriptor in and get an id out, and users
 *	in the kernel cannot update or delete: @map_update_elem and @map_delete_elem are
 *	called from system calls only.
 * @inner_has_max: an inner map has the max_entries of its template, but for BPFMAPS_F_INNER_MAP
 * @batch: bits of enum bpfmaps_batch_op, the batches that there are
 * @percpu: values are there once for each CPU, and one may be asked for
 * @lru: a look-up can count as a use
 * @peek_is_test: @map_peek_elem reads the value and only says whether it is there
 * @map_lookup_elem: the address of the value of @key, or NULL. Under rcu_read_lock(), any
 *	context but NMI; the value stays that key's as long as the reader section lasts.
 * @map_lookup_map: of types with @holds_maps, which have no @map_lookup_elem: the map under @key,
 *	or NULL. Under rcu_read_lock(), any context but NMI; it is not freed as long as the
 *	reader section lasts.
 * @map_lookup_percpu_elem: the address of the value of a CPU, a possible one
 * @map_copy_value: copy out one whole value of @key, never a mix of two updates; -ENOENT. @flags
 *	are BPFMAPS_F_CPU and BPFMAPS_F_TOUCH, where the type has them. Process context, may
 *	sleep.
 * @map_update_elem: set the value of @key, which BPFMAPS_FROM_USER has bpfmaps_map_io_size()
 *	bytes; of @flags only those of per-CPU types were checked. Any context but NMI, as
 *	@from says. Where the write becomes visible, in a section that synchronize_rcu() or
 *	@map_settle waits for, it asks bpfmaps_map_check_write().
 * @map_delete_elem: remove @key; the same holds.
 * @map_delete_value: remove @key if its value is still @value, what @map_copy_value has copied out;
 *	-EAGAIN if it is another, -ENOENT if the key is gone. Called from system calls.
 * @map_push_elem: for types without keys: add @value; otherwise as @map_update_elem.
 * @map_peek_elem: copy out the value that is next, or -ENOENT; @ticket stands for it. Any context
 *	but NMI.
 * @map_peek_many: fill @chunk with the values that are next, or some; @ticket stands for them.
 *	-ENOENT if there are no more. Process context.
 * @map_pop_elems: remove the @nr values that are next if @ticket still stands for them, or -EAGAIN.
 *	So a value leaves the map only when it has safely arrived. Any context but NMI.
 * @map_get_next_key: copy the key behind @key (NULL: the first) to @next_key; a @key that is not
 *	there counts as NULL; -ENOENT behind the last. Process context, may sleep.
 * @map_settle: wait for writers that may sleep and began before. Process context, killable. NULL if
 *	there are none.
 * @map_reclaim: wait until the memory has come back that only waits for readers. Process context.
 *	NULL if there is none.
 * @map_for_each: call @fn under rcu_read_lock() for each element until it returns other than 0;
 *	returns what it returned. Process context, may sleep between elements.
 * @map_collect: append elements to @chunk, in steps that are never broken up, from @cursor
 *	on, which is left where it goes on. 0 when the chunk is full, -ENOENT behind the last
 *	element, -ENOSPC if not even one step fits. Process context, may sleep. NULL: batches go
 *	by keys.
 * @map_collect_next: batches go by keys: append elements behind @key, or with NULL from the first
 *	on, until the chunk is full; -ENOENT if the last one came before. Process context, may
 *	sleep. NULL: by @map_get_next_key and @map_copy_value.
 * @map_update_many: set the values of the keys in @chunk, which is from a system call; @done is
 *	how many were set. NULL: one by one by @map_update_elem.
 * @map_mmap_size: bytes that can be mapped, or a negative errno.
 * @map_mmap_writable: may these pages be mapped writable? NULL: all may.
 * @map_mmap_page: the page at @pgoff of the mapping, below @map_mmap_size, or NULL for a hole.
 * @map_poll: as in struct file_operations.
 * @map_mem_usage: bytes that are held now, without the map's own struct. Any context.
 *
 * Operations that a type does not have are NULL and give -ENOTSUPP.
 */
struct bpfmaps_map_ops {
	size_t map_size;
	u8 batch;
	bool holds_maps;
	bool inner_has_max;
	bool peek_is_test;
	bool percpu;
	bool lru;
	int (*map_alloc_check)(const struct bpfmaps_create_attr *attr);
	int (*map_alloc)(struct bpfmaps_map *map);
	void (*map_free)(struct bpfmaps_map *map);
	void *(*map_lookup_elem)(struct bpfmaps_map *map, const void *key);
	struct bpfmaps_map *(*map_lookup_map)(struct bpfmaps_map *map, const void *key);
	void *(*map_lookup_percpu_elem)(struct bpfmaps_map *map, const void *key, u32 cpu);
	int (*map_copy_value)(struct bpfmaps_map *map, const void *key, void *value, u64 flags);
	int (*map_update_elem)(struct bpfmaps_map *map, const void *key, const void *value,
			       u64 flags, enum bpfmaps_from from);
	int (*map_delete_elem)(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from);
	int (*map_delete_value)(struct bpfmaps_map *map, const void *key, const void *value);
	int (*map_push_elem)(struct bpfmaps_map *map, const void *value, u64 flags,
			     enum bpfmaps_from from);
	int (*map_peek_elem)(struct bpfmaps_map *map, void *value, u64 *ticket);
	int (*map_peek_many)(struct bpfmaps_map *map, struct bpfmaps_chunk *chunk, u64 *ticket);
	int (*map_pop_elems)(struct bpfmaps_map *map, u64 ticket, u32 nr, enum bpfmaps_from from);
	int (*map_settle)(struct bpfmaps_map *map);
	void (*map_reclaim)(struct bpfmaps_map *map);
	int (*map_get_next_key)(struct bpfmaps_map *map, const void *key, void *next_key);
	int (*map_for_each)(struct bpfmaps_map *map, bpfmaps_for_each_fn fn, void *ctx);
	int (*map_collect)(struct bpfmaps_map *map, u32 *cursor, struct bpfmaps_chunk *chunk);
	int (*map_collect_next)(struct bpfmaps_map *map, const void *key,
				struct bpfmaps_chunk *chunk);
	int (*map_update_many)(struct bpfmaps_map *map, const struct bpfmaps_chunk *chunk,
			       u64 flags, u32 *done);
	s64 (*map_mmap_size)(struct bpfmaps_map *map);
	bool (*map_mmap_writable)(const struct bpfmaps_map *map, pgoff_t pgoff,
				  unsigned long pages);
	struct page *(*map_mmap_page)(struct bpfmaps_map *map, pgoff_t pgoff);
	__poll_t (*map_poll)(struct bpfmaps_map *map, struct file *file,
			     struct poll_table_struct *pt);
	u64 (*map_mem_usage)(const struct bpfmaps_map *map);
};

/**
 * struct bpfmaps_inner - what the maps that a map holds are like
 * @map_type: number of their type; 0 in maps that hold none
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @max_entries: of the template
 * @map_flags: flags of the map
 */
struct bpfmaps_inner {
	u32 map_type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 map_flags;
};

/**
 * struct bpfmaps_map - what all types have
 * @ops: the type's operations
 * @map_type: number of the type
 * @key_size: bytes of a key
 * @value_size: bytes of a value
 * @user_value_size: bytes of a value in user space, where per-CPU types have one for each CPU
 * @max_entries: how many elements fit
 * @map_flags: flags of the map, without those of a descriptor
 * @numa_node: node to allocate from, or NUMA_NO_NODE
 * @map_extra: what its type makes of it
 * @inner: what it holds, if it holds maps
 * @frozen: user space may not write; only ever set
 * @id: unique among the living maps
 * @name: NUL-terminated
 * @memcg: what is allocated later is charged to the memory cgroup of the creator
 * @owner: effective uid of the creator
 * @user_ns: user namespace of the creator, with a reference
 * @freeze_mutex: orders freezing against new mappings
 * @writable_mappings: how many mappings may be written through
 * @refcnt: descriptors, pins and users in the kernel; mappings hold a descriptor's file
 * @free_work: frees the map after a grace period
 */
struct bpfmaps_map {
	const struct bpfmaps_map_ops *ops;
	u32 map_type;
	u32 key_size;
	u32 value_size;
	u32 user_value_size;
	u32 max_entries;
	u32 map_flags;
	int numa_node;
	u64 map_extra;
	struct bpfmaps_inner inner;
	bool frozen;
	u32 id;
	char name[BPFMAPS_NAME_LEN];
	struct mem_cgroup *memcg;
	kuid_t owner;
	struct user_namespace *user_ns;
	struct mutex freeze_mutex; /* frozen against writable_mappings */
	atomic_long_t writable_mappings;
	refcount_t refcnt ____cacheline_aligned_in_smp;
	struct rcu_work free_work;
};

/* For map_alloc_check: not both of the flags for users in the kernel. */
static inline bool bpfmaps_map_prog_flags_valid(u32 flags)
{
	const u32 both = BPFMAPS_F_RDONLY_PROG | BPFMAPS_F_WRONLY_PROG;

	return (flags & both) != both;
}

/* For per-CPU types, whose values are on the nodes of their CPUs: is one asked for? */
static inline bool bpfmaps_map_names_node(const struct bpfmaps_create_attr *attr)
{
	return attr->map_flags & BPFMAPS_F_NUMA_NODE && attr->numa_node != (u32)NUMA_NO_NODE;
}

/* For types whose keys are indexes. */
static inline u32 bpfmaps_map_index(const void *key)
{
	return get_unaligned((const u32 *)key);
}

/* Bytes of a value in user space, in a call with these flags. */
static inline u32 bpfmaps_map_io_size(const struct bpfmaps_map *map, u64 flags)
{
	return flags & BPFMAPS_ONE_VALUE ? map->value_size : map->user_value_size;
}

/*
 * Of @flags of an update: BPFMAPS_ANY, BPFMAPS_NOEXIST or BPFMAPS_EXIST, or something larger, which
 * the type does not know. Only system calls name CPUs, and bpfmaps_elem_check_flags() has seen it.
 */
static inline u64 bpfmaps_map_update_mode(const struct bpfmaps_map *map, u64 flags,
					  enum bpfmaps_from from)
{
	if (map->ops->percpu && from == BPFMAPS_FROM_USER && flags & BPFMAPS_ONE_VALUE)
		return (u32)flags & ~BPFMAPS_ONE_VALUE;
	return flags;
}

/* For those who write: under the lock that makes the write visible, or rcu_read_lock(). */
static inline int bpfmaps_map_check_write(const struct bpfmaps_map *map, enum bpfmaps_from from)
{
	return from == BPFMAPS_FROM_USER && READ_ONCE(map->frozen) ? -EPERM : 0;
}

/* For system calls: an update, or a push where there are no keys. */
static inline int bpfmaps_map_write(struct bpfmaps_map *map, const void *key, const void *value,
				    u64 flags)
{
	if (!map->key_size)
		return map->ops->map_push_elem(map, value, flags, BPFMAPS_FROM_USER);
	return map->ops->map_update_elem(map, key, value, flags, BPFMAPS_FROM_USER);
}

extern const struct file_operations bpfmaps_map_fops;

/* The map of a map's own descriptor, or an ERR_PTR. */
static inline struct bpfmaps_map *bpfmaps_map_of_file(struct file *file)
{
	if (file->f_op != &bpfmaps_map_fops)
		return ERR_PTR(-EINVAL);
	return file->private_data;
}

/* What user space may do to the map through the file, as FMODE_CAN_*. */
static inline fmode_t bpfmaps_map_mode(const struct bpfmaps_map *map, const struct file *file)
{
	fmode_t mode = file->f_mode;

	if (READ_ONCE(map->frozen))
		mode &= ~FMODE_CAN_WRITE;
	return mode;
}

/* map.c */

int bpfmaps_map_init(void);
void bpfmaps_map_exit(void);
int bpfmaps_map_create(const struct bpfmaps_create_attr *attr);
int bpfmaps_map_new_fd(struct bpfmaps_map *map, u32 flags);
int bpfmaps_map_open_flags(u32 flags);
int bpfmaps_map_next_index(struct bpfmaps_map *map, const void *key, void *next_key);
int bpfmaps_map_freeze(struct bpfmaps_map *map, fmode_t mode);
void bpfmaps_map_fill_info(const struct bpfmaps_map *map, struct bpfmaps_map_info *info);

/* area.c */
void *bpfmaps_area_alloc(u64 size, int numa_node);
void bpfmaps_area_free(void *area);
u64 bpfmaps_area_mem_usage(u64 size);
void *bpfmaps_area_alloc_buf(u32 size, int numa_node);
struct page **bpfmaps_area_alloc_pages(u64 count, u64 slots, int numa_node);
void bpfmaps_area_free_pages(struct page **pages, unsigned long count);

/* buf.c */
#define BPFMAPS_BUF_SIZE	(SZ_16K - 64) /* what the slab adds fits into 16 KiB, too */
int bpfmaps_buf_init(void);
void bpfmaps_buf_exit(void);
void *bpfmaps_buf_alloc(struct bpfmaps_map *map, u32 size);
void bpfmaps_buf_free(void *buf, u32 size);

/* id.c */
int bpfmaps_id_alloc(struct bpfmaps_map *map);
void bpfmaps_id_free(struct bpfmaps_map *map);
int bpfmaps_id_next(u32 start, u32 *next);
struct bpfmaps_map *bpfmaps_id_get(u32 id);
bool bpfmaps_id_none(void);

/* inner.c */
int bpfmaps_inner_set(struct bpfmaps_inner *inner, u32 fd);
struct bpfmaps_map *bpfmaps_inner_get(const struct bpfmaps_map *outer, u32 fd);
void bpfmaps_inner_wait(const struct bpfmaps_map *outer);

/* registry.c, and each type's file */
#define BPFMAPS_TYPE_EXTERN(number, NAME, name) \
	extern const struct bpfmaps_map_ops bpfmaps_##name##_ops;
BPFMAPS_TYPES(BPFMAPS_TYPE_EXTERN)
const struct bpfmaps_map_ops *bpfmaps_registry_find(u32 type);

/* pinfs.c */
int bpfmaps_pinfs_init(void);
void bpfmaps_pinfs_exit(void);
int bpfmaps_pinfs_pin(struct file *file, struct bpfmaps_map *map, int dfd,
		      const char __user *pathname);
struct bpfmaps_map *bpfmaps_pinfs_get(int dfd, const char __user *pathname, fmode_t mode);
struct bpfmaps_map *bpfmaps_pinfs_get_kern(const char *pathname, fmode_t mode);

/* elem.c */
int bpfmaps_elem_check_flags(const struct bpfmaps_map *map, u64 flags, u32 allowed);
int bpfmaps_elem_lookup(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr);
int bpfmaps_elem_update(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr);
int bpfmaps_elem_delete(struct bpfmaps_map *map, fmode_t mode,
			const struct bpfmaps_elem_attr *attr);
int bpfmaps_elem_lookup_and_delete(struct bpfmaps_map *map, fmode_t mode,
				   const struct bpfmaps_elem_attr *attr);
int bpfmaps_elem_next_key(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_elem_attr *attr);

/* batch.c */
int bpfmaps_batch(struct bpfmaps_map *map, fmode_t mode, const struct bpfmaps_batch_attr *attr,
		  enum bpfmaps_batch_op op, u32 __user *ucount);

/* maps/ringbuf.c and maps/user_ringbuf.c */
int bpfmaps_ringbuf_write(struct bpfmaps_map *map, fmode_t mode,
			  const struct bpfmaps_ringbuf_attr *attr);
int bpfmaps_user_ringbuf_read(struct bpfmaps_map *map, fmode_t mode,
			      const struct bpfmaps_ringbuf_attr *attr);

/* ioctl.c */
long bpfmaps_ioctl_device(struct file *file, unsigned int cmd, unsigned long arg);
long bpfmaps_ioctl_map(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _BPFMAPS_MAP_H */
