/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What other users see: a function is run by a child process with another uid. In it, IS() checks
 * what a test checks with EXPECT_EQ().
 */
#ifndef CHILD_H
#define CHILD_H

#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The groups go first, while they may; the process stays able to look at itself in /proc. */
static inline void become(unsigned int uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
	    prctl(PR_SET_DUMPABLE, 1))
		_exit(99);
}

/* Runs @fn as @uid; returns what it returns, of which 0 to 98 can be told apart. */
static inline int as_user(unsigned int uid, int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		become(uid);
		_exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Of this process. */
static unsigned int is_checked, is_wrong;

/* False, and printed, if @got is not what it should be. */
static inline int is_equal(long long want, long long got, const char *text, int line)
{
	is_checked++;
	if (want == got)
		return 1;
	is_wrong++;
	printf("# line %d: %s is %lld, not %lld\n", line, text, got, want);
	fflush(stdout);
	return 0;
}

#define IS(want, got)	is_equal(want, got, #got, __LINE__)

/* What a child returns that has checked: 0 if all was right, and something was checked at all. */
static inline int is_result(void)
{
	return is_wrong || !is_checked;
}

#endif
