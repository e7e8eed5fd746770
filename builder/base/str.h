// str.h - memory, strings, growing buffers and lists of strings. The program ends when memory is
// exhausted, so nothing here fails.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_STR_H
#define AIRBUILD_BASE_STR_H

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

// Returns count zeroed items of size bytes, never NULL.
void *mem_zero(size_t count, size_t size);
// Makes room for at least need items in an array; doubles it. items: address of the array's
// pointer.
void mem_grow(void *items, size_t *capacity, size_t need, size_t size);
char *str_dup(const char *text);                 // NULL stays NULL
char *str_ndup(const char *text, size_t length); // always NUL-terminated

// Ends the program with status 7 (ERR_SPACE); for library calls that fail only without memory.
_Noreturn void mem_exhausted(void);

// Return a new string that the caller frees.
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *str_formatv(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

bool str_equal(const char *a, const char *b); // NULL equals only NULL
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
// Whether text contains one of parts, which end with NULL. text may be NULL.
bool str_has_any(const char *text, const char *const *parts);

// Returns the Levenshtein distance in bytes.
size_t str_distance(const char *a, const char *b);
// Returns the nearest of names within distance 3 and half the length of word, or NULL. names end
// with NULL; may be NULL.
const char *str_nearest(const char *word, const char *const *names);

// Reads a decimal number without sign and spaces; false when text is not one, or above max.
bool str_to_u64(const char *text, unsigned long long max, unsigned long long *ret);

// Returns "512 KiB", "1.4 GiB"; the caller frees it.
char *str_bytes(unsigned long long bytes);

// A growing text. Start as {0}; data ends with NUL, or is NULL before anything is added.
struct buf {
    char *data;
    size_t length, capacity;
};
void buf_add(struct buf *buf, const char *text);
void buf_add_bytes(struct buf *buf, const void *bytes, size_t length);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_word(struct buf *buf, const char *text); // quoted as one word of a POSIX shell
char *buf_take(struct buf *buf); // the text, not NULL, which the caller frees; buf is {0} then
void buf_drop(struct buf *buf, size_t length); // removes the first length bytes
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
bool strv_find(const struct strv *sorted, const char *text); // as strv_has, of a sorted list
// Caller frees; "" for an empty list.
char *strv_join(const struct strv *list, const char *separator);
void strv_free(struct strv *list);
#define STRV_AUTO CLEANUP(strv_free)

#endif
