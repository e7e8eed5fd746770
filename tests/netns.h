// netns.h - a private network namespace: loopback, and a subnet in which every packet is lost.
// Needs root, or a kernel that permits user namespaces.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_TESTS_NETNS_H
#define AIRBUILD_TESTS_NETNS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// Reserved for documentation by RFC 5737; routed into a tunnel without a reader.
#define NETNS_HOLE "203.0.113.9"

static inline int
netns_up(const char *name, const char *address)
{
    struct ifreq request = {0};
    struct sockaddr_in *where = (void *) &request.ifr_addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), answer = 0;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (address != NULL) {
        where->sin_family = AF_INET;
        inet_pton(AF_INET, address, &where->sin_addr);
        answer = ioctl(fd, SIOCSIFADDR, &request);
        inet_pton(AF_INET, "255.255.255.0", &where->sin_addr);
        answer = answer == 0 ? ioctl(fd, SIOCSIFNETMASK, &request) : answer;
    }
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    answer = answer == 0 ? ioctl(fd, SIOCSIFFLAGS, &request) : answer;
    close(fd);
    return answer;
}

// The descriptor stays open to keep the tunnel.
static inline int
netns_hole(void)
{
    struct ifreq request = {.ifr_name = "hole0", .ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        return -1;
    return netns_up("hole0", "203.0.113.1");
}

// Enter a new network namespace, and ignore SIGPIPE as airbuild does. 0, or -1 with a message on
// standard error.
static inline int
netns_enter(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (unshare(CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) == 0 &&
        netns_up("lo", NULL) == 0 && netns_hole() == 0)
        return 0;
    fprintf(stderr, "cannot make a network namespace: %s\n", strerror(errno));
    return -1;
}

#endif
