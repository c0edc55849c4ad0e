#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the path of a directory with those files of Debian's linux-source package that building and
# checking need (the test harness and the checkers), laid out as in the kernel source. Unpacks them
# when they are not in the cache yet.
set -euo pipefail

# shellcheck source=selftests/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"

readonly package=linux-source-6.1
readonly tarball=/usr/src/$package.tar.xz

files=(
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
	scripts/checkpatch.pl
	scripts/const_structs.checkpatch
	scripts/extract-vmlinux
	scripts/kernel-doc
	scripts/spelling.txt
)
directories=(scripts/coccinelle)

# unpack DIR
unpack()
{
	echo "unpacking the test harness and the checkers of $package (once)" >&2
	tar -C "$1" -xJf "$tarball" --strip-components=1 "${files[@]/#/$package/}" \
		"${directories[@]/#/$package/}"
}

if ! version=$(dpkg-query -W -f '${Version}' $package 2>/dev/null) || [[ ! -r $tarball ]]; then
	die "$EXIT_NO_BOOT" "$package is not installed; run selftests/setup.sh"
fi
# What an older version of this script has unpacked is not enough.
key=$(printf "%s " "${files[@]}" "${directories[@]}" | cksum)
fill_cache "source-$version-${key%% *}" unpack
