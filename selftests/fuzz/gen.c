// SPDX-License-Identifier: GPL-2.0-only
/*
 * New programs, and changes of programs
 */
#include <string.h>

#include "fuzz.h"

/* The slots that the calls so far have filled; set by those who make a call. */
static unsigned int filled;

uint64_t gen_random(void)
{
	uint64_t x = state->rng;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	state->rng = x;
	return x * 0x2545f4914f6cdd1dULL >> 8;
}

static unsigned int below(unsigned int n)
{
	return gen_random() % n;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

#define PICK(array)	((array)[below(ARRAY_SIZE(array))])

static uint64_t number(void)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 127, 128, 255, 256,
		512, 1024,
		4095, 4096, 4097, 8192, 32768, 65535, 65536, 1 << 20, 1 << 24, 0x3ffffff8,
		0x40000000,
		0x7fffffff, 0x80000000, 0x80000001, 0xfffffff8, 0xffffffff, 1ULL << 32,
		1ULL << 32 | 8,
		2ULL << 32 | 8, 7ULL << 32 | 8, 1ULL << 33, 0x7fffffffffffffff, 1ULL << 63,
		~0ULL - 7, ~0ULL,
	};

	return one_in(8) ? gen_random() >> below(56) : PICK(numbers);
}

static uint64_t some_slot(void)
{
	unsigned int slot = below(NR_SLOTS), i;

	for (i = 0; i < NR_SLOTS && filled; i++, slot++)
		if (filled >> slot % NR_SLOTS & 1)
			break;
	return slot % NR_SLOTS;
}

static uint64_t some_out(void)
{
	return one_in(2) ? below(NR_SLOTS) : some_slot();
}

static uint64_t some_fd(void)
{
	if (!one_in(12))
		return some_slot();
	return one_in(4) ? FD_NUMBER + number() : NR_SLOTS + below(NR_FDS - NR_SLOTS);
}

static uint64_t some_called(void)
{
	if (one_in(4))
		return some_fd();
	return one_in(40) ? FD_DEVICE_RDONLY : FD_DEVICE;
}

static uint64_t odd_pointer(void)
{
	return one_in(3) ? 0 : PTR(below(NR_PTRS), number() & 0xfffff);
}

static uint64_t window_pointer(void)
{
	static const unsigned int at[] = { 0, 4, 8, 16, 24, 64, 4088, 4096, 8191 };

	return PTR(PTR_WINDOW, some_slot() * WINDOW_SIZE + below(4) * PAGE + PICK(at));
}

static uint64_t some_pointer(void)
{
	if (one_in(3))
		return odd_pointer();
	return one_in(2) ? window_pointer() : PTR(PTR_AREA, below(64) * 8 + below(5) * 0x1000);
}

static uint64_t some_key(void)
{
	static const unsigned int at[] = { AREA_KEYS, AREA_KEYS, AREA_PREFIXES, AREA_INDEXES };

	if (one_in(10))
		return one_in(4) ? window_pointer() : odd_pointer();
	return PTR(PTR_AREA, PICK(at) + 8 * below(one_in(4) ? 200 : 8));
}

static uint64_t some_value(void)
{
	if (one_in(10))
		return one_in(3) ? window_pointer() : odd_pointer();
	if (one_in(12))
		return PTR(PTR_END, 1 << below(12));
	return PTR(PTR_AREA, AREA_VALUES + 0x800 * below(8));
}

static uint64_t some_size(void)
{
	static const unsigned int sizes[] = {
		0, 4, 8, 12, 16, 32, 64, 76, 80, 120, 128, 144, 4096, 4097,
	};
	uint64_t size = 0;

	if (!one_in(12))
		return 0;
	if (one_in(2))
		size = SIZE_GIVEN | (one_in(2) ? below(201) : PICK(sizes));
	if (one_in(3))
		size |= SIZE_AT_END;
	if (one_in(3))
		size |= SIZE_TAIL;
	if (one_in(8))
		size |= one_in(2) ? SIZE_NOWHERE : SIZE_READONLY;
	return size;
}

static uint64_t some_type(void)
{
#define TYPE_NUMBER(number, NAME, name)	number,
	static const unsigned int types[] = { BPFMAPS_TYPES(TYPE_NUMBER) };

	return one_in(40) ? number() : PICK(types);
}

static uint64_t some_bits(unsigned int nr)
{
	uint64_t bits = one_in(2) ? 0 : 1ULL << below(nr);

	return one_in(4) ? bits | 1ULL << below(nr) : bits;
}

static uint64_t some_create_flags(void)
{
	return one_in(12) ? BPFMAPS_F_TOUCH_LOOKUP : some_bits(16);
}

static uint64_t some_elem_flags(void)
{
	static const uint64_t flags[] = {
		BPFMAPS_NOEXIST, BPFMAPS_EXIST, 3, BPFMAPS_F_LOCK, BPFMAPS_F_CPU,
		BPFMAPS_F_CPU | 1ULL << 32,
		BPFMAPS_F_CPU | 7ULL << 32, BPFMAPS_F_CPU | BPFMAPS_EXIST,
		BPFMAPS_F_CPU | BPFMAPS_NOEXIST,
		BPFMAPS_F_ALL_CPUS, BPFMAPS_F_ALL_CPUS | BPFMAPS_NOEXIST, BPFMAPS_F_TOUCH,
		BPFMAPS_F_TOUCH | BPFMAPS_F_CPU,
	};

	if (one_in(2))
		return 0;
	return one_in(12) ? number() : PICK(flags);
}

static uint64_t some_open_flags(void)
{
	static const unsigned int flags[] = {
		BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY, BPFMAPS_F_RDONLY | BPFMAPS_F_WRONLY,
		BPFMAPS_F_PATH_FD,
		BPFMAPS_F_PATH_FD | BPFMAPS_F_RDONLY,
	};

	if (one_in(2))
		return 0;
	return one_in(12) ? some_bits(32) : PICK(flags);
}

static uint64_t some_bytes(void)
{
	static const unsigned int bytes[] = {
		0, 1, 2, 4, 4, 4, 4, 8, 8, 8, 8, 5, 6, 12, 16, 20, 24, 64, 65, 100, 256, 260, 264,
		512, 1024, 4000,
		4096, 5000, 16384, 32768, 32769, 70000,
	};

	return one_in(16) ? number() : PICK(bytes);
}

static uint64_t some_entries(void)
{
	static const unsigned int entries[] = {
		1, 1, 2, 3, 4, 5, 7, 8, 16, 16, 31, 32, 33, 64, 128, 200, 1000, 4096, 4096, 8192,
		8192, 65536,
	};

	return one_in(16) ? number() : PICK(entries);
}

static uint64_t some_count(void)
{
	static const unsigned int counts[] = {
		0, 1, 1, 2, 3, 4, 8, 16, 32, 64, 100, 200, 1000, 10000,
	};

	return one_in(16) ? number() : PICK(counts);
}

static uint64_t some_path(void)
{
	if (one_in(30))
		return odd_pointer();
	return one_in(2) ? below(5) : below(16);
}

static uint64_t some_id(void)
{
	return one_in(4) ? number() : some_slot();
}

static uint64_t some_rare(void)
{
	return one_in(12) ? number() : 0;
}

static uint64_t some_small(void)
{
	return one_in(3) ? 0 : below(16);
}

static uint64_t some_pages(void)
{
	return one_in(16) ? number() : below(6);
}

static uint64_t some_prot(void)
{
	return one_in(8) ? below(8) : one_in(2) ? 1 : 3;
}

static uint64_t (*const some[NR_KINDS])(void) = {
	[K_CALLED] = some_called, [K_FD] = some_fd, [K_OUT] = some_out, [K_SLOT] = some_slot,
	[K_PTR] = some_pointer, [K_KEY] = some_key, [K_VALUE] = some_value, [K_SIZE] = some_size,
	[K_TYPE] = some_type,
	[K_CREATE_FLAGS] = some_create_flags, [K_ELEM_FLAGS] = some_elem_flags,
	[K_OPEN_FLAGS] = some_open_flags, [K_BYTES] = some_bytes, [K_ENTRIES] = some_entries,
	[K_COUNT] = some_count, [K_PATH] = some_path, [K_ID] = some_id, [K_RARE] = some_rare,
	[K_SMALL] = some_small, [K_PAGES] = some_pages, [K_PROT] = some_prot, [K_NUMBER] = number,
};

static unsigned int some_op(void)
{
	unsigned int sum = 0, op, left;

	for (op = 0; op < nr_ops; op++)
		sum += ops[op].weight;
	left = below(sum);
	for (op = 0; left >= ops[op].weight; op++)
		left -= ops[op].weight;
	return op;
}

static void make_call(struct call *call, unsigned int op)
{
	unsigned int i;

	memset(call, 0, sizeof(*call));
	call->op = op;
	for (i = 0; i < MAX_ARGS && ops[op].params[i].name; i++)
		call->arg[i] = some[ops[op].params[i].kind]();
	/* On a map's own descriptor, this map is usually meant. */
	if (ops[op].params[0].kind == K_CALLED && ops[op].params[1].kind == K_FD &&
	    call->arg[0] < NR_SLOTS && !one_in(4))
		call->arg[1] = BPFMAPS_SELF;
}

/* What a map has to be like to be one. */
struct shape {
	unsigned int type, key, value, max, flags;
};

static const struct shape shapes[] = {
	{ BPFMAPS_TYPE_HASH, 4, 8, 16, 0 },
	{ BPFMAPS_TYPE_HASH, 8, 8, 4, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_ARRAY, 4, 8, 16, 0 },
	{ BPFMAPS_TYPE_ARRAY, 4, 64, 128, BPFMAPS_F_MMAPABLE },
	{ BPFMAPS_TYPE_PERCPU_HASH, 4, 8, 8, 0 },
	{ BPFMAPS_TYPE_PERCPU_ARRAY, 4, 8, 8, 0 },
	{ BPFMAPS_TYPE_LRU_HASH, 4, 8, 4, 0 },
	{ BPFMAPS_TYPE_LRU_HASH, 4, 8, 64, BPFMAPS_F_NO_COMMON_LRU },
	{ BPFMAPS_TYPE_LRU_PERCPU_HASH, 4, 8, 33, 0 },
	{ BPFMAPS_TYPE_LPM_TRIE, 8, 4, 8, BPFMAPS_F_NO_PREALLOC },
	{ BPFMAPS_TYPE_ARRAY_OF_MAPS, 4, 4, 4, 0 },
	{ BPFMAPS_TYPE_HASH_OF_MAPS, 4, 4, 4, 0 },
	{ BPFMAPS_TYPE_QUEUE, 0, 8, 4, 0 },
	{ BPFMAPS_TYPE_STACK, 0, 8, 4, 0 },
	{ BPFMAPS_TYPE_RINGBUF, 0, 0, 4096, 0 },
	{ BPFMAPS_TYPE_BLOOM_FILTER, 0, 8, 64, 0 },
	{ BPFMAPS_TYPE_USER_RINGBUF, 0, 0, 4096, 0 },
};

/* A create that works, but for what one argument that is drawn may spoil. */
static void make_good_create(struct call *call, unsigned int out)
{
	const struct shape *shape = &PICK(shapes);
	unsigned int i = 3 + below(9);

	memset(call, 0, sizeof(*call));
	call->arg[0] = out;
	call->arg[1] = FD_DEVICE;
	call->arg[2] = shape->type;
	call->arg[3] = shape->key;
	call->arg[4] = shape->value;
	call->arg[5] = shape->max;
	call->arg[6] = shape->flags;
	call->arg[7] = some_slot();
	if (one_in(2))
		call->arg[i] = some[ops[0].params[i].kind]();
}

/* The slots that are filled when call @to comes. */
static void look_at_slots(const struct prog *p, unsigned int to)
{
	unsigned int i;

	filled = 0;
	for (i = 0; i < to; i++)
		if (ops[p->calls[i].op].params[0].kind == K_OUT)
			filled |= 1U << p->calls[i].arg[0] % NR_SLOTS;
}

static void set_threads(struct prog *p)
{
	p->threads = one_in(3) ? 2 + below(MAX_THREADS - 1) : 1;
	p->split = below(p->nr);
	p->rounds = 1 + below(4);
}

/* Some maps, and then calls. */
void gen_new(struct prog *p)
{
	unsigned int maps = 1 + below(3), i;

	memset(p, 0, sizeof(*p));
	p->nr = maps + 1 + below(MAX_CALLS - maps);
	for (i = 0; i < p->nr; i++) {
		look_at_slots(p, i);
		if (i < maps)
			make_good_create(&p->calls[i], i);
		else
			make_call(&p->calls[i], some_op());
	}
	set_threads(p);
}

static void insert(struct prog *p)
{
	unsigned int at = below(p->nr + 1);

	if (p->nr == MAX_CALLS)
		return;
	memmove(&p->calls[at + 1], &p->calls[at], (p->nr - at) * sizeof(p->calls[0]));
	p->nr++;
	look_at_slots(p, at);
	if (one_in(8))
		make_good_create(&p->calls[at], below(NR_SLOTS));
	else
		make_call(&p->calls[at], some_op());
}

static void take_out(struct prog *p)
{
	unsigned int at = below(p->nr);

	if (p->nr < 2)
		return;
	p->nr--;
	memmove(&p->calls[at], &p->calls[at + 1], (p->nr - at) * sizeof(p->calls[0]));
}

static void change_number(uint64_t *arg)
{
	switch (below(4)) {
	case 0:
		*arg += below(17) - 8;
		break;
	case 1:
		*arg ^= 1ULL << below(one_in(4) ? 64 : 16);
		break;
	case 2:
		*arg = number();
		break;
	default:
		*arg = one_in(2) ? *arg * 2 : *arg / 2;
	}
}

static void change_arg(struct prog *p)
{
	unsigned int nr = below(p->nr), i, params = 0;
	struct call *call = &p->calls[nr];

	while (params < MAX_ARGS && ops[call->op].params[params].name)
		params++;
	i = below(params);
	look_at_slots(p, nr);
	if (one_in(3))
		change_number(&call->arg[i]);
	else
		call->arg[i] = some[ops[call->op].params[i].kind]();
}

/* The beginning of one program and the end of another. */
static void splice(struct prog *p)
{
	const struct prog *other = &state->corpus[below(state->corpus_nr)];
	unsigned int from = below(other->nr), nr = other->nr - from;

	p->nr = 1 + below(p->nr);
	if (nr > MAX_CALLS - p->nr)
		nr = MAX_CALLS - p->nr;
	memcpy(&p->calls[p->nr], &other->calls[from], nr * sizeof(p->calls[0]));
	p->nr += nr;
}

static void repeat_call(struct prog *p)
{
	unsigned int from = below(p->nr);

	if (p->nr < MAX_CALLS)
		p->calls[p->nr++] = p->calls[from];
}

void gen_mutate(struct prog *p)
{
	static void (*const changes[])(struct prog *p) = {
		insert, insert, insert, take_out, change_arg, change_arg, change_arg, change_arg,
		splice, repeat_call,
	};
	unsigned int times = 1 + below(4);

	while (times--)
		PICK(changes)(p);
	if (one_in(4))
		set_threads(p);
	else if (p->split >= p->nr)
		p->split = p->nr - 1;
}
