// reader.h - reads values from libvirt's XML by XPath, compares two documents, changes an
// interface's link. Inside virt/ only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_READER_H
#define AIRBUILD_VIRT_READER_H

#include "base/cleanup.h"
#include "base/error.h"

#include <libxml/xpath.h>
#include <stdbool.h>
#include <stddef.h>

// Parses a document, which reader_freep frees, too. ERR_LIBVIRT when it is not XML.
int reader_new(const char *xml, xmlXPathContextPtr *ret, struct error *err);
void reader_freep(xmlXPathContextPtr *reader);
#define READER_AUTO CLEANUP(reader_freep)

// Returns the text of all nodes that an XPath expression finds, in document order, joined by single
// spaces; the caller frees it. NULL when it finds none.
char *reader_get(xmlXPathContextPtr reader, const char *path);

struct reader_fact {
    const char *label; // "memory"
    const char *path;  // XPath of it
    const char *unit;  // " KiB", or ""
};
// *ret_difference: "memory is '1 KiB', wanted '2 KiB'; ..." for each fact in which the two differ
// (caller frees), NULL when none does.
int reader_compare(const char *have, const char *want, const struct reader_fact *facts,
    size_t count, char **ret_difference, struct error *err);

// Returns an element as text; the caller frees it.
char *reader_print(xmlNodePtr node, bool indented);

// Returns the first <interface> of a domain's XML with its link up or down; the caller frees it.
// NULL when there is none.
char *reader_link(const char *domain_xml, bool up);

#endif
