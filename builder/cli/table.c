// table.c - see table.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/cleanup.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

void
table_row(struct table *table)
{
    mem_grow(&table->rows, &table->capacity, table->count + 1, sizeof(*table->rows));
    table->rows[table->count++] = (struct table_row){0};
}

void
table_cell(struct table *table, enum message_color color, const char *text)
{
    struct table_row *row = &table->rows[table->count - 1];
    assert(row->count < TABLE_COLUMNS);
    struct table_cell *cell = &row->cells[row->count++];
    cell->color = color;
    cell->text = text_clean(TEXT_LINES, text != NULL ? text : "-");
    for (char *c = cell->text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
}

void
table_cellf(struct table *table, enum message_color color, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    table_cell(table, color, text);
}

void
table_heads(struct table *table, ...)
{
    va_list args;
    va_start(args, table);
    table_row(table);
    for (const char *head; (head = va_arg(args, const char *)) != NULL;)
        table_cell(table, COLOR_DIM, head);
    va_end(args);
}

void
table_print(const struct table *table, size_t indent, bool color, struct buf *buf)
{
    size_t widths[TABLE_COLUMNS] = {0};
    for (size_t r = 0; r < table->count; r++)
        for (size_t c = 0; c < table->rows[r].count; c++) {
            size_t width = text_columns(table->rows[r].cells[c].text);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    for (size_t r = 0; r < table->count; r++) {
        const struct table_row *row = &table->rows[r];
        buf_printf(buf, "%*s", (int) indent, "");
        for (size_t c = 0; c < row->count; c++) {
            message_paint(buf, color, row->cells[c].color, row->cells[c].text);
            if (c + 1 < row->count)
                buf_printf(
                    buf, "%*s", (int) (widths[c] - text_columns(row->cells[c].text) + 2), "");
        }
        while (buf->length > 0 && buf->data[buf->length - 1] == ' ')
            buf->data[--buf->length] = '\0';
        buf_add(buf, "\n");
    }
}

void
table_free(struct table *table)
{
    for (size_t r = 0; r < table->count; r++)
        for (size_t c = 0; c < table->rows[r].count; c++)
            free(table->rows[r].cells[c].text);
    free(table->rows);
    *table = (struct table){0};
}
