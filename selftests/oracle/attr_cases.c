// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes and contents of the attr itself, for every command. Each case starts from a call that
 * works and has one thing changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"

/* As large as a size can be that is not refused for itself, and a little more. */
#define ATTR_ROOM	(2 * PAGE)
/* The end of bpf(2)'s union as the guest's kernel has it; what lies behind is another rule. */
#define UNION_END	144

struct command {
	const char *name;
	unsigned int cmd;
	unsigned int size;	/* of its struct */
	bool on_map;
};

static const struct command commands[] = {
	{ "create", BPFMAPS_MAP_CREATE, sizeof(struct bpfmaps_create_attr), false },
	{ "lookup", BPFMAPS_MAP_LOOKUP_ELEM, sizeof(struct bpfmaps_elem_attr), true },
	{ "update", BPFMAPS_MAP_UPDATE_ELEM, sizeof(struct bpfmaps_elem_attr), true },
	{ "delete", BPFMAPS_MAP_DELETE_ELEM, 16, true },
	{ "next key", BPFMAPS_MAP_GET_NEXT_KEY, 24, true },
	{ "take", BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, sizeof(struct bpfmaps_elem_attr), true },
	{ "freeze", BPFMAPS_MAP_FREEZE, 4, true },
	{ "pin", BPFMAPS_OBJ_PIN, sizeof(struct bpfmaps_obj_attr), false },
	{ "get", BPFMAPS_OBJ_GET, sizeof(struct bpfmaps_obj_attr), false },
	{ "next id", BPFMAPS_MAP_GET_NEXT_ID, 8, false },
	{ "descriptor by id", BPFMAPS_MAP_GET_FD_BY_ID, sizeof(struct bpfmaps_id_attr), false },
	{ "info", BPFMAPS_OBJ_GET_INFO_BY_FD, sizeof(struct bpfmaps_info_attr), true },
	{ "unknown 63", 63, 0, false },
	{ "unknown 200", 200, 0, false },
};

/* A call in the making. */
struct attempt {
	const struct command *c;
	int fd;
	void *key;
	struct bpfmaps_map_info info;
	char path[128];
	unsigned char *attr;
	bool lost;	/* what was to be taken out could not be copied */
};

static void obj_attr(struct run *r, struct attempt *at, struct bpfmaps_obj_attr *a)
{
	snprintf(at->path, sizeof(at->path), "%s/oracle_attr", r->be->fs);
	a->pathname = (unsigned long)at->path;
	a->bpf_fd = at->fd;
	if (at->c->cmd == BPFMAPS_OBJ_GET) {
		if (quiet(r, BPFMAPS_OBJ_PIN, a, sizeof(*a)))
			note(r, "pin: %s", errno_name(errno));
		a->bpf_fd = 0;
	}
}

static void elem_attr(struct run *r, struct attempt *at, struct bpfmaps_elem_attr *a)
{
	a->map_fd = at->fd;
	if (at->c->cmd == BPFMAPS_MAP_FREEZE)
		return;
	if (at->c->cmd == BPFMAPS_MAP_GET_NEXT_KEY)
		at->key = followed_key(r, at->fd);
	else
		at->key = std_key(r, STD_PRESENT);
	a->key = (unsigned long)at->key;
	if (at->c->cmd == BPFMAPS_MAP_UPDATE_ELEM)
		a->value = (unsigned long)std_value(r, STD_PRESENT);
	else if (at->c->cmd != BPFMAPS_MAP_DELETE_ELEM)
		a->value = (unsigned long)std_out(r, STD_PRESENT);
}

/* Fills @at->attr so that the command works, or does what it can. */
static void valid_call(struct run *r, struct attempt *at)
{
	union bpfmaps_attr *a = (void *)at->attr;

	at->fd = std_map(r, 0);
	std_out(r, 0);
	switch (at->c->cmd) {
	case BPFMAPS_MAP_CREATE:
		a->create = std_attr(r);
		break;
	case BPFMAPS_OBJ_PIN:
	case BPFMAPS_OBJ_GET:
		obj_attr(r, at, &a->obj);
		break;
	case BPFMAPS_MAP_GET_NEXT_ID:
		a->id.start_id = map_id(r, at->fd) - 1;
		break;
	case BPFMAPS_MAP_GET_FD_BY_ID:
		a->id.map_id = map_id(r, at->fd);
		break;
	case BPFMAPS_OBJ_GET_INFO_BY_FD:
		a->info.bpf_fd = at->fd;
		a->info.info_len = sizeof(at->info);
		a->info.info = (unsigned long)&at->info;
		break;
	default:
		elem_attr(r, at, &a->elem);
	}
}

static void start(struct run *r, struct attempt *at, const struct command *c)
{
	memset(at, 0, sizeof(*at));
	at->c = c;
	at->attr = mmap(NULL, ATTR_ROOM + 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	valid_call(r, at);
}

/* Makes the call; ids are noted by their relation to the map's own. */
static void attempt(struct run *r, struct attempt *at, unsigned int size)
{
	struct bpfmaps_id_attr *id = (void *)at->attr;
	__u32 before = id->next_id;

	if (at->c->cmd != BPFMAPS_MAP_GET_NEXT_ID) {
		at->lost = call(r, at->c->name, at->c->cmd, at->attr, size) && errno == EFAULT &&
			   at->c->cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
		return;
	}
	call_wild(r, at->c->name, at->c->cmd, at->attr, size);
	note(r, "next id: unchanged %d, ours %d", id->next_id == before,
	     id->next_id == map_id(r, at->fd));
}

static void finish(struct run *r, struct attempt *at)
{
	at->info.id = !!at->info.id;
	note_bytes(r, "info", &at->info, sizeof(at->info));
	if (at->c->cmd == BPFMAPS_MAP_GET_NEXT_KEY && !has_order(r))
		memset(r->out + GUARD, 0, r->type->key);
	else if (at->key)
		note_bytes(r, "key", at->key, r->type->key);
	note_std_out(r, "value");
	if (at->lost)
		note_kept(r, at->fd, std_size(r->type));
	else
		note_std(r, at->fd);
	if (at->path[0])
		note_ret(r, "unlink", unlink(at->path));
	munmap(at->attr, ATTR_ROOM + 2 * PAGE);
}

struct size_case {
	const struct command *c;
	unsigned int size;
	int dirty;	/* byte to set to 1, if not negative */
};

static void sized(struct run *r, const void *arg)
{
	const struct size_case *s = arg;
	struct attempt at;

	start(r, &at, s->c);
	if (s->dirty >= 0)
		at.attr[s->dirty] += 1;
	attempt(r, &at, s->size);
	finish(r, &at);
}

static unsigned int self_if(const struct command *c, unsigned int size)
{
	return c->on_map && size >= 4 ? SELF : 0;
}

static void size_case(const struct map_type *t, const struct command *c, unsigned int size,
		      int dirty)
{
	struct size_case s = { .c = c, .size = size, .dirty = dirty };

	/* Where the attr ends inside the descriptor, there is another one. */
	compare(t, dirty >= 0 && dirty < 4 ? 0 : self_if(c, size), sized, &s,
		"attr/%s of %u bytes, changed %d", c->name, size, dirty);
}

static bool is_first(const struct map_type *t)
{
	return t == &hash_type || t == &array_type;
}

static void one_command(const struct map_type *t, const struct command *c)
{
	static const unsigned int shorts[] = { 0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 20, 24, 31 };
	static const unsigned int longs[] = {
		UNION_END - 1, UNION_END, UNION_END + 1, 1000, 4095, 4096, 4097, 5000, 8191
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(shorts); i++)
		size_case(t, c, shorts[i], -1);
	for (i = 36; i < c->size; i += 4)
		size_case(t, c, i, -1);
	if (c->size) {
		size_case(t, c, c->size - 1, -1);
		size_case(t, c, c->size, -1);
		size_case(t, c, c->size + 1, -1);
	}
	for (i = 0; is_first(t) && i < ARRAY_LEN(longs); i++)
		size_case(t, c, longs[i], -1);
	size_case(t, c, UNION_END, UNION_END - 1);
	size_case(t, c, UNION_END, UNION_END);
	size_case(t, c, UNION_END + 1, UNION_END);
	size_case(t, c, UNION_END + 8, UNION_END);
	size_case(t, c, 4096, UNION_END);
	size_case(t, c, 4096, 4095);
	size_case(t, c, 4096, UNION_END - 1);
	size_case(t, c, 4095, 4095);
	size_case(t, c, 4097, 4096);
}

/* The attr at places that cannot be read, or not written. */
struct place {
	const char *label;
	void *(*where)(struct attempt *at);
	bool self;
};

static void *at_null(struct attempt *at)
{
	(void)at;
	return NULL;
}

static void *at_unmapped(struct attempt *at)
{
	(void)at;
	return UNMAPPED;
}

static void *at_kernel(struct attempt *at)
{
	(void)at;
	return (void *)0xffff888000000000UL;
}

static void *at_non_canonical(struct attempt *at)
{
	(void)at;
	return (void *)0x8000000000000000UL;
}

static void *at_last_byte(struct attempt *at)
{
	(void)at;
	return (void *)~0UL;
}

static void *at_page_end(struct attempt *at)
{
	unsigned char *p = at->attr + 2 * PAGE - 8;

	memcpy(p, at->attr, 8);
	mprotect(at->attr + 2 * PAGE, PAGE, PROT_NONE);
	return p;
}

static void *at_exact_end(struct attempt *at)
{
	unsigned char *p = at->attr + 2 * PAGE - at->c->size;

	memcpy(p, at->attr, at->c->size);
	mprotect(at->attr + 2 * PAGE, PAGE, PROT_NONE);
	return p;
}

static void *at_odd(struct attempt *at)
{
	return memmove(at->attr + 1, at->attr, 200);
}

static void *at_read_only(struct attempt *at)
{
	mprotect(at->attr, PAGE, PROT_READ);
	return at->attr;
}

static const struct place places[] = {
	{ "NULL", at_null, false },
	{ "unmapped", at_unmapped, false },
	{ "in the kernel", at_kernel, false },
	{ "non-canonical", at_non_canonical, false },
	{ "the last byte", at_last_byte, false },
	{ "into an unmapped page", at_page_end, false },
	{ "up to an unmapped page", at_exact_end, true },
	{ "at an odd address", at_odd, true },
	{ "read-only", at_read_only, false },
};

struct place_case {
	const struct command *c;
	const struct place *p;
};

static void placed(struct run *r, const void *arg)
{
	const struct place_case *pc = arg;
	struct attempt at;
	void *attr;

	start(r, &at, pc->c);
	attr = pc->p->where(&at);
	call_wild(r, pc->c->name, pc->c->cmd, attr, pc->c->size);
	finish(r, &at);
}

static void place_cases(const struct map_type *t, const struct command *c)
{
	struct place_case pc = { .c = c };
	size_t i;

	for (i = 0; i < ARRAY_LEN(places); i++) {
		pc.p = &places[i];
		compare(t, pc.p->self ? self_if(c, c->size) : 0, placed, &pc,
			"attr/%s, attr %s", c->name, pc.p->label);
	}
}

/* Only the commands on elements know of types: for the others two will do. */
static bool is_about(const struct map_type *t, const struct command *c)
{
	return is_first(t) || (c->on_map && c->cmd != BPFMAPS_MAP_FREEZE &&
			       c->cmd != BPFMAPS_OBJ_GET_INFO_BY_FD);
}

void attr_size_cases(const struct map_type *t)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(commands); i++) {
		if (!is_about(t, &commands[i]))
			continue;
		one_command(t, &commands[i]);
		place_cases(t, &commands[i]);
	}
}

/* Each word of the attr that the valid call leaves zero, set; those behind its end too. */
void attr_word_cases(const struct map_type *t)
{
	const struct command *c;
	struct size_case s;
	size_t i;
	int word;

	for (i = 0; i < ARRAY_LEN(commands); i++) {
		c = &commands[i];
		if (!is_about(t, c))
			continue;
		for (word = c->size / 4 * 4; word <= UNION_END; word += 4) {
			s = (struct size_case) { .c = c, .size = UNION_END + 8, .dirty = word };
			compare(t, self_if(c, 4), sized, &s, "attr/%s, word %d set", c->name,
				word);
		}
	}
}
