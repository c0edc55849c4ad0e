// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long random sequences, the same on a map of each back end. Keys come from a small set, so that
 * present and absent keys, full and empty maps all occur often.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scale.h"
#include "random.h"

#define OPS_PER_SHAPE	600
#define KEYS_SPARE	4

__u32 draw(struct sequence *q)
{
	unsigned long long z = q->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) >> 16;
}

void random_bytes(struct sequence *q, unsigned char *p, size_t len)
{
	__u32 word;
	size_t n;

	for (; len; p += n, len -= n) {
		word = draw(q);
		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(p, &word, n);
	}
}

/* A prefix of one of a few lengths, of few addresses: the bytes behind it are any. */
static void draw_prefix(struct sequence *q, __u32 index)
{
	__u32 bits = draw(q) % 4 * 8 * (q->s.key - 4) / 3;

	memcpy(q->key, &bits, sizeof(bits));
	memset(q->key + 4, index % 3, q->s.key - 4);
	q->key[4] = index % 5 * 0x30;
	q->key[q->s.key - 1] = index;
}

/* More keys than fit, by half; of an array some that are far out of range. */
void draw_key(struct sequence *q)
{
	__u32 index = draw(q) % (q->s.max + q->s.max / 2 + KEYS_SPARE);

	if (!q->s.key)
		return;
	if (q->type->number == BPFMAPS_TYPE_LPM_TRIE) {
		draw_prefix(q, index);
		return;
	}
	if (!q->type->keyed) {
		if (draw(q) % 64 == 0)
			index = draw(q) << 4;
		memcpy(q->key, &index, sizeof(index));
		return;
	}
	memset(q->key, 0x40, q->s.key);
	q->key[0] = index;
	q->key[q->s.key - 1] ^= index >> 8;
}

/* Of the maps to put into others one that fits, or now and then something else. */
int draw_inner(struct sequence *q)
{
	if (draw(q) % 6 == 0)
		return NR_INNER + draw(q) % (INNER_ALL - NR_INNER);
	return draw(q) % NR_INNER;
}

static const char *op_name(unsigned int cmd)
{
	switch (cmd) {
	case BPFMAPS_MAP_LOOKUP_ELEM:
		return "lookup";
	case BPFMAPS_MAP_UPDATE_ELEM:
		return "update";
	case BPFMAPS_MAP_DELETE_ELEM:
		return "delete";
	case BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM:
		return "take";
	}
	return "next key";
}

void sequence_differs(struct sequence *q, const char *what, const char *a, const char *b)
{
	char name[128];

	snprintf(name, sizeof(name), "random of %u/%u, %u entries, flags %#x", q->s.key,
		 q->s.value, q->s.max, q->s.flags);
	report_difference("%s/%s: ORACLE_SEED=%llu, operation %lu, %s: bpf(2) \"%s\", %s \"%s\"",
			  q->type->name, name, q->seed, q->op, what, a, q->r[1].be->name, b);
}

static const char *result(int ret, int err, char *text)
{
	if (ret >= 0)
		sprintf(text, "%d", ret);
	else
		sprintf(text, "%d %s", ret, errno_name(err));
	return text;
}

bool same_result(struct sequence *q, const char *what, const int *ret, const int *err)
{
	char text[SIDES][32];

	if (ret[0] == ret[1] && err[0] == err[1])
		return true;
	sequence_differs(q, what, result(ret[0], err[0], text[0]),
			 result(ret[1], err[1], text[1]));
	return false;
}

/* One operation on both maps. Returns false where they differ. */
static bool both(struct sequence *q, unsigned int cmd, __u64 flags)
{
	bool copies = cmd == BPFMAPS_MAP_LOOKUP_ELEM || cmd == BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM;
	const void *key = q->s.key ? q->key : NULL;
	int pick = q->type->holds && cmd == BPFMAPS_MAP_UPDATE_ELEM ? draw_inner(q) : 0;
	int ret[SIDES], err[SIDES], i;
	void *value = NULL;

	for (i = 0; i < SIDES; i++) {
		if (copies)
			value = out_buf(&q->r[i], q->value_size);
		else if (cmd == BPFMAPS_MAP_UPDATE_ELEM)
			value = q->type->holds ? (void *)&q->r[i].inner[pick] : q->value;
		ret[i] = elem_quiet(&q->r[i], cmd, q->fd[i], key, value, flags);
		err[i] = ret[i] < 0 ? errno : 0;
	}
	if (!same_result(q, op_name(cmd), ret, err))
		return false;
	if (copies && memcmp(q->r[0].out, q->r[1].out, q->value_size + 2 * GUARD)) {
		sequence_differs(q, op_name(cmd), "a value", "another");
		return false;
	}
	return true;
}

/* Where keys have an order, any key's next one is the same. */
static bool next_in_order(struct sequence *q)
{
	unsigned char next[SIDES][128] = { "", "" };
	int ret[SIDES], i;

	for (i = 0; i < SIDES; i++)
		ret[i] = elem_quiet(&q->r[i], BPFMAPS_MAP_GET_NEXT_KEY, q->fd[i], q->key, next[i],
				    0);
	if (ret[0] == ret[1] && !memcmp(next[0], next[1], q->s.key))
		return true;
	sequence_differs(q, "next key", "one", "another");
	return false;
}

/* The rule for a key that is not there is the same, the keys are not. */
static bool next_of_absent(struct sequence *q)
{
	unsigned char first[128] = "", next[128] = "";
	int same[SIDES], i;

	for (i = 0; i < SIDES; i++) {
		if (!elem_quiet(&q->r[i], BPFMAPS_MAP_LOOKUP_ELEM, q->fd[i], q->key,
				out_buf(&q->r[i], q->value_size), 0))
			return true;
		same[i] = 2 + elem_quiet(&q->r[i], BPFMAPS_MAP_GET_NEXT_KEY, q->fd[i], NULL, first,
					 0);
		same[i] += 8 * elem_quiet(&q->r[i], BPFMAPS_MAP_GET_NEXT_KEY, q->fd[i], q->key,
					  next, 0);
		same[i] += 64 * memcmp(first, next, q->s.key) != 0;
	}
	if (same[0] != same[1])
		sequence_differs(q, "next of an absent key", "the first", "not the first");
	return same[0] == same[1];
}

static bool same_contents(struct sequence *q)
{
	int i;

	/* To look at what has no keys is to empty it. */
	if (!q->s.key)
		return both(q, BPFMAPS_MAP_LOOKUP_ELEM, 0);
	for (i = 0; i < SIDES; i++) {
		*q->r[i].len = 0;
		note_contents(&q->r[i], q->fd[i], q->s.key, q->value_size);
	}
	if (!strcmp(q->r[0].trace, q->r[1].trace))
		return true;
	sequence_differs(q, "contents", "some", "others");
	return false;
}

static bool update(struct sequence *q)
{
	static const __u64 usual[] = { 0, 0, 0, BPFMAPS_NOEXIST, BPFMAPS_EXIST };
	static const __u64 odd[] = { 3, 4, 5, 32, 64, 1ULL << 32, 1ULL << 63 };
	__u64 flags = usual[draw(q) % ARRAY_LEN(usual)];

	if (draw(q) % 16 == 0)
		flags = odd[draw(q) % ARRAY_LEN(odd)];
	random_bytes(q, q->value, q->value_size);
	return both(q, BPFMAPS_MAP_UPDATE_ELEM, flags);
}

/* Inserting and deleting take turns in having the upper hand. */
static bool one_op(struct sequence *q)
{
	__u32 phase = 7 * q->op / (3 * q->ops), dice = draw(q) % 100;
	__u32 inserts = phase == 0 ? 60 : phase == 2 ? 15 : 40;

	if (draw(q) % 32 == 0)
		return random_batch(q);
	draw_key(q);
	if (dice < inserts)
		return update(q);
	if (dice < 75)
		return both(q, dice % 2 || q->s.key ? BPFMAPS_MAP_DELETE_ELEM :
			    BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, 0);
	if (dice < 80)
		return both(q, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, 0);
	if (dice < 94)
		return both(q, BPFMAPS_MAP_LOOKUP_ELEM, dice == 93 ? draw(q) : 0);
	if (!q->s.key)
		return true;
	return q->type->ordered ? next_in_order(q) : next_of_absent(q);
}

static bool start(struct sequence *q, const struct backend *other)
{
	int i;

	run_start(&q->r[0], 0, &bpf_backend, q->type);
	run_start(&q->r[1], 1, other, q->type);
	for (i = 0; i < SIDES; i++)
		q->fd[i] = new_map(&q->r[i], q->s.key, q->s.value, q->s.max, q->s.flags);
	q->value_size = user_size(q->type, q->s.value);
	q->key = malloc(q->s.key + 1);
	q->value = malloc(q->value_size);
	if (q->fd[0] >= 0 && q->fd[1] >= 0)
		return true;
	sequence_differs(q, "create", q->r[0].trace, q->r[1].trace);
	return false;
}

static unsigned long run_sequence(struct sequence *q, const struct backend *other)
{
	bool same = start(q, other);
	/* A look at everything costs as much as all else together where there is much. */
	__u32 interval = q->s.max * q->value_size > 100000 ? q->ops : q->ops / 3;

	for (q->op = 0; same && q->op < q->ops; q->op++) {
		same = one_op(q);
		if (same && q->op % interval == interval - 1)
			same = same_contents(q);
	}
	free(q->key);
	free(q->value);
	run_end(&q->r[0]);
	run_end(&q->r[1]);
	return q->op;
}

static __u32 key_size(const struct map_type *t, __u32 wanted)
{
	if (t->number == BPFMAPS_TYPE_LPM_TRIE)
		return 4 + wanted;
	return t->keyed ? wanted : t->key;
}

/* Returns the number of operations done. */
unsigned long random_ops(const struct map_type *t, unsigned long long seed)
{
	static const __u32 sizes[][2] = {
		{ 4, 8 }, { 16, 64 }, { 7, 13 }, { 64, 300 }, { 5, 5000 },
	};
	static const __u32 maxima[] = { 1, 7, 64, 1000 };
	struct sequence q = {
		.type = t, .seed = seed, .state = seed, .ops = scaled(OPS_PER_SHAPE),
	};
	unsigned long ops = 0;
	size_t i, j;
	int other;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		for (j = 0; j < ARRAY_LEN(maxima); j++) {
			for (other = 0; other < 2; other++) {
				q.s = (struct random_shape) {
					key_size(t, sizes[i][0]), t->holds ? t->value : sizes[i][1],
					maxima[j], t->flags
				};
				if (other)
					q.s.flags |= other_flags(t);
				ops += run_sequence(&q, (i + j) % 2 ? &dev_backend : &self_backend);
			}
		}
	}
	return ops;
}
