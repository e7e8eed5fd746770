// writer.h - writes JSON values as YAML in block style. Any YAML 1.1 or 1.2 reader reads the
// strings unchanged: they are quoted where they could be read as another type, and literal blocks
// where they have several lines.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_WRITER_H
#define AIRBUILD_YAML_WRITER_H

#include "base/error.h"

#include <jansson.h>

// Sets *ret to the text, which the caller frees. head: lines before the document, such as
// "#cloud-config\n"; may be NULL. -1: a string is not UTF-8 (jansson's "nocheck" takes such);
// *ret is unchanged.
int yaml_write(const char *head, json_t *value, char **ret, struct error *err);

#endif
