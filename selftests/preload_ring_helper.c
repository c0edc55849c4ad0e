// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program on libbpf's ring buffers, as people write them; it knows nothing of bpfmaps.
 *
 *   preload_ring_helper rings DIR	reads two ring buffers, pinned below DIR
 *   preload_ring_helper user DIR	writes to a user ring buffer that nobody reads
 *   preload_ring_helper wait PIN COUNT	makes a ring buffer and waits for COUNT records with text
 *   preload_ring_helper drained DIR	writes to a user ring buffer that is read meanwhile
 *
 * Whatever a program of the kernel's would do is done by preload_produce_helper. What the first two
 * print is the same for bpf(2) and for bpfmaps.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define ROUNDS		100
#define PATIENCE	20000

static int arrived;
static int stop_at;

/* libbpf returns -errno, or NULL with errno. */
static void show(const char *what, int ret)
{
	printf("%s: %d\n", what, ret);
}

static void show_pointer(const char *what, const void *pointer)
{
	printf("%s: %d\n", what, pointer ? 0 : -errno);
}

/* Starts the producer, in a while. It is a process of its own: the pins are what both share. */
static pid_t start(const char *command, const char *pin, const char *first, const char *count,
		   const char *flags)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	usleep(100000);
	execl("/bin/preload_produce_helper", "preload_produce_helper", command, pin, first, count,
	      flags, NULL);
	_exit(127);
}

static void finish(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	show("producer", status);
}

static int numbers(void *name, void *data, size_t size)
{
	const unsigned long long *number = data;
	size_t i;

	printf("%s: %zu bytes of %llu", (const char *)name, size, *number);
	for (i = 1; i < size / 8; i++)
		if (number[i] != *number)
			printf(", another: %llu", number[i]);
	printf("\n");
	arrived++;
	return arrived == stop_at ? -77 : 0;
}

static int text(void *name, void *data, size_t size)
{
	printf("%s: %.*s\n", (const char *)name, (int)size, (const char *)data);
	arrived++;
	return 0;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/*
 * How many records a poll finds is a matter of time, and it may be none: one that is being written
 * wakes a reader up, too. All of them are counted.
 */
static void wait_for(struct ring_buffer *rb, int count)
{
	long long end = now_ms() + PATIENCE;
	int ret = 0, sum = 0, before;

	arrived = 0;
	while (arrived < count && ret >= 0 && now_ms() < end) {
		before = arrived;
		ret = ring_buffer__poll(rb, PATIENCE);
		sum += ret;
		if (arrived > before)
			end = now_ms() + PATIENCE;
	}
	show("polled", ret < 0 ? ret : sum);
}

static void wrong_use(void)
{
	int hash = bpf_map_create(BPF_MAP_TYPE_HASH, "hash", 4, 8, 4, NULL);
	int ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, 4096, NULL);

	show_pointer("reader of a hash", ring_buffer__new(hash, numbers, NULL, NULL));
	show_pointer("writer to a hash", user_ring_buffer__new(hash, NULL));
	show_pointer("reader of nothing", ring_buffer__new(-1, numbers, NULL, NULL));
	show_pointer("writer to nothing", user_ring_buffer__new(-1, NULL));
	show_pointer("writer to what is read", user_ring_buffer__new(ring, NULL));
	close(hash);
	close(ring);
}

static int make(const char *dir, const char *name, enum bpf_map_type type, size_t size, char *pin)
{
	int map = bpf_map_create(type, name, 0, 0, size, NULL);

	snprintf(pin, 128, "%s/%s", dir, name);
	show("pin", bpf_obj_pin(map, pin));
	return map;
}

static void by_poll(struct ring_buffer *rb, const char *pin)
{
	struct pollfd fd = { .fd = ring_buffer__epoll_fd(rb), .events = POLLIN };
	pid_t producer;

	show("idle", poll(&fd, 1, 0));
	producer = start("output", pin, "30", "1", "0");
	show("woken up", poll(&fd, 1, PATIENCE));
	finish(producer);
	show("consumed", ring_buffer__consume(rb));
	show("idle", poll(&fd, 1, 0));
}

static void rings(const char *dir)
{
	char one[128], two[128], count[16];
	int first = make(dir, "one", BPF_MAP_TYPE_RINGBUF, 4096, one);
	int second = make(dir, "two", BPF_MAP_TYPE_RINGBUF, 16384, two);
	struct ring_buffer *rb = ring_buffer__new(first, numbers, "one", NULL);
	pid_t producer;

	show_pointer("new", rb);
	show("add", ring_buffer__add(rb, second, numbers, "two"));
	show("nothing", ring_buffer__poll(rb, 0));
	show("nothing in a while", ring_buffer__poll(rb, 50));
	producer = start("output", one, "1", "3", "0");
	wait_for(rb, 3);
	finish(producer);
	producer = start("output", two, "10", "2", "2");
	wait_for(rb, 2);
	finish(producer);
	/* No wake-up: they are there all the same. */
	finish(start("output", two, "20", "2", "1"));
	show("consumed", ring_buffer__consume(rb));
	by_poll(rb, one);
	/* More than fits, so that the producer waits and records go over the end. */
	snprintf(count, sizeof(count), "%d", ROUNDS);
	producer = start("output", one, "1000", count, "0");
	wait_for(rb, ROUNDS);
	finish(producer);
	finish(start("output", one, "40", "3", "0"));
	stop_at = arrived + 2;
	show("stopped", ring_buffer__consume(rb));
	show("the rest", ring_buffer__consume(rb));
	ring_buffer__free(rb);
	unlink(one);
	unlink(two);
}

static void *reserve(struct user_ring_buffer *rb, unsigned int size, const char *what)
{
	void *record = user_ring_buffer__reserve(rb, size);

	show_pointer(what, record);
	return record;
}

static void user(const char *dir)
{
	char pin[128];
	int map = make(dir, "user", BPF_MAP_TYPE_USER_RINGBUF, 4096, pin);
	struct user_ring_buffer *rb = user_ring_buffer__new(map, NULL);
	void *record;

	show_pointer("new", rb);
	reserve(rb, 4096, "too large");
	reserve(rb, 0xffffffff, "much too large");
	record = reserve(rb, 100, "reserve");
	memset(record, 'x', 100);
	user_ring_buffer__submit(rb, record);
	record = reserve(rb, 0, "reserve nothing");
	user_ring_buffer__discard(rb, record);
	while ((record = user_ring_buffer__reserve(rb, 500)))
		user_ring_buffer__submit(rb, record);
	show_pointer("reserve in a full one", record);
	show_pointer("reserve with patience", user_ring_buffer__reserve_blocking(rb, 500, 50));
	record = reserve(rb, 100, "reserve what fits");
	user_ring_buffer__submit(rb, record);
	user_ring_buffer__free(rb);
	unlink(pin);
	close(map);
}

static void wait_in(const char *pin, int count)
{
	int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "wait", 0, 0, 4096, NULL);
	struct ring_buffer *rb = ring_buffer__new(map, text, "record", NULL);

	show_pointer("new", rb);
	show("pin", bpf_obj_pin(map, pin));
	wait_for(rb, count);
	ring_buffer__free(rb);
	unlink(pin);
}

static void submit_text(struct user_ring_buffer *rb, const char *record)
{
	void *place = user_ring_buffer__reserve(rb, strlen(record));

	if (!place)
		return show_pointer("reserve", place);
	memcpy(place, record, strlen(record));
	user_ring_buffer__submit(rb, place);
}

static void drained(const char *dir)
{
	char pin[128];
	int map = make(dir, "drained", BPF_MAP_TYPE_USER_RINGBUF, 4096, pin);
	struct user_ring_buffer *rb = user_ring_buffer__new(map, NULL);
	pid_t consumer;
	void *record;

	show_pointer("new", rb);
	submit_text(rb, "first");
	user_ring_buffer__discard(rb, user_ring_buffer__reserve(rb, 8));
	submit_text(rb, "the second record");
	finish(start("drain", pin, "4096", NULL, NULL));
	record = user_ring_buffer__reserve(rb, 4000);
	show_pointer("reserve", record);
	memset(record, 'x', 20);
	memset((char *)record + 20, 0, 3980);
	user_ring_buffer__submit(rb, record);
	show_pointer("reserve in a full one", user_ring_buffer__reserve(rb, 1000));
	consumer = start("drain", pin, "8192", NULL, NULL);
	record = user_ring_buffer__reserve_blocking(rb, 1000, PATIENCE);
	show_pointer("reserve when there is room", record);
	finish(consumer);
	user_ring_buffer__discard(rb, record);
	user_ring_buffer__free(rb);
	unlink(pin);
	close(map);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	/* What libbpf says about an error has numbers of descriptors. */
	libbpf_set_print(NULL);
	if (!strcmp(what, "rings")) {
		wrong_use();
		rings(argv[2]);
	} else if (!strcmp(what, "user")) {
		user(argv[2]);
	} else if (!strcmp(what, "wait") && argc > 3) {
		wait_in(argv[2], atoi(argv[3]));
	} else if (!strcmp(what, "drained")) {
		drained(argv[2]);
	} else {
		return 2;
	}
	return 0;
}
