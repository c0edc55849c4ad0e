// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program on libbpf's functions for maps, as people write them; it knows nothing of bpfmaps.
 *
 *   preload_helper maps DIR	every operation on every type; pins below DIR
 *   preload_helper errors DIR	bad sizes, pointers and descriptors
 *   preload_helper syscalls	system calls that are not bpf(2)
 *   preload_helper real DIR	maps of bpf(2) that were made behind the back of the library
 *   preload_helper threads	two threads, and forks of both
 *   preload_helper closed DIR	with all of standard input and output closed
 *
 * What the first two print is the same for bpf(2) and for bpfmaps. The others end with status 0 if
 * all was as it should be, and otherwise say what was not.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "scale.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define ROUNDS			300

/* Of the other types' keys it is the beginning. */
struct lpm_key {
	__u32 prefix;
	__u32 data;
};

struct kind {
	const char *name;
	enum bpf_map_type type;
	__u32 key_size;
	__u32 flags;
};

static const struct kind kinds[] = {
	{ "hash", BPF_MAP_TYPE_HASH, 4, 0 },
	{ "hash_nopre", BPF_MAP_TYPE_HASH, 4, BPF_F_NO_PREALLOC },
	{ "array", BPF_MAP_TYPE_ARRAY, 4, 0 },
	{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 0 },
	{ "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 0 },
	{ "lpm_trie", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct lpm_key), BPF_F_NO_PREALLOC },
	{ "queue", BPF_MAP_TYPE_QUEUE, 0, 0 },
	{ "stack", BPF_MAP_TYPE_STACK, 0, 0 },
	{ "bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 0 },
};

static const int map_commands[] = {
	BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY, BPF_OBJ_PIN, BPF_OBJ_GET, BPF_MAP_GET_FD_BY_ID,
	BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_FREEZE,
	BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH,
	BPF_MAP_DELETE_BATCH,
};

static int failures;

static void check(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, strerror(errno));
	failures = 1;
}

/* libbpf returns -errno. */
static int show(const char *what, int ret)
{
	printf("  %s: %d\n", what, ret < 0 ? ret : 0);
	return ret;
}

static void *key_of(const struct kind *kind, __u32 number)
{
	static __thread struct lpm_key key;

	if (!kind->key_size)
		return NULL;
	key.prefix = kind->type == BPF_MAP_TYPE_LPM_TRIE ? 32 : number;
	key.data = number;
	return &key;
}

static void print_values(const __u64 *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		printf(" %llu", (unsigned long long)values[i]);
	printf("\n");
}

static size_t value_count(const struct kind *kind)
{
	if (kind->type == BPF_MAP_TYPE_PERCPU_HASH || kind->type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return libbpf_num_possible_cpus();
	return 1;
}

static void set(__u64 *values, __u64 first)
{
	size_t i;

	for (i = 0; i < 64; i++)
		values[i] = first + i;
}

static void elements(const struct kind *kind, int fd)
{
	__u64 values[64];
	__u32 next[2] = { 0, 0 };

	set(values, 100);
	show("lookup in an empty map", bpf_map_lookup_elem(fd, key_of(kind, 1), values));
	set(values, 200);
	show("update", bpf_map_update_elem(fd, key_of(kind, 1), values, BPF_ANY));
	show("update noexist", bpf_map_update_elem(fd, key_of(kind, 1), values, BPF_NOEXIST));
	show("update exist", bpf_map_update_elem(fd, key_of(kind, 2), values, BPF_EXIST));
	show("update flag", bpf_map_update_elem(fd, key_of(kind, 1), values, 1 << 10));
	show("lookup", bpf_map_lookup_elem(fd, key_of(kind, 1), values));
	print_values(values, value_count(kind));
	show("lookup flag", bpf_map_lookup_elem_flags(fd, key_of(kind, 1), values, 1 << 10));
	show("first key", bpf_map_get_next_key(fd, NULL, next));
	printf("  %u %u\n", next[0], next[1]);
	show("lookup and delete", bpf_map_lookup_and_delete_elem(fd, key_of(kind, 1), values));
	print_values(values, value_count(kind));
	show("update", bpf_map_update_elem(fd, key_of(kind, 1), values, BPF_ANY));
	show("delete", bpf_map_delete_elem(fd, key_of(kind, 1)));
	show("delete again", bpf_map_delete_elem(fd, key_of(kind, 1)));
}

static void info_of(const struct kind *kind, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), id;
	int other;

	show("info", bpf_obj_get_info_by_fd(fd, &info, &len));
	printf("  %u %u %u %u %#x '%s' %u\n", info.type, info.key_size, info.value_size,
	       info.max_entries, info.map_flags, info.name, len);
	show("next id", bpf_map_get_next_id(info.id - 1, &id));
	check(id == info.id, "next id is another");
	other = show("fd by id", bpf_map_get_fd_by_id(info.id));
	show("update by it", bpf_map_update_elem(other, key_of(kind, 3),
						 (__u64 [64]) { 7 }, BPF_ANY));
	close(other);
}

static void pins_of(const struct kind *kind, int fd, const char *dir)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	char path[128];
	struct stat st;
	int other;

	snprintf(path, sizeof(path), "%s/libbpf_%s", dir, kind->name);
	show("get what is not there", bpf_obj_get(path));
	show("pin", bpf_obj_pin(fd, path));
	show("pin again", bpf_obj_pin(fd, path));
	other = show("get", bpf_obj_get(path));
	show("lookup", bpf_map_lookup_elem(other, key_of(kind, 3), (__u64 [64]) { 7 }));
	close(other);
	other = show("get read-only", bpf_obj_get_opts(path, &opts));
	show("update by it", bpf_map_update_elem(other, key_of(kind, 3),
						 (__u64 [64]) { 7 }, BPF_ANY));
	close(other);
	printf("  stat %d, access %d", stat(path, &st), access(path, F_OK));
	printf(", unlink %d, unlink again %d\n", unlink(path), unlink(path));
}

static __u64 sum(const void *data, size_t count)
{
	const __u32 *numbers = data;
	__u64 total = 0;
	size_t i;

	for (i = 0; i < count; i++)
		total += numbers[i];
	return total;
}

/* Keys and values are summed, as a hash table gives them in any order. */
static void batches(const struct kind *kind, int fd)
{
	__u32 keys[3 * 2] = { 0 }, count = 3, batch[2] = {}, i;
	size_t words = kind->key_size / 4;
	__u64 values[3 * 64];

	for (i = 0; i < count; i++)
		if (kind->key_size)
			memcpy(keys + i * words, key_of(kind, i), kind->key_size);
	set(values, 500);
	set(values + 64, 600);
	show("update batch", bpf_map_update_batch(fd, keys, values, &count, NULL));
	printf("  %u\n", count);
	count = 3;
	memset(values, 0, sizeof(values));
	show("lookup batch", bpf_map_lookup_batch(fd, NULL, batch, keys, values, &count, NULL));
	printf("  %u %llu %llu\n", count, sum(keys, 3 * words),
	       sum(values, 3 * 2 * value_count(kind)));
	count = 3;
	show("lookup batch, the rest", bpf_map_lookup_batch(fd, batch, batch, keys, values, &count,
							    NULL));
	count = 3;
	show("delete batch", bpf_map_delete_batch(fd, keys, &count, NULL));
	printf("  %u\n", count);
	count = 4;
	show("lookup and delete batch",
	     bpf_map_lookup_and_delete_batch(fd, NULL, batch, keys, values, &count, NULL));
	printf("  %u\n", count);
}

static void freezing(const struct kind *kind, int fd)
{
	show("freeze", bpf_map_freeze(fd));
	show("freeze again", bpf_map_freeze(fd));
	show("update frozen", bpf_map_update_elem(fd, key_of(kind, 3),
						  (__u64 [64]) { 7 }, BPF_ANY));
}

static void maps(const char *dir)
{
	const struct kind *kind;
	int fd;

	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = kind->flags);

		printf("%s\n", kind->name);
		fd = show("create", bpf_map_create(kind->type, kind->name, kind->key_size, 8, 4,
						   &opts));
		if (fd < 0)
			continue;
		elements(kind, fd);
		batches(kind, fd);
		info_of(kind, fd);
		pins_of(kind, fd, dir);
		freezing(kind, fd);
		close(fd);
	}
}

static long raw(int cmd, void *attr, unsigned int size)
{
	errno = 0;
	return syscall(__NR_bpf, cmd, attr, size) < 0 ? -errno : 0;
}

static void sizes(int fd)
{
	static const unsigned int sizes[] = {
		0, 1, 4, 8, 16, 32, 33, 144, 200, 4096, 4097, 16383, 16384, 16385, 65536,
		0x40000000, 0xffffffff,
	};
	static char attr[65536] __attribute__((aligned(8)));
	size_t i, j;

	memcpy(attr, &fd, sizeof(fd));
	for (j = 0; j < ARRAY_SIZE(map_commands); j++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			printf("command %d size %u: %ld\n", map_commands[j], sizes[i],
			       raw(map_commands[j], attr, sizes[i]));
	attr[200] = 1;
	for (j = 0; j < ARRAY_SIZE(map_commands); j++)
		printf("command %d, a byte behind: %ld\n", map_commands[j],
		       raw(map_commands[j], attr, 256));
}

static void pointers(int fd)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *bad[] = {
		NULL, (void *)1, (void *)-1L, (void *)-4096L, page + 4096, page + 4096 - 8,
	};
	union bpf_attr attr = {};
	size_t i, j;

	munmap(page + 4096, 4096);
	memset(page + 4096 - 16, 'x', 16);
	for (j = 0; j < ARRAY_SIZE(map_commands); j++)
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			printf("command %d bad pointer %zu: %ld\n", map_commands[j], i,
			       raw(map_commands[j], bad[i], 128));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&attr, 0, sizeof(attr));
		attr.pathname = (uintptr_t)bad[i];
		printf("get, bad path %zu: %ld\n", i, raw(BPF_OBJ_GET, &attr, sizeof(attr)));
		attr.bpf_fd = fd;
		printf("pin, bad path %zu: %ld\n", i, raw(BPF_OBJ_PIN, &attr, sizeof(attr)));
	}
	munmap(page, 4096);
}

static void descriptors(void)
{
	int other[] = {
		-1, 1000, open("/", O_RDONLY), open("/", O_PATH), open("/dev/null", O_RDWR),
		syscall(SYS_memfd_create, "x", 0),
	};
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), key[2] = {};
	__u64 value = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		printf("descriptor %zu\n", i);
		show("lookup", bpf_map_lookup_elem(other[i], key, &value));
		show("update", bpf_map_update_elem(other[i], key, &value, 0));
		show("delete", bpf_map_delete_elem(other[i], key));
		show("next key", bpf_map_get_next_key(other[i], key, key));
		show("info", bpf_obj_get_info_by_fd(other[i], &info, &len));
		show("freeze", bpf_map_freeze(other[i]));
		show("pin", bpf_obj_pin(other[i], "/sys/fs/bpf/none"));
		show("batch", bpf_map_delete_batch(other[i], key, &(__u32) { 1 }, NULL));
		close(other[i]);
	}
}

static void paths(int fd, const char *dir)
{
	static const char * const names[] = {
		"", "/", "/a.b", "/none/x", "/.", "/./x", "//y", "/z/",
	};
	char path[5000];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, names[i]);
		printf("path '%s'\n", names[i]);
		show("pin", bpf_obj_pin(fd, path));
		show("get", bpf_obj_get(path));
		printf("  unlink %d\n", unlink(path) ? errno : 0);
	}
	snprintf(path, sizeof(path), "%s", dir);
	memset(path + strlen(dir), 'a', sizeof(path) - strlen(dir));
	path[sizeof(path) - 1] = '\0';
	show("pin to a long path", bpf_obj_pin(fd, path));
	path[strlen(dir)] = '/';
	show("pin to a long name", bpf_obj_pin(fd, path));
	show("pin elsewhere", bpf_obj_pin(fd, "/tmp/x"));
	show("get elsewhere", bpf_obj_get("/etc/passwd"));
	if (chdir(dir))
		perror("chdir");
	show("pin to a relative path", bpf_obj_pin(fd, "relative"));
	show("get of a relative path", bpf_obj_get("./relative"));
	if (chdir("/"))
		perror("chdir");
	snprintf(path, sizeof(path), "%s/relative", dir);
	printf("  unlink %d\n", unlink(path));
}

static void creates(void)
{
	static const struct {
		__u32 type, key, value, entries, flags;
	} bad[] = {
		{ BPF_MAP_TYPE_HASH, 0, 8, 1, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 0, 1, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 8, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 8, 1, 1U << 31 },
		{ BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_RDONLY | BPF_F_WRONLY },
		{ BPF_MAP_TYPE_ARRAY, 8, 8, 1, 0 },
		{ BPF_MAP_TYPE_LPM_TRIE, 8, 8, 1, 0 },
		{ BPF_MAP_TYPE_QUEUE, 4, 8, 1, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = bad[i].flags);

		show("bad create", bpf_map_create(bad[i].type, "bad", bad[i].key, bad[i].value,
						  bad[i].entries, &opts));
	}
	show("bad name", bpf_map_create(BPF_MAP_TYPE_HASH, "a b", 4, 8, 1, NULL));
	show("long name", bpf_map_create(BPF_MAP_TYPE_HASH, "a123456789012345678", 4, 8, 1, NULL));
}

static void errors(const char *dir)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "errors", 4, 8, 4, NULL);

	show("create", fd);
	sizes(fd);
	pointers(fd);
	descriptors();
	creates();
	close(fd);
	/* The one above is frozen by now. */
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "errors", 4, 8, 4, NULL);
	paths(fd, dir);
	show("no such id", bpf_map_get_fd_by_id(0x7ffffff0));
	close(fd);
}

static void syscalls(void)
{
	char *page;
	long fd;

	errno = 77;
	check(syscall(SYS_getpid) == getpid() && errno == 77, "getpid");
	fd = syscall(SYS_openat, AT_FDCWD, "/bin/preload_helper", O_RDONLY | O_CLOEXEC, 0);
	check(fd >= 0, "openat");
	/* The sixth argument counts: it skips the first page. */
	page = (char *)syscall(SYS_mmap, NULL, 4096L, (long)PROT_READ, (long)MAP_PRIVATE, fd,
			       4096L);
	check(page != MAP_FAILED && memcmp(page, "\177ELF", 4), "mmap");
	check(syscall(SYS_close, fd) == 0, "close");
	check(syscall(SYS_close, fd) == -1 && errno == EBADF, "close again");
	check(syscall(100000L) == -1, "no such call");
}

static long enter_kernel(long cmd, union bpf_attr *attr)
{
	register long number __asm__("rax") = __NR_bpf;

	__asm__ volatile("syscall" : "+r"(number) : "D"(cmd), "S"(attr), "d"(sizeof(*attr))
			 : "rcx", "r11", "memory");
	return number;
}

/* A map of bpf(2)'s under the library: every command on its descriptor goes to bpf(2). */
static void maps_of_bpf(const char *dir)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8,
				.max_entries = 4, .map_name = "real" };
	int fd = enter_kernel(BPF_MAP_CREATE, &attr);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), key = 1, next = 0;
	__u64 value = 5;
	char path[128];
	int other;

	check(fd >= 0, "create");
	check(!bpf_map_update_elem(fd, &key, &value, 0), "update");
	value = 0;
	check(!bpf_map_lookup_elem(fd, &key, &value) && value == 5, "lookup");
	check(!bpf_map_get_next_key(fd, NULL, &next) && next == 1, "next key");
	check(!bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, "real"), "info");
	snprintf(path, sizeof(path), "%s/real", dir);
	check(!bpf_obj_pin(fd, path), "pin");
	other = bpf_obj_get(path);
	check(other >= 0 && !bpf_map_lookup_elem(other, &key, &value), "get");
	check(!unlink(path), "unlink");
	check(!bpf_map_delete_elem(fd, &key), "delete");
	check(bpf_map_delete_elem(fd, &key) == -ENOENT, "delete again");
	check(!bpf_map_freeze(fd), "freeze");
	check(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "progs", 4, 4, 4, NULL) >= 0,
	      "a type that the module does not have");
	close(fd);
	close(other);
}

static void *work(void *arg)
{
	__u64 mine = (uintptr_t)arg, nr = scaled(ROUNDS), got, i;
	int fd;

	for (i = 0; i < nr; i++) {
		__u32 key = i % 4;

		fd = bpf_map_create(BPF_MAP_TYPE_HASH, "threads", 4, 8, 4, NULL);
		check(fd >= 0, "create");
		check(!bpf_map_update_elem(fd, &key, &mine, BPF_NOEXIST), "update");
		check(!bpf_map_lookup_elem(fd, &key, &got) && got == mine, "lookup");
		errno = 0;
		check(syscall(__NR_bpf, BPF_MAP_LOOKUP_ELEM, NULL, 32) == -1 && errno == EFAULT,
		      "errno");
		close(fd);
	}
	return NULL;
}

static void *work_and_fork(void *arg)
{
	int status = -1;
	pid_t pid;

	work(arg);
	pid = fork();
	if (!pid) {
		closefrom(0);
		work(arg);
		_exit(failures);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && !status, "child");
	return NULL;
}

static void threads(void)
{
	pthread_t other;

	check(!pthread_create(&other, NULL, work_and_fork, (void *)1), "thread");
	work_and_fork((void *)2);
	pthread_join(other, NULL);
}

static void without_stdio(const char *dir)
{
	char path[128];
	int fd;

	closefrom(0);
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "closed", 4, 8, 4, NULL);
	snprintf(path, sizeof(path), "%s/closed", dir);
	failures = fd < 3 || bpf_map_update_elem(fd, &fd, (__u64 [1]) { 1 }, 0) ||
		   bpf_obj_pin(fd, path) || unlink(path);
}

/* A look-up that counts: what was looked up last stays in a full map, and what was not goes. */
static void look_ups_that_count(void)
{
	int (*lookup_ref)(int fd, const void *key, void *value) =
		(int (*)(int, const void *, void *))dlsym(RTLD_DEFAULT, "bpfmaps_lookup_ref");
	int lru = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "lru", 4, 8, 10, NULL);
	int hash = bpf_map_create(BPF_MAP_TYPE_HASH, "hash", 4, 8, 10, NULL);
	__u64 value = 5, out = 0;
	__u32 key, kept = 0, other = 1;

	check(lookup_ref && lru >= 0 && hash >= 0, "bpfmaps_lookup_ref");
	if (failures)
		return;
	for (key = 0; key < 15; key++) {
		check(!bpf_map_update_elem(lru, &key, &value, BPF_NOEXIST), "insert");
		check(!lookup_ref(lru, &kept, &out) && out == 5, "look up");
	}
	check(!bpf_map_lookup_elem(lru, &kept, &out), "the one that was used");
	check(bpf_map_lookup_elem(lru, &other, &out) && errno == ENOENT, "one that was not");
	check(lookup_ref(lru, &other, &out) == -1 && errno == ENOENT, "none");
	check(!bpf_map_update_elem(hash, &kept, &value, BPF_ANY) &&
	      !lookup_ref(hash, &kept, &out), "a hash");
	check(lookup_ref(0, &kept, &out) == -1 && errno == ENOTTY, "no map");
	close(lru);
	close(hash);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *dir = argc > 2 ? argv[2] : "/sys/fs/bpf";

	if (!strcmp(what, "maps"))
		maps(dir);
	else if (!strcmp(what, "errors"))
		errors(dir);
	else if (!strcmp(what, "syscalls"))
		syscalls();
	else if (!strcmp(what, "real"))
		maps_of_bpf(dir);
	else if (!strcmp(what, "threads"))
		threads();
	else if (!strcmp(what, "touch"))
		look_ups_that_count();
	else if (!strcmp(what, "closed"))
		without_stdio(dir);
	else
		return 2;
	return failures;
}
