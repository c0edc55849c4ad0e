// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BPF object that has maps and global variables, and no program: preload_object_helper loads it.
 *
 * It includes no header: what gcc writes about all the types there is not what the kernel takes as BTF.
 */
#define SEC(name)		__attribute__((section(name), used))

/* A member of a map's definition: its type says all. */
#define NUMBER(name, value)	int (*name)[value]
#define TYPE(name, value)	value *name
#define MAPS(name, value)	value *name[]

/* As in linux/bpf.h and bpf/bpf_helpers.h. */
#define BPF_MAP_TYPE_HASH		1
#define BPF_MAP_TYPE_ARRAY		2
#define BPF_MAP_TYPE_PERCPU_ARRAY	6
#define BPF_MAP_TYPE_LRU_HASH		9
#define BPF_MAP_TYPE_LPM_TRIE		11
#define BPF_MAP_TYPE_ARRAY_OF_MAPS	12
#define BPF_MAP_TYPE_HASH_OF_MAPS	13
#define BPF_MAP_TYPE_QUEUE		22
#define BPF_MAP_TYPE_RINGBUF		27
#define BPF_MAP_TYPE_BLOOM_FILTER	30
#define BPF_F_NO_PREALLOC		1
#define LIBBPF_PIN_BY_NAME		1

typedef unsigned int u32;
typedef unsigned long long u64;

struct pair {
	u32 first;
	u64 second;
};

struct {
	NUMBER(type, BPF_MAP_TYPE_HASH);
	NUMBER(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, struct pair);
	NUMBER(pinning, LIBBPF_PIN_BY_NAME);
} pinned_hash SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	NUMBER(max_entries, 2);
	TYPE(key, u32);
	TYPE(value, u64);
} percpu SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_LRU_HASH);
	NUMBER(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, u64);
} lru SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_LPM_TRIE);
	NUMBER(max_entries, 16);
	NUMBER(map_flags, BPF_F_NO_PREALLOC);
	NUMBER(key_size, 8);
	NUMBER(value_size, 8);
} trie SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_QUEUE);
	NUMBER(max_entries, 4);
	TYPE(value, u64);
} queue SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_BLOOM_FILTER);
	NUMBER(max_entries, 100);
	NUMBER(map_extra, 3);
	TYPE(value, u64);
} bloom SEC(".maps");

/* No size that a ring buffer can have: libbpf makes it one. */
struct {
	NUMBER(type, BPF_MAP_TYPE_RINGBUF);
	NUMBER(max_entries, 5000);
} ring SEC(".maps");

struct inner {
	NUMBER(type, BPF_MAP_TYPE_ARRAY);
	NUMBER(max_entries, 4);
	TYPE(key, u32);
	TYPE(value, u64);
} inner SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	NUMBER(max_entries, 4);
	TYPE(key, u32);
	MAPS(values, struct inner);
} array_of_maps SEC(".maps");

struct {
	NUMBER(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	NUMBER(max_entries, 4);
	TYPE(key, u32);
	MAPS(values, struct inner);
} hash_of_maps SEC(".maps");

const int limit = 42;
int start = 7;
int counter;

unsigned char _license[] SEC("license") = "GPL";
