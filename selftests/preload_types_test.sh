#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's bpftool under the preload library, on LRU hashes and ring buffers. Runs in the
# guest; see preload.sh for what is compared.
# shellcheck disable=SC2317 # result calls the checks
set -u

# shellcheck source=selftests/preload.sh
. /lib/preload.sh

lru_hashes()
{
	zeros="0 0 0 0 0 0 0"
	for map in lru lru_pc; do
		commands "dump, update, lookup, getnext, delete" $map <<-EOT
			dump
			update key 1 0 0 0 value 5 $zeros
			update key 1 0 0 0 value 6 $zeros exist
			lookup key 1 0 0 0
			getnext
			dump
			delete key 1 0 0 0
			update key 2 0 0 0 value 7 $zeros noexist
			dump
			delete key 2 0 0 0
			update key 1 0 0 0 value 7 $zeros any
		EOT
		each $map <<-EOT
			no update key 1 0 0 0 value 6 $zeros noexist
			no update key 2 0 0 0 value 6 $zeros exist
			no update key 1 value 6 $zeros
			no lookup key 2 0 0 0
			no -j lookup key 2 0 0 0
			no getnext key 1 0 0 0
			no push value 7 $zeros
			no pop
			no peek
			no delete key 2 0 0 0
			no -j delete key 2 0 0 0
			ok pin $dir/${map}_2
		EOT
	done
}

# What is counted for each CPU is no other map to user space.
lru_of_each_cpu()
{
	commands "update, lookup, dump, delete" lru_nc <<-EOT
		update key 1 0 0 0 value 5 0 0 0 0 0 0 0
		lookup key 1 0 0 0
		dump
		delete key 1 0 0 0
	EOT
}

# Not more than max_entries are in it, and the last one is. bpf(2) evicts before where so few fit, so
# the maps above have room.
lru_evicts()
{
	as_user bpftool map create "$dir/small_$1" type "$1" key 4 value 8 entries "$2" name small || return
	key=1
	while [ "$key" -le 9 ]; do
		echo "map update pinned $dir/small_$1 key $key 0 0 0 value $key 0 0 0 0 0 0 0"
		key=$((key + 1))
	done >/tmp/batch
	as_user bpftool batch file /tmp/batch >/tmp/out || return
	as_user bpftool -j map dump pinned "$dir/small_$1" >/tmp/out && rm "$ours/small_$1" || return
	same "elements" "$(jq length /tmp/out)" "$2" &&
		same "has the last" "$(jq 'map(.key[0]) | contains(["0x09"])' /tmp/out)" true
}

ring_buffers()
{
	for map in rb urb; do
		each $map <<-EOT
			no dump
			no -j dump
			no update key value
			no update key 1 0 0 0 value 5 0 0 0
			no lookup key
			no getnext
			no -j getnext
			no delete key
			no push value
			no -j enqueue value
			no pop
			no -j peek
			no dequeue
			ok -j pin $dir/${map}_2
		EOT
	done
}

creation()
{
	result "create lru_hash" created lru type lru_hash key 4 value 8 entries 1024
	result "create lru_hash, not common" created lru_nc \
		type lru_hash key 4 value 8 entries 1024 flags 2
	result "create lru_percpu_hash" created lru_pc \
		type lru_percpu_hash key 4 value 8 entries 1024
	result "create ringbuf" created rb type ringbuf key 0 value 0 entries 4096
	result "create user_ringbuf, JSON" null create "$dir/urb" \
		type user_ringbuf key 0 value 0 entries 8192 name urb
}

wrong_creation()
{
	result "create lru_hash, NO_PREALLOC" both bpftool map create "$dir/bad" \
		type lru_hash key 4 value 8 entries 4 name bad flags 1
	result "create ringbuf, entries no power of 2" refused "Invalid argument" create "$dir/bad" \
		type ringbuf key 0 value 0 entries 12288 name bad
	result "create ringbuf with a key" refused "Invalid argument" create "$dir/bad" \
		type ringbuf key 4 value 0 entries 4096 name bad
	result "create user_ringbuf, less than a page" refused "Invalid argument" create "$dir/bad" \
		type user_ringbuf key 0 value 0 entries 2048 name bad
}

# One LRU hash, and both ring buffers.
frozen()
{
	for map in lru rb urb; do
		each $map <<-EOT
			ok -j show
			ok freeze
			no -j freeze
			ok show
			no delete key 1 0 0 0
		EOT
	done
}

echo "TAP version 13"
result "directories to test in" set_up
creation
wrong_creation
lru_hashes
lru_of_each_cpu
result "lru_hash: as many as fit, and the last" lru_evicts lru_hash 4
result "lru_percpu_hash: as many as fit, and the last" lru_evicts lru_percpu_hash 4
ring_buffers
frozen
result "all maps" in_order "name lru_nc" list
clean_up
plan
