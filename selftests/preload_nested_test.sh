#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's bpftool under the preload library, on maps in maps. Runs in the guest; see preload.sh for what
# is compared.
# shellcheck disable=SC2317 # result calls the checks
set -u

# shellcheck source=selftests/preload.sh
. /lib/preload.sh

creation()
{
	result "create inner maps" created first type array key 4 value 8 entries 4
	result "create another" created second type array key 4 value 8 entries 4
	result "create what is none" created hash type hash key 4 value 8 entries 4
	result "create array_of_maps" created outer_a type array_of_maps key 4 value 4 entries 4 \
		inner_map pinned "$dir/first"
	result "create hash_of_maps" created outer_h type hash_of_maps key 4 value 4 entries 4 \
		inner_map name first
}

wrong_creation()
{
	result "create array_of_maps, nothing inside" both bpftool map create "$dir/bad" \
		type array_of_maps key 4 value 4 entries 4 name bad
	result "create hash_of_maps of maps of maps" refused "Invalid argument" create "$dir/bad" \
		type hash_of_maps key 4 value 4 entries 4 name bad inner_map name outer_a
	result "create hash_of_maps, value of 8 bytes" refused "Invalid argument" create "$dir/bad" \
		type hash_of_maps key 4 value 8 entries 4 name bad inner_map name first
}

# The command "update" takes a map as its value.
maps_in_maps()
{
	for map in outer_a outer_h; do
		each $map <<-EOT
			no update key 0 0 0 0 value 1 0 0 0
			no update key 0 0 0 0 value pinned $dir/none
			no update key 0 0 0 0 value pinned $dir/hash
			no update key 0 0 0 0 value pinned $dir/outer_a
			no update key 0 0 0 value pinned $dir/first
			ok update key 1 0 0 0 value pinned $dir/first
			ok -j update key 2 0 0 0 value name second
			no push value 7 0 0 0
			no pop
			no peek
			no lookup key 9 0 0 0
			ok pin $dir/${map}_2
		EOT
	done
	result "outer_a: lookup of an empty slot" refused "" lookup pinned "$dir/outer_a" key 0 0 0 0
	result "outer_a: update noexist" refused "Invalid argument" \
		update pinned "$dir/outer_a" key 1 0 0 0 value name second noexist
	result "outer_a: getnext" prints "02 00 00 00" getnext pinned "$dir/outer_a" key 1 0 0 0
	result "outer_h: update noexist" refused "File exists" \
		update pinned "$dir/outer_h" key 1 0 0 0 value name second noexist
	result "outer_h: update exist" refused "No such file" \
		update pinned "$dir/outer_h" key 3 0 0 0 value name second exist
}

# as_bytes ID
as_bytes()
{
	printf '%02x %02x %02x %02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24))
}

# ids_as_names TEXT ID-OF-FIRST ID-OF-SECOND: ids as bpftool writes them as values
ids_as_names()
{
	echo "$1" | sed -e "s/value: $(as_bytes "$2")/value: FIRST/" -e "s/value: $(as_bytes "$3")/value: SECOND/"
}

# What can be read out of a map of maps are ids.
nested()
{
	want=$1
	shift
	root_text=$(bpftool map "$@") && text=$(as_user bpftool map "$@") || return
	ids_as_names "$root_text" "$(bpftool -j map show name first | jq .id)" \
		"$(bpftool -j map show name second | jq .id)" | sort >/tmp/bpf
	ids_as_names "$text" "$(as_user bpftool -j map show name first | jq .id)" \
		"$(as_user bpftool -j map show name second | jq .id)" | sort >/tmp/bpfmaps
	text=$(cat /tmp/bpfmaps)
	same "what diff says" "$(diff /tmp/bpf /tmp/bpfmaps)" "" && has "$want"
}

# nested_json WANT: the keys of a whole dump, and how many bytes each value has: ids are not the same
nested_json()
{
	for map in outer_a outer_h; do
		for world in bpf bpfmaps; do
			if [ "$world" = bpf ]; then
				bpftool -j map dump pinned "$dir/$map"
			else
				as_user bpftool -j map dump pinned "$dir/$map"
			fi | jq -c 'map(select(.value | arrays)) | sort_by(.key) | map([.key[0], (.value | length)])' \
				>"/tmp/$world"
		done
		same "$map" "$(cat /tmp/bpf)" "$1" && same "$map" "$(cat /tmp/bpfmaps)" "$1" || return
	done
}

reading_maps_in_maps()
{
	result "outer_a: lookup" nested "value: FIRST" lookup pinned "$dir/outer_a" key 1 0 0 0
	result "outer_h: lookup" nested "value: SECOND" lookup pinned "$dir/outer_h" key 2 0 0 0
	result "outer_a: dump" nested "value: SECOND" dump pinned "$dir/outer_a"
	result "outer_h: dump" nested "value: FIRST" dump pinned "$dir/outer_h"
	result "maps in maps: dump, JSON" nested_json '[["0x01",4],["0x02",4]]'
	each outer_a <<-EOT
		ok delete key 1 0 0 0
		no delete key 1 0 0 0
		no -j delete key 9 0 0 0
	EOT
	each outer_h <<-EOT
		ok delete key 1 0 0 0
		ok getnext
		ok -j getnext
		no getnext key 2 0 0 0
		no delete key 1 0 0 0
		ok -j delete key 2 0 0 0
		ok dump
		ok -j dump
	EOT
}

frozen()
{
	each outer_a <<-EOT
		ok -j show
		ok freeze
		no -j freeze
		ok show
		no delete key 1 0 0 0
	EOT
}

trace_of_creation()
{
	rm -f "$trace"
	BPFMAPS_TRACE=$trace as_user bpftool map create "$dir/traced" \
		type array_of_maps key 4 value 4 entries 4 name traced inner_map name first &&
	traced 'MAP_CREATE size [0-9]+ type 12 \(array_of_maps\) key 4 value 4 entries 4 flags 0 inner [0-9]+ extra 0 name "traced" = [0-9]+ by bpfmaps' \
		'MAP_GET_NEXT_ID size [0-9]+ id 0 = 0 by bpfmaps' \
		'MAP_GET_FD_BY_ID size [0-9]+ id [0-9]+ = [0-9]+ by bpfmaps' \
		'PROG_LOAD size [0-9]+ type 1 insns 2 name "libbpf_nametest" = [0-9]+ by bpfmaps' \
		'PROG_LOAD size [0-9]+ type 1 insns 2 name "" = [0-9]+ by bpfmaps'
}

echo "TAP version 13"
result "directories to test in" set_up
creation
wrong_creation
maps_in_maps
reading_maps_in_maps
frozen
result "all maps" in_order "name outer_h" list
result "trace of a map with an inner map" trace_of_creation
clean_up
plan
