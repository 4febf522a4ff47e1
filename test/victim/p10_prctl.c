/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl settings read back as they were set, and survive or not over fork as
 * documented.
 */
#include "victim.h"
int main(void)
{
	char name[16];
	int v;

	OK(prctl(PR_SET_NAME, "a-very-long-name-indeed"));
	OK(prctl(PR_GET_NAME, name));
	printf("name %s\n", name);
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	OK(prctl(PR_SET_DUMPABLE, 0));
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	OK(prctl(PR_SET_DUMPABLE, 1));
	OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	OK(prctl(PR_GET_PDEATHSIG, &v));
	CHECK(v == SIGUSR1);
	REAP(CHILD({
		int w = 5;
		OK(prctl(PR_GET_PDEATHSIG, &w));
		CHECK(w == 0);
		OK(prctl(PR_GET_NAME, name));
		CHECK(strcmp(name, "a-very-long-nam") == 0);
	}));
	OK(prctl(PR_SET_KEEPCAPS, 1));
	CHECK(prctl(PR_GET_KEEPCAPS) == 1);
	OK(prctl(PR_SET_TIMERSLACK, 70000));
	CHECK(prctl(PR_GET_TIMERSLACK) == 70000);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	CHECK(v == 1);
	CHECK(prctl(PR_CAPBSET_READ, 0) == 0 || prctl(PR_CAPBSET_READ, 0) == 1);
	FAILS(prctl(PR_SET_PDEATHSIG, 999), EINVAL);
	FAILS(prctl(123456, 1, 2, 3, 4), EINVAL);
	FAILS(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
	FAILS(prctl(PR_GET_NAME, (char *)8), EFAULT);
	CHECK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0);
	return 0;
}
