// table.h - aligned columns of short texts, for people.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_TABLE_H
#define AIRBUILD_CLI_TABLE_H

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/message.h"

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS 8

struct table_cell {
    char *text;
    enum message_color color;
};
struct table_row {
    struct table_cell cells[TABLE_COLUMNS];
    size_t count;
};
struct table { // start as {0}
    struct table_row *rows;
    size_t count, capacity;
};

void table_row(struct table *table); // begins a row
// Add a row of column names, which end with NULL.
void table_heads(struct table *table, ...) __attribute__((sentinel));
// Add a cell to the row. text is copied and cleaned (NULL is "-"); newlines become spaces.
void table_cell(struct table *table, enum message_color color, const char *text);
void table_cellf(struct table *table, enum message_color color, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Append all rows to buf: indent spaces first, two between columns, none at line ends.
void table_print(const struct table *table, size_t indent, bool color, struct buf *buf);
void table_free(struct table *table);
#define TABLE_AUTO CLEANUP(table_free)

#endif
