# SPDX-License-Identifier: GPL-2.0-only
#
# Makes one object of the lines that bench prints: the rows, each with the costs by bpf(2), by the device
# and by the map's own descriptor, the ratios of the latter two to bpf(2), what it is to cost at most, and
# what a call of its kind costs at least (floors.jq); the floors; notes on the floors; and sums. Bounds are
# for the own descriptor.
include "floors";

def thousandths: . * 1000 | round / 1000;
def ratio($a; $b): if $a and $b and $b > 0 then $a / $b | thousandths else null end;
def cost($way): map(select(.way == $way))[0].cost;

def merge:
	to_entries | map(.value + {nr: .key})
	| group_by([.row, .op, .elements])
	| map({nr: .[0].nr, row: .[0].row, op: .[0].op, elements: .[0].elements, unit: .[0].unit,
	       bpf: cost("bpf(2)"), device: cost("device"), own: cost("own descriptor")})
	| sort_by(.nr)
	| map(del(.nr) | .ratio_device = ratio(.device; .bpf) | .ratio_own = ratio(.own; .bpf));

def is_single: .op | test("^(insert|insert again|update|lookup|miss|delete|push|peek|pop|next key)$");
def is_batch: .op | test("^batch (lookup|update) by (10|100|4096)$");
def is_batch_of_one: .op | test("^batch (lookup|update) by 1$");

# With 4096 elements.
def absolute: {
	"array 4/8 lookup": 800,
	"hash 4/8 lookup": 900,
	"hash 4/8 update": 1050,
	"hash 4/8 insert": 1150,
	"hash 4/8 delete": 950,
	"queue 8 pop": 900,
	"lpm_trie 8/8 lookup": 1000,
	"hash 4/8 batch lookup by 4096": 60,
	"hash 4/8 batch update by 4096": 150,
	"array 4/8 batch lookup by 4096": 25,
	"array 4/8 batch update by 4096": 25
};

def batch_size: .op | split(" ") | last;
def of_bpf($kind; $limit): {kind: $kind, text: "ratio \($limit)", limit: $limit, value: .ratio_own, is_ratio: true};
def at_most($kind; $text; $limit): {kind: $kind, text: $text, limit: ($limit | thousandths), value: .own};

# What the row is to cost at most; $all are all rows.
def bounds($all):
	def find($row; $op; $elements):
		$all | map(select(.row == $row and .op == $op and .elements == $elements))[0];
	. as {$row, $op, $elements}
	| absolute["\($row) \($op)"] as $absolute
	| if is_single then of_bpf("single operations"; 0.55) else empty end,
	  if is_batch then of_bpf("batches of \(batch_size)"; 0.2) else empty end,
	  if $absolute and $elements == 4096 then
		at_most(if is_batch then "batches of \(batch_size)" else "single operations" end; "\($absolute)"; $absolute)
	  else empty end,
	  if is_batch_of_one then
		($op | split(" ")[1]) as $single
		| at_most("batches of 1"; "\($single) + 10 %"; find($row; $single; $elements).own * 1.1)
	  else empty end,
	  if $op | test("^(read|write), mapped$") then
		{"read, mapped": "lookup", "write, mapped": "update"}[$op] as $single
		| at_most("mapped arrays"; "ratio 0.01 to \($single)";
			  find("array 4/8"; $single; 4096).bpf * 0.01)
	  else empty end,
	  if $op == "map, touch 1 page, unmap" and $elements > 524288 then
		at_most("mapped arrays"; "that of 4 MiB + 10 %"; find($row; $op; 524288).own * 1.1)
	  else empty end,
	  if $elements == 1048576 and ($row | startswith("hash")) and ($op | startswith("memory, ")) then
		of_bpf("memory of 1M elements"; 1)
	  else empty end,
	  if $elements == 1048576 and $op == "create" then of_bpf("creating 1M elements"; 1)
	  else empty end;

def with_bounds:
	. as $all
	| map(select(.own and .bpf).bounds = [bounds($all) | .met = (.value != null and .value <= .limit)]);

# The cells of the table that the bound for the mean is meant for.
def is_of_mean:
	.elements == 4096 and is_single and .op != "next key"
	and (.row | IN("hash 4/8", "hash 16/64", "hash 64/256", "array 4/8", "array 4/256",
		       "percpu_hash 4/8", "percpu_array 4/8", "lru_hash 4/8", "lpm_trie 8/8", "queue 8",
		       "bloom_filter 8"));

def mean: (map(log) | add) / length | exp | thousandths;

def sums:
	def counted: {met: map(select(.met)) | length, below_floor: map(select(.below_floor)) | length, of: length};
	map(.bounds // [] | .[]) as $bounds
	| map(select(is_of_mean)) as $cells
	| {mean: {cells: ($cells | length), own: ($cells | map(.ratio_own) | mean),
		  device: ($cells | map(.ratio_device) | mean), limit: 0.42},
	   kinds: ($bounds | group_by(.kind) | map({kind: .[0].kind} + counted)),
	   all: ($bounds | counted)}
	| .mean.met = (.mean.own <= .mean.limit);

[inputs] | (map(select(.row == "floor")) | floors) as $floors
| map(select(.row != "floor")) | merge | with_bounds | map(with_floor($floors)) | notes as $notes
| {rows: map(with_note($notes)), floors: [$floors[]], notes: $notes, sums: sums}
