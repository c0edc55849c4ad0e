// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running a program: the descriptors it starts with, the threads, and clearing up behind it
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

/* No descriptor has this number. */
#define CLOSED	1000

static struct thread threads[MAX_THREADS];
static __thread struct thread *self;
static pthread_barrier_t begin, end;
static const struct prog *running;
static atomic_int fds[NR_FDS];
static int first_free;

int exec_fd(uint64_t arg)
{
	if (arg >= FD_NUMBER)
		return arg;
	return arg < NR_FDS ? atomic_load(&fds[arg]) : -1;
}

void exec_set_slot(uint64_t slot, int fd)
{
	atomic_store(&fds[slot % NR_SLOTS], fd);
}

/* The call that follows has its n-th fault, if "fail" came before it. */
void exec_fail_arm(struct thread *t)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", t->fail);

	if (t->fail && t->fail_fd >= 0 && pwrite(t->fail_fd, text, len, 0) < 0)
		t->fail = 0;
}

/*
 * A fault that did not come is not for other calls. The write itself may have it and fail: then it
 * has come as well.
 */
void exec_fail_disarm(struct thread *t)
{
	if (t->fail && t->fail_fd >= 0)
		(void)!pwrite(t->fail_fd, "0", 1, 0);
	t->fail = 0;
}

static void on_fault(int nr)
{
	if (self && self->guarded) {
		self->guarded = false;
		siglongjmp(self->fault, 1);
	}
	signal(nr, SIG_DFL);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
		err(1, "sigaction");
}

static int must(int fd, const char *what)
{
	if (fd < 0)
		err(1, "%s", what);
	return fd;
}

static void open_fds(void)
{
	int ends[2];

	must(pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe");
	fds[FD_DEVICE] = must(open("/dev/bpfmaps", O_RDWR | O_CLOEXEC), "/dev/bpfmaps");
	fds[FD_DEVICE_RDONLY] = must(open("/dev/bpfmaps", O_RDONLY | O_CLOEXEC), "/dev/bpfmaps");
	fds[FD_NULL] = must(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
	fds[FD_PIPE] = ends[0];
	fds[FD_PINS] = must(open(file_path(15), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "pins");
	fds[FD_EPOLL] = must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	fds[FD_MEMFD] = must(memfd_create("fuzz", MFD_CLOEXEC), "memfd");
	fds[FD_CLOSED] = CLOSED;
}

static void init_thread(struct thread *t)
{
	char path[64];

	self = t;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	t->fail_fd = open(path, O_RDWR | O_CLOEXEC);
	cover_enable(t);
}

static void run_call(struct thread *t, const struct call *call)
{
	const struct op *op = &ops[call->op];

	op->fn(t, op, call->arg);
}

/* Calls [from, to), beginning at another one in each thread. */
static void run_calls(struct thread *t, const struct prog *p, unsigned int from, unsigned int to)
{
	unsigned int nr = to - from, i;

	for (i = 0; i < nr; i++) {
		run_call(t, &p->calls[from + (i + t->nr * nr / p->threads) % nr]);
		__atomic_fetch_add(&state->calls, 1, __ATOMIC_RELAXED);
	}
}

/* As before for the program that comes next. */
static void reset_thread(struct thread *t)
{
	t->fail = 0;
	syscall(SYS_setresuid, -1, 0, -1);
}

static void run_part(struct thread *t, const struct prog *p)
{
	unsigned int i;

	for (i = 0; i < p->rounds; i++)
		run_calls(t, p, p->split, p->nr);
	reset_thread(t);
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	init_thread(t);
	for (;;) {
		pthread_barrier_wait(&begin);
		if (t->nr < running->threads)
			run_part(t, running);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static void forget_slots(void)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++)
		atomic_store(&fds[i], CLOSED);
}

/* After all descriptors that are to stay were opened. */
static void find_first_free(void)
{
	first_free = must(dup(fds[FD_NULL]), "dup");
	close(first_free);
}

void exec_init(void)
{
	pthread_t thread;
	unsigned int i;

	catch_faults();
	open_fds();
	pthread_barrier_init(&begin, NULL, MAX_THREADS);
	pthread_barrier_init(&end, NULL, MAX_THREADS);
	for (i = 0; i < MAX_THREADS; i++) {
		threads[i].nr = i;
		if (i && pthread_create(&thread, NULL, thread_main, &threads[i]))
			errx(1, "no thread");
	}
	init_thread(&threads[0]);
	/* The others have opened theirs when they have run a program. */
	running = &(const struct prog){ .nr = 0 };
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
	find_first_free();
	forget_slots();
}

static void clear_up(void)
{
	if (syscall(SYS_close_range, first_free, CLOSED, 0))
		err(1, "close_range");
	forget_slots();
	mem_reset();
	attr_reset();
	file_reset();
}

void exec_run(const struct prog *p)
{
	if (p->threads > 1) {
		run_calls(&threads[0], p, 0, p->split);
		reset_thread(&threads[0]);
		running = p;
		pthread_barrier_wait(&begin);
		run_part(&threads[0], p);
		pthread_barrier_wait(&end);
	} else {
		run_calls(&threads[0], p, 0, p->nr);
		reset_thread(&threads[0]);
	}
	clear_up();
}

/* What the last program has reached is noted; is something of it new? */
bool exec_take_cover(void)
{
	bool found = false;
	unsigned int i;

	for (i = 0; i < MAX_THREADS; i++)
		found |= cover_take(&threads[i]);
	return found;
}
