#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages that building and testing need; with --kernel, also those that building a
# kernel does, and with --bench those that the benchmark does. Exit status: 0 everything is there, 4 it
# could not be installed.
set -euo pipefail

# No linux-image package: installing one changes what the machine boots. The guest's kernel is
# unpacked beside (qemu/kernel.sh).
packages=(
	# to build the module, the library and the tools
	gcc g++ make libc6-dev linux-libc-dev binutils pkg-config
	linux-headers-amd64 libsmartcols-dev libjansson-dev kmod
	# to build the 32-bit test programs
	gcc-multilib
	# the guest
	qemu-system-x86 busybox-static cpio xz-utils netbase
	# test harness and checkers; jq reads the JSON that bpfmapctl writes
	linux-source-6.1 perl sparse shellcheck jq
	# the module by another compiler, in a kernel tree for it; rules for kernel code
	clang flex bison bc libelf-dev coccinelle
	# what runs under the preload library
	bpftool libbpf-dev
)

kernel_packages=(ccache)

bench_packages=(gnuplot-nox bsdextrautils)

# Prints the packages that are not installed.
missing_packages()
{
	local -A installed=()
	local status name

	while read -r status name; do
		[[ $status == ii ]] && installed[$name]=1
	done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null)

	for name in "${packages[@]}"; do
		[[ ${installed[$name]:-} ]] || printf '%s\n' "$name"
	done
}

# as_root COMMAND...
as_root()
{
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

main()
{
	local -a missing
	local log

	case ${1:-} in
	'') ;;
	--kernel) packages+=("${kernel_packages[@]}") ;;
	--bench) packages+=("${bench_packages[@]}") ;;
	*)
		echo "usage: setup.sh [--kernel|--bench]" >&2
		exit 4
		;;
	esac

	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		echo "setup: needs Debian 12 (apt-get, dpkg-query)" >&2
		exit 4
	fi

	mapfile -t missing < <(missing_packages)
	((${#missing[@]})) || return 0

	if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
		echo "setup: not root, and no sudo without a password. As root, run:" >&2
		echo "apt-get install ${missing[*]}"
		exit 4
	fi

	echo "setup: installing ${missing[*]}" >&2
	log=$(mktemp)
	if ! { as_root apt-get update -q &&
	       as_root env DEBIAN_FRONTEND=noninteractive \
		       apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		echo "setup: could not install; as root, run:" >&2
		echo "apt-get install ${missing[*]}"
		exit 4
	fi
	rm -f "$log"
}

main "$@"
