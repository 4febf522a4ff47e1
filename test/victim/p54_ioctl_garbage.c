/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of ioctl that are partly filled in, with an address of the variant's in
 * the rest: tar's question whether an archive is a tape, snmpd's about a PHY.
 */
#include "victim.h"

#include <linux/sockios.h>
#include <sys/mtio.h>

int main(void)
{
	uintptr_t garbage = (uintptr_t)&garbage * 0x10001;
	int file = OK(open("f", O_CREAT | O_RDWR, 0600));
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0)), disk;
	struct ifreq r;
	struct mtop m;

	for (unsigned int i = 0; i + sizeof(garbage) <= sizeof(m);
	     i += sizeof(garbage))
		memcpy((char *)&m + i, &garbage, sizeof(garbage));
	m.mt_op = MTBSF;
	m.mt_count = 1;
	FAILS(ioctl(file, MTIOCTOP, &m), ENOTTY);
	/* what mkfs asks every disk: CDROM_LAST_WRITTEN */
	if ((disk = open("/dev/loop0", O_RDONLY)) >= 0)
		SAYS(ioctl(disk, 0x5395, &m));
	/* "lo" has none */
	for (unsigned int i = 0; i + sizeof(garbage) <= sizeof(r);
	     i += sizeof(garbage))
		memcpy((char *)&r + i, &garbage, sizeof(garbage));
	strcpy(r.ifr_name, "lo");
	SAYS(ioctl(s, SIOCGMIIPHY, &r));
	OK(unlink("f"));
	puts("garbage ignored");
	return 0;
}
