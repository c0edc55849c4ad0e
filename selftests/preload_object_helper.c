// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that loads BPF objects by libbpf, as people write them; it knows nothing of bpfmaps.
 *
 *   preload_object_helper maps OBJECT DIR	loads it, uses its maps, pins them below DIR
 *   preload_object_helper skeleton OBJECT DIR	the same object in the way of a skeleton
 *   preload_object_helper load OBJECT DIR	only loads one
 *   preload_object_helper programs		loads programs that are much like libbpf's probes
 *
 * What the first two print is the same for bpf(2) and for bpfmaps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static const char * const names[] = {
	"pinned_hash", "percpu", "lru", "trie", "queue", "bloom", "ring", "inner", "array_of_maps",
	"hash_of_maps", "object.rodata", "object.data", "object.bss",
};

static int show(const char *what, int ret)
{
	printf("  %s: %d\n", what, ret < 0 ? ret : 0);
	return ret;
}

static struct bpf_object *load(const char *path, const char *dir)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "object", .pin_root_path = dir);
	struct bpf_object *obj = bpf_object__open_file(path, &opts);
	int err;

	if (!obj) {
		perror(path);
		exit(1);
	}
	err = show("load", bpf_object__load(obj));
	if (!err)
		return obj;
	bpf_object__close(obj);
	return NULL;
}

static int fd_of(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_map_fd_by_name(obj, name);
}

static __u32 id_of(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static void describe(struct bpf_object *obj)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct bpf_map_info info = { 0 };
		__u32 len = sizeof(info);
		struct bpf_map *map = bpf_object__find_map_by_name(obj, names[i]);
		int fd = bpf_map__fd(map);

		printf("%s: descriptor %d, pinned %d\n", names[i], fd >= 0,
		       bpf_map__is_pinned(map));
		show("info", bpf_obj_get_info_by_fd(fd, &info, &len));
		printf("  '%s' type %u key %u value %u entries %u flags %#x extra %llu\n",
		       info.name, info.type, info.key_size, info.value_size, info.max_entries,
		       info.map_flags, (unsigned long long)info.map_extra);
	}
}

static void use_elements(struct bpf_object *obj)
{
	struct bpf_map *hash = bpf_object__find_map_by_name(obj, "pinned_hash");
	__u64 value[2] = { 1, 2 }, got[2] = { 0 };
	__u32 key = 5;

	printf("elements\n");
	show("update", bpf_map__update_elem(hash, &key, sizeof(key), value, sizeof(value), 0));
	show("lookup", bpf_map__lookup_elem(hash, &key, sizeof(key), got, sizeof(got), 0));
	printf("  %llu %llu\n", (unsigned long long)got[0], (unsigned long long)got[1]);
	show("next key", bpf_map__get_next_key(hash, NULL, &key, sizeof(key)));
	show("push", bpf_map_update_elem(fd_of(obj, "queue"), NULL, value, 0));
	show("add", bpf_map_update_elem(fd_of(obj, "bloom"), NULL, value, 0));
	show("is there", bpf_map_lookup_elem(fd_of(obj, "bloom"), NULL, value));
}

/* What a look-up finds is the id of the map that was put there. */
static void use_maps_in_maps(struct bpf_object *obj)
{
	static const char * const outer[] = { "array_of_maps", "hash_of_maps" };
	int inner = fd_of(obj, "inner"), hash = fd_of(obj, "pinned_hash");
	__u32 key = 1, id, i;

	for (i = 0; i < ARRAY_SIZE(outer); i++) {
		int fd = fd_of(obj, outer[i]);

		printf("%s\n", outer[i]);
		show("lookup", bpf_map_lookup_elem(fd, &key, &id));
		show("another kind of map", bpf_map_update_elem(fd, &key, &hash, 0));
		show("update", bpf_map_update_elem(fd, &key, &inner, 0));
		show("lookup", bpf_map_lookup_elem(fd, &key, &id));
		printf("  is the inner map: %d\n", id == id_of(inner));
		show("delete", bpf_map_delete_elem(fd, &key));
	}
}

/* The global variables as a skeleton has them: in the memory of the map. */
static void use_variables(struct bpf_object *obj)
{
	int rodata = fd_of(obj, "object.rodata"), bss = fd_of(obj, "object.bss");
	__u32 key = 0;
	int value = 0;
	int *memory;

	printf("variables\n");
	show("lookup of a constant", bpf_map_lookup_elem(rodata, &key, &value));
	printf("  %d\n", value);
	show("update of a constant", bpf_map_update_elem(rodata, &key, &value, 0));
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, rodata, 0);
	show("writable mapping of constants", memory == MAP_FAILED ? -errno : 0);
	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, rodata, 0);
	printf("  mapped: %d\n", memory == MAP_FAILED ? -errno : *memory);
	show("lookup", bpf_map_lookup_elem(fd_of(obj, "object.data"), &key, &value));
	printf("  %d\n", value);
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bss, 0);
	show("mapping", memory == MAP_FAILED ? -errno : 0);
	if (memory == MAP_FAILED)
		return;
	*memory = 99;
	show("lookup", bpf_map_lookup_elem(bss, &key, &value));
	printf("  %d\n", value);
}

/* The map that is pinned already is used again, with what is in it. */
static void load_again(const char *path, const char *dir)
{
	struct bpf_object *obj = load(path, dir);
	__u64 value[2] = { 0 };
	__u32 key = 5;

	if (!obj)
		return;
	show("lookup in what was pinned",
	     bpf_map_lookup_elem(fd_of(obj, "pinned_hash"), &key, value));
	printf("  %llu %llu\n", (unsigned long long)value[0], (unsigned long long)value[1]);
	show("unpin", bpf_map__unpin(bpf_object__find_map_by_name(obj, "pinned_hash"), NULL));
	bpf_object__close(obj);
}

/* Below a directory that libbpf makes. */
static void pin_one(struct bpf_object *obj, const char *dir)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "object.data");
	char path[128], pin[256];
	int fd;

	snprintf(path, sizeof(path), "%s/below", dir);
	snprintf(pin, sizeof(pin), "%s/data", path);
	show("pin where no bpffs is", bpf_map__pin(map, "/tmp/data"));
	show("set another path", bpf_map__set_pin_path(map, NULL));
	show("pin", bpf_map__pin(map, pin));
	show("pin again", bpf_map__pin(map, pin));
	fd = show("get", bpf_obj_get(pin));
	printf("  is it: %d\n", id_of(fd) && id_of(fd) == id_of(bpf_map__fd(map)));
	close(fd);
	show("remove the directory", rmdir(path) ? -errno : 0);
	show("unpin", bpf_map__unpin(map, NULL));
	show("get", bpf_obj_get(pin));
	show("remove the directory", rmdir(path) ? -errno : 0);
}

/* Something else is at the path of the pinned map. */
static void load_over_another(const char *path, const char *dir)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "another", 4, 4, 4, NULL);
	char pin[128];

	snprintf(pin, sizeof(pin), "%s/pinned_hash", dir);
	show("pin another", bpf_obj_pin(fd, pin));
	if (load(path, dir))
		printf("it was loaded\n");
	show("unlink", unlink(pin) ? -errno : 0);
}

static void maps(const char *path, const char *dir)
{
	struct bpf_object *obj = load(path, dir);

	if (!obj)
		return;
	describe(obj);
	use_elements(obj);
	use_maps_in_maps(obj);
	use_variables(obj);
	printf("pins\n");
	load_again(path, dir);
	pin_one(obj, dir);
	load_over_another(path, dir);
	bpf_object__close(obj);
}

static void *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		exit(1);
	}
	data = malloc(st.st_size);
	*size = read(fd, data, st.st_size);
	close(fd);
	return data;
}

/* The tables are what "bpftool gen skeleton" writes. */
static void skeleton(const char *path, const char *dir)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = dir);
	struct bpf_map *hash, *rodata, *bss;
	const int *limit = NULL;
	int *counter = NULL;
	struct bpf_map_skeleton map_table[] = {
		{ .name = "pinned_hash", .map = &hash },
		{ .name = "object.rodata", .map = &rodata, .mmaped = (void **)&limit },
		{ .name = "object.bss", .map = &bss, .mmaped = (void **)&counter },
	};
	struct bpf_object *obj = NULL;
	struct bpf_object_skeleton skel = {
		.sz = sizeof(skel), .name = "object", .obj = &obj, .map_cnt = ARRAY_SIZE(map_table),
		.map_skel_sz = sizeof(map_table[0]), .maps = map_table,
	};
	__u32 key = 0;
	int value;

	skel.data = read_file(path, &skel.data_sz);
	show("open", bpf_object__open_skeleton(&skel, &opts));
	*(int *)limit = 43;
	*counter = 5;
	show("load", bpf_object__load_skeleton(&skel));
	printf("  %d %d\n", *limit, *counter);
	show("lookup", bpf_map_lookup_elem(bpf_map__fd(rodata), &key, &value));
	printf("  %d\n", value);
	show("lookup", bpf_map_lookup_elem(bpf_map__fd(bss), &key, &value));
	printf("  %d\n", value);
	*counter = 6;
	show("lookup", bpf_map_lookup_elem(bpf_map__fd(bss), &key, &value));
	printf("  %d\n", value);
	show("unpin", bpf_map__unpin(hash, NULL));
	bpf_object__close(obj);
}

#define LOAD(type, insns, opts)							\
	printf("%s %s: %d\n", #type, #insns,					\
	       bpf_prog_load(BPF_PROG_TYPE_##type, NULL, "GPL", insns, ARRAY_SIZE(insns), opts))

/* A plain user may load none of them: only what is exactly a probe is said to be loaded. */
static void programs(void)
{
	static const struct bpf_insn returns_1[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 }, { .code = BPF_JMP | BPF_EXIT },
	}, returns_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT },
	}, is_longer[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	}, asks_for_time[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_insn uses_map[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = open("/dev/null", O_RDONLY) },
		{ .imm = 16 },
		{ .code = BPF_ST | BPF_DW | BPF_MEM, .dst_reg = 1, .imm = 42 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, flags, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_prog_load_opts, attach, .expected_attach_type = BPF_CGROUP_INET_EGRESS);
	int ret;

	LOAD(SOCKET_FILTER, returns_1, NULL);
	LOAD(SOCKET_FILTER, is_longer, NULL);
	LOAD(SOCKET_FILTER, asks_for_time, NULL);
	LOAD(SOCKET_FILTER, uses_map, NULL);
	LOAD(XDP, returns_0, NULL);
	LOAD(SOCKET_FILTER, returns_0, &flags);
	LOAD(SOCKET_FILTER, returns_0, &attach);
	ret = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "MIT", returns_0, 2, NULL);
	printf("another licence: %d\n", ret);
	ret = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "name", "GPL", returns_0, 2, NULL);
	printf("a name: %d\n", ret);
	ret = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", NULL, 2, NULL);
	printf("bad pointer: %d\n", ret);
	ret = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", returns_0, 2, NULL);
	printf("the probe: %d\n", ret < 0 ? ret : 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "maps") && argc > 3)
		maps(argv[2], argv[3]);
	else if (!strcmp(what, "skeleton") && argc > 3)
		skeleton(argv[2], argv[3]);
	else if (!strcmp(what, "load") && argc > 3)
		return !load(argv[2], argv[3]);
	else if (!strcmp(what, "programs"))
		programs();
	else
		return 2;
	return 0;
}
