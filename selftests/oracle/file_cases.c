// SPDX-License-Identifier: GPL-2.0-only
/* A map's descriptor as a file, and as something that goes from one process to another. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "oracle.h"

/* Something that is not a map, in place of one. */
struct wrong {
	const char *name;
	int (*open)(struct run *r);
};

static int minus_one(struct run *r)
{
	(void)r;
	return -1;
}

static int not_open(struct run *r)
{
	(void)r;
	return 1000;
}

static int huge(struct run *r)
{
	(void)r;
	return 0x7fffffff;
}

static int cwd(struct run *r)
{
	(void)r;
	return AT_FDCWD;
}

static int just_closed(struct run *r)
{
	int fd = std_map(r, 0);

	drop_fd(r, fd);
	return fd;
}

static int null_device(struct run *r)
{
	return keep_fd(r, open("/dev/null", O_RDWR | O_CLOEXEC));
}

static int directory(struct run *r)
{
	return keep_fd(r, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int path_only(struct run *r)
{
	return keep_fd(r, open("/", O_PATH | O_CLOEXEC));
}

static int socket_end(struct run *r)
{
	return keep_fd(r, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int epoll_set(struct run *r)
{
	return keep_fd(r, epoll_create1(EPOLL_CLOEXEC));
}

static int the_device(struct run *r)
{
	return keep_fd(r, open("/dev/bpfmaps", O_RDWR | O_CLOEXEC));
}

static int foreign_map(struct run *r)
{
	const struct backend *own = r->be;
	int fd;

	r->be = own == &bpf_backend ? &dev_backend : &bpf_backend;
	fd = std_map(r, 0);
	r->be = own;
	return fd;
}

static const struct wrong wrongs[] = {
	{ "-1", minus_one },
	{ "1000", not_open },
	{ "0x7fffffff", huge },
	{ "AT_FDCWD", cwd },
	{ "just closed", just_closed },
	{ "/dev/null", null_device },
	{ "a directory", directory },
	{ "a path", path_only },
	{ "a socket", socket_end },
	{ "an epoll set", epoll_set },
	{ "/dev/bpfmaps", the_device },
	{ "a map of the other kind", foreign_map },
};

static void wrong_descriptor(struct run *r, const void *arg)
{
	const struct wrong *w = arg;
	int fd = w->open(r);
	__u32 key = 1;
	__u64 value = 2;
	char info[88] = "";
	struct bpfmaps_elem_attr freeze = { .map_fd = fd };
	struct bpfmaps_info_attr ia = {
		.bpf_fd = fd, .info_len = sizeof(info), .info = (unsigned long)info,
	};
	struct bpfmaps_obj_attr pin = {
		.bpf_fd = fd, .pathname = (unsigned long)"/tmp/oracle_wrong",
	};

	elem(r, "lookup", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, &value, 0);
	elem(r, "lookup with flags", BPFMAPS_MAP_LOOKUP_ELEM, fd, &key, &value, 32);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, &value, 0);
	elem(r, "update with flags", BPFMAPS_MAP_UPDATE_ELEM, fd, &key, &value, 8);
	elem(r, "delete", BPFMAPS_MAP_DELETE_ELEM, fd, &key, NULL, 0);
	elem(r, "next key", BPFMAPS_MAP_GET_NEXT_KEY, fd, &key, &value, 0);
	call(r, "freeze", BPFMAPS_MAP_FREEZE, &freeze, sizeof(freeze));
	call(r, "info", BPFMAPS_OBJ_GET_INFO_BY_FD, &ia, sizeof(ia));
	call(r, "pin", BPFMAPS_OBJ_PIN, &pin, sizeof(pin));
	note_bytes(r, "info", info, sizeof(info));
	note(r, "value %llu", (unsigned long long)value);
}

void descriptor_cases(const struct map_type *t)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(wrongs); i++)
		compare(t, 0, wrong_descriptor, &wrongs[i], "descriptor/%s", wrongs[i].name);
}

/* Lines of fdinfo; the file number is that of all such files, ids and memory are not compared. */
static void note_fdinfo(struct run *r, int fd, bool memlock)
{
	char path[64], line[256];
	__u32 id;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (memlock == !!strncmp(line, "memlock:", 8))
			continue;
		if (sscanf(line, "map_id:\t%u", &id) == 1)
			note(r, "map_id: own %d", id == map_id(r, fd));
		else
			note(r, "%s", line);
	}
	if (f)
		fclose(f);
}

static void fdinfo(struct run *r, const void *arg)
{
	int fd = std_map(r, *(const __u32 *)arg);
	struct bpfmaps_elem_attr a = { .map_fd = fd };

	note_fdinfo(r, fd, false);
	call(r, "freeze", BPFMAPS_MAP_FREEZE, &a, sizeof(a));
	note_fdinfo(r, fd, false);
}

static void fdinfo_memlock(struct run *r, const void *arg)
{
	struct bpfmaps_create_attr a = std_attr(r);

	(void)arg;
	if (!r->type->holds && !r->type->ring)
		a.value_size = 1000;
	a.max_entries = r->type->ring ? 16 * PAGE : 1000;
	note_fdinfo(r, quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a)), true);
}

static void link_text(struct run *r, const void *arg)
{
	char path[64], target[128] = "";
	int fd = std_map(r, 0);
	struct stat st;

	(void)arg;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	note_ret(r, "readlink", readlink(path, target, sizeof(target) - 1));
	note(r, "target %s", target);
	note_ret(r, "open", open(path, O_RDWR));
	note_ret(r, "fstat", fstat(fd, &st));
	note(r, "mode %#o, size %lld", st.st_mode, (long long)st.st_size);
}

static void read_write(struct run *r, const void *arg)
{
	int fd = keep_fd(r, std_map(r, *(const __u32 *)arg)), out;
	struct iovec v = { .iov_base = r->out, .iov_len = 8 };

	out = keep_fd(r, open("/dev/null", O_WRONLY | O_CLOEXEC));
	note_ret(r, "read", read(fd, r->out, 8));
	note_ret(r, "read nothing", read(fd, r->out, 0));
	note_ret(r, "read to nowhere", read(fd, UNMAPPED, 8));
	note_ret(r, "write", write(fd, r->out, 8));
	note_ret(r, "write nothing", write(fd, r->out, 0));
	note_ret(r, "pread", pread(fd, r->out, 8, 0));
	note_ret(r, "pwrite", pwrite(fd, r->out, 8, 100));
	note_ret(r, "readv", readv(fd, &v, 1));
	note_ret(r, "writev", writev(fd, &v, 1));
	note_ret(r, "sendfile from", sendfile(out, fd, NULL, 8));
	note_ret(r, "sendfile to", sendfile(fd, out, NULL, 8));
	note_ret(r, "lseek", lseek(fd, 0, SEEK_SET));
	note_ret(r, "lseek to the end", lseek(fd, 0, SEEK_END));
	note_ret(r, "lseek, bad whence", lseek(fd, 0, 99));
	note_ret(r, "ftruncate", ftruncate(fd, 0));
	note_ret(r, "fallocate", fallocate(fd, 0, 0, 100));
	note_ret(r, "fsync", fsync(fd));
	note_ret(r, "syncfs", syncfs(fd));
	note_ret(r, "fchmod", fchmod(fd, 0777));
	note_ret(r, "fchown", fchown(fd, 1, 1));
	note_ret(r, "flock", flock(fd, LOCK_EX | LOCK_NB));
	note_ret(r, "readahead", readahead(fd, 0, 100));
	note_ret(r, "fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL) ? -1 : 0);
	note_std(r, fd);
}

static void controls(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), n = 0;

	(void)arg;
	note_ret(r, "F_GETFD", fcntl(fd, F_GETFD));
	note_ret(r, "F_GETFL", fcntl(fd, F_GETFL));
	note_ret(r, "append", fcntl(fd, F_SETFL, O_APPEND));
	note_ret(r, "nonblocking", fcntl(fd, F_SETFL, O_NONBLOCK));
	note_ret(r, "asynchronous", fcntl(fd, F_SETFL, O_ASYNC));
	note_ret(r, "direct", fcntl(fd, F_SETFL, O_DIRECT));
	note_ret(r, "F_GETFL", fcntl(fd, F_GETFL));
	note_ret(r, "F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	note_ret(r, "F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
	note_ret(r, "F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
	note_ret(r, "FIONREAD", ioctl(fd, FIONREAD, &n));
	note_ret(r, "TIOCGWINSZ", ioctl(fd, TIOCGWINSZ, r->out));
	note_ret(r, "FIONBIO", ioctl(fd, FIONBIO, &n));
	note_ret(r, "FIOCLEX", ioctl(fd, FIOCLEX));
}

static void polled(struct run *r, const void *arg)
{
	int fd = std_map(r, *(const __u32 *)arg), set, n;
	struct pollfd p = { .fd = fd };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT };
	struct timeval none = { 0 };
	fd_set in, out;

	note_ret(r, "poll for nothing", poll(&p, 1, 0));
	note(r, "events %#x", p.revents);
	p.events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;
	note_ret(r, "poll", poll(&p, 1, 0));
	note(r, "events %#x", p.revents);
	set = keep_fd(r, epoll_create1(EPOLL_CLOEXEC));
	note_ret(r, "epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev));
	ev.events = 0;
	n = epoll_wait(set, &ev, 1, 0);
	note_ret(r, "epoll_wait", n);
	note(r, "events %#x", n > 0 ? ev.events : 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	note_ret(r, "select", select(fd + 1, &in, &out, NULL, &none));
}

void file_cases(const struct map_type *t)
{
	static const __u32 flags[] = {
		0, BPFMAPS_F_RDONLY_PROG, BPFMAPS_F_WRONLY_PROG, BPFMAPS_F_NUMA_NODE,
		BPFMAPS_F_NO_PREALLOC, BPFMAPS_F_ZERO_SEED, BPFMAPS_F_MMAPABLE, BPFMAPS_F_INNER_MAP,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++) {
		if (!takes_flags(t, flags[i]))
			continue;
		compare(t, SELF, fdinfo, &flags[i], "file/fdinfo, flags %#x", flags[i]);
		compare(t, SELF, read_write, &flags[i], "file/read and write, flags %#x",
			flags[i]);
		compare(t, 0, polled, &flags[i], "file/poll, flags %#x", flags[i]);
	}
	compare(t, 0, fdinfo_memlock, NULL, "file/memlock");
	compare(t, 0, link_text, NULL, "file/link text");
	compare(t, 0, controls, NULL, "file/controls");
}

/* From one process to another */

static void use_it(struct run *r, const void *arg)
{
	int fd = *(const int *)arg;

	std_lookup(r, "lookup", fd, 0);
	elem(r, "update", BPFMAPS_MAP_UPDATE_ELEM, fd, std_key(r, 0), std_value(r, 1000), 0);
	note_std(r, fd);
}

static void inherited(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	in_child(r, "child", use_it, &fd);
	note_std(r, fd);
}

static void use_as_nobody(struct run *r, const void *arg)
{
	become_nobody();
	use_it(r, arg);
}

static void inherited_by_nobody(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	in_child(r, "nobody", use_as_nobody, &fd);
}

static void send_fd(int sock, int fd)
{
	char data = 'x', room[CMSG_SPACE(sizeof(fd))] = "";
	struct iovec v = { .iov_base = &data, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	sendmsg(sock, &m, 0);
}

static int receive_fd(struct run *r, int sock, int flags)
{
	char data, room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = { .iov_base = &data, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *c;
	int fd = -1;

	note_ret(r, "received", recvmsg(sock, &m, flags));
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	note_ret(r, "close on exec", fcntl(fd, F_GETFD));
	return keep_fd(r, fd);
}

static void receive_and_use(struct run *r, const void *arg)
{
	int fd = receive_fd(r, *(const int *)arg, MSG_DONTWAIT);

	use_it(r, &fd);
}

static void passed(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		note(r, "no sockets");
	send_fd(pair[0], fd);
	in_child(r, "receiver", receive_and_use, &pair[1]);
	note_std(r, fd);
	close(pair[0]);
	close(pair[1]);
}

/* A descriptor on its way keeps the map. */
static void in_flight(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), pair[2];
	__u32 id = map_id(r, fd);

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		note(r, "no sockets");
	send_fd(pair[0], fd);
	drop_fd(r, fd);
	fd = receive_fd(r, pair[1], MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	note(r, "same: %d", map_id(r, fd) == id);
	use_it(r, &fd);
	close(pair[0]);
	close(pair[1]);
}

static void duplicates(struct run *r, const void *arg)
{
	int fd = std_map(r, 0), copies[3];
	size_t i;

	(void)arg;
	copies[0] = keep_fd(r, dup(fd));
	copies[1] = keep_fd(r, fcntl(fd, F_DUPFD_CLOEXEC, 100));
	copies[2] = keep_fd(r, dup3(fd, 200, 0));
	drop_fd(r, fd);
	for (i = 0; i < ARRAY_LEN(copies); i++) {
		note_ret(r, "flags", fcntl(copies[i], F_GETFD));
		use_it(r, &copies[i]);
		drop_fd(r, copies[i]);
	}
}

/* Runs this program again, which then only tells whether the descriptor is open. */
static void exec_self(struct run *r, const void *arg)
{
	char number[16], *argv[] = { "oracle", NULL }, *env[] = { number, NULL };

	snprintf(number, sizeof(number), "ORACLE_FD=%d", *(const int *)arg);
	execve("/proc/self/exe", argv, env);
	note_ret(r, "exec", -1);
}

static void executed(struct run *r, const void *arg)
{
	int fd = std_map(r, 0);

	(void)arg;
	in_child(r, "exec", exec_self, &fd);
	note_ret(r, "keep on exec", fcntl(fd, F_SETFD, 0));
	in_child(r, "exec, kept", exec_self, &fd);
}

static void no_descriptors_left(struct run *r, const void *arg)
{
	struct rlimit three = { 3, 3 };
	struct bpfmaps_create_attr c = std_attr(r);
	struct bpfmaps_id_attr id = { .map_id = *(const __u32 *)arg };

	note_ret(r, "limit", setrlimit(RLIMIT_NOFILE, &three));
	call(r, "create", BPFMAPS_MAP_CREATE, &c, sizeof(c));
	call(r, "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, &id, sizeof(id));
}

static void out_of_descriptors(struct run *r, const void *arg)
{
	__u32 id = map_id(r, std_map(r, 0)), next;
	struct bpfmaps_id_attr a = { .start_id = id };

	(void)arg;
	in_child(r, "limited", no_descriptors_left, &id);
	next = quiet(r, BPFMAPS_MAP_GET_NEXT_ID, &a, sizeof(a));
	note(r, "nothing was left behind: %d", next != 0);
}

void pass_cases(const struct map_type *t)
{
	compare(t, 0, out_of_descriptors, NULL, "pass/out of descriptors");
	compare(t, SELF, inherited_by_nobody, NULL, "pass/inherited by nobody");
	compare(t, SELF, inherited, NULL, "pass/inherited");
	compare(t, SELF, passed, NULL, "pass/over a socket");
	compare(t, SELF, in_flight, NULL, "pass/in flight");
	compare(t, SELF, duplicates, NULL, "pass/duplicates");
	compare(t, 0, executed, NULL, "pass/exec");
}
