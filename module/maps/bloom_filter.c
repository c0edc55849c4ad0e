// SPDX-License-Identifier: GPL-2.0-only
/*
 * BLOOM_FILTER: a set that may say "perhaps" of a value that was never added, and is never wrong
 * with "no"
 *
 * A value is hashed once, to 64 bits, and the halves of that are the first bit's number and the
 * distance to the next: as good as a few hash functions, and as cheap as one (Kirsch and
 * Mitzenmacher, 2006). Adding sets these bits; a value is in the set, perhaps, if all of its bits
 * are set. There are as many bits as make one wrong "perhaps" in about 32 look-ups, with
 * max_entries values and the 5 hash functions that are the default; map_extra asks for 1 to 15.
 */
#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "../map.h"

#define BLOOM_CREATE_FLAGS (BPFMAPS_F_NUMA_NODE | BPFMAPS_F_ZERO_SEED | BPFMAPS_ACCESS_FLAGS)

#define BLOOM_HASHES		5
#define BLOOM_HASHES_MASK	0xf

/**
 * struct bloom_map - the type's struct
 * @map: what all types have
 * @mask: number of bits - 1
 * @hashes: how many bits a value has
 * @seed: of the hash function, which callers cannot find out by false answers
 * @bits: the set
 */
struct bloom_map {
	struct bpfmaps_map map;
	u32 mask;
	u32 hashes;
	siphash_key_t seed;
	unsigned long *bits;
};

static struct bloom_map *to_bloom(const struct bpfmaps_map *map)
{
	return container_of(map, struct bloom_map, map);
}

/* Where the bits of a value are. */
struct bloom_bits {
	u32 bit;
	u32 step;
};

static u32 bloom_next(const struct bloom_map *bloom, struct bloom_bits *bits)
{
	u32 bit = bits->bit & bloom->mask;

	bits->bit += bits->step;
	return bit;
}

/* The distance is odd, so that there is no bit twice. */
static struct bloom_bits bloom_hash(const struct bloom_map *bloom, const void *value)
{
	u64 hash;

	if (bloom->map.value_size == sizeof(u64))
		hash = siphash_1u64(get_unaligned((const u64 *)value), &bloom->seed);
	else
		hash = siphash(value, bloom->map.value_size, &bloom->seed);
	return (struct bloom_bits){ .bit = hash, .step = hash >> 32 | 1 };
}

static int bloom_alloc_check(const struct bpfmaps_create_attr *attr)
{
	if (attr->value_size > KMALLOC_MAX_SIZE)
		return -E2BIG;
	if (attr->map_extra & ~(u64)BLOOM_HASHES_MASK ||
	    attr->map_flags & ~BLOOM_CREATE_FLAGS ||
	    !bpfmaps_map_prog_flags_valid(attr->map_flags))
		return -EINVAL;
	return attr->key_size || !attr->value_size || !attr->max_entries ? -EINVAL : 0;
}

/*
 * The best number of bits is values * hashes / ln 2, and 7 / 5 is near 1 / ln 2. Rounded up to a
 * power of two, and 2^32 at the most.
 */
static u64 bloom_nr_bits(const struct bloom_map *bloom)
{
	u64 bits = (u64)bloom->map.max_entries * bloom->hashes / 5 * 7;

	return clamp_t(u64, roundup_pow_of_two(max_t(u64, bits, 1)), BITS_PER_LONG, 1ULL << 32);
}

static u64 bloom_bytes(const struct bloom_map *bloom)
{
	return ((u64)bloom->mask + 1) / BITS_PER_BYTE;
}

static int bloom_alloc(struct bpfmaps_map *map)
{
	struct bloom_map *bloom = to_bloom(map);

	bloom->hashes = map->map_extra ?: BLOOM_HASHES;
	if (!(map->map_flags & BPFMAPS_F_ZERO_SEED))
		get_random_bytes(&bloom->seed, sizeof(bloom->seed));
	bloom->mask = bloom_nr_bits(bloom) - 1;
	bloom->bits = bpfmaps_area_alloc(bloom_bytes(bloom), map->numa_node);
	return PTR_ERR_OR_ZERO(bloom->bits);
}

static void bloom_free(struct bpfmaps_map *map)
{
	bpfmaps_area_free(to_bloom(map)->bits);
}

static int bloom_push_elem(struct bpfmaps_map *map, const void *value, u64 flags,
			   enum bpfmaps_from from)
{
	struct bloom_map *bloom = to_bloom(map);
	struct bloom_bits bits;
	int err;
	u32 i;

	if (flags != BPFMAPS_ANY)
		return -EINVAL;
	bits = bloom_hash(bloom, value);
	rcu_read_lock();
	err = bpfmaps_map_check_write(map, from);
	for (i = 0; i < bloom->hashes && !err; i++)
		set_bit(bloom_next(bloom, &bits), bloom->bits);
	rcu_read_unlock();
	return err;
}

static int bloom_peek_elem(struct bpfmaps_map *map, void *value, u64 *ticket)
{
	const struct bloom_map *bloom = to_bloom(map);
	struct bloom_bits bits = bloom_hash(bloom, value);
	u32 i;

	for (i = 0; i < bloom->hashes; i++)
		if (!test_bit(bloom_next(bloom, &bits), bloom->bits))
			return -ENOENT;
	return 0;
}

/* A value cannot be taken out: its bits may be those of others, too. */
static int bloom_delete_elem(struct bpfmaps_map *map, const void *key, enum bpfmaps_from from)
{
	return -EOPNOTSUPP;
}

static int bloom_get_next_key(struct bpfmaps_map *map, const void *key, void *next_key)
{
	return -EOPNOTSUPP;
}

static u64 bloom_mem_usage(const struct bpfmaps_map *map)
{
	return bpfmaps_area_mem_usage(bloom_bytes(to_bloom(map)));
}

const struct bpfmaps_map_ops bpfmaps_bloom_filter_ops = {
	.map_size		= sizeof(struct bloom_map),
	.batch			= BIT(BPFMAPS_BATCH_UPDATE),
	.peek_is_test		= true,
	.map_alloc_check	= bloom_alloc_check,
	.map_alloc		= bloom_alloc,
	.map_free		= bloom_free,
	.map_delete_elem	= bloom_delete_elem,
	.map_get_next_key	= bloom_get_next_key,
	.map_push_elem		= bloom_push_elem,
	.map_peek_elem		= bloom_peek_elem,
	.map_mem_usage		= bloom_mem_usage,
};
