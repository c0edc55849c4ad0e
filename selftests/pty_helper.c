// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program whose standard error is a terminal: pty_helper PROGRAM [ARGUMENT]...
 *
 * What arrives at the terminal goes to descriptor 3, with --all also standard output. The status is
 * the program's.
 */
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static void copy(int from, int to)
{
	char buf[4096];
	ssize_t len;

	/* EIO when the last writer is gone. */
	while ((len = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, len) != len)
			perror("pty_helper: write");
}

int main(int argc, char **argv)
{
	int master, slave, status;
	int all = argc > 1 && !strcmp(argv[1], "--all");
	pid_t child;

	if (argc < 2 + all || openpty(&master, &slave, NULL, NULL, NULL)) {
		perror("pty_helper");
		return 99;
	}
	child = fork();
	if (!child) {
		dup2(slave, STDERR_FILENO);
		if (all)
			dup2(slave, STDOUT_FILENO);
		close(master);
		close(slave);
		close(3);
		execvp(argv[1 + all], argv + 1 + all);
		_exit(98);
	}
	close(slave);
	copy(master, 3);
	if (waitpid(child, &status, 0) != child)
		return 97;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}
