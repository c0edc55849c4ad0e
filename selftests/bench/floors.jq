# SPDX-License-Identifier: GPL-2.0-only
#
# What the calls of a row cost at least: a sum of floors that were measured, and what it is made of.

# By name; of the two ways to copy the cheaper one counts.
def floors:
	to_entries | map(.value + {nr: .key}) | group_by(.op)
	| map((min_by(.cost)) as $least
	      | {key: .[0].op, nr: .[0].nr, value: ({op: .[0].op, cost: $least.cost, by: $least.way}
		 + (map({key: .way, value: .cost}) | from_entries))})
	| sort_by(.nr) | from_entries;

def shape: .row | split(" ")[:2] | join(" ");
def type: .row | split(" ")[0];
def is_hash: type | IN("hash", "lru_hash", "percpu_hash");
def is_list: type | IN("queue", "stack");
def key_size: (shape | capture(" (?<n>[0-9]+)/").n) // "0";
def value_size: shape | capture("(?<n>[0-9]+)$").n | tonumber;
def is_call:
	.op | test("^(insert|insert again|update|lookup|miss|delete|push|peek|pop|next key)$")
	      or test("^batch (lookup|update) by [0-9]+$");
def writes: .op | test("^(insert|insert again|update|delete|batch update by [0-9]+)$");

# The call of /dev/floor that moves as much.
def moved:
	if .op | startswith("insert") then "update"
	elif .op == "peek" then if type == "bloom_filter" then "push" else "pop" end
	else .op end;

# How many times the least that can be locked is. What a delete or a pop takes out is locked twice: it is
# taken out, and kept for its readers; a pop sees first that the value arrives.
def locks:
	if is_hash then {delete: 2, "insert again": 2}[.op] // if writes then 1 else 0 end
	elif type == "lpm_trie" then if writes then 1 else 0 end
	elif type == "array" then if writes and value_size > 8 then 1 else 0 end
	elif is_list then {push: 1, peek: 1, pop: 3}[.op] // 0
	else 0 end;

def hashed: is_hash and (.op | test("^(next key|batch lookup.*)$") | not);
def under_rcu: (is_hash or type == "lpm_trie") and (.op | test("^(lookup|miss)$"));

def parts:
	def part($what; $times; $floor): select($times > 0) | {what: $what, times: $times, floor: $floor};
	if is_call then
		part("call"; 1; "\(shape) \(moved)"),
		part("hash"; if hashed then 1 else 0 end; "hash of \(if hashed then key_size else "" end) bytes"),
		part("lock pair"; locks; "lock and unlock"),
		part("RCU section"; if under_rcu then 1 else 0 end; "RCU section")
	elif .op == "create" and (is_list or type == "lpm_trie") then
		part("descriptor"; 1; "descriptor"),
		# Values with links can be read while others are pushed and popped. A trie grows with its elements.
		part("KiB zeroed"; if is_list then .elements * (value_size + 16) / 1024 else 0 end; "KiB of large memory")
	else empty end;

def made_of:
	def described:
		if .what == "KiB zeroed" then "\(.times) KiB of zeroed memory: 24 bytes for each value and its links"
		elif .times == 1 then .what else "\(.times) \(.what)s" end;
	map(described) | join(" + ");

def batch_size: .op | if startswith("batch") then split(" ") | last | tonumber else 0 end;

# Why a target above the floor is missed: what is not in the floor.
def reasons: {
	batch: "setting up a batch: its chunk, and in look-ups where to go on",
	buffer: "a buffer from the heap for keys and values",
	copies: "copies of more than 512 bytes by the functions of the kernel: here an instruction a byte",
	chains: "the chains of a hash; a bucket that does not fit into the rest of a chunk is read again",
	index: "the element of an array: whether there is one, and where",
	percpu: "the values of all CPUs, one by one, that belong together",
	trie: "the way through the trie",
	list: "the list and its count",
	frozen: "whether the map is frozen",
	again: "elements just deleted, which are given out again when nobody reads them any more",
	life: "what each map has for its life: an id, a charge, lists of elements for each CPU"
};

def reasons_of:
	def when($reason; $true): if $true then $reason else empty end;
	batch_size as $n
	| ((key_size | tonumber) + value_size) as $size
	| (.op | IN("delete", "next key") | not) as $has_value
	| if .op == "create" then "life"
	  else
		when("batch"; $n > 0 and $n <= 10),
		when("buffer"; $n * $size > 512 or (value_size > 512 and $has_value)),
		when("copies"; $n == 0 and value_size > 512 and $has_value and .op != "miss"),
		when("chains"; is_hash),
		when("index"; type | endswith("array")),
		when("percpu"; type | startswith("percpu")),
		when("trie"; type == "lpm_trie"),
		when("list"; is_list),
		when("frozen"; writes or (.op | IN("push", "pop"))),
		when("again"; .op == "insert again")
	  end;

# The floor of a row with bounds, and why one is missed.
def with_floor($floors):
	[parts | .cost = $floors[.floor].cost * .times] as $parts
	| if (.bounds // []) == [] or $parts == [] then .
	  else
		.floor = ($parts | map(.cost) | add * 10 | round / 10)
		| .floor_parts = $parts
		| .floor_is = ($parts | made_of)
		| .floor as $floor | .bpf as $bpf
		| .bounds |= map(.below_floor = ((.met | not) and $floor > .limit * if .is_ratio then $bpf else 1 end))
		| if any(.bounds[]; .met | not) then .besides = [reasons_of] else . end
	  end;

# Short marks for the table: a letter for what a floor is made of, and numbers for what is besides.
def notes:
	def each_once: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);
	map(select(.besides)) as $missed
	| {floors: ($missed | map(.floor_is) | each_once | to_entries
		    | map({key: ([97 + .key] | implode), value}) | from_entries),
	   besides: ($missed | map(.besides[]) | each_once | to_entries
		     | map({key: "\(.key + 1)", value: reasons[.value]}) | from_entries)};

def with_note($notes):
	if .besides then
		($notes.floors | with_entries({key: .value, value: .key})) as $letters
		| ($notes.besides | with_entries({key: .value, value: .key})) as $numbers
		| .besides |= map(reasons[.])
		| (.besides | map($numbers[.] | tonumber) | sort | join(",")) as $besides
		| .note = "\($letters[.floor_is]) \($besides)"
	else . end;
