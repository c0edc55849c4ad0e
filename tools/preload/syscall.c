// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - syscall(), as programs under the library see it
 *
 * There is no state that a fork, a thread or a closed descriptor could spoil: the device is opened
 * for each call that needs it, and all else is done on the map's own descriptor.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "preload.h"

typedef long (*syscall_fn)(long number, ...);

static void *next_syscall;

/* Looks up what a program without this library would have called; @slot remembers it. */
void preload_find(void **slot, const char *name)
{
	__atomic_store_n(slot, dlsym(RTLD_NEXT, name), __ATOMIC_RELAXED);
}

/* The same when it is called: constructors of other libraries may be here before ours. */
void *preload_next(void **slot, const char *name)
{
	void *fn = __atomic_load_n(slot, __ATOMIC_RELAXED);

	if (fn)
		return fn;
	preload_find(slot, name);
	fn = __atomic_load_n(slot, __ATOMIC_RELAXED);
	if (!fn)
		abort();
	return fn;
}

static syscall_fn get_syscall(void)
{
	return (syscall_fn)(uintptr_t)preload_next(&next_syscall, "syscall");
}

/* So that a call in a signal handler need not look the symbol up. */
static __attribute__((constructor)) void init(void)
{
	get_syscall();
}

/*
 * For what the library itself calls as well: the functions of libc may be cancellation points,
 * which syscall() is not.
 */
long preload_raw(long number, const long args[6])
{
	int saved = errno;
	long ret;

	ret = get_syscall()(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (ret == -1)
		ret = -errno;
	errno = saved;
	return ret;
}

static long call_bpf(const long args[6])
{
	struct bpf_call call;
	long ret;

	call.cmd = (int)args[0];
	call.attr = (void *)args[1];
	call.size = (unsigned int)args[2];
	call.args = args;
	call.on_bpf = false;
	ret = preload_bpf(&call);
	if (preload_tracing())
		preload_trace(&call, ret);
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

PUBLIC long syscall(long number, ...)
{
	long args[6];
	va_list ap;
	size_t i;

	va_start(ap, number);
	for (i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	if (number == __NR_bpf)
		return call_bpf(args);
	return get_syscall()(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
