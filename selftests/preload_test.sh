#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's bpftool and a program on libbpf, neither changed, under the preload library. Runs in the
# guest.
# shellcheck disable=SC2317 # result calls the checks
set -u

# shellcheck source=selftests/preload.sh
. /lib/preload.sh

wrong_use()
{
	result "bpftool: unknown command" both bpftool map frob
	result "bpftool: no such pin" refused "No such file" dump pinned "$dir/none"
	result "bpftool: no such pin, JSON" refused_json "No such file" show pinned "$dir/none"
	result "bpftool: no such id" refused "No such file" show id 2000000000
	result "bpftool: no such name" both bpftool map show name none.such.map
	result "bpftool: create what cannot be" refused "Invalid argument" \
		create "$dir/bad" type hash key 0 value 8 entries 8 name bad
	result "bpftool: create, unknown flag" refused "Invalid argument" \
		create "$dir/bad" type hash key 4 value 8 entries 8 name bad flags 0x80000000
	result "bpftool: create, bad name, JSON" refused_json "Invalid argument" \
		create "$dir/bad" type hash key 4 value 8 entries 8 name "b d"
	result "bpftool: create, pin exists" refused "File exists" \
		create "$dir/hash" type hash key 4 value 8 entries 8 name again
	result "bpftool: pin, name with a dot" refused "Operation not permitted" \
		pin pinned "$dir/hash" "$dir/a.b"
	result "bpftool: pin to where no bpffs is, and none is mounted" both \
		bpftool -n map pin pinned "$dir/hash" /tmp/x
	result "bpftool: delete, no such key" refused "No such file" \
		delete pinned "$dir/hash" key 99 0 0 0
	result "bpftool: delete from an array" refused "Invalid argument" \
		delete pinned "$dir/array" key 0 0 0 0
	result "bpftool: update, no such index" refused "Argument list too long" \
		update pinned "$dir/array" key 9 0 0 0 value 1 0 0 0 0 0 0 0
	result "bpftool: update, key too short" both bpftool map update pinned "$dir/hash" key 1 value 1
	result "bpftool: lookup, no such key" both bpftool map lookup pinned "$dir/hash" key 99 0 0 0
	result "bpftool: lookup, no such key, JSON" \
		both bpftool -j map lookup pinned "$dir/hash" key 99 0 0 0
	result "bpftool: getnext behind the last" refused "No such file" \
		getnext pinned "$dir/array" key 3 0 0 0
	result "bpftool: pop from an empty queue" both bpftool map pop pinned "$dir/queue"
	result "bpftool: peek into an empty stack" both bpftool map peek pinned "$dir/stack"
	result "bpftool: pop from a hash" both bpftool map pop pinned "$dir/hash"
	result "bpftool: event_pipe of a hash" both bpftool map event_pipe pinned "$dir/hash"
}

creation()
{
	result "bpftool: create hash" created hash type hash key 4 value 8 entries 8 flags 1
	result "bpftool: create array" created array type array key 4 value 8 entries 4
	result "bpftool: create percpu_hash" created pchash type percpu_hash key 4 value 8 entries 8
	result "bpftool: create percpu_array" created pcarray \
		type percpu_array key 4 value 8 entries 2
	result "bpftool: create lpm_trie" created lpm type lpm_trie key 8 value 4 entries 8 flags 1
	result "bpftool: create queue" created queue type queue key 0 value 4 entries 4
	result "bpftool: create stack" created stack type stack key 0 value 4 entries 4
	result "bpftool: create, JSON" null \
		create "$dir/json" type hash key 1 value 1 entries 1 name json
}

elements()
{
	hash=$dir/hash
	result "bpftool: update" map update pinned "$hash" key 1 0 0 0 value 10 0 0 0 0 0 0 0
	result "bpftool: update by name" map update name hash \
		key hex 02 00 00 00 value hex 14 0 0 0 0 0 0 0 noexist
	result "bpftool: update, JSON" null update pinned "$hash" key 2 0 0 0 \
		value 21 0 0 0 0 0 0 0 exist
	result "bpftool: update, noexist" refused "File exists" \
		update pinned "$hash" key 2 0 0 0 value 1 0 0 0 0 0 0 0 noexist
	result "bpftool: update, exist" refused "No such file" \
		update pinned "$hash" key 3 0 0 0 value 1 0 0 0 0 0 0 0 exist
	result "bpftool: lookup" prints "value: 15 00" lookup pinned "$hash" key 2 0 0 0
	result "bpftool: lookup, JSON" json .value '["0x15","0x00","0x00","0x00","0x00","0x00","0x00","0x00"]' \
		lookup pinned "$hash" key 2 0 0 0
	result "bpftool: dump" in_order "Found 2 elements" dump pinned "$hash"
	result "bpftool: delete" map delete pinned "$hash" key 2 0 0 0
	result "bpftool: dump, JSON" json 'map(.key[0])' '["0x01"]' dump pinned "$hash"
	result "bpftool: getnext" prints "01 00 00 00" getnext pinned "$hash"
	result "bpftool: getnext, JSON" json '.next_key[0]' '"0x02"' \
		getnext pinned "$dir/array" key 1 0 0 0
	result "bpftool: delete, JSON" null delete pinned "$hash" key 1 0 0 0
	result "bpftool: dump of nothing" prints "Found 0 elements" dump pinned "$hash"
	result "bpftool: array, update" map update pinned "$dir/array" key 3 0 0 0 \
		value 7 0 0 0 0 0 0 0
	result "bpftool: array, dump" prints "Found 4 elements" dump pinned "$dir/array"
	result "bpftool: per-CPU hash, update" map update pinned "$dir/pchash" key 1 0 0 0 \
		value 7 0 0 0 0 0 0 0
	result "bpftool: per-CPU hash, dump" prints "value (CPU 00): 07" dump pinned "$dir/pchash"
	result "bpftool: per-CPU array, dump, JSON" json "map(.values | length) == [$cpus, $cpus]" true \
		dump pinned "$dir/pcarray"
	result "bpftool: LPM trie, update" map update pinned "$dir/lpm" \
		key 8 0 0 0 10 0 0 0 value 1 2 3 4
	result "bpftool: LPM trie, lookup" prints "01 02 03 04" lookup pinned "$dir/lpm" \
		key 32 0 0 0 10 1 2 3
	result "bpftool: LPM trie, dump" prints "Found 1 element" dump pinned "$dir/lpm"
}

queues()
{
	result "bpftool: enqueue" map enqueue pinned "$dir/queue" value 1 0 0 0
	result "bpftool: enqueue, JSON" null enqueue pinned "$dir/queue" value 2 0 0 0
	result "bpftool: peek" prints "value: 01" peek pinned "$dir/queue"
	result "bpftool: dequeue" prints "value: 01" dequeue pinned "$dir/queue"
	result "bpftool: dequeue, JSON" json '.value[0]' '"0x02"' dequeue pinned "$dir/queue"
	result "bpftool: push" map push pinned "$dir/stack" value 1 0 0 0
	result "bpftool: push another" map push pinned "$dir/stack" value 2 0 0 0
	result "bpftool: pop" prints "value: 02" pop pinned "$dir/stack"
	result "bpftool: pop, JSON" json '.value[0]' '"0x01"' pop pinned "$dir/stack"
}

# Root has no other maps in this guest, nor has the user.
whole_maps()
{
	result "bpftool: list" in_order "name pchash" list
	result "bpftool: show, JSON" json 'map(.name) | sort' \
		'["array","hash","json","lpm","pcarray","pchash","queue","stack"]' show
	result "bpftool: show by name" prints "max_entries 8" show name hash
	result "bpftool: show with pins" prints "preload_test/array" -f show name array
	result "bpftool: pin" map pin pinned "$dir/hash" "$dir/second"
	result "bpftool: pin, JSON" null pin name hash "$dir/third"
	result "bpftool: the pins are of bpfmaps" same "files" \
		"$(find "$ours" -name second -o -name third | sort | tr '\n' ' ')" \
		"$ours/second $ours/third "
	result "bpftool: pin that exists" refused "File exists" pin name hash "$dir/second"
	result "bpftool: show a pin, JSON" json .frozen 0 show pinned "$dir/third"
	result "bpftool: freeze" map freeze pinned "$dir/third"
	result "bpftool: freeze, JSON" null freeze pinned "$dir/array"
	result "bpftool: frozen is shown" prints "frozen" show pinned "$dir/hash"
	result "bpftool: no update when frozen" refused "Operation not permitted" \
		update pinned "$dir/hash" key 1 0 0 0 value 1 0 0 0 0 0 0 0
	result "bpftool: memory is that of bpfmaps" memory
	result "bpftool: help" both bpftool map help
	result "bpftool: commands from a file" batch_file
}

memory()
{
	as_user bpftool -j map show name hash >/tmp/out || return
	same memory "$(jq .bytes_memlock /tmp/out)" \
		"$(bpfmapctl -j show pinned "$ours/hash" | jq .bytes_memlock)"
}

batch_file()
{
	cat >/tmp/batch <<-EOT
		map push pinned $dir/stack value 9 0 0 0
		map peek pinned $dir/stack
		map pop pinned $dir/stack
	EOT
	both bpftool batch file /tmp/batch && same status "$status" 0
}

# libbpf PART ARGUMENT...: the same output of the program, and it is not a short one
libbpf()
{
	both preload_helper "$@" && same status "$status" 0 &&
		same "is long" "$(($(echo "$text" | wc -l) > 100))" 1
}

trace_to_file()
{
	rm -f "$trace"
	BPFMAPS_TRACE=$trace as_user bpftool map push pinned "$dir/stack" value 1 0 0 0 &&
		traced "OBJ_GET size [0-9]+ path \"$dir/stack\" as \"?$ours/stack\"? fd 0 flags 0 at 0 = [0-9]+ by bpfmaps" \
			"OBJ_GET_INFO_BY_FD size [0-9]+ fd [0-9]+ = 0 by bpfmaps" \
			"MAP_UPDATE_ELEM size [0-9]+ map [0-9]+ key 0 value 0x[0-9a-f]+ flags 0 = 0 by bpfmaps"
}

# A relative path, and more is added to the file.
trace_of_error()
{
	(cd /tmp && BPFMAPS_TRACE=trace as_user bpftool map freeze pinned "$dir/none")
	traced "OBJ_GET .* = -1 ENOENT by bpfmaps" "MAP_UPDATE_ELEM .* = 0 by bpfmaps"
}

trace_of_all_processes()
{
	rm -f "$trace"
	BPFMAPS_TRACE=$trace as_user preload_helper threads || return
	same "lines that are not whole" "$(grep -cvE '^bpfmaps-preload\[[0-9]+\]: [A-Z_]+ size .* by [a-z]+$' "$trace")" 0 &&
		same "threads" "$(sed 's/.*\[\(.*\)\].*/\1/' "$trace" | sort -u | wc -l)" 4
}

trace_to_stderr()
{
	for value in 1 stderr; do
		BPFMAPS_TRACE=$value as_user bpftool map pop pinned "$dir/none" 2>"$trace"
		traced "OBJ_GET .* = -1 ENOENT by bpfmaps" || return
	done
}

trace_of_bpf()
{
	BPFMAPS_TRACE=1 LD_PRELOAD=$library preload_helper real "$dir" 2>"$trace" &&
		traced "MAP_UPDATE_ELEM .* = 0 by bpf" "OBJ_PIN .* = 0 by bpf" \
			"MAP_CREATE .* type 3 .*name \"progs\" = [0-9]+ by bpf"
}

no_trace()
{
	BPFMAPS_TRACE='' as_user bpftool map push pinned "$dir/stack" value 1 0 0 0 >/tmp/out 2>&1 &&
		same output "$(cat /tmp/out)" ""
}

no_device()
{
	BPFMAPS_DEVICE=/dev/none as_user bpftool map list >/tmp/out 2>&1
	same messages "$(cat /tmp/out)" "Error: can't get next map: No such device" || return
	BPFMAPS_DEVICE=/dev/null as_user bpftool map list >/tmp/out 2>&1
	same messages "$(cat /tmp/out)" "Error: can't get next map: No such device" || return
	chmod 600 /dev/bpfmaps
	as_user bpftool map list >/tmp/out 2>&1
	chmod 666 /dev/bpfmaps
	same messages "$(cat /tmp/out)" "Error: can't get next map: Permission denied"
}

no_pins()
{
	umount /sys/fs/bpfmaps || return
	LD_PRELOAD=$library bpftool map create "$dir2/x" type array key 4 value 4 entries 1 name x &&
		LD_PRELOAD=$library bpftool map show pinned "$dir2/x" >/tmp/out &&
		grep -q 'name x' /tmp/out && same "type" "$(stat -f -c %t /sys/fs/bpfmaps)" 62706d70
	ret=$?
	umount /sys/fs/bpfmaps 2>/dev/null
	mount -t bpfmaps bpfmaps /sys/fs/bpfmaps && return "$ret"
}

# Pins of root's that the user cannot make are not there: the user is on bpfmaps only.
nothing_on_bpffs()
{
	same "maps of bpf(2)" "$(bpftool -j map show | jq length)" 8
}

echo "TAP version 13"
result "directories to test in" set_up
creation
result "the user's maps are not on bpf(2)" nothing_on_bpffs
wrong_use
elements
queues
whole_maps
result "libbpf: maps" libbpf maps "$dir"
result "libbpf: errors" libbpf errors "$dir"
result "system calls that are not bpf(2)" silent preload_helper syscalls
result "maps of bpf(2) under the library" silent_root preload_helper real "$dir"
result "two threads, and forks" silent preload_helper threads
result "look-ups that count as a use" as_user preload_helper touch
result "standard input and output closed" silent preload_helper closed "$dir"
result "trace to a file" trace_to_file
result "trace of an error" trace_of_error
result "trace of threads and forks" trace_of_all_processes
result "trace to standard error" trace_to_stderr
result "trace of what bpf(2) did" trace_of_bpf
result "no trace" no_trace
result "no device" no_device
dir2=/sys/fs/bpf
clean_up
result "bpfmaps is mounted where bpftool looks for bpffs" no_pins
plan
