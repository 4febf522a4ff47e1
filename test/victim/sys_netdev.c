/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctl family of network interfaces: names, flags, addresses, lists,
 * ethtool, ARP, queues.
 */
#include "victim.h"
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <net/route.h>
int main(void)
{
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0)), v = -1, i;
	struct ifreq r;
	struct ifconf c;
	struct ifreq list[32];
	struct sockaddr_in *in = (void *)&r.ifr_addr;
	char ip[32];

	memset(&r, 0x55, sizeof(r));
	strcpy(r.ifr_name, "lo");
	OK(ioctl(s, SIOCGIFINDEX, &r));
	i = r.ifr_ifindex;
	CHECK(i == (int)if_nametoindex("lo"));
	memset(&r, 0x55, sizeof(r));
	r.ifr_ifindex = i;
	OK(ioctl(s, SIOCGIFNAME, &r));
	CHECK(!strcmp(r.ifr_name, "lo"));
	OK(ioctl(s, SIOCGIFFLAGS, &r));
	CHECK(r.ifr_flags & IFF_LOOPBACK);
	OK(ioctl(s, SIOCGIFMTU, &r));
	printf("lo mtu %d\n", r.ifr_mtu);
	if (!ioctl(s, SIOCGIFADDR, &r))
		printf("lo %s\n", inet_ntop(AF_INET, &in->sin_addr, ip, 32));
	OK(ioctl(s, SIOCGIFHWADDR, &r));
	printf("lo type %d\n", r.ifr_hwaddr.sa_family);
	OK(ioctl(s, SIOCGIFTXQLEN, &r));
	OK(ioctl(s, SIOCGIFMETRIC, &r));
	strcpy(r.ifr_name, "nosuchdev");
	FAILS(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
	/* named in headers, but in no kernel */
	r.ifr_data = (void *)&r;
	i = ioctl(s, SIOCGIFENCAP, &r);
	printf("encapsulation %d %d", i, errno);
	i = ioctl(s, SIOCSIFENCAP, &r);
	printf(", %d %d", i, errno);
	i = ioctl(s, SIOCSIFENCAP, 8l);
	printf(", %d %d\n", i, errno);
	c.ifc_len = 0;
	c.ifc_req = NULL;
	OK(ioctl(s, SIOCGIFCONF, &c));
	CHECK(c.ifc_len % (int)sizeof(struct ifreq) == 0);
	c.ifc_len = sizeof(list);
	c.ifc_req = list;
	OK(ioctl(s, SIOCGIFCONF, &c));
	for (i = 0; i < c.ifc_len / (int)sizeof(struct ifreq); i++)
		printf("%s %s\n", list[i].ifr_name, inet_ntop(AF_INET,
		       &((struct sockaddr_in *)&list[i].ifr_addr)->sin_addr, ip, 32));
	/* ethtool */
	struct ethtool_value ev;
	memset(&ev, 0x33, sizeof(ev));
	strcpy(r.ifr_name, "lo");
	ev.cmd = ETHTOOL_GLINK;
	r.ifr_data = (void *)&ev;
	OK(ioctl(s, SIOCETHTOOL, &r));
	printf("link %u\n", ev.data);
	struct ethtool_drvinfo di;
	memset(&di, 0x44, sizeof(di));
	di.cmd = ETHTOOL_GDRVINFO;
	r.ifr_data = (void *)&di;
	i = ioctl(s, SIOCETHTOOL, &r);
	printf("drvinfo %d %s\n", i, i ? "" : di.driver);
	struct {
		struct ethtool_sset_info h;
		__u32 data[4];
	} ss = { .h = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES } };
	r.ifr_data = (void *)&ss;
	i = ioctl(s, SIOCETHTOOL, &r);
	if (!i && ss.h.sset_mask && ss.data[0] && ss.data[0] < 512) {
		struct ethtool_gstrings *gs = calloc(1, sizeof(*gs) + ss.data[0] * 32);
		unsigned int n = 0;

		gs->cmd = ETHTOOL_GSTRINGS;
		gs->string_set = ETH_SS_FEATURES;
		gs->len = ss.data[0];
		r.ifr_data = (void *)gs;
		OK(ioctl(s, SIOCETHTOOL, &r));
		for (unsigned int k = 0; k < gs->len * 32; k++)
			n = n * 31 + gs->data[k];
		printf("%u features, %08x\n", gs->len, n);
		struct ethtool_gfeatures *gf = calloc(1, sizeof(*gf) + 16 * sizeof(gf->features[0]));
		gf->cmd = ETHTOOL_GFEATURES;
		gf->size = 16;
		r.ifr_data = (void *)gf;
		OK(ioctl(s, SIOCETHTOOL, &r));
		for (n = 0, i = 0; i < (int)gf->size; i++)
			n += gf->features[i].available;
		printf("%u words %08x\n", gf->size, n);
	}
	/* lo has no rings: an answer of the kernel all the same, not ENOSYS */
	struct ethtool_rxnfc nfc;
	memset(&nfc, 0, sizeof(nfc));
	nfc.cmd = ETHTOOL_GRXRINGS;
	r.ifr_data = (void *)&nfc;
	i = ioctl(s, SIOCETHTOOL, &r);
	printf("rings %d %llu\n", i ? -errno : 0, i ? 0 : nfc.data);
	ev.cmd = 0xfff1;
	r.ifr_data = NULL;
	CHECK(ioctl(s, SIOCETHTOOL, &r) == -1);
	/* ARP, routes */
	struct arpreq a;
	memset(&a, 0, sizeof(a));
	((struct sockaddr_in *)&a.arp_pa)->sin_family = AF_INET;
	((struct sockaddr_in *)&a.arp_pa)->sin_addr.s_addr = htonl(0x7f000063);
	strcpy(a.arp_dev, "lo");
	printf("arp %d %d\n", ioctl(s, SIOCGARP, &a), errno);
	struct rtentry rt;
	memset(&rt, 0, sizeof(rt));
	rt.rt_dst.sa_family = AF_INET;
	rt.rt_dev = (char *)"nosuchdev";
	CHECK(ioctl(s, SIOCDELRT, &rt) == -1);
	printf("route %d\n", errno);
	/* queues */
	int p = OK(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t sl = sizeof(sa);
	OK(bind(p, (void *)&sa, sl));
	OK(listen(p, 1));
	OK(getsockname(p, (void *)&sa, &sl));
	int q = OK(socket(AF_INET, SOCK_STREAM, 0)), t;
	OK(connect(q, (void *)&sa, sl));
	t = OK(accept(p, NULL, NULL));
	CHECK(write(q, "hello", 5) == 5);
	char b[8];
	struct pollfd pf = { t, POLLIN, 0 };
	CHECK(poll(&pf, 1, 5000) == 1);
	OK(ioctl(t, SIOCINQ, &v));
	CHECK(v == 5);
	OK(ioctl(q, SIOCOUTQNSD, &v));
	CHECK(v == 0);
	OK(ioctl(t, SIOCATMARK, &v));
	CHECK(v == 0);
	CHECK(read(t, b, 8) == 5);
	puts("netdev ok");
	return 0;
}
