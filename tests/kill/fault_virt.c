// fault_virt.c - the calls of libvirt that are points, and the connection that they go through; see
// fault.c.
// SPDX-License-Identifier: Apache-2.0
#include "fault.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

// What needs space fails with an error of libvirt's own: that of a call without an object.
#define NEED_VIRT(type, name, subject, failing, call) \
    do {                                              \
        int number_ = fault_point(name, subject);     \
        if (fault_full())                             \
            return failing;                           \
        type result_ = call;                          \
        fault_passed(number_);                        \
        return result_;                               \
    } while (0)

#define DOMAIN_CALL(function)                                                   \
    int function(virDomainPtr domain)                                           \
    {                                                                           \
        PASS(int, #function, virDomainGetName(domain), REAL(function)(domain)); \
    }
#define DOMAIN_FLAGS_CALL(function)                                                    \
    int function(virDomainPtr domain, unsigned flags)                                  \
    {                                                                                  \
        PASS(int, #function, virDomainGetName(domain), REAL(function)(domain, flags)); \
    }
#define NETWORK_CALL(function)                                                     \
    int function(virNetworkPtr network)                                            \
    {                                                                              \
        PASS(int, #function, virNetworkGetName(network), REAL(function)(network)); \
    }

DOMAIN_CALL(virDomainSuspend)
DOMAIN_CALL(virDomainResume)
DOMAIN_CALL(virDomainShutdown)
DOMAIN_CALL(virDomainDestroy)
DOMAIN_CALL(virDomainUndefine)
DOMAIN_FLAGS_CALL(virDomainDestroyFlags)
DOMAIN_FLAGS_CALL(virDomainUndefineFlags)
DOMAIN_FLAGS_CALL(virDomainShutdownFlags)
DOMAIN_FLAGS_CALL(virDomainManagedSave)
DOMAIN_FLAGS_CALL(virDomainManagedSaveRemove)
NETWORK_CALL(virNetworkDestroy)
NETWORK_CALL(virNetworkUndefine)

int
virDomainCreate(virDomainPtr domain)
{
    NEED_VIRT(int, "virDomainCreate", virDomainGetName(domain), REAL(virDomainCreate)(NULL),
        REAL(virDomainCreate)(domain));
}

int
virDomainCreateWithFlags(virDomainPtr domain, unsigned flags)
{
    NEED_VIRT(int, "virDomainCreateWithFlags", virDomainGetName(domain),
        REAL(virDomainCreateWithFlags)(NULL, 0), REAL(virDomainCreateWithFlags)(domain, flags));
}

virDomainPtr
virDomainDefineXML(virConnectPtr conn, const char *xml)
{
    NEED_VIRT(virDomainPtr, "virDomainDefineXML", "-", REAL(virDomainDefineXML)(NULL, xml),
        REAL(virDomainDefineXML)(conn, xml));
}

virDomainPtr
virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned flags)
{
    NEED_VIRT(virDomainPtr, "virDomainDefineXMLFlags", "-",
        REAL(virDomainDefineXMLFlags)(NULL, xml, flags),
        REAL(virDomainDefineXMLFlags)(conn, xml, flags));
}

int
virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata, const char *key,
    const char *space, unsigned flags)
{
    NEED_VIRT(int, "virDomainSetMetadata", virDomainGetName(domain),
        REAL(virDomainSetMetadata)(NULL, type, metadata, key, space, flags),
        REAL(virDomainSetMetadata)(domain, type, metadata, key, space, flags));
}

int
virDomainSetAutostart(virDomainPtr domain, int on)
{
    NEED_VIRT(int, "virDomainSetAutostart", virDomainGetName(domain),
        REAL(virDomainSetAutostart)(NULL, on), REAL(virDomainSetAutostart)(domain, on));
}

int
virNetworkCreate(virNetworkPtr network)
{
    NEED_VIRT(int, "virNetworkCreate", virNetworkGetName(network), REAL(virNetworkCreate)(NULL),
        REAL(virNetworkCreate)(network));
}

virNetworkPtr
virNetworkDefineXML(virConnectPtr conn, const char *xml)
{
    NEED_VIRT(virNetworkPtr, "virNetworkDefineXML", "-", REAL(virNetworkDefineXML)(NULL, xml),
        REAL(virNetworkDefineXML)(conn, xml));
}

virNetworkPtr
virNetworkDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned flags)
{
    NEED_VIRT(virNetworkPtr, "virNetworkDefineXMLFlags", "-",
        REAL(virNetworkDefineXMLFlags)(NULL, xml, flags),
        REAL(virNetworkDefineXMLFlags)(conn, xml, flags));
}

int
virNetworkSetAutostart(virNetworkPtr network, int on)
{
    NEED_VIRT(int, "virNetworkSetAutostart", virNetworkGetName(network),
        REAL(virNetworkSetAutostart)(NULL, on), REAL(virNetworkSetAutostart)(network, on));
}

virConnectPtr
virConnectOpen(const char *name)
{
    const char *uri = getenv("AIRBUILD_FAULT_URI");
    bool ours = uri != NULL && name != NULL && strncmp(name, "test:", strlen("test:")) == 0;
    return REAL(virConnectOpen)(ours ? uri : name);
}
