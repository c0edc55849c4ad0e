// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints how fast this machine's time stamp counter counts, in kHz. An emulated CPU shows it to the
 * guest, whose kernel would measure it by timers: while other programs have the CPU these tell
 * nonsense, and then the guest's clock is many times too fast.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <x86intrin.h>

#define MEASURE_NS	100000000

struct moment {
	uint64_t tsc;
	uint64_t ns;
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Both clocks at once: of some tries the one that took the shortest time. */
static struct moment read_both(void)
{
	struct moment best = { 0 };
	uint64_t before, after, tsc, least = UINT64_MAX;
	int i;

	for (i = 0; i < 1000; i++) {
		before = now();
		tsc = __rdtsc();
		after = now();
		if (after - before < least) {
			least = after - before;
			best = (struct moment){ tsc, before + least / 2 };
		}
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = MEASURE_NS };
	struct moment first = read_both(), last;
	uint64_t khz;

	nanosleep(&pause, NULL);
	last = read_both();
	khz = (last.tsc - first.tsc) * 1000000 / (last.ns - first.ns);
	printf("%llu\n", (unsigned long long)khz);
	return 0;
}
