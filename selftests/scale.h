/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often a test does what it does many times. On a kernel that checks everything a call takes up
 * to a hundred times as long, so the environment may say how many times less is to be done.
 */
#ifndef SCALE_H
#define SCALE_H

#include <stdlib.h>

/* What is left at least: less would not be many times. */
#define SCALED_LEAST	20

/* @times, or less where BPFMAPS_TEST_SCALE says by how much. */
static inline unsigned int scaled(unsigned int times)
{
	const char *text = getenv("BPFMAPS_TEST_SCALE");
	unsigned long scale = text ? strtoul(text, NULL, 10) : 1;
	unsigned int least = times < SCALED_LEAST ? times : SCALED_LEAST;

	if (scale < 2)
		return times;
	return times / scale > least ? times / scale : least;
}

#endif
