#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module on other kernels than that of "make check": fetches the kernel of each SUITE of
# Debian's (default: an older and a newer one), builds the module for it, and runs tests in a guest
# with it. What compares with bpf(2) is skipped where that is older than 6.1; that of 7.3 has more
# flags, so some of it fails there. The last line is the sum, as that of check.sh. Exit status: 0
# nothing failed, or else as of qemu/run.
#
# usage: kernels.sh [SUITE]...
# shellcheck disable=SC2317 # step calls most of the functions
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

tests=(newer_types_test dev_test contract_test bloom_filter_test user_ringbuf_test ringbuf_test
       hash_test array_test queue_stack_test lru_test lpm_trie_test batch_test percpu_flags_test
       pinfs_test memcg_test blocked_test kapi_test ringbuf_kapi_test unload_test.sh)

build_programs()
{
	make -s -C "$top/tools" O="$build" all &&
		make -s -j"$(nproc)" -C "$here" BUILD="$build" programs || return "$EXIT_NO_BOOT"
}

build_module()
{
	make -s -j"$(nproc)" -C "$here" BUILD="$build" module || return "$EXIT_NO_BOOT"
}

run_tests()
{
	local -a options=()
	local test

	for test in "${tests[@]}"; do
		if [[ $test == *.sh ]]; then
			options+=(--test "$here/$test")
		else
			options+=(--test "$build/selftests/$test")
		fi
	done
	"$here/guest.sh" --results "$results" "${options[@]}"
}

# check_kernel SUITE
check_kernel()
{
	local version lines

	export KERNEL=$1
	lines=$(wc -l <"$results")
	if version=$("$here/qemu/kernel.sh" --version) &&
	   step "the module for $version, from $1" build_module; then
		step "tests on $version" run_tests || true
	fi
	(($(wc -l <"$results") > lines)) || not_run "$1"
}

# What is done many times is done often enough on the kernel of "make check".
export BPFMAPS_TEST_SCALE=${BPFMAPS_TEST_SCALE:-10}

(($#)) || set -- bullseye bookworm-backports
if step "install what is missing" "$here/setup.sh" && step "build" build_programs; then
	for suite; do
		check_kernel "$suite"
	done
else
	not_run build
fi
finish
