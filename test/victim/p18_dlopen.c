/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading and unloading libraries at run time, by name and by path, with
 * failures.
 */
#include "victim.h"
int main(void)
{
	void *h;
	double (*fn)(double);

	for (int i = 0; i < 5; i++) {
		h = dlopen("libm.so.6", RTLD_NOW);
		CHECK(h);
		fn = (double (*)(double))dlsym(h, "cos");
		CHECK(fn && fn(0.0) == 1.0);
		CHECK(dlsym(h, "no_such_symbol") == NULL);
		CHECK(dlclose(h) == 0);
	}
	CHECK(dlopen("libdoes-not-exist.so", RTLD_NOW) == NULL);
	h = dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW);
	if (h) {
		fn = (double (*)(double))dlsym(h, "sqrt");
		CHECK(fn && fn(16.0) == 4.0);
		dlclose(h);
	}
	h = dlopen(NULL, RTLD_LAZY);
	CHECK(h && dlsym(h, "main") == NULL);
	puts("dlopen ok");
	return 0;
}
