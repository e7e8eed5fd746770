// writer.h - writes YAML in block style. Any YAML 1.1 or 1.2 reader reads the strings unchanged:
// they are quoted where they could be read as another type, and literal blocks where they have
// several lines.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_WRITER_H
#define AIRBUILD_YAML_WRITER_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>

struct yaml_writer;

// head: lines before the document, such as "#cloud-config\n"; may be NULL.
struct yaml_writer *yaml_writer_new(const char *head);

// In a mapping, write a key before each value. yaml_writer_finish returns errors of the order.
void yaml_write_map(struct yaml_writer *writer); // opens a mapping
void yaml_write_list(struct yaml_writer *writer);
void yaml_write_end(struct yaml_writer *writer); // closes the innermost mapping or list
void yaml_write_key(struct yaml_writer *writer, const char *key);
void yaml_write_string(struct yaml_writer *writer, const char *text); // NULL: null
void yaml_write_int(struct yaml_writer *writer, long long number);
void yaml_write_bool(struct yaml_writer *writer, bool truth); // true, false

// A key and its value, a string.
void yaml_put_string(struct yaml_writer *writer, const char *key, const char *text);

// Ends the document and returns its text, which the caller frees. -1: a string was not UTF-8 or the
// order was wrong; *ret is unchanged. Call only yaml_writer_free after it.
int yaml_writer_finish(struct yaml_writer *writer, char **ret, struct error *err);
void yaml_writer_free(struct yaml_writer *writer);
DEFINE_FREEP(struct yaml_writer, yaml_writer_free)
#define YAML_WRITER_AUTO CLEANUP(yaml_writer_freep)

#endif
