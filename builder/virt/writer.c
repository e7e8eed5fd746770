// writer.c - XML documents by libxml2's writer. Its calls fail only for want of memory here.
// SPDX-License-Identifier: Apache-2.0
#include "virt/writer.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/text.h"

#include <libxml/xmlwriter.h>
#include <stdarg.h>

struct writer {
    xmlBufferPtr buffer;
    xmlTextWriterPtr text;
};

static void
check_written(int result)
{
    if (result < 0)
        mem_exhausted();
}

struct writer *
writer_new(void)
{
    struct writer *writer = mem_zero(1, sizeof(*writer));
    writer->buffer = xmlBufferCreate();
    if (writer->buffer != NULL)
        writer->text = xmlNewTextWriterMemory(writer->buffer, 0);
    if (writer->text == NULL)
        mem_exhausted();
    check_written(xmlTextWriterSetIndent(writer->text, 1));
    check_written(xmlTextWriterSetIndentString(writer->text, BAD_CAST "  "));
    return writer;
}

char *
writer_finish(struct writer *writer)
{
    check_written(xmlTextWriterEndDocument(writer->text));
    xmlFreeTextWriter(writer->text);
    char *text = str_dup((const char *) xmlBufferContent(writer->buffer));
    xmlBufferFree(writer->buffer);
    free(writer);
    return text;
}

static void
start_element(struct writer *writer, const char *element, va_list attributes)
{
    check_written(xmlTextWriterStartElement(writer->text, BAD_CAST element));
    for (const char *name; (name = va_arg(attributes, const char *)) != NULL;) {
        const char *value = va_arg(attributes, const char *);
        if (value == NULL)
            continue;
        FREE_AUTO char *safe = text_clean(TEXT_XML, value);
        check_written(xmlTextWriterWriteAttribute(writer->text, BAD_CAST name, BAD_CAST safe));
    }
}

bool
writer_start(struct writer *writer, const char *element, ...)
{
    va_list attributes;
    va_start(attributes, element);
    start_element(writer, element, attributes);
    va_end(attributes);
    return true;
}

bool
writer_end(struct writer *writer)
{
    check_written(xmlTextWriterEndElement(writer->text));
    return false;
}

void
writer_leaf(struct writer *writer, const char *element, ...)
{
    va_list attributes;
    va_start(attributes, element);
    start_element(writer, element, attributes);
    va_end(attributes);
    writer_end(writer);
}

void
writer_text(struct writer *writer, const char *element, const char *text)
{
    if (text == NULL)
        return;
    FREE_AUTO char *safe = text_clean(TEXT_XML, text);
    check_written(xmlTextWriterWriteElement(writer->text, BAD_CAST element, BAD_CAST safe));
}

void
writer_content(struct writer *writer, const char *text)
{
    FREE_AUTO char *safe = text_clean(TEXT_XML, text);
    check_written(xmlTextWriterWriteString(writer->text, BAD_CAST safe));
}
