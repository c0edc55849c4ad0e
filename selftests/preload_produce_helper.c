// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other side of preload_ring_helper: what is a program of the kernel's with bpf(2).
 *
 *   preload_produce_helper output PIN FIRST COUNT FLAGS	writes COUNT records to a RINGBUF
 *   preload_produce_helper kmod PIN			lets ringbuf_kmod.ko write to a RINGBUF
 *   preload_produce_helper drain PIN BYTES		prints the records of a USER_RINGBUF
 *
 * Record N has 8 * (N % 8 + 1) bytes, each number of 8 bytes is N. Under the preload library the
 * map is one of the module's, and is used by its own commands. Otherwise it is bpf(2)'s: then a
 * program for each record is loaded and run. The other two are for the module's maps only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <bpf/bpf.h>
#include <linux/bpfmaps.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define MAX_NUMBERS		8

static size_t numbers_in(long record)
{
	return record % MAX_NUMBERS + 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Stores the number below the frame, and calls bpf_ringbuf_output(map, fp - 64, size, flags). */
static int load_output(int map, long record, unsigned int flags)
{
	struct bpf_insn insns[MAX_NUMBERS + 8] = { 0 }, *insn = insns;
	size_t i;

	for (i = 0; i < MAX_NUMBERS; i++)
		*insn++ = (struct bpf_insn) { .code = BPF_ST | BPF_MEM | BPF_DW,
					      .dst_reg = BPF_REG_10,
					      .off = -8 * (int)(i + 1), .imm = record };
	*insn++ = (struct bpf_insn) { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
				      .src_reg = BPF_PSEUDO_MAP_FD, .imm = map };
	insn++;
	*insn++ = (struct bpf_insn) { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2,
				      .src_reg = BPF_REG_10 };
	*insn++ = (struct bpf_insn) { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2,
				      .imm = -8 * MAX_NUMBERS };
	*insn++ = (struct bpf_insn) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3,
				      .imm = 8 * numbers_in(record) };
	*insn++ = (struct bpf_insn) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4,
				      .imm = flags };
	*insn++ = (struct bpf_insn) { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output };
	*insn++ = (struct bpf_insn) { .code = BPF_JMP | BPF_EXIT };
	return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", insns, insn - insns, NULL);
}

static int output_by_bpf(int map, long record, unsigned int flags)
{
	char packet[64] = { 0 };
	struct bpf_test_run_opts run = {
		.sz = sizeof(run), .data_in = packet, .data_size_in = sizeof(packet),
	};
	int prog = load_output(map, record, flags);

	if (prog < 0 || bpf_prog_test_run_opts(prog, &run))
		die("program");
	close(prog);
	return (int)run.retval;
}

static int output_by_bpfmaps(int map, long record, unsigned int flags)
{
	__u64 numbers[MAX_NUMBERS];
	struct bpfmaps_ringbuf_attr attr = {
		.map_fd = BPFMAPS_SELF, .size = 8 * numbers_in(record),
		.data = (unsigned long)numbers, .flags = flags,
	};
	size_t i;

	for (i = 0; i < MAX_NUMBERS; i++)
		numbers[i] = record;
	return ioctl(map, BPFMAPS_IOC(BPFMAPS_RINGBUF_OUTPUT, sizeof(attr)), &attr) ? -errno : 0;
}

static int get(const char *pin)
{
	int map = bpf_obj_get(pin);

	if (map < 0)
		die(pin);
	return map;
}

static void output(int map, long first, long count, unsigned int flags)
{
	const char *preload = getenv("LD_PRELOAD");
	long record;
	int ret;

	for (record = first; record < first + count; record++) {
		do {
			ret = preload && *preload ? output_by_bpfmaps(map, record, flags) :
						    output_by_bpf(map, record, flags);
			if (ret == -EAGAIN)
				usleep(1000);
		} while (ret == -EAGAIN);
		if (ret) {
			fprintf(stderr, "record %ld: %d\n", record, ret);
			exit(1);
		}
	}
}

static void run_kmod(const char *pin)
{
	int module = open("/lib/ringbuf_kmod.ko", O_RDONLY | O_CLOEXEC);
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "check=process fd=%d", get(pin));
	if (syscall(SYS_finit_module, module, parameters, 0))
		die("finit_module");
	if (syscall(SYS_delete_module, "ringbuf_kmod", 0))
		die("delete_module");
}

static void drain(int map, unsigned int bytes)
{
	static char data[65536] __attribute__((aligned(8)));
	struct bpfmaps_ringbuf_attr attr = {
		.map_fd = BPFMAPS_SELF, .size = bytes, .data = (unsigned long)data,
	};
	int got = ioctl(map, BPFMAPS_IOC(BPFMAPS_RINGBUF_DRAIN, sizeof(attr)), &attr);
	const struct bpfmaps_ringbuf_hdr *hdr;
	int at;

	if (got < 0)
		die("drain");
	for (at = 0; at < got; at += (BPFMAPS_RINGBUF_HDR_SZ + hdr->len + 7) & ~7U) {
		hdr = (const void *)(data + at);
		printf("%.*s\n", (int)hdr->len, (const char *)(hdr + 1));
	}
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "output"))
		output(get(argv[2]), atol(argv[3]), atol(argv[4]), atoi(argv[5]));
	else if (argc == 3 && !strcmp(argv[1], "kmod"))
		run_kmod(argv[2]);
	else if (argc == 4 && !strcmp(argv[1], "drain"))
		drain(get(argv[2]), atoi(argv[3]));
	else
		return 2;
	return 0;
}
