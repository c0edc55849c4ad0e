// SPDX-License-Identifier: GPL-2.0-only
/* Keys and values at every kind of address, and mistakes in combination. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

#define KEY_SIZE	4
#define BIG_VALUE	(3 * PAGE)

enum where {
	GOOD,
	ODD,
	NULL_POINTER,
	ONE,
	LOW,
	NO_ACCESS,
	READ_ONLY,
	CROSSING,
	KERNEL,
	NON_CANONICAL,
	TOP,
	USER_END,
	NR_WHERE,
};

static const char * const where_names[] = {
	[GOOD] = "good",
	[ODD] = "odd",
	[NULL_POINTER] = "NULL",
	[ONE] = "1",
	[LOW] = "unmapped",
	[NO_ACCESS] = "without access",
	[READ_ONLY] = "read-only",
	[CROSSING] = "into an unmapped page",
	[KERNEL] = "in the kernel",
	[NON_CANONICAL] = "non-canonical",
	[TOP] = "at the top",
	[USER_END] = "at the end of user space",
};

/* Six pages to place bytes in: three to use, one that is not accessible, two read-only. */
struct area {
	unsigned char *p;
};

#define AREA_PAGES	12

static void area_map(struct area *a)
{
	a->p = mmap(NULL, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (a->p == MAP_FAILED)
		abort();
}

/* Pages 0 to 3 can be used, 4 and 5 not, 6 to 11 are read-only once filled. */
static void area_protect(struct area *a)
{
	mprotect(a->p + 4 * PAGE, 2 * PAGE, PROT_NONE);
	mprotect(a->p + 6 * PAGE, 6 * PAGE, PROT_READ);
}

static void area_unmap(struct area *a)
{
	munmap(a->p, AREA_PAGES * PAGE);
}

static void *own_place(struct area *a, enum where at, size_t len)
{
	switch (at) {
	case GOOD:
		return a->p;
	case ODD:
		return a->p + 1;
	case NO_ACCESS:
		return a->p + 4 * PAGE;
	case READ_ONLY:
		return a->p + 6 * PAGE;
	default:
		return a->p + 4 * PAGE - len / 2;
	}
}

static void *place(struct area *a, enum where at, const void *bytes, size_t len)
{
	static const unsigned long foreign[NR_WHERE] = {
		[ONE] = 1,
		[LOW] = 0x1000,
		[KERNEL] = 0xffff888000000000UL,
		[NON_CANONICAL] = 0x8000000000000000UL,
		[TOP] = ~0UL - 1,
		[USER_END] = 0x7ffffffff000UL - 2,
	};
	void *p;

	area_map(a);
	if (at == NULL_POINTER)
		return NULL;
	if (foreign[at])
		return (void *)foreign[at];
	p = own_place(a, at, len);
	memcpy(p, bytes, at == CROSSING ? len / 2 : len);
	return p;
}

struct pointer_case {
	unsigned int cmd;
	const char *name;
	enum where key;
	enum where value;
	__u32 index;
	size_t value_size;
};

/* What a call has written, where this process can read it. */
static void note_place(struct run *r, const char *label, const struct area *a)
{
	note_bytes(r, label, a->p, 4 * PAGE);
	note_bytes(r, label, a->p + 6 * PAGE, 6 * PAGE);
}

/* A map of the type with values of another size, and three elements. */
static int map_of_size(struct run *r, size_t value_size)
{
	static unsigned char value[BIG_VALUE];
	struct bpfmaps_create_attr a = std_attr(r);
	__u32 i;
	int fd;

	if (r->type->holds || r->type->ring)
		return std_map(r, 0);
	a.value_size = value_size;
	fd = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));
	if (fd < 0)
		note(r, "no map with values of %zu bytes: %s", value_size, errno_name(errno));
	for (i = 0; i < STD_FILLED; i++) {
		memset(value, 0x30 + i, sizeof(value));
		elem_quiet(r, BPFMAPS_MAP_UPDATE_ELEM, fd, std_key(r, i), value, 0);
	}
	return fd;
}

/* Types without keys have none to point at, other than a wrong one. */
static void *place_key(struct run *r, const struct pointer_case *c, int fd, struct area *keys)
{
	void *key = std_key(r, c->index);

	if (c->cmd == BPFMAPS_MAP_GET_NEXT_KEY && c->index == STD_PRESENT)
		key = followed_key(r, fd);
	if (!key && c->key == GOOD) {
		area_map(keys);
		return NULL;
	}
	return place(keys, c->key, key ? key : &c->index, key ? r->type->key : KEY_SIZE);
}

static void pointed(struct run *r, const void *arg)
{
	static unsigned char value[BIG_VALUE];
	const struct pointer_case *c = arg;
	size_t value_size = user_size(r->type, c->value_size);
	bool next = c->cmd == BPFMAPS_MAP_GET_NEXT_KEY;
	int fd = map_of_size(r, c->value_size);
	struct area keys, values;
	void *k, *v;
	int ret;

	memset(value, 0x77, sizeof(value));
	if (r->type->holds)
		memcpy(value, std_value(r, c->index), c->value_size);
	k = place_key(r, c, fd, &keys);
	v = place(&values, c->value, value, next && r->type->key ? r->type->key : value_size);
	area_protect(&keys);
	area_protect(&values);
	ret = elem(r, c->name, c->cmd, fd, k, v, 0);
	if (ret && errno == EFAULT && c->cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM)
		note_kept(r, fd, value_size);
	else if (r->type->key)
		note_contents(r, fd, r->type->key, value_size);
	if (!next || has_order(r)) {
		note_place(r, "key", &keys);
		/* Half an id tells nothing. */
		if (!r->type->holds || c->value != CROSSING)
			note_place(r, "value", &values);
	}
	area_unmap(&keys);
	area_unmap(&values);
}

static void pointer_row(const struct map_type *t, struct pointer_case c, bool has_value)
{
	enum where w;

	for (w = 0; w < NR_WHERE; w++) {
		c.key = w;
		c.value = has_value ? GOOD : NULL_POINTER;
		compare(t, SELF, pointed, &c, "pointer/%s, key %s, value of %zu", c.name,
			where_names[w], c.value_size);
	}
	for (w = 0; has_value && w < NR_WHERE; w++) {
		c.key = GOOD;
		c.value = w;
		compare(t, SELF, pointed, &c, "pointer/%s, value of %zu %s", c.name, c.value_size,
			where_names[w]);
	}
}

static void pointer_rows(const struct map_type *t, size_t value_size)
{
	struct pointer_case c = { .index = STD_PRESENT, .value_size = value_size };

	c.cmd = BPFMAPS_MAP_LOOKUP_ELEM;
	c.name = "lookup";
	pointer_row(t, c, true);
	c.cmd = BPFMAPS_MAP_UPDATE_ELEM;
	c.name = "update";
	pointer_row(t, c, true);
	c.cmd = BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
	c.name = "take";
	pointer_row(t, c, true);
	c.cmd = BPFMAPS_MAP_DELETE_ELEM;
	c.name = "delete";
	pointer_row(t, c, false);
	if (value_size > t->value)
		return;
	c.cmd = BPFMAPS_MAP_GET_NEXT_KEY;
	c.name = "next key";
	pointer_row(t, c, true);
	c.index = STD_ABSENT;
	c.name = "next key of an absent one";
	pointer_row(t, c, true);
}

void pointer_cases(const struct map_type *t)
{
	pointer_rows(t, t->value);
	if (t != &hash_type && t != &array_type)
		return;
	pointer_rows(t, 5000);
	pointer_rows(t, BIG_VALUE);
}

/* Several mistakes in one call: bpf(2) tells one of them, and we the same one. */
enum wrong_fd { FD_GOOD, FD_NONE, FD_OTHER, FD_RDONLY, FD_WRONLY, FD_FROZEN, NR_FD };

static const char * const fd_names[] = {
	[FD_GOOD] = "map",
	[FD_NONE] = "no descriptor",
	[FD_OTHER] = "no map",
	[FD_RDONLY] = "read-only map",
	[FD_WRONLY] = "write-only map",
	[FD_FROZEN] = "frozen map",
};

enum wrong_key { KEY_PRESENT, KEY_ABSENT, KEY_NULL, KEY_BAD, NR_KEY };

static const char * const key_names[] = {
	[KEY_PRESENT] = "key present",
	[KEY_ABSENT] = "key absent",
	[KEY_NULL] = "key NULL",
	[KEY_BAD] = "key unmapped",
};

struct mistakes {
	unsigned int cmd;
	enum wrong_fd fd;
	enum wrong_key key;
	bool bad_value;
	__u64 flags;
};

static int open_as(struct run *r, __u32 id, __u32 flags)
{
	struct bpfmaps_id_attr a = { .map_id = id, .open_flags = flags };

	return quiet(r, BPFMAPS_MAP_GET_FD_BY_ID, &a, sizeof(a));
}

static int mistaken_fd(struct run *r, enum wrong_fd which, int map)
{
	struct bpfmaps_elem_attr a = { .map_fd = map };

	switch (which) {
	case FD_NONE:
		return 1000;
	case FD_OTHER:
		return 0;
	case FD_RDONLY:
		return open_as(r, map_id(r, map), BPFMAPS_F_RDONLY);
	case FD_WRONLY:
		return open_as(r, map_id(r, map), BPFMAPS_F_WRONLY);
	case FD_FROZEN:
		quiet(r, BPFMAPS_MAP_FREEZE, &a, sizeof(a));
		return map;
	default:
		return map;
	}
}

static const void *mistaken_key(struct run *r, const struct mistakes *m, int map)
{
	switch (m->key) {
	case KEY_PRESENT:
		if (m->cmd == BPFMAPS_MAP_GET_NEXT_KEY)
			return followed_key(r, map);
		return std_key(r, STD_PRESENT);
	case KEY_ABSENT:
		return std_key(r, STD_ABSENT);
	case KEY_BAD:
		return UNMAPPED;
	default:
		return NULL;
	}
}

static void mistaken(struct run *r, const void *arg)
{
	const struct mistakes *m = arg;
	int map = std_map(r, 0);
	const void *key = mistaken_key(r, m, map);
	int fd = mistaken_fd(r, m->fd, map);
	void *v = std_out(r, STD_ABSENT);
	int ret;

	if (m->cmd == BPFMAPS_MAP_DELETE_ELEM)
		v = NULL;
	else if (m->bad_value)
		v = UNMAPPED;
	ret = elem(r, "call", m->cmd, fd, key, v, m->flags);
	if (ret && errno == EFAULT && m->cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM) {
		note_kept(r, map, std_size(r->type));
		return;
	}
	/* The next key is another one in each hash table. */
	if (m->cmd == BPFMAPS_MAP_GET_NEXT_KEY && !has_order(r))
		memset(r->out + GUARD, 0, r->type->key);
	note_std_out(r, "value");
	note_std(r, map);
}

static void mistake_case(const struct map_type *t, const char *name, const struct mistakes *m)
{
	compare(t, m->fd == FD_NONE || m->fd == FD_OTHER ? 0 : SELF, mistaken, m,
		"mistakes/%s: %s, %s, value %s, flags %llu", name, fd_names[m->fd],
		key_names[m->key], m->bad_value ? "unmapped" : "good",
		(unsigned long long)m->flags);
}

static void mistake_row(const struct map_type *t, unsigned int cmd, const char *name)
{
	static const __u64 flags[] = { 0, 1, 2, 4, 32 };
	bool flagged = cmd != BPFMAPS_MAP_DELETE_ELEM && cmd != BPFMAPS_MAP_GET_NEXT_KEY;
	struct mistakes m = { .cmd = cmd };
	size_t i;

	for (m.fd = 0; m.fd < NR_FD; m.fd++) {
		for (m.key = 0; m.key < NR_KEY; m.key++) {
			/* Freezing takes long. */
			for (i = 0; i < (flagged && m.fd != FD_FROZEN ? ARRAY_LEN(flags) : 1);
			     i++) {
				m.flags = flags[i];
				m.bad_value = false;
				mistake_case(t, name, &m);
				m.bad_value = true;
				if (cmd != BPFMAPS_MAP_DELETE_ELEM)
					mistake_case(t, name, &m);
			}
		}
	}
}

void precedence_cases(const struct map_type *t)
{
	mistake_row(t, BPFMAPS_MAP_LOOKUP_ELEM, "lookup");
	mistake_row(t, BPFMAPS_MAP_UPDATE_ELEM, "update");
	mistake_row(t, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, "take");
	mistake_row(t, BPFMAPS_MAP_GET_NEXT_KEY, "next key");
	mistake_row(t, BPFMAPS_MAP_DELETE_ELEM, "delete");
}
