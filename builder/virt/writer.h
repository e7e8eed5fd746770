// writer.h - XML documents by libxml2's writer: indented, escaped, any text safe. Inside virt/
// only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_WRITER_H
#define AIRBUILD_VIRT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

struct writer;
struct writer *writer_new(void);
// Ends the document. Returns its text without an XML declaration; the caller frees it. Frees
// writer.
char *writer_finish(struct writer *writer);

// XML_ELEMENT(writer, "disk", "type", "file") { ... } writes the element with its attributes, given
// as pairs of name and value, around what the block writes. A NULL value leaves its attribute out.
// The block must not be left early. (Starting returns true and ending false, for the macro.)
#define XML_ELEMENT(...) XML_ELEMENT_AT(__LINE__, __VA_ARGS__)
#define XML_ELEMENT_AT(line, ...) XML_ELEMENT_IN(line, __VA_ARGS__)
#define XML_ELEMENT_IN(line, writer, ...)                                              \
    for (bool in_##line = writer_start(writer, __VA_ARGS__, (char *) NULL); in_##line; \
         in_##line = writer_end(writer))
bool writer_start(struct writer *writer, const char *element, ...) __attribute__((sentinel));
bool writer_end(struct writer *writer);

// An element without content, <element name="value" .../>: pairs up to a NULL name, as above.
void writer_leaf(struct writer *writer, const char *element, ...) __attribute__((sentinel));
// <element>text</element>; NULL text: writes nothing.
void writer_text(struct writer *writer, const char *element, const char *text);
// Text inside the element that was started last.
void writer_content(struct writer *writer, const char *text);

#endif
