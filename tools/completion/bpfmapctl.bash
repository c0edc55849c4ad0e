# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# bash completion of bpfmapctl. What may follow is asked of the program; this holds no lists.

_bpfmapctl()
{
	mapfile -t COMPREPLY < <("$1" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	# The text of a format is typed right behind its ':'.
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *: ]] || compopt -o nospace
}

# Where the program knows nothing, the word is a file.
complete -o default -F _bpfmapctl bpfmapctl
