// reader.h - values out of XML that libvirt gave, by XPath, and how two documents differ in them.
// Inside virt/ only. SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_READER_H
#define AIRBUILD_VIRT_READER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct reader; // a parsed document
int reader_new(
    const char *xml, struct reader **ret, struct error *err); // ERR_LIBVIRT when it is not XML
void reader_freep(struct reader **reader);
#define READER_AUTO __attribute__((cleanup(reader_freep)))

// Text of all nodes that an XPath expression finds, in document order, joined by single spaces;
// caller frees; NULL when it finds none.
char *reader_get(const struct reader *reader, const char *path);

struct reader_fact {
    const char *label; // "memory"
    const char *path;  // XPath of it
    const char *unit;  // " KiB", or ""
};
// "memory is '1 KiB', wanted '2 KiB'; ..." for those of count facts in which have and want differ;
// caller frees; NULL when none does.
int reader_compare(const char *have, const char *want, const struct reader_fact *facts,
    size_t count, char **ret_difference, struct error *err);

#endif
