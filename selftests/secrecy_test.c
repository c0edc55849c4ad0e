// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space never sees: addresses of the kernel, what memory held before, the seeds of hash
 * functions. Part of the security model in bpfmaps(4).
 */
#include <stdint.h>
#include <sys/mman.h>

#include "given.h"

FIXTURE(secrecy) {
	int dev;
	int inner;
};

FIXTURE_SETUP(secrecy)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	ASSERT_LE(0, self->inner);
}

FIXTURE_TEARDOWN(secrecy)
{
	close(self->inner);
	close(self->dev);
}

/* How many bytes are neither zero nor what was put in. */
static unsigned int foreign_bytes(const unsigned char *p, size_t size)
{
	unsigned int nr = 0;
	size_t i;

	for (i = 0; i < size; i++)
		nr += p[i] != 0 && p[i] != FILL;
	return nr;
}

/* How many words look like an address in the kernel; small negative numbers are errnos. */
static unsigned int kernel_addresses(const void *p, size_t size)
{
	unsigned int nr = 0;
	uint64_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= size; i++) {
		memcpy(&word, p + i, sizeof(word));
		nr += word >= 0xffff800000000000 && word < 0xfffffffffffff000;
	}
	return nr;
}

/* The same in text, where they have 16 digits. */
static unsigned int addresses_in_text(FILE *f, const char *with)
{
	unsigned int nr = 0;
	char line[1024], *p;

	while (f && fgets(line, sizeof(line), f)) {
		for (p = line; strstr(line, with) && (p = strstr(p, "ffff")); p++)
			nr += strspn(p, "0123456789abcdef") >= 16;
	}
	return nr;
}

/* All that look-ups of a map return, and its mapping. Returns how many bytes that was. */
static size_t looked_at(const struct given *g, unsigned int *foreign)
{
	static unsigned char value[1 << 16], batched[1 << 16], keys[1 << 12], out[8];
	struct bpfmaps_batch_attr a = {
		.out_batch = (unsigned long)out, .keys = (unsigned long)keys,
		.values = (unsigned long)batched, .count = 16, .map_fd = BPFMAPS_SELF,
	};
	__u32 key[2] = { 0 };
	size_t bytes = 0, i;
	void *p;

	for (i = 0; i < 16; i++) {
		key[0] = i;
		memset(value, 0, sizeof(value));
		if (bm_lookup(g->full, g->s.key ? key : NULL, value))
			continue;
		*foreign += foreign_bytes(value, sizeof(value));
		bytes += g->s.value;
	}
	memset(batched, 0, sizeof(batched));
	if (!bm_call(g->full, BPFMAPS_MAP_LOOKUP_BATCH, &a, sizeof(a)) || a.count < 16)
		bytes += a.count * g->s.value;
	*foreign += foreign_bytes(batched, sizeof(batched));
	for (i = 0; i < 4; i++) {
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, g->full, i * PAGE);
		if (p == MAP_FAILED)
			continue;
		*foreign += foreign_bytes(p, PAGE);
		bytes += PAGE;
		munmap(p, PAGE);
	}
	return bytes;
}

/* Elements come, go, and come again where others were, with values of all sizes. */
static void churn(const struct given *g)
{
	unsigned int round;
	__u32 key[2] = { 0 };

	for (round = 0; round < 3; round++) {
		for (key[0] = 0; key[0] < 16; key[0]++)
			bm_update(g->full, g->s.key ? key : NULL, value_for(g), BPFMAPS_ANY);
		for (key[0] = 0; round < 2 && key[0] < 16; key[0]++)
			bm_delete(g->full, g->s.key ? key : NULL);
	}
}

static const __u32 odd_sizes[] = { 1, 3, 5, 8, 13, 100, 257, 1000 };

/* A type that takes no value of that size is left as it is. */
static bool resize(struct given *g, int dev, __u32 value, __u32 flags)
{
	struct shape s = g->s;
	int map;

	s.value = value;
	s.flags |= flags;
	map = shape_create(dev, &s);
	if (map < 0)
		return false;
	close(g->full);
	g->full = map;
	g->s = s;
	return true;
}

/*
 * Values are zero or what was put in, to their last byte, also in elements that were used before.
 * Maps of maps show ids, which are looked at in the next test.
 */
TEST_F(secrecy, values_are_zero_or_own)
{
	unsigned int foreign = 0, maps = 0;
	struct given g;
	size_t bytes = 0, i, j, k;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (strstr(types[i].name, "_of_maps"))
			continue;
		for (j = 0; j < ARRAY_SIZE(odd_sizes); j++) {
			for (k = 0; k < 2; k++) {
				ASSERT_TRUE(give(&g, self->dev, self->inner, &types[i]));
				resize(&g, self->dev, odd_sizes[j], k ? BPFMAPS_F_NO_PREALLOC : 0);
				bytes += looked_at(&g, &foreign);
				churn(&g);
				bytes += looked_at(&g, &foreign);
				EXPECT_EQ(0, foreign)
					TH_LOG("%s, values of %u bytes", types[i].name, g.s.value);
				take_back(&g);
				maps++;
			}
		}
	}
	EXPECT_LT(100000, bytes);
	printf("# %zu bytes of %u maps\n", bytes, maps);
	fflush(stdout);
}

/* One CPU's value, and the same for all: what the caller does not give is not the kernel's. */
TEST_F(secrecy, padding_of_one_cpu)
{
	static const __u32 percpu[] = {
		BPFMAPS_TYPE_PERCPU_HASH, BPFMAPS_TYPE_PERCPU_ARRAY, BPFMAPS_TYPE_LRU_PERCPU_HASH,
	};
	static unsigned char value[1 << 16];
	unsigned int foreign = 0;
	__u32 key = 0;
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(percpu); i++) {
		map = bm_create(self->dev, percpu[i], 4, 5, 4, 0);
		ASSERT_LE(0, map);
		memset(value, FILL, sizeof(value));
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_F_ALL_CPUS));
		EXPECT_EQ(0, bm_update(map, &key, value, BPFMAPS_F_CPU));
		memset(value, 0, sizeof(value));
		EXPECT_EQ(0, bm_lookup(map, &key, value));
		foreign += foreign_bytes(value, sizeof(value));
		EXPECT_EQ(FILL, value[4]);
		EXPECT_EQ(0, value[5] | value[6] | value[7]);
		close(map);
	}
	EXPECT_EQ(0, foreign);
}

TEST_F(secrecy, no_kernel_address)
{
	static unsigned char buf[1 << 16];
	struct bpfmaps_map_info info;
	unsigned int found = 0;
	__u32 next[2] = { 0 };
	struct given g;
	char path[64];
	size_t i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_TRUE(give(&g, self->dev, self->inner, &types[i]));
		EXPECT_EQ(0, bm_info(g.full, &info));
		found += kernel_addresses(&info, sizeof(info));
		memset(buf, 0, sizeof(buf));
		bm_lookup(g.full, key_for(&g), buf);
		found += kernel_addresses(buf, sizeof(buf));
		bm_next(g.full, NULL, next);
		found += kernel_addresses(next, sizeof(next));
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", g.full);
		f = fopen(path, "re");
		ASSERT_NE(NULL, f);
		found += addresses_in_text(f, "");
		fclose(f);
		EXPECT_EQ(0, found)
			TH_LOG("%s", types[i].name);
		take_back(&g);
	}
	f = popen("dmesg", "re");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(0, addresses_in_text(f, "bpfmaps"));
	pclose(f);
}

#define SEED_KEYS	64

/* The order of the keys, which is that of their hashes. */
static void order_of_keys(int dev, __u32 flags, __u32 *keys)
{
	int map = bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, SEED_KEYS, flags);
	__u64 value = 0;
	__u32 key;

	for (key = 0; key < SEED_KEYS; key++)
		bm_update(map, &key, &value, BPFMAPS_ANY);
	for (key = 0; key < SEED_KEYS; key++)
		bm_next(map, key ? &keys[key - 1] : NULL, &keys[key]);
	close(map);
}

/* Each map has a seed of its own, so that nobody can choose keys for one long chain. */
TEST_F(secrecy, seeds)
{
	__u32 orders[4][SEED_KEYS] = { 0 };
	int i;

	for (i = 0; i < 4; i++)
		order_of_keys(self->dev, i < 2 ? 0 : BPFMAPS_F_ZERO_SEED, orders[i]);
	EXPECT_NE(0, memcmp(orders[0], orders[1], sizeof(orders[0])));
	EXPECT_NE(0, memcmp(orders[0], orders[2], sizeof(orders[0])));
	EXPECT_EQ(0, memcmp(orders[2], orders[3], sizeof(orders[0])));
}

TEST_HARNESS_MAIN
