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
#include <unistd.h>

#include <kselftest_harness.h>

#include "oracle.h"

/* How many cases there were when this was last written; fewer means that some got lost. */
#define HASH_CASES	2800
#define ARRAY_CASES	3200
#define RANDOM_OPS	40000

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

static void compare_all(struct __test_metadata *_metadata, const char *name,
			void (*cases)(const struct map_type *t))
{
	unsigned int hash = compared(&hash_type), array = compared(&array_type);
	unsigned int before = differences();

	cases(&hash_type);
	cases(&array_type);
	printf("# compared: %s: hash %u, array %u\n", name, compared(&hash_type) - hash,
	       compared(&array_type) - array);
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

/* The time limit is for a machine that is busy with other things. */
#define SUBJECT(name)					\
TEST_F_TIMEOUT(subject, name, 60)			\
{							\
	compare_all(_metadata, #name, name##_cases);	\
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

SUBJECT(create)
SUBJECT(create_pair)
SUBJECT(attr_size)
SUBJECT(attr_word)
SUBJECT(pointer)
SUBJECT(precedence)
SUBJECT(descriptor)
SUBJECT(elem)
SUBJECT(full)
SUBJECT(iterate)
SUBJECT(freeze)
SUBJECT(access)
SUBJECT(id)
SUBJECT(info)
SUBJECT(pin)
SUBJECT(pinfs)
SUBJECT(mmap)
SUBJECT(mapping)
SUBJECT(file)
SUBJECT(pass)

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

	printf("# %s: %lu random operations, ORACLE_SEED=%llu\n", t->name, ops, seed);
	fflush(stdout);
	EXPECT_EQ(before, differences());
	EXPECT_LE(RANDOM_OPS, ops);
}

TEST_F_TIMEOUT(subject, random_hash, 60)
{
	random_sequence(_metadata, &hash_type);
}

TEST_F_TIMEOUT(subject, random_array, 60)
{
	random_sequence(_metadata, &array_type);
}

TEST_F(subject, enough_was_compared)
{
	printf("# compared: hash %u, array %u\n", compared(&hash_type), compared(&array_type));
	fflush(stdout);
	EXPECT_LE(HASH_CASES, compared(&hash_type));
	EXPECT_LE(ARRAY_CASES, compared(&array_type));
	EXPECT_EQ(0, unused_deviations());
}

TEST_HARNESS_MAIN
