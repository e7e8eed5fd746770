// jv.h - JSON values over jansson, which no other folder sees. Objects keep the order keys were
// added in.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BASE_JV_H
#define AIRBUILD_BASE_JV_H

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct jv; // a JSON value; borrowed values live as long as the value they were taken from

struct jv *jv_object(void);
struct jv *jv_array(void);
struct jv *jv_string(const char *text); // NULL text gives null; invalid UTF-8 is replaced by U+FFFD
struct jv *jv_int(long long number);
struct jv *jv_real(double number); // printed with at most 6 digits after the point
struct jv *jv_bool(bool truth);
struct jv *jv_null(void);

// Take ownership of value; setting again replaces.
void jv_set(struct jv *object, const char *key, struct jv *value);
void jv_set_string(struct jv *object, const char *key, const char *text);
void jv_set_int(struct jv *object, const char *key, long long number);
void jv_set_bool(struct jv *object, const char *key, bool truth);
void jv_push(struct jv *array, struct jv *value);

// Borrowed; NULL when absent or object is not an object (so calls can be chained).
const struct jv *jv_get(const struct jv *object, const char *key);
const char *jv_get_string(const struct jv *object, const char *key); // NULL: absent, no string
long long jv_get_int(const struct jv *object, const char *key, long long otherwise);
bool jv_get_bool(const struct jv *object, const char *key, bool otherwise);
const char *jv_text(const struct jv *value); // NULL when no string
size_t jv_count(const struct jv *value);     // of an array or object, else 0
const struct jv *jv_at(const struct jv *array, size_t index);
const char *jv_key_at(const struct jv *object, size_t index); // keys in order; NULL past the end

// Parse a whole text; duplicate keys refused; the error (ERR_DAMAGED) names line and column.
// Caller frees.
int jv_parse(const char *text, size_t length, struct jv **ret, struct error *err);
// One line; pretty: 2 spaces a level and a final newline. Caller frees.
char *jv_print(const struct jv *value, bool pretty);

// file_read and jv_parse, with the errors of both; ERR_DAMAGED is jv_parse's. Caller frees *ret.
int jv_read(const char *path, size_t max, struct jv **ret, struct error *err);
// jv_print, pretty, and file_write.
int jv_write(const char *path, mode_t mode, const struct jv *value, struct error *err);

void jv_free(struct jv *value);
DEFINE_FREEP(struct jv, jv_free)
#define JV_AUTO CLEANUP(jv_freep)

#endif
