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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/*
 * The clock of a busy guest may run many times too fast, so what takes too long is told by how
 * often somebody has woken up meanwhile. The kernel itself finds tasks that spin, or sleep and
 * cannot be woken up.
 */
#define HANG_POLLS	6000
#define POLL_US		100000
#define MAPS_POLLS	300
#define CHECK_MAPS	256	/* programs between looks for maps that are left */
#define LOST_MAX	20	/* workers that were killed, and one more for each */
#define EXECS_PER_LOST	50	/* of so many programs */

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

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
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

/* How many maps there are. */
static unsigned int count_maps(void)
{
	struct bpfmaps_id_attr a = { };
	int fd = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
	unsigned int nr = 0;

	if (fd < 0)
		err(1, "/dev/bpfmaps");
	for (; !ioctl(fd, BPFMAPS_IOC(BPFMAPS_MAP_GET_NEXT_ID, sizeof(a)), &a); nr++)
		a.start_id = a.next_id;
	close(fd);
	return nr;
}

/*
 * Nobody has the programs' maps any more. Those that were held by another map go a little later;
 * one that does not go has lost a reference.
 */
static void check_maps(void)
{
	unsigned int polls = 0, nr;

	while ((nr = count_maps()) > state->maps_before) {
		if (polls++ == MAPS_POLLS) {
			printf("%u maps are left by a program from %lu to %lu\n",
			       nr - state->maps_before, state->checked, state->execs);
			exit(1);
		}
		usleep(POLL_US);
	}
	state->checked = state->execs;
}

/* Those that no worker has run yet. */
static void run_seeds(void)
{
	struct prog p;

	while (state->seeds < nr_seeds) {
		if (!text_read(&p, seeds[state->seeds++]))
			errx(1, "seed %u is no program", state->seeds - 1);
		keep(&p);
		run(&p);
	}
}

static void fuzz(double begin)
{
	struct prog p;

	run_seeds();
	while (!over(begin)) {
		next_program(&p);
		if (run(&p))
			keep(&p);
		progress(begin);
		if (!(state->execs % CHECK_MAPS))
			check_maps();
	}
}

/* The programs in @text, each with a line "# program" in front of it, or one. */
static void run_text(char *text)
{
	struct prog p;
	char *next;

	for (; text; text = next) {
		next = strstr(text + 1, "# program");
		if (next)
			next[-1] = 0;
		if (!text_read(&p, text))
			errx(1, "%s: no program", options.file);
		run(&p);
		if (next)
			next[-1] = '\n';
	}
}

static void run_file(void)
{
	static char text[1 << 16];
	unsigned long i;
	FILE *f = fopen(options.file, "re");

	if (!f || !fread(text, 1, sizeof(text) - 1, f))
		err(1, "%s", options.file);
	fclose(f);
	for (i = 0; i < options.times; i++)
		run_text(text);
}

static void worker(double begin)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	file_reset();
	setup_join_group();
	mem_init();
	exec_init();
	if (options.file)
		run_file();
	else
		fuzz(begin);
	check_maps();
	exit(0);
}

/* What keeps the worker from going on. */
static void show_hang(pid_t pid)
{
	char command[128];

	printf("hang: this program does not end:\n");
	log_print(&state->current);
	fflush(stdout);
	snprintf(command, sizeof(command), "cat /proc/%d/task/*/stack", pid);
	if (system(command))
		printf("(no stacks)\n");
}

/* Its wait status; -1 after a hang. */
static int watch(pid_t pid)
{
	unsigned long execs = state->execs;
	unsigned int polls = 0;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		usleep(POLL_US);
		if (execs != state->execs)
			polls = 0;
		execs = state->execs;
		if (polls++ == HANG_POLLS) {
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
		log_print(&state->current);
		if (options.file || WTERMSIG(status) != SIGKILL ||
		    (unsigned int)lost > LOST_MAX + state->execs / EXECS_PER_LOST)
			return -1;
	}
}

static void show_usage(void)
{
	fputs("usage: fuzz [--time SECONDS] [--execs NUMBER] [--seed NUMBER] [OPTION]...\n"
	      "       fuzz --run FILE [--times NUMBER] [OPTION]...\n"
	      "\n"
	      "Runs random programs on bpfmaps, led by KCOV if the kernel has it, or the programs\n"
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
	setup_system();
	log_init();
	cover_init();
	state->maps_before = count_maps();
	lost = supervise();
	report(now() - begin, lost);
	setup_restore();
	return lost < 0;
}
