// writer.h - XML documents by libxml2's writer: indented, escaped, any text safe. Inside virt/
// only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_VIRT_WRITER_H
#define AIRBUILD_VIRT_WRITER_H

struct writer;

struct writer *writer_new(void);
void writer_open(struct writer *writer, const char *element);
void writer_close(struct writer *writer);
// An attribute of the element that was opened last; NULL value: none is written.
void writer_attribute(struct writer *writer, const char *name, const char *value);
void writer_attribute_uint(struct writer *writer, const char *name, unsigned long value);
// Text inside the element that was opened last.
void writer_content(struct writer *writer, const char *text);
// <element>text</element>; NULL text: nothing is written.
void writer_text(struct writer *writer, const char *element, const char *text);
// <element name="value" .../>: pairs up to a NULL name; a NULL value leaves its attribute out.
void writer_leaf(struct writer *writer, const char *element, ...) __attribute__((sentinel));
// The attributes of writer_leaf for the element that was opened last.
void writer_attributes(struct writer *writer, ...) __attribute__((sentinel));
// Ends the document: the text without an XML declaration, the caller frees it; writer is gone.
char *writer_finish(struct writer *writer);

#endif
