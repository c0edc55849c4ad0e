// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libbpfmaps-preload - the programs by which libbpf finds out what the kernel can do
 *
 * Before libbpf makes the maps of an object it loads small programs and closes them at once, to see
 * whether maps may have names, count as memory of their owner, and hold global data. All of that is
 * true of the module's maps, and a plain user cannot load a program. So exactly these programs are
 * known here, for when bpf(2) has refused them: with an attribute more, or another instruction,
 * it is another program.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>

#include "preload.h"

/* More than any version of the attribute has. */
#define MAX_SIZE	256

#define MAX_INSNS	5

/* The instructions of the probes. The place of the map's descriptor is left empty. */
#define RETURN_0	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 }
#define EXIT		{ .code = BPF_JMP | BPF_EXIT }
#define GET_TIME	{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_coarse_ns }
#define VALUE_OF_MAP	{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, \
			  .src_reg = BPF_PSEUDO_MAP_VALUE }
#define AT_BYTE_16	{ .imm = 16 }
#define STORE_42	{ .code = BPF_ST | BPF_DW | BPF_MEM, .dst_reg = BPF_REG_1, .imm = 42 }

/**
 * struct probe - a program of libbpf's
 * @name: its name
 * @type: its type
 * @has_map: the first instruction has the descriptor of a map
 * @count: how many instructions it has
 * @insns: the instructions
 */
struct probe {
	char name[BPF_OBJ_NAME_LEN];
	__u32 type;
	bool has_map;
	__u32 count;
	struct bpf_insn insns[MAX_INSNS];
};

/* The attribute of PROG_LOAD, and room for that of later versions. */
union load {
	char bytes[MAX_SIZE];
	union bpf_attr attr;
};

static const struct probe probes[] = {
	/* May objects have names? */
	{ "libbpf_nametest", BPF_PROG_TYPE_SOCKET_FILTER, false, 2, { RETURN_0, EXIT } },
	/* Can anything be loaded? First as the one type, then as the other. */
	{ "", BPF_PROG_TYPE_SOCKET_FILTER, false, 2, { RETURN_0, EXIT } },
	{ "", BPF_PROG_TYPE_TRACEPOINT, false, 2, { RETURN_0, EXIT } },
	/* Is memory counted by memory cgroups, so that RLIMIT_MEMLOCK need not be raised? */
	{ "", BPF_PROG_TYPE_SOCKET_FILTER, false, 2, { GET_TIME, EXIT } },
	/* Can an array hold the global variables? */
	{ "", BPF_PROG_TYPE_SOCKET_FILTER, true, 5,
	  { VALUE_OF_MAP, AT_BYTE_16, STORE_42, RETURN_0, EXIT } },
};

static bool is_answered(void)
{
	const char *probes_are = secure_getenv("BPFMAPS_PROBES");

	return !probes_are || strcmp(probes_are, "0");
}

static bool is_gpl(__u64 license)
{
	char text[sizeof("GPL")];

	return !preload_peek(text, (const void *)(uintptr_t)license, sizeof(text)) &&
	       !memcmp(text, "GPL", sizeof(text));
}

static bool has_insns(const struct probe *probe, __u64 pointer)
{
	struct bpf_insn insns[MAX_INSNS];
	size_t size = probe->count * sizeof(insns[0]);

	if (preload_peek(insns, (const void *)(uintptr_t)pointer, size))
		return false;
	if (probe->has_map) {
		if (!preload_is_map(insns[0].imm))
			return false;
		insns[0].imm = 0;
	}
	return !memcmp(insns, probe->insns, size);
}

/* @load has nothing else than what a probe has: all that is taken out of it leaves zeros. */
static bool is_probe(const struct probe *probe, const union load *load)
{
	static const union load nothing;
	union load rest = *load;

	if (load->attr.prog_type != probe->type || load->attr.insn_cnt != probe->count ||
	    memcmp(load->attr.prog_name, probe->name, sizeof(probe->name)))
		return false;
	rest.attr.prog_type = 0;
	rest.attr.insn_cnt = 0;
	rest.attr.insns = 0;
	rest.attr.license = 0;
	memset(rest.attr.prog_name, 0, sizeof(rest.attr.prog_name));
	return !memcmp(&rest, &nothing, sizeof(rest)) && is_gpl(load->attr.license) &&
	       has_insns(probe, load->attr.insns);
}

/* True of a PROG_LOAD that only asks. */
bool preload_is_probe(const struct bpf_call *call)
{
	union load load = { .bytes = { 0 } };
	size_t i;

	if (!is_answered() || call->size > sizeof(load) ||
	    preload_peek(&load, call->attr, call->size))
		return false;
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (is_probe(&probes[i], &load))
			return true;
	return false;
}
