/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where bpfmaps differs from bpf(2) on purpose: nothing else may. Each entry has to be seen in
 * a run, so that one that has become wrong is noticed.
 */
#ifndef DEVIATIONS_H
#define DEVIATIONS_H

/**
 * struct deviation - one allowed difference; all but @reason are fnmatch(3) patterns
 * @cases: names of cases
 * @bpf: what bpf(2) does there
 * @ours: what bpfmaps does there
 * @reason: why
 */
struct deviation {
	const char *cases;
	const char *bpf;
	const char *ours;
	const char *reason;
};

static const struct deviation deviations[] = {
	{
		"*/create/unprivileged", "create: -1 EPERM", "create: a descriptor",
		"who may use the device may create maps; no capability is asked for",
	}, {
		"*/freeze/unprivileged", "freeze: -1 EPERM", "freeze: 0",
		"freezing asks for a writable descriptor, not for CAP_BPF",
	}, {
		"*/freeze/read-only descriptor", "freeze: 0", "freeze: -1 EPERM",
		"freezing asks for a writable descriptor, as bpf(2) does since 6.5",
	}, {
		"*/file/memlock", "memlock:\t*", "memlock:\t*",
		"memlock is the memory that is really held",
	}, {
		"*/ids/of a stranger", "of no map: -1 EPERM", "of no map: -1 ENOENT",
		"ids may be asked for by anybody, who sees the own maps",
	}, {
		"*/ids/of a stranger", "next id: -1 EPERM", "next id: -1 ENOENT",
		"ids may be asked for by anybody, who sees the own maps",
	}, {
		"*/ids/of a stranger", "next id of a large one: -1 EPERM",
		"next id of a large one: -1 ENOENT",
		"ids may be asked for by anybody, who sees the own maps",
	}, {
		"*/ids/of an owner", "create: -1 EPERM", "create: a descriptor",
		"who may use the device may create maps; no capability is asked for",
	}, {
		"*/ids/of an owner", "next id: -1 EPERM", "next id: 0",
		"ids may be asked for by anybody, who sees the own maps",
	}, {
		"*/ids/of an owner", "descriptor by id: -1 EPERM", "descriptor by id: a descriptor",
		"ids may be asked for by anybody, who sees the own maps",
	}, {
		"*/pin/of a *-only descriptor", "get: a descriptor", "get: -1 EPERM",
		"a pin gives no more access than the descriptor that it was made with",
	}, {
		"array/mapping/madvise 4", "touch: signal 7", "touch: exit 0",
		"a mapping gets its pages back when they are touched again",
	}, {
		"*/create/map_ifindex 1", "create: -1 EOPNOTSUPP", "create: -1 EINVAL",
		"maps are not handed to network devices",
	}, {
		"*/create/max_entries U32_MAX and map_name *", "create: -1 ENOMEM",
		"create: -1 EINVAL",
		"everything is checked before memory is taken",
	}, {
		"*/create/btf *", "create: -1 EBADF", "create: -1 EINVAL",
		"there is no BTF here",
	}, {
		"percpu_*/flags/*, flags 0x8, *", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"percpu_*/flags/*, flags 0x9, *", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"percpu_*/flags/*, flags 0x10, *", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"percpu_*/flags/*, flags 0x100000008, *", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"*/pin/file flag 0x4000", "*: -1 EINVAL", "*: -1 ENOTDIR",
		"BPFMAPS_F_PATH_FD is as in bpf(2) since 6.5",
	}, {
		"percpu_*/batch/*, elem_flags 0x8", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"percpu_*/batch/*, elem_flags 0x10", "*", "*",
		"BPFMAPS_F_CPU and BPFMAPS_F_ALL_CPUS are as in bpf(2) since 7.0",
	}, {
		"*hash*/batch/*, out_batch at *", "call: attr byte 32 became 00",
		"call: attr byte 32 became 03",
		"count says how many elements have arrived, also where out_batch cannot be written",
	}, {
		"*_of_maps/holding/map a *-only one", "put: 0", "put: -1 EPERM",
		"who looks up maps in the kernel reads and writes them: so may the descriptor",
	}, {
		"ringbuf/flow/*", "output of too much: -1 EAGAIN", "output of too much: -1 E2BIG",
		"a record that never fits is not worth trying again",
	}, {
		"user_ringbuf/flow/behind *", "drain: -1 EINVAL", "drain: [12]",
		"what has been taken is told first, what is wrong by the next call",
	}, {
		"user_ringbuf/flow/producer *", "drain: 0", "drain: -1 EINVAL",
		"a producer behind the consumer or beyond the ring is told of",
	}, {
		"user_ringbuf/flow/producer before the start", "drain: 131072", "drain: -1 EINVAL",
		"a producer behind the consumer or beyond the ring is told of",
	}, {
		"user_ringbuf/flow/producer before the start", "consumer 0x*", "consumer 0",
		"a producer behind the consumer or beyond the ring is told of",
	}, {
		"user_ringbuf/flow/record of *", "drain: -1 E2BIG", "drain: 1",
		"records may be as large as the ring",
	}, {
		"user_ringbuf/flow/record of *", "consumer 0", "consumer 0x*",
		"records may be as large as the ring",
	}, {
		"percpu_array/create/flag* 0x[45]??", "*", "*",
		"per-CPU arrays can be mapped, too",
	}, {
		"percpu_array/create/map_flags BPFMAPS_F_MMAPABLE and *", "*", "*",
		"per-CPU arrays can be mapped, too",
	}, {
		"percpu_array/info/map of flags 0x400", "*", "*",
		"per-CPU arrays can be mapped, too",
	}, {
		"*take*", "kept: 0", "kept: 1",
		"what cannot be copied out stays where it is",
	},
};

#endif
