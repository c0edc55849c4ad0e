#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bpfmapctl: maps in maps, and ring buffers. Runs in the guest.
#
# What should fail comes first, each a correct command line but for one thing.
# shellcheck disable=SC2317 # result calls the checks
set -u

pins=/sys/fs/bpfmaps/bpfmapctl_maps_test
# shellcheck source=selftests/bpfmapctl_util.sh
. /lib/bpfmapctl_util.sh

create_outer()
{
	inner="type hash key 4 value 8 entries 10"

	# shellcheck disable=SC2086 # words
	{
	result "inner_map: missing" refused 2 "'inner_map MAP' is missing" \
		create "$pins/x" type array_of_maps key 4 value 4 entries 3
	result "inner_map: a type that holds none" refused 2 "type hash holds no maps" \
		create "$pins/x" $inner inner_map pinned "$pins/in1"
	result "inner_map: no such map" refused 1 "map 2000000000 cannot be opened" \
		create "$pins/x" type array_of_maps key 4 value 4 entries 3 inner_map id 2000000000
	result "inner_map: no MAP" refused 2 "'id', 'pinned' or 'name' is expected" \
		create "$pins/x" type array_of_maps key 4 value 4 entries 3 inner_map 5
	result "inner_map: nothing behind" refused 2 "behind 'inner_map' something is missing" \
		create "$pins/x" type array_of_maps key 4 value 4 entries 3 inner_map
	result "inner_map: value of another size" refused 1 "values are 4 bytes" \
		create "$pins/x" type hash_of_maps key 4 value 8 entries 3 \
		inner_map pinned "$pins/in1"
	}
	result "inner_map: array" done_by create "$pins/outer" type array_of_maps key 4 value 4 \
		entries 3 inner_map pinned "$pins/in1" name outer
	result "inner_map: before other words" done_by create "$pins/houter" inner_map name in1 \
		type hash_of_maps key 2 value 4 entries 3
	result "inner_map: holds maps itself" refused 1 "the inner map holds no maps itself" \
		create "$pins/x" type array_of_maps key 4 value 4 entries 3 \
		inner_map pinned "$pins/outer"
	result "inner_map: what failed has made nothing" test ! -e "$pins/x"
}

update_outer()
{
	result "value MAP: bytes" refused 2 "'id', 'pinned' or 'name' is expected, not '5'" \
		update pinned "$pins/outer" key u32:0 value 5 0 0 0
	result "value MAP: no such map" refused 1 "cannot be opened" \
		update pinned "$pins/outer" key u32:0 value pinned "$pins/none"
	result "value MAP: another shape" refused 1 "does not take that map" \
		update pinned "$pins/outer" key u32:0 value pinned "$pins/other"
	result "value MAP: no such index" refused 1 "max_entries is 3" \
		update pinned "$pins/outer" key u32:3 value pinned "$pins/in1"
	result "value MAP: pinned" done_by update pinned "$pins/outer" key u32:0 \
		value pinned "$pins/in1"
	result "value MAP: id, before the key" done_by update pinned "$pins/outer" \
		value id "$in2" key u32:2
	result "value MAP: name, and a flag" done_by update pinned "$pins/houter" key 0 9 \
		value name in1 noexist
	result "value MAP: noexist" refused 1 "has that key already" \
		update pinned "$pins/houter" key 0 9 value name in1 noexist
	result "lookup: id of the inner map" prints "$(printf 'KEY INNER_MAP_ID\n2 %s' "$in2")" \
		lookup pinned "$pins/outer" key u32:2
	result "lookup: JSON" json 'del(.value)' \
		"{\"key\":[\"0x02\",\"0x00\",\"0x00\",\"0x00\"],\"inner_map_id\":$in2,\"formatted\":{\"key\":2}}" \
		lookup pinned "$pins/outer" key u32:2
	result "lookup: value in JSON as in bpftool" json '.value[0] | length' 4 \
		lookup pinned "$pins/outer" key u32:2
	result "lookup: no map there" refused 1 "has no such key" \
		lookup pinned "$pins/outer" key u32:1
	result "lookup: a format" refused 2 "are maps: they have no format" \
		lookup pinned "$pins/outer" key u32:2 value u32
}

# A third inner map without elements.
fill_inner()
{
	for i in 1 2; do
		done_by update name in1 key "u32:$i" value "u64:$((10 * i))" || return
	done
	done_by update name in2 key u32:7 value u64:70
}

dump_outer()
{
	result "dump" prints "$(printf 'KEY INNER_MAP_ID\n0 %s\n2 %s\nFound 2 elements' "$in1" "$in2")" \
		dump pinned "$pins/outer" key u32
	result "dump: JSON" json 'map(.inner_map_id)' "[$in1,$in2]" dump pinned "$pins/outer"
	result "recursive: no maps in it" refused 2 "holds no maps" dump name in1 recursive
	result "recursive: format of another size" refused 2 "format u64 is of 8 bytes: the keys of inner" \
		dump name outer recursive inner_key u64
	result "recursive: unknown format" refused 2 "'frob' is not a format" \
		dump name outer recursive inner_value frob
	result "recursive: maps without elements" prints \
		"$(printf '%s\n' "KEY INNER_MAP_ID INNER_KEY VALUE" "0 $in1" "2 $in2" \
		"Found 2 elements")" dump name outer key u32 recursive
	result "recursive: without elements, JSON" json 'map(.elements)' '[[],[]]' \
		dump name outer recursive
	result "recursive: elements to show" fill_inner
	result "recursive" prints_sorted \
		"$(printf '%s\n' "KEY INNER_MAP_ID INNER_KEY VALUE" "0 $in1 1 10" "0 $in1 2 20" \
		"2 $in2 7 70" "Found 2 elements")" \
		dump name outer key u32 recursive inner_key u32 inner_value u64
	result "recursive: bytes" prints_sorted \
		"$(printf '%s\n' "KEY INNER_MAP_ID INNER_KEY VALUE" \
		"00 09 $in1 01 00 00 00 0a 00 00 00 00 00 00 00" \
		"00 09 $in1 02 00 00 00 14 00 00 00 00 00 00 00" "Found 1 element")" \
		dump pinned "$pins/houter" recursive
	result "recursive: JSON" json \
		'map([.formatted.key, .inner_map_id, (.elements | map(.formatted.value) | sort)])' \
		"[[0,$in1,[10,20]],[2,$in2,[70]]]" \
		dump name outer recursive key u32 inner_value u64
	result "recursive: empty map, JSON" json . '[]' dump pinned "$pins/empty" recursive
	result "recursive: empty map" prints "Found 0 elements" dump pinned "$pins/empty" recursive
	result "clear: a frozen array of maps" refused 1 "cannot delete" clear pinned "$pins/frozen"
	result "clear: an array of maps with two of them" done_by clear pinned "$pins/outer"
	result "clear: cleared array" prints "Found 0 elements" dump pinned "$pins/outer"
	result "clear: a hash of maps" done_by clear pinned "$pins/houter"
	result "clear: cleared" prints "Found 0 elements" dump pinned "$pins/houter"
}

# prints_sorted TEXT ARGUMENT...: as prints, in any order of the lines
prints_sorted()
{
	want=$1
	shift
	call "$@"
	same messages "$(cat /tmp/err)" "" && same status "$status" 0 &&
		same output "$(sed 's/  */ /g; s/^ //; s/ $//' /tmp/out | sort)" "$(echo "$want" | sort)"
}

# Elements of per-CPU maps, and those of inner maps that cannot be listed.
other_inner()
{
	cpus=$(nproc)
	call create "$pins/cin" type percpu_array key 4 value 4 entries 1 &&
		call create "$pins/cout" type hash_of_maps key 1 value 4 entries 1 \
			inner_map pinned "$pins/cin" &&
		call update pinned "$pins/cout" key 5 value pinned "$pins/cin" &&
		call update pinned "$pins/cin" key u32:0 value u32:3 || return
	id=$(id_of "$pins/cin")
	prints "$(printf 'KEY INNER_MAP_ID INNER_KEY CPU VALUE\n'
		for cpu in $(seq 0 $((cpus - 1))); do echo "5 $id 0 $cpu 3"; done
		printf '5 %s 0 sum %s\nFound 1 element' "$id" $((3 * cpus)))" \
		dump pinned "$pins/cout" recursive key u8 inner_key u32 inner_value u32 || return
	json '.[0].elements[0].formatted.sum' $((3 * cpus)) \
		dump pinned "$pins/cout" recursive inner_value u32
}

inner_queue()
{
	call create "$pins/qin" type queue value 4 entries 2 &&
		call create "$pins/qout" type array_of_maps key 4 value 4 entries 1 \
			inner_map pinned "$pins/qin" &&
		call update pinned "$pins/qout" key u32:0 value pinned "$pins/qin" &&
		call push pinned "$pins/qin" value u32:3 || return
	prints "$(printf 'KEY INNER_MAP_ID VALUE\n0 %s\nFound 1 element' "$(id_of "$pins/qin")")" \
		dump pinned "$pins/qout" recursive key u32 &&
		json 'map(.elements)' '[null]' dump pinned "$pins/qout" recursive
}

# The inner map of another user, behind one of one's own.
foreign_inner()
{
	chmod 777 "$pins"
	chmod 666 /dev/bpfmaps
	start-stop-daemon -S -c user -x /bin/bpfmapctl -- create "$pins/own" type hash key 4 value 8 \
		entries 10 || return
	done_by update pinned "$pins/outer" key u32:1 value pinned "$pins/own" &&
		done_by update pinned "$pins/outer" key u32:2 value id "$in2" &&
		done_by update pinned "$pins/own" key u32:2 value u64:5 || return
	chmod 644 "$pins/outer"
	status=0
	start-stop-daemon -S -c user -x /bin/bpfmapctl -- -j dump pinned "$pins/outer" recursive \
		>/tmp/out || status=$?
	chmod 600 /dev/bpfmaps "$pins/outer"
	same status "$status" 1 &&
		same "elements before" "$(jq -c '.[0].elements | length' /tmp/out)" 1 &&
		same message "$(jq -r '.[1].error' /tmp/out)" \
			"map $in2 in map $(id_of "$pins/outer") cannot be opened: Operation not permitted"
}

maps_in_maps()
{
	create_outer
	update_outer
	dump_outer
	result "recursive: per-CPU values" other_inner
	result "recursive: values that cannot be listed" inner_queue
	result "recursive: a map of another user" foreign_inner
}

wrong_rings()
{
	for command in read drain; do
		result "ringbuf $command: a hash" refused 1 "is not a ring buffer" \
			ringbuf "$command" name in1
	done
	result "ringbuf write: a hash" refused 1 "is not a ring buffer" \
		ringbuf write name in1 value 1
	result "ringbuf read: USER_RINGBUF" refused 1 "'ringbuf drain' takes" \
		ringbuf read pinned "$pins/user"
	result "ringbuf drain: RINGBUF" refused 1 "'ringbuf read' shows" \
		ringbuf drain pinned "$pins/ring"
	result "ringbuf: no command" refused 2 "a command is missing" ringbuf
	result "ringbuf: unknown command" refused 2 "'dump' is not a command" ringbuf dump
	result "ringbuf read: no MAP" refused 2 "usage: ringbuf read MAP" ringbuf read
	result "ringbuf read: count of 0" refused 2 "a count of 0" \
		ringbuf read pinned "$pins/ring" count 0
	result "ringbuf read: count is no number" refused 2 "'x' is not a N" \
		ringbuf read pinned "$pins/ring" count x
	result "ringbuf read: unknown format" refused 2 "'frob' is not a format" \
		ringbuf read pinned "$pins/ring" value frob
	result "ringbuf write: no bytes" refused 2 "the value has no bytes" \
		ringbuf write pinned "$pins/ring" value hex
	result "ringbuf write: no size of its own" refused 2 "does not say how many bytes" \
		ringbuf write pinned "$pins/ring" value proto:tcp
	result "ringbuf write: no byte" refused 2 "'256' is not a byte" \
		ringbuf write pinned "$pins/ring" value 256
	result "ringbuf create: key" refused 1 "key and value have to be 0" \
		create "$pins/x" type ringbuf key 4 value 0 entries 4096
	result "ringbuf create: size" refused 1 "a power of two and whole pages" \
		create "$pins/x" type user_ringbuf entries 4097
	result "dump: ring buffer" refused 1 "'ringbuf read' and 'ringbuf drain'" \
		dump pinned "$pins/ring"
	result "lookup: ring buffer" refused 1 "does not know this operation" \
		lookup pinned "$pins/ring"
}

# Two large records fill it.
full_ring()
{
	text=$(printf '%2000s' x)
	done_by ringbuf write "$@" value "str:$text" && done_by ringbuf write "$@" value "str:$text" &&
		refused 1 "has no room for the record now" ringbuf write "$@" value "str:$text" &&
		refused 1 "is too small for a record" ringbuf write "$@" value "str:$text$text$text"
}

read_ring()
{
	result "ringbuf read: nothing there" done_by ringbuf read pinned "$pins/ring"
	result "ringbuf read: time out" done_by ringbuf read pinned "$pins/ring" timeout 0
	result "ringbuf read: count and time out" refused 1 "0 of 1 records came in 0 seconds" \
		ringbuf read pinned "$pins/ring" count 1 timeout 0
	result "ringbuf write" done_by ringbuf write pinned "$pins/ring" value 1 0x0a 255
	result "ringbuf write: formats" null ringbuf write pinned "$pins/ring" value u32:7
	result "ringbuf write: several" done_by ringbuf write pinned "$pins/ring" \
		value be16:1 str:abc
	result "ringbuf read" prints "$(printf '%s\n' "01 0a ff" 7 "00 01 61 62 63")" \
		ringbuf read pinned "$pins/ring" value u32
	result "ringbuf read: read once" done_by ringbuf read pinned "$pins/ring"
	result "ringbuf read: record to read" done_by ringbuf write pinned "$pins/ring" value u16:7
	result "ringbuf read: JSON" prints \
		'{"size": 2,"value": ["0x07", "0x00"],"formatted": {"value": 7}}' \
		-j ringbuf read pinned "$pins/ring" value u16
	for i in 1 2 3; do
		result "ringbuf read: record $i" done_by ringbuf write pinned "$pins/ring" \
			value "u16:$i"
	done
	result "ringbuf read: so many" prints "$(printf '1\n2')" \
		ringbuf read pinned "$pins/ring" value u16 count 2
	result "ringbuf read: and the rest" prints 3 ringbuf read pinned "$pins/ring" value u16
	result "ringbuf write: no room" full_ring pinned "$pins/ring"
	result "ringbuf read: full disk" ring_not_written
}

# What could not be printed is told; the record is gone all the same.
ring_not_written()
{
	status=0
	bpfmapctl ringbuf read pinned "$pins/ring" >/dev/full 2>/tmp/err || status=$?
	same status "$status" 1 && grep -q 'cannot be written: No space left' /tmp/err
}

# It sleeps until records come, and prints each at once.
follow_ring()
{
	call create "$pins/live" type ringbuf entries 4096 || return
	bpfmapctl ringbuf read pinned "$pins/live" value u32 follow >/tmp/live 2>&1 &
	reader=$!
	ret=0
	for i in 1 2 3; do
		done_by ringbuf write pinned "$pins/live" value "u32:$i" || ret=1
		for _ in $(seq 100); do
			[ "$(wc -l </tmp/live)" = "$i" ] && break
			sleep 0.1
		done
		same "record $i, at once" "$(tail -n 1 /tmp/live)" "$i" || ret=1
	done
	kill "$reader"
	wait "$reader"
	return "$ret"
}

counted_ring()
{
	call create "$pins/counted" type ringbuf entries 4096 || return
	bpfmapctl ringbuf read pinned "$pins/counted" value u32 count 2 timeout 60 \
		>/tmp/counted 2>&1 &
	reader=$!
	done_by ringbuf write pinned "$pins/counted" value u32:5 &&
		done_by ringbuf write pinned "$pins/counted" value u32:6 || return
	status=0
	wait "$reader" || status=$?
	same status "$status" 0 && same records "$(tr '\n' ' ' </tmp/counted)" "5 6 "
}

# A record larger than the room for those that are taken out.
large_record()
{
	call create "$pins/large" type user_ringbuf entries 262144 || return
	text=$(printf '%70000s' x)
	done_by ringbuf write pinned "$pins/large" value 1 &&
		done_by ringbuf write pinned "$pins/large" value "str:$text" &&
		call ringbuf drain pinned "$pins/large" value str || return
	same "lengths" "$(awk '{ print length }' /tmp/out | tr '\n' ' ')" "4 70000 "
}

drain_ring()
{
	result "ringbuf drain: nothing there" done_by ringbuf drain pinned "$pins/user"
	for i in 1 2 3; do
		result "USER_RINGBUF: write $i" done_by ringbuf write pinned "$pins/user" \
			value "u32:$i"
	done
	result "ringbuf drain" prints "$(printf '1\n2\n3')" ringbuf drain pinned "$pins/user" value u32
	result "ringbuf drain: drained" done_by ringbuf drain pinned "$pins/user"
	result "USER_RINGBUF: record" null ringbuf write pinned "$pins/user" value 5
	result "ringbuf drain: JSON" prints '{"size": 1,"value": ["0x05"]}' \
		-j ringbuf drain pinned "$pins/user"
	result "USER_RINGBUF: no room" full_ring pinned "$pins/user"
	result "ringbuf drain: a large record" large_record
	result "freeze: USER_RINGBUF" done_by freeze pinned "$pins/user"
	result "USER_RINGBUF: frozen" refused 1 "it is frozen" ringbuf write pinned "$pins/user" \
		value 1
}

rings()
{
	wrong_rings
	read_ring
	result "ringbuf read: follow" follow_ring
	result "ringbuf read: count" counted_ring
	drain_ring
}

words_of_maps()
{
	result "delete: no key" refused 2 "'key DATA' is missing" delete name in1
	result "lookup: no key" refused 2 "'key DATA' is missing: usage: lookup MAP [key DATA]" \
		lookup name in1
	result "completion: nouns" completes "restore ringbuf" r
	result "completion: ringbuf" completes "read write drain" ringbuf ""
	result "completion: words of ringbuf read" completes "value count timeout follow" \
		ringbuf read pinned "$pins/ring" ""
	result "completion: bloom filter asks for data" completes "u8: u16: u32: u64:" \
		lookup pinned "$pins/bloom" value u
	result "completion: bloom filter has no key" completes "value" \
		lookup pinned "$pins/bloom" ""
	result "completion: others are shown in a format" completes "u8 u16 u32 u64" \
		lookup name in1 key 1 2 3 4 value u
	result "completion: inner map" completes "id pinned name" \
		update pinned "$pins/outer" key u32:1 value ""
	result "completion: names of inner maps" completes "in1 in2" \
		create /x type array_of_maps inner_map name in
	result "completion: recursive" completes "recursive" dump name outer rec
	result "completion: words without a value" completes "inner_key inner_value" \
		dump name outer recursive inn
	result "show: map_extra" json .map_extra 3 show pinned "$pins/bloom"
}

set_up()
{
	inner="type hash key 4 value 8 entries 10"
	# shellcheck disable=SC2086 # words
	mkdir "$pins" &&
		bpfmapctl create "$pins/in1" $inner name in1 &&
		bpfmapctl create "$pins/in2" $inner name in2 &&
		bpfmapctl create "$pins/other" type hash key 4 value 9 entries 10 &&
		bpfmapctl create "$pins/empty" type hash_of_maps key 4 value 4 entries 1 \
			inner_map name in1 &&
		bpfmapctl create "$pins/frozen" type array_of_maps key 4 value 4 entries 1 \
			inner_map name in1 && bpfmapctl freeze pinned "$pins/frozen" &&
		bpfmapctl create "$pins/bloom" type bloom_filter value 4 entries 10 extra 3 &&
		bpfmapctl create "$pins/ring" type ringbuf entries 4096 &&
		bpfmapctl create "$pins/user" type user_ringbuf key 0 value 0 entries 4096
}

echo "TAP version 13"
result "maps to test with" set_up
in1=$(id_of "$pins/in1")
in2=$(id_of "$pins/in2")
maps_in_maps
rings
words_of_maps
rm -r "$pins"
finish
