// SPDX-License-Identifier: Apache-2.0
// netlink_floor.c - the bare kernel work of connecting a container, and nothing
// else: no lease, no record, no check, no lock. The floor that netsetup stands on.
//   netlink_floor bridge NAME               a bridge, up, with 10.210.0.1/16
//   netlink_floor add BRIDGE NETNS N        veth pair, address, route, one map element
//   netlink_floor del BRIDGE N              the map element and the veth pair
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

static char buffer[65536];
static size_t used, message;

static void put_raw(const void *data, size_t size) {
  memcpy(buffer + used, data, size);
  used += (size + 3) & ~(size_t)3;
  ((struct nlmsghdr *)(void *)(buffer + message))->nlmsg_len = (unsigned)(used - message);
}

static void begin(int type, int flags, const void *header, size_t size) {
  struct nlmsghdr h = {0};
  message = used;
  h.nlmsg_type = (unsigned short)type;
  h.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags);
  put_raw(&h, sizeof h);
  put_raw(header, size);
}

static size_t open_nest(int type) {
  struct nlattr a = {sizeof a, (unsigned short)(type | NLA_F_NESTED)};
  size_t at = used;
  put_raw(&a, sizeof a);
  return at;
}

static void close_nest(size_t at) {
  ((struct nlattr *)(void *)(buffer + at))->nla_len = (unsigned short)(used - at);
}

static void put(int type, const void *data, size_t size) {
  struct nlattr a = {(unsigned short)(sizeof a + size), (unsigned short)type};
  put_raw(&a, sizeof a);
  put_raw(data, size);
}

static void put_string(int type, const char *text) { put(type, text, strlen(text) + 1); }
static void put_u32(int type, unsigned value) { put(type, &value, 4); }

static int open_socket(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) perror("socket"), exit(1);
  return fd;
}

// Sends what was written; the first error that is not `ignored` ends the program.
static void send_all(int fd, const char *what, int ignored) {
  char answer[32768];
  ssize_t n;
  if (send(fd, buffer, used, 0) < 0) perror(what), exit(1);
  while ((n = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
    struct nlmsghdr *h = (struct nlmsghdr *)(void *)answer;
    for (unsigned left = (unsigned)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
      int error = h->nlmsg_type == NLMSG_ERROR ? -((struct nlmsgerr *)NLMSG_DATA(h))->error : 0;
      if (error && error != ignored) {
        fprintf(stderr, "%s: %s\n", what, strerror(error));
        exit(1);
      }
    }
  }
  used = 0;
}

static void link_header(int type, int flags, int index, unsigned state) {
  struct ifinfomsg i = {0};
  i.ifi_index = index;
  i.ifi_flags = i.ifi_change = state;
  begin(type, flags, &i, sizeof i);
}

static void add_address(unsigned index, unsigned ip, int length) {
  struct ifaddrmsg a = {AF_INET, (unsigned char)length, 0, 0, index};
  begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &a, sizeof a);
  put_u32(IFA_LOCAL, ip);
  put_u32(IFA_ADDRESS, ip);
}

static void nft(int type, int flags, int family, int resource) {
  struct nfgenmsg g = {(unsigned char)family, NFNETLINK_V0, htons((unsigned short)resource)};
  begin(type, flags, &g, sizeof g);
}
#define NFT(x) ((NFNL_SUBSYS_NFTABLES << 8) | (x))

static void element(int type, unsigned n) {
  unsigned char key[8] = {6}, data[8] = {10, 210, (unsigned char)(n >> 8), (unsigned char)n, 0, 80};
  key[4] = (unsigned char)((1024 + n) >> 8);
  key[5] = (unsigned char)(1024 + n);
  nft(NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES);
  nft(NFT(type), NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), 1, 0);
  put_string(NFTA_SET_ELEM_LIST_TABLE, "netlink_floor");
  put_string(NFTA_SET_ELEM_LIST_SET, "ports");
  size_t list = open_nest(NFTA_SET_ELEM_LIST_ELEMENTS), one = open_nest(NFTA_LIST_ELEM);
  size_t nest = open_nest(NFTA_SET_ELEM_KEY);
  put(NFTA_DATA_VALUE, key, 8);
  close_nest(nest);
  if (type == NFT_MSG_NEWSETELEM) {
    nest = open_nest(NFTA_SET_ELEM_DATA);
    put(NFTA_DATA_VALUE, data, 8);
    close_nest(nest);
  }
  close_nest(one);
  close_nest(list);
  nft(NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES);
}

static void make_bridge(const char *name) {
  int route = open_socket(NETLINK_ROUTE);
  link_header(RTM_NEWLINK, NLM_F_CREATE | NLM_F_ACK, 0, IFF_UP);
  put_string(IFLA_IFNAME, name);
  size_t info = open_nest(IFLA_LINKINFO);
  put_string(IFLA_INFO_KIND, "bridge");
  close_nest(info);
  send_all(route, "bridge", 0);
  add_address(if_nametoindex(name), htonl(0x0ad20001), 16);
  send_all(route, "bridge address", 17);
}

static void add(const char *bridge, const char *netns, unsigned n) {
  char name[16];
  int route = open_socket(NETLINK_ROUTE), filter = open_socket(NETLINK_NETFILTER);
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(netns, O_RDONLY | O_CLOEXEC);
  if (there < 0 || setns(there, CLONE_NEWNET)) perror(netns), exit(1);
  int inside = open_socket(NETLINK_ROUTE);
  if (setns(home, CLONE_NEWNET)) exit(1);
  element(NFT_MSG_NEWSETELEM, n);
  send_all(filter, "element", 0);
  snprintf(name, sizeof name, "fl%u", n);
  link_header(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0, IFF_UP);
  put_string(IFLA_IFNAME, name);
  put_u32(IFLA_MASTER, if_nametoindex(bridge));
  size_t info = open_nest(IFLA_LINKINFO);
  put_string(IFLA_INFO_KIND, "veth");
  size_t data = open_nest(IFLA_INFO_DATA), peer = open_nest(VETH_INFO_PEER);
  struct ifinfomsg i = {0};
  i.ifi_index = 2;
  put_raw(&i, sizeof i);
  put_string(IFLA_IFNAME, "eth0");
  put_u32(IFLA_NET_NS_FD, (unsigned)there);
  close_nest(peer);
  close_nest(data);
  close_nest(info);
  send_all(route, "veth", 0);
  link_header(RTM_NEWLINK, NLM_F_ACK, 1, IFF_UP);
  link_header(RTM_NEWLINK, NLM_F_ACK, 2, IFF_UP);
  add_address(2, htonl(0x0ad20000 + n), 16);
  struct rtmsg r = {AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST, 0};
  begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &r, sizeof r);
  put_u32(RTA_GATEWAY, htonl(0x0ad20001));
  put_u32(RTA_OIF, 2);
  send_all(inside, "inside", 0);
}

static void del(unsigned n) {
  char name[16];
  int route = open_socket(NETLINK_ROUTE), filter = open_socket(NETLINK_NETFILTER);
  element(NFT_MSG_DELSETELEM, n);
  send_all(filter, "element", 0);
  snprintf(name, sizeof name, "fl%u", n);
  link_header(RTM_DELLINK, NLM_F_ACK, 0, 0);
  put_string(IFLA_IFNAME, name);
  send_all(route, "delete", 0);
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "bridge"))
    make_bridge(argv[2]);
  else if (argc == 5 && !strcmp(argv[1], "add"))
    add(argv[2], argv[3], (unsigned)atoi(argv[4]));
  else if (argc == 4 && !strcmp(argv[1], "del"))
    del((unsigned)atoi(argv[3]));
  else
    return fprintf(stderr, "usage: netlink_floor bridge NAME | add BRIDGE NETNS N | del BRIDGE N\n"), 2;
  return 0;
}
