#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bpfmapctl against the module. Runs in the guest.
#
# What should fail comes first, each a correct command line but for one thing.
# shellcheck disable=SC2317 # result calls the checks
set -u

pins=/sys/fs/bpfmaps/bpfmapctl_test
hash=$pins/hash
array=$pins/array
# shellcheck source=selftests/bpfmapctl_util.sh
. /lib/bpfmapctl_util.sh

# as_user STATUS TEXT ARGUMENT...: without privileges
as_user()
{
	want=$1
	part=$2
	shift 2
	status=0
	start-stop-daemon -S -c user -x /bin/bpfmapctl -- "$@" >/tmp/out 2>/tmp/err || status=$?
	same status "$status" "$want" || return
	grep -qF -- "$part" /tmp/out /tmp/err ||
		same output "$(cat /tmp/out /tmp/err)" "...$part..."
}

is_json()
{
	call "$@"
	same status "$status" 0 && jq -e .id /tmp/out
}

wrong_command_lines()
{
	create="type hash key 4 value 8 entries 10"

	result "no command" refused 2 "a command is missing"
	result "unknown command" refused 2 "'frob' is not a command" frob
	result "unknown command behind map" refused 2 "'frob' is not a command" map frob
	result "ambiguous command" refused 2 "may be 'list' or 'lookup'" l
	result "empty command" refused 2 "'' is not a command" ""
	result "unknown long option" refused 2 "'--frob' is not an option" --frob list
	result "unknown short option" refused 2 "'-x' is not an option" -x list
	result "too many words" refused 2 "unexpected word 'x'" list id "$(id_of "$hash")" x
	result "create: no FILE" refused 2 "'FILE' is missing" create
	# shellcheck disable=SC2086 # words
	{
	result "create: no type" refused 2 "'type TYPE' is missing" create "$pins/x" ${create#type hash}
	result "create: no key" refused 2 "'key KEY_SIZE' is missing" \
		create "$pins/x" type hash value 8 entries 10
	result "create: no value" refused 2 "'value VALUE_SIZE' is missing" \
		create "$pins/x" type hash key 4 entries 10
	result "create: no entries" refused 2 "'entries MAX_ENTRIES' is missing" \
		create "$pins/x" ${create% entries*}
	result "create: nothing behind a keyword" refused 2 "behind 'entries'" \
		create "$pins/x" ${create% 10}
	result "create: unknown type" refused 2 "'frob' is not a type" \
		create "$pins/x" type frob ${create#type hash}
	result "create: size is no number" refused 2 "'4x' is not a KEY_SIZE" \
		create "$pins/x" type hash key 4x value 8 entries 10
	result "create: size is negative" refused 2 "'-4' is not a KEY_SIZE" \
		create "$pins/x" type hash key -- -4 value 8 entries 10
	result "create: size beyond 32 bits" refused 2 "4294967295" \
		create "$pins/x" type hash key 4294967296 value 8 entries 10
	result "create: size twice" refused 2 "unexpected word 'key'" create "$pins/x" $create key 4
	result "create: unknown word" refused 2 "unexpected word 'frob'" create "$pins/x" $create frob
	result "create: name with a blank" refused 2 "is not a name" \
		create "$pins/x" $create name "a b"
	result "create: name of 16 letters" refused 2 "is not a name" \
		create "$pins/x" $create name abcdefghijklmnop
	}
	result "MAP: unknown keyword" refused 2 "'id', 'pinned' or 'name' is expected" dump frob 1
	result "MAP: missing" refused 2 "'MAP' is missing" dump
	result "MAP: id without number" refused 2 "behind 'id'" dump id
	result "MAP: id is no number" refused 2 "'x' is not the id" dump id x
	result "MAP: id beyond 32 bits" refused 2 "'4294967296' is not the id" dump id 4294967296
}

wrong_data()
{
	result "key: missing" refused 2 "'key DATA' is missing" lookup pinned "$hash"
	result "key: nothing behind" refused 2 "behind 'key'" lookup pinned "$hash" key
	result "key: too short" refused 2 "has 3 bytes here: it needs 4" \
		lookup pinned "$hash" key 1 2 3
	result "key: too long" refused 2 "unexpected word '5'" lookup pinned "$hash" key 1 2 3 4 5
	result "key: too short before value" refused 2 "'value' is not a byte" \
		update pinned "$hash" key 1 2 3 value u64:1
	result "key: no byte" refused 2 "'256' is not a byte" lookup pinned "$hash" key 1 2 3 256
	result "key: wrong size of format" refused 2 "'u16:1' fills 2 bytes" \
		lookup pinned "$hash" key 1 2 3 u16:1
	result "key: format beyond its range" refused 2 "from 0 to 4294967295" \
		lookup pinned "$hash" key u32:4294967296
	result "key: unknown format" refused 2 "has no known format" \
		lookup pinned "$hash" key frob:1
	result "value: missing" refused 2 "'value DATA' is missing" \
		update pinned "$hash" key u32:1
	result "value: too short" refused 2 "the value has 4 bytes here: it needs 8" \
		update pinned "$hash" key u32:1 value u32:1
	result "value: text too long" refused 2 "fills 9 bytes: the value has 8" \
		update pinned "$hash" key u32:1 value str:123456789
	result "update: unknown flag" refused 2 "unexpected word 'frob'" \
		update pinned "$hash" key u32:1 value u64:1 frob
	result "dump: unknown format" refused 2 "'frob' is not a format" \
		dump pinned "$hash" key frob
	result "dump: format of another size" refused 2 "format u64 is of 8 bytes" \
		dump pinned "$hash" key u64
}

failures()
{
	create="type hash key 4 value 8 entries 10"
	id=$(id_of "$hash")

	result "MAP: no such id" refused 1 "map 2000000000 cannot be opened" show id 2000000000
	result "MAP: no such pin" refused 1 "cannot be opened: No such file" show pinned "$pins/none"
	result "MAP: pin is a directory" refused 1 "it has to be a pin" show pinned "$pins"
	result "MAP: pin is another file" refused 1 "it has to be a pin" show pinned /etc/passwd
	result "MAP: no such name" refused 1 "no map has the name 'none'" show name none
	result "MAP: name of two maps" refused 1 "say 'id N' with N one of" show name twin
	result "error text with control characters" refused 1 'name '"'"'a\x0a\xe9"' \
		show name "$(printf 'a\n\351"')"
	result "lookup: no such key" refused 1 "map $id has no such key" \
		lookup pinned "$hash" key u32:99
	result "delete: no such key" refused 1 "map $id has no such key" \
		delete pinned "$hash" key u32:99
	result "delete: from an array" refused 1 "its elements stay" \
		delete pinned "$array" key u32:0
	result "update: no such index" refused 1 "max_entries is 3" \
		update pinned "$array" key u32:3 value u64:1
	result "update: noexist" refused 1 "has that key already" \
		update pinned "$array" key u32:0 value u64:1 noexist
	result "update: exist" refused 1 "has no such key" \
		update pinned "$hash" key u32:99 value u64:1 exist
	result "getnext: behind the last" refused 1 "is the last one" \
		getnext pinned "$array" key u32:2
	result "getnext: empty map" refused 1 "has no keys" getnext pinned "$pins/empty"
	result "pin: path exists" refused 1 "remove it first" pin id "$id" "$array"
	result "pin: no such directory" refused 1 "its directory has to exist" \
		pin id "$id" "$pins/none"/x
	result "pin: another file system" refused 1 "bpfmaps filesystem" pin id "$id" /tmp/x
	result "pin: name with a dot" refused 1 "without '.'" pin id "$id" "$pins/x.y"
	# shellcheck disable=SC2086 # words
	{
	result "create: path exists" refused 1 "remove it first" create "$hash" $create
	result "create: key of no bytes" refused 1 "no size may be 0" \
		create "$pins/x" type hash key 0 value 8 entries 10
	result "create: unknown flag" refused 1 "flags have to suit" create "$pins/x" $create flags 0x80000000
	result "create: too many entries" refused 1 "smaller sizes or fewer entries" \
		create "$pins/x" type hash key 4 value 8 entries 0x80000001
	}
	result "what failed has made nothing" same "files" "$(ls $pins)" \
		"$(printf '%s\n' array empty hash twin1 twin2)"
}

bad_device()
{
	BPFMAPS_DEVICE=/dev/none refused 1 "/dev/none is not there: load the module" list &&
		BPFMAPS_DEVICE=/dev/null refused 1 "BPFMAPS_DEVICE should be unset" list &&
		BPFMAPS_DEVICE=/etc/passwd refused 1 "BPFMAPS_DEVICE should be unset" list
}

device_for_group()
{
	chgrp bpfmaps /dev/bpfmaps && chmod 660 /dev/bpfmaps &&
		as_user 1 "only by user root and group bpfmaps" list
	ret=$?
	chgrp root /dev/bpfmaps && chmod 600 /dev/bpfmaps
	return "$ret"
}

user_sees_own_maps()
{
	chmod 666 /dev/bpfmaps
	as_user 0 "[]" -j list && as_user 1 "only its owner" show id "$(id_of "$hash")" &&
		as_user 1 "it has to be a pin that you may read" dump pinned "$hash"
	ret=$?
	chmod 600 /dev/bpfmaps
	return "$ret"
}

user_reads_pin()
{
	chmod 666 /dev/bpfmaps
	chmod 644 "$hash"
	chmod 711 "$pins"
	as_user 0 "Found" dump pinned "$hash" &&
		as_user 1 "read or write" update pinned "$hash" key u32:1 value u64:1
	ret=$?
	chmod 600 /dev/bpfmaps "$hash"
	return "$ret"
}

elements()
{
	result "update and lookup" prints "$(printf 'KEY VALUE\n5 77')" lookup pinned "$hash" \
		key u32:5 value u64
	result "lookup: key as it was written" prints \
		"$(printf 'KEY VALUE\n05 00 00 00 4d 00 00 00 00 00 00 00')" \
		lookup pinned "$hash" key 5 0 0 0
	result "lookup: JSON" json . \
		'{"key":["0x05","0x00","0x00","0x00"],"value":["0x4d","0x00","0x00","0x00","0x00","0x00","0x00","0x00"]}' \
		lookup pinned "$hash" key hex 05 0 0 0
	result "lookup: JSON with formats" json .formatted '{"key":5,"value":77}' \
		lookup pinned "$hash" key u32:5 value u64
	result "lookup: JSON with one format" json .formatted '{"value":77}' \
		lookup pinned "$hash" key 5 0 0 0 value u64
	result "update: replaces" done_by update pinned "$hash" key u32:5 value u64:78 exist
	result "update: value before key" done_by update pinned "$hash" value u64:1 key u32:6
	result "update: inserts" done_by update pinned "$hash" key u32:7 value str:hello noexist
	result "update: JSON" null update pinned "$hash" key u32:5 value u64:77 any
	result "lookup: text" prints "$(printf 'KEY VALUE\n7 hello')" lookup pinned "$hash" \
		key u32:7 value str
	result "dump: JSON" json 'map(.value[0]) | sort' '["0x01","0x4d","0x68"]' \
		dump pinned "$hash"
	result "dump: JSON with formats" json 'map(.formatted.key) | sort' '[5,6,7]' \
		dump pinned "$hash" key u32 value u64
	result "dump: array" prints "$(printf 'KEY VALUE\nip 0\nicmp 9\nigmp 0\nFound 3 elements')" \
		dump pinned "$array" key proto value u64
	result "dump: empty" prints "Found 0 elements" dump pinned "$pins/empty"
	result "dump: empty, JSON" json . '[]' dump pinned "$pins/empty"
	result "getnext: first" prints "$(printf 'KEY NEXT_KEY\n00 00 00 00')" \
		getnext pinned "$array"
	result "getnext: JSON" json '[.key, .next_key[0]]' '[null,"0x00"]' getnext pinned "$array"
	result "getnext: next" prints "$(printf 'KEY NEXT_KEY\n0 1')" \
		getnext pinned "$array" key u32:0
	result "delete" done_by delete pinned "$hash" key u32:6
	result "delete: JSON" null delete pinned "$hash" key u32:5
	result "dump: what is left" prints "$(printf 'KEY VALUE\n7 hello\nFound 1 element')" \
		dump pinned "$hash" key u32 value str
}

maps()
{
	id=$(id_of "$hash")
	memlock=$(bpfmapctl -j show id "$id" | sed 's|.*"bytes_memlock": \([0-9]*\).*|\1|')

	result "show: table" prints "$(printf '%s\n%s' \
		'ID TYPE NAME FLAGS KEY VALUE MAX_ENTRIES EXTRA MEMLOCK FROZEN' \
		"$id hash counts 0x1 4 8 10 0 $memlock 0")" \
		show id "$id"
	result "show: JSON" json 'del(.bytes_memlock)' \
		"{\"id\":$id,\"type\":\"hash\",\"name\":\"counts\",\"flags\":1,\"bytes_key\":4,\"bytes_value\":8,\"max_entries\":10,\"map_extra\":0,\"frozen\":0}" \
		show name counts
	result "show: memory" json '.bytes_memlock > 0' true show pinned "$hash"
	result "list: all maps" json 'map(.name) | sort' '[null,"arr","counts","twin","twin"]' list
	result "list: one map" json .name '"arr"' list pinned "$array"
	result "list: by ids in order" json 'map(.id) == (map(.id) | sort)' true list
	result "list: pins" json "map(select(.name == \"counts\"))[0].pinned" "[\"$hash\"]" -f list
	result "map without a command is show" json length 5 map
	result "map before the command" json .name '"arr"' map show pinned "$array"
	result "beginnings of commands and keywords" json .name '"arr"' map sh pin "$array"
	result "options behind the command" is_json show name counts -j
	result "pin" done_by pin id "$id" "$pins/second"
	result "two pins" json '.pinned | sort' "[\"$hash\",\"$pins/second\"]" -f show id "$id"
	rm "$pins/second"
	result "pin: JSON" null pin id "$id" "$pins/third"
	rm -f "$pins/third"
	result "freeze" done_by freeze pinned "$pins/twin1"
	result "freeze: shown" json .frozen 1 show pinned "$pins/twin1"
	result "freeze: twice" refused 1 "it is frozen" freeze pinned "$pins/twin1"
	result "freeze: no update" refused 1 "it is frozen, or you may only read it" \
		update pinned "$pins/twin1" key u32:1 value u64:1
}

# Latin-1 letters are letters to the kernel.
odd_name()
{
	name=$(printf 'caf\351')
	done_by create "$pins/odd" type hash key 1 value 1 entries 1 name "$name" &&
		json .name '"caf\\xe9"' show pinned "$pins/odd" &&
		json .name '"caf\\xe9"' show name "$name" &&
		json .name '"caf\\xe9"' show name 'caf\xe9' &&
		call show pinned "$pins/odd" && grep -qF 'caf\xe9' /tmp/out
	ret=$?
	rm -f "$pins/odd"
	return "$ret"
}

odd_path()
{
	dir="$pins/a \"b"
	mkdir "$dir" && done_by create "$dir/c[d]" type hash key 1 value 1 entries 1 name odd &&
		json '.pinned[0]' "\"$pins/a \\\"b/c[d]\"" -f show name odd
	ret=$?
	rm -rf "$dir"
	return "$ret"
}

values_that_json_escapes()
{
	done_by update pinned "$hash" key u32:20 value hex 22 5c 0a 09 7f ff 5d 7d &&
		json .formatted.value '"\"\\x5c\\x0a\\x09\\x7f\\xff]}"' \
			lookup pinned "$hash" key u32:20 value str &&
		done_by delete pinned "$hash" key u32:20
}

all_formats()
{
	pin=$pins/formats
	done_by create "$pin" type hash key 16 value 1 entries 4 || return
	ret=0
	for data in "u8:200 u16:0x1234 u32:5 u64:9 i8:-1" "i16:-2 i32:-3 i64:-4 0 0" \
		"be16:1 be32:2 be64:3 0 0" "ip:10.1.2.3 mac:02:00:00:00:00:01 str:abc" \
		"ip6:fe80::1"; do
		# shellcheck disable=SC2086 # words
		done_by update pinned "$pin" key $data value proto:tcp && done_by delete pinned "$pin" \
			key $data || ret=1
	done
	rm "$pin"
	return "$ret"
}

created()
{
	done_by map create "$pins/new" entries 7 value 12 key 4 name new.map_1 type array flags 1024 &&
		json '[.type, .name, .flags, .bytes_key, .bytes_value, .max_entries]' \
			'["array","new.map_1",1024,4,12,7]' show pinned "$pins/new"
	ret=$?
	rm -f "$pins/new"
	return "$ret"
}

created_on_node()
{
	done_by create "$pins/node" type hash key 4 value 8 entries 10 numa_node 0 &&
		json .flags 4 show pinned "$pins/node"
	ret=$?
	rm -f "$pins/node"
	return "$ret"
}

# More rows than are printed at a time, and wider ones later.
long_dump()
{
	done_by create "$pins/long" type array key 4 value 8 entries 5000 &&
		done_by update pinned "$pins/long" key u32:4999 value u64:18446744073709551615 &&
		json 'length, (map(.formatted.key) == [range(5000)]), .[4999].value[7]' \
			"$(printf '5000\ntrue\n"0xff"')" \
			dump pinned "$pins/long" key u32 value u64 &&
		call dump pinned "$pins/long" &&
		same "lines of the table" "$(wc -l </tmp/out)" 5002 &&
		same "widths of the table" "$(sed '1d;$d' /tmp/out | awk '{ print length }' | uniq)" 35
	ret=$?
	rm -f "$pins/long"
	return "$ret"
}

# The dump of a map that others write to ends.
busy_dump()
{
	done_by create "$pins/busy" type hash key 4 value 8 entries 16 || return
	(
		trap 'exit 0' TERM
		while :; do
			bpfmapctl update pinned "$pins/busy" key u32:1 value u64:1
			bpfmapctl delete pinned "$pins/busy" key u32:1
		done
	) 2>/tmp/writer &
	writer=$!
	ret=0
	for i in 1 2 3 4 5 6 7 8; do
		call -j dump pinned "$pins/busy"
		same "status of dump $i" "$status" 0 || ret=1
		cat /tmp/out >>/tmp/dumps
	done
	kill "$writer"
	wait "$writer"
	rm -f "$pins/busy"
	jq . /tmp/dumps || ret=1
	same "messages of the writer" "$(cat /tmp/writer)" "" && return "$ret"
}

broken_pipe()
{
	done_by create "$pins/long" type array key 4 value 8 entries 5000 || return
	text=$(bpfmapctl dump pinned "$pins/long" | head -n 1)
	rm -f "$pins/long"
	same "first line" "$(echo "$text" | sed 's/  */ /g')" "KEY VALUE"
}

help_names_all()
{
	call help
	same status "$status" 0 || return
	for command in $(bpfmapctl --complete ""); do
		grep -q "$command" /tmp/out || same "help" "without $command" "with it" || return
	done
	same "help by option" "$(bpfmapctl --help)" "$(cat /tmp/out)"
}

version_is_one()
{
	call --version
	same status "$status" 0 && grep -qE '^bpfmapctl [0-9]+\.[0-9]+\.[0-9]+$' /tmp/out &&
		json .version "\"$(sed 's/bpfmapctl //' /tmp/out)\"" -V
}

completion()
{
	result "completion: commands" completes "dump delete dequeue" d 2>&1
	result "completion: behind map" completes "create clear" map c
	result "completion: nothing of an unknown command" completes "" frob ""
	result "completion: options" completes "--json" --j
	result "completion: MAP" completes "id pinned name" dump ""
	result "completion: ids" completes "$(id_of "$hash")" dump id "$(id_of "$hash")"
	result "completion: names" completes "counts" dump name c
	result "completion: keywords of create" completes "value entries name flags inner_map numa_node extra" \
		create /x type hash key 4 ""
	result "completion: types" completes "array array_of_maps" create /x type a
	result "completion: keyless map" completes "value" push id 1 ""
	result "completion: formats" completes "u8 u16 u32 u64" dump id 1 key u
	result "completion: data" completes "be16: be32: be64:" update id 1 key be
	result "completion: keyword behind data" completes "value" update id 1 key 1 2 3 4 v
	result "completion: update flags" completes "exist" update id 1 key u32:1 value u64:1 e
}

output()
{
	result "name with a letter of Latin-1" odd_name
	result "path that JSON has to escape" odd_path
	result "value that JSON has to escape" values_that_json_escapes
	result "all formats of data" all_formats
	result "create: keywords in any order" created
	result "create: NUMA node" created_on_node
	result "dump: long" long_dump
	result "dump: while others write" busy_dump
	result "dump: reader goes away" broken_pipe
	result "help" help_names_all
	result "help: JSON" null help
	result "version" version_is_one
	result "full disk: list" not_written list
	result "full disk: JSON" not_written -j list
	result "full disk: dump" not_written dump pinned "$array"
	result "full disk: help" not_written help
}

# expand_cpus TEXT: TEXT for each CPU, its "CPU" replaced by the number, one a line
expand_cpus()
{
	for cpu in $(seq 0 $((cpus - 1))); do
		echo "$1" | sed "s/CPU/$cpu/g"
	done
}

percpu()
{
	result "per-CPU: update sets all CPUs" done_by update pinned "$pins/percpu" key u32:1 value u32:7
	result "per-CPU: values and their sum" prints \
		"$(printf 'KEY CPU VALUE\n'; expand_cpus '1 CPU 7'; echo "1 sum $((7 * cpus))")" \
		lookup pinned "$pins/percpu" key u32:1 value u32
	result "per-CPU: bytes have no sum" prints \
		"$(printf 'KEY CPU VALUE\n'; expand_cpus '1 CPU 07 00 00 00')" \
		lookup pinned "$pins/percpu" key u32:1
	result "per-CPU: JSON" json . \
		"{\"key\":[\"0x01\",\"0x00\",\"0x00\",\"0x00\"],\"values\":[$(expand_cpus \
		'{"cpu":CPU,"value":["0x07","0x00","0x00","0x00"]}' | paste -sd,)]}" \
		lookup pinned "$pins/percpu" key 1 0 0 0
	result "per-CPU: JSON with formats" json .formatted \
		"{\"key\":1,\"values\":[$(expand_cpus '{"cpu":CPU,"value":7}' | paste -sd,)],\"sum\":$((7 * cpus))}" \
		lookup pinned "$pins/percpu" key u32:1 value u32
	result "per-CPU: JSON without numbers" json '.formatted | keys' '["values"]' \
		lookup pinned "$pins/percpu" key 1 0 0 0 value str
	result "per-CPU: dump" json 'length, (map(.formatted.sum) | sort)' \
		"$(printf '3\n[0,0,%d]' $((7 * cpus)))" dump pinned "$pins/percpu" key u32 value u32
	result "per-CPU: elements stay" refused 1 "its elements stay" \
		delete pinned "$pins/percpu" key u32:1
	result "cpu: no such CPU" refused 1 "there is no CPU $cpus: the last one is $((cpus - 1))" \
		lookup pinned "$pins/percpu" key u32:1 cpu "$cpus"
	result "cpu: update of no such CPU" refused 1 "there is no CPU 4294967295" \
		update pinned "$pins/percpu" key u32:1 value u32:1 cpu 4294967295
	result "cpu: completion" completes "cpu" lookup pinned "$pins/percpu" key u32:1 cp
	result "cpu: is no number" refused 2 "'x' is not a N" \
		lookup pinned "$pins/percpu" key u32:1 cpu x
	result "cpu: not per CPU" refused 2 "has no values of its own for each CPU" \
		lookup pinned "$hash" key u32:7 cpu 0
	result "cpu: update" done_by update pinned "$pins/percpu" key u32:1 value u32:9 cpu 1
	result "cpu: lookup" prints "$(printf 'KEY VALUE\n1 9')" \
		lookup pinned "$pins/percpu" key u32:1 value u32 cpu 1
	result "cpu: lookup of another, JSON" json .formatted '{"key":1,"value":7}' \
		lookup pinned "$pins/percpu" key u32:1 value u32 cpu 0
	result "cpu: all" json .formatted.sum $((7 * cpus + 2)) \
		lookup pinned "$pins/percpu" key u32:1 value u32
	result "touch: not an LRU map" refused 1 "is not an LRU map" \
		lookup pinned "$hash" key u32:7 touch
	result "touch: the other one goes" touched
	result "touch: completion" completes "touch" lookup pinned "$pins/lru" key u32:1 to
	result "per-CPU: value of one CPU" refused 2 "needs 4" \
		update pinned "$pins/percpu" key u32:1 value u8:1
}

touched()
{
	call create "$pins/lru" type lru_hash key 4 value 4 entries 2 &&
		done_by update pinned "$pins/lru" key u32:1 value u32:1 &&
		done_by update pinned "$pins/lru" key u32:2 value u32:2 &&
		call lookup pinned "$pins/lru" key u32:1 touch &&
		done_by update pinned "$pins/lru" key u32:3 value u32:3 &&
		json 'map(.formatted.key) | sort' '[1,3]' dump pinned "$pins/lru" key u32
}

prefixes()
{
	result "prefix: inserted" done_by update pinned "$pins/lpm" key cidr:10.0.0.0/8 value u8:1
	result "prefix: longer" done_by update pinned "$pins/lpm" key cidr:10.1.0.0/16 value u8:2
	result "prefix: longest match" prints "$(printf 'KEY VALUE\n10.1.2.3/32 2')" \
		lookup pinned "$pins/lpm" key cidr:10.1.2.3 value u8
	result "prefix: shorter match" prints "$(printf 'KEY VALUE\n10.2.0.0/32 1')" \
		lookup pinned "$pins/lpm" key cidr:10.2.0.0/32 value u8
	result "prefix: no match" refused 1 "has no such key" \
		lookup pinned "$pins/lpm" key cidr:11.0.0.0/8
	result "prefix: too long" refused 2 "10.0.0.0/8" \
		lookup pinned "$pins/lpm" key cidr:10.0.0.0/33
	result "prefix: dump" json 'map(.formatted.key) | sort' '["10.0.0.0/8","10.1.0.0/16"]' \
		dump pinned "$pins/lpm" key cidr
	result "prefix: format of another size" refused 2 "format cidr is of 8 or 20 bytes" \
		dump pinned "$hash" key cidr
	result "prefix: IPv6" done_by update pinned "$pins/lpm6" key cidr:fe80::/10 value u8:3
	result "prefix: IPv6 match" prints "$(printf 'KEY VALUE\nfe80::1/128 3')" \
		lookup pinned "$pins/lpm6" key cidr:fe80::1 value u8
	result "prefix: IPv6 dump" prints "$(printf 'KEY VALUE\nfe80::/10 3\nFound 1 element')" \
		dump pinned "$pins/lpm6" key cidr value u8
	result "prefix: no room" refused 1 "max_entries is 1" \
		update pinned "$pins/lpm6" key cidr:fec0::/10 value u8:3
	result "prefix: delete" done_by delete pinned "$pins/lpm6" key cidr:fe80::/10
	result "prefix: clear" done_by clear pinned "$pins/lpm"
	result "prefix: cleared" prints "Found 0 elements" dump pinned "$pins/lpm"
	result "prefix: flags" refused 1 "no preallocation" \
		create "$pins/x" type lpm_trie key 8 value 1 entries 10
}

queues()
{
	result "queue: peek at nothing" refused 1 "is empty" peek pinned "$pins/queue"
	result "queue: pop nothing" refused 1 "is empty" pop pinned "$pins/queue"
	result "queue: enqueue" done_by enqueue pinned "$pins/queue" value u32:1
	result "queue: push" done_by push pinned "$pins/queue" value u32:2
	result "queue: full" refused 1 "is full: max_entries is 2" \
		push pinned "$pins/queue" value u32:3
	result "queue: peek" prints "$(printf 'VALUE\n1')" peek pinned "$pins/queue" value u32
	result "queue: lookup" prints "$(printf 'VALUE\n1')" lookup pinned "$pins/queue" value u32
	result "queue: peek, JSON" json . '{"value":["0x01","0x00","0x00","0x00"]}' \
		peek pinned "$pins/queue"
	result "queue: dequeue" prints "$(printf 'VALUE\n1')" dequeue pinned "$pins/queue" value u32
	result "queue: next" prints "$(printf 'VALUE\n02 00 00 00')" peek pinned "$pins/queue"
	result "queue: update" done_by update pinned "$pins/queue" value u32:9
	result "queue: clear" done_by clear pinned "$pins/queue"
	result "queue: cleared" refused 1 "is empty" pop pinned "$pins/queue"
	result "queue: a key" refused 2 "has no keys" lookup pinned "$pins/queue" key 1
	result "queue: dump" refused 1 "'peek' and 'pop'" dump pinned "$pins/queue"
	result "queue: getnext" refused 1 "'peek' and 'pop'" getnext pinned "$pins/queue"
	result "queue: delete" refused 1 "'peek' and 'pop'" delete pinned "$pins/queue"
	result "stack: push" done_by push pinned "$pins/stack" value 1
	result "stack: push again" done_by push pinned "$pins/stack" value 2
	result "stack: pop" prints "$(printf 'VALUE\n02')" pop pinned "$pins/stack"
	result "queue: key size" refused 1 "the key has to be 0" \
		create "$pins/x" type queue key 4 value 4 entries 2
	for command in peek pop; do
		result "$command: a hash" refused 1 "neither a queue nor a stack" \
			"$command" pinned "$hash"
	done
	result "push: a hash" refused 1 "neither a queue nor a stack" \
		push pinned "$hash" value u64:1
}

bloom()
{
	result "bloom: value missing" refused 2 "'value DATA' is missing" \
		lookup pinned "$pins/bloom"
	result "bloom: not there" refused 1 "does not have that value" \
		lookup pinned "$pins/bloom" value u32:5
	result "bloom: update" done_by update pinned "$pins/bloom" value u32:5
	result "bloom: there" prints "$(printf 'VALUE\n5')" lookup pinned "$pins/bloom" value u32:5
	result "bloom: there, JSON" json . '{"value":["0x05","0x00","0x00","0x00"],"formatted":{"value":5}}' \
		lookup pinned "$pins/bloom" value u32:5
	result "bloom: value too short" refused 2 "it needs 4" lookup pinned "$pins/bloom" value 5
	result "bloom: peek" refused 1 "neither a queue nor a stack" peek pinned "$pins/bloom"
	result "bloom: dump" refused 1 "'lookup' and 'value DATA'" dump pinned "$pins/bloom"
	result "bloom: clear" refused 1 "does not know this operation" clear pinned "$pins/bloom"
	result "bloom: too many functions" refused 1 "flags have to suit" \
		create "$pins/x" type bloom_filter value 4 entries 10 extra 16
	result "extra: is no number" refused 2 "'x' is not a MAP_EXTRA" \
		create "$pins/x" type bloom_filter value 4 entries 10 extra x
}

# More elements than a batch has, and so a cursor.
cleared_hash()
{
	done_by create "$pins/many" type hash key 4 value 1000 entries 200 || return
	ret=0
	for i in $(seq 100); do
		bpfmapctl update pinned "$pins/many" key "u32:$i" value "str:$i" || ret=1
	done
	json 'length, (map(.formatted.key) | sort == [range(1; 101)])' "$(printf '100\ntrue')" \
		dump pinned "$pins/many" key u32 && null clear pinned "$pins/many" &&
		prints "Found 0 elements" dump pinned "$pins/many" || ret=1
	rm "$pins/many"
	return "$ret"
}

clear()
{
	result "clear: a hash of several batches" cleared_hash
	result "clear: an array" refused 1 "its elements stay" clear pinned "$array"
	result "clear: a frozen map" refused 1 "it is frozen" clear pinned "$pins/twin1"
	result "clear: per-CPU hash" done_by clear pinned "$pins/percpu_hash"
	result "clear: per-CPU hash is empty" prints "Found 0 elements" \
		dump pinned "$pins/percpu_hash"
}

set_up_types()
{
	bpfmapctl create "$pins/percpu" type percpu_array key 4 value 4 entries 3 &&
		bpfmapctl create "$pins/percpu_hash" type percpu_hash key 4 value 4 entries 3 &&
		bpfmapctl update pinned "$pins/percpu_hash" key u32:1 value u32:1 &&
		bpfmapctl create "$pins/lpm" type lpm_trie key 8 value 1 entries 10 flags 1 &&
		bpfmapctl create "$pins/lpm6" type lpm_trie key 20 value 1 entries 1 flags 1 &&
		bpfmapctl create "$pins/queue" type queue key 0 value 4 entries 2 &&
		bpfmapctl create "$pins/stack" type stack value 1 entries 2 &&
		bpfmapctl create "$pins/bloom" type bloom_filter value 4 entries 10 extra 3
}

set_up()
{
	mkdir "$pins" &&
		bpfmapctl create "$hash" type hash key 4 value 8 entries 10 name counts flags 1 &&
		bpfmapctl create "$array" type array key 4 value 8 entries 3 name arr &&
		bpfmapctl create "$pins/empty" type hash key 4 value 8 entries 10 &&
		bpfmapctl create "$pins/twin1" type hash key 4 value 8 entries 10 name twin &&
		bpfmapctl create "$pins/twin2" type hash key 4 value 8 entries 10 name twin &&
		bpfmapctl update pinned "$hash" key u32:5 value u64:77 &&
		bpfmapctl update pinned "$array" key proto:icmp value u64:9
}

echo "TAP version 13"
result "maps to test with" set_up
wrong_command_lines
wrong_data
failures
result "bad device" bad_device
result "device that the caller may not open" device_for_group
result "maps of other users" user_sees_own_maps
result "pins that the caller may only read" user_reads_pin
elements
maps
output
completion
cpus=$(nproc)
result "maps of other types" set_up_types
percpu
prefixes
queues
bloom
clear
rm -r "$pins"
finish
