// SPDX-License-Identifier: GPL-2.0-only
/* What holds for array_of_maps and hash_of_maps, on bpf(2) and on /dev/bpfmaps. */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include <kselftest_harness.h>

#include "map_in_map.h"
#include "scale.h"

#define MAX_OUTER	8

FIXTURE(outer) {
	struct side s;		/* the side that the test is about */
	struct side other;
	int template;
	int map;		/* the outer map, empty */
	int in;			/* fits */
	__u32 id;		/* of @in */
	int null;		/* no map at all */
};

FIXTURE_VARIANT(outer) {
	__u32 type;
	bool bpf;
};

FIXTURE_VARIANT_ADD(outer, array_bpf) {
	.type = BPFMAPS_TYPE_ARRAY_OF_MAPS,
	.bpf = true,
};

FIXTURE_VARIANT_ADD(outer, array_dev) {
	.type = BPFMAPS_TYPE_ARRAY_OF_MAPS,
	.bpf = false,
};

FIXTURE_VARIANT_ADD(outer, hash_bpf) {
	.type = BPFMAPS_TYPE_HASH_OF_MAPS,
	.bpf = true,
};

FIXTURE_VARIANT_ADD(outer, hash_dev) {
	.type = BPFMAPS_TYPE_HASH_OF_MAPS,
	.bpf = false,
};

FIXTURE_SETUP(outer)
{
	self->s.dev = variant->bpf ? -1 : bm_open();
	self->other.dev = variant->bpf ? bm_open() : -1;
	ASSERT_LE(0, variant->bpf ? self->other.dev : self->s.dev);
	self->template = mm_new_inner(&self->s);
	ASSERT_LE(0, self->template);
	self->map = mm_new_outer(&self->s, variant->type, MAX_OUTER, 0, self->template);
	ASSERT_LE(0, self->map);
	self->in = mm_new_inner(&self->s);
	ASSERT_LE(0, self->in);
	self->id = mm_id(&self->s, self->in);
	self->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->null);
}

FIXTURE_TEARDOWN(outer)
{
	close(self->null);
	close(self->in);
	close(self->map);
	close(self->template);
	close(variant->bpf ? self->other.dev : self->s.dev);
}

TEST_F(outer, create_refuses_a_template)
{
	struct side *s = &self->s;
	int foreign = mm_new_inner(&self->other);

	ASSERT_LE(0, foreign);
	EXPECT_EQ(-EBADF, mm_new_outer(s, variant->type, 4, 0, -1));
	EXPECT_EQ(-EBADF, mm_new_outer(s, variant->type, 4, 0, 1000));
	EXPECT_EQ(-EINVAL, mm_new_outer(s, variant->type, 4, 0, self->null));
	EXPECT_EQ(-EINVAL, mm_new_outer(s, variant->type, 4, 0, foreign));
	EXPECT_EQ(-EINVAL, mm_new_outer(s, variant->type, 4, 0, self->map));
	close(foreign);
}

/* What create says of a map with these changes, with a template that is one and with none. */
static void expect_create(struct __test_metadata *_metadata, const struct side *s,
			  const struct bpfmaps_create_attr *attr, int template, int good, int bad)
{
	struct bpfmaps_create_attr a = *attr;
	int ret;

	a.inner_map_fd = template;
	ret = mm_call(s, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	EXPECT_EQ(good, ret < 0 ? ret : 0);
	if (ret >= 0)
		close(ret);
	a.inner_map_fd = -1;
	EXPECT_EQ(bad, mm_call(s, BPFMAPS_MAP_CREATE, &a, sizeof(a)));
}

TEST_F(outer, create_checks_the_rest_first)
{
	const struct bpfmaps_create_attr good = {
		.map_type = variant->type,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 4,
	};
	static const __u32 sizes[] = { 0, 1, 2, 8, 0x80000000, 0xffffffff };
	struct bpfmaps_create_attr a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		a = good;
		a.value_size = sizes[i];
		expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	}
	a = good;
	a.key_size = 0;
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	a = good;
	a.max_entries = 0;
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	a = good;
	a.map_flags = BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY;
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	a = good;
	a.map_extra = 1;
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	a = good;
	a.map_flags = BPFMAPS_F_NUMA_NODE;
	a.numa_node = 1000;
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EINVAL);
	/* The name comes last. */
	a = good;
	a.map_name[0] = '-';
	expect_create(_metadata, &self->s, &a, self->template, -EINVAL, -EBADF);
	expect_create(_metadata, &self->s, &good, self->template, 0, -EBADF);
}

/* Each flag alone, of the descriptor, of the values, of a hash or of an array. */
TEST_F(outer, create_flags)
{
	bool hash = variant->type == BPFMAPS_TYPE_HASH_OF_MAPS;
	const __u32 all = BPFMAPS_F_NUMA_NODE | BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY;
	const __u32 of_hash = BPFMAPS_F_NO_PREALLOC | BPFMAPS_F_ZERO_SEED |
			      BPFMAPS_F_RDONLY_PROG | BPFMAPS_F_WRONLY_PROG;
	struct bpfmaps_map_info info;
	bool taken;
	int bit, map;

	for (bit = 0; bit < 32; bit++) {
		taken = (all | (hash ? of_hash : 0)) >> bit & 1;
		map = mm_new_outer(&self->s, variant->type, 4, 1U << bit, self->template);
		EXPECT_EQ(taken ? 0 : -EINVAL, map < 0 ? map : 0)
			TH_LOG("flag %d", bit);
		if (map < 0)
			continue;
		EXPECT_EQ(0, mm_info(&self->s, map, &info));
		EXPECT_EQ(1U << bit & ~(BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY), info.map_flags);
		close(map);
	}
}

TEST_F(outer, update_refuses)
{
	struct side *s = &self->s;
	int foreign = mm_new_inner(&self->other);
	int bad[] = {
		self->null, foreign, self->map,
		mm_new(s, BPFMAPS_TYPE_HASH, 4, 8, MAX_INNER, 0),
		mm_new(s, BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, MAX_INNER, 0),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 4, MAX_INNER, 0),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 16, MAX_INNER, 0),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER, BPFMAPS_F_MMAPABLE),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER, BPFMAPS_F_RDONLY_PROG),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER - 1, 0),
		mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER + 1, BPFMAPS_F_INNER_MAP),
		mm_new_outer(s, BPFMAPS_TYPE_ARRAY_OF_MAPS, 4, 0, self->template),
		mm_new_outer(s, BPFMAPS_TYPE_HASH_OF_MAPS, 4, 0, self->template),
	};
	size_t i;

	EXPECT_EQ(-EBADF, mm_put(s, self->map, 1, -1, BPFMAPS_ANY));
	EXPECT_EQ(-EBADF, mm_put(s, self->map, 1, 1000, BPFMAPS_ANY));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_LE(0, bad[i]);
		EXPECT_EQ(-EINVAL, mm_put(s, self->map, 1, bad[i], BPFMAPS_ANY))
			TH_LOG("map %zu", i);
	}
	EXPECT_EQ(-ENOENT, mm_get(s, self->map, 1));
	/* What was there stays there. */
	ASSERT_EQ(0, mm_put(s, self->map, 1, self->in, BPFMAPS_ANY));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, mm_put(s, self->map, 1, bad[i], BPFMAPS_ANY));
		if (bad[i] != self->null && bad[i] != self->map)
			close(bad[i]);
	}
	EXPECT_EQ(self->id, mm_get(s, self->map, 1));
}

TEST_F(outer, update_flags)
{
	static const __u64 flags[] = { 3, BPFMAPS_F_LOCK, 5, 8, 1ULL << 32, 1ULL << 63 };
	__u32 *bad = (void *)0x1000UL, key = 1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 1, self->in, flags[i]))
			TH_LOG("flags %llx", flags[i]);
	EXPECT_EQ(-EFAULT, mm_elem(&self->s, BPFMAPS_MAP_UPDATE_ELEM, self->map, bad, &key, 0));
	EXPECT_EQ(-EFAULT, mm_elem(&self->s, BPFMAPS_MAP_UPDATE_ELEM, self->map, &key, bad, 0));
	EXPECT_EQ(-ENOENT, mm_get(&self->s, self->map, 1));
	EXPECT_EQ(-EFAULT, mm_elem(&self->s, BPFMAPS_MAP_LOOKUP_ELEM, self->map, bad, &key, 0));
	ASSERT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-EFAULT, mm_elem(&self->s, BPFMAPS_MAP_LOOKUP_ELEM, self->map, &key, bad, 0));
	for (i = 1; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, mm_elem(&self->s, BPFMAPS_MAP_LOOKUP_ELEM, self->map, &key,
					   &key, flags[i]));
}

/* Refused maps are not held. */
TEST_F(outer, refused_maps_are_let_go)
{
	int map = mm_new(&self->s, BPFMAPS_TYPE_ARRAY, 4, 16, MAX_INNER, 0);
	__u32 id = mm_id(&self->s, map), in = mm_id(&self->s, self->in);

	EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 1, map, BPFMAPS_ANY));
	close(map);
	EXPECT_FALSE(mm_lives(&self->s, id));
	/* Of a hash these are taken and given back, of an array they are refused before. */
	EXPECT_GT(0, mm_put(&self->s, self->map, 99, self->in, BPFMAPS_EXIST));
	EXPECT_EQ(-EINVAL, mm_put(&self->s, self->map, 1, self->in, 3));
	close(self->in);
	EXPECT_FALSE(mm_lives(&self->s, in));
	self->in = -1;
}

TEST_F(outer, put_replace_delete)
{
	struct side *s = &self->s;
	int in = mm_new_inner(s);
	__u32 id = mm_id(s, in), key;

	ASSERT_LE(0, in);
	for (key = 0; key < MAX_OUTER; key++) {
		EXPECT_EQ(-ENOENT, mm_get(s, self->map, key));
		EXPECT_EQ(-ENOENT, mm_delete(s, self->map, key));
		EXPECT_EQ(0, mm_put(s, self->map, key, self->in, BPFMAPS_ANY));
		EXPECT_EQ(self->id, mm_get(s, self->map, key));
	}
	for (key = 0; key < MAX_OUTER; key += 2) {
		EXPECT_EQ(0, mm_put(s, self->map, key, in, BPFMAPS_ANY));
		EXPECT_EQ(id, mm_get(s, self->map, key));
		EXPECT_EQ(self->id, mm_get(s, self->map, key + 1));
	}
	for (key = 0; key < MAX_OUTER; key++) {
		EXPECT_EQ(0, mm_delete(s, self->map, key));
		EXPECT_EQ(-ENOENT, mm_delete(s, self->map, key));
		EXPECT_EQ(-ENOENT, mm_get(s, self->map, key));
	}
	close(in);
	EXPECT_TRUE(mm_dies(s, id));
}

/* The same map into its own place. */
TEST_F(outer, replaced_by_itself)
{
	int i;

	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	close(self->in);
	self->in = -1;
	EXPECT_EQ(self->id, mm_get(&self->s, self->map, 1));
	EXPECT_TRUE(mm_lives(&self->s, self->id));
	EXPECT_EQ(0, mm_delete(&self->s, self->map, 1));
	EXPECT_TRUE(mm_dies(&self->s, self->id));
}

TEST_F(outer, inner_max_entries)
{
	static const struct {
		__u32 type, key, value, flags;
		bool free;	/* to have another max_entries than the template */
	} shapes[] = {
		{ BPFMAPS_TYPE_ARRAY, 4, 8, 0, false },
		{ BPFMAPS_TYPE_ARRAY, 4, 8, BPFMAPS_F_MMAPABLE, false },
		{ BPFMAPS_TYPE_ARRAY, 4, 8, BPFMAPS_F_INNER_MAP, true },
		{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, 0, true },
		{ BPFMAPS_TYPE_HASH, 5, 7, 0, true },
		{ BPFMAPS_TYPE_HASH, 4, 8, BPFMAPS_F_NO_PREALLOC, true },
		{ BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 0, true },
		{ BPFMAPS_TYPE_LPM_TRIE, 8, 8, BPFMAPS_F_NO_PREALLOC, true },
		{ BPFMAPS_TYPE_QUEUE, 0, 8, 0, true },
		{ BPFMAPS_TYPE_STACK, 0, 8, 0, true },
		{ BPFMAPS_TYPE_BLOOM_FILTER, 0, 8, 0, true },
	};
	struct side *s = &self->s;
	int template, outer, same, more;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		template = mm_new(s, shapes[i].type, shapes[i].key, shapes[i].value, 4,
				  shapes[i].flags);
		same = mm_new(s, shapes[i].type, shapes[i].key, shapes[i].value, 4,
			      shapes[i].flags);
		more = mm_new(s, shapes[i].type, shapes[i].key, shapes[i].value, 5,
			      shapes[i].flags);
		outer = mm_new_outer(s, variant->type, 4, 0, template);
		ASSERT_LE(0, outer);
		EXPECT_EQ(shapes[i].free ? 0 : -EINVAL, mm_put(s, outer, 0, more, BPFMAPS_ANY))
			TH_LOG("shape %zu", i);
		EXPECT_EQ(0, mm_put(s, outer, 0, same, BPFMAPS_ANY));
		EXPECT_EQ(mm_id(s, same), mm_get(s, outer, 0));
		EXPECT_EQ(0, mm_put(s, outer, 1, template, BPFMAPS_ANY));
		EXPECT_EQ(mm_id(s, template), mm_get(s, outer, 1));
		close(more);
		close(same);
		close(outer);
		close(template);
	}
}

/* All that is kept of the template is what it is like. */
TEST_F(outer, template_is_not_held)
{
	__u32 id = mm_id(&self->s, self->template);

	close(self->template);
	self->template = -1;
	EXPECT_FALSE(mm_lives(&self->s, id));
	EXPECT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	EXPECT_EQ(self->id, mm_get(&self->s, self->map, 1));
}

TEST_F(outer, inner_maps_live_as_long_as_they_are_held)
{
	struct side *s = &self->s;
	__u32 ids[MAX_OUTER], key;
	int in;

	for (key = 0; key < MAX_OUTER; key++) {
		in = mm_new_inner(s);
		ids[key] = mm_id(s, in);
		ASSERT_EQ(0, mm_put(s, self->map, key, in, BPFMAPS_ANY));
		close(in);
		EXPECT_TRUE(mm_lives(s, ids[key]));
		EXPECT_EQ(ids[key], mm_get(s, self->map, key));
	}
	EXPECT_EQ(0, mm_delete(s, self->map, 0));
	EXPECT_TRUE(mm_dies(s, ids[0]));
	EXPECT_EQ(0, mm_put(s, self->map, 1, self->in, BPFMAPS_ANY));
	EXPECT_TRUE(mm_dies(s, ids[1]));
	for (key = 2; key < MAX_OUTER; key++)
		EXPECT_TRUE(mm_lives(s, ids[key]));
	close(self->map);
	self->map = -1;
	for (key = 2; key < MAX_OUTER; key++)
		EXPECT_TRUE(mm_dies(s, ids[key]));
	EXPECT_TRUE(mm_lives(s, self->id));
}

/* A map that was only held by the outer one is as it was, and can be written to. */
TEST_F(outer, inner_maps_keep_their_values)
{
	__u64 value = 4711, seen = 0;
	__u32 key = 2;
	int in;

	EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_UPDATE_ELEM, self->in, &key, &value, 0));
	ASSERT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	close(self->in);
	in = mm_open(&self->s, mm_get(&self->s, self->map, 1), 0);
	self->in = in;
	ASSERT_LE(0, in);
	EXPECT_EQ(0, mm_elem(&self->s, BPFMAPS_MAP_LOOKUP_ELEM, in, &key, &seen, 0));
	EXPECT_EQ(4711, seen);
}

TEST_F(outer, narrow_descriptors)
{
	struct side *s = &self->s;
	int ro = mm_open(s, mm_id(s, self->map), BPFMAPS_F_RDONLY);
	int wo = mm_open(s, mm_id(s, self->map), BPFMAPS_F_WRONLY);
	__u32 next;

	ASSERT_LE(0, ro);
	ASSERT_LE(0, wo);
	EXPECT_EQ(-EPERM, mm_put(s, ro, 1, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-EPERM, mm_put(s, ro, 1, -1, BPFMAPS_ANY));
	EXPECT_EQ(-EPERM, mm_delete(s, ro, 1));
	EXPECT_EQ(0, mm_put(s, wo, 1, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-EPERM, mm_get(s, wo, 1));
	EXPECT_EQ(-EPERM, mm_elem(s, BPFMAPS_MAP_GET_NEXT_KEY, wo, NULL, &next, 0));
	EXPECT_EQ(self->id, mm_get(s, ro, 1));
	close(ro);
	close(wo);
}

/*
 * Who looks up maps in the kernel reads and writes them, so here it takes a descriptor that may do
 * both to put one in. As a template any will do.
 */
TEST_F(outer, narrow_inner_descriptors)
{
	static const __u32 flags[] = { BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY };
	__u32 key = 4, count;
	struct side *s = &self->s;
	int in, outer, other, want = variant->bpf ? 0 : -EPERM;
	size_t i;

	other = mm_new(s, BPFMAPS_TYPE_ARRAY, 4, 8, MAX_INNER + 1, 0);
	ASSERT_LE(0, other);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		in = mm_open(s, self->id, flags[i]);
		ASSERT_LE(0, in);
		outer = mm_new_outer(s, variant->type, 1, 0, in);
		EXPECT_LE(0, outer);
		close(outer);
		EXPECT_EQ(want, mm_put(s, self->map, i, in, BPFMAPS_ANY));
		EXPECT_EQ(want ? -ENOENT : (long long)self->id, mm_get(s, self->map, i));
		count = 1;
		EXPECT_EQ(want, mm_batch(s, BPFMAPS_MAP_UPDATE_BATCH, self->map, NULL, &key,
					 (__u32 *)&in, &count));
		EXPECT_EQ(want ? 0 : 1, count);
		close(in);
		/* What would not fit in any case is told first. */
		in = mm_open(s, mm_id(s, other), flags[i]);
		EXPECT_EQ(-EINVAL, mm_put(s, self->map, i, in, BPFMAPS_ANY));
		close(in);
	}
	close(other);
	in = mm_open(s, self->id, 0);
	EXPECT_EQ(0, mm_put(s, self->map, 2, in, BPFMAPS_ANY));
	close(in);
	close(self->in);
	self->in = -1;
	EXPECT_TRUE(mm_lives(s, self->id));
	for (key = 0; key < MAX_OUTER; key++)
		mm_delete(s, self->map, key);
	EXPECT_TRUE(mm_dies(s, self->id));
}

TEST_F(outer, frozen)
{
	struct bpfmaps_elem_attr a = { .map_fd = self->map };
	struct side *s = &self->s;

	ASSERT_EQ(0, mm_put(s, self->map, 1, self->in, BPFMAPS_ANY));
	ASSERT_EQ(0, mm_call(s, BPFMAPS_MAP_FREEZE, &a, 4));
	EXPECT_EQ(-EPERM, mm_put(s, self->map, 2, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-EPERM, mm_put(s, self->map, 2, -1, BPFMAPS_ANY));
	EXPECT_EQ(-EPERM, mm_delete(s, self->map, 1));
	EXPECT_EQ(self->id, mm_get(s, self->map, 1));
	EXPECT_EQ(-ENOENT, mm_get(s, self->map, 2));
	/* A frozen map can be put into another. */
	a.map_fd = self->in;
	ASSERT_EQ(0, mm_call(s, BPFMAPS_MAP_FREEZE, &a, 4));
	close(self->map);
	self->map = mm_new_outer(s, variant->type, 1, 0, self->in);
	EXPECT_EQ(0, mm_put(s, self->map, 0, self->in, BPFMAPS_ANY));
}

TEST_F(outer, other_commands)
{
	struct pollfd p = { .fd = self->map, .events = POLLIN | POLLOUT };
	__u32 key = 1, value;

	ASSERT_EQ(0, mm_put(&self->s, self->map, 1, self->in, BPFMAPS_ANY));
	EXPECT_EQ(-ENOTSUPP, mm_elem(&self->s, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, self->map,
				     &key, &value, 0));
	EXPECT_EQ(self->id, mm_get(&self->s, self->map, 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->map, 0));
	EXPECT_EQ(ENOTSUPP, errno);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLERR, p.revents);
}

TEST_F(outer, info_and_fdinfo)
{
	struct bpfmaps_map_info info;

	EXPECT_EQ(0, mm_info(&self->s, self->map, &info));
	EXPECT_EQ(variant->type, info.type);
	EXPECT_EQ(4, info.key_size);
	EXPECT_EQ(4, info.value_size);
	EXPECT_EQ(MAX_OUTER, info.max_entries);
	EXPECT_EQ(0, info.map_flags);
	EXPECT_EQ(variant->type, bm_fdinfo(self->map, "map_type"));
	EXPECT_EQ(4, bm_fdinfo(self->map, "value_size"));
	EXPECT_EQ(MAX_OUTER, bm_fdinfo(self->map, "max_entries"));
	EXPECT_LT(0, bm_fdinfo(self->map, "memlock"));
}

/* Its own memory, not that of the maps it holds. */
TEST_F(outer, memlock)
{
	int template, outer, in;
	long long before;

	if (variant->bpf) {
		printf("# bpf(2) tells what it was created with\n");
		fflush(stdout);
		return;
	}
	template = mm_new(&self->s, BPFMAPS_TYPE_ARRAY, 4, 1 << 20, 1, 0);
	in = mm_new(&self->s, BPFMAPS_TYPE_ARRAY, 4, 1 << 20, 1, 0);
	outer = mm_new_outer(&self->s, variant->type, 10000, 0, template);
	before = bm_fdinfo(outer, "memlock");
	EXPECT_LE(10000 * 8, before);
	EXPECT_GT(10000 * 800, before);
	EXPECT_EQ(0, mm_put(&self->s, outer, 1, in, BPFMAPS_ANY));
	EXPECT_EQ(before, bm_fdinfo(outer, "memlock"));
	close(in);
	close(outer);
	close(template);
}

TEST_F(outer, batch_update)
{
	struct side *s = &self->s;
	int in = mm_new_inner(s);
	__u32 keys[] = { 3, 1, 0, 2 }, values[] = { in, self->in, self->null, in };
	__u32 count = 4, id = mm_id(s, in);

	EXPECT_EQ(-EINVAL, mm_batch(s, BPFMAPS_MAP_UPDATE_BATCH, self->map, NULL, keys, values,
				    &count));
	EXPECT_EQ(2, count);
	EXPECT_EQ(id, mm_get(s, self->map, 3));
	EXPECT_EQ(self->id, mm_get(s, self->map, 1));
	EXPECT_EQ(-ENOENT, mm_get(s, self->map, 0));
	EXPECT_EQ(-ENOENT, mm_get(s, self->map, 2));
	values[2] = self->in;
	count = 4;
	EXPECT_EQ(0, mm_batch(s, BPFMAPS_MAP_UPDATE_BATCH, self->map, NULL, keys, values, &count));
	EXPECT_EQ(4, count);
	EXPECT_EQ(self->id, mm_get(s, self->map, 0));
	EXPECT_EQ(id, mm_get(s, self->map, 2));
	EXPECT_EQ(0, mm_put_all(s, self->map, 4, self->in));
	close(in);
	EXPECT_TRUE(mm_dies(s, id));
}

/* Ids come out, with the keys they belong to; what is not there is passed by. */
TEST_F(outer, batch_lookup)
{
	__u32 keys[MAX_OUTER + 1], ids[MAX_OUTER + 1], count = 5, met = 0, i;
	struct side *s = &self->s;
	__u32 in = mm_new_inner(s), id = mm_id(s, in);

	EXPECT_EQ(-ENOENT, mm_batch(s, BPFMAPS_MAP_LOOKUP_BATCH, self->map, NULL, keys, ids,
				    &count));
	EXPECT_EQ(0, count);
	for (i = 1; i < MAX_OUTER; i += 2)
		EXPECT_EQ(0, mm_put(s, self->map, i, i == 3 ? in : (__u32)self->in, BPFMAPS_ANY));
	memset(keys, 0x5a, sizeof(keys));
	memset(ids, 0x5a, sizeof(ids));
	count = MAX_OUTER;
	EXPECT_EQ(-ENOENT, mm_batch(s, BPFMAPS_MAP_LOOKUP_BATCH, self->map, NULL, keys, ids,
				    &count));
	EXPECT_EQ(MAX_OUTER / 2, count);
	for (i = 0; i < count; i++) {
		ASSERT_GT(MAX_OUTER, keys[i]);
		EXPECT_EQ(keys[i] == 3 ? id : self->id, ids[i]);
		met |= 1 << keys[i];
	}
	EXPECT_EQ(0xaa, met);
	EXPECT_EQ(0x5a5a5a5a, keys[count]);
	EXPECT_EQ(0x5a5a5a5a, ids[count]);
	close(in);
}

/* Only a hash lets go of maps in batches, and nothing is held afterwards. */
TEST_F(outer, batch_delete)
{
	const bool hash = variant->type == BPFMAPS_TYPE_HASH_OF_MAPS;
	__u32 keys[MAX_OUTER] = { 2, 0, 7, 1 }, ids[MAX_OUTER], count = 4, i;
	struct side *s = &self->s;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, mm_put(s, self->map, i, self->in, BPFMAPS_ANY));
	EXPECT_EQ(hash ? -ENOENT : -ENOTSUPP,
		  mm_batch(s, BPFMAPS_MAP_DELETE_BATCH, self->map, NULL, keys, NULL, &count));
	EXPECT_EQ(hash ? 2 : 4, count);
	EXPECT_EQ(hash ? -ENOENT : (long long)self->id, mm_get(s, self->map, 0));
	EXPECT_EQ(self->id, mm_get(s, self->map, 1));
	count = MAX_OUTER;
	EXPECT_EQ(hash ? -ENOENT : -ENOTSUPP,
		  mm_batch(s, BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH, self->map, NULL, keys, ids,
			   &count));
	EXPECT_EQ(hash ? 2 : MAX_OUTER, count);
	for (i = 0; hash && i < count; i++)
		EXPECT_EQ(self->id, ids[i]);
	EXPECT_EQ(hash ? -ENOENT : (long long)self->id, mm_get(s, self->map, 1));
	close(self->in);
	self->in = -1;
	EXPECT_TRUE(hash ? mm_dies(s, self->id) : mm_lives(s, self->id));
}

#define POOL	5

struct crowd {
	const struct side *s;
	int outer;
	int in[POOL];
	__u32 ids[POOL];
	unsigned int rounds;
	unsigned int seed;
	unsigned int writers;
	unsigned int found;
	unsigned int strange;
	long long last;
};

static unsigned int dice(unsigned int *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void *crowd_write(void *arg)
{
	struct crowd *c = arg;
	unsigned int i, seed = __atomic_add_fetch(&c->seed, 1, __ATOMIC_RELAXED);
	int ret;

	/* All rounds may be over before a reader runs at all. */
	for (i = 0; i < c->rounds || !__atomic_load_n(&c->found, __ATOMIC_RELAXED); i++) {
		if (dice(&seed) % 4 == 0)
			ret = mm_delete(c->s, c->outer, dice(&seed) % 3);
		else
			ret = mm_put(c->s, c->outer, dice(&seed) % 3, c->in[dice(&seed) % POOL],
				     BPFMAPS_ANY);
		if (ret && ret != -ENOENT) {
			c->last = ret;
			__atomic_add_fetch(&c->strange, 1, __ATOMIC_RELAXED);
		}
	}
	__atomic_sub_fetch(&c->writers, 1, __ATOMIC_RELEASE);
	return NULL;
}

static bool crowd_knows(const struct crowd *c, long long id)
{
	int i;

	for (i = 0; i < POOL; i++)
		if (c->ids[i] == id)
			return true;
	return false;
}

static void *crowd_read(void *arg)
{
	struct crowd *c = arg;
	unsigned int seed = __atomic_add_fetch(&c->seed, 1, __ATOMIC_RELAXED);
	long long id;

	while (__atomic_load_n(&c->writers, __ATOMIC_ACQUIRE)) {
		id = mm_get(c->s, c->outer, dice(&seed) % 3);
		if (id == -ENOENT)
			continue;
		__atomic_add_fetch(&c->found, 1, __ATOMIC_RELAXED);
		if (!crowd_knows(c, id)) {
			c->last = id;
			__atomic_add_fetch(&c->strange, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

/* References are neither lost nor left by many who write to the same places. */
TEST_F(outer, many_at_a_time)
{
	struct crowd c = { .s = &self->s, .outer = self->map, .rounds = scaled(100), .writers = 3 };
	pthread_t threads[5];
	int i;

	for (i = 0; i < POOL; i++) {
		c.in[i] = mm_new_inner(&self->s);
		c.ids[i] = mm_id(&self->s, c.in[i]);
		ASSERT_NE(0, c.ids[i]);
	}
	for (i = 0; i < 5; i++)
		pthread_create(&threads[i], NULL, i < 3 ? crowd_write : crowd_read, &c);
	for (i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, c.strange)
		TH_LOG("%lld", c.last);
	EXPECT_LT(0, c.found);
	for (i = 0; i < POOL; i++) {
		EXPECT_EQ(c.ids[i], mm_id(&self->s, c.in[i]));
		close(c.in[i]);
	}
	close(self->map);
	self->map = -1;
	for (i = 0; i < POOL; i++)
		EXPECT_TRUE(mm_dies(&self->s, c.ids[i]));
	printf("# %u look-ups found a map\n", c.found);
	fflush(stdout);
}

/* Maps whose only reference is the place they are in, replaced while others read the place. */
TEST_F(outer, replaced_under_readers)
{
	const int rounds = scaled(100);
	struct crowd c = { .s = &self->s, .outer = self->map, .writers = 1 };
	__u32 id = 0, last = 0;
	pthread_t readers[2];
	int i, in, opened;

	for (i = 0; i < 2; i++)
		pthread_create(&readers[i], NULL, crowd_read, &c);
	for (i = 0; i < rounds || !__atomic_load_n(&c.found, __ATOMIC_RELAXED); i++) {
		in = mm_new_inner(&self->s);
		id = mm_id(&self->s, in);
		EXPECT_EQ(0, mm_put(&self->s, self->map, 0, in, BPFMAPS_ANY));
		close(in);
		EXPECT_EQ(id, mm_get(&self->s, self->map, 0));
		opened = mm_open(&self->s, id, 0);
		EXPECT_LE(0, opened);
		close(opened);
		if (last)
			EXPECT_FALSE(mm_lives(&self->s, last));
		last = id;
	}
	__atomic_store_n(&c.writers, 0, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	EXPECT_LT(0, c.found);
	EXPECT_EQ(0, mm_delete(&self->s, self->map, 0));
	EXPECT_FALSE(mm_lives(&self->s, id));
}

static void *close_and_open(void *arg)
{
	struct crowd *c = arg;
	unsigned int i;

	for (i = 0; i < c->rounds; i++) {
		dup2(c->in[1], c->in[0]);
		close(c->in[0]);
	}
	__atomic_store_n(&c->writers, 0, __ATOMIC_RELEASE);
	return NULL;
}

/* The descriptor goes away while it is used. */
TEST_F(outer, descriptor_closed_meanwhile)
{
	struct crowd c = {
		.s = &self->s, .outer = self->map, .rounds = scaled(3000), .writers = 1,
		.in = { 500, self->in },
	};
	unsigned int put = 0, closed = 0;
	pthread_t thread;
	int ret;

	pthread_create(&thread, NULL, close_and_open, &c);
	while (__atomic_load_n(&c.writers, __ATOMIC_ACQUIRE)) {
		ret = mm_put(&self->s, self->map, 0, 500, BPFMAPS_ANY);
		put += !ret;
		closed += ret == -EBADF;
		EXPECT_TRUE(!ret || ret == -EBADF);
	}
	pthread_join(thread, NULL);
	printf("# put %u times, closed %u times\n", put, closed);
	fflush(stdout);
	close(self->in);
	self->in = -1;
	mm_delete(&self->s, self->map, 0);
	EXPECT_FALSE(mm_lives(&self->s, self->id));
}

TEST_HARNESS_MAIN
