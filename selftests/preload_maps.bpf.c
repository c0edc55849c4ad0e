// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BPF object that has maps and global variables, and no program: preload_object_helper loads it.
 *
 * It includes no header: what gcc writes about all the types there is not what the kernel takes as
 * BTF.
 */
#define SEC(name)		__attribute__((section(name), used))

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

/* The type of each member of a map says what it is: numbers are the sizes of arrays. */
struct {
	int (*type)[BPF_MAP_TYPE_HASH];
	int (*max_entries)[16];
	u32 *key;
	struct pair *value;
	int (*pinning)[LIBBPF_PIN_BY_NAME];
} pinned_hash SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_PERCPU_ARRAY];
	int (*max_entries)[2];
	u32 *key;
	u64 *value;
} percpu SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_LRU_HASH];
	int (*max_entries)[16];
	u32 *key;
	u64 *value;
} lru SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_LPM_TRIE];
	int (*max_entries)[16];
	int (*map_flags)[BPF_F_NO_PREALLOC];
	int (*key_size)[8];
	int (*value_size)[8];
} trie SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_QUEUE];
	int (*max_entries)[4];
	u64 *value;
} queue SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_BLOOM_FILTER];
	int (*max_entries)[100];
	int (*map_extra)[3];
	u64 *value;
} bloom SEC(".maps");

/* No size that a ring buffer can have: libbpf makes it one. */
struct {
	int (*type)[BPF_MAP_TYPE_RINGBUF];
	int (*max_entries)[5000];
} ring SEC(".maps");

struct inner {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*max_entries)[4];
	u32 *key;
	u64 *value;
} inner SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY_OF_MAPS];
	int (*max_entries)[4];
	u32 *key;
	struct inner *values[];
} array_of_maps SEC(".maps");

struct {
	int (*type)[BPF_MAP_TYPE_HASH_OF_MAPS];
	int (*max_entries)[4];
	u32 *key;
	struct inner *values[];
} hash_of_maps SEC(".maps");

const int limit = 42;
int start = 7;
int counter;

unsigned char _license[] SEC("license") = "GPL";
