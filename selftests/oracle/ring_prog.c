// SPDX-License-Identifier: GPL-2.0-only
/* The programs that write to a RINGBUF and drain a USER_RINGBUF of bpf(2), and our commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include "ring_prog.h"

#define ARGS_DATA	8192

struct flow_args {
	__u64 size;
	__u64 flags;
	long ret;
	unsigned char data[ARGS_DATA];
};

static bool is_output(const struct run *r)
{
	return r->type->number == BPFMAPS_TYPE_RINGBUF;
}

static struct bpf_insn insn(__u8 code, __u8 dst, __u8 src, __s16 off, __s32 imm)
{
	return (struct bpf_insn) {
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

/* The arguments, which are the only element of an array, are in r6 afterwards. */
static struct bpf_insn *load_args(struct bpf_insn *p, int args, int to_exit)
{
	*p++ = insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, args);
	*p++ = insn(0, 0, 0, 0, 0);
	*p++ = insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	*p++ = insn(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4);
	*p++ = insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	*p++ = insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, to_exit + 1, 0);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_0, 0, 0);
	return p;
}

/* What a helper has returned goes to the arguments. */
static struct bpf_insn *call_helper(struct bpf_insn *p, int helper)
{
	*p++ = insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
	*p++ = insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_6, BPF_REG_0,
		    offsetof(struct flow_args, ret), 0);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	*p++ = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return p;
}

/* bpf_ringbuf_output(ring, args->data, args->size, args->flags) */
static struct bpf_insn *output_prog(struct bpf_insn *p, int ring, int args)
{
	p = load_args(p, args, 9);
	*p++ = insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_6,
		    offsetof(struct flow_args, size), 0);
	*p++ = insn(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, ARGS_DATA - 1);
	*p++ = insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_4, BPF_REG_6,
		    offsetof(struct flow_args, flags), 0);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_6, 0, 0);
	*p++ = insn(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0,
		    offsetof(struct flow_args, data));
	*p++ = insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring);
	*p++ = insn(0, 0, 0, 0, 0);
	return call_helper(p, BPF_FUNC_ringbuf_output);
}

/* bpf_user_ringbuf_drain(ring, a function that returns 0, NULL, args->flags) */
static struct bpf_insn *drain_prog(struct bpf_insn *p, int ring, int args)
{
	p = load_args(p, args, 8);
	*p++ = insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring);
	*p++ = insn(0, 0, 0, 0, 0);
	*p++ = insn(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_FUNC, 0, 7);
	*p++ = insn(0, 0, 0, 0, 0);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0);
	*p++ = insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_4, BPF_REG_6,
		    offsetof(struct flow_args, flags), 0);
	p = call_helper(p, BPF_FUNC_user_ringbuf_drain);
	*p++ = insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	*p++ = insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return p;
}

/* Types by number: 1 int, 2 int (*)(void), 3 the program, 4 what it calls for each record. */
#define TYPE_PROG	3
#define TYPE_RECORD	4

static const struct {
	struct btf_header h;
	struct btf_type an_int;
	__u32 int_data;
	struct btf_type proto;
	struct btf_type prog;
	struct btf_type record;
	char names[16];
} btf = {
	.h = {
		.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(btf.h),
		.type_len = offsetof(typeof(btf), names) - sizeof(btf.h),
		.str_off = offsetof(typeof(btf), names) - sizeof(btf.h),
		.str_len = sizeof(btf.names),
	},
	.an_int = { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
	.int_data = BTF_INT_SIGNED << 24 | 32,
	.proto = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
	.prog = { .name_off = 5, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 2 },
	.record = { .name_off = 5, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC, .type = 2 },
	.names = "\0int\0called",
};

static int load_btf(struct run *r)
{
	union bpf_attr a = { .btf = (unsigned long)&btf, .btf_size = sizeof(btf) };
	int fd = syscall(__NR_bpf, BPF_BTF_LOAD, &a, sizeof(a));

	if (fd < 0)
		note(r, "no BTF: %s", errno_name(errno));
	return keep_fd(r, fd);
}

static int load_prog(struct run *r, int ring, int args)
{
	struct bpf_insn code[40], *end = is_output(r) ? output_prog(code, ring, args) :
							drain_prog(code, ring, args);
	struct bpf_func_info funcs[] = {
		{ .insn_off = 0, .type_id = TYPE_PROG },
		{ .insn_off = end - code - 2, .type_id = TYPE_RECORD },
	};
	union bpf_attr a = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (unsigned long)code,
		.insn_cnt = end - code,
		.license = (unsigned long)"GPL",
	};
	int fd;

	if (!is_output(r)) {
		a.prog_btf_fd = load_btf(r);
		a.func_info = (unsigned long)funcs;
		a.func_info_cnt = ARRAY_LEN(funcs);
		a.func_info_rec_size = sizeof(funcs[0]);
	}
	fd = syscall(__NR_bpf, BPF_PROG_LOAD, &a, sizeof(a));
	if (fd < 0)
		note(r, "no program: %s", errno_name(errno));
	return keep_fd(r, fd);
}

static bool open_prog(struct run *r, struct flow *f)
{
	struct bpfmaps_create_attr a = {
		.map_type = BPFMAPS_TYPE_ARRAY, .key_size = 4,
		.value_size = sizeof(struct flow_args), .max_entries = 1,
		.map_flags = BPFMAPS_F_MMAPABLE,
	};
	int args = quiet(r, BPFMAPS_MAP_CREATE, &a, sizeof(a));

	f->args = mmap(NULL, sizeof(*f->args), PROT_READ | PROT_WRITE, MAP_SHARED, args, 0);
	f->prog = load_prog(r, f->fd, args);
	return f->prog >= 0 && f->args != MAP_FAILED;
}

bool flow_open(struct run *r, struct flow *f, unsigned long size)
{
	int own = PROT_READ | PROT_WRITE, others = PROT_READ;

	memset(f, 0, sizeof(*f));
	f->size = size;
	f->fd = new_map(r, 0, 0, size, 0);
	f->consumer = mmap(NULL, PAGE, is_output(r) ? own : others, MAP_SHARED, f->fd, 0);
	f->producer = mmap(NULL, PAGE + 2 * size, is_output(r) ? others : own, MAP_SHARED, f->fd,
			   PAGE);
	f->data = (unsigned char *)f->producer + PAGE;
	if (r->be == &bpf_backend && !open_prog(r, f))
		return false;
	note(r, "mapped: %d, %d", f->consumer != MAP_FAILED, f->producer != MAP_FAILED);
	return f->consumer != MAP_FAILED && f->producer != MAP_FAILED;
}

void flow_close(struct flow *f)
{
	munmap(f->consumer, PAGE);
	munmap(f->producer, PAGE + 2 * f->size);
	if (f->args)
		munmap(f->args, sizeof(*f->args));
}

/* As a system call would return it. */
static int run_prog(struct flow *f, __u64 flags)
{
	static unsigned char packet[64];
	union bpf_attr a = {
		.test = {
			.prog_fd = f->prog,
			.data_in = (unsigned long)packet,
			.data_size_in = sizeof(packet),
		},
	};

	f->args->flags = flags;
	f->args->ret = -EIO;
	if (syscall(__NR_bpf, BPF_PROG_TEST_RUN, &a, sizeof(a)))
		return -1;
	if (f->args->ret >= 0)
		return f->args->ret;
	errno = -f->args->ret;
	return -1;
}

/* Appends a record to a RINGBUF. */
int flow_output(struct run *r, struct flow *f, const void *data, __u32 size, __u64 flags)
{
	struct bpfmaps_ringbuf_attr a = {
		.map_fd = f->fd, .size = size, .data = (unsigned long)data, .flags = flags,
	};

	if (!f->args)
		return quiet(r, BPFMAPS_RINGBUF_OUTPUT, &a, sizeof(a));
	f->args->size = size;
	memcpy(f->args->data, data, size);
	return run_prog(f, flags);
}

static int count_records(const unsigned char *records, int size)
{
	const struct bpfmaps_ringbuf_hdr *hdr;
	int at, nr = 0;

	for (at = 0; at < size; at += (sizeof(*hdr) + hdr->len + 7) / 8 * 8) {
		hdr = (const void *)(records + at);
		nr++;
	}
	return nr;
}

/* Takes all records out of a USER_RINGBUF. Returns how many there were. */
int flow_drain(struct run *r, struct flow *f, __u64 flags)
{
	struct bpfmaps_ringbuf_attr a = { .map_fd = f->fd, .size = f->size, .flags = flags };
	unsigned char *out;
	int ret, err;

	if (f->args)
		return run_prog(f, flags);
	out = malloc(f->size);
	a.data = (unsigned long)out;
	ret = quiet(r, BPFMAPS_RINGBUF_DRAIN, &a, sizeof(a));
	err = errno;
	if (ret > 0)
		ret = count_records(out, ret);
	free(out);
	errno = err;
	return ret;
}
