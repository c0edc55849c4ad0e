/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that are not there for as long as a test likes: who comes to them, also in a system call,
 * waits until they are given back. So a call can be stopped at each of its copies from and to user
 * space, and what others do meanwhile is no matter of chance.
 */
#ifndef HOLE_H
#define HOLE_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

/**
 * struct hole - the pages
 * @uffd: tells who waits for them
 * @through: an eventfd that tells who is through without
 * @range: where they are
 * @saved: what is in them
 */
struct hole {
	int uffd;
	int through;
	struct uffdio_range range;
	void *saved;
};

/* Needs CONFIG_USERFAULTFD, and the right to stop the kernel's own accesses. */
static inline bool hole_open(struct hole *h)
{
	struct uffdio_api api = { .api = UFFD_API };

	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	h->through = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return h->uffd >= 0 && h->through >= 0 && !ioctl(h->uffd, UFFDIO_API, &api);
}

static inline void hole_close(struct hole *h)
{
	close(h->uffd);
	close(h->through);
}

/* Takes pages away, which are private memory of this process. */
static inline bool hole_make(struct hole *h, void *at, size_t size)
{
	struct uffdio_register r = {
		.range = { .start = (uintptr_t)at, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	h->range = r.range;
	h->saved = malloc(size);
	if (!h->saved)
		return false;
	memcpy(h->saved, at, size);
	return !ioctl(h->uffd, UFFDIO_REGISTER, &r) && !madvise(at, size, MADV_DONTNEED);
}

/* Gives them back, and who waits goes on. */
static inline bool hole_fill(struct hole *h)
{
	struct uffdio_copy c = {
		.dst = h->range.start, .src = (uintptr_t)h->saved, .len = h->range.len,
	};
	bool good = !ioctl(h->uffd, UFFDIO_COPY, &c) &&
		    !ioctl(h->uffd, UFFDIO_UNREGISTER, &h->range);

	free(h->saved);
	return good;
}

/* Of who has not come to the hole. */
static inline void hole_tell_through(struct hole *h)
{
	eventfd_write(h->through, 1);
}

/* Until somebody waits at the hole: true; or is through without: false. */
static inline bool hole_is_met(struct hole *h)
{
	struct pollfd p[] = {
		{ .fd = h->uffd, .events = POLLIN }, { .fd = h->through, .events = POLLIN },
	};
	struct uffd_msg msg;
	eventfd_t nr;

	while (poll(p, 2, -1) < 0)
		;
	if (p[0].revents)
		return read(h->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
		       msg.event == UFFD_EVENT_PAGEFAULT;
	eventfd_read(h->through, &nr);
	return false;
}

#endif
