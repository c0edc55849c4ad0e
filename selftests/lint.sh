#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks of all sources, as TAP. Output of a check is printed only if it fails.
# shellcheck disable=SC2317 # check calls most of the functions
set -euo pipefail

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/..")
# shellcheck source=selftests/lib.sh
source "$here/lib.sh"
# The makes below are not part of the one that may have called this.
unset MAKEFLAGS MFLAGS MAKELEVEL

cd "$top"
# A build of its own: warnings come only from what is compiled, and so everything has to be.
lint=${BUILD:-$top/build}/lint
version=$("$here/qemu/kernel.sh" --version)
scripts=$("$here/kernel-source.sh")/scripts
clang=$("$here/qemu/clang-tree.sh")
jobs=-j$(nproc)

count=0 failed=0 planned=14

# check NAME COMMAND...: passed if COMMAND ends with 0 and has printed nothing
check()
{
	local name=$1 text status=0

	shift
	count=$((count + 1))
	text=$("$@" 2>&1) || status=$?
	if ((status == 0)) && [[ -z $text ]]; then
		echo "ok $count $name"
	else
		printf '%s\n' "$text" | tail -n 200 | sed 's/^/# /'
		echo "not ok $count $name"
		failed=1
	fi
}

# sources PATTERN...: the files below the source directories with such a name
sources()
{
	local pattern names=()

	for pattern; do
		names+=(-o -name "$pattern")
	done
	find module uapi tools selftests -type f \( "${names[@]:1}" \) | sort
}

# Scripts are told by their name or by their first line.
shell_files()
{
	local file

	sources '*.sh' '*.bash'
	find .ci tools selftests -type f ! -name '*.*' | while read -r file; do
		[[ $(head -n 1 "$file") =~ ^'#!'.*sh$ ]] && echo "$file"
	done
}

# quiet COMMAND...: prints only what is wrong with the output: all of it if COMMAND failed, or else
# the warnings
quiet()
{
	local text

	if ! text=$("$@" 2>&1); then
		printf '%s\n' "$text"
		return 1
	fi
	grep -E '(warning|error|WARNING|ERROR):' <<<"$text" || true
}

# checkpatch IGNORE DIRECTORY...
checkpatch()
{
	local ignore=$1

	shift
	find "$@" -type f -name '*.[ch]' -print0 | sort -z | xargs -0 -P "$(nproc)" -n 10 \
		"$scripts/checkpatch.pl" --no-tree --strict --max-line-length=100 \
		--ignore "COMPLEX_MACRO,MACRO_ARG_REUSE,TRAILING_SEMICOLON$ignore" --quiet --no-summary --terse -f
}

# User space has neither the types of the kernel nor its macros for attributes, bits and single accesses.
run_checkpatch()
{
	local user=,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,BIT_MACRO,VOLATILE status=0

	checkpatch '' module uapi || status=1
	checkpatch "$user" tools selftests || status=1
	return "$status"
}

run_kernel_doc()
{
	local -a files

	mapfile -t files < <(sources '*.h'; find module tools/lib -name '*.c' | sort)
	quiet "$scripts/kernel-doc" -none -Werror "${files[@]}"
}

run_shellcheck()
{
	local -a files

	mapfile -t files < <(shell_files | sort -u)
	shellcheck --external-sources "${files[@]}"
}

check_licences()
{
	local file

	{ sources '*.[ch]' '*.sh' '*.bash' '*.awk' Makefile Kbuild; shell_files; echo Kbuild; echo Makefile
	} | sort -u | while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ' ||
			echo "$file: no SPDX line at its top"
	done
}

build_module()
{
	quiet make -s "$jobs" -C "$here" module BUILD="$lint" KVER="$version" W=1 \
		KCFLAGS="-Werror -fanalyzer"
}

run_sparse()
{
	quiet make -s "$jobs" -C "$here" module BUILD="$lint" KVER="$version" W=1 KCFLAGS=-Werror C=2 \
		CF='-D__CHECK_ENDIAN__ -Wcontext'
}

# Objects only: what would link them is of no interest, and gcc has done it.
build_clang()
{
	local copy=$lint/clang
	local -a objects

	mkdir "$copy"
	cp -rs "$top/Kbuild" "$top/dkms.conf" "$top/module" "$top/uapi" "$copy"
	mkdir "$copy/selftests"
	cp -rs "$here/kmod" "$copy/selftests"
	mapfile -t objects < <(cd "$copy" && find . -name "*.c" ! -path "./module/compat/*" -printf "%P\n")
	quiet make -s "$jobs" -C "$clang" CC=clang M="$copy" W=1 KCFLAGS=-Werror \
		CONFIG_BPFMAPS_SAMPLES=m CONFIG_BPFMAPS_SELFTESTS=m "${objects[@]/%.c/.o}"
}

# The rules of the kernel that report; those in OCaml need its compiler.
cocci_rules()
{
	grep -rl --include="*.cocci" "^virtual report" "$scripts/coccinelle" | xargs grep -L "script:ocaml" | sort
}

# cocci RULE DIRECTORY...: prints what RULE finds, or what spatch says if it fails
cocci()
{
	local rule=$1 directory options errors status=0

	shift
	errors=$(mktemp)
	read -ra options < <(sed -n "s|^// Options:||p" "$rule"; echo)
	for directory; do
		spatch -D report --very-quiet --no-show-diff --cocci-file "$rule" "${options[@]}" -I module \
			-I uapi -I module/include --dir "$directory" 2>"$errors" || status=$?
		if ((status)); then
			echo "$rule:"
			cat "$errors"
		fi
	done
	rm -f "$errors"
}
export -f cocci

run_coccinelle()
{
	# An empty list would find nothing.
	(($(cocci_rules | wc -l) > 50)) || echo "only $(cocci_rules | wc -l) rules"
	cocci_rules | xargs -P "$(nproc)" -I "{}" bash -c 'cocci "$@"' cocci "{}" module selftests/kmod
}

build_tools()
{
	quiet make -s "$jobs" -C tools O="$lint" all
}

build_tests()
{
	quiet make -s "$jobs" -C "$here" BUILD="$lint" programs
}

# include_alone HEADER COMPILER...
include_alone()
{
	local header=$1

	shift
	echo "#include <$header>" | "$@" -Wall -Wextra -Wpedantic -Wpadded -Werror -Iuapi -Itools/lib \
		-fsyntax-only -
}

rm -rf "$lint"
mkdir -p "$lint"
echo "TAP version 13"
echo "1..$planned"
check "every file has a licence" check_licences
check "shellcheck" run_shellcheck
check "the ABI header compiles by itself as C" include_alone linux/bpfmaps.h gcc -std=c11 -x c
check "the ABI header compiles by itself as C++" include_alone linux/bpfmaps.h g++ -std=c++17 -x c++
check "the library's header compiles by itself as C" include_alone bpfmaps.h gcc -std=c11 -x c
check "the library's header compiles by itself as C++" include_alone bpfmaps.h g++ -std=c++17 -x c++
check "library and tools compile without a warning" build_tools
check "tests compile without a warning" build_tests
check "the module compiles without a warning (W=1, with the analyzer)" build_module
check "sparse" run_sparse
check "the module compiles with clang without a warning (W=1)" build_clang
check "coccinelle, with the rules of the kernel" run_coccinelle
check "kernel-doc" run_kernel_doc
check "checkpatch" run_checkpatch
exit "$failed"
