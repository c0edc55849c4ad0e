// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches in the random sequences. Where both back ends have the keys in one order, one call is
 * compared byte by byte; hash tables have one of their own, so there all calls that it takes to get
 * to the end are compared, by what they brought.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define BATCH_MAX	24
#define FILLER		0x5a

/**
 * struct load - what goes in and out on one side
 * @keys: room for keys
 * @values: room for values
 * @out: where the next call goes on
 * @a: the argument
 */
struct load {
	unsigned char *keys;
	unsigned char *values;
	unsigned char out[128];
	struct bpfmaps_batch_attr a;
};

static size_t keys_size(const struct sequence *q, __u32 nr)
{
	return (size_t)nr * q->s.key;
}

static size_t values_size(const struct sequence *q, __u32 nr)
{
	return nr * q->value_size;
}

static void load_init(struct sequence *q, int side, struct load *l, __u32 nr)
{
	memset(l, 0, sizeof(*l));
	memset(l->out, FILLER, sizeof(l->out));
	l->keys = malloc(keys_size(q, nr) + 1);
	l->values = malloc(values_size(q, nr) + 1);
	memset(l->keys, FILLER, keys_size(q, nr) + 1);
	memset(l->values, FILLER, values_size(q, nr) + 1);
	l->a.map_fd = q->fd[side];
	l->a.keys = (unsigned long)l->keys;
	l->a.values = (unsigned long)l->values;
	l->a.out_batch = (unsigned long)l->out;
}

static void loads_free(struct load *l)
{
	int i;

	for (i = 0; i < SIDES; i++) {
		free(l[i].keys);
		free(l[i].values);
	}
}

/* Batches that only one side has: of values without keys. */
static bool only_here(const struct map_type *t, unsigned int cmd)
{
	if (t->number == BPFMAPS_TYPE_BLOOM_FILTER)
		return cmd == BPFMAPS_MAP_UPDATE_BATCH;
	return (t->number == BPFMAPS_TYPE_QUEUE || t->number == BPFMAPS_TYPE_STACK) &&
	       (cmd == BPFMAPS_MAP_UPDATE_BATCH || cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH);
}

/* On the other side as many single operations stand for one. */
static int run_singly(struct sequence *q, int side, unsigned int cmd, struct load *l)
{
	bool push = cmd == BPFMAPS_MAP_UPDATE_BATCH;
	struct bpfmaps_elem_attr a = { .map_fd = l->a.map_fd, .flags = l->a.elem_flags };
	unsigned int single = push ? BPFMAPS_MAP_UPDATE_ELEM : BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
	__u32 done = 0;
	int ret = 0;

	if (l->a.flags || (!push && l->a.elem_flags)) {
		errno = EINVAL;
		return -1;
	}
	while (done < l->a.count && !ret) {
		a.value = (unsigned long)(l->values + values_size(q, done));
		ret = quiet(&q->r[side], single, &a, sizeof(a));
		done += !ret;
	}
	/* Who may not do it does not get a count either. */
	if (!ret || errno != EPERM)
		l->a.count = done;
	return ret;
}

static int run_load(struct sequence *q, int side, unsigned int cmd, struct load *l)
{
	if (only_here(q->type, cmd)) {
		if (q->r[side].be == &bpf_backend)
			return run_singly(q, side, cmd, l);
		l->a.keys = 0;
		l->a.in_batch = 0;
		l->a.out_batch = 0;
	}
	return quiet(&q->r[side], cmd, &l->a, sizeof(l->a));
}

/* One call on both sides, after which all that can be seen has to be the same. */
static bool same_load(struct sequence *q, const char *what, unsigned int cmd, struct load *l,
		      __u32 nr, bool values)
{
	int ret[SIDES], err[SIDES], i;
	char text[SIDES][16];

	for (i = 0; i < SIDES; i++) {
		ret[i] = run_load(q, i, cmd, &l[i]);
		err[i] = ret[i] < 0 ? errno : 0;
		snprintf(text[i], sizeof(text[i]), "count %u", l[i].a.count);
	}
	if (!same_result(q, what, ret, err))
		return false;
	if (l[0].a.count != l[1].a.count) {
		sequence_differs(q, what, text[0], text[1]);
		return false;
	}
	if (!memcmp(l[0].keys, l[1].keys, keys_size(q, nr) + 1) &&
	    (!values || !memcmp(l[0].values, l[1].values, values_size(q, nr) + 1)) &&
	    !memcmp(l[0].out, l[1].out, sizeof(l[0].out)))
		return true;
	sequence_differs(q, what, "some bytes", "others");
	return false;
}

static void draw_flags(struct sequence *q, struct load *l)
{
	static const __u64 flags[] = { 1, 2, 4, 32, 1ULL << 32 };
	__u64 elem_flags = draw(q) % 12 ? 0 : flags[draw(q) % ARRAY_LEN(flags)];
	__u64 batch_flags = draw(q) % 16 ? 0 : flags[draw(q) % ARRAY_LEN(flags)];
	int i;

	for (i = 0; i < SIDES; i++) {
		l[i].a.elem_flags = elem_flags;
		l[i].a.flags = batch_flags;
	}
}

static void draw_keys(struct sequence *q, struct load *l, __u32 nr)
{
	__u32 i;

	for (i = 0; i < nr; i++) {
		draw_key(q);
		memcpy(l[0].keys + keys_size(q, i), q->key, q->s.key);
		memcpy(l[1].keys + keys_size(q, i), q->key, q->s.key);
	}
}

static void draw_values(struct sequence *q, struct load *l, __u32 nr)
{
	__u32 i;
	int side, pick;

	random_bytes(q, l[0].values, values_size(q, nr));
	memcpy(l[1].values, l[0].values, values_size(q, nr));
	for (i = 0; q->type->holds && i < nr; i++) {
		pick = draw_inner(q);
		for (side = 0; side < SIDES; side++)
			memcpy(l[side].values + values_size(q, i), &q->r[side].inner[pick],
			       sizeof(int));
	}
}

static bool write_batch(struct sequence *q, const char *what, unsigned int cmd)
{
	__u32 nr = draw(q) % BATCH_MAX;
	struct load l[SIDES];
	bool same;
	int i;

	for (i = 0; i < SIDES; i++) {
		load_init(q, i, &l[i], BATCH_MAX);
		l[i].a.count = nr;
	}
	draw_flags(q, l);
	draw_keys(q, l, nr);
	draw_values(q, l, nr);
	same = same_load(q, what, cmd, l, BATCH_MAX, !q->type->holds);
	loads_free(l);
	return same;
}

/* From the start or from behind any key. */
static bool read_in_order(struct sequence *q, const char *what, unsigned int cmd)
{
	__u32 nr = draw(q) % BATCH_MAX;
	struct load l[SIDES];
	bool same;
	int i;

	draw_key(q);
	for (i = 0; i < SIDES; i++) {
		load_init(q, i, &l[i], BATCH_MAX);
		l[i].a.count = nr;
		if (q->s.key && q->op % 2)
			l[i].a.in_batch = (unsigned long)q->key;
	}
	draw_flags(q, l);
	same = same_load(q, what, cmd, l, BATCH_MAX, true);
	loads_free(l);
	return same;
}

/* All there is, @step at a time or as many more as a bucket has. Returns the number, or -1. */
static int read_all(struct sequence *q, int side, unsigned int cmd, struct load *l, __u32 step)
{
	__u32 nr = 0;
	int ret;

	do {
		l->a.keys = (unsigned long)(l->keys + keys_size(q, nr));
		l->a.values = (unsigned long)(l->values + values_size(q, nr));
		l->a.count = step < q->s.max - nr ? step : q->s.max - nr;
		if (!l->a.count)
			l->a.count = 1;
		ret = run_load(q, side, cmd, l);
		if (ret && errno != ENOENT && errno != ENOSPC)
			return -1;
		nr += l->a.count;
		step *= 2;
		l->a.in_batch = l->a.out_batch;
	} while (nr <= q->s.max && (!ret || errno == ENOSPC));
	return nr;
}

static size_t record_size;

static int cmp_records(const void *a, const void *b)
{
	return memcmp(a, b, record_size);
}

/* Keys with their values, sorted. */
static unsigned char *sorted(struct sequence *q, const struct load *l, int nr)
{
	unsigned char *records, *p;
	int i;

	record_size = q->s.key + q->value_size;
	records = malloc(nr * record_size + 1);
	p = records;
	for (i = 0; i < nr; i++, p += record_size) {
		memcpy(p, l->keys + keys_size(q, i), q->s.key);
		memcpy(p + q->s.key, l->values + values_size(q, i), q->value_size);
	}
	qsort(records, nr, record_size, cmp_records);
	return records;
}

static bool read_whole(struct sequence *q, const char *what, unsigned int cmd)
{
	__u32 step = 1 + draw(q) % BATCH_MAX;
	unsigned char *records[SIDES];
	int nr[SIDES], err[SIDES], i;
	struct load l[SIDES];
	bool same;

	for (i = 0; i < SIDES; i++) {
		load_init(q, i, &l[i], q->s.max + 1);
		nr[i] = read_all(q, i, cmd, &l[i], step);
		err[i] = errno;
		records[i] = sorted(q, &l[i], nr[i] < 0 ? 0 : nr[i]);
	}
	same = same_result(q, what, nr, err);
	if (same && nr[0] > 0 && memcmp(records[0], records[1], nr[0] * record_size)) {
		sequence_differs(q, what, "some elements", "others");
		same = false;
	}
	for (i = 0; i < SIDES; i++)
		free(records[i]);
	loads_free(l);
	return same;
}

static bool read_batch(struct sequence *q, const char *what, unsigned int cmd)
{
	return q->type->keyed && !q->type->ordered ? read_whole(q, what, cmd) :
						     read_in_order(q, what, cmd);
}

/* Commands that the type does not have are tried as well. Returns false where the sides differ. */
bool random_batch(struct sequence *q)
{
	__u32 dice = draw(q) % 16;

	if (dice < 6)
		return write_batch(q, "update batch", BPFMAPS_MAP_UPDATE_BATCH);
	if (dice < 10)
		return write_batch(q, "delete batch", BPFMAPS_MAP_DELETE_BATCH);
	if (dice < 15)
		return read_batch(q, "lookup batch", BPFMAPS_MAP_LOOKUP_BATCH);
	return read_batch(q, "take batch", BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH);
}
