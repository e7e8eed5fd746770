// domain.c - which domains there are, whose they are, how they are; defining one.
// SPDX-License-Identifier: Apache-2.0
#include "virt/domain.h"

#include "base/cleanup.h"
#include "virt/internal.h"
#include "virt/reader.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// ---- whose -------------------------------------------------------------------------------------

#define MARK "/domain/metadata/*[local-name()='node' and namespace-uri()='" VIRT_NAMESPACE "']"

// Fills what our metadata say, the disk, and whose it is.
static int
read_mark(
    const struct virt *virt, virDomainPtr domain, struct virt_domain_info *info, struct error *err)
{
    READER_AUTO struct reader *reader = NULL;
    const char *name = virDomainGetName(domain);
    FREE_AUTO char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    if (xml == NULL)
        return fault_set(err, "cannot look at the domain '%s'", name);
    if (reader_new(xml, &reader, err) < 0)
        return -1;
    info->cluster = reader_get(reader, MARK "/@cluster");
    info->id = reader_get(reader, MARK "/@id");
    info->folder = reader_get(reader, MARK "/@folder");
    info->role = reader_get(reader, MARK "/@role");
    info->spec = reader_get(reader, MARK "/@spec");
    info->image = reader_get(reader, MARK "/@image");
    info->disk = reader_get(reader, "(/domain/devices/disk)[1]/source/@file");
    const struct mark mark = {info->cluster, info->id, info->folder};
    info->ours = owner_has(virt, &mark, info->disk);
    return 0;
}

static int
check_domain_owner(
    const struct virt *virt, virDomainPtr domain, const char *cluster, struct error *err)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {.reason = ""};
    if (read_mark(virt, domain, &info, err) < 0)
        return -1;
    const struct mark mark = {info.cluster, info.id, info.folder};
    if (!info.ours || (cluster != NULL && !str_equal(info.cluster, cluster)))
        return fault_foreign(err, "domain", virDomainGetName(domain), &mark, cluster);
    return 0;
}

static int
lookup_domain(struct virt *virt, const char *name, virDomainPtr *ret, struct error *err)
{
    *ret = virDomainLookupByName(virt->conn, name);
    if (*ret == NULL && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        return fault_set(err, "cannot look for the domain '%s'", name);
    return 0;
}

int
domain_seek(
    struct virt *virt, const char *cluster, const char *name, virDomainPtr *ret, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (lookup_domain(virt, name, &domain, err) < 0)
        return -1;
    if (domain != NULL && check_domain_owner(virt, domain, cluster, err) < 0)
        return -1;
    *ret = TAKE(domain);
    return 0;
}

int
domain_find(
    struct virt *virt, const char *cluster, const char *name, virDomainPtr *ret, struct error *err)
{
    if (domain_seek(virt, cluster, name, ret, err) < 0)
        return -1;
    if (*ret == NULL)
        return error_set(err, ERR_NOT_FOUND,
            "there is no domain '%s': 'airbuild launch' makes what is missing", name);
    return 0;
}

// ---- how ---------------------------------------------------------------------------------------

int
domain_condition(virDomainPtr domain, struct condition *ret, struct error *err)
{
    const char *name = virDomainGetName(domain);
    int state, reason;
    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return fault_set(err, "cannot ask for the state of '%s'", name);
    *ret = state_of(state, reason);
    return 0;
}

int
domain_state(virDomainPtr domain, enum virt_state *ret, const char **ret_reason, struct error *err)
{
    struct condition condition;
    if (domain_condition(domain, &condition, err) < 0)
        return -1;
    *ret = condition.state;
    if (ret_reason != NULL)
        *ret_reason = condition.reason;
    return 0;
}

static int
fill_info(
    const struct virt *virt, virDomainPtr domain, struct virt_domain_info *info, struct error *err)
{
    struct condition condition;
    info->name = str_dup(virDomainGetName(domain));
    if (domain_condition(domain, &condition, err) < 0 || read_mark(virt, domain, info, err) < 0)
        return -1;
    info->state = condition.state;
    info->reason = condition.reason;
    info->held = condition.held;
    info->saved = virDomainHasManagedSaveImage(domain, 0) == 1;
    return 0;
}

int
virt_domain_look(
    struct virt *virt, const char *name, struct virt_domain_info *ret, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {.state = VIRT_ABSENT, .reason = ""};
    if (lookup_domain(virt, name, &domain, err) < 0)
        return -1;
    if (domain == NULL)
        info.name = str_dup(name);
    else if (fill_info(virt, domain, &info, err) < 0)
        return -1;
    *ret = info;
    info = (struct virt_domain_info){0};
    return 0;
}

void
virt_domain_info_free(struct virt_domain_info *info)
{
    free(info->name);
    free(info->cluster);
    free(info->id);
    free(info->folder);
    free(info->disk);
    free(info->role);
    free(info->spec);
    free(info->image);
    *info = (struct virt_domain_info){0};
}

// ---- all of them -------------------------------------------------------------------------------

static int
compare_names(const void *a, const void *b)
{
    const struct virt_domain_info *one = a, *other = b;
    return strcmp(one->name, other->name);
}

static bool
is_listed(const struct virt_domain_info *info, const char *cluster)
{
    return cluster == NULL ? info->cluster != NULL
                           : info->ours && str_equal(info->cluster, cluster);
}

// One that vanished since it was listed is left out.
static int
add_if_listed(const struct virt *virt, virDomainPtr domain, const char *cluster,
    struct virt_domain_list *list, struct error *err)
{
    VIRT_DOMAIN_INFO_AUTO struct virt_domain_info info = {.reason = ""};
    if (fill_info(virt, domain, &info, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    if (!is_listed(&info, cluster))
        return 0;
    list->items[list->count++] = info;
    info = (struct virt_domain_info){0};
    return 0;
}

int
virt_domain_list(
    struct virt *virt, const char *cluster, struct virt_domain_list *ret, struct error *err)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(virt->conn, &domains, 0);
    if (count < 0)
        return fault_set(err, "cannot list the domains");
    VIRT_DOMAIN_LIST_AUTO struct virt_domain_list list = {0};
    list.items = mem_zero((size_t) count + 1, sizeof(*list.items));
    int result = 0;
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = add_if_listed(virt, domains[i], cluster, &list, err);
        virDomainFree(domains[i]);
    }
    free(domains);
    if (result < 0)
        return -1;
    qsort(list.items, list.count, sizeof(*list.items), compare_names);
    *ret = list;
    list = (struct virt_domain_list){0};
    return 0;
}

void
virt_domain_list_free(struct virt_domain_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        virt_domain_info_free(&list->items[i]);
    free(list->items);
    *list = (struct virt_domain_list){0};
}

// ---- define ------------------------------------------------------------------------------------

// What a user would call a difference. What libvirt itself fills in or rewrites is not among it.
static const struct reader_fact facts[] = {
    {"cluster's id", "/domain/metadata/*[local-name()='node']/@id", ""},
    {"what it was made from", "/domain/metadata/*[local-name()='node']/@spec", ""},
    {"image", "/domain/metadata/*[local-name()='node']/@image", ""},
    {"memory", "/domain/memory", " KiB"},
    {"number of processors", "/domain/vcpu/@current | /domain/vcpu[not(@current)]", ""},
    {"accelerator", "/domain/@type", ""},
    {"kernel", "/domain/os/kernel", ""},
    {"initrd", "/domain/os/initrd", ""},
    {"kernel command line", "/domain/os/cmdline", ""},
    {"disks", "/domain/devices/disk/source/@file", ""},
    {"backing files", "/domain/devices/disk//backingStore/source/@file", ""},
    {"MAC address", "/domain/devices/interface/mac/@address", ""},
    {"network", "/domain/devices/interface/source/@network", ""},
    {"bridge", "/domain/devices/interface[@type='bridge']/source/@bridge", ""},
    {"console log", "/domain/devices/serial/log/@file", ""},
};

int
virt_domain_compare(
    struct virt *virt, const struct virt_domain *wanted, char **ret_difference, struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    if (domain_find(virt, wanted->cluster, wanted->name, &domain, err) < 0)
        return -1;
    FREE_AUTO char *have = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    if (have == NULL)
        return fault_set(err, "cannot look at the domain '%s'", wanted->name);
    FREE_AUTO char *want = virt_domain_xml(wanted);
    return reader_compare(have, want, facts, COUNT(facts), ret_difference, err);
}

struct defining {
    virConnectPtr conn;
    char *name, *xml;
};

static int
defining_run(void *argument, struct error *err)
{
    struct defining *defining = argument;
    virDomainPtr domain =
        virDomainDefineXMLFlags(defining->conn, defining->xml, VIR_DOMAIN_DEFINE_VALIDATE);
    if (domain == NULL)
        return fault_set(err, "cannot define the domain '%s'", defining->name);
    virDomainFree(domain);
    return 0;
}

static void
defining_release(void *argument)
{
    struct defining *defining = argument;
    virConnectClose(defining->conn);
    free(defining->name);
    free(defining->xml);
    free(defining);
}

static int
define_xml(struct virt *virt, const struct virt_domain *domain, struct error *err)
{
    struct defining *defining = mem_zero(1, sizeof(*defining));
    virConnectRef(virt->conn);
    defining->conn = virt->conn;
    defining->name = str_dup(domain->name);
    defining->xml = virt_domain_xml(domain);
    FREE_AUTO char *what = str_format("defining the domain '%s'", domain->name);
    if (call_run(what, CALL_MS, defining_run, defining, defining_release, err) < 0)
        return -1;
    defining_release(defining);
    return 0;
}

int
virt_domain_define(struct virt *virt, const struct virt_domain *wanted, struct error *err)
{
    DOMAIN_AUTO virDomainPtr old = NULL;
    char uuid[VIR_UUID_STRING_BUFLEN];
    struct virt_domain domain = *wanted;
    if (domain_seek(virt, wanted->cluster, wanted->name, &old, err) < 0)
        return -1;
    if (old != NULL && domain.uuid == NULL) {
        if (virDomainGetUUIDString(old, uuid) < 0)
            return fault_set(err, "cannot look at the domain '%s'", wanted->name);
        domain.uuid = uuid;
    }
    return define_xml(virt, &domain, err);
}
