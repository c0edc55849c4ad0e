/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stress programs share: values that say of which key they are, by whom they were written
 * and as which one, and whose other words follow from that; and what tells what is wrong.
 */
#ifndef STRESS_H
#define STRESS_H

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>

#include "bpfmaps_util.h"
#include "scale.h"

#define STRESS_THREADS	4

/* A writer counts from 1, so no value is 0. */
#define STRESS_STAMP(key, writer, count) \
	((uint64_t)(count) << 32 | (uint64_t)(writer) << 24 | (uint64_t)(key))
#define STRESS_KEY(stamp)	((uint32_t)((stamp) & 0xffffff))
#define STRESS_WRITER(stamp)	((uint32_t)((stamp) >> 24 & 0xff))
#define STRESS_COUNT(stamp)	((uint32_t)((stamp) >> 32))

static inline uint64_t stress_word(uint64_t stamp, uint32_t nr)
{
	return nr ? (stamp + nr) * 0x9e3779b97f4a7c15ULL : stamp;
}

/* A value of @size bytes, a multiple of 8. */
static inline void stress_fill(void *value, uint32_t size, uint64_t stamp)
{
	uint64_t *words = value;
	uint32_t i;

	for (i = 0; i < size / 8; i++)
		words[i] = stress_word(stamp, i);
}

/* The stamp of a value, or 0 if it is not a whole one. */
static inline uint64_t stress_stamp(const void *value, uint32_t size)
{
	const uint64_t *words = value;
	uint32_t i;

	for (i = 1; i < size / 8; i++)
		if (words[i] != stress_word(words[0], i))
			return 0;
	return words[0];
}

static inline uint32_t stress_dice(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static unsigned int stress_failures;

/* Says what is wrong, the first few times. May be called by any thread. */
static inline void __attribute__((format(printf, 1, 2))) stress_fail(const char *format, ...)
{
	char text[200];
	va_list args;

	if (__atomic_fetch_add(&stress_failures, 1, __ATOMIC_RELAXED) >= 10)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# wrong: %s\n", text);
	fflush(stdout);
}

/* Calls @fn in STRESS_THREADS threads, each with its part of @args, and waits for them. */
static inline void stress_run(void *(*fn)(void *), void *args, size_t size)
{
	pthread_t threads[STRESS_THREADS];
	int i, err;

	for (i = 0; i < STRESS_THREADS; i++) {
		err = pthread_create(&threads[i], NULL, fn, (char *)args + i * size);
		if (err) {
			stress_fail("thread %d: %s", i, strerror(err));
			break;
		}
	}
	while (i--)
		pthread_join(threads[i], NULL);
}

#endif
