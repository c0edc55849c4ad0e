#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bpfmapctl: maps in files and back, and how far long work has come. Runs in the guest.
#
# jq takes long to start, so all is done without.
# shellcheck disable=SC2317 # result calls the checks
set -u

pins=/sys/fs/bpfmaps/bpfmapctl_restore_test
# shellcheck source=selftests/bpfmapctl_util.sh
. /lib/bpfmapctl_util.sh

# shape MAP...: what a map is, without what is another map's
shape()
{
	bpfmapctl -jf show "$@" | sed 's/"id": [0-9]*,//; s/"bytes_memlock": [0-9]*,//'
}

# shape_at PIN: without the pins
shape_at()
{
	shape pinned "$1" | sed 's/,"pinned":.*/}/'
}

# content PIN: its elements in the order of their keys
content()
{
	bpfmapctl dump pinned "$1" | sed 1d | sort
}

# save PIN FILE [WORD]...
save()
{
	from=$1
	to=$2
	shift 2
	rm -f "$to"
	done_by dump pinned "$from" file "$to" "$@"
}

# round_trip PIN: into a file, and back as PIN-new
round_trip()
{
	save "$1" /tmp/dump && done_by restore /tmp/dump pin "$1-new" &&
		same shape "$(shape_at "$1-new")" "$(shape_at "$1")" &&
		same content "$(content "$1-new")" "$(content "$1")"
}

# new_map TYPE WORD...: the sizes of most maps here
new_map()
{
	type=$1
	shift
	call create "$pins/$type" type "$type" name "$type" value 5 entries 20 "$@"
	same "status of create" "$status" 0
}

# fill PIN FIRST LAST: elements with u32 keys
fill()
{
	for i in $(seq "$2" "$3"); do
		done_by update pinned "$1" key "u32:$i" value "u32:$((i * 1000))" u8:9 || return
	done
}

# keyed FIRST LAST TYPE WORD...
keyed()
{
	first=$1
	last=$2
	shift 2
	new_map "$@" key 4 && fill "$pins/$1" "$first" "$last" && round_trip "$pins/$1" &&
		same "elements that are compared" "$(content "$pins/$1" | grep -c ' 09 *$')" \
			$((last - first + 1))
}

# With other values on each CPU than bpfmapctl itself can set.
per_cpu()
{
	cpus=$(nproc)
	values=$(for cpu in $(seq 0 $((cpus - 1))); do printf '"0%s00000009",' "$cpu"; done)
	new_map "$1" key 4 && fill "$pins/$1" 1 5 && save "$pins/$1" /tmp/dump || return
	sed "/\"key\":\"03000000\"/s/\"values\":.*/\"values\":[${values%,}]}/" /tmp/dump >/tmp/edited
	done_by restore /tmp/edited pin "$pins/$1-cpus" && round_trip "$pins/$1-cpus" &&
		prints "$(printf 'KEY CPU VALUE\n'
			for cpu in $(seq 0 $((cpus - 1))); do echo "3 $cpu 0$cpu 00 00 00 09"; done)" \
			lookup pinned "$pins/$1-cpus-new" key u32:3
}

prefixes()
{
	call create "$pins/lpm" type lpm_trie key 8 value 1 entries 10 flags 1 || return
	for prefix in 10.0.0.0/8 10.1.0.0/16 0.0.0.0/0 10.1.2.3/32; do
		done_by update pinned "$pins/lpm" key "cidr:$prefix" value "u8:${prefix#*/}" || return
	done
	round_trip "$pins/lpm" && prints "$(printf 'KEY VALUE\n10.1.9.9/32 16')" \
		lookup pinned "$pins/lpm-new" key cidr:10.1.9.9 value u8
}

# lru_of_cpus TYPE: full, and the places of one CPU would be too few for all
lru_of_cpus()
{
	cpus=$(nproc)
	pin=$pins/$1-all
	call create "$pin" type "$1" key 4 value 5 entries $((10 * cpus)) flags 2 || return
	for cpu in $(seq 0 $((cpus - 1))); do
		for i in $(seq 10); do
			taskset "$(printf '%x' $((1 << cpu)))" bpfmapctl update pinned "$pin" \
				key "u32:$((cpu * 10 + i))" value u32:1 u8:1 || return
		done
	done
	content "$pin" >/tmp/content
	grep -q "Found $((10 * cpus)) elements" /tmp/content ||
		same "elements before" "$(grep Found /tmp/content)" $((10 * cpus)) || return
	round_trip "$pin"
}

node()
{
	call create "$pins/node" type hash key 4 value 5 entries 10 numa_node 0 &&
		fill "$pins/node" 1 3 && round_trip "$pins/node"
}

frozen()
{
	call create "$pins/ice" type array key 4 value 5 entries 3 flags 1024 name ice &&
		fill "$pins/ice" 0 2 && done_by freeze pinned "$pins/ice" && round_trip "$pins/ice" &&
		refused 1 "it is frozen" update pinned "$pins/ice-new" key u32:0 value 1 2 3 4 5
}

# popped PIN: all values, in the order in which they come
popped()
{
	while value=$(bpfmapctl pop pinned "$1" value u8 2>/tmp/err); do
		echo "$value" | tail -n 1
	done
}

# queue TYPE ORDER: as they come out again
queue()
{
	call create "$pins/$1" type "$1" value 1 entries 4 name "$1" || return
	for i in 1 2 3; do
		done_by push pinned "$pins/$1" value "$i" || return
	done
	refused 2 "cannot be listed: 'requeue'" dump pinned "$pins/$1" file /tmp/none &&
		same "file" "$(find /tmp -name none)" "" &&
		prints "$(echo VALUE; echo "$2" | tr ' ' '\n'; echo Found 3 elements)" \
			dump pinned "$pins/$1" requeue value u8 &&
		save "$pins/$1" /tmp/dump requeue && done_by restore /tmp/dump pin "$pins/$1-new" &&
		same shape "$(shape_at "$pins/$1-new")" "$(shape_at "$pins/$1")" &&
		same "order of the restored" "$(popped "$pins/$1-new" | xargs)" "$2" &&
		same "order of what was dumped" "$(popped "$pins/$1" | xargs)" "$2"
}

# It grows on the way.
full_queue()
{
	call create "$pins/full" type queue value 1 entries 70 || return
	for i in $(seq 70); do
		done_by push pinned "$pins/full" value "$i" || return
	done
	prints "$(echo VALUE; seq 70; echo Found 70 elements)" \
		dump pinned "$pins/full" requeue value u8 &&
		refused 1 "is full" push pinned "$pins/full" value 1
}

frozen_queue()
{
	call create "$pins/frozen_queue" type queue value 1 entries 4 &&
		done_by push pinned "$pins/frozen_queue" value 9 &&
		done_by freeze pinned "$pins/frozen_queue" &&
		refused 1 "it is frozen" dump pinned "$pins/frozen_queue" requeue &&
		prints "$(printf 'VALUE\n9')" peek pinned "$pins/frozen_queue" value u8
}

# warned TEXT ARGUMENT...: done, with a warning
warned()
{
	want=$1
	shift
	call "$@"
	same status "$status" 0 && same "standard output" "$(cat /tmp/out)" "" &&
		same "number of lines" "$(wc -l </tmp/err)" 1 || return
	grep -qF -- "$want" /tmp/err || same warning "$(cat /tmp/err)" "...$want..."
}

# not_listed TYPE WHAT WORD...: a map whose contents no file can have
not_listed()
{
	type=$1
	what=$2
	shift 2
	rm -f /tmp/dump
	call create "$pins/$type" type "$type" entries 4096 name "$type" "$@" &&
		warned "$what" dump pinned "$pins/$type" file /tmp/dump &&
		same contents "$(grep -c '"contents":"none"' /tmp/dump)" 1 &&
		warned "is empty" restore /tmp/dump pin "$pins/$type-new" &&
		same shape "$(shape_at "$pins/$type-new")" "$(shape_at "$pins/$type")"
}

bloom_is_empty()
{
	rm -f /tmp/dump
	done_by update pinned "$pins/bloom_filter" value u32:5 &&
		warned "cannot be listed" dump pinned "$pins/bloom_filter" file /tmp/dump &&
		warned "is empty" restore /tmp/dump pin "$pins/bloom_filter-empty" &&
		refused 1 "does not have that value" \
			lookup pinned "$pins/bloom_filter-empty" value u32:5
}

# outer PIN: its keys, and the contents of its inner maps
outer()
{
	bpfmapctl dump pinned "$1" recursive key u32 | awk '{ $2 = ""; print }' | sort
}

# inner_ids PIN
inner_ids()
{
	bpfmapctl dump pinned "$1" key u32 | awk '$1 ~ /^[0-9]/ { print $2 }'
}

# inner_shapes PIN
inner_shapes()
{
	for id in $(inner_ids "$1"); do
		shape id "$id"
	done | sort
}

# maps_of_maps TYPE: of two inner maps one is there twice
maps_of_maps()
{
	pin=$pins/$1
	for i in 1 2; do
		call create "$pins/in$i" type hash key 4 value 5 entries "$((i * 10))" name "in$i" &&
			fill "$pins/in$i" 1 "$i" || return
	done
	call create "$pin" type "$1" key 4 value 4 entries 5 inner_map pinned "$pins/in1" &&
		done_by update pinned "$pin" key u32:0 value pinned "$pins/in1" &&
		done_by update pinned "$pin" key u32:1 value pinned "$pins/in2" &&
		done_by update pinned "$pin" key u32:4 value pinned "$pins/in1" &&
		rm "$pins/in1" "$pins/in2" && save "$pin" /tmp/dump &&
		done_by restore /tmp/dump pin "$pin-new" &&
		same shape "$(shape_at "$pin-new")" "$(shape_at "$pin")" &&
		same "inner maps" "$(outer "$pin-new")" "$(outer "$pin")" &&
		same "lines of inner maps" "$(outer "$pin" | wc -l)" 6 &&
		same "shapes of inner maps" "$(inner_shapes "$pin-new")" "$(inner_shapes "$pin")" &&
		same "inner maps, and different ones" \
			"$(inner_ids "$pin-new" | wc -l) $(inner_ids "$pin-new" | sort -u | wc -l)" "3 2"
}

empty_outer()
{
	call create "$pins/in" type hash key 4 value 5 entries 10 &&
		call create "$pins/empty" type hash_of_maps key 4 value 4 entries 5 \
			inner_map pinned "$pins/in" && save "$pins/empty" /tmp/dump &&
		refused 1 "say 'inner_map MAP'" restore /tmp/dump pin "$pins/empty-new" &&
		done_by restore /tmp/dump pin "$pins/empty-new" inner_map pinned "$pins/in" &&
		done_by update pinned "$pins/empty-new" key u32:1 value pinned "$pins/in"
}

inner_queues()
{
	rm -f /tmp/dump
	call create "$pins/qin" type queue value 4 entries 2 &&
		call create "$pins/qout" type array_of_maps key 4 value 4 entries 1 \
			inner_map pinned "$pins/qin" &&
		done_by update pinned "$pins/qout" key u32:0 value pinned "$pins/qin" &&
		done_by push pinned "$pins/qin" value u32:3 &&
		refused 2 "'requeue'" dump pinned "$pins/qout" file /tmp/dump &&
		save "$pins/qout" /tmp/dump requeue && done_by restore /tmp/dump pin "$pins/qout-new" &&
		prints "$(printf 'VALUE\n3')" peek id "$(inner_ids "$pins/qout-new")" value u32
}

# With the paths that it had, as JSON and the shell would spoil them.
pins_as_before()
{
	name=$(printf 'caf\351')
	odd=$pins/'a "b'
	mkdir "$odd" && call create "$odd/c\\d" type hash key 4 value 5 entries 3 name "$name" &&
		call pin name "$name" "$pins/second" || return
	before=$(shape name "$name")
	save "$pins/second" /tmp/dump && rm "$pins/second" "$odd/c\\d" &&
		null restore /tmp/dump && same "name and pins" "$(shape name "$name")" "$before" || return
	# One of the two cannot be made: the other one is not left.
	rm "$odd/c\\d"
	refused 1 "remove it first" restore /tmp/dump && same "pins" "$(ls "$odd")" "" || return
	mv "$pins/second" "$odd/c\\d"
	refused 1 "remove it first" restore /tmp/dump && same "pins" "$(find "$pins/second" 2>/tmp/err)" ""
}

standard_streams()
{
	bpfmapctl dump pinned "$pins/hash" file - >/tmp/streamed &&
		bpfmapctl restore - pin "$pins/streamed" </tmp/streamed &&
		same content "$(content "$pins/streamed")" "$(content "$pins/hash")"
}

types()
{
	result "hash" keyed 1 12 hash flags 1
	result "array" keyed 0 19 array
	result "array that can be mmapped, frozen" frozen
	result "on a NUMA node" node
	result "LRU" keyed 1 20 lru_hash
	result "LRU with places for each CPU" lru_of_cpus lru_hash
	result "LRU per CPU with places for each CPU" lru_of_cpus lru_percpu_hash
	result "prefix trie" prefixes
	for type in percpu_hash percpu_array lru_percpu_hash; do
		result "$type" per_cpu "$type"
	done
	result "queue" queue queue "1 2 3"
	result "stack" queue stack "3 2 1"
	result "queue that is full" full_queue
	result "requeue: a hash" refused 2 "is neither a queue nor a stack" \
		dump pinned "$pins/hash" requeue
	result "requeue: a frozen queue" frozen_queue
	result "bloom filter" not_listed bloom_filter "cannot be listed" value 4 extra 7
	result "bloom filter: empty" bloom_is_empty
	result "RINGBUF" not_listed ringbuf "are a stream"
	result "USER_RINGBUF" not_listed user_ringbuf "are a stream"
	result "array of maps" maps_of_maps array_of_maps
	result "hash of maps" maps_of_maps hash_of_maps
	result "map of maps without maps" empty_outer
	result "map of queues" inner_queues
	result "pins and names" pins_as_before
	result "standard input and output" standard_streams
}

full_disk()
{
	mkdir -p /tmp/small && mount -t tmpfs -o size=4k none /tmp/small || return
	call create "$pins/wide" type array key 4 value 4096 entries 10 &&
		refused 1 "cannot be written: No space left" \
			dump pinned "$pins/wide" file /tmp/small/dump &&
		same "what is left" "$(ls /tmp/small)" ""
	ret=$?
	umount /tmp/small
	return "$ret"
}

wrong_dumps()
{
	result "dump: file exists" refused 1 "remove it first" \
		dump pinned "$pins/hash" file /tmp/exists
	result "dump: no such directory" refused 1 "cannot be created: No such file" \
		dump pinned "$pins/hash" file /tmp/none/dump
	result "dump: formats" refused 2 "a file has no formats" \
		dump pinned "$pins/hash" file /tmp/none key u32
	result "dump: no FILE" refused 2 "behind 'file' something is missing" \
		dump pinned "$pins/hash" file
	result "dump: full disk" full_disk
	result "dump: mode of the file" same mode "$(stat -c %a /tmp/dump.hash)" 600
}

# bad_text SED TEXT: a file that is edited
bad_text()
{
	sed "$1" /tmp/dump.hash >/tmp/bad
	cmp -s /tmp/bad /tmp/dump.hash && same "edited file" "what it was" "something else"
	refused 1 "$2" restore /tmp/bad pin "$pins/bad"
}

# bad_line LINE SED TEXT
bad_line()
{
	bad_text "$1$2" "'/tmp/bad': line $1: $3"
}

wrong_syntax()
{
	result "restore: no such file" refused 1 "'/tmp/none' cannot be opened: No such file" \
		restore /tmp/none pin "$pins/bad"
	result "restore: a directory" refused 1 "'/tmp' cannot be read: Is a directory" \
		restore /tmp pin "$pins/bad"
	result "restore: no FILE" refused 2 "'FILE' is missing" restore
	result "restore: empty file" refused 1 "is not a file that" restore /tmp/exists pin "$pins/bad"
	result "restore: a list of elements" bad_line 1 's/.*/[]/' "it is no JSON object"
	result "restore: no JSON" bad_line 3 's/"//' "column "
	result "restore: a number" bad_line 3 's/.*/5/' "column "
	result "restore: empty line" bad_line 3 's/.*//' "column "
	result "restore: two objects" bad_line 3 's/$/ {}/' "column "
	result "restore: a member twice" bad_line 3 's/"value"/"key"/' "column "
	result "restore: another version" bad_line 1 's/1/2/' "version 2 is not known"
	result "restore: version is no number" bad_line 1 's/1/"1"/' "'bpfmaps_dump' is not"
	result "restore: byte order of another machine" bad_line 1 's/little/big/' "'byte_order'"
}

wrong_shape()
{
	result "restore: no map" bad_line 2 's/.*/{}/' "'map' is expected"
	for member in id type name flags bytes_key bytes_value max_entries map_extra; do
		result "restore: no $member" bad_line 2 "s/\"$member\"/\"x\"/" "'$member' is missing"
	done
	result "restore: type is unknown" bad_line 2 's/:"hash"/:"frob"/' "'type' is 'frob'"
	result "restore: type is another" bad_line 2 's/:"hash"/:"array"/' "map "
	result "restore: name is too long" bad_line 2 's/"name":"/&abcdefghijkl/' \
		"'name' is not a text of up to 15 bytes"
	result "restore: name with a byte 0" bad_line 2 's/"name":"/&\\\\x00/' "'name' has a byte 0"
	result "restore: name with a wrong escape" bad_line 2 's/"name":"/&\\\\x0/' \
		"'name' is not a text"
	result "restore: size beyond 32 bits" bad_line 2 's/"max_entries":20/"max_entries":4294967296/' \
		"'max_entries' is not a number from 0 to 4294967295"
	result "restore: size is negative" bad_line 2 's/"bytes_key":/&-/' "'bytes_key' is not a number"
	result "restore: size is no whole number" bad_line 2 's/"bytes_key":4/&.5/' \
		"'bytes_key' is not a number"
	result "restore: kernel refuses it" bad_line 2 's/"bytes_key":4/"bytes_key":0/' "map "
}

wrong_elements()
{
	result "restore: no key" bad_line 4 's/"key"/"x"/' "'key' is missing"
	result "restore: key too short" bad_line 4 's/"key":"../"key":"/' \
		"'key' is not 8 hex digits, for 4 bytes"
	result "restore: key is not hex" bad_line 4 's/"key":"./"key":"g/' "'key' is not 8 hex digits"
	result "restore: key is a number" bad_line 4 's/"key":"[^"]*"/"key":1/' \
		"'key' is not 8 hex digits"
	result "restore: no value" bad_line 5 's/"value"/"x"/' "'value' is missing"
	result "restore: value too long" bad_line 5 's/"value":"/&00/' "'value' is not 10 hex digits"
	result "restore: more elements than fit" bad_text '2s/"max_entries":20/"max_entries":3/' \
		"line 6: element 4 cannot be set: too large"
	result "restore: a map in a hash" bad_line 6 's/.*/{"map":{"id":1}}/' "map "
	result "restore: the end is missing" bad_text '/"end"/d' "ends early: the 'end' of map"
	result "restore: an element is missing" bad_text 6d "elements here: 12 were written"
	result "restore: end without a number" bad_line 15 's/"elements"/"x"/' "'elements' is missing"
	result "restore: something behind the end" bad_text '15p' "there is something behind the end"
	result "restore: value of another number of CPUs" bad_cpus
	result "restore: elements of a bloom filter" bad_bloom
	result "restore: an inner map that is not there" bad_inner
}

bad_cpus()
{
	save "$pins/percpu_hash" /tmp/dump || return
	sed 's/]}/,"0000000000"]}/' /tmp/dump >/tmp/bad
	refused 1 "line 3: 'values' has those of $(($(nproc) + 1)) CPUs: this machine has $(nproc)" \
		restore /tmp/bad pin "$pins/bad"
}

bad_bloom()
{
	rm -f /tmp/dump
	warned "cannot be listed" dump pinned "$pins/bloom_filter" file /tmp/dump || return
	sed '2a {"value":"00000000"}' /tmp/dump >/tmp/bad
	refused 1 "line 3: a map of type bloom_filter has no elements" restore /tmp/bad pin "$pins/bad"
}

bad_inner()
{
	save "$pins/array_of_maps" /tmp/dump || return
	sed 's/"inner_map":/&1000/' /tmp/dump >/tmp/bad
	refused 1 "is not in the file before this line" restore /tmp/bad pin "$pins/bad"
}

wrong_pins()
{
	sed 's/"pinned"/"x"/' /tmp/dump.hash >/tmp/bad
	result "restore: no pin" refused 2 "had no pin: say 'pin PATH'" restore /tmp/bad
	result "restore: pin exists" refused 1 "remove it first" \
		restore /tmp/dump.hash pin "$pins/hash"
	result "restore: pin on another file system" refused 1 "bpfmaps filesystem" \
		restore /tmp/dump.hash pin /tmp/x
	result "restore: what failed has made nothing" test ! -e "$pins/bad"
}

# Standard error is a terminal, and what arrives there is in /tmp/tty.
on_terminal()
{
	pty_helper bpfmapctl "$@" 3>/tmp/tty
}

# told MAX: how much was done, at least once, then erased, and nothing else
told()
{
	tr '\r' '\n' </tmp/tty >/tmp/lines
	grep -q "^[0-9]* of $1 elements\$" /tmp/lines ||
		same "what was told" "$(cat -v /tmp/tty)" "N of $1 elements" || return
	same "last line" "$(tail -n 1 /tmp/lines)" "$(printf '\033[K')" &&
		same "anything else" "$(grep -v "^[0-9]* of $1 elements\$" /tmp/lines | sed '/^$/d')" \
			"$(printf '\033[K')"
}

# From the first line on, the pipe is full until its reader awakes.
progress_of_dump()
{
	{
		on_terminal dump pinned "$pins/long" "$@"
		echo $? >/tmp/status
	} | {
		read -r _
		sleep 1.5
		wc -l >/tmp/wc
	}
	same status "$(cat /tmp/status)" 0 && told 5000
}

# late FILE LINES: a hundred lines, then one at a time until it was told how many are done, at most up to
# LINES; then the rest
late()
{
	next=101
	sed 100q "$1"
	while [ "$next" -le "$2" ] && ! grep -q elements /tmp/tty; do
		sed -n "${next}{p;q;}" "$1"
		next=$((next + 1))
		sleep 0.2
	done
	tail -n +"$next" "$1"
}

progress_of_restore()
{
	: >/tmp/tty
	bpfmapctl dump pinned "$pins/long" file - >/tmp/long &&
		late /tmp/long 1000 | on_terminal restore - pin "$pins/long-new" && told 5000
}

# An error does not stand behind what was told.
progress_of_error()
{
	: >/tmp/tty
	sed '2000s/"key":"/&00/' /tmp/long >/tmp/bad
	late /tmp/bad 1000 | on_terminal restore - pin "$pins/x"
	same status "$?" 1 || return
	tr '\r' '\n' </tmp/tty | sed "s/$(printf '\033')\[K//; /^\$/d" >/tmp/lines
	sed 's/^[0-9]* of/N of/' /tmp/lines | uniq >/tmp/told
	same "what was told" "$(cat /tmp/told)" "$(printf '%s\n' "N of 5000 elements" \
		"bpfmapctl: '-': line 2000: 'key' is not 8 hex digits, for 4 bytes")"
}

# The table itself shows how far it is.
progress_of_both()
{
	pty_helper --all bpfmapctl dump pinned "$pins/long" 3>/tmp/tty &&
		same "what was told" "$(grep -c 'of 5000 elements' /tmp/tty)" 0 &&
		same "lines" "$(wc -l </tmp/tty)" 5002
}

progress_of_short()
{
	on_terminal dump pinned "$pins/hash" >/tmp/out && same "what was told" "$(cat /tmp/tty)" ""
}

progress_to_file()
{
	: >/tmp/tty
	late /tmp/long 115 | bpfmapctl restore - pin "$pins/long-2" 2>/tmp/err
	same status "$?" 0 && same messages "$(cat /tmp/err)" ""
}

progress()
{
	result "progress: a map" call create "$pins/long" type array key 4 value 64 entries 5000
	result "progress: dump" progress_of_dump
	result "progress: dump to a file" progress_of_dump file -
	result "progress: restore" progress_of_restore
	result "progress: restore that fails" progress_of_error
	result "progress: nothing on short work" progress_of_short
	result "progress: nothing where both are terminals" progress_of_both
	result "progress: nothing when standard error is a file" progress_to_file
}

echo "TAP version 13"
mkdir "$pins"
types
result "a file to spoil" save "$pins/hash" /tmp/dump.hash
touch /tmp/exists
wrong_dumps
wrong_syntax
wrong_shape
wrong_elements
wrong_pins
progress
rm -r "$pins"
finish
