#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a directory in which modules can be compiled with clang (CC=clang): Debian's headers are for
# gcc. It is made from Debian's linux-source package, with the configuration of the project's own
# kernels, when it is not in the cache.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/lib.sh
source "$here/../lib.sh"

readonly package=linux-source-6.1

# Kconfig reads all of the tree, and compiling needs the headers.
excludes=(
	'Documentation/*/*' 'arch/[!x]*/*.*' 'drivers/*.[ch]' 'fs/*.[ch]' 'net/*.[ch]' 'sound/*.[ch]'
	'tools/perf/*' 'tools/testing/*'
)

# What is left of the tree when it is prepared.
files=(.config Makefile arch/x86/Makefile arch/x86/Makefile_32.cpu arch/x86/include include scripts
       tools/objtool/objtool)

tree_make()
{
	env -i PATH="$PATH" HOME="$HOME" LC_ALL=C make -s -j"$(nproc)" CC=clang HOSTCC=clang "$@"
}

# prepare DIR: with the source as working directory
prepare()
{
	tree_make tinyconfig &&
		env -i PATH="$PATH" scripts/kconfig/merge_config.sh -m .config "$here/config/base.config" &&
		tree_make olddefconfig && grep -qx CONFIG_CC_IS_CLANG=y .config &&
		tree_make modules_prepare || return
	find scripts -name '*.o' -delete
	cp -r --parents "${files[@]}" "$1"
}

# unpack DIR
unpack()
{
	echo "preparing a kernel tree for clang (once)" >&2
	mkdir "$1/source"
	if ! { tar -C "$1/source" -xJf "/usr/src/$package.tar.xz" --strip-components=1 --anchored \
			"${excludes[@]/#/--exclude=$package/}" &&
	       cd "$1/source" && prepare "$1"; } >"$1/log" 2>&1; then
		tail -n 40 "$1/log" >&2
		return 1
	fi
	cd /
	rm -rf "$1/source" "$1/log"
}

if ! version=$(dpkg-query -W -f '${Version}' $package 2>/dev/null) || ! clang --version >/dev/null; then
	die "$EXIT_NO_BOOT" "$package or clang is not installed; run selftests/setup.sh"
fi
key=$({ echo "$version"; clang --version; cat "$here/config/base.config" "$(realpath "$0")"; } | sha256sum)
fill_cache "clang-${key:0:16}" unpack
