// SPDX-License-Identifier: GPL-2.0-only
/*
 * Types that are newer than the running kernel: which its bpf(2) has, and that here all work. The
 * bpf(2) of the kernel of "make check" has them all; selftests/kernels.sh runs this on older ones.
 */
#include <kselftest_harness.h>

#include "release.h"
#include "ringbuf_util.h"

#define BUFFER	4096
#define ENTRIES	4096

struct kind;

struct made {
	const struct kind *kind;
	int dev;
	int map;
	int inner;
};

/* A type, sizes that bpf(2) takes for it, the release that brought it, and what has to work. */
struct kind {
	__u32 type;
	const char *name;
	__u32 key;
	__u32 value;
	__u32 flags;
	unsigned int since;
	bool holds_maps;
	bool stays;		/* cannot be deleted */
	bool (*works)(const struct made *made);
};

static unsigned char key[8] = { 32, 0, 0, 0, 10, 1, 2, 3 };

/* Whether a look-up gives a value of such bytes; of per-CPU types, that of the first CPU. */
static bool holds(const struct made *made, unsigned char byte)
{
	unsigned char out[BUFFER], want[BUFFER];

	memset(want, byte, sizeof(want));
	memset(out, ~byte, sizeof(out));
	return !bm_lookup(made->map, key, out) && !memcmp(out, want, made->kind->value);
}

static bool keyed_works(const struct made *made)
{
	unsigned char value[BUFFER], next[8];
	int gone = made->kind->stays ? -EINVAL : 0;
	int left = made->kind->stays ? 0 : -ENOENT;

	memset(value, 0x5a, sizeof(value));
	if (bm_update(made->map, key, value, BPFMAPS_ANY) || !holds(made, 0x5a))
		return false;
	memset(value, 0xa5, sizeof(value));
	if (bm_update(made->map, key, value, BPFMAPS_EXIST) || !holds(made, 0xa5))
		return false;
	return !bm_next(made->map, NULL, next) && bm_delete(made->map, key) == gone &&
	       bm_lookup(made->map, key, value) == left;
}

static bool holder_works(const struct made *made)
{
	__u32 id = 0;

	return !bm_update(made->map, key, &made->inner, BPFMAPS_ANY) &&
	       !bm_lookup(made->map, key, &id) && id && id == bm_id(made->inner) &&
	       !bm_delete(made->map, key) && bm_lookup(made->map, key, &id) == -ENOENT;
}

static int take(int map, __u64 *value)
{
	return bm_elem(map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL, value, 0);
}

/* Two values go in; the queue gives back the first, the stack the second. */
static bool taking_works(const struct made *made)
{
	bool queue = made->kind->type == BPFMAPS_TYPE_QUEUE;
	__u64 one = 1, two = 2, value = 0;

	if (bm_update(made->map, NULL, &one, 0) || bm_update(made->map, NULL, &two, 0))
		return false;
	if (bm_lookup(made->map, NULL, &value) || value != (queue ? one : two))
		return false;
	if (take(made->map, &value) || value != (queue ? one : two))
		return false;
	return !take(made->map, &value) && value == (queue ? two : one) &&
	       take(made->map, &value) == -ENOENT;
}

/* What was added is there; of many others nearly none is. */
static bool filter_works(const struct made *made)
{
	unsigned int found = 0;
	__u64 value;

	for (value = 0; value < 100; value++) {
		if (bm_update(made->map, NULL, &value, BPFMAPS_ANY))
			return false;
	}
	for (value = 0; value < 100; value++) {
		if (bm_lookup(made->map, NULL, &value))
			return false;
	}
	for (value = 100; value < 1100; value++)
		found += !bm_lookup(made->map, NULL, &value);
	return found < 50;
}

static bool ring_works(const struct made *made)
{
	struct ring r = { .fd = made->map, .size = ENTRIES };
	bool right;

	if (!ring_map(&r, BPFMAPS_TYPE_RINGBUF) || rb_output(made->map, "record", 7, 0))
		return false;
	right = pos_load(r.producer) == record_bytes(7) && ring_hdr(&r, 0)->len == 7 &&
		!memcmp(ring_hdr(&r, 0) + 1, "record", 7);
	ring_unmap(&r);
	return right;
}

static bool user_ring_works(const struct made *made)
{
	struct ring r = { .fd = made->map, .size = ENTRIES };
	struct bpfmaps_ringbuf_hdr hdr;
	unsigned char out[64];
	bool right;

	if (!ring_map(&r, BPFMAPS_TYPE_USER_RINGBUF))
		return false;
	ring_hdr(&r, 0)->len = 7;
	memcpy(ring_hdr(&r, 0) + 1, "record", 7);
	pos_store(r.producer, record_bytes(7));
	right = rb_drain(made->map, out, sizeof(out), 0) == (int)record_bytes(7) &&
		pos_load(r.consumer) == record_bytes(7);
	memcpy(&hdr, out, sizeof(hdr));
	ring_unmap(&r);
	return right && hdr.len == 7 && !memcmp(out + sizeof(hdr), "record", 7);
}

#define KIND(NAME, text)	.type = BPFMAPS_TYPE_##NAME, .name = text

static const struct kind kinds[] = {
	{ KIND(HASH, "hash"), 4, 8, .works = keyed_works },
	{ KIND(ARRAY, "array"), 4, 8, .stays = true, .works = keyed_works },
	{ KIND(PERCPU_HASH, "percpu_hash"), 4, 8, .works = keyed_works },
	{ KIND(PERCPU_ARRAY, "percpu_array"), 4, 8, .stays = true, .works = keyed_works },
	{ KIND(LRU_HASH, "lru_hash"), 4, 8, .works = keyed_works },
	{ KIND(LRU_PERCPU_HASH, "lru_percpu_hash"), 4, 8, .works = keyed_works },
	{ KIND(LPM_TRIE, "lpm_trie"), 8, 8, BPFMAPS_F_NO_PREALLOC, .works = keyed_works },
	{ KIND(ARRAY_OF_MAPS, "array_of_maps"), 4, 4, .holds_maps = true, .works = holder_works },
	{ KIND(HASH_OF_MAPS, "hash_of_maps"), 4, 4, .holds_maps = true, .works = holder_works },
	{ KIND(QUEUE, "queue"), 0, 8, .works = taking_works },
	{ KIND(STACK, "stack"), 0, 8, .works = taking_works },
	{ KIND(RINGBUF, "ringbuf"), 0, 0, .since = RELEASE(5, 8), .works = ring_works },
	{ KIND(BLOOM_FILTER, "bloom_filter"), 0, 8, .since = RELEASE(5, 16),
	  .works = filter_works },
	{ KIND(USER_RINGBUF, "user_ringbuf"), 0, 0, .since = RELEASE(6, 1),
	  .works = user_ring_works },
};

/* -errno, or a descriptor: the same attributes on both sides. */
static int create(const struct made *made, enum world w, int inner)
{
	const struct kind *k = made->kind;
	struct bpfmaps_create_attr a = {
		.map_type = k->type,
		.key_size = k->key,
		.value_size = k->value,
		.max_entries = ENTRIES,
		.map_flags = k->flags,
		.inner_map_fd = k->holds_maps ? inner : 0,
	};

	return world_call(w, made->dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

static int create_inner(int dev, enum world w)
{
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	};

	return world_call(w, dev, BPFMAPS_MAP_CREATE, &a, sizeof(a));
}

/* 0, or -errno of bpf(2) */
static int bpf_has(const struct made *made)
{
	int inner = create_inner(-1, BPF), ret = create(made, BPF, inner);

	close(inner);
	if (ret < 0)
		return ret;
	close(ret);
	return 0;
}

static bool works_here(struct made *made)
{
	bool works;

	made->inner = create_inner(made->dev, OURS);
	made->map = create(made, OURS, made->inner);
	works = made->map >= 0 && made->kind->works(made);
	close(made->map);
	close(made->inner);
	return works;
}

/* Each type of the one list has its line here, and no line is left over. */
TEST(every_type_is_tried)
{
	static const struct { __u32 number; const char *name; } types[] = {
#define TYPE_ENTRY(nr, NAME, text)	{ nr, #text },
		BPFMAPS_TYPES(TYPE_ENTRY)
	};
	size_t i;

	ASSERT_EQ(ARRAY_SIZE(types), ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(types[i].number, kinds[i].type);
		EXPECT_STREQ(types[i].name, kinds[i].name);
	}
}

/* bpf(2) has exactly the types of its release and says EINVAL to others; here all of them work. */
TEST(types_newer_than_the_kernel)
{
	unsigned int release = kernel_release(), has = 0, works = 0;
	struct made made = { .dev = bm_open() };
	struct utsname kernel;
	size_t i;

	ASSERT_LE(0, made.dev);
	ASSERT_NE(0, release);
	ASSERT_EQ(0, uname(&kernel));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool expected = kinds[i].since <= release;
		int bpf;
		bool here;

		made.kind = &kinds[i];
		bpf = bpf_has(&made);
		here = works_here(&made);
		printf("# %s: bpf(2) %s, here it %s\n", kinds[i].name,
		       bpf ? strerror(-bpf) : "has it", here ? "works" : "does not work");
		EXPECT_EQ(expected ? 0 : -EINVAL, bpf);
		EXPECT_TRUE(here);
		has += !bpf;
		works += here;
	}
	printf("# total: bpf(2) of %s has %u of %zu types, here %s%u\n", kernel.release, has,
	       ARRAY_SIZE(kinds), works == ARRAY_SIZE(kinds) ? "all " : "", works);
	EXPECT_EQ(ARRAY_SIZE(kinds), works);
	close(made.dev);
}

TEST_HARNESS_MAIN
