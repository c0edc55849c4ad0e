/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A map of any type with something in it, and a picture of all that is in it. What a type can do is
 * found by trying, so that a new type is covered as soon as it is in the list.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "ringbuf_util.h"
#include "shape.h"

/* Keys or values that occur are numbered: so many are in the map from the start. */
#define ELEMS		6
#define ROOM		8		/* of maps with keys, queues and stacks */
#define SLOTS		(ROOM + 1)

#define KEY_MAX		1024
#define VALUE_MAX	40960
#define RING_SIZE	4096
#define RECORD_SIZE	300		/* finds no room on the kernel's stack */
#define RECORDS		2

/**
 * struct picture - what a map holds
 * @elem: of each number, or in the order of a queue: a sum that is not 0; 0: is not there
 * @strange: keys that nobody has put there
 * @frozen: as fdinfo says, if @freezes of struct subject
 * @positions: of the consumer and of the producer of a ring
 * @data: of the ring: a sum
 */
struct picture {
	__u64 elem[SLOTS];
	__u64 strange;
	__u64 frozen;
	__u64 positions[2];
	__u64 data;
};

/* Buffers are on pages of their own, so that these can be taken away. */
#define OWN_PAGES	__attribute__((aligned(PAGE)))

/**
 * struct subject - the map, what its type can do, and the data of one command
 * @dev: the device
 * @map: the map
 * @id: its id
 * @s: what it was created with
 * @inner: for those that hold maps
 * @inner_id: their ids
 * @elems: how many elements it has at the start
 * @stride: bytes of a value in user space
 * @keyed: keys can be walked over
 * @holds: maps, of which a look-up gives the id
 * @set: look-ups read a value
 * @takes: values can be taken out in an order
 * @stack: in that of a stack
 * @ring: all of it can be mapped
 * @freezes: the command may freeze the map
 * @path: for a pin or a directory
 * @other: for one that it gets later
 * @ret: what a command has returned
 * @fd: a descriptor that it has made
 * @asked: elements that a batch asks for
 * @count: what it has left there
 * @batch_keys: its keys, or where it puts them
 * @mapping: for a command
 * @keys: by number
 * @values: by number
 * @out_keys: written by commands
 * @out: written by commands
 * @cursor: where a batch has ended
 */
struct subject {
	int dev;
	int map;
	__u32 id;
	struct shape s;
	int inner[2];
	__u32 inner_id[2];
	unsigned int elems;
	__u32 stride;
	bool keyed;
	bool holds;
	bool set;
	bool takes;
	bool stack;
	bool ring;
	bool freezes;
	const char *path;
	const char *other;
	int ret;
	int fd;
	__u32 asked;
	__u32 count;
	unsigned char *batch_keys;
	void *mapping;
	unsigned char keys[SLOTS * KEY_MAX] OWN_PAGES;
	unsigned char values[SLOTS * VALUE_MAX] OWN_PAGES;
	unsigned char out_keys[SLOTS * KEY_MAX] OWN_PAGES;
	unsigned char out[SLOTS * VALUE_MAX] OWN_PAGES;
	unsigned char cursor[KEY_MAX] OWN_PAGES;
};

static inline __u64 sum_of(const void *data, size_t size)
{
	const unsigned char *p = data;
	__u64 sum = 0xcbf29ce484222325, word;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
	}
	while (size--)
		sum = (sum ^ *p++) * 0x100000001b3;
	return sum | 1;
}

static inline void *subject_key(struct subject *t, unsigned int nr)
{
	return t->s.key ? t->keys + (size_t)nr * t->s.key : NULL;
}

static inline void *subject_value(struct subject *t, unsigned int nr)
{
	return t->values + (size_t)nr * t->stride;
}

static inline void *subject_out(struct subject *t, unsigned int nr)
{
	return t->out + (size_t)nr * t->stride;
}

/* Sets the values of all numbers to one of their two versions. */
static inline void subject_fill(struct subject *t, unsigned int version)
{
	unsigned int nr;

	for (nr = 0; nr < SLOTS; nr++) {
		memset(subject_value(t, nr), 1 + 2 * nr + version, t->stride);
		if (t->holds)
			memcpy(subject_value(t, nr), &t->inner[version], sizeof(int));
	}
}

/* Whether @out is what a look-up gives of a value in its first version. */
static inline bool subject_gives(struct subject *t, unsigned int nr, const void *out)
{
	if (t->holds)
		return !memcmp(out, &t->inner_id[0], sizeof(t->inner_id[0]));
	return !memcmp(out, subject_value(t, nr), t->stride);
}

static inline unsigned int subject_nr_of_key(struct subject *t, const void *key)
{
	unsigned int nr;

	for (nr = 0; nr < SLOTS; nr++)
		if (!memcmp(key, subject_key(t, nr), t->s.key))
			break;
	return nr;
}

static inline int subject_take(struct subject *t, void *value)
{
	return bm_elem(t->map, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, NULL, value, 0);
}

/* All maps that there are. */
static inline unsigned int count_ids(int dev)
{
	unsigned int nr = 0;
	__u32 id = 0;

	while (!bm_next_id(dev, id, &id))
		nr++;
	return nr;
}

/* For maps that hold maps. */
static inline bool subject_make_inner(struct subject *t)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		t->inner[i] = bm_create(t->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
		t->inner_id[i] = bm_id(t->inner[i]);
	}
	t->s.inner = t->inner[0];
	return t->inner_id[0] && t->inner_id[1];
}

/* For a ring that programs write to. */
static inline int ring_produce(struct subject *t)
{
	struct ring r = { .fd = t->map, .size = RING_SIZE };
	unsigned int i;

	if (!ring_map(&r, t->s.type))
		return -errno;
	for (i = 0; i < RECORDS; i++) {
		ring_hdr(&r, *r.producer)->len = RECORD_SIZE;
		memset(ring_hdr(&r, *r.producer) + 1, 1 + i, RECORD_SIZE);
		pos_store(r.producer, *r.producer + record_bytes(RECORD_SIZE));
	}
	ring_unmap(&r);
	return 0;
}

static inline int ring_fill(struct subject *t)
{
	int ret = 0, i;

	for (i = 0; i < RECORDS && !ret; i++)
		ret = rb_output(t->map, t->values + i, RECORD_SIZE, 0);
	return ret == -ENOTSUPP ? ring_produce(t) : ret;
}

/* Fills a new map. */
static inline int subject_start(struct subject *t)
{
	unsigned int nr;
	int ret = 0;

	t->id = bm_id(t->map);
	subject_fill(t, 0);
	if (t->ring)
		return ring_fill(t);
	for (nr = 0; nr < t->elems && !ret; nr++)
		ret = bm_update(t->map, subject_key(t, nr), subject_value(t, nr), 0);
	return ret;
}

static inline int subject_new(struct subject *t)
{
	t->map = shape_create(t->dev, &t->s);
	return t->map < 0 ? t->map : subject_start(t);
}

/* Keys differ in their first byte, which of a prefix is the length. */
static inline void subject_find_keys(struct subject *t)
{
	unsigned int nr;

	memset(t->keys, 0, sizeof(t->keys));
	for (nr = 0; t->s.key && nr < SLOTS; nr++)
		*(unsigned char *)subject_key(t, nr) = nr;
}

/* What a look-up writes of a value without zeros. */
static inline void subject_find_stride(struct subject *t)
{
	memset(t->out, 0, sizeof(t->out));
	if (bm_lookup(t->map, subject_key(t, 0), t->out))
		t->set = !bm_lookup(t->map, NULL, t->values);
	for (t->stride = 0; t->stride < sizeof(t->out) && t->out[t->stride];)
		t->stride++;
	if (t->holds || !t->stride)
		t->stride = t->s.value;
}

static inline void subject_find_order(struct subject *t)
{
	unsigned int nr;
	int ret = 0;

	for (nr = 0; nr < 2 && !ret; nr++) {
		memset(subject_value(t, nr), 1 + nr, t->stride);
		ret = bm_update(t->map, NULL, subject_value(t, nr), 0);
	}
	t->takes = !ret && !subject_take(t, t->out);
	t->stack = t->takes && t->out[0] == 2;
}

/* Tries what can be done with @map, which is fresh, and closes it. */
static inline void subject_find(struct subject *t, int map)
{
	t->map = map;
	t->holds = false;
	t->set = false;
	t->takes = false;
	t->stack = false;
	subject_find_keys(t);
	memset(t->values, 0x5a, sizeof(t->values));
	if (bm_update(map, subject_key(t, 0), t->values, 0)) {
		memcpy(t->values, &t->inner[0], sizeof(t->inner[0]));
		t->holds = !bm_update(map, subject_key(t, 0), t->values, 0);
	}
	subject_find_stride(t);
	t->keyed = !bm_next(map, NULL, t->out);
	if (!t->s.key)
		subject_find_order(t);
	t->mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, map, 0);
	t->ring = !t->s.key && t->mapping != MAP_FAILED;
	if (t->mapping != MAP_FAILED)
		munmap(t->mapping, PAGE);
	close(map);
	/* So that nothing is found in it by chance. */
	if (t->set)
		t->s.max = 4096;
	/* Each CPU has its share, and all is done on one. */
	if (t->s.flags & BPFMAPS_F_NO_COMMON_LRU)
		t->s.max = ROOM * sysconf(_SC_NPROCESSORS_CONF);
}

/* What a look-up gives, or that it gives nothing. */
static inline __u64 picture_of_key(struct subject *t, const void *key)
{
	int ret;

	memset(t->out, 0, t->stride);
	ret = bm_lookup(t->map, key, t->out);
	return ret ? (__u64)ret : sum_of(t->out, t->stride);
}

static inline void picture_of_keys(struct subject *t, struct picture *p)
{
	unsigned char key[KEY_MAX];
	unsigned int met, nr;
	void *last = NULL;

	for (met = 0; met <= SLOTS && !bm_next(t->map, last, key); met++) {
		nr = subject_nr_of_key(t, key);
		if (nr < SLOTS && !p->elem[nr])
			p->elem[nr] = picture_of_key(t, key);
		else
			p->strange++;
		last = key;
	}
}

/* All are taken out, and put back the way they were. */
static inline void picture_of_order(struct subject *t, struct picture *p)
{
	unsigned int nr, i;

	for (nr = 0; nr < SLOTS && !subject_take(t, subject_out(t, nr)); nr++)
		p->elem[nr] = sum_of(subject_out(t, nr), t->stride);
	for (i = 0; i < nr; i++)
		if (bm_update(t->map, NULL, subject_out(t, t->stack ? nr - 1 - i : i), 0))
			p->strange++;
}

static inline void picture_of_ring(struct subject *t, struct picture *p)
{
	const size_t size = 2 * PAGE + 2 * RING_SIZE;
	unsigned char *ring = mmap(NULL, size, PROT_READ, MAP_SHARED, t->map, 0);

	if (ring == MAP_FAILED) {
		p->strange++;
		return;
	}
	p->positions[0] = *(unsigned long *)ring;
	p->positions[1] = *(unsigned long *)(ring + PAGE);
	p->data = sum_of(ring + 2 * PAGE, RING_SIZE);
	munmap(ring, size);
}

/* What is in a frozen queue cannot be seen. */
static inline void picture_take(struct subject *t, struct picture *p)
{
	unsigned int nr;

	memset(p, 0, sizeof(*p));
	if (t->freezes)
		p->frozen = bm_fdinfo(t->map, "frozen");
	if (t->keyed)
		picture_of_keys(t, p);
	for (nr = 0; t->set && nr < SLOTS; nr++)
		p->elem[nr] = !bm_lookup(t->map, NULL, subject_value(t, nr));
	if (t->takes && !p->frozen)
		picture_of_order(t, p);
	if (t->ring)
		picture_of_ring(t, p);
}

/* Makes that of a queue or stack one from which @count were taken. */
static inline void picture_shift(struct picture *p, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		p->elem[i] = i + count < SLOTS ? p->elem[i + count] : 0;
}

static inline bool picture_equal(const struct picture *a, const struct picture *b)
{
	return !memcmp(a, b, sizeof(*a));
}

#endif
