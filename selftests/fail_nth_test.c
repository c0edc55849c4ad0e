// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every command on every map type, again and again: each time another allocation or user copy in
 * it fails, the first one, the second one and so on until the call comes through without; and then
 * once more, where with each of them all that follow fail as well.
 *
 * What has to be: a call says ENOMEM or EFAULT, or does what it does otherwise (some failures are
 * made good: by another allocator, a second try, or a smaller step). If it failed the map is as it
 * was, and of a batch so much was done as its count says. No map and no descriptor is left over,
 * and the same call works afterwards. Whether memory is left over is for kmemleak.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "commands.h"
#include "fail_nth.h"

/* No call has as many places that can fail. */
#define MOST_FAULTS	1000

/* Of what is wrong with a command. */
#define MOST_SHOWN	10

#define CGROUP		"/sys/fs/cgroup"
#define GROUP		CGROUP "/fail_nth"

/**
 * struct sweep - of one command on one map
 * @faults: where calls fail
 * @t: the map
 * @c: the command
 * @before: what is in the map
 * @want: what comes of the call when nothing fails
 * @ids: how many maps there are
 * @lowest: descriptor that is free
 * @again: call once more after each that has failed; otherwise after the last one only
 * @mode: how many places fail
 * @nth: the first one
 * @swept: calls in which something failed
 * @made_good: of these, such that did what they do otherwise
 * @wrong: what was not as it has to be
 * @shown: of this, with this command
 */
struct sweep {
	struct faults *faults;
	struct subject *t;
	const struct command *c;
	struct picture before;
	struct outcome want;
	unsigned int ids;
	int lowest;
	bool again;
	enum fault_mode mode;
	unsigned int nth;
	unsigned int swept;
	unsigned int made_good;
	unsigned int wrong;
	unsigned int shown;
};

static void sweep_wrong(struct sweep *s, const char *what, long value)
{
	s->wrong++;
	if (s->shown++ >= MOST_SHOWN)
		return;
	printf("# %s, key %u, value %u, flags %#x: fault %u%s: %s: %ld\n", s->c->name, s->t->s.key,
	       s->t->s.value, s->t->s.flags, s->nth, s->mode == FAULT_FROM ? " and on" : "", what,
	       value);
	fflush(stdout);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static int sweep_call(void *arg)
{
	const struct sweep *s = arg;

	return s->c->call(s->t);
}

/* Without a failure. */
static void sweep_plain(struct sweep *s, struct outcome *got)
{
	command_begin(s->c, s->t);
	command_end(s->c, s->t, faults_run(s->faults, sweep_call, s), got);
}

/* A map as at the start, if it is not that already. */
static void sweep_renew(struct sweep *s, const struct picture *now)
{
	if (picture_equal(now, &s->before))
		return;
	close(s->t->map);
	if (subject_new(s->t))
		sweep_wrong(s, "no new map", s->t->map);
}

/* Of one that got the first @count of those that are there at the end. */
static void expect_put(struct sweep *s, struct picture *p, unsigned int count)
{
	const __u64 *all = s->want.picture.elem;
	unsigned int i, old = s->t->elems;

	if (s->t->stack)
		memmove(p->elem + count, p->elem, old * sizeof(*all));
	for (i = 0; i < count; i++)
		p->elem[s->t->stack ? i : old + i] =
			all[s->t->stack ? s->want.count - count + i : old + i];
}

/* The numbers that were done are as they are at the end, the others as before. */
static bool expect_done(struct sweep *s, struct picture *p, unsigned int count)
{
	unsigned int i, nr;

	for (i = 0; i < count; i++) {
		nr = known(s->t) + i;
		if (s->t->s.key)
			nr = subject_nr_of_key(s->t, s->t->batch_keys + (size_t)i * s->t->s.key);
		if (nr >= SLOTS)
			return false;
		p->elem[nr] = s->want.picture.elem[nr];
	}
	return true;
}

static bool batch_agrees(struct sweep *s, const struct outcome *got)
{
	struct picture expected = s->before;

	/* The argument could not be read, so nobody has written to it. */
	if (s->nth == 1 && got->ret == -EFAULT && got->count == s->t->asked)
		return picture_equal(&got->picture, &s->before);
	if (got->count > s->want.count)
		return false;
	if (s->t->takes && s->c->flags & CMD_TAKES)
		picture_shift(&expected, got->count);
	else if (s->t->takes)
		expect_put(s, &expected, got->count);
	else if (!expect_done(s, &expected, got->count))
		return false;
	return picture_equal(&got->picture, &expected);
}

static bool drain_agrees(struct sweep *s, const struct outcome *got)
{
	struct picture expected = s->before;

	expected.positions[0] += got->ret;
	return got->ret < s->want.ret && picture_equal(&got->picture, &expected);
}

static void sweep_check_failed(struct sweep *s, const struct outcome *got)
{
	if (s->c->flags & CMD_DRAIN && got->ret >= 0) {
		if (!drain_agrees(s, got))
			sweep_wrong(s, "another part is gone than what was returned", got->ret);
	} else if (got->ret != -ENOMEM && got->ret != -EFAULT) {
		sweep_wrong(s, "result", got->ret);
	} else if (s->c->flags & CMD_BATCH) {
		if (!batch_agrees(s, got))
			sweep_wrong(s, "the map does not agree with the count", got->count);
	} else if (!picture_equal(&got->picture, &s->before)) {
		sweep_wrong(s, "the map has changed, result", got->ret);
	}
}

static void sweep_check(struct sweep *s, const struct outcome *got, bool failed)
{
	bool same = same_outcome(got, &s->want);

	if (!got->right)
		sweep_wrong(s, "what came of it is wrong, result", got->ret);
	if (!failed && !same)
		sweep_wrong(s, "nothing failed, result", got->ret);
	else if (!same)
		sweep_check_failed(s, got);
	if (lowest_fd() != s->lowest)
		sweep_wrong(s, "lowest descriptor", lowest_fd());
	if (count_ids(s->t->dev) != s->ids)
		sweep_wrong(s, "maps", count_ids(s->t->dev));
	s->swept += failed;
	s->made_good += failed && same;
}

/* The same call after one that has failed. */
static void sweep_again(struct sweep *s)
{
	struct outcome got;

	sweep_plain(s, &got);
	if (!same_outcome(&got, &s->want) || !got.right)
		sweep_wrong(s, "the next call", got.ret);
	sweep_renew(s, &got.picture);
}

/* False if there was no such place. */
static bool sweep_fault(struct sweep *s)
{
	struct outcome got;
	bool failed;

	command_begin(s->c, s->t);
	if (!faults_call(s->faults, s->mode, s->nth, sweep_call, s, &failed))
		sweep_wrong(s, "fault injection does not work", errno);
	command_end(s->c, s->t, s->faults->ret, &got);
	sweep_check(s, &got, failed);
	sweep_renew(s, &got.picture);
	if (failed && s->again && got.ret != s->want.ret)
		sweep_again(s);
	return failed;
}

static void sweep_mode(struct sweep *s, enum fault_mode mode)
{
	unsigned int before = s->swept;

	s->mode = mode;
	for (s->nth = 1; s->nth <= MOST_FAULTS && sweep_fault(s); s->nth++)
		;
	if (s->nth > MOST_FAULTS)
		sweep_wrong(s, "there is no end", s->nth);
	if (s->swept == before)
		sweep_wrong(s, "nothing could fail", s->want.ret);
}

static void sweep_command(struct sweep *s)
{
	struct subject *t = s->t;
	enum fault_mode mode;

	t->freezes = s->c->flags & CMD_FREEZES;
	t->elems = s->c->flags & CMD_FULL ? ROOM : ELEMS;
	if (subject_new(t))
		sweep_wrong(s, "no map", t->map);
	s->ids = count_ids(t->dev);
	s->lowest = lowest_fd();
	picture_take(t, &s->before);
	sweep_plain(s, &s->want);
	if (!s->want.right)
		sweep_wrong(s, "without a fault", s->want.ret);
	sweep_renew(s, &s->want.picture);
	for (mode = 0; mode < FAULT_MODES; mode++) {
		if (s->c->flags & CMD_TOUCHES && (mode == FAULT_FROM || s->want.ret))
			continue;
		sweep_mode(s, mode);
	}
	/* No mapping is counted that is not there. */
	if (bm_freeze(t->map))
		sweep_wrong(s, "cannot be frozen", errno);
	close(t->map);
	if (count_ids(t->dev) != s->ids - 1)
		sweep_wrong(s, "maps at the end", count_ids(t->dev));
}

/* What was swept in one test. */
struct total {
	unsigned int shapes;
	unsigned int swept;
	unsigned int made_good;
	unsigned int wrong;
};

static void total_add(struct total *total, const struct sweep *s)
{
	total->shapes++;
	total->swept += s->swept;
	total->made_good += s->made_good;
	total->wrong += s->wrong;
}

static void total_print(const struct total *total, const char *name)
{
	printf("# total: %s: swept %u faults in %u shapes, %u were made good\n", name, total->swept,
	       total->shapes, total->made_good);
	fflush(stdout);
}

/* Its own memory cgroup, since in the first one nothing is charged. */
static bool enter_group(void)
{
	return !put_text(CGROUP "/cgroup.subtree_control", "+memory") &&
	       (!mkdir(GROUP, 0755) || errno == EEXIST) && !put_text(GROUP "/cgroup.procs", "0");
}

static bool leave_group(void)
{
	return !put_text(CGROUP "/cgroup.procs", "0") && !rmdir(GROUP);
}

/* What a CPU keeps ready is that of one CPU then, and the same places can fail each time. */
static bool stay_on_one_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus);
}

FIXTURE(fail) {
	struct faults faults;
	struct subject *t;
	struct total total;
};

/* Where nothing can be made to fail, one test says so. */
FIXTURE_TYPES(fail, faults_can_be_had())

FIXTURE_SETUP(fail)
{
	/* Too large for a stack. */
	static struct subject subject;

	if (!variant)
		return;
	self->t = &subject;
	ASSERT_TRUE(enter_group());
	ASSERT_TRUE(stay_on_one_cpu());
	/* A map of maps waits for readers with each update. */
	ASSERT_EQ(0, put_text("/sys/kernel/rcu_expedited", "1"));
	subject.dev = bm_open();
	ASSERT_LE(0, subject.dev);
	ASSERT_TRUE(subject_make_inner(&subject));
	subject.s.type = variant->number;
	subject.path = BM_PINS "/fail_nth";
	subject.other = BM_PINS "/fail_nth_2";
	ASSERT_TRUE(faults_start(&self->faults));
}

FIXTURE_TEARDOWN(fail)
{
	if (!variant)
		return;
	faults_stop(&self->faults);
	close(self->t->inner[0]);
	close(self->t->inner[1]);
	close(self->t->dev);
	EXPECT_EQ(0, put_text("/sys/kernel/rcu_expedited", "0"));
	EXPECT_TRUE(leave_group());
}

static void sweep_list(struct sweep *s, const struct command *list, unsigned int nr,
		       unsigned int but)
{
	for (s->c = list; s->c < list + nr; s->c++) {
		s->shown = 0;
		if (!(s->c->flags & but))
			sweep_command(s);
	}
}

/*
 * In maps of the shape in @self->t; not the commands with one of @but, which were swept before.
 * What has nothing to do with maps is swept with the first type.
 */
static void sweep_shape(struct _test_data_fail *self, unsigned int but)
{
	bool first = !self->total.shapes;
	struct sweep s = { .faults = &self->faults, .t = self->t, .again = first };

	sweep_list(&s, map_commands, ARRAY_SIZE(map_commands), but);
	if (first && s.t->s.type == fail_types[0].number)
		sweep_list(&s, file_commands, ARRAY_SIZE(file_commands), 0);
	total_add(&self->total, &s);
	printf("# key %u, value %u, %u entries, flags %#x: swept %u faults, %u were made good\n",
	       s.t->s.key, s.t->s.value, s.t->s.max, s.t->s.flags, s.swept, s.made_good);
	fflush(stdout);
}

/*
 * All sizes, with all flags that change where memory comes from, as far as the type takes them. A
 * key or a value has @least bytes.
 */
static void sweep_shapes(struct _test_data_fail *self, const struct shape_sizes *sizes,
			 __u32 least)
{
	static const __u32 flags[] = {
		0, BPFMAPS_F_NO_PREALLOC, BPFMAPS_F_NO_COMMON_LRU, BPFMAPS_F_MMAPABLE,
	};
	struct subject *t = self->t;
	unsigned int but = self->total.shapes ? CMD_ONCE : 0, i;
	int map;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		t->s.flags = flags[i];
		map = shape_find(t->dev, &t->s, sizes);
		if (map < 0)
			continue;
		subject_find(t, map);
		if (t->s.key < least && t->s.value < least)
			continue;
		if (t->stride <= VALUE_MAX)
			sweep_shape(self, but);
		else
			self->total.wrong++;
		but = CMD_ONCE | CMD_SIZES;
	}
}

/* For the small ones there is room on the kernel's stack. */
TEST_F(fail, every_place_in_turn)
{
	static const struct shape_sizes small = { { 4, 8 }, { 8, 4 }, { ROOM, RING_SIZE } };
	static const struct shape_sizes large = { { 1000, 200, 4 }, { 5000, 4 }, { ROOM } };

	if (!variant)
		SKIP(return, "the kernel has no fault injection");
	sweep_shapes(self, &small, 0);
	sweep_shapes(self, &large, 200);
	EXPECT_EQ(0, self->total.wrong);
	EXPECT_LT(0, self->total.shapes);
	EXPECT_LT(self->total.made_good, self->total.swept);
	total_print(&self->total, variant->name);
}

TEST_HARNESS_MAIN
