/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writers and readers of the same values at the same time, for the tests of the map types.
 *
 * A value is 32-bit words that all say the same: the key in the upper 16 bits, a count in the lower
 * ones. Bytes that are left over repeat the lowest byte, and a value without room for a word is of
 * one such byte. What a look-up returns has to be such a value, and of the key that was asked for.
 */
#ifndef TORN_H
#define TORN_H

#include <pthread.h>
#include <stdint.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define TORN_KEYS	3
#define TORN_WRITERS	2
#define TORN_READERS	2

/**
 * struct torn - one run
 * @map: the map
 * @value_size: bytes of a value
 * @updates: how many each writer does
 * @churn: delete each key before it is set again
 * @running: writers at work
 * @lookups: how many looked-up values were checked
 * @torn: how many were not a value of their key
 * @failed: calls with a result that cannot be
 * @last_error: one of those
 */
struct torn {
	int map;
	uint32_t value_size;
	uint32_t updates;
	bool churn;
	unsigned int running;
	unsigned int lookups;
	unsigned int torn;
	unsigned int failed;
	int last_error;
};

static void torn_fill(unsigned char *value, uint32_t size, uint32_t key, uint32_t count)
{
	uint32_t word = key << 16 | (count & 0xffff), i;

	for (i = 0; i + 4 <= size; i += 4)
		memcpy(value + i, &word, 4);
	memset(value + i, word & 0xff, size - i);
}

/* Whether @value could have come from torn_fill() for @key. */
static bool torn_is_whole(const unsigned char *value, uint32_t size, uint32_t key)
{
	uint32_t word, i;

	if (size < 4)
		return size < 2 || !memcmp(value, value + 1, size - 1);
	memcpy(&word, value, 4);
	if (word >> 16 != key || memcmp(value, value + 4, size / 4 * 4 - 4))
		return false;
	for (i = size / 4 * 4; i < size; i++) {
		if (value[i] != (word & 0xff))
			return false;
	}
	return true;
}

static void torn_error(struct torn *t, int err)
{
	t->last_error = err;
	__atomic_add_fetch(&t->failed, 1, __ATOMIC_RELAXED);
}

static void *torn_writer(void *arg)
{
	struct torn *t = arg;
	unsigned char *value = malloc(t->value_size);
	uint32_t i, key;
	int err;

	for (i = 0; i < t->updates; i++) {
		key = i % TORN_KEYS;
		err = t->churn ? bm_delete(t->map, &key) : 0;
		if (err && err != -ENOENT)
			torn_error(t, err);
		torn_fill(value, t->value_size, key, i);
		err = bm_update(t->map, &key, value, BPFMAPS_ANY);
		if (err)
			torn_error(t, err);
	}
	free(value);
	__atomic_sub_fetch(&t->running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *torn_reader(void *arg)
{
	struct torn *t = arg;
	unsigned char *value = malloc(t->value_size);
	unsigned int lookups = 0;
	uint32_t key = 0;
	int err;

	do {
		key = (key + 1) % TORN_KEYS;
		err = bm_lookup(t->map, &key, value);
		if (!err && !torn_is_whole(value, t->value_size, key))
			__atomic_add_fetch(&t->torn, 1, __ATOMIC_RELAXED);
		if (err && (!t->churn || err != -ENOENT))
			torn_error(t, err);
		lookups += !err;
	} while (__atomic_load_n(&t->running, __ATOMIC_ACQUIRE));
	__atomic_add_fetch(&t->lookups, lookups, __ATOMIC_RELAXED);
	free(value);
	return NULL;
}

/* The number of updates shrinks as values grow, so that each size takes about as long. */
static uint32_t torn_updates(uint32_t value_size)
{
	uint32_t nr = 40000000 / (value_size + 1000);

	return scaled(nr < 12000 ? nr : 12000);
}

/* Sets the keys, then lets the threads loose. */
static void torn_run(struct torn *t)
{
	pthread_t threads[TORN_WRITERS + TORN_READERS];
	unsigned char *value = malloc(t->value_size);
	uint32_t key;
	int i, err;

	for (key = 0; key < TORN_KEYS; key++) {
		torn_fill(value, t->value_size, key, 0);
		err = bm_update(t->map, &key, value, BPFMAPS_ANY);
		if (err)
			torn_error(t, err);
	}
	free(value);
	t->updates = torn_updates(t->value_size);
	t->running = TORN_WRITERS;
	for (i = 0; i < TORN_WRITERS + TORN_READERS; i++)
		pthread_create(&threads[i], NULL, i < TORN_WRITERS ? torn_writer : torn_reader, t);
	for (i = 0; i < TORN_WRITERS + TORN_READERS; i++)
		pthread_join(threads[i], NULL);
	printf("# values of %u bytes%s: %u updates, %u values looked up\n", t->value_size,
	       t->churn ? ", deleted in between" : "", TORN_WRITERS * t->updates, t->lookups);
	fflush(stdout);
}

#endif
