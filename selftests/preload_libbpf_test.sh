#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs on libbpf under the preload library: ring buffers, objects, and what they do with paths.
# Runs in the guest; see preload.sh for what is compared.
# shellcheck disable=SC2317 # result calls the checks
set -u

# shellcheck source=selftests/preload.sh
. /lib/preload.sh

# long LINES PROGRAM ARGUMENT...: both print the same, and at least so many lines
long()
{
	lines=$1
	shift
	both "$@" && same status "$status" 0 &&
		same "is long" "$(($(echo "$text" | wc -l) >= lines))" 1
}

# The records come from a kernel module: the third is discarded, and the first is finished last.
records_of_a_module()
{
	as_user preload_ring_helper wait "$dir/wait" 3 >/tmp/out 2>&1 &
	tries=0
	while [ ! -e "$ours/wait" ] && [ "$tries" -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	LD_PRELOAD=$library preload_produce_helper kmod "$dir/wait" || return
	wait $! || return
	same output "$(cat /tmp/out)" "new: 0
pin: 0
record: first
record: second
record: fourth
polled: 3"
}

drained_records()
{
	status=0
	as_user preload_ring_helper drained "$dir" >/tmp/out 2>&1 || status=$?
	same output "$(cat /tmp/out)" "pin: 0
new: 0
first
the second record
producer: 0
reserve: 0
reserve in a full one: -28
xxxxxxxxxxxxxxxxxxxx
reserve when there is room: 0
producer: 0" && same status "$status" 0
}

# as_plain_user PROGRAM ARGUMENT...: without the library
as_plain_user()
{
	program=$1
	shift
	start-stop-daemon -S -c user -x "/bin/$program" -- "$@"
}

# The module has no BTF: libbpf says so, and tries again without.
object_with_btf()
{
	LD_PRELOAD=$library BPFMAPS_TRACE=$trace preload_object_helper load /lib/maps.bpf.o "$dir" \
		>/tmp/out 2>&1 || return
	same "other messages" "$(grep -v 'Retrying without BTF' /tmp/out)" "  load: 0" &&
		traced "BTF_LOAD .* = [0-9]+ by bpf" 'MAP_CREATE .* name "lru" = -1 EINVAL by bpfmaps' \
			'MAP_CREATE .* name "lru" = [0-9]+ by bpfmaps' && rm "$ours/pinned_hash"
}

trace_of_object()
{
	rm -f "$trace"
	BPFMAPS_TRACE=$trace as_user preload_object_helper load /lib/maps.bpf.o "$dir" >/tmp/out || return
	rm "$ours/pinned_hash"
	traced 'PROG_LOAD size [0-9]+ type 1 insns 5 name "" = [0-9]+ by bpfmaps' \
		'BTF_LOAD .* = -1 EPERM by bpf' \
		'MAP_CREATE .* type 30 \(bloom_filter\) .* extra 0x3 name "bloom" = [0-9]+ by bpfmaps' \
		'MAP_FREEZE size [0-9]+ fd [0-9]+ = 0 by bpfmaps'
}

# The object is refused, and with the same words, as if there were no library.
probes_not_answered()
{
	BPFMAPS_PROBES=0 as_user preload_object_helper load /lib/maps.bpf.o "$dir" >/tmp/out 2>&1
	as_plain_user preload_object_helper load /lib/maps.bpf.o "$dir" >/tmp/plain 2>&1
	same output "$(cat /tmp/out)" "$(cat /tmp/plain)" &&
		same "last line" "$(tail -n 1 /tmp/out)" "  load: -1" || return
	BPFMAPS_PROBES=1 as_user preload_object_helper load /lib/maps.bpf.o "$dir" >/tmp/out 2>&1
	rm "$ours/pinned_hash"
	same output "$(cat /tmp/out)" "  load: 0"
}

# Root can load it; the plain user cannot, as before.
object_with_program()
{
	as_user preload_object_helper load /lib/prog.bpf.o "$dir" >/tmp/out 2>&1
	same output "$(grep -v ' elf: ' /tmp/out)" \
		"libbpf: prog 'pass': BPF program load failed: Operation not permitted
libbpf: prog 'pass': failed to load: -1
libbpf: failed to load object '/lib/prog.bpf.o'
  load: -1" || return
	LD_PRELOAD=$library preload_object_helper load /lib/prog.bpf.o "$dir" >/tmp/out 2>&1
	same output "$(grep -v ' elf: ' /tmp/out)" "  load: 0"
}

# All but the last are refused by bpf(2).
programs_like_probes()
{
	as_user preload_object_helper programs >/tmp/out 2>&1
	as_plain_user preload_object_helper programs >/tmp/plain 2>&1
	same "differences" "$(diff /tmp/plain /tmp/out | grep '^[+-][^+-]')" "-the probe: -1
+the probe: 0" && same "refused" "$(grep -c ': -1$' /tmp/out)" 10 &&
		same "bad pointer" "$(grep bad /tmp/out)" "bad pointer: -1"
}

# A bpffs that the user may not look into has nothing for the user.
nothing_is_there()
{
	chmod 700 "$dir"
	as_user preload_path_helper look "$dir/none" >/tmp/out
	chmod 711 "$dir"
	same "not there" "$(grep -c ': -1 ENOENT$' /tmp/out)" 5
}

# Pins of root's programs and maps of bpf(2) are seen, but those of bpfmaps are seen first.
both_are_there()
{
	bpftool map create "$dir/theirs" type array key 4 value 4 entries 1 name theirs &&
		as_user bpftool map create "$dir/mine" type array key 4 value 4 entries 1 name mine || return
	both preload_path_helper look "$dir/theirs" && has "stat(path, &st): 0" &&
		as_user preload_path_helper look "$dir/mine" >/tmp/out &&
		same "not there" "$(grep -c ': -1 ENOENT$' /tmp/out)" 0
	status=$?
	rm "$dir/theirs" "$ours/mine"
	return "$status"
}

# What people use to see and remove pins, here from Debian: busybox is linked statically.
tools_on_pins()
{
	map create "$dir/seen" type array key 4 value 4 entries 1 name seen || return
	both debian-ls -lagG --time-style=+ "$dir" && same status "$status" 0 && has " seen" &&
		both debian-find "$dir" -type f -perm 600 && same output "$(alike "$text")" "$dir/seen" &&
		both debian-mv "$dir/seen" "$dir/moved" && same status "$status" 0 &&
		both debian-stat -c '%n %F %a %h' "$dir/moved" && same status "$status" 0 &&
		both debian-stat -f -c '%T %l' "$dir" && has bpf_fs &&
		both debian-rm -rv "$dir/moved" && same status "$status" 0 &&
		both debian-ls "$dir/moved" && same status "$status" 2
}

# What bpf(2) has since 6.5.
path_fd()
{
	as_user preload_path_helper path_fd "$dir" >/tmp/out 2>&1
	same output "$(sed 's/.*): //; s/ $//' /tmp/out)" "0
-1 EEXIST
0
-1 ENOENT
-1 ENOENT
-1 EBADF
-1 ENOENT
0
0
0"
}

echo "TAP version 13"
result "directories to test in" set_up
result "ring_buffer: every function" long 138 preload_ring_helper rings "$dir"
result "ring_buffer: records of a kernel module" records_of_a_module
result "user_ring_buffer: every function" long 9 preload_ring_helper user "$dir"
result "user_ring_buffer: records are taken out" drained_records
result "objects: every kind of map" long 96 preload_object_helper maps /lib/maps.bpf.o "$dir"
result "objects: skeleton" long 10 preload_object_helper skeleton /lib/maps.bpf.o "$dir"
result "objects: BTF" object_with_btf
result "objects: trace" trace_of_object
result "objects: no answers to probes" probes_not_answered
result "objects: a program" object_with_program
result "programs that are no probes" programs_like_probes
result "paths: every function" long 142 preload_path_helper all "$dir"
result "paths: a directory that is closed to the user" nothing_is_there
result "paths: pins of both" both_are_there
result "paths: ls, find, mv, stat, rm" tools_on_pins
result "paths: relative to a descriptor" path_fd
clean_up
plan
