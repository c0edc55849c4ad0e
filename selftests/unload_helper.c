// SPDX-License-Identifier: GPL-2.0-only
/*
 * For unload_test.sh and unload_storm_test.sh: holds the module in one way, makes and drops maps,
 * or does that while the module comes and goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpfmaps.h>

#define ENTRIES		64
#define VALUE_SIZE	256
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static void fail(const char *what)
{
	fprintf(stderr, "unload_helper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_device(void)
{
	int fd = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/bpfmaps");
	return fd;
}

static int create(int dev, __u32 type, __u32 flags)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type,
		.key_size = sizeof(__u32),
		.value_size = VALUE_SIZE,
		.max_entries = ENTRIES,
		.map_flags = flags,
	};
	int fd = ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);

	if (fd < 0)
		fail("create");
	return fd;
}

static void fill(int dev, int map)
{
	char value[VALUE_SIZE] = "";
	__u32 key;
	struct bpfmaps_elem_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)value,
	};

	for (key = 0; key < ENTRIES; key++)
		if (ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_UPDATE_ELEM, sizeof(attr)), &attr))
			fail("update");
}

static void pin(int dev, int map, const char *path)
{
	struct bpfmaps_obj_attr attr = {
		.pathname = (uintptr_t)path,
		.bpf_fd = map,
	};

	if (ioctl(dev, BPFMAPS_IOC(BPFMAPS_OBJ_PIN, sizeof(attr)), &attr))
		fail(path);
}

/* Says so, and waits until standard input ends. */
static void hold(void)
{
	char c;

	puts("held");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

static void hold_map(void)
{
	int dev = open_device();

	create(dev, BPFMAPS_TYPE_HASH, 0);
	close(dev);
	hold();
}

static void hold_mapping(void)
{
	int dev = open_device();
	int map = create(dev, BPFMAPS_TYPE_ARRAY, BPFMAPS_F_MMAPABLE);
	void *p = mmap(NULL, ENTRIES * VALUE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	close(map);
	close(dev);
	hold();
}

static void cycle(long times)
{
	static const struct {
		__u32 type, flags;
	} maps[] = {
		{ BPFMAPS_TYPE_HASH, 0 },
		{ BPFMAPS_TYPE_HASH, BPFMAPS_F_NO_PREALLOC },
		{ BPFMAPS_TYPE_ARRAY, 0 },
		{ BPFMAPS_TYPE_ARRAY, BPFMAPS_F_MMAPABLE },
	};
	int dev = open_device();

	while (times--) {
		for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
			int map = create(dev, maps[i].type, maps[i].flags);

			fill(dev, map);
			close(map);
		}
	}
}

static int create_outer(int dev, __u32 type, int template)
{
	struct bpfmaps_create_attr attr = {
		.map_type = type,
		.key_size = sizeof(__u32),
		.value_size = sizeof(__u32),
		.max_entries = ENTRIES,
		.inner_map_fd = template,
	};
	int fd = ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_CREATE, sizeof(attr)), &attr);

	if (fd < 0)
		fail("create");
	return fd;
}

/* Makes a few maps that only an outer one holds, and closes that. */
static void nest(__u32 type)
{
	int dev = open_device(), outer = -1;
	__u32 key, inner;
	struct bpfmaps_elem_attr attr = {
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&inner,
	};

	for (key = 0; key < 8; key++) {
		inner = create(dev, BPFMAPS_TYPE_HASH, 0);
		if (!key)
			outer = create_outer(dev, type, inner);
		attr.map_fd = outer;
		if (ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_UPDATE_ELEM, sizeof(attr)), &attr))
			fail("update");
		close(inner);
	}
	close(outer);
	close(dev);
}

static volatile sig_atomic_t storm_is_over;

static void end_storm(int signal)
{
	(void)signal;
	storm_is_over = 1;
}

/* What one thread of the storm has done. */
struct gust {
	unsigned long opens;
	unsigned long works;
};

/* The module that was met works as long as it is held. */
static void use(int dev)
{
	__u32 key = 1;
	char value[VALUE_SIZE] = "a", out[VALUE_SIZE] = "";
	struct bpfmaps_elem_attr attr = {
		.map_fd = create(dev, BPFMAPS_TYPE_HASH, 0),
		.key = (uintptr_t)&key,
		.value = (uintptr_t)value,
	};

	if (ioctl(dev, BPFMAPS_IOC(BPFMAPS_MAP_UPDATE_ELEM, sizeof(attr)), &attr))
		fail("update");
	close(dev);
	/* From here on only the map holds the module. */
	attr.value = (uintptr_t)out;
	if (ioctl(attr.map_fd, BPFMAPS_IOC(BPFMAPS_MAP_LOOKUP_ELEM, sizeof(attr)), &attr))
		fail("look-up");
	if (memcmp(value, out, sizeof(out)))
		fail("value");
	close(attr.map_fd);
}

/* Opens the device, which may not be there, and leaves some time for it to go. */
static void *blow(void *arg)
{
	struct gust *g = arg;
	int dev;

	while (!storm_is_over) {
		dev = open("/dev/bpfmaps", O_RDWR | O_CLOEXEC);
		g->opens++;
		if (dev >= 0) {
			g->works++;
			use(dev);
		} else if (errno != ENOENT && errno != ENODEV && errno != ENXIO) {
			fail("/dev/bpfmaps");
		}
		usleep(g->opens % 8 * 500);
	}
	return NULL;
}

static void storm(void)
{
	struct gust gusts[3] = { { 0 } };
	pthread_t threads[ARRAY_SIZE(gusts)];
	unsigned long opens = 0, works = 0;

	signal(SIGTERM, end_storm);
	for (size_t i = 0; i < ARRAY_SIZE(gusts); i++)
		if (pthread_create(&threads[i], NULL, blow, &gusts[i]))
			fail("thread");
	for (size_t i = 0; i < ARRAY_SIZE(gusts); i++) {
		pthread_join(threads[i], NULL);
		opens += gusts[i].opens;
		works += gusts[i].works;
	}
	printf("opened %lu times, met the module %lu times\n", opens, works);
	if (!works || works == opens)
		exit(3);
}

/* So early that the maps are not freed yet. */
static void unload(void)
{
	int try = 0;

	while (syscall(SYS_delete_module, "bpfmaps", O_NONBLOCK)) {
		if (errno != EAGAIN || try++ == 10000)
			fail("delete_module");
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "device")) {
		open_device();
		hold();
	} else if (!strcmp(what, "map")) {
		hold_map();
	} else if (!strcmp(what, "mapping")) {
		hold_mapping();
	} else if (!strcmp(what, "pin") && argc == 3) {
		int dev = open_device();

		pin(dev, create(dev, BPFMAPS_TYPE_HASH, 0), argv[2]);
	} else if (!strcmp(what, "cycle") && argc == 3) {
		cycle(atol(argv[2]));
	} else if (!strcmp(what, "storm")) {
		storm();
	} else if (!strcmp(what, "nest")) {
		nest(BPFMAPS_TYPE_ARRAY_OF_MAPS);
		nest(BPFMAPS_TYPE_HASH_OF_MAPS);
		unload();
	} else {
		fprintf(stderr,
			"usage: unload_helper device | map | mapping | pin PATH | cycle N | nest\n"
			"       unload_helper storm\n");
		return 2;
	}
	return 0;
}
