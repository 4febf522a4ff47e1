/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and keyrings: add, search, read, describe, link, permissions, computing
 * with keys; in a session keyring of its own.
 */
#include "victim.h"
#include <linux/keyctl.h>

static long kc(int op, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, op, a, b, c, d);
}

int main(void)
{
	char b[256];
	int32_t key, ring;
	struct iovec iov[2] = { { "two ", 4 }, { "parts", 5 } };

	if (kc(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) < 0) {
		printf("no keys: %s\n", strerrorname_np(errno));
		return 0;
	}
	DOES(kc(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0));
	DOES(kc(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING - 100, 0, 0, 0));
	key = (int32_t)DOES(syscall(SYS_add_key, "user", "victim:a", "payload", 7, KEY_SPEC_SESSION_KEYRING));
	DOES(syscall(SYS_add_key, "nosuchtype", "victim:a", "payload", 7, KEY_SPEC_SESSION_KEYRING));
	DOES(syscall(SYS_add_key, "user", "victim:a", NULL, 0, KEY_SPEC_SESSION_KEYRING));
	DOES(syscall(SYS_add_key, "user", "victim:a", b, 2000000, KEY_SPEC_SESSION_KEYRING));
	DOES(syscall(SYS_add_key, "user", "victim:a", (void *)8, 5, KEY_SPEC_SESSION_KEYRING));
	ring = (int32_t)DOES(syscall(SYS_add_key, "keyring", "victim:ring", NULL, 0, KEY_SPEC_SESSION_KEYRING));
	CHECK(syscall(SYS_request_key, "user", "victim:a", NULL, 0) == key);
	DOES(syscall(SYS_request_key, "user", "victim:nosuch", NULL, 0));
	memset(b, 0x55, sizeof(b));
	SAYS(kc(KEYCTL_READ, key, (long)b, sizeof(b), 0));
	printf("  %.7s\n", b);
	SAYS(kc(KEYCTL_READ, key, (long)b, 3, 0));
	SAYS(kc(KEYCTL_READ, key, 0, 0, 0));
	SAYS(kc(KEYCTL_READ, 12345, (long)b, sizeof(b), 0) == -1);
	SAYS(kc(KEYCTL_DESCRIBE, key, (long)b, sizeof(b), 0) > 0);
	CHECK(strstr(b, "victim:a"));
	SAYS(kc(KEYCTL_UPDATE, key, (long)"new", 3, 0));
	SAYS(kc(KEYCTL_READ, key, (long)b, sizeof(b), 0));
	CHECK(kc(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user", (long)"victim:a", 0) == key);
	DOES(kc(KEYCTL_SEARCH, ring, (long)"user", (long)"victim:a", 0));
	SAYS(kc(KEYCTL_LINK, key, ring, 0, 0));
	SAYS(kc(KEYCTL_READ, ring, (long)b, sizeof(b), 0));
	CHECK(!memcmp(b, &key, 4));
	SAYS(kc(KEYCTL_UNLINK, key, KEY_SPEC_SESSION_KEYRING, 0, 0));
	SAYS(kc(KEYCTL_UNLINK, key, KEY_SPEC_SESSION_KEYRING, 0, 0));
	SAYS(kc(KEYCTL_MOVE, key, ring, KEY_SPEC_SESSION_KEYRING, 0));
	SAYS(kc(KEYCTL_SETPERM, key, 0x3f3f0000, 0, 0));
	SAYS(kc(KEYCTL_SETPERM, key, -1, 0, 0));
	SAYS(kc(KEYCTL_CHOWN, key, -1, -1, 0));
	SAYS(kc(KEYCTL_SET_TIMEOUT, key, 1000, 0, 0));
	DOES(kc(KEYCTL_GET_SECURITY, key, (long)b, sizeof(b), 0));
	SAYS(kc(KEYCTL_SET_REQKEY_KEYRING, -1, 0, 0, 0));
	SAYS(kc(KEYCTL_ASSUME_AUTHORITY, 0, 0, 0, 0));
	SAYS(kc(KEYCTL_INSTANTIATE, key, (long)"x", 1, ring));
	SAYS(kc(KEYCTL_INSTANTIATE_IOV, key, (long)iov, 2, ring));
	/* of the count the lower half is taken */
	SAYS(kc(KEYCTL_INSTANTIATE_IOV, key, (long)iov,
		((long)iov & ~0xffffffffl) | 2, ring));
	SAYS(kc(KEYCTL_NEGATE, key, 1, 0, 0));
	SAYS(kc(KEYCTL_REJECT, key, 1, EKEYREJECTED, 0));
	SAYS(kc(KEYCTL_RESTRICT_KEYRING, ring, 0, 0, 0));
	SAYS(kc(KEYCTL_CAPABILITIES, (long)b, 2, 0, 0));
	DOES(kc(KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_SESSION_KEYRING, 0, 0));
	struct {
		int32_t prime, base, priv;
	} dh = { key, key, key };
	DOES(kc(KEYCTL_DH_COMPUTE, (long)&dh, (long)b, sizeof(b), 0));
	DOES(kc(KEYCTL_PKEY_QUERY, key, 0, (long)"", (long)b));
	struct keyctl_pkey_params pk = { .key_id = key, .in_len = 4, .out_len = 64 };
	DOES(kc(KEYCTL_PKEY_SIGN, (long)&pk, (long)"enc=raw", (long)"data", (long)b));
	SAYS(kc(KEYCTL_CLEAR, ring, 0, 0, 0));
	SAYS(kc(KEYCTL_INVALIDATE, key, 0, 0, 0));
	SAYS(kc(KEYCTL_REVOKE, ring, 0, 0, 0));
	SAYS(kc(KEYCTL_READ, ring, (long)b, sizeof(b), 0));
	puts("keys ok");
	return 0;
}
