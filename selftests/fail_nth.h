/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures of memory allocations and user copies on demand, on a kernel with CONFIG_FAULT_INJECTION
 *
 * The kernel counts down the number in a thread's fail-nth at each place that may fail, and the one
 * where it gets to 0 fails. What comes behind it fails as well if the thread's make-it-fail is set
 * and the knobs of the faults say so. The calls that are to fail are made by a thread of their own:
 * it can be asked, and told to stop, by one for which all works.
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "bpfmaps_util.h"

#define FAULT_KNOBS	"/sys/kernel/debug/"
#define FAULT_STACK	(256 * 1024)

enum fault_mode {
	FAULT_ONE,		/* one place fails */
	FAULT_FROM,		/* and all behind it */
	FAULT_MODES,
};

typedef int (*fault_fn)(void *arg);

/**
 * struct faults - the thread whose calls fail
 * @nth: its fail-nth
 * @from: its make-it-fail
 * @tid: its id
 * @thread: for pthread_join()
 * @go: it is to call @fn, or to end if that is NULL
 * @done: it has
 * @fn: what it calls
 * @arg: for @fn
 * @ret: what @fn has returned
 */
struct faults {
	int nth;
	int from;
	pid_t tid;
	pthread_t thread;
	sem_t go;
	sem_t done;
	fault_fn fn;
	void *arg;
	int ret;
};

/* A kernel without fault injection does not have the file. */
static inline bool faults_can_be_had(void)
{
	return !access("/proc/self/fail-nth", F_OK);
}

static inline bool fault_knob(const char *kind, const char *knob, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), FAULT_KNOBS "%s/%s", kind, knob);
	return !put_text(path, text);
}

/* Threads with make-it-fail are meant only, and these always, with no word in the log. */
static inline bool fault_knobs(const char *kind)
{
	return fault_knob(kind, "verbose", "0") && fault_knob(kind, "task-filter", "Y") &&
	       fault_knob(kind, "times", "1000000000") && fault_knob(kind, "interval", "1") &&
	       fault_knob(kind, "space", "0") && fault_knob(kind, "probability", "100");
}

/* Allocations that may sleep can fail, too, of any size, for the kernel and for user space. */
static inline bool faults_set_knobs(void)
{
	return fault_knobs("failslab") && fault_knobs("fail_page_alloc") &&
	       fault_knobs("fail_usercopy") &&
	       fault_knob("failslab", "ignore-gfp-wait", "N") &&
	       fault_knob("failslab", "cache-filter", "N") &&
	       fault_knob("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       fault_knob("fail_page_alloc", "ignore-gfp-highmem", "N") &&
	       fault_knob("fail_page_alloc", "min-order", "0");
}

static inline void *faults_thread(void *arg)
{
	struct faults *f = arg;

	f->tid = syscall(SYS_gettid);
	sem_post(&f->done);
	while (!sem_wait(&f->go) && f->fn) {
		f->ret = f->fn(f->arg);
		sem_post(&f->done);
	}
	return NULL;
}

static inline bool faults_start_thread(struct faults *f)
{
	pthread_attr_t attr;

	sem_init(&f->go, 0, 0);
	sem_init(&f->done, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, FAULT_STACK);
	if (pthread_create(&f->thread, &attr, faults_thread, f))
		return false;
	sem_wait(&f->done);
	return true;
}

static inline int faults_open_file(const struct faults *f, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", f->tid, name);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* What memory the program has is there when a call needs it: only the call itself fails. */
static inline bool faults_start(struct faults *f)
{
	if (!faults_set_knobs() || !faults_start_thread(f))
		return false;
	f->nth = faults_open_file(f, "fail-nth");
	f->from = faults_open_file(f, "make-it-fail");
	return f->nth >= 0 && f->from >= 0 && !mlockall(MCL_CURRENT);
}

static inline void faults_stop(struct faults *f)
{
	f->fn = NULL;
	sem_post(&f->go);
	pthread_join(f->thread, NULL);
	close(f->nth);
	close(f->from);
	fault_knob("failslab", "probability", "0");
	fault_knob("fail_page_alloc", "probability", "0");
	fault_knob("fail_usercopy", "probability", "0");
}

static inline bool faults_write(int fd, unsigned int number)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", number);

	return pwrite(fd, text, len, 0) == len;
}

static inline int faults_run(struct faults *f, fault_fn fn, void *arg)
{
	f->fn = fn;
	f->arg = arg;
	sem_post(&f->go);
	sem_wait(&f->done);
	return f->ret;
}

/*
 * @fn is called, and the @nth place in it fails. @failed tells whether there were that many. False
 * if the kernel's files did not work.
 */
static inline bool faults_call(struct faults *f, enum fault_mode mode, unsigned int nth,
			       fault_fn fn, void *arg, bool *failed)
{
	char left[16] = "";
	bool good;

	good = faults_write(f->nth, nth) && faults_write(f->from, mode == FAULT_FROM);
	faults_run(f, fn, arg);
	good &= pread(f->nth, left, sizeof(left) - 1, 0) > 0;
	*failed = !strtoul(left, NULL, 10);
	return faults_write(f->from, 0) && faults_write(f->nth, 0) && good;
}

#endif
