/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's test harness, with a time limit for each test that leaves room for a kernel that
 * checks everything on a busy machine. What hangs is ended sooner by TEST_TIMEOUT of qemu/run.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	900

#endif
