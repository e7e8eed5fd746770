// fault_virt.c - the points that are libvirt calls, and the connection they use; see fault.c.
// SPDX-License-Identifier: Apache-2.0
#include "fault.h"

#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

// A point that needs space. On a full disk it is called without an object: libvirt then sets an
// error of its own.
#define NEED_VIRT(type, function, name, object, call) \
    do {                                              \
        int number_ = fault_point(#function, name);   \
        if (fault_full())                             \
            object = NULL;                            \
        type result_ = REAL(function) call;           \
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
#define DEFINE_CALL(type, function)                        \
    type function(virConnectPtr conn, const char *xml)     \
    {                                                      \
        NEED_VIRT(type, function, "-", conn, (conn, xml)); \
    }
#define DEFINE_FLAGS_CALL(type, function)                              \
    type function(virConnectPtr conn, const char *xml, unsigned flags) \
    {                                                                  \
        NEED_VIRT(type, function, "-", conn, (conn, xml, flags));      \
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
DEFINE_CALL(virDomainPtr, virDomainDefineXML)
DEFINE_CALL(virNetworkPtr, virNetworkDefineXML)
DEFINE_FLAGS_CALL(virDomainPtr, virDomainDefineXMLFlags)
DEFINE_FLAGS_CALL(virNetworkPtr, virNetworkDefineXMLFlags)

int
virDomainCreate(virDomainPtr domain)
{
    NEED_VIRT(int, virDomainCreate, virDomainGetName(domain), domain, (domain));
}

int
virDomainCreateWithFlags(virDomainPtr domain, unsigned flags)
{
    NEED_VIRT(int, virDomainCreateWithFlags, virDomainGetName(domain), domain, (domain, flags));
}

int
virDomainSaveFlags(virDomainPtr domain, const char *to, const char *xml, unsigned flags)
{
    NEED_VIRT(int, virDomainSaveFlags, virDomainGetName(domain), domain, (domain, to, xml, flags));
}

int
virDomainRestoreFlags(virConnectPtr conn, const char *from, const char *xml, unsigned flags)
{
    NEED_VIRT(int, virDomainRestoreFlags, from, conn, (conn, from, xml, flags));
}

int
virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata, const char *key,
    const char *space, unsigned flags)
{
    NEED_VIRT(int, virDomainSetMetadata, virDomainGetName(domain), domain,
        (domain, type, metadata, key, space, flags));
}

int
virDomainSetAutostart(virDomainPtr domain, int on)
{
    NEED_VIRT(int, virDomainSetAutostart, virDomainGetName(domain), domain, (domain, on));
}

int
virNetworkCreate(virNetworkPtr network)
{
    NEED_VIRT(int, virNetworkCreate, virNetworkGetName(network), network, (network));
}

int
virNetworkSetAutostart(virNetworkPtr network, int on)
{
    NEED_VIRT(int, virNetworkSetAutostart, virNetworkGetName(network), network, (network, on));
}

virConnectPtr
virConnectOpen(const char *name)
{
    const char *uri = getenv("AIRBUILD_FAULT_URI");
    bool ours = uri != NULL && name != NULL && strncmp(name, "test:", strlen("test:")) == 0;
    return REAL(virConnectOpen)(ours ? uri : name);
}
