/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every command, on a map of any type, and what comes of it
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "subject.h"

/* Nothing else is mapped near by: a page here takes an allocation for each level of page tables. */
#define LONELY		((void *)0x200000000000UL)

/* Flags of commands: the map has no room. */
#define CMD_FULL	(1U << 0)
/* The map may have changed by as many elements as the count says. */
#define CMD_BATCH	(1U << 1)
/* What is in an order is taken out in that order. */
#define CMD_TAKES	(1U << 2)
/* The map may have changed by as many bytes as were returned. */
#define CMD_DRAIN	(1U << 3)
/* It is user mode that meets the failure, and tries again. */
#define CMD_TOUCHES	(1U << 4)
/* The same for all maps of a type. */
#define CMD_ONCE	(1U << 5)
/* The same for all maps with keys and values of these sizes. */
#define CMD_SIZES	(1U << 6)
/* The map may be frozen. */
#define CMD_FREEZES	(1U << 7)

/**
 * struct command - one of them
 * @name: for messages
 * @prepare: makes ready what the call needs; NULL: nothing
 * @call: the call, and nothing else: 0 or -errno, or bytes
 * @finish: undoes what is not in the map, and tells whether all was right; NULL: nothing
 * @flags: CMD_*
 */
struct command {
	const char *name;
	void (*prepare)(struct subject *t);
	int (*call)(struct subject *t);
	bool (*finish)(struct subject *t);
	unsigned int flags;
};

/* What came of a call. */
struct outcome {
	int ret;
	__u32 count;
	bool right;
	struct picture picture;
};

static inline void command_begin(const struct command *c, struct subject *t)
{
	if (c->prepare)
		c->prepare(t);
}

/* The call has returned @ret. */
static inline void command_end(const struct command *c, struct subject *t, int ret,
			       struct outcome *got)
{
	t->ret = ret;
	got->ret = ret;
	got->count = c->flags & CMD_BATCH ? t->count : 0;
	got->right = !c->finish || c->finish(t);
	picture_take(t, &got->picture);
}

static inline bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->ret == b->ret && a->count == b->count && picture_equal(&a->picture, &b->picture);
}

static int do_create(struct subject *t)
{
	t->fd = shape_create(t->dev, &t->s);
	return t->fd < 0 ? t->fd : 0;
}

/* It takes the place of the old one, and has to be as good. */
static bool use_new(struct subject *t)
{
	if (t->ret)
		return true;
	if (dup3(t->fd, t->map, O_CLOEXEC) < 0)
		return false;
	close(t->fd);
	return !subject_start(t);
}

/* One that is there; in a queue the number does not matter. */
static unsigned int known(const struct subject *t)
{
	return t->elems - 2;
}

static void clear_out(struct subject *t)
{
	memset(t->out, 0, t->stride);
	if (t->set)
		memcpy(t->out, subject_value(t, known(t)), t->stride);
}

static int do_lookup(struct subject *t)
{
	return bm_lookup(t->map, subject_key(t, known(t)), t->out);
}

static bool check_out(struct subject *t)
{
	return t->ret || !t->s.key || subject_gives(t, known(t), t->out);
}

static int do_take(struct subject *t)
{
	return bm_elem(t->map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, subject_key(t, known(t)),
		       t->out, 0);
}

static int do_insert(struct subject *t)
{
	return bm_update(t->map, subject_key(t, t->elems), subject_value(t, t->elems), 0);
}

static void second_version(struct subject *t)
{
	subject_fill(t, 1);
}

static bool first_version(struct subject *t)
{
	subject_fill(t, 0);
	return true;
}

/* In a queue it is put in the place of the first one that would come, if there is no room. */
static int do_replace(struct subject *t)
{
	return bm_update(t->map, subject_key(t, known(t)), subject_value(t, known(t)),
			 BPFMAPS_EXIST);
}

static int do_delete(struct subject *t)
{
	return bm_delete(t->map, subject_key(t, known(t)));
}

static int do_first_key(struct subject *t)
{
	return bm_next(t->map, NULL, t->out_keys);
}

static int do_next_key(struct subject *t)
{
	return bm_next(t->map, subject_key(t, known(t)), t->out_keys);
}

static bool check_key(struct subject *t)
{
	return t->ret || subject_nr_of_key(t, t->out_keys) < SLOTS;
}

static int batch(struct subject *t, unsigned int cmd, void *values)
{
	struct bpfmaps_batch_attr a = {
		.values = (unsigned long)values,
		.count = t->asked,
		.map_fd = BPFMAPS_SELF,
	};
	int ret;

	if (t->s.key) {
		a.out_batch = (unsigned long)t->cursor;
		a.keys = (unsigned long)t->batch_keys;
	}
	ret = bm_call(t->map, cmd, &a, sizeof(a));
	t->count = a.count;
	return ret;
}

/* More than there are, so that the end is met. */
static void ask_for_all(struct subject *t)
{
	t->asked = SLOTS;
	t->batch_keys = t->out_keys;
	memset(t->out_keys, 0xff, sizeof(t->out_keys));
}

static int do_lookup_batch(struct subject *t)
{
	return batch(t, BPFMAPS_MAP_LOOKUP_BATCH, t->out);
}

static int do_take_batch(struct subject *t)
{
	return batch(t, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, t->out);
}

/* The number of the element that a batch has put at @i; SLOTS for one that nobody has put in. */
static unsigned int batch_nr(struct subject *t, unsigned int i)
{
	if (t->s.key)
		return subject_nr_of_key(t, t->out_keys + (size_t)i * t->s.key);
	return t->stack ? t->elems - 1 - i : i;
}

/* What has arrived is what the map had. */
static bool check_batch_out(struct subject *t)
{
	unsigned int i, nr;

	if (t->count >= t->asked)
		return t->ret && t->ret != -ENOENT;
	for (i = 0; i < t->count; i++) {
		nr = batch_nr(t, i);
		/* Not all indexes of an array were set. */
		if (nr >= SLOTS || (nr < t->elems && !subject_gives(t, nr, subject_out(t, i))))
			return false;
	}
	return true;
}

/* Some that are there, and then some that are not. */
static void ask_for_second_version(struct subject *t)
{
	subject_fill(t, !t->set);
	t->asked = 4;
	t->batch_keys = t->keys + (size_t)known(t) * t->s.key;
}

static int do_update_batch(struct subject *t)
{
	return batch(t, BPFMAPS_MAP_UPDATE_BATCH, subject_value(t, known(t)));
}

static void ask_for_some(struct subject *t)
{
	t->asked = 4;
	t->batch_keys = t->keys + t->s.key;
}

static int do_delete_batch(struct subject *t)
{
	return batch(t, BPFMAPS_MAP_DELETE_BATCH, NULL);
}

static int do_output(struct subject *t)
{
	return rb_output(t->map, t->values, RECORD_SIZE, 0);
}

static int do_drain(struct subject *t)
{
	return rb_drain(t->map, t->out, sizeof(t->out), 0);
}

static int map_lonely(struct subject *t)
{
	t->mapping = mmap(LONELY, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, t->map, 0);
	return t->mapping == MAP_FAILED ? -errno : 0;
}

static void prepare_mapping(struct subject *t)
{
	map_lonely(t);
}

static bool unmap(struct subject *t)
{
	return t->mapping == MAP_FAILED || !munmap(t->mapping, PAGE);
}

static int do_touch(struct subject *t)
{
	if (t->mapping == MAP_FAILED)
		return -ENODEV;
	return *(volatile unsigned char *)t->mapping == *t->values || t->ring ? 0 : -EIO;
}

/* The value that is there already, from where the array is mapped; or from where nothing is. */
static int do_update_from_mapping(struct subject *t)
{
	return bm_update(t->map, subject_key(t, 0), LONELY, 0);
}

static int do_freeze(struct subject *t)
{
	return bm_freeze(t->map);
}

static int do_pin(struct subject *t)
{
	return bm_pin(t->dev, t->map, t->path);
}

static bool unpin(struct subject *t)
{
	return !unlink(t->path) == !t->ret;
}

static void prepare_pin(struct subject *t)
{
	do_pin(t);
}

static int do_get(struct subject *t)
{
	t->fd = bm_get(t->dev, t->path, 0);
	return t->fd < 0 ? t->fd : 0;
}

/* It has to be the map. */
static bool close_fd(struct subject *t)
{
	bool good = t->ret || bm_id(t->fd) == t->id;

	if (!t->ret)
		close(t->fd);
	return good;
}

static bool close_and_unpin(struct subject *t)
{
	return close_fd(t) && !unlink(t->path);
}

static int do_fd_by_id(struct subject *t)
{
	t->fd = bm_fd_by_id(t->dev, t->id, 0);
	return t->fd < 0 ? t->fd : 0;
}

static int do_next_id(struct subject *t)
{
	__u32 next = 0;
	int ret = bm_next_id(t->dev, t->id - 1, &next);

	return ret || next == t->id ? ret : -EIO;
}

static int do_info(struct subject *t)
{
	struct bpfmaps_map_info info;
	int ret = bm_info(t->map, &info);

	return ret || (info.id == t->id && info.type == t->s.type) ? ret : -EIO;
}

static int do_mkdir(struct subject *t)
{
	return mkdir(t->path, 0700) ? -errno : 0;
}

static bool undo_mkdir(struct subject *t)
{
	return !rmdir(t->path) == !t->ret;
}

static int do_symlink(struct subject *t)
{
	return symlink("/sys/fs/bpfmaps/elsewhere", t->path) ? -errno : 0;
}

static int do_rename(struct subject *t)
{
	return rename(t->path, t->other) ? -errno : 0;
}

static bool undo_rename(struct subject *t)
{
	return !unlink(t->other) == !t->ret && !unlink(t->path) == !!t->ret;
}

static int do_unlink(struct subject *t)
{
	return unlink(t->path) ? -errno : 0;
}

static bool undo_unlink(struct subject *t)
{
	return !unlink(t->path) == !!t->ret;
}

static void prepare_directory(struct subject *t)
{
	mkdir(t->path, 0700);
}

static int do_mount(struct subject *t)
{
	return mount("none", t->path, "bpfmaps", 0, "mode=755") ? -errno : 0;
}

static bool undo_mount(struct subject *t)
{
	return !umount(t->path) == !t->ret && !rmdir(t->path);
}

static int do_open(struct subject *t)
{
	t->fd = bm_open();
	return t->fd < 0 ? t->fd : 0;
}

static bool undo_open(struct subject *t)
{
	return t->ret || !close(t->fd);
}

static const struct command map_commands[] = {
	{ "create", NULL, do_create, use_new, 0 },
	{ "look-up", clear_out, do_lookup, check_out, CMD_SIZES },
	{ "insert", NULL, do_insert, NULL, 0 },
	{ "insert, full", NULL, do_insert, NULL, CMD_FULL },
	{ "replace", second_version, do_replace, first_version, 0 },
	{ "replace, full", second_version, do_replace, first_version, CMD_FULL },
	{ "delete", NULL, do_delete, NULL, CMD_SIZES },
	{ "look-up and delete", clear_out, do_take, check_out, CMD_SIZES },
	{ "first key", NULL, do_first_key, check_key, CMD_SIZES },
	{ "next key", NULL, do_next_key, check_key, CMD_SIZES },
	{ "look-up batch", ask_for_all, do_lookup_batch, check_batch_out, CMD_BATCH | CMD_SIZES },
	{ "take batch", ask_for_all, do_take_batch, check_batch_out,
	  CMD_BATCH | CMD_TAKES | CMD_SIZES },
	{ "update batch", ask_for_second_version, do_update_batch, first_version, CMD_BATCH },
	{ "delete batch", ask_for_some, do_delete_batch, NULL, CMD_BATCH | CMD_SIZES },
	{ "output", NULL, do_output, NULL, CMD_ONCE },
	{ "drain", NULL, do_drain, NULL, CMD_DRAIN | CMD_ONCE },
	{ "mmap", NULL, map_lonely, unmap, 0 },
	{ "touch a mapping", prepare_mapping, do_touch, unmap, CMD_TOUCHES },
	{ "update from a mapping", prepare_mapping, do_update_from_mapping, unmap, 0 },
	{ "freeze", NULL, do_freeze, NULL, CMD_FREEZES | CMD_ONCE },
	{ "pin", NULL, do_pin, unpin, CMD_ONCE },
	{ "get", prepare_pin, do_get, close_and_unpin, CMD_ONCE },
	{ "descriptor by id", NULL, do_fd_by_id, close_fd, CMD_ONCE },
	{ "next id", NULL, do_next_id, NULL, CMD_ONCE },
	{ "info", NULL, do_info, NULL, CMD_ONCE },
};

static const struct command file_commands[] = {
	{ "open the device", NULL, do_open, undo_open, 0 },
	{ "mkdir", NULL, do_mkdir, undo_mkdir, 0 },
	{ "symlink", NULL, do_symlink, unpin, 0 },
	{ "rename", prepare_pin, do_rename, undo_rename, 0 },
	{ "unlink", prepare_pin, do_unlink, undo_unlink, 0 },
	{ "mount", prepare_directory, do_mount, undo_mount, 0 },
};

#endif
