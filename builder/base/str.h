// str.h - owned strings, a growing buffer and string lists. Running out of memory ends the program
// with one sentence.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_STR_H
#define AIRBUILD_BASE_STR_H

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

// Allocation that never returns NULL. mem_zero is for count items of size bytes, zeroed (overflow
// checked).
void *mem_zero(size_t count, size_t size);
// Grow an array: makes room for at least need items, doubling. items: pointer to the array pointer.
void mem_grow(void *items, size_t *capacity, size_t need, size_t size);
char *str_dup(const char *text);                 // NULL stays NULL
char *str_ndup(const char *text, size_t length); // always NUL-terminated

// Ends the program with one sentence and status 7 (ERR_SPACE); for libraries whose calls fail only
// for want of memory.
_Noreturn void mem_exhausted(void);

// printf into a new string that the caller frees.
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *str_formatv(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

bool str_equal(const char *a, const char *b); // NULL equals only NULL
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
// Whether text (NULL holds nothing) holds one of parts, which end with NULL.
bool str_has_any(const char *text, const char *const *parts);

// Levenshtein distance in bytes; for "did you mean".
size_t str_distance(const char *a, const char *b);
// Nearest of count names within distance 3 and half the length of word, or NULL.
const char *str_nearest(const char *word, const char *const *names, size_t count);

// Whole decimal number from text, no sign, no space around; false when it is not one or above max.
bool str_to_u64(const char *text, unsigned long long max, unsigned long long *ret);

// Bytes for people: "512 KiB", "1.4 GiB"; caller frees.
char *str_bytes(unsigned long long bytes);

// A growing text. Start as {0}; data is NUL-terminated once anything was added, NULL before.
struct buf {
    char *data;
    size_t length, capacity;
};
void buf_add(struct buf *buf, const char *text);
void buf_add_bytes(struct buf *buf, const void *bytes, size_t length);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_word(struct buf *buf, const char *text); // quoted: one word of a POSIX shell
char *buf_take(struct buf *buf); // the text, never NULL; the caller frees; buf is {0} again
void buf_drop(struct buf *buf, size_t length); // the first length bytes go
void buf_free(struct buf *buf);
#define BUF_AUTO CLEANUP(buf_free)

// A list of owned strings, NULL-terminated when count > 0 (usable as argv). Start as {0}.
struct strv {
    char **items;
    size_t count, capacity;
};
void strv_add(struct strv *list, const char *text);
void strv_take(struct strv *list, char *text); // takes ownership
void strv_addf(struct strv *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strv_split(struct strv *list, const char *text, char separator); // empty pieces are kept
bool strv_has(const struct strv *list, const char *text);
void strv_sort(struct strv *list);
// Caller frees; "" for an empty list.
char *strv_join(const struct strv *list, const char *separator);
void strv_free(struct strv *list);
#define STRV_AUTO CLEANUP(strv_free)

#endif
