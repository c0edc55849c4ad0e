#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bpfmapctl: maps in files and back, and how far long work has come. Runs in the guest.
# shellcheck disable=SC2317 # result calls the checks
set -u

pins=/sys/fs/bpfmaps/bpfmapctl_restore_test
# shellcheck source=selftests/bpfmapctl_util.sh
. /lib/bpfmapctl_util.sh

# shape PIN: what a map is, without what is another map's
shape()
{
	bpfmapctl -j show pinned "$1" | jq -c 'del(.id, .bytes_memlock)'
}

# content PIN: its elements in the order of their keys
content()
{
	bpfmapctl -j dump pinned "$1" | jq -c 'sort'
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

# round_trip PIN: into a file, and back as PIN.new
round_trip()
{
	save "$1" /tmp/dump && done_by restore /tmp/dump pin "$1-new" &&
		same shape "$(shape "$1-new")" "$(shape "$1")" &&
		same content "$(content "$1-new")" "$(content "$1")"
}

# new_map TYPE WORD...: the sizes of all maps here
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
		done_by update pinned "$1" key "u32:$i" value "u32:$((i * 1000))" "u8:$i" || return
	done
}

# keyed FIRST LAST TYPE WORD...
keyed()
{
	first=$1
	last=$2
	shift 2
	new_map "$@" key 4 && fill "$pins/$1" "$first" "$last" && round_trip "$pins/$1" &&
		same "content that is compared" "$(content "$pins/$1" | jq 'map(.value // .values[1].value) |
			map(select(.[0] != "0x00")) | length')" $((last - first + 1))
}

# With other values on each CPU than bpfmapctl itself can set.
per_cpu()
{
	cpus=$(nproc)
	new_map "$1" key 4 && fill "$pins/$1" 1 5 && save "$pins/$1" /tmp/dump || return
	jq -c 'if .key == "03000000" then .values |= (to_entries | map("0\(.key)00000009")) else . end' \
		/tmp/dump >/tmp/edited
	rm -f "$pins/$1-cpus"
	done_by restore /tmp/edited pin "$pins/$1-cpus" && round_trip "$pins/$1-cpus" &&
		json '.values | map(.value[0])' \
			"[$(for cpu in $(seq 0 $((cpus - 1))); do printf '"0x0%s",' "$cpu"; done | sed 's/,$//')]" \
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

# So many places that each CPU has, and one CPU would have too few for all.
lru_of_cpus()
{
	cpus=$(nproc)
	entries=$((10 * cpus))
	call create "$pins/$1" type "${1%%-*}" key 4 value 5 entries "$entries" flags 2 || return
	for cpu in $(seq 0 $((cpus - 1))); do
		for i in $(seq 10); do
			taskset "$(printf '%x' $((1 << cpu)))" bpfmapctl update pinned "$pins/$1" \
				key "u32:$((cpu * 10 + i))" value u32:1 u8:1 || return
		done
	done
	same "elements before" "$(content "$pins/$1" | jq length)" "$entries" &&
		round_trip "$pins/$1"
}

# popped PIN: all values, in the order in which they come
popped()
{
	while value=$(bpfmapctl -j pop pinned "$1"); do
		echo "$value" | jq -c '.value[0]'
	done
}

queue()
{
	call create "$pins/$1" type "$1" value 1 entries 4 name "$1" || return
	for i in 1 2 3; do
		done_by push pinned "$pins/$1" value "$i" || return
	done
	refused 2 "'requeue' takes them out" dump pinned "$pins/$1" file /tmp/none &&
		same "file" "$(ls /tmp/none 2>&1)" "ls: /tmp/none: No such file or directory" &&
		json 'map(.value[0])' "$2" dump pinned "$pins/$1" requeue &&
		save "$pins/$1" /tmp/dump requeue &&
		done_by restore /tmp/dump pin "$pins/$1-new" &&
		same shape "$(shape "$pins/$1-new")" "$(shape "$pins/$1")" &&
		same "order of the restored" "$(popped "$pins/$1-new" | jq -sc .)" "$2" &&
		same "order of what was dumped" "$(popped "$pins/$1" | jq -sc .)" "$2"
}

full_queue()
{
	call create "$pins/full" type queue value 1 entries 70 || return
	for i in $(seq 70); do
		done_by push pinned "$pins/full" value "$i" || return
	done
	json 'map(.formatted.value) == [range(1; 71)]' true dump pinned "$pins/full" requeue value u8 &&
		refused 1 "is full" push pinned "$pins/full" value 1
}

wrong_requeue()
{
	result "requeue: a hash" refused 2 "is neither a queue nor a stack" \
		dump pinned "$pins/hash" requeue
	result "requeue: a frozen queue" frozen_queue
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
		same "number of lines" "$(wc -l </tmp/err)" 1 &&
		grep -qF -- "$want" /tmp/err || same warning "$(cat /tmp/err)" "...$want..."
}

# not_listed TYPE WHAT WORD...: a map whose contents no file can have
not_listed()
{
	type=$1
	what=$2
	shift 2
	call create "$pins/$type" type "$type" entries 4096 name "$type" "$@" &&
		rm -f /tmp/dump && warned "$what" dump pinned "$pins/$type" file /tmp/dump &&
		same contents "$(jq -r '.map.contents // empty' /tmp/dump)" none &&
		warned "is empty" restore /tmp/dump pin "$pins/$type-new" &&
		same shape "$(shape "$pins/$type-new")" "$(shape "$pins/$type")"
}

bloom_is_empty()
{
	done_by update pinned "$pins/bloom_filter" value u32:5 &&
		rm -f /tmp/dump "$pins/bloom_filter-new" &&
		warned "cannot be listed" dump pinned "$pins/bloom_filter" file /tmp/dump &&
		warned "is empty" restore /tmp/dump pin "$pins/bloom_filter-new" &&
		refused 1 "does not have that value" \
			lookup pinned "$pins/bloom_filter-new" value u32:5
}

# outer PIN: its keys, and the contents of its inner maps
outer()
{
	bpfmapctl -j dump pinned "$1" recursive |
		jq -c 'map({ key, elements: (.elements | sort) }) | sort'
}

# maps_of_maps TYPE: of three inner maps one is there twice
maps_of_maps()
{
	for i in 1 2 3; do
		call create "$pins/in$i" type hash key 4 value 5 entries "$((i * 10))" name "in$i" &&
			fill "$pins/in$i" 1 "$i" || return
	done
	call create "$pins/$1" type "$1" key 4 value 4 entries 5 inner_map pinned "$pins/in1" &&
		done_by update pinned "$pins/$1" key u32:0 value pinned "$pins/in1" &&
		done_by update pinned "$pins/$1" key u32:1 value pinned "$pins/in2" &&
		done_by update pinned "$pins/$1" key u32:4 value pinned "$pins/in1" &&
		save "$pins/$1" /tmp/dump && rm "$pins"/in? && done_by restore /tmp/dump pin "$pins/$1-new" &&
		same shape "$(shape "$pins/$1-new")" "$(shape "$pins/$1")" &&
		same "inner maps" "$(outer "$pins/$1-new")" "$(outer "$pins/$1")" || return
	json 'map(.inner_map_id) | [length, (unique | length)]' '[3,2]' dump pinned "$pins/$1-new" &&
		inner_shapes "$pins/$1" "$pins/$1-new"
}

inner_shapes()
{
	for pin; do
		for id in $(bpfmapctl -j dump pinned "$pin" | jq -r '.[].inner_map_id'); do
			bpfmapctl -j show id "$id" | jq -c 'del(.id, .bytes_memlock)'
		done | sort >"/tmp/shapes.${pin##*-}"
	done
	same "shapes of inner maps" "$(cat /tmp/shapes.new)" "$(cat "/tmp/shapes.${1##*-}")"
}

empty_outer()
{
	call create "$pins/in" type hash key 4 value 5 entries 10 &&
		call create "$pins/empty_outer" type hash_of_maps key 4 value 4 entries 5 \
			inner_map pinned "$pins/in" && save "$pins/empty_outer" /tmp/dump &&
		refused 1 "say 'inner_map MAP'" restore /tmp/dump pin "$pins/empty_outer-new" &&
		done_by restore /tmp/dump pin "$pins/empty_outer-new" inner_map pinned "$pins/in" &&
		done_by update pinned "$pins/empty_outer-new" key u32:1 value pinned "$pins/in"
}

inner_queues()
{
	call create "$pins/qin" type queue value 4 entries 2 &&
		call create "$pins/qout" type array_of_maps key 4 value 4 entries 1 \
			inner_map pinned "$pins/qin" &&
		done_by update pinned "$pins/qout" key u32:0 value pinned "$pins/qin" &&
		done_by push pinned "$pins/qin" value u32:3 || return
	rm -f /tmp/dump
	refused 2 "'requeue'" dump pinned "$pins/qout" file /tmp/dump &&
		save "$pins/qout" /tmp/dump requeue && done_by restore /tmp/dump pin "$pins/qout-new" ||
		return
	prints "$(printf 'VALUE\n3')" peek value u32 \
		id "$(bpfmapctl -j dump pinned "$pins/qout-new" | jq '.[0].inner_map_id')"
}

frozen()
{
	call create "$pins/ice" type array key 4 value 5 entries 3 flags 1024 name ice &&
		fill "$pins/ice" 0 2 && done_by freeze pinned "$pins/ice" && round_trip "$pins/ice" &&
		refused 1 "it is frozen" update pinned "$pins/ice-new" key u32:0 value 1 2 3 4 5
}

# With the paths that it had, as JSON and the shell would spoil them.
pins_as_before()
{
	name=$(printf 'caf\351')
	mkdir "$pins/a \"b" && call create "$pins/a \"b/c\\d" type hash key 4 value 5 entries 3 \
		name "$name" && call pin name "$name" "$pins/second" || return
	before=$(bpfmapctl -jf show name "$name" | jq -c '.name, (.pinned | sort)')
	save "$pins/second" /tmp/dump && rm "$pins/second" "$pins/a \"b/c\\d" &&
		null restore /tmp/dump || return
	same "name and pins" "$(bpfmapctl -jf show name "$name" | jq -c '.name, (.pinned | sort)')" \
		"$before" || return
	# One of the two cannot be made: the other one is not left.
	rm "$pins/a \"b/c\\d"
	refused 1 "remove it first" restore /tmp/dump || return
	same "pins" "$(ls "$pins/a \"b")" ""
}

standard_streams()
{
	call dump pinned "$pins/hash" file - && cp /tmp/out /tmp/streamed &&
		bpfmapctl restore - pin "$pins/streamed" </tmp/streamed &&
		same content "$(content "$pins/streamed")" "$(content "$pins/hash")"
}

types()
{
	result "hash" keyed 1 12 hash flags 1
	result "array" keyed 0 19 array
	result "array that can be mmapped" frozen
	result "on a NUMA node" round_trip_node
	result "LRU" keyed 1 20 lru_hash
	result "LRU with places for each CPU" lru_of_cpus lru_hash-cpus
	result "LRU per CPU with places for each CPU" lru_of_cpus lru_percpu_hash-cpus
	result "prefix trie" prefixes
	for type in percpu_hash percpu_array lru_percpu_hash; do
		result "$type" per_cpu "$type"
	done
	result "queue" queue queue '["0x01","0x02","0x03"]'
	result "stack" queue stack '["0x03","0x02","0x01"]'
	result "queue that is full" full_queue
	wrong_requeue
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

round_trip_node()
{
	call create "$pins/node" type hash key 4 value 5 entries 10 numa_node 0 &&
		fill "$pins/node" 1 3 && round_trip "$pins/node"
}

wrong_dumps()
{
	touch /tmp/exists
	result "dump: file exists" refused 1 "remove it first" dump pinned "$pins/hash" file /tmp/exists
	result "dump: no such directory" refused 1 "cannot be created: No such file" \
		dump pinned "$pins/hash" file /tmp/none/dump
	result "dump: formats" refused 2 "a file has no formats" \
		dump pinned "$pins/hash" file /tmp/none key u32
	result "dump: no FILE" refused 2 "behind 'file' something is missing" \
		dump pinned "$pins/hash" file
	result "dump: full disk" full_disk
	result "dump: mode of the file" same mode "$(stat -c %a /tmp/dump.hash)" 600
}

full_disk()
{
	mkdir -p /tmp/small && mount -t tmpfs -o size=4k none /tmp/small || return
	call create "$pins/wide" type array key 4 value 4096 entries 10 &&
		refused 1 "cannot be written: No space left" dump pinned "$pins/wide" file /tmp/small/dump &&
		same "what is left" "$(ls /tmp/small)" ""
	ret=$?
	umount /tmp/small
	return "$ret"
}

# bad_line LINE FILTER TEXT: a file whose line is edited
bad_line()
{
	jq -c "if input_line_number == $1 then $2 else . end" /tmp/dump.hash >/tmp/bad
	refused 1 "'/tmp/bad': line $1: $3" restore /tmp/bad pin "$pins/bad"
}

# bad_text SED TEXT
bad_text()
{
	sed "$1" /tmp/dump.hash >/tmp/bad
	refused 1 "$2" restore /tmp/bad pin "$pins/bad"
}

wrong_files()
{
	result "restore: no such file" refused 1 "'/tmp/none' cannot be opened: No such file" \
		restore /tmp/none pin "$pins/bad"
	result "restore: a directory" refused 1 "'/tmp' cannot be read: Is a directory" \
		restore /tmp pin "$pins/bad"
	result "restore: no file" refused 2 "'FILE' is missing" restore
	result "restore: empty file" refused 1 "is not a file that" restore /tmp/exists pin "$pins/bad"
	bpfmapctl -j dump pinned "$pins/hash" >/tmp/list
	result "restore: a list of elements" refused 1 "'/tmp/list': line 1: it is no JSON object" \
		restore /tmp/list pin "$pins/bad"
	result "restore: no JSON" bad_text '3s/"//' "'/tmp/bad': line 3: column "
	result "restore: no object" bad_text '3s/.*/5/' "'/tmp/bad': line 3: "
	result "restore: empty line" bad_text '3s/.*//' "'/tmp/bad': line 3: "
	result "restore: a member twice" bad_text '3s/"value"/"key"/' "line 3: column "
	result "restore: another version" bad_line 1 '.bpfmaps_dump = 2' "version 2 is not known"
	result "restore: version is no number" bad_line 1 '.bpfmaps_dump = "1"' "'bpfmaps_dump' is not"
	result "restore: byte order of another machine" bad_line 1 '.byte_order = "big"' "'byte_order'"
	result "restore: no map" bad_line 2 '{}' "'map' is expected"
	for member in id type name flags bytes_key bytes_value max_entries map_extra; do
		result "restore: no $member" bad_line 2 "del(.map.$member)" "'$member' is missing"
	done
	result "restore: type is unknown" bad_line 2 '.map.type = "frob"' "'type' is 'frob'"
	result "restore: type is another" bad_line 2 '.map.type = "array"' "map "
	result "restore: name is too long" bad_line 2 '.map.name = "abcdefghijklmnop"' \
		"'name' is not a text of up to 15 bytes"
	result "restore: name with a byte 0" bad_line 2 '.map.name = "a\\x00"' "'name' has a byte 0"
	result "restore: name with a wrong escape" bad_line 2 '.map.name = "a\\x0"' "'name' is not a text"
	result "restore: size beyond 32 bits" bad_line 2 '.map.max_entries = 4294967296' \
		"'max_entries' is not a number from 0 to 4294967295"
	result "restore: size is negative" bad_line 2 '.map.bytes_key = -4' "'bytes_key' is not a number"
	result "restore: size is no whole number" bad_line 2 '.map.bytes_key = 4.5' "'bytes_key' is not"
	result "restore: kernel refuses it" bad_line 2 '.map.bytes_key = 0' "map "
	result "restore: no key" bad_line 4 'del(.key)' "'key' is missing"
	result "restore: key too short" bad_line 4 '.key = "010000"' \
		"'key' is not 8 hex digits, for 4 bytes"
	result "restore: key is not hex" bad_line 4 '.key = "0100000g"' "'key' is not 8 hex digits"
	result "restore: key is a number" bad_line 4 '.key = 1' "'key' is not 8 hex digits"
	result "restore: no value" bad_line 5 'del(.value)' "'value' is missing"
	result "restore: value too long" bad_line 5 '.value += "00"' "'value' is not 10 hex digits"
	result "restore: more elements than fit" bad_line 2 '.map.max_entries = 3' \
		"" 2>&1
	result "restore: a map in a hash" bad_line 6 '{ map: { id: 1 } }' "map "
	result "restore: the end is missing" bad_text '/"end"/d' "ends early: the 'end' of map"
	result "restore: an element is missing" bad_text 6d "elements here: 12 were written"
	result "restore: something behind the end" bad_text '$p' "there is something behind the end"
	result "restore: no pin" bad_pins 2 "had no pin: say 'pin PATH'" restore /tmp/bad
	result "restore: pin exists" bad_pins 1 "remove it first" restore /tmp/dump.hash pin "$pins/hash"
	result "restore: pin on another file system" bad_pins 1 "bpfmaps filesystem" \
		restore /tmp/dump.hash pin /tmp/x
	result "restore: value of another number of CPUs" bad_cpus
	result "restore: an inner map that is not there" bad_inner
	result "restore: what failed has made nothing" test ! -e "$pins/bad"
}

bad_pins()
{
	jq -c 'del(.map.pinned)' /tmp/dump.hash | jq -c 'if .map == {} then {} else . end' >/tmp/bad
	sed -i 's/"map":null,//' /tmp/bad
	refused "$@"
}

bad_cpus()
{
	rm -f /tmp/dump && save "$pins/percpu_hash" /tmp/dump || return
	jq -c 'if .values then .values += ["0000000000"] else . end' /tmp/dump >/tmp/bad
	refused 1 "line 3: 'values' has those of $(($(nproc) + 1)) CPUs: this machine has $(nproc)" \
		restore /tmp/bad pin "$pins/bad"
}

bad_inner()
{
	rm -f /tmp/dump && save "$pins/array_of_maps" /tmp/dump || return
	jq -c 'if .inner_map then .inner_map += 1000000 else . end' /tmp/dump >/tmp/bad
	refused 1 "is not in the file before this line" restore /tmp/bad pin "$pins/bad"
}

# on_terminal ARGUMENT...: standard error is a terminal, what it gets is in /tmp/tty
on_terminal()
{
	status=0
	pty_helper bpfmapctl "$@" >/tmp/out 3>/tmp/tty || status=$?
	same status "$status" 0
}

# How often it was told, that it was erased at the end, and that nothing else was said.
progress_of()
{
	max=$1
	shift
	on_terminal "$@" || return
	tr '\r' '\n' </tmp/tty >/tmp/lines
	[ "$(grep -c "^[0-9]* of $max elements\$" /tmp/lines)" -ge 1 ] ||
		same "what was told" "$(cat -v /tmp/tty)" "N of $max elements" || return
	same "last line" "$(tail -n 1 /tmp/lines)" "$(printf '\033[K')" || return
	same "anything else" "$(grep -v "^[0-9]* of $max elements\$" /tmp/lines | grep -v "$(printf '\033')" |
		grep -v '^$')" ""
}

progress()
{
	result "progress: a map that takes long" call create "$pins/long" type array key 4 value 64 \
		entries 60000
	rm -f /tmp/dump
	result "progress: dump to a file" progress_of 60000 dump pinned "$pins/long" file /tmp/dump
	result "progress: restore" progress_of 60000 restore /tmp/dump pin "$pins/long-new"
	result "progress: dump" progress_of 60000 dump pinned "$pins/long"
	result "progress: nothing on short work" progress_of_short
	result "progress: nothing when standard error is a file" progress_to_file
}

progress_of_short()
{
	on_terminal dump pinned "$pins/hash" && same "what was told" "$(cat /tmp/tty)" ""
}

progress_to_file()
{
	rm -f /tmp/dump
	save "$pins/long" /tmp/dump
}

echo "TAP version 13"
mkdir "$pins"
types
result "a file to spoil" save "$pins/hash" /tmp/dump.hash
wrong_dumps
wrong_files
progress
rm -r "$pins"
finish
