// json.h - what jansson has no equal of: JSON texts and files with our errors, values from texts
// and numbers that JSON cannot hold. jansson itself is used everywhere; it keeps the order of keys.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_JSON_H
#define AIRBUILD_BASE_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Return a new reference.
json_t *text_to_json(const char *text); // null for NULL; invalid UTF-8 becomes U+FFFD
json_t *real_to_json(double number);    // at most 6 decimal places; null for NaN and infinity

// Parses a whole text and refuses duplicate keys; ERR_DAMAGED names line and column. The caller
// calls json_decref on *ret.
int parse_json(const char *text, size_t length, json_t **ret, struct error *err);
// Returns one line, or with pretty an indented text and a final newline. The caller frees it.
char *print_json(const json_t *value, bool pretty);

// Errors of file_read and parse_json, of which only the latter has ERR_DAMAGED.
int read_json_file(const char *path, size_t max, json_t **ret, struct error *err);
int write_json_file(const char *path, mode_t mode, const json_t *value, struct error *err);

#endif
