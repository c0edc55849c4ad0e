/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpfmapctl: keys and values, from words and to text
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#ifndef BPFMAPCTL_DATA_H
#define BPFMAPCTL_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/**
 * struct data_format - one way to write data, as in "u32:5"
 * @name: the part before the ':'
 * @size: bytes of the data; 0: what @fits says
 * @number: its text is a number, in JSON as well
 * @is_signed: a number that may be negative
 * @big_endian: a number in network byte order, instead of the machine's
 * @sizes: what @fits accepts, for messages; NULL: anything
 * @expects: what a text has to be, for messages; not for numbers
 * @fits: whether it can fill that many bytes; NULL: just @size
 * @parse: write @text into all @size bytes of @buf; false: @text is not such a thing
 * @print: the text of @size bytes of @buf, to be freed
 */
struct data_format {
	const char *name;
	size_t size;
	bool number;
	bool is_signed;
	bool big_endian;
	const char *sizes;
	const char *expects;
	bool (*fits)(size_t size);
	bool (*parse)(const struct data_format *format, const char *text, __u8 *buf,
		      size_t size);
	char *(*print)(const struct data_format *format, const __u8 *buf, size_t size);
};

/* All formats, ending with one that has no name. */
extern const struct data_format data_formats[];

/**
 * struct data - a key or a value that is given in words
 * @what: "key" or "value", for messages
 * @buf: the bytes, allocated by data_parse()
 * @size: how many there have to be
 * @exact: texts are not filled up with zeros, because their lengths made up @size
 * @format: set when one word with a format gave all bytes
 * @error: what is wrong with the words, to be freed
 */
struct data {
	const char *what;
	__u8 *buf;
	size_t size;
	bool exact;
	const struct data_format *format;
	char *error;
};

const struct data_format *data_format_find(const char *name);
bool data_format_fits(const struct data_format *format, size_t size);

/* How many bytes it fills, in words; to be freed. */
char *data_format_sizes(const struct data_format *format);

/*
 * The sum of @nr numbers of @size bytes that are @stride bytes apart, to be freed. It has 64 bits,
 * and goes on at the other end beyond them.
 */
char *data_sum(const struct data_format *format, const __u8 *numbers, size_t size, size_t stride,
	       size_t nr);

/*
 * For data of any size, before data_parse(): set the size to what all the words fill. Returns 0, or
 * -1 with @data->error set.
 */
int data_measure(struct data *data, char *const *words, int nr_words);

/* Returns the number of words that made up the data, or -1 with @data->error set. */
int data_parse(struct data *data, char *const *words, int nr_words);
void data_free(struct data *data);

#endif /* BPFMAPCTL_DATA_H */
