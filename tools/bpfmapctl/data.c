// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: keys and values, from words and to text
 *
 * Data is a row of words that together fill the size of the key or value: bytes ("7 0x1f"),
 * bytes in hex behind the word "hex" ("hex 07 1f"), and words with a format ("u32:5"). So the key
 * { __be32 address; __be16 port; __u16 zero } may be written "ip:10.0.0.1 be16:80 0 0".
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "data.h"
#include "text.h"

/* The bit position of byte @i of a number of @size bytes. */
static unsigned int byte_shift(const struct data_format *format, size_t i, size_t size)
{
	bool big = format->big_endian || __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return 8 * (big ? size - 1 - i : i);
}

static void put_number(const struct data_format *format, __u8 *buf, size_t size,
		       __u64 number)
{
	for (size_t i = 0; i < size; i++)
		buf[i] = number >> byte_shift(format, i, size);
}

static __u64 get_number(const struct data_format *format, const __u8 *buf, size_t size)
{
	__u64 number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (__u64)buf[i] << byte_shift(format, i, size);
	return number;
}

static __u64 max_unsigned(size_t size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static bool parse_unsigned(const struct data_format *format, const char *text, __u8 *buf,
			   size_t size)
{
	__u64 number;

	if (!text_to_number(text, 0, max_unsigned(size), &number))
		return false;
	put_number(format, buf, size, number);
	return true;
}

static bool parse_signed(const struct data_format *format, const char *text, __u8 *buf,
			 size_t size)
{
	bool negative = *text == '-';
	__u64 max = max_unsigned(size) / 2 + negative;
	__u64 number;

	if (!text_to_number(text + negative, 0, max, &number))
		return false;
	put_number(format, buf, size, negative ? -number : number);
	return true;
}

/* Of a signed format the sign goes through all 64 bits. */
static __u64 get_extended(const struct data_format *format, const __u8 *buf, size_t size)
{
	__u64 number = get_number(format, buf, size);

	if (format->is_signed && number > max_unsigned(size) / 2)
		number |= ~max_unsigned(size);
	return number;
}

static char *number_text(const struct data_format *format, __u64 number)
{
	if (format->is_signed)
		return text_printf("%lld", (long long)number);
	return text_printf("%llu", (unsigned long long)number);
}

static char *print_number(const struct data_format *format, const __u8 *buf, size_t size)
{
	return number_text(format, get_extended(format, buf, size));
}

char *data_sum(const struct data_format *format, const __u8 *numbers, size_t size, size_t stride,
	       size_t nr)
{
	__u64 sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += get_extended(format, numbers + i * stride, size);
	return number_text(format, sum);
}

static int ip_family(size_t size)
{
	return size == sizeof(struct in_addr) ? AF_INET : AF_INET6;
}

static bool parse_ip(const struct data_format *format, const char *text, __u8 *buf,
		     size_t size)
{
	(void)format;
	return inet_pton(ip_family(size), text, buf) == 1;
}

static char *print_ip(const struct data_format *format, const __u8 *buf, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	(void)format;
	return text_printf("%s", inet_ntop(ip_family(size), buf, text, sizeof(text)));
}

/* The length of a prefix, a number of 4 bytes in the machine's order, stands before its address. */
#define CIDR_LEN	4

static bool fits_cidr(size_t size)
{
	return size == CIDR_LEN + sizeof(struct in_addr) ||
	       size == CIDR_LEN + sizeof(struct in6_addr);
}

/* Without a '/' it is the whole address. */
static bool parse_cidr(const struct data_format *format, const char *text, __u8 *buf,
		       size_t size)
{
	const char *slash = strchrnul(text, '/');
	char address[INET6_ADDRSTRLEN] = "";
	size_t bytes = size - CIDR_LEN;
	__u64 len = 8 * bytes;

	if ((size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, slash - text);
	if (*slash && (!text_to_number(slash + 1, 10, len, &len)))
		return false;
	put_number(format, buf, CIDR_LEN, len);
	return parse_ip(format, address, buf + CIDR_LEN, bytes);
}

static char *print_cidr(const struct data_format *format, const __u8 *buf, size_t size)
{
	char *address = print_ip(format, buf + CIDR_LEN, size - CIDR_LEN);
	char *text = text_printf("%s/%llu", address,
				 (unsigned long long)get_number(format, buf, CIDR_LEN));

	free(address);
	return text;
}

static bool parse_mac(const struct data_format *format, const char *text, __u8 *buf,
		      size_t size)
{
	(void)format;
	if (strlen(text) != 3 * size - 1)
		return false;
	for (size_t i = 0; i < size; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;
		if (text[2] != (i < size - 1 ? ':' : '\0'))
			return false;
		buf[i] = strtoul(text, NULL, 16);
	}
	return true;
}

static char *print_mac(const struct data_format *format, const __u8 *buf, size_t size)
{
	(void)format;
	(void)size;
	return text_printf("%02x:%02x:%02x:%02x:%02x:%02x", buf[0], buf[1], buf[2], buf[3],
			   buf[4], buf[5]);
}

/* For systems without /etc/protocols, such as an initramfs or a container. */
static const struct {
	int number;
	const char *name;
} protocols[] = {
	{ IPPROTO_ICMP, "icmp" },
	{ IPPROTO_IGMP, "igmp" },
	{ IPPROTO_TCP, "tcp" },
	{ IPPROTO_UDP, "udp" },
	{ IPPROTO_GRE, "gre" },
	{ IPPROTO_ESP, "esp" },
	{ IPPROTO_AH, "ah" },
	{ IPPROTO_ICMPV6, "ipv6-icmp" },
	{ IPPROTO_SCTP, "sctp" },
};

static bool fits_proto(size_t size)
{
	return size == 1 || size == 2 || size == 4;
}

static int proto_number(const char *name)
{
	struct protoent *entry = getprotobyname(name);

	if (entry)
		return entry->p_proto;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (!strcmp(protocols[i].name, name))
			return protocols[i].number;
	return -1;
}

static bool parse_proto(const struct data_format *format, const char *text, __u8 *buf,
			size_t size)
{
	int number = proto_number(text);

	if (number < 0)
		return parse_unsigned(format, text, buf, size);
	put_number(format, buf, size, number);
	return true;
}

static char *print_proto(const struct data_format *format, const __u8 *buf, size_t size)
{
	__u64 number = get_number(format, buf, size);
	struct protoent *entry = number <= 255 ? getprotobynumber(number) : NULL;

	if (entry)
		return text_escape(entry->p_name, strlen(entry->p_name), true);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if ((__u64)protocols[i].number == number)
			return text_printf("%s", protocols[i].name);
	return print_number(format, buf, size);
}

static bool fits_any(size_t size)
{
	return size > 0;
}

static bool parse_str(const struct data_format *format, const char *text, __u8 *buf,
		      size_t size)
{
	size_t len = strlen(text);

	(void)format;
	if (len > size)
		return false;
	memset(buf, 0, size);
	memcpy(buf, text, len);
	return true;
}

static char *print_str(const struct data_format *format, const __u8 *buf, size_t size)
{
	(void)format;
	while (size && !buf[size - 1])
		size--;
	return text_escape(buf, size, true);
}

#define UNSIGNED(NAME, SIZE, BIG)						\
	{ .name = NAME, .size = SIZE, .number = true, .big_endian = BIG,	\
	  .parse = parse_unsigned, .print = print_number }
#define SIGNED(NAME, SIZE)							\
	{ .name = NAME, .size = SIZE, .number = true, .is_signed = true,	\
	  .parse = parse_signed, .print = print_number }

const struct data_format data_formats[] = {
	UNSIGNED("u8", 1, false),
	UNSIGNED("u16", 2, false),
	UNSIGNED("u32", 4, false),
	UNSIGNED("u64", 8, false),
	SIGNED("i8", 1),
	SIGNED("i16", 2),
	SIGNED("i32", 4),
	SIGNED("i64", 8),
	UNSIGNED("be16", 2, true),
	UNSIGNED("be32", 4, true),
	UNSIGNED("be64", 8, true),
	{ .name = "ip", .size = 4, .expects = "an address such as 10.1.2.3",
	  .parse = parse_ip, .print = print_ip },
	{ .name = "ip6", .size = 16, .expects = "an address such as fe80::1",
	  .parse = parse_ip, .print = print_ip },
	{ .name = "cidr", .fits = fits_cidr, .sizes = "8 or 20",
	  .expects = "a prefix such as 10.0.0.0/8, or fe80::/10 in 20 bytes,",
	  .parse = parse_cidr, .print = print_cidr },
	{ .name = "mac", .size = 6, .expects = "an address such as 02:00:00:00:00:01",
	  .parse = parse_mac, .print = print_mac },
	{ .name = "proto", .fits = fits_proto, .sizes = "1, 2 or 4",
	  .expects = "a protocol such as tcp, or its number",
	  .parse = parse_proto, .print = print_proto },
	{ .name = "str", .fits = fits_any, .parse = parse_str, .print = print_str },
	{ }
};

const struct data_format *data_format_find(const char *name)
{
	for (const struct data_format *f = data_formats; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

bool data_format_fits(const struct data_format *format, size_t size)
{
	return format->fits ? format->fits(size) : format->size == size;
}

char *data_format_sizes(const struct data_format *format)
{
	if (format->sizes)
		return text_printf("%s", format->sizes);
	return text_printf("%zu", format->size);
}

/* The format of a word such as "u32:5", and in @text the part behind the ':'. */
static const struct data_format *word_format(const char *word, const char **text)
{
	const char *colon = strchr(word, ':');

	if (!colon)
		return NULL;
	*text = colon + 1;
	for (const struct data_format *f = data_formats; f->name; f++)
		if (strlen(f->name) == (size_t)(colon - word) &&
		    !strncmp(f->name, word, colon - word))
			return f;
	return NULL;
}

static char *size_error(const struct data *data, const char *word, const char *size, size_t left)
{
	if (left == data->size)
		return text_printf("'%s' fills %s bytes: the %s has %zu", word, size, data->what,
				   left);
	return text_printf("'%s' fills %s bytes: %zu of the %zu bytes of the %s are left", word,
			   size, left, data->size, data->what);
}

static char *text_error(const struct data_format *format, const char *word, size_t size)
{
	__u64 max = max_unsigned(size < 8 ? size : 8);

	if (format->is_signed)
		return text_printf("'%s' is out of place: a number from -%llu to %llu is right",
				   word, max / 2 + 1ULL, max / 2 + 0ULL);
	if (format->number)
		return text_printf("'%s' is out of place: a number from 0 to %llu is right", word,
				   max + 0ULL);
	return text_printf("'%s' is out of place: %s is right", word, format->expects);
}

/* How many bytes the word fills, or 0 with the error set. */
static size_t word_size(struct data *data, const struct data_format *format, const char *word,
			const char *text, size_t left)
{
	size_t size = format->size ? format->size : left;
	char *sizes;

	if (format->fits == fits_any && (data->exact || strlen(text) > left))
		size = strlen(text);
	if (size <= left && data_format_fits(format, size))
		return size;
	sizes = format->sizes ? data_format_sizes(format) : text_printf("%zu", size);
	data->error = size_error(data, word, sizes, left);
	free(sizes);
	return 0;
}

/* Each parser returns the number of bytes, or 0 with the error set. */
static size_t parse_format(struct data *data, const char *word, size_t left)
{
	__u8 *buf = data->buf + data->size - left;
	const struct data_format *format;
	size_t size;
	const char *text;

	format = word_format(word, &text);
	if (!format) {
		data->error = text_printf("'%s' has no known format: 'bpfmapctl help' lists them",
					  word);
		return 0;
	}
	size = word_size(data, format, word, text, left);
	if (!size)
		return 0;
	if (!format->parse(format, text, buf, size)) {
		data->error = text_error(format, word, size);
		return 0;
	}
	if (size == data->size)
		data->format = format;
	return size;
}

static size_t parse_byte(struct data *data, const char *word, int base, size_t left)
{
	__u64 byte;

	if (text_to_number(word, base, 255, &byte)) {
		data->buf[data->size - left] = byte;
		return 1;
	}
	data->error = text_printf("'%s' is not a byte (0 to %s): the %s lacks %zu of its %zu", word,
				  base == 16 ? "ff" : "255", data->what, left, data->size);
	return 0;
}

int data_parse(struct data *data, char *const *words, int nr_words)
{
	size_t left = data->size;
	int base = 0;
	int i = 0;

	data->buf = text_alloc(data->size);
	if (nr_words && !strcmp(words[0], "hex")) {
		base = 16;
		i++;
	}
	for (; left && i < nr_words; i++) {
		left -= strchr(words[i], ':') ? parse_format(data, words[i], left) :
						parse_byte(data, words[i], base, left);
		if (data->error)
			return -1;
	}
	if (!left)
		return i;
	data->error = text_printf("the %s has %zu bytes here: it needs %zu", data->what,
				  data->size - left, data->size);
	return -1;
}

/* The bytes of a word by itself; 0: they depend on what is around it. */
static size_t own_size(const char *word)
{
	const struct data_format *format;
	const char *text;

	if (!strchr(word, ':'))
		return 1;
	format = word_format(word, &text);
	if (!format)
		return 1;
	return format->fits == fits_any ? strlen(text) : format->size;
}

int data_measure(struct data *data, char *const *words, int nr_words)
{
	data->exact = true;
	for (int i = !strcmp(words[0], "hex"); i < nr_words; i++) {
		size_t size = own_size(words[i]);

		if (!size) {
			data->error = text_printf("'%s' does not say how many bytes it fills",
						  words[i]);
			return -1;
		}
		data->size += size;
	}
	if (data->size)
		return 0;
	data->error = text_printf("the %s has no bytes", data->what);
	return -1;
}

void data_free(struct data *data)
{
	free(data->buf);
	free(data->error);
}
