// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loop that makes, runs and keeps programs, in a worker; and who watches the worker
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define GROUP		"/sys/fs/cgroup/fuzz"
#define GROUP_BYTES	"50331648"	/* 48 MiB */
#define HANG_SECONDS	120
#define CONSOLE_LEVEL	8	/* the command of klogctl() */

struct state *state;

static struct {
	unsigned long seconds;
	unsigned long execs;
	unsigned long seed;
	unsigned long times;
	const char *file;
	bool print_cover;
	bool print_progress;
} options = { .seed = 1, .times = 1 };

static int kmsg = -1;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* For what not every kernel has. */
static void write_if_there(const char *path, const char *text)
{
	if (!access(path, W_OK))
		write_file(path, text);
}

/*
 * Programs go to the kernel's log before they are run, below the level that the console shows.
 * When the kernel panics, all of the log is shown, and so what was run last.
 */
static void set_up_log(void)
{
	write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	write_file("/proc/sys/kernel/panic_print", "32\n");
	if (klogctl(CONSOLE_LEVEL, NULL, 7))
		err(1, "klogctl");
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (kmsg < 0)
		err(1, "/dev/kmsg");
}

/* Faults that "fail" asks for are to come in every allocation. */
static void set_up_faults(void)
{
	write_if_there("/sys/kernel/debug/failslab/ignore-gfp-wait", "N\n");
	write_if_there("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N\n");
	write_if_there("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N\n");
	write_if_there("/sys/kernel/debug/fail_page_alloc/min-order", "0\n");
}

static void set_up_group(void)
{
	if (mkdir(GROUP, 0755) && access(GROUP, W_OK))
		err(1, GROUP);
	write_file(GROUP "/memory.max", GROUP_BYTES);
}

/* In pieces that one message of the log has room for, which end with a line. */
static void log_text(const char *text)
{
	char piece[1024];
	int len, last;

	while (*text) {
		len = snprintf(piece, 900, "<7>fuzz: %s", text);
		if (len >= 900) {
			for (last = 899; piece[last - 1] != '\n'; last--)
				;
			len = last;
		}
		if (write(kmsg, piece, len) < 0)
			err(1, "/dev/kmsg");
		text += len - strlen("<7>fuzz: ");
	}
}

static void log_program(const struct prog *p)
{
	static char text[TEXT_MAX];

	unsigned int len = sprintf(text, "program %lu\n", state->execs);

	text_write(p, text + len);
	log_text(text);
}

static void print_program(const struct prog *p)
{
	static char text[TEXT_MAX];

	text_write(p, text);
	fputs(text, stdout);
}

/* A full corpus loses another one. */
static void keep(const struct prog *p)
{
	unsigned int nr = state->corpus_nr;

	if (nr < MAX_CORPUS)
		state->corpus_nr++;
	else
		nr = gen_random() % MAX_CORPUS;
	state->corpus[nr] = *p;
}

static bool run(const struct prog *p)
{
	state->current = *p;
	log_program(p);
	exec_run(p);
	state->execs++;
	return exec_take_cover();
}

static void next_program(struct prog *p)
{
	if (!(gen_random() % 12)) {
		gen_new(p);
		return;
	}
	*p = state->corpus[gen_random() % state->corpus_nr];
	gen_mutate(p);
}

static bool over(double begin)
{
	return (options.seconds && now() - begin >= options.seconds) ||
	       (options.execs && state->execs >= options.execs);
}

static void join_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(GROUP "/cgroup.procs", pid);
}

static void progress(double begin)
{
	static double next;
	double at = now();

	if (!options.print_progress || at < next)
		return;
	next = at + 60;
	printf("after %.0f s: %lu executions, corpus %u, %u blocks\n", at - begin, state->execs,
	       state->corpus_nr, state->blocks);
	fflush(stdout);
}

static void run_seeds(void)
{
	struct prog p;
	unsigned int i;

	for (i = 0; i < nr_seeds; i++) {
		if (!text_read(&p, seeds[i]))
			errx(1, "seed %u is no program", i);
		run(&p);
		keep(&p);
	}
}

static void fuzz(double begin)
{
	struct prog p;

	if (!state->corpus_nr)
		run_seeds();
	while (!over(begin)) {
		next_program(&p);
		if (run(&p))
			keep(&p);
		progress(begin);
	}
}

static void run_file(void)
{
	static char text[1 << 16];
	struct prog p;
	unsigned long i;
	FILE *f = fopen(options.file, "re");

	if (!f || !fread(text, 1, sizeof(text) - 1, f))
		err(1, "%s", options.file);
	fclose(f);
	if (!text_read(&p, text))
		errx(1, "%s is no program", options.file);
	for (i = 0; i < options.times; i++)
		run(&p);
}

static void worker(double begin)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	file_reset();
	join_group();
	mem_init();
	exec_init();
	if (options.file)
		run_file();
	else
		fuzz(begin);
	exit(0);
}

/* What keeps the worker from going on. */
static void show_hang(pid_t pid)
{
	char command[128];

	printf("hang: no program has ended for %u s; the last one:\n", HANG_SECONDS);
	print_program(&state->current);
	fflush(stdout);
	snprintf(command, sizeof(command), "cat /proc/%d/task/*/stack", pid);
	if (system(command))
		printf("(no stacks)\n");
	write_file("/proc/sysrq-trigger", "w");
}

/* Its wait status; -1 after a hang. */
static int watch(pid_t pid)
{
	double since = now();
	unsigned long execs = state->execs;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		usleep(100000);
		if (execs != state->execs) {
			execs = state->execs;
			since = now();
		}
		if (now() - since > HANG_SECONDS) {
			show_hang(pid);
			return -1;
		}
	}
	return status;
}

/* Until a worker comes to its end. How many were lost, as to the limit of their memory; or -1. */
static int supervise(void)
{
	double begin = now();
	int lost = 0, status;
	pid_t pid;

	for (;;) {
		fflush(stdout);
		pid = fork();
		if (!pid)
			worker(begin);
		status = pid < 0 ? -1 : watch(pid);
		if (status < 0 || (WIFEXITED(status) && WEXITSTATUS(status)))
			return -1;
		if (WIFEXITED(status))
			return lost;
		lost++;
		printf("worker lost by signal %d in program %lu:\n", WTERMSIG(status),
		       state->execs);
		print_program(&state->current);
		if (options.file || WTERMSIG(status) != SIGKILL)
			return -1;
	}
}

static void show_usage(void)
{
	fputs("usage: fuzz [--time SECONDS] [--execs NUMBER] [--seed NUMBER] [OPTION]...\n"
	      "       fuzz --run FILE [--times NUMBER] [OPTION]...\n"
	      "\n"
	      "Runs random programs on bpfmaps, led by KCOV if the kernel has it, or the program\n"
	      "in FILE.\n"
	      "  --progress  print how far it is, each minute\n"
	      "  --cover     print the addresses that were reached\n", stderr);
	exit(2);
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "time", required_argument, NULL, 't' }, { "execs", required_argument, NULL, 'e' },
		{ "seed", required_argument, NULL, 's' }, { "run", required_argument, NULL, 'r' },
		{ "times", required_argument, NULL, 'n' }, { "cover", no_argument, NULL, 'c' },
		{ "progress", no_argument, NULL, 'p' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 't':
			options.seconds = strtoul(optarg, NULL, 0);
			break;
		case 'e':
			options.execs = strtoul(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options.file = optarg;
			break;
		case 'n':
			options.times = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			options.print_cover = true;
			break;
		case 'p':
			options.print_progress = true;
			break;
		default:
			show_usage();
		}
	}
	if (optind < argc || (!options.seconds && !options.execs && !options.file))
		show_usage();
}

static void report(double seconds, int lost)
{
	printf("executions: %lu, of %lu calls, %.1f in a second\n", state->execs, state->calls,
	       state->execs / seconds);
	printf("corpus: %u programs, workers lost: %d, seed: %lu\n", state->corpus_nr, lost,
	       options.seed);
	if (state->have_cover)
		printf("blocks: %u\n", state->blocks);
	else
		printf("blocks: not counted, this kernel has no KCOV\n");
	if (options.print_cover && state->have_cover)
		cover_print();
}

int main(int argc, char **argv)
{
	double begin = now();
	int lost;

	parse_options(argc, argv);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (state == MAP_FAILED)
		err(1, "mmap");
	state->rng = options.seed * 0x9e3779b97f4a7c15ULL | 1;
	set_up_log();
	set_up_faults();
	set_up_group();
	cover_init();
	lost = supervise();
	report(now() - begin, lost);
	return lost < 0;
}
