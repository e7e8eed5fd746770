// str.c - see str.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void
mem_exhausted(void)
{
    static const char sentence[] = "airbuild: out of memory; end other programs and try again\n";
    ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);
    (void) written;
    _exit(ERR_SPACE);
}

void *
mem_zero(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (memory == NULL)
        mem_exhausted();
    return memory;
}

void
mem_grow(void *items, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need)
        wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
    void *memory;
    memcpy(&memory, items, sizeof memory);
    memory = reallocarray(memory, wanted, size);
    if (memory == NULL)
        mem_exhausted();
    memcpy(items, &memory, sizeof memory);
    *capacity = wanted;
}

// ---- strings ------------------------------------------------------------------------------------

char *
str_dup(const char *text)
{
    return text == NULL ? NULL : str_ndup(text, strlen(text));
}

char *
str_ndup(const char *text, size_t length)
{
    if (length == SIZE_MAX)
        mem_exhausted();
    char *copy = mem_zero(length + 1, 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *
str_formatv(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        mem_exhausted();
    return text;
}

char *
str_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_formatv(format, args);
    va_end(args);
    return text;
}

bool
str_equal(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

bool
str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool
str_has_any(const char *text, const char *const *parts)
{
    for (size_t i = 0; text != NULL && parts[i] != NULL; i++)
        if (strstr(text, parts[i]) != NULL)
            return true;
    return false;
}

size_t
str_distance(const char *a, const char *b)
{
    size_t width = strlen(b);
    FREE_AUTO size_t *row = mem_zero(width + 1, sizeof *row);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t above = row[j + 1];
            size_t least = diagonal + (a[i] != b[j]);
            least = above + 1 < least ? above + 1 : least;
            row[j + 1] = row[j] + 1 < least ? row[j] + 1 : least;
            diagonal = above;
        }
    }
    return row[width];
}

const char *
str_nearest(const char *word, const char *const *names)
{
    size_t length = strlen(word);
    size_t limit = length / 2 < 3 ? length / 2 : 3;
    const char *nearest = NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        size_t other = strlen(names[i]);
        if (other > length + limit || length > other + limit)
            continue;
        size_t distance = str_distance(word, names[i]);
        if (distance > limit || (nearest != NULL && distance == limit))
            continue;
        nearest = names[i];
        limit = distance;
    }
    return nearest;
}

bool
str_to_u64(const char *text, unsigned long long max, unsigned long long *ret)
{
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno == ERANGE || number > max)
        return false;
    *ret = number;
    return true;
}

char *
str_bytes(unsigned long long bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double number = (double) bytes;
    size_t unit = 0;
    while (number >= 1023.5 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1024;
        unit++;
    }
    unsigned long long tenths = (unsigned long long) (number * 10 + 0.5);
    if (tenths % 10 == 0 || tenths >= 1000)
        return str_format("%.0f %s", number, units[unit]);
    return str_format("%llu.%llu %s", tenths / 10, tenths % 10, units[unit]);
}

// ---- buffers ------------------------------------------------------------------------------------

void
buf_add(struct buf *buf, const char *text)
{
    buf_add_bytes(buf, text, strlen(text));
}

void
buf_add_bytes(struct buf *buf, const void *bytes, size_t length)
{
    if (length >= SIZE_MAX - buf->length)
        mem_exhausted();
    mem_grow(&buf->data, &buf->capacity, buf->length + length + 1, 1);
    if (length > 0)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    buf_add(buf, text);
}

void
buf_add_word(struct buf *buf, const char *text)
{
    buf_add(buf, "'");
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_add(buf, "'\\''");
        else
            buf_add_bytes(buf, text, 1);
    }
    buf_add(buf, "'");
}

char *
buf_take(struct buf *buf)
{
    char *text = buf->data == NULL ? str_dup("") : buf->data;
    *buf = (struct buf){0};
    return text;
}

void
buf_drop(struct buf *buf, size_t length)
{
    if (length == 0)
        return;
    buf->length -= length;
    memmove(buf->data, buf->data + length, buf->length + 1);
}

void
buf_free(struct buf *buf)
{
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct buf){0};
}

// ---- lists --------------------------------------------------------------------------------------

void
strv_take(struct strv *list, char *text)
{
    mem_grow(&list->items, &list->capacity, list->count + 2, sizeof *list->items);
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

void
strv_add(struct strv *list, const char *text)
{
    strv_take(list, str_dup(text));
}

void
strv_addf(struct strv *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strv_take(list, str_formatv(format, args));
    va_end(args);
}

void
strv_split(struct strv *list, const char *text, char separator)
{
    const char *end;
    while ((end = strchr(text, separator)) != NULL) {
        strv_take(list, str_ndup(text, (size_t) (end - text)));
        text = end + 1;
    }
    strv_add(list, text);
}

bool
strv_has(const struct strv *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int
compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void
strv_sort(struct strv *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_strings);
}

bool
strv_find(const struct strv *sorted, const char *text)
{
    return sorted->count > 0 && bsearch(&text, sorted->items, sorted->count, sizeof *sorted->items,
                                    compare_strings) != NULL;
}

char *
strv_join(const struct strv *list, const char *separator)
{
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_add(&text, separator);
        buf_add(&text, list->items[i]);
    }
    return buf_take(&text);
}

void
strv_free(struct strv *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strv){0};
}
