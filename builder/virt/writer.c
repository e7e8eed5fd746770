// writer.c - XML documents by libxml2's writer. Its calls fail only for want of memory here.
// SPDX-License-Identifier: Apache-2.0
#include "virt/writer.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <libxml/xmlwriter.h>
#include <stdarg.h>
#include <string.h>

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
    if (writer->buffer == NULL)
        mem_exhausted();
    writer->text = xmlNewTextWriterMemory(writer->buffer, 0);
    if (writer->text == NULL)
        mem_exhausted();
    check_written(xmlTextWriterSetIndent(writer->text, 1));
    check_written(xmlTextWriterSetIndentString(writer->text, BAD_CAST "  "));
    return writer;
}

// Length of the character that text begins with, 0 when XML cannot carry it.
static size_t
character_length(const char *text)
{
    const unsigned char *at = (const unsigned char *) text;
    if (at[0] < 0x20)
        return at[0] == '\t' || at[0] == '\n' || at[0] == '\r';
    if (at[0] == 0xef && at[1] == 0xbf && (at[2] == 0xbe || at[2] == 0xbf))
        return 0; // U+FFFE and U+FFFF
    return str_utf8(text);
}

// text with every byte that XML 1.0 cannot carry (section 2.2, Char) as U+FFFD; caller frees.
static char *
writer_safe(const char *text)
{
    struct buf safe = {0};
    while (*text != '\0') {
        size_t length = character_length(text);
        if (length > 0)
            buf_add_bytes(&safe, text, length);
        else
            buf_add(&safe, "\xef\xbf\xbd");
        text += length > 0 ? length : 1;
    }
    return buf_take(&safe);
}

void
writer_open(struct writer *writer, const char *element)
{
    check_written(xmlTextWriterStartElement(writer->text, BAD_CAST element));
}

void
writer_close(struct writer *writer)
{
    check_written(xmlTextWriterEndElement(writer->text));
}

void
writer_attribute(struct writer *writer, const char *name, const char *value)
{
    if (value == NULL)
        return;
    FREE_AUTO char *safe = writer_safe(value);
    check_written(xmlTextWriterWriteAttribute(writer->text, BAD_CAST name, BAD_CAST safe));
}

void
writer_attribute_uint(struct writer *writer, const char *name, unsigned long value)
{
    FREE_AUTO char *text = str_format("%lu", value);
    writer_attribute(writer, name, text);
}

void
writer_text(struct writer *writer, const char *element, const char *text)
{
    if (text == NULL)
        return;
    FREE_AUTO char *safe = writer_safe(text);
    check_written(xmlTextWriterWriteElement(writer->text, BAD_CAST element, BAD_CAST safe));
}

void
writer_content(struct writer *writer, const char *text)
{
    FREE_AUTO char *safe = writer_safe(text);
    check_written(xmlTextWriterWriteString(writer->text, BAD_CAST safe));
}

static void
write_pairs(struct writer *writer, va_list pairs)
{
    for (const char *name; (name = va_arg(pairs, const char *)) != NULL;)
        writer_attribute(writer, name, va_arg(pairs, const char *));
}

void
writer_leaf(struct writer *writer, const char *element, ...)
{
    va_list pairs;
    va_start(pairs, element);
    writer_open(writer, element);
    write_pairs(writer, pairs);
    writer_close(writer);
    va_end(pairs);
}

void
writer_attributes(struct writer *writer, ...)
{
    va_list pairs;
    va_start(pairs, writer);
    write_pairs(writer, pairs);
    va_end(pairs);
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
