/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The release of the running kernel. The module is the same on all; what bpf(2) does is not, and
 * the tests that compare with it know that of 6.1 and later.
 */
#ifndef RELEASE_H
#define RELEASE_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/utsname.h>

#define RELEASE(major, minor)	((major) << 16 | (minor))

/* 0 if the kernel does not tell. */
static inline unsigned int kernel_release(void)
{
	struct utsname name;
	unsigned int major;
	char *end;

	if (uname(&name))
		return 0;
	major = strtoul(name.release, &end, 10);
	return *end == '.' ? RELEASE(major, strtoul(end + 1, NULL, 10)) : 0;
}

/* Whether bpf(2) is older than what the tests know: then they have nothing to compare with. */
static inline bool old_bpf(void)
{
	return kernel_release() < RELEASE(6, 1);
}

#endif
