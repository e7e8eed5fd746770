// strv.c - the list of owned strings of str.h.
// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

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
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

void
strv_sort(struct strv *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare);
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
