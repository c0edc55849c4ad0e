// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps in maps: what a map that holds maps takes, and how it lets go of it
 *
 * A map of maps keeps of its template only what other maps are compared with. Maps that hold maps
 * are not held themselves, so references never form a circle.
 */
#include <linux/file.h>
#include <linux/rcupdate.h>

#include "map.h"

static int inner_set(struct bpfmaps_inner *inner, struct file *file)
{
	const struct bpfmaps_map *map = bpfmaps_map_of_file(file);

	if (IS_ERR(map))
		return PTR_ERR(map);
	if (map->ops->holds_maps)
		return -EINVAL;
	inner->map_type = map->map_type;
	inner->key_size = map->key_size;
	inner->value_size = map->value_size;
	inner->max_entries = map->max_entries;
	inner->map_flags = map->map_flags;
	return 0;
}

/* Fill @inner with what the map of a descriptor is like. Called at creation of a map of maps. */
int bpfmaps_inner_set(struct bpfmaps_inner *inner, u32 fd)
{
	struct fd f = fdget(fd);
	int err;

	if (!fd_file(f))
		return -EBADF;
	err = inner_set(inner, fd_file(f));
	fdput(f);
	return err;
}

static bool inner_fits(const struct bpfmaps_inner *inner, const struct bpfmaps_map *map)
{
	if (map->map_type != inner->map_type || map->key_size != inner->key_size ||
	    map->value_size != inner->value_size || map->map_flags != inner->map_flags)
		return false;
	return !map->ops->inner_has_max || map->map_flags & BPFMAPS_F_INNER_MAP ||
	       map->max_entries == inner->max_entries;
}

static struct bpfmaps_map *inner_of_file(const struct bpfmaps_map *outer, struct file *file)
{
	struct bpfmaps_map *map = bpfmaps_map_of_file(file);

	if (IS_ERR(map))
		return map;
	if (!inner_fits(&outer->inner, map))
		return ERR_PTR(-EINVAL);
	if (~file->f_mode & (FMODE_READ | FMODE_WRITE))
		return ERR_PTR(-EPERM);
	bpfmaps_map_inc(map);
	return map;
}

/*
 * The map of a descriptor of the current process, with a reference, if @outer takes it; -EBADF or
 * -EINVAL. Who has @outer in the kernel reads and writes the maps in it, so -EPERM for a descriptor
 * that may not do both: it would be a way around what it was made for.
 */
struct bpfmaps_map *bpfmaps_inner_get(const struct bpfmaps_map *outer, u32 fd)
{
	struct bpfmaps_map *map;
	struct fd f = fdget(fd);

	if (!fd_file(f))
		return ERR_PTR(-EBADF);
	map = inner_of_file(outer, fd_file(f));
	fdput(f);
	return map;
}

/*
 * Called when a system call has written to @outer, without locks: when this returns no user in the
 * kernel works on a map any more that was taken out, but those that hold a reference of their own.
 */
void bpfmaps_inner_wait(const struct bpfmaps_map *outer)
{
	if (outer->ops->holds_maps)
		synchronize_rcu();
}
