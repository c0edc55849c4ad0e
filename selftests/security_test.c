// SPDX-License-Identifier: GPL-2.0-only
/*
 * The security model, as bpfmaps(4) has it: two users and the root of a user namespace, and
 * what a read-only descriptor and a frozen map can never become. What dev_test, pinfs_test,
 * contract_test, map_in_map_test, memcg_test and the oracle test of it is not here again.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "child.h"
#include "given.h"

#define PIN	BM_PINS "/security_test"

FIXTURE(security) {
	int dev;
	int inner;
};

FIXTURE_SETUP(security)
{
	self->dev = bm_open();
	ASSERT_LE(0, self->dev);
	self->inner = bm_create(self->dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0);
	ASSERT_LE(0, self->inner);
}

FIXTURE_TEARDOWN(security)
{
	unlink(PIN);
	close(self->inner);
	close(self->dev);
}

/* What a look-up gives, as the owner sees it. */
static long long state_of(const struct given *g, unsigned char *value)
{
	memset(value, 0, PAGE);
	return bm_lookup(g->full, key_for(g), value);
}

static int batch(int fd, int map, unsigned int cmd)
{
	static unsigned char keys[8], values[PAGE], out[8];
	struct bpfmaps_batch_attr a = {
		.out_batch = (unsigned long)out,
		.keys = (unsigned long)keys,
		.values = (unsigned long)values,
		.count = 1,
		.map_fd = map,
	};

	return bm_call(fd, cmd, &a, sizeof(a));
}

static int ring(int fd, unsigned int cmd)
{
	static unsigned char data[64];
	struct bpfmaps_ringbuf_attr a = {
		.map_fd = BPFMAPS_SELF, .data = (unsigned long)data, .size = 8,
	};

	return bm_call(fd, cmd, &a, sizeof(a));
}

static void no_command_writes(const struct given *g, int fd)
{
	static const unsigned int batches[] = {
		BPFMAPS_MAP_UPDATE_BATCH, BPFMAPS_MAP_DELETE_BATCH,
		BPFMAPS_MAP_LOOKUP_AND_DELETE_BATCH,
	};
	unsigned char out[PAGE];
	size_t i;

	IS(-EPERM, bm_update(fd, key_for(g), value_for(g), BPFMAPS_ANY));
	IS(-EPERM, bm_delete(fd, key_for(g)));
	IS(-EPERM, bm_elem(fd, BPFMAPS_MAP_LOOKUP_AND_DELETE_ELEM, key_for(g), out, 0));
	IS(-EPERM, ring(fd, BPFMAPS_RINGBUF_OUTPUT));
	IS(-EPERM, ring(fd, BPFMAPS_RINGBUF_DRAIN));
	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		IS(-EPERM, batch(fd, BPFMAPS_SELF, batches[i]));
		IS(-EPERM, batch(g->dev, fd, batches[i]));
	}
}

/* By which a debugger writes to memory that its owner may not write to. */
static void no_force_writes(void *p)
{
	struct iovec local = { (void *)no_key, sizeof(no_key) }, remote = { p, sizeof(no_key) };
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (IS(1, mem >= 0))
		IS(-1, pwrite(mem, no_key, sizeof(no_key), (unsigned long)p));
	close(mem);
	IS(-1, process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
}

/* Shared mappings, of which there are only such, take a descriptor that may read and write. */
static void no_mapping_writes(const struct given *g, int fd)
{
	bool both = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	bool can_map = both && g->s.flags & BPFMAPS_F_MMAPABLE;
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	void *q;

	IS((long)MAP_FAILED, (long)p);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		IS(0, can_map);
		return;
	}
	IS(1, can_map || !g->s.key);
	IS(-1, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	no_force_writes(p);
	/* A second mapping of the same page has no more rights. */
	q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	if (q != MAP_FAILED) {
		IS(-1, mprotect(q, PAGE, PROT_WRITE));
		munmap(q, PAGE);
	}
	munmap(p, PAGE);
}

static void writes_nothing(const struct given *g, int fd)
{
	no_command_writes(g, fd);
	no_mapping_writes(g, fd);
	IS(1, bm_freeze(fd) < 0);
}

/* The descriptor as it comes back over a socket. */
static int over_a_socket(int fd)
{
	char data = 'x', room[CMSG_SPACE(sizeof(fd))] = "";
	struct iovec v = { &data, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2], got = -1;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	if (sendmsg(pair[0], &m, 0) == 1 && recvmsg(pair[1], &m, 0) == 1)
		memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
	close(pair[0]);
	close(pair[1]);
	return got;
}

static int from_a_process(int fd)
{
	int self = syscall(SYS_pidfd_open, getpid(), 0);
	int got = syscall(SYS_pidfd_getfd, self, fd, 0);

	close(self);
	return got;
}

static void copies_are_narrow(const struct given *g)
{
	int fds[5];
	size_t i;

	fds[0] = dup(g->narrow);
	fds[1] = fcntl(g->narrow, F_DUPFD_CLOEXEC, 100);
	fds[2] = over_a_socket(g->narrow);
	fds[3] = from_a_process(g->narrow);
	fds[4] = dup(g->narrow);
	fcntl(fds[4], F_SETFL, O_RDWR);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (IS(1, fds[i] >= 0)) {
			IS(g->id, bm_id(fds[i]));
			writes_nothing(g, fds[i]);
		}
		close(fds[i]);
	}
}

static void cannot_be_reopened(int fd)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	char path[64];
	size_t i;
	int map;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		IS(-1, open(path, modes[i] | O_CLOEXEC));
	map = open(path, O_PATH | O_CLOEXEC);
	if (map >= 0) {
		IS(-EBADF, bm_delete(map, no_key));
		close(map);
	}
}

static void cannot_be_found(int dev, __u32 id)
{
	static const __u32 flags[] = { 0, BPFMAPS_F_RDONLY, BPFMAPS_F_WRONLY };
	__u32 next = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		IS(-EPERM, bm_fd_by_id(dev, id, flags[i]));
	while (!bm_next_id(dev, next, &next))
		IS(0, next == id);
}

static void pin_is_narrow(const struct given *g)
{
	int map;

	IS(0, bm_pin(g->dev, g->narrow, PIN));
	IS(0, chmod(PIN, 0777));
	IS(-EPERM, bm_get(g->dev, PIN, 0));
	IS(-EPERM, bm_get(g->dev, PIN, BPFMAPS_F_WRONLY));
	map = bm_get(g->dev, PIN, BPFMAPS_F_RDONLY);
	if (IS(1, map >= 0))
		writes_nothing(g, map);
	close(map);
	IS(0, unlink(PIN));
}

/* As a template, which may be read-only, it is not held; as a value, a module could write to it. */
static void cannot_be_held(const struct given *g)
{
	static const __u32 outer[] = { BPFMAPS_TYPE_ARRAY_OF_MAPS, BPFMAPS_TYPE_HASH_OF_MAPS };
	struct shape s = { .key = 4, .value = 4, .max = 1, .inner = g->narrow };
	unsigned char out[8];
	size_t i;
	int map;

	for (i = 0; i < ARRAY_SIZE(outer); i++) {
		s.type = outer[i];
		map = shape_create(g->dev, &s);
		if (map < 0) {
			/* It holds maps itself. */
			IS(-EINVAL, map);
			continue;
		}
		IS(-EPERM, bm_update(map, no_key, &g->narrow, BPFMAPS_ANY));
		IS(-ENOENT, bm_lookup(map, no_key, out));
		close(map);
	}
}

/* BOB has access to the device, and of ALICE's map a read-only descriptor. */
static int as_bob(void *arg)
{
	const struct given *g = arg;

	close(g->full);
	writes_nothing(g, g->narrow);
	copies_are_narrow(g);
	cannot_be_reopened(g->narrow);
	cannot_be_found(g->dev, g->id);
	pin_is_narrow(g);
	cannot_be_held(g);
	if (is_wrong)
		printf("# of type %s\n", g->type);
	fflush(stdout);
	return is_result();
}

TEST_F(security, read_only_stays_read_only)
{
	unsigned char before[PAGE], after[PAGE];
	struct given g;
	size_t i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_TRUE(give(&g, self->dev, self->inner, &types[i]));
		ret = state_of(&g, before);
		EXPECT_EQ(0, as_user(BOB, as_bob, &g));
		EXPECT_EQ(ret, state_of(&g, after));
		EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
		/* The owner can still do all that BOB could not. */
		EXPECT_EQ(0, bm_freeze(g.full));
		take_back(&g);
	}
	printf("# %zu types of maps, each by all ways\n", i);
	fflush(stdout);
}

static int bpftool_updates(void *arg)
{
	(void)arg;
	setenv("LD_PRELOAD", "/lib/libbpfmaps-preload.so", 1);
	execl("/bin/bpftool", "bpftool", "map", "update", "pinned", "/sys/fs/bpf/security_test",
	      "key", "0", "0", "0", "0", "value", "1", "1", "1", "1", "1", "1", "1", "1", NULL);
	return 98;
}

/* The preload library has no rights of its own. */
TEST_F(security, read_only_under_the_preload_library)
{
	const struct type array = { BPFMAPS_TYPE_ARRAY, 0, "array" };
	uint64_t value = 0;
	struct given g;
	struct stat st;

	ASSERT_EQ(0, stat(BM_DEVICE, &st));
	ASSERT_TRUE(give(&g, self->dev, self->inner, &array));
	ASSERT_EQ(0, chmod(BM_DEVICE, 0666));
	ASSERT_EQ(0, bm_pin(g.dev, g.narrow, PIN));
	EXPECT_EQ(0, chmod(PIN, 0666));
	EXPECT_EQ(255, as_user(BOB, bpftool_updates, NULL));
	EXPECT_EQ(0, bm_lookup(g.full, no_key, &value));
	EXPECT_EQ(0x5a5a5a5a5a5a5a5a, value);
	/* From a pin of another descriptor it works. */
	EXPECT_EQ(0, unlink(PIN));
	ASSERT_EQ(0, bm_pin(g.dev, g.full, PIN));
	EXPECT_EQ(0, chmod(PIN, 0666));
	EXPECT_EQ(0, as_user(BOB, bpftool_updates, NULL));
	EXPECT_EQ(0, bm_lookup(g.full, no_key, &value));
	EXPECT_EQ(0x0101010101010101, value);
	EXPECT_EQ(0, chmod(BM_DEVICE, st.st_mode & 07777));
	take_back(&g);
}

/* The owner, with a descriptor that could once do everything. */
static int as_owner_of_frozen(void *arg)
{
	const struct given *g = arg;
	int map;

	writes_nothing(g, g->full);
	map = bm_fd_by_id(g->dev, g->id, 0);
	if (IS(1, map >= 0))
		writes_nothing(g, map);
	close(map);
	IS(0, bm_pin(g->dev, g->full, PIN));
	map = bm_get(g->dev, PIN, 0);
	if (IS(1, map >= 0))
		writes_nothing(g, map);
	close(map);
	IS(0, unlink(PIN));
	return is_result();
}

TEST_F(security, frozen_stays_frozen)
{
	unsigned char before[PAGE], after[PAGE];
	struct given g;
	size_t i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_TRUE(give(&g, self->dev, self->inner, &types[i]));
		ret = state_of(&g, before);
		ASSERT_EQ(0, bm_freeze(g.full));
		EXPECT_EQ(0, as_user(ALICE, as_owner_of_frozen, &g))
			TH_LOG("%s", types[i].name);
		EXPECT_EQ(ret, state_of(&g, after));
		EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
		take_back(&g);
	}
}

/* A map of the caller's, with its id, pinned at @path if that is not NULL. */
static int own_map(int dev, __u32 *id, const char *path)
{
	int map = bm_create(dev, BPFMAPS_TYPE_HASH, 4, 8, 4, 0);

	IS(1, map >= 0);
	*id = bm_id(map);
	if (path)
		IS(0, bm_pin(dev, map, path));
	return map;
}

/* The ids that the caller sees are just the @nr given. */
static void sees_only(int dev, const __u32 *ids, unsigned int nr)
{
	unsigned int seen = 0;
	__u32 next = 0;

	while (!bm_next_id(dev, next, &next)) {
		IS(ids[seen < nr ? seen : nr - 1], next);
		seen++;
	}
	IS(nr, seen);
}

static int sees_own_only(void *arg)
{
	const struct given *g = arg;
	__u32 id;
	int map = own_map(g->dev, &id, NULL), again;

	sees_only(g->dev, &id, 1);
	cannot_be_found(g->dev, g->id);
	/* The mode of a pin is that of a file: 0600. */
	IS(-EACCES, bm_get(g->dev, PIN, 0));
	IS(-EACCES, bm_get(g->dev, PIN, BPFMAPS_F_RDONLY));
	IS(-1, unlink(PIN));
	IS(-1, chmod(PIN, 0666));
	IS(-1, rename(PIN, PIN "_2"));
	again = bm_fd_by_id(g->dev, id, 0);
	IS(id, bm_id(again));
	close(again);
	close(map);
	return is_result();
}

static int sees_own_and_given(void *arg)
{
	const struct given *g = arg;
	__u32 ids[2] = { g->id };
	int map = own_map(g->dev, &ids[1], NULL), again;

	sees_only(g->dev, ids, 2);
	again = bm_get(g->dev, PIN, 0);
	IS(g->id, bm_id(again));
	close(again);
	close(map);
	return is_result();
}

/* Neither user sees, opens or removes what the other has; root sees both. */
TEST_F(security, two_users)
{
	static const unsigned int users[] = { ALICE, BOB };
	struct given g = { .dev = self->dev };
	int i, map;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, seteuid(users[i]));
		map = own_map(self->dev, &g.id, PIN);
		ASSERT_EQ(0, seteuid(0));
		EXPECT_EQ(0, as_user(users[i], sees_own_and_given, &g));
		EXPECT_EQ(0, as_user(users[!i], sees_own_only, &g));
		EXPECT_EQ(g.id, bm_id(bm_fd_by_id(self->dev, g.id, 0)));
		EXPECT_EQ(g.id, bm_id(bm_get(self->dev, PIN, 0)));
		EXPECT_EQ(0, unlink(PIN));
		close(map);
		/* Those that the two lines above have left open. */
		close_range(3, ~0U, 0);
		self->dev = bm_open();
		g.dev = self->dev;
	}
	self->inner = -1;
}

static int opens_device(void *arg)
{
	int dev;

	(void)arg;
	dev = bm_open();
	if (dev < 0)
		return -dev;
	return bm_create(dev, BPFMAPS_TYPE_ARRAY, 4, 8, 1, 0) < 0 ? 98 : 0;
}

/* As the udev rule sets it: the mode and the owner of the device say who may have maps. */
TEST_F(security, the_device_is_the_gate)
{
	struct stat st;

	ASSERT_EQ(0, stat(BM_DEVICE, &st));
	EXPECT_EQ(EACCES, as_user(ALICE, opens_device, NULL));
	ASSERT_EQ(0, chown(BM_DEVICE, 0, ALICE));
	ASSERT_EQ(0, chmod(BM_DEVICE, 0660));
	EXPECT_EQ(0, as_user(ALICE, opens_device, NULL));
	EXPECT_EQ(EACCES, as_user(BOB, opens_device, NULL));
	ASSERT_EQ(0, chown(BM_DEVICE, st.st_uid, st.st_gid));
	ASSERT_EQ(0, chmod(BM_DEVICE, st.st_mode & 07777));
	EXPECT_EQ(EACCES, as_user(ALICE, opens_device, NULL));
}

static void set_caps(uint64_t caps)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	IS(0, syscall(SYS_capset, &hdr, data));
}

static int as_root_without(void *arg)
{
	const uint64_t all = (2ULL << CAP_LAST_CAP) - 1;
	const struct given *g = arg;

	set_caps(all & ~(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_BPF));
	cannot_be_found(g->dev, g->id);
	set_caps(0);
	cannot_be_found(g->dev, g->id);
	return is_result();
}

static int as_root_with_one(void *arg)
{
	const struct given *g = arg;
	int map;

	set_caps(1ULL << CAP_BPF);
	map = bm_fd_by_id(g->dev, g->id, 0);
	IS(g->id, bm_id(map));
	close(map);
	return is_result();
}

/* Not the uid 0 but the capability shows the maps of others. */
TEST_F(security, root_without_capabilities)
{
	struct given g = { .dev = self->dev };
	int map;

	ASSERT_EQ(0, seteuid(ALICE));
	map = own_map(self->dev, &g.id, NULL);
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, as_user(0, as_root_without, &g));
	EXPECT_EQ(0, as_user(0, as_root_with_one, &g));
	close(map);
}

/* The root of a user namespace of its own, with all capabilities there. */
static void enter_namespace(void)
{
	char text[32];

	snprintf(text, sizeof(text), "0 %u 1", getuid());
	IS(0, unshare(CLONE_NEWUSER | CLONE_NEWNS));
	IS(0, put_text("/proc/self/setgroups", "deny"));
	IS(0, put_text("/proc/self/uid_map", text));
	IS(0, getuid());
}

struct outside {
	int dev;
	__u32 of_root;
	__u32 of_alice;
	int sock;
};

/* The same uid, and root by name; still only what was made in here is seen. */
static int in_namespace(void *arg)
{
	const struct outside *o = arg;
	int map, again;
	__u32 id;

	enter_namespace();
	cannot_be_found(o->dev, o->of_root);
	cannot_be_found(o->dev, o->of_alice);
	map = own_map(o->dev, &id, NULL);
	sees_only(o->dev, &id, 1);
	again = bm_fd_by_id(o->dev, id, 0);
	IS(id, bm_id(again));
	/* Capabilities in here are none for the kernel's hash functions. */
	IS(-EPERM, bm_create(o->dev, BPFMAPS_TYPE_HASH, 4, 8, 4, BPFMAPS_F_ZERO_SEED));
	/* A pin is a file: ALICE's is the own uid's, and root's is out of reach. */
	IS(o->of_alice, bm_id(bm_get(o->dev, PIN, 0)));
	IS(-EACCES, bm_get(o->dev, PIN "_root", BPFMAPS_F_RDONLY));
	IS(sizeof(id), write(o->sock, &id, sizeof(id)));
	IS(sizeof(id), read(o->sock, &id, sizeof(id)));
	close(map);
	return is_result();
}

static int beside_namespace(void *arg)
{
	const struct given *g = arg;

	cannot_be_found(g->dev, g->id);
	return is_result();
}

TEST_F(security, user_namespace)
{
	struct outside o = { .dev = self->dev };
	struct given g = { .dev = self->dev };
	int pair[2], status = -1, root, alice;
	pid_t pid;

	root = own_map(self->dev, &o.of_root, PIN "_root");
	ASSERT_EQ(0, seteuid(ALICE));
	alice = own_map(self->dev, &o.of_alice, PIN);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		o.sock = pair[1];
		close(root);
		close(alice);
		close(pair[0]);
		become(ALICE);
		_exit(in_namespace(&o));
	}
	close(pair[1]);
	ASSERT_EQ(sizeof(g.id), read(pair[0], &g.id, sizeof(g.id)));
	/* Outside, the same user does not see it, and who has the capability does. */
	EXPECT_EQ(0, as_user(ALICE, beside_namespace, &g));
	EXPECT_EQ(g.id, bm_id(bm_fd_by_id(self->dev, g.id, BPFMAPS_F_RDONLY)));
	EXPECT_EQ(sizeof(g.id), write(pair[0], &g.id, sizeof(g.id)));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, unlink(PIN "_root"));
}

TEST_HARNESS_MAIN
