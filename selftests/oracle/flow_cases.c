// SPDX-License-Identifier: GPL-2.0-only
/* Records through ring buffers: what the kernel writes, and what it takes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring_prog.h"

#define FLOW_RING	PAGE
#define LARGE_RING	(64UL << 20)

/* Of a USER_RINGBUF, with bpf(2). */
#define BPF_RECORD_MAX	0xffffff

#define FLOW_OPS	500
#define FLOW_SEEDS	40

#define BUSY		BPFMAPS_RINGBUF_BUSY_BIT
#define DISCARD		BPFMAPS_RINGBUF_DISCARD_BIT

static __u32 dice(__u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static unsigned long load(unsigned long *pos)
{
	return __atomic_load_n(pos, __ATOMIC_ACQUIRE);
}

static void store(unsigned long *pos, unsigned long value)
{
	__atomic_store_n(pos, value, __ATOMIC_RELEASE);
}

static unsigned long bytes_of(__u32 size)
{
	return (BPFMAPS_RINGBUF_HDR_SZ + (unsigned long)size + 7) / 8 * 8;
}

static struct bpfmaps_ringbuf_hdr *header(struct flow *f, unsigned long pos)
{
	return (void *)(f->data + pos % f->size);
}

/* A record that was written at @pos; bpf(2) counts pages from one that cannot be mapped. */
static void note_record(struct run *r, struct flow *f, unsigned long pos)
{
	struct bpfmaps_ringbuf_hdr *hdr = header(f, pos);
	__u32 page = 2 + pos % FLOW_RING / PAGE;

	note(r, "length %#x, page %d", hdr->len, hdr->pg_off - page - (r->be == &bpf_backend));
	note_bytes(r, "bytes", hdr + 1, hdr->len);
}

static void output(struct run *r, struct flow *f, __u32 size, __u64 flags, __u32 seed)
{
	static unsigned char data[FLOW_MAX];
	unsigned long pos = load(f->producer);
	__u32 i;
	int ret;

	for (i = 0; i < size; i++)
		data[i] = dice(&seed);
	ret = flow_output(r, f, data, size, flags);
	/* What is too large for any time is told apart here. */
	note_ret(r, bytes_of(size) < FLOW_RING ? "output" : "output of too much", ret);
	note(r, "producer %#lx", load(f->producer));
	if (!ret)
		note_record(r, f, pos);
}

/* Sizes from nothing to more than the ring has, and consumers of all kinds. */
static void produced(struct run *r, const void *arg)
{
	static const __u64 flags[] = { 0, 0, 0, 1, 2, 3, 4, 1ULL << 32 };
	__u32 state = *(const __u32 *)arg, i, size, what;
	struct flow f;

	if (!flow_open(r, &f, FLOW_RING))
		return;
	for (i = 0; i < FLOW_OPS; i++) {
		what = dice(&state) % 16;
		size = dice(&state) % (what == 15 ? FLOW_MAX + 1 : what > 12 ? 4100 : 200);
		if (what < 10 || what > 12)
			output(r, &f, size, flags[dice(&state) % ARRAY_LEN(flags)], i);
		else if (what == 10)
			store(f.consumer, load(f.producer));
		else if (what == 11 && load(f.consumer) < load(f.producer))
			store(f.consumer, load(f.consumer) +
			      bytes_of(header(&f, load(f.consumer))->len));
		else if (dice(&state) % 4 == 0)
			store(f.consumer, dice(&state) % 2 ? dice(&state) :
			      load(f.producer) - dice(&state) % 9000);
		/* Mostly it gets well again. */
		if (load(f.producer) - load(f.consumer) > FLOW_RING && dice(&state) % 2)
			store(f.consumer, load(f.producer));
	}
	flow_close(&f);
}

/* Writes a header, and lets the producer follow by as much as it says, or by @bytes. */
static void put(struct flow *f, __u32 len, unsigned long bytes)
{
	unsigned long pos = load(f->producer);

	header(f, pos)->len = len;
	store(f->producer, pos + (bytes ? bytes : bytes_of(len & ~(BUSY | DISCARD))));
}

static void drain(struct run *r, struct flow *f, __u64 flags)
{
	note_ret(r, "drain", flow_drain(r, f, flags));
	note(r, "consumer %#lx", load(f->consumer));
}

/* Records that are good, busy, discarded, or first and longer than there is. */
static void consumed(struct run *r, const void *arg)
{
	static const __u64 flags[] = { 0, 0, 0, 1, 2, 3, 4, 1ULL << 32 };
	__u32 state = *(const __u32 *)arg, i, size, what, bits;
	struct flow f;
	bool empty;

	if (!flow_open(r, &f, FLOW_RING))
		return;
	for (i = 0; i < FLOW_OPS; i++) {
		what = dice(&state) % 16;
		size = dice(&state) % (what ? 300 : FLOW_RING - 8);
		bits = what == 1 ? BUSY : what < 4 ? DISCARD : what == 4 ? BUSY | DISCARD : 0;
		empty = load(f.producer) == load(f.consumer);
		if (what > 9) {
			drain(r, &f, flags[dice(&state) % ARRAY_LEN(flags)]);
		} else if (what == 9 && empty) {
			put(&f, size + 1 + dice(&state) % 2 * DISCARD, bytes_of(size) - 8);
			drain(r, &f, 0);
			store(f.producer, load(f.consumer));
		} else if (load(f.producer) - load(f.consumer) + bytes_of(size) <= FLOW_RING) {
			put(&f, size | bits, 0);
		} else {
			/* Who was busy is done, or there would never be room again. */
			header(&f, load(f.consumer))->len &= ~BUSY;
		}
	}
	flow_close(&f);
}

struct hostile {
	const char *name;
	unsigned int good;	/* records before */
	bool taken;		/* and they are out already */
	__u32 len;
	unsigned long bytes;	/* by which the producer moves */
};

static const struct hostile hostiles[] = {
	{ "too long", 0, false, 9, 16 },
	{ "too long and busy", 0, false, 9 | BUSY, 16 },
	{ "too long and discarded", 0, false, 9 | DISCARD, 16 },
	{ "as long as can be", 0, false, 0x3fffffff, 4096 },
	{ "longer than the ring", 0, false, 4096, 4096 },
	{ "of the whole ring", 0, false, 4088, 4096 },
	{ "producer at an odd place", 0, false, 1, 9 },
	{ "discarded and busy", 0, false, 8 | BUSY | DISCARD, 16 },
	{ "busy", 2, false, 8 | BUSY, 16 },
	{ "discarded", 2, false, 8 | DISCARD, 16 },
	/* From here on not as bpf(2). */
	{ "behind good ones, too long", 2, false, 9, 16 },
	{ "behind a good one, longer than the ring", 1, false, 4096, 4072 },
	{ "producer behind", 2, true, 8, -8UL },
	{ "producer far behind", 2, true, 8, -48UL },
	{ "producer before the start", 0, false, 8, -8UL },
	{ "producer beyond the ring", 0, false, 8 | BUSY, 4104 },
	{ "producer far beyond the ring", 0, false, 8 | BUSY, 1UL << 32 },
};

static void drained(struct run *r, const void *arg)
{
	const struct hostile *h = arg;
	unsigned int i;
	struct flow f;

	if (!flow_open(r, &f, FLOW_RING))
		return;
	for (i = 0; i < h->good; i++)
		put(&f, 16, 0);
	if (h->taken)
		drain(r, &f, 0);
	put(&f, h->len, h->bytes);
	drain(r, &f, 0);
	flow_close(&f);
}

/* Again and again, over the end of the ring. What bpf(2) does not take stays in its way: once. */
static void large(struct run *r, const void *arg)
{
	__u32 len = *(const __u32 *)arg;
	struct flow f;
	int i;

	if (!flow_open(r, &f, LARGE_RING))
		return;
	for (i = 0; i < 5; i++) {
		put(&f, len, 0);
		drain(r, &f, 0);
		if (len > BPF_RECORD_MAX)
			break;
		put(&f, len | DISCARD, 0);
		drain(r, &f, 0);
	}
	flow_close(&f);
}

void flow_cases(const struct map_type *t)
{
	static const __u32 lens[] = {
		1 << 20, 0xfffff8, 0xffffff, 0x1000000, 0x1000001, 40 << 20, LARGE_RING - 8,
	};
	bool user = t->number == BPFMAPS_TYPE_USER_RINGBUF;
	__u32 seed;
	size_t i;

	for (seed = 1; seed <= FLOW_SEEDS; seed++)
		compare(t, seed % 4 ? 0 : SELF, user ? consumed : produced, &seed,
			"flow/seed %u", seed);
	for (i = 0; user && i < ARRAY_LEN(hostiles); i++)
		compare(t, SELF, drained, &hostiles[i], "flow/%s", hostiles[i].name);
	for (i = 0; user && i < ARRAY_LEN(lens); i++)
		compare(t, 0, large, &lens[i], "flow/record of %#x bytes", lens[i]);
}
