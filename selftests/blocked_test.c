// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every command on every map type, stopped in the middle of each of its copies from and to user
 * space for as long as a hostile caller likes. Meanwhile all others go on; the map is frozen, or
 * closed; what is read is changed; or who waits is killed.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "commands.h"
#include "hole.h"

/* Of what is wrong with a command. */
#define MOST_SHOWN	5

/* Where a command can be stopped: at a page of one of its buffers. */
struct place {
	const char *name;
	size_t offset;
	unsigned int page;
};

#define PLACE(buffer, page)	{ #buffer, offsetof(struct subject, buffer), page }

/* If keys and values are large, pages behind the first are in the middle of one, and of batches. */
static const struct place places[] = {
	PLACE(keys, 0), PLACE(values, 0), PLACE(out_keys, 0), PLACE(out, 0), PLACE(cursor, 0),
	PLACE(keys, 1), PLACE(values, 1), PLACE(values, 4), PLACE(values, 6), PLACE(values, 8),
	PLACE(out_keys, 1), PLACE(out, 1), PLACE(out, 2), PLACE(out, 4),
};

/**
 * struct trial - of one command that is stopped at one place
 * @t: the map
 * @other: the same map, for others, whose buffers are all there
 * @c: the command
 * @place: where it is to be stopped
 * @meanwhile: what others do
 * @hole: where it is stopped, while it is
 * @thread: who calls
 * @ret: what the call has returned
 * @before: what is in the map
 * @seen: what others see in it while the call is stopped
 * @want: what comes of the call when nobody stops it
 * @ids: how many maps there are
 * @large: so are keys or values
 * @stopped: how often a call was
 * @wrong: what was not as it has to be
 * @shown: of this, with this command
 */
struct trial {
	struct subject *t;
	struct subject *other;
	const struct command *c;
	const struct place *place;
	const char *meanwhile;
	struct hole hole;
	pthread_t thread;
	int ret;
	struct picture before;
	struct picture seen;
	struct outcome want;
	unsigned int ids;
	bool large;
	unsigned int stopped;
	unsigned int wrong;
	unsigned int shown;
};

static void trial_wrong(struct trial *r, const char *what, long value)
{
	r->wrong++;
	if (r->shown++ >= MOST_SHOWN)
		return;
	printf("# key %u, value %u, %s, stopped at %s, page %u, %s: %s: %ld\n", r->t->s.key,
	       r->t->s.value, r->c->name, r->place ? r->place->name : "no place",
	       r->place ? r->place->page : 0, r->meanwhile, what, value);
	fflush(stdout);
}

/* A map as at the start. */
static void trial_new_map(struct trial *r)
{
	close(r->t->map);
	if (subject_new(r->t))
		trial_wrong(r, "no new map", r->t->map);
	r->other->map = r->t->map;
	r->other->freezes = false;
}

static void *trial_call(void *arg)
{
	struct trial *r = arg;

	r->ret = r->c->call(r->t);
	hole_tell_through(&r->hole);
	return NULL;
}

/* Begins the call; tells whether it is stopped. */
static bool trial_begin(struct trial *r)
{
	unsigned char *at = (unsigned char *)r->t + r->place->offset + r->place->page * PAGE;

	command_begin(r->c, r->t);
	if (!hole_make(&r->hole, at, PAGE))
		trial_wrong(r, "no hole", errno);
	pthread_create(&r->thread, NULL, trial_call, r);
	return hole_is_met(&r->hole);
}

static void trial_end(struct trial *r)
{
	eventfd_t nr;

	if (!hole_fill(&r->hole))
		trial_wrong(r, "the hole is not filled", errno);
	pthread_join(r->thread, NULL);
	eventfd_read(r->hole.through, &nr);
}

static void look_at_it(struct trial *r)
{
	picture_take(r->other, &r->seen);
	/* Of a batch some may have been done. */
	if (!(r->c->flags & CMD_BATCH) && !picture_equal(&r->seen, &r->before))
		trial_wrong(r, "changed while it was stopped", 0);
}

/* The call does what it does when nobody stops it. */
static void expect_wanted(struct trial *r)
{
	struct outcome got;

	command_end(r->c, r->t, r->ret, &got);
	if (!same_outcome(&got, &r->want) || !got.right)
		trial_wrong(r, "another outcome", r->ret);
}

static void freeze_it(struct trial *r)
{
	int ret = bm_freeze(r->other->map);

	if (ret)
		trial_wrong(r, "not frozen", ret);
	r->other->freezes = true;
	picture_take(r->other, &r->seen);
}

/* It may say that it was done if there was nothing to write, or all was written by then. */
static bool is_result_frozen(const struct trial *r, struct picture *now)
{
	now->frozen = 0;
	return r->ret == -EPERM ||
	       (r->ret == r->want.ret && (picture_equal(&r->want.picture, &r->before) ||
					  picture_equal(&r->want.picture, now)));
}

/* What was not written when freeze returned is not written any more. */
static void expect_frozen(struct trial *r)
{
	struct picture now;

	picture_take(r->other, &now);
	if (!picture_equal(&now, &r->seen))
		trial_wrong(r, "a frozen map has changed", r->ret);
	if (!is_result_frozen(r, &now))
		trial_wrong(r, "result", r->ret);
}

static void close_it(struct trial *r)
{
	close(r->t->map);
	if (count_ids(r->t->dev) != r->ids)
		trial_wrong(r, "gone while it was in use", r->ids);
}

/* The map goes when the call is through, and no sooner. */
static void expect_gone(struct trial *r)
{
	if (r->ret != r->want.ret)
		trial_wrong(r, "result", r->ret);
	if (count_ids(r->t->dev) != r->ids - 1)
		trial_wrong(r, "maps", count_ids(r->t->dev));
	r->t->map = -1;
}

/* What is about to be taken gets another value, or is taken by somebody else. */
static void change_it(struct trial *r)
{
	struct subject *t = r->other;
	int ret;

	second_version(t);
	if (t->s.key)
		ret = bm_update(t->map, subject_key(t, known(t)), subject_value(t, known(t)), 0);
	else
		ret = subject_take(t, t->out);
	if (ret)
		trial_wrong(r, "not changed", ret);
}

/* The value that came is the one that went. */
static void expect_newer(struct trial *r)
{
	unsigned int nr = r->t->stack ? r->t->elems - 2 : 1;
	struct picture expected = r->before, now;

	if (r->ret != r->want.ret)
		trial_wrong(r, "result", r->ret);
	if (r->ret)
		return;
	if (r->t->s.key)
		nr = known(r->t);
	if (memcmp(r->t->out, subject_value(r->t->s.key ? r->other : r->t, nr), r->t->stride))
		trial_wrong(r, "a value that is not the one that went", r->t->out[0]);
	if (r->t->s.key)
		expected.elem[nr] = 0;
	else
		picture_shift(&expected, 2);
	picture_take(r->t, &now);
	if (!picture_equal(&now, &expected))
		trial_wrong(r, "not taken", r->ret);
}

/**
 * struct meanwhile - what others do while a call is stopped
 * @name: for messages
 * @happens: does it
 * @check: what has to be when the call is through
 * @call: of which command; NULL: of all
 */
struct meanwhile {
	const char *name;
	void (*happens)(struct trial *r);
	void (*check)(struct trial *r);
	int (*call)(struct subject *t);
};

static const struct meanwhile meanwhiles[] = {
	{ "others look at the map", look_at_it, expect_wanted, NULL },
	{ "frozen", freeze_it, expect_frozen, NULL },
	{ "closed", close_it, expect_gone, NULL },
	{ "changed", change_it, expect_newer, do_take },
};

/* False if the command does not come to the place. */
static bool trial_run(struct trial *r, const struct meanwhile *m)
{
	bool stopped;

	trial_new_map(r);
	stopped = trial_begin(r);
	if (stopped)
		m->happens(r);
	trial_end(r);
	if (stopped)
		m->check(r);
	else
		expect_wanted(r);
	r->stopped += stopped;
	return stopped;
}

/* Who waits is killed; for the others nothing has changed, and the same call works. */
static void trial_kill(struct trial *r)
{
	struct outcome got;
	int status = 0;
	pid_t pid;

	trial_new_map(r);
	pid = fork();
	if (!pid) {
		/* The parent's would not see this process. */
		if (hole_open(&r->hole) && trial_begin(r))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		trial_wrong(r, "not killed", status);
	picture_take(r->t, &r->seen);
	if (!(r->c->flags & CMD_BATCH) && !picture_equal(&r->seen, &r->before))
		trial_wrong(r, "changed by who was killed", 0);
	trial_new_map(r);
	command_begin(r->c, r->t);
	command_end(r->c, r->t, r->c->call(r->t), &got);
	if (!same_outcome(&got, &r->want))
		trial_wrong(r, "the next call", got.ret);
}

static void trial_place(struct trial *r)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanwhiles); i++) {
		if (meanwhiles[i].call && meanwhiles[i].call != r->c->call)
			continue;
		r->meanwhile = meanwhiles[i].name;
		if (!trial_run(r, &meanwhiles[i]))
			return;
	}
	r->meanwhile = "killed";
	trial_kill(r);
	r->stopped++;
}

static void trial_command(struct trial *r)
{
	size_t i;

	r->shown = 0;
	r->place = NULL;
	r->meanwhile = "";
	trial_new_map(r);
	r->ids = count_ids(r->t->dev);
	picture_take(r->t, &r->before);
	command_begin(r->c, r->t);
	command_end(r->c, r->t, r->c->call(r->t), &r->want);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		r->place = &places[i];
		if (r->large || !r->place->page)
			trial_place(r);
	}
	if (count_ids(r->t->dev) != r->ids)
		trial_wrong(r, "maps at the end", count_ids(r->t->dev));
}

/* With the first flags that the type takes: which key is the next one is the same in all maps. */
static int find_shape(struct subject *t, const struct shape_sizes *sizes)
{
	static const __u32 flags[] = { BPFMAPS_F_ZERO_SEED, 0, BPFMAPS_F_NO_PREALLOC };
	int map = -1;
	size_t i;

	for (i = 0; map < 0 && i < ARRAY_SIZE(flags); i++) {
		t->s.flags = flags[i];
		map = shape_find(t->dev, &t->s, sizes);
	}
	return map;
}

static void trial_shape(struct trial *r, const struct shape_sizes *sizes, bool large)
{
	const unsigned int but = CMD_FULL | CMD_TOUCHES | (large ? CMD_ONCE : 0);
	struct subject *t = r->t;
	int map = find_shape(t, sizes);

	r->large = large;
	if (map < 0)
		return;
	subject_find(t, map);
	t->map = -1;
	if (large && t->s.key < 200 && t->s.value < 200)
		return;
	t->elems = ELEMS;
	subject_fill(t, 0);
	memcpy(r->other, t, sizeof(*t));
	for (r->c = map_commands; r->c < map_commands + ARRAY_SIZE(map_commands); r->c++)
		if (!(r->c->flags & but))
			trial_command(r);
	close(t->map);
}

static void *new_subject(void)
{
	return mmap(NULL, sizeof(struct subject), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

FIXTURE(blocked) {
	struct trial trial;
};

FIXTURE_TYPES(blocked, true)

FIXTURE_SETUP(blocked)
{
	struct subject *t = new_subject();

	self->trial = (struct trial) { .t = t, .other = new_subject() };
	ASSERT_NE(MAP_FAILED, (void *)t);
	ASSERT_TRUE(hole_open(&self->trial.hole));
	/* A map of maps waits for readers with each update. */
	ASSERT_EQ(0, put_text("/sys/kernel/rcu_expedited", "1"));
	t->dev = bm_open();
	ASSERT_LE(0, t->dev);
	/* A map that was in a map goes a moment later than the test before. */
	while (count_ids(t->dev))
		sched_yield();
	ASSERT_TRUE(subject_make_inner(t));
	t->s.type = variant->number;
	t->path = BM_PINS "/blocked";
	t->other = BM_PINS "/blocked_2";
}

FIXTURE_TEARDOWN(blocked)
{
	struct subject *t = self->trial.t;

	hole_close(&self->trial.hole);
	close(t->inner[0]);
	close(t->inner[1]);
	close(t->dev);
	EXPECT_EQ(0, put_text("/sys/kernel/rcu_expedited", "0"));
}

TEST_F(blocked, every_copy_in_turn)
{
	static const struct shape_sizes small = { { 4, 8 }, { 8, 4 }, { ROOM, RING_SIZE } };
	static const struct shape_sizes large = { { 1000, 200, 4 }, { 5000, 4 }, { ROOM } };

	trial_shape(&self->trial, &small, false);
	trial_shape(&self->trial, &large, true);
	EXPECT_EQ(0, self->trial.wrong);
	EXPECT_LT(0, self->trial.stopped);
	printf("# total: %s: stopped %u calls\n", variant->name, self->trial.stopped);
	fflush(stdout);
}

TEST_HARNESS_MAIN
