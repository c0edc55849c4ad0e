// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - reading what the program's pointers point to
 *
 * A system call answers a bad pointer with EFAULT, so the library must not fault on it either: it
 * lets the kernel do the copying.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "preload.h"

/* So far above our frame there is still stack: of the callers, or what every stack begins with. */
#define STACK_NEAR	2048

/* Pages may be larger, not smaller. */
#define CHUNK		4096

/*
 * libbpf has its attributes on the stack: those are read without a system call. Not inlined into a
 * function with a larger frame.
 */
static __attribute__((noinline)) bool is_on_stack(const void *from, size_t size)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t start = (uintptr_t)from;

	/* struct bpf_call is between. */
	frame += sizeof(struct bpf_call);
	return start >= frame && size <= STACK_NEAR && start - frame <= STACK_NEAR - size;
}

/* For kernels without process_vm_readv(), and where it is forbidden. */
static long read_by_proc(void *to, const void *from, size_t size)
{
	long fd, ret;

	fd = preload_call(SYS_openat, AT_FDCWD, (long)"/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = preload_call(SYS_pread64, fd, (long)to, size, (long)from);
	preload_call(SYS_close, fd);
	return ret == -EIO ? -EFAULT : ret;
}

static long read_by_kernel(void *to, const void *from, size_t size)
{
	struct iovec local = { .iov_base = to, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)from, .iov_len = size };
	long pid = preload_call(SYS_getpid, 0);
	long ret;

	ret = preload_call(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
	if (ret < 0 && ret != -EFAULT)
		ret = read_by_proc(to, from, size);
	return ret;
}

/* How much of @size bytes is before the next page. */
static size_t to_page_end(const void *from, size_t size)
{
	size_t left = CHUNK - (uintptr_t)from % CHUNK;

	return left < size ? left : size;
}

/* Copy @size bytes from where the program points to: 0 or -EFAULT. */
int preload_peek(void *to, const void *from, size_t size)
{
	size_t done, chunk;
	long ret;

	if (is_on_stack(from, size)) {
		memcpy(to, from, size);
		return 0;
	}
	for (done = 0; done < size; done += chunk) {
		chunk = to_page_end((const char *)from + done, size - done);
		ret = read_by_kernel((char *)to + done, (const char *)from + done, chunk);
		if (ret != (long)chunk)
			return -EFAULT;
	}
	return 0;
}

/* The same for a path; @to has PATH_MAX bytes. -ENAMETOOLONG: so many without a NUL. */
int preload_peek_path(char *to, const void *from)
{
	size_t done, chunk;

	for (done = 0; done < PATH_MAX; done += chunk) {
		chunk = to_page_end((const char *)from + done, PATH_MAX - done);
		if (preload_peek(to + done, (const char *)from + done, chunk))
			return -EFAULT;
		if (memchr(to + done, '\0', chunk))
			return 0;
	}
	return -ENAMETOOLONG;
}
