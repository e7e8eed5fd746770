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

struct linking {
    virDomainPtr domain;
    char *what, *xml;
};

static int
linking_run(void *argument, struct error *err)
{
    struct linking *linking = argument;
    if (virDomainUpdateDeviceFlags(linking->domain, linking->xml, VIR_DOMAIN_AFFECT_LIVE) < 0)
        return fault_set(err, "%s", linking->what);
    return 0;
}

static void
linking_release(void *argument)
{
    struct linking *linking = argument;
    virDomainFree(linking->domain);
    free(linking->what);
    free(linking->xml);
    free(linking);
}

static int
update(virDomainPtr domain, const char *what, const char *xml, struct error *err)
{
    struct linking *linking = mem_zero(1, sizeof(*linking));
    virDomainRef(domain);
    *linking = (struct linking){domain, str_dup(what), str_dup(xml)};
    if (call_run(what, CALL_MS, linking_run, linking, linking_release, err) < 0)
        return -1;
    linking_release(linking);
    return 0;
}

int
virt_domain_link(
    struct virt *virt, const char *cluster, const char *name, bool up, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_find(virt, cluster, name, &domain, err) < 0)
        return -1;
    FREE_AUTO char *whole = virDomainGetXMLDesc(domain, 0);
    if (whole == NULL)
        return fault_set(err, "cannot look at the domain '%s'", name);
    FREE_AUTO char *xml = link_xml(whole, up);
    if (xml == NULL)
        return error_set(err, ERR_CONFLICT,
            "the domain '%s' has no network interface to plug: destroy the cluster and launch it "
            "again",
            name);
    FREE_AUTO char *what =
        str_format("%s the network cable of '%s'", up ? "plugging" : "unplugging", name);
    return update(domain, what, xml, err);
}
