// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs each case on bpf(2) and on /dev/bpfmaps and compares what is seen.
 *
 * ORACLE_CASE=pattern	only the cases whose name matches (the last test then fails)
 * ORACLE_SEED=number	the seed of the random sequences
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "../scale.h"
#include "oracle.h"

#define RANDOM_OPS	20000

/* For the case that runs this program again: is the descriptor open, and of which kind? */
static void answer_exec(const char *number)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%s", number);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		_exit(3);
	_exit(strcmp(target, "anon_inode:bpf-map") ? 4 : 5);
}

static void __attribute__((constructor)) setup(void)
{
	const char *number = getenv("ORACLE_FD");

	if (number)
		answer_exec(number);
	oracle_setup();
}

static void compare_all(struct __test_metadata *_metadata, const char *name, __u32 types,
			void (*cases)(const struct map_type *t))
{
	unsigned int before = differences(), done[NR_TYPES];
	time_t start = time(NULL);
	size_t i;

	for (i = 0; i < NR_TYPES; i++) {
		done[i] = compared(&map_types[i]);
		if (types >> i & 1)
			cases(&map_types[i]);
		done[i] = compared(&map_types[i]) - done[i];
	}
	printf("# compared: %s:", name);
	for (i = 0; i < NR_TYPES; i++) {
		if (types >> i & 1)
			printf(" %s %u", map_types[i].name, done[i]);
	}
	printf(", %ld s\n", (long)(time(NULL) - start));
	fflush(stdout);
	EXPECT_EQ(before, differences());
}

/* A back end that is wrong in one way or another, to see that it is found out. */
static enum lie { NO_LIE, RETURN, ERRNO, VALUE, GUARD_BYTE, ATTR } lie;

static int lying_call(struct run *r, unsigned int cmd, void *attr, unsigned int size)
{
	int ret = bpf_backend.call(r, cmd, attr, size);

	if (cmd != BPFMAPS_MAP_LOOKUP_ELEM)
		return ret;
	if (lie == RETURN && !ret)
		return 1;
	if (lie == ERRNO && ret)
		errno = EIO;
	if (lie == VALUE && !ret)
		r->out[GUARD + 7] ^= 1;
	if (lie == GUARD_BYTE && !ret)
		r->out[GUARD + 8] = 0;
	if (lie == ATTR)
		((char *)attr)[size - 1] ^= 1;
	return ret;
}

static const struct backend liar = {
	.name = "a liar", .fs = "/sys/fs/bpf", .fstype = "bpf", .call = lying_call,
};

static void two_lookups(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	lookup_noted(r, "absent", fd, STD_ABSENT, 8);
	lookup_noted(r, "present", fd, STD_PRESENT, 8);
}

TEST(the_oracle_notices)
{
	for (lie = NO_LIE; lie <= ATTR; lie++) {
		EXPECT_EQ(lie != NO_LIE,
			  traces_differ(&bpf_backend, &liar, &hash_type, two_lookups, NULL))
			TH_LOG("lie %d", lie);
	}
}

TEST(back_ends_are_there)
{
	EXPECT_EQ(0, differences());
}

/* Types by their place in map_types[]. */
#define ALL_TYPES	0xfff
#define HASH_AND_ARRAY	0x03
#define ARRAY		0x02
#define TRIE		0x10
#define QUEUE_AND_STACK	0x60
#define BLOOM		0x80
#define HOLDING		0x300
#define RINGS		0xc00
#define KEYED_ALIKE	0x0f	/* keys of any 4 bytes */

#define SUBJECT(name, types)					\
TEST_F(subject, name)						\
{								\
	compare_all(_metadata, #name, types, name##_cases);	\
}

FIXTURE(subject) {
	int unused;
};

FIXTURE_SETUP(subject)
{
}

FIXTURE_TEARDOWN(subject)
{
}

SUBJECT(create, ALL_TYPES)
SUBJECT(create_pair, ALL_TYPES)
SUBJECT(attr_size, ALL_TYPES)
SUBJECT(attr_word, ALL_TYPES)
SUBJECT(pointer, ALL_TYPES)
SUBJECT(precedence, ALL_TYPES)
SUBJECT(descriptor, HASH_AND_ARRAY)
SUBJECT(elem, ALL_TYPES)
SUBJECT(full, KEYED_ALIKE)
SUBJECT(iterate, KEYED_ALIKE | HOLDING)
SUBJECT(batch, ALL_TYPES)
SUBJECT(holding, HOLDING)
SUBJECT(ring, RINGS)
SUBJECT(flow, RINGS)
SUBJECT(trie, TRIE)
SUBJECT(taking, QUEUE_AND_STACK)
SUBJECT(bloom, BLOOM)
SUBJECT(freeze, ALL_TYPES)
SUBJECT(access, ALL_TYPES)
SUBJECT(id, ALL_TYPES)
SUBJECT(info, ALL_TYPES)
SUBJECT(pin, ALL_TYPES)
SUBJECT(pinfs, HASH_AND_ARRAY)
SUBJECT(mmap, ALL_TYPES)
SUBJECT(mapping, ARRAY)
SUBJECT(file, ALL_TYPES)
SUBJECT(pass, ALL_TYPES)

static unsigned long long the_seed(void)
{
	const char *text = getenv("ORACLE_SEED");
	unsigned long long seed = 0;

	if (text)
		return strtoull(text, NULL, 0);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	return seed;
}

static void random_sequence(struct __test_metadata *_metadata, const struct map_type *t)
{
	unsigned int before = differences();
	unsigned long long seed = the_seed();
	unsigned long ops = random_ops(t, seed);

	count_operations(t, ops);
	printf("# %s: %lu random operations, ORACLE_SEED=%llu\n", t->name, ops, seed);
	fflush(stdout);
	EXPECT_EQ(before, differences());
	EXPECT_LE(scaled(RANDOM_OPS), ops);
}

/* Sets are asked in cases of their own: of what was not added, each has another opinion. */
#define RANDOM(nr, name)					\
TEST_F(subject, random_##name)					\
{								\
	random_sequence(_metadata, &map_types[nr]);		\
}

RANDOM(0, hash)
RANDOM(1, array)
RANDOM(2, percpu_hash)
RANDOM(3, percpu_array)
RANDOM(4, lpm_trie)
RANDOM(5, queue)
RANDOM(6, stack)
RANDOM(8, array_of_maps)
RANDOM(9, hash_of_maps)

#define COUNTED(number, NAME, text)	number,

/* Which element of these goes is told by rules that bpf(2) does not keep: lru_test has them. */
static bool by_invariants(__u32 type)
{
	return type == BPFMAPS_TYPE_LRU_HASH || type == BPFMAPS_TYPE_LRU_PERCPU_HASH;
}

/* Every other type is compared, and none has lost cases. */
TEST_F(subject, enough_was_compared)
{
	static const __u32 numbers[] = { BPFMAPS_TYPES(COUNTED) };
	const unsigned int step = case_step();
	size_t i, j, found;

	for (i = 0; i < NR_TYPES; i++) {
		printf("# total: %s: %u cases compared, %lu random operations\n", map_types[i].name,
		       compared(&map_types[i]), operations(&map_types[i]));
		/* Which cases a step meets is up to all types: one may get less than its part. */
		EXPECT_LE(step == 1 ? map_types[i].minimum : map_types[i].minimum / step / 2,
			  compared(&map_types[i]));
	}
	fflush(stdout);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (j = 0, found = 0; j < NR_TYPES; j++)
			found += map_types[j].number == numbers[i];
		EXPECT_EQ(!by_invariants(numbers[i]), found)
			TH_LOG("type %u", numbers[i]);
	}
	if (step == 1)
		EXPECT_EQ(0, unused_deviations());
}

TEST_HARNESS_MAIN
