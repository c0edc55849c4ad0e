// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test of the data words of bpfmapctl: needs no kernel module
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "text.h"

#define MAX_WORDS	12

static unsigned int tests, failed;

static void result(bool ok, const char *name)
{
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, name);
	failed += !ok;
}

/* Split @line at its blanks; returns the number of words. */
static int split(char *line, char **words)
{
	int nr = 0;

	for (char *word = strtok(line, " "); word && nr < MAX_WORDS; word = strtok(NULL, " "))
		words[nr++] = word;
	return nr;
}

/* @line gives the bytes that @hex names, of words up to @used. */
static void good(const char *line, size_t size, const char *hex, int used)
{
	struct data data = { .what = "key", .size = size };
	char *copy = text_printf("%s", line);
	char *words[MAX_WORDS];
	char text[128] = "";
	int ret;

	ret = data_parse(&data, words, split(copy, words));
	for (size_t i = 0; i < size && ret >= 0; i++)
		sprintf(text + 2 * i, "%02x", data.buf[i]);
	if (ret != used || strcmp(text, hex))
		printf("# %d words, bytes %s, error %s\n", ret, text,
		       data.error ? data.error : "none");
	result(ret == used && !strcmp(text, hex), line);
	data_free(&data);
	free(copy);
}

/* @line is refused with a message that has @part. */
static void bad(const char *line, size_t size, const char *part)
{
	struct data data = { .what = "key", .size = size };
	char *copy = text_printf("%s", line);
	char *words[MAX_WORDS];
	bool ok;

	ok = data_parse(&data, words, split(copy, words)) == -1 && data.error &&
	     strstr(data.error, part);
	if (!ok)
		printf("# error %s\n", data.error ? data.error : "none");
	result(ok, line);
	data_free(&data);
	free(copy);
}

/* The data that @word gives is printed as @text by its own format. */
static void print_back(const char *word, size_t size, const char *text)
{
	struct data data = { .what = "value", .size = size };
	char *copy = text_printf("%s", word);
	char *out = NULL;

	if (data_parse(&data, &copy, 1) == 1 && data.format)
		out = data.format->print(data.format, data.buf, size);
	if (!out || strcmp(out, text))
		printf("# printed %s\n", out ? out : "nothing");
	result(out && !strcmp(out, text), word);
	data_free(&data);
	free(copy);
	free(out);
}

static void test_bad(void)
{
	bad("", 4, "has 0 bytes here: it needs 4");
	bad("1 2 3", 4, "has 3 bytes here: it needs 4");
	bad("256", 1, "is not a byte");
	bad("-1", 1, "is not a byte");
	bad("+1", 1, "is not a byte");
	bad("08", 1, "is not a byte");
	bad("0x", 1, "is not a byte");
	bad("1 value 2", 4, "the key lacks 3 of its 4");
	bad("hex", 2, "has 0 bytes here: it needs 2");
	bad("hex 1 100", 2, "is not a byte");
	bad("hex 1 g", 2, "is not a byte");
	bad("u32:5", 2, "'u32:5' fills 4 bytes: the key has 2");
	bad("1 u32:5", 4, "'u32:5' fills 4 bytes: 3 of the 4 bytes of the key are left");
	bad("u32:5", 8, "has 4 bytes here: it needs 8");
	bad("u32:4294967296", 4, "from 0 to 4294967295");
	bad("u32:-1", 4, "from 0 to 4294967295");
	bad("u32:", 4, "from 0 to 4294967295");
	bad("u64:18446744073709551616", 8, "from 0 to 18446744073709551615");
	bad("i8:128", 1, "from -128 to 127");
	bad("i8:-129", 1, "from -128 to 127");
	bad("i64:9223372036854775808", 8, "from -9223372036854775808 to 9223372036854775807");
	bad("i32:--1", 4, "from -2147483648");
	bad("be16:65536", 2, "from 0 to 65535");
	bad("ip:10.1.2", 4, "10.1.2.3 is right");
	bad("ip:10.1.2.256", 4, "10.1.2.3 is right");
	bad("ip6:10.1.2.3", 16, "fe80::1 is right");
	bad("ip6:::1", 4, "fills 16 bytes: the key has 4");
	bad("cidr:10.0.0.0/33", 8, "10.0.0.0/8");
	bad("cidr:10.0.0.0/", 8, "10.0.0.0/8");
	bad("cidr:10.0.0/8", 8, "10.0.0.0/8");
	bad("cidr:fe80::/10", 8, "10.0.0.0/8");
	bad("cidr:fe80::/129", 20, "fe80::/10");
	bad("cidr:10.0.0.0/8", 4, "fills 8 or 20 bytes: the key has 4");
	bad("mac:02:00:00:00:00", 6, "02:00:00:00:00:01 is right");
	bad("mac:02:00:00:00:00:0g", 6, "02:00:00:00:00:01 is right");
	bad("mac:02:00:00:00:00:001", 6, "02:00:00:00:00:01 is right");
	bad("proto:nosuch", 4, "a protocol such as tcp");
	bad("proto:256", 1, "a protocol such as tcp");
	bad("proto:tcp", 8, "fills 1, 2 or 4 bytes: the key has 8");
	bad("str:hello", 4, "'str:hello' fills 5 bytes: the key has 4");
	bad("u128:1", 16, "has no known format");
	bad(":1", 1, "has no known format");
	bad("u:1", 1, "has no known format");
}

static void test_good(void)
{
	good("1 2 3 4", 4, "01020304", 4);
	good("1 0x1f 010 255 rest", 4, "011f08ff", 4);
	good("hex 0a b 0xff 00", 4, "0a0bff00", 5);
	good("hex a be16:258 1 more", 4, "0a010201", 4);
	good("be16:258", 2, "0102", 1);
	good("be32:0x01020304", 4, "01020304", 1);
	good("be64:1", 8, "0000000000000001", 1);
	good("be64:18446744073709551615", 8, "ffffffffffffffff", 1);
	good("i32:-1", 4, "ffffffff", 1);
	good("i64:-9223372036854775808 u8:1", 8, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ?
	     "8000000000000000" : "0000000000000080", 1);
	good("ip:10.1.2.3 be16:80 0 0", 8, "0a01020300500000", 4);
	good("ip6:fe80::1", 16, "fe800000000000000000000000000001", 1);
	good("mac:02:00:00:00:00:fF", 6, "0200000000ff", 1);
	good("proto:udp", 1, "11", 1);
	good("proto:254", 1, "fe", 1);
	good("str:abc", 6, "616263000000", 1);
	good("str:a:b", 3, "613a62", 1);
	good("str:", 2, "0000", 1);
	good("7 str:xy", 4, "07787900", 2);
}

static void test_host_order(void)
{
	struct data data = { .what = "key", .size = 4 };
	char *word = text_printf("u32:0x01020304");
	__u32 number = 0x01020304;
	bool ok = data_parse(&data, &word, 1) == 1 && !memcmp(data.buf, &number, 4);

	result(ok, "u32 in the byte order of the machine");
	data_free(&data);
	free(word);
}

static void test_prefix(void)
{
	struct data data = { .what = "key", .size = 8 };
	char *word = text_printf("cidr:10.1.2.3/24");
	struct {
		__u32 len;
		__u8 address[4];
	} prefix = { 24, { 10, 1, 2, 3 } };
	bool ok = data_parse(&data, &word, 1) == 1 && !memcmp(data.buf, &prefix, 8);

	result(ok, "cidr is a length in the byte order of the machine and an address");
	data_free(&data);
	free(word);
}

static void sum_is(const char *name, const char *line, size_t stride, const char *text)
{
	const struct data_format *format = data_format_find(name);
	struct data data = { .what = "value", .size = 3 * stride };
	char *copy = text_printf("%s", line);
	char *words[MAX_WORDS];
	char *sum = NULL;

	if (data_parse(&data, words, split(copy, words)) > 0)
		sum = data_sum(format, data.buf, format->size, stride, 3);
	result(sum && !strcmp(sum, text), line);
	data_free(&data);
	free(copy);
	free(sum);
}

static void test_sums(void)
{
	sum_is("u8", "u8:255 u8:255 u8:1", 1, "511");
	sum_is("u64", "u64:1 u64:2 u64:18446744073709551615", 8, "2");
	sum_is("i32", "i32:-5 0 i32:3 0 i32:-7 0", 5, "-9");
	sum_is("be16", "be16:256 be16:1 be16:65535", 2, "65792");
}

static void test_printed(void)
{
	print_back("u8:200", 1, "200");
	print_back("u64:18446744073709551615", 8, "18446744073709551615");
	print_back("i8:-128", 1, "-128");
	print_back("i16:-2", 2, "-2");
	print_back("i64:-9223372036854775808", 8, "-9223372036854775808");
	print_back("i32:5", 4, "5");
	print_back("be32:5", 4, "5");
	print_back("ip:10.1.2.3", 4, "10.1.2.3");
	print_back("ip6:FE80:0::1", 16, "fe80::1");
	print_back("cidr:10.1.2.3/0", 8, "10.1.2.3/0");
	print_back("cidr:10.1.2.3", 8, "10.1.2.3/32");
	print_back("cidr:FE80::/10", 20, "fe80::/10");
	print_back("mac:02:00:00:00:00:FF", 6, "02:00:00:00:00:ff");
	print_back("proto:tcp", 4, "tcp");
	print_back("proto:6", 2, "tcp");
	print_back("proto:253", 1, "253");
	print_back("proto:4000000000", 4, "4000000000");
	print_back("str:a\"\\\x01\xe9", 8, "a\"\\x5c\\x01\\xe9");
}

/* Of no size but that of the words. */
static void measured(const char *line, const char *hex)
{
	struct data data = { .what = "value" };
	char *copy = text_printf("%s", line);
	char *words[MAX_WORDS];
	char text[128] = "";
	int nr = split(copy, words);
	bool ok = !data_measure(&data, words, nr) && data_parse(&data, words, nr) == nr;

	for (size_t i = 0; i < data.size && ok; i++)
		sprintf(text + 2 * i, "%02x", data.buf[i]);
	result(ok && !strcmp(text, hex), line);
	data_free(&data);
	free(copy);
}

static void not_measured(const char *line, const char *part)
{
	struct data data = { .what = "value" };
	char *copy = text_printf("%s", line);
	char *words[MAX_WORDS];
	int nr = split(copy, words);
	int ret = data_measure(&data, words, nr);

	if (!ret)
		ret = data_parse(&data, words, nr);
	result(ret < 0 && strstr(data.error, part), line);
	data_free(&data);
	free(copy);
}

static void test_measured(void)
{
	not_measured("hex", "the value has no bytes");
	not_measured("str:", "does not say how many bytes");
	not_measured("1 proto:tcp", "'proto:tcp' does not say how many bytes");
	not_measured("cidr:10.0.0.0/8", "does not say how many bytes");
	not_measured("1 256", "'256' is not a byte");
	not_measured("u128:1", "has no known format");
	not_measured("u8:256", "from 0 to 255");
	measured("7", "07");
	measured("hex a 0b", "0a0b");
	measured("be16:258 u8:3", "010203");
	measured("str:abc u8:1 str:de", "616263016465");
	measured("mac:02:00:00:00:00:01", "020000000001");
}

static void unescaped(const char *text, const char *want, size_t room)
{
	char bytes[16] = "";
	ssize_t len = text_unescape(text, bytes, room);
	bool ok = want ? len == (ssize_t)strlen(want) && !memcmp(bytes, want, len) : len < 0;
	char *back = ok && want ? text_escape(bytes, len, true) : NULL;
	char *name;

	if (back)
		ok = !strcmp(back, text);
	name = text_printf("escaped '%s', room %zu", text, room);
	result(ok, name);
	free(name);
	free(back);
}

static void test_unescaped(void)
{
	unescaped("\\", NULL, 16);
	unescaped("\\x", NULL, 16);
	unescaped("\\x0", NULL, 16);
	unescaped("\\x0g", NULL, 16);
	unescaped("\\xE9", NULL, 16);
	unescaped("\\n", NULL, 16);
	unescaped("abcd", NULL, 3);
	unescaped("abcd", "abcd", 4);
	unescaped("", "", 0);
	unescaped("caf\\xe9", "caf\xe9", 4);
	unescaped("\\x5c\\x0a\"", "\\\n\"", 3);
}

static void test_hex(void)
{
	static const __u8 bytes[] = { 0x00, 0x9f, 0xa0, 0xff };
	__u8 got[4];

	result(!text_get_hex("009fa0f", 7, got, 4), "hex: a digit is missing");
	result(!text_get_hex("009fa0ff00", 10, got, 4), "hex: too long");
	result(!text_get_hex("009fa0fF", 8, got, 4), "hex: capital letters");
	result(!text_get_hex("009fa0 f", 8, got, 4), "hex: a blank");
	result(text_get_hex("009fa0ff", 8, got, 4) && !memcmp(got, bytes, 4), "hex");
	result(text_get_hex("", 0, got, 0), "hex: nothing");
}

int main(void)
{
	puts("TAP version 13");
	test_bad();
	test_good();
	test_host_order();
	test_prefix();
	test_sums();
	test_printed();
	test_measured();
	test_unescaped();
	test_hex();
	printf("1..%u\n", tests);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
