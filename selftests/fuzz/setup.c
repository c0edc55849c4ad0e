// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the system is other than usual as long as the fuzzer runs
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define GROUP		"/sys/fs/cgroup/fuzz"
#define GROUP_BYTES	"50331648"	/* 48 MiB */
#define FAULTS		"/sys/kernel/debug/fail"

/* In bits: what a panic shows of the log. */
#define PANIC_PRINT_LOG	"32"

static struct setting {
	const char *path;
	const char *text;
	bool everywhere;	/* every kernel has it */
	char before[64];
} settings[] = {
	{ "/proc/sys/kernel/printk_devkmsg", "on", true, "" },
	{ "/proc/sys/kernel/panic_print", PANIC_PRINT_LOG, true, "" },
	/* Debugging messages, and so programs, are not for the console. */
	{ "/proc/sys/kernel/printk", "7", true, "" },
	/* Faults that "fail" asks for are to come in every allocation. */
	{ FAULTS "slab/ignore-gfp-wait", "N", false, "" },
	{ FAULTS "_page_alloc/ignore-gfp-wait", "N", false, "" },
	{ FAULTS "_page_alloc/ignore-gfp-highmem", "N", false, "" },
	{ FAULTS "_page_alloc/min-order", "0", false, "" },
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%s\n", text) < 0)
		err(1, "%s", path);
	close(fd);
}

/* The first line, or nothing. */
static void read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, line, size - 1);

	line[got < 0 ? 0 : got] = 0;
	line[strcspn(line, "\n")] = 0;
	if (fd >= 0)
		close(fd);
}

void setup_system(void)
{
	struct setting *s;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		if (!s->everywhere && access(s->path, W_OK))
			continue;
		read_line(s->path, s->before, sizeof(s->before));
		write_file(s->path, s->text);
	}
	if (mkdir(GROUP, 0755) && access(GROUP, W_OK))
		err(1, GROUP);
	write_file(GROUP "/memory.max", GROUP_BYTES);
}

void setup_restore(void)
{
	struct setting *s;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++)
		if (s->before[0])
			write_file(s->path, s->before);
	rmdir(GROUP);
}

/* The caller's memory is limited from here on. */
void setup_join_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(GROUP "/cgroup.procs", pid);
}
