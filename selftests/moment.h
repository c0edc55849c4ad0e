/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests in which one thread comes into the middle of what another one does again and again. Who
 * comes as soon as the other begins always meets the same moment, and which one that is depends on
 * the kernel and the machine.
 */
#ifndef MOMENT_H
#define MOMENT_H

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t moment_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* When @count had come to @nr, in ns. */
static inline uint64_t moment_of(const uint64_t *count, uint64_t nr)
{
	while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < nr)
		sched_yield();
	return moment_now();
}

/*
 * The other thread adds one to @count each time it begins. Waits until it has done so twice, and
 * then for any part of the time that was between the two.
 */
static inline void moment_wait(const uint64_t *count, unsigned int *seed)
{
	uint64_t first = moment_of(count, 1), second = moment_of(count, 2);
	uint64_t until = second + (second - first) * (rand_r(seed) % 1024) / 1024;

	while (moment_now() < until)
		;
}

#endif
