// link.c - a domain's network cable, unplugged and plugged again while it runs.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "virt/internal.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>

static void
xml_free_doc(xmlDocPtr *document)
{
    xmlFreeDoc(*document);
}

static void
set_link(xmlNodePtr interface, bool up)
{
    xmlNodePtr link = interface->children;
    while (link != NULL && strcmp((const char *) link->name, "link") != 0)
        link = link->next;
    if (link == NULL)
        link = xmlNewChild(interface, NULL, BAD_CAST "link", NULL);
    if (link == NULL || xmlSetProp(link, BAD_CAST "state", BAD_CAST(up ? "up" : "down")) == NULL)
        mem_exhausted();
}

static char *
print_node(xmlDocPtr document, xmlNodePtr node)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, document, node, 0, 0) < 0)
        mem_exhausted();
    char *text = str_dup((const char *) xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

char *
link_xml(const char *domain_xml, bool up)
{
    CLEANUP(xml_free_doc)
    xmlDocPtr document = xmlReadMemory(domain_xml, (int) strlen(domain_xml), "libvirt.xml", NULL,
        XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
    xmlXPathContextPtr context = document != NULL ? xmlXPathNewContext(document) : NULL;
    if (context == NULL)
        return NULL;
    xmlXPathObjectPtr found =
        xmlXPathEvalExpression(BAD_CAST "/domain/devices/interface[1]", context);
    char *text = NULL;
    if (found != NULL && xmlXPathNodeSetGetLength(found->nodesetval) > 0) {
        set_link(found->nodesetval->nodeTab[0], up);
        text = print_node(document, found->nodesetval->nodeTab[0]);
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    return text;
}

static int
run_update_device(struct call *call, struct error *err)
{
    if (virDomainUpdateDeviceFlags(call->domain, call->text, VIR_DOMAIN_AFFECT_LIVE) < 0)
        return fault_set(err, "%s", call->what);
    return 0;
}

int
virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    CALL_AUTO struct call *found = NULL;
    if (domain_find(virt, cluster, name, &domain, err) < 0 ||
        domain_describe(domain, 0, &found, err) < 0)
        return -1;
    CALL_AUTO struct call *call = call_new(
        NULL, domain, NULL, "%s the network cable of '%s'", up ? "plugging" : "unplugging", name);
    call->text = link_xml(found->text, up);
    if (call->text == NULL)
        return error_set(err, ERR_CONFLICT,
            "the domain '%s' has no network interface to plug: destroy the cluster and launch it "
            "again",
            name);
    return call_run(&call, CALL_MS, run_update_device, err);
}
