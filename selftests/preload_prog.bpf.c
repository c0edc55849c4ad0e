// SPDX-License-Identifier: GPL-2.0-only
/*
 * A BPF object with a program, "r0 = 0; exit". It is written down, as the compiler may be one that
 * does not know this machine.
 */
__asm__(".pushsection socket, \"ax\", @progbits\n"
	".globl pass\n"
	".type pass, @function\n"
	"pass:\n"
	".quad 0xb7\n"
	".quad 0x95\n"
	".size pass, . - pass\n"
	".popsection\n");

unsigned char _license[] __attribute__((section("license"), used)) = "GPL";
