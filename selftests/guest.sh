#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# qemu/run, with what the project builds put into the guest: bpfmapctl, the fuzzer, the preload library, the
# programs that test scripts call, the files they source, bpftool, jq, and the sample module as
# /lib/sockex1.ko. Takes the arguments of qemu/run.
# BPFMAPS_TEST_SCALE goes to the tests: they divide by it how often they do what they do often.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
build=${BUILD:-$(realpath "$here/..")/build}
version=$("$here/qemu/kernel.sh" --version)

options=(--prog "$build/bpfmapctl" --prog "$(command -v jq)" --prog "$build/selftests/fuzz"
	 --prog "$build/libbpfmaps-preload.so:/lib/libbpfmaps-preload.so"
	 --prog /usr/sbin/bpftool
	 --file "$here/tap.sh:/lib/tap.sh"
	 --file "$here/preload.sh:/lib/preload.sh"
	 --file "$build/selftests/preload_maps.bpf.o:/lib/maps.bpf.o"
	 --file "$build/selftests/preload_prog.bpf.o:/lib/prog.bpf.o"
	 --file "$here/bpfmapctl_util.sh:/lib/bpfmapctl_util.sh"
	 --module "$build/module-$version/module/samples/sockex1.ko"
	 --module "$build/module-$version/selftests/kmod/kapi_kmod.ko"
	 --module "$build/module-$version/selftests/kmod/ringbuf_kmod.ko"
	 --bpfmaps "$build/module-$version/bpfmaps.ko")
[[ ! ${BPFMAPS_TEST_SCALE:-} ]] || options+=(--env "BPFMAPS_TEST_SCALE=$BPFMAPS_TEST_SCALE")
for helper in "$here"/*_helper.c; do
	name=${helper##*/}
	options+=(--prog "$build/selftests/${name%.c}")
done
# Busybox, which the guest has, is linked statically: the preload library is not for it.
for name in ls find mv stat rm; do
	options+=(--prog "$(command -v "$name"):/bin/debian-$name")
done
exec "$here/qemu/run" "${options[@]}" "$@"
