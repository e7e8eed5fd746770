// reader.c - see reader.h; by libxml2's XPath.
// SPDX-License-Identifier: Apache-2.0
#include "virt/reader.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <libxml/parser.h>
#include <string.h>

// libxml2's handlers may no longer change the error since 2.12.
#if LIBXML_VERSION >= 21200
typedef const xmlError *reader_error;
#else
typedef xmlErrorPtr reader_error;
#endif

static void
ignore_error(void *context, reader_error error)
{
    (void) context;
    (void) error;
}

int
reader_new(const char *xml, xmlXPathContextPtr *ret, struct error *err)
{
    xmlDocPtr document = xmlReadMemory(xml, (int) strlen(xml), "libvirt.xml", NULL,
        XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
    if (document == NULL)
        return error_set(err, ERR_LIBVIRT, "libvirt sent a description that is not XML");
    *ret = xmlXPathNewContext(document);
    if (*ret == NULL)
        mem_exhausted();
    (*ret)->error = ignore_error;
    return 0;
}

void
reader_freep(xmlXPathContextPtr *reader)
{
    if (*reader == NULL)
        return;
    xmlDocPtr document = (*reader)->doc;
    xmlXPathFreeContext(*reader);
    xmlFreeDoc(document);
}

char *
reader_get(xmlXPathContextPtr reader, const char *path)
{
    xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST path, reader);
    struct buf text = {0};
    int count = found != NULL ? xmlXPathNodeSetGetLength(found->nodesetval) : 0;
    for (int i = 0; i < count; i++) {
        xmlChar *content = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
        buf_printf(&text, "%s%s", text.length > 0 ? " " : "",
            content != NULL ? (const char *) content : "");
        xmlFree(content);
    }
    xmlXPathFreeObject(found);
    return count > 0 ? buf_take(&text) : NULL;
}

static void
add_value(struct buf *text, const char *value, const char *unit)
{
    if (value == NULL)
        buf_add(text, "none");
    else
        buf_printf(text, "'%s%s'", value, unit);
}

int
reader_compare(const char *have, const char *want, const struct reader_fact *facts, size_t count,
    char **ret_difference, struct error *err)
{
    READER_AUTO xmlXPathContextPtr before = NULL;
    READER_AUTO xmlXPathContextPtr after = NULL;
    if (reader_new(have, &before, err) < 0 || reader_new(want, &after, err) < 0)
        return -1;
    BUF_AUTO struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        FREE_AUTO char *old = reader_get(before, facts[i].path);
        FREE_AUTO char *new = reader_get(after, facts[i].path);
        if (str_equal(old, new))
            continue;
        buf_printf(&text, "%s%s is ", text.length > 0 ? "; " : "", facts[i].label);
        add_value(&text, old, facts[i].unit);
        buf_add(&text, ", wanted ");
        add_value(&text, new, facts[i].unit);
    }
    *ret_difference = text.length > 0 ? buf_take(&text) : NULL;
    return 0;
}

char *
reader_print(xmlNodePtr node, bool indented)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, node->doc, node, 0, indented) < 0)
        mem_exhausted();
    char *text = str_dup((const char *) xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

char *
reader_link(const char *domain_xml, bool up)
{
    READER_AUTO xmlXPathContextPtr reader = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (reader_new(domain_xml, &reader, &ignored) < 0)
        return NULL;
    xmlXPathObjectPtr found =
        xmlXPathEvalExpression(BAD_CAST "/domain/devices/interface[1]", reader);
    char *text = NULL;
    if (found != NULL && xmlXPathNodeSetGetLength(found->nodesetval) > 0) {
        xmlNodePtr interface = found->nodesetval->nodeTab[0];
        xmlNodePtr link = interface->children;
        while (link != NULL && !str_equal((const char *) link->name, "link"))
            link = link->next;
        if (link == NULL)
            link = xmlNewChild(interface, NULL, BAD_CAST "link", NULL);
        if (link == NULL ||
            xmlSetProp(link, BAD_CAST "state", BAD_CAST(up ? "up" : "down")) == NULL)
            mem_exhausted();
        text = reader_print(interface, false);
    }
    xmlXPathFreeObject(found);
    return text;
}
