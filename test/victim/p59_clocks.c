/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every clock: readable, monotone, resolution, the same in all variants when
 * it decides the path.
 */
#include "victim.h"
int main(void)
{
	static const clockid_t id[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
	struct timespec a, b;
	struct timeval tv;
	struct tms tms;
	struct rusage ru;
	clockid_t c;

	for (size_t i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
		OK(clock_getres(id[i], &a));
		CHECK(a.tv_sec == 0 && a.tv_nsec > 0);
		OK(clock_gettime(id[i], &a));
		for (int k = 0; k < 20; k++) {
			OK(clock_gettime(id[i], &b));
			CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
			if (b.tv_nsec & 64)
				getppid();
			a = b;
		}
	}
	FAILS(clock_gettime(99, &a), EINVAL);
	OK(gettimeofday(&tv, NULL));
	CHECK(llabs((long long)(tv.tv_sec - time(NULL))) <= 1);
	CHECK(times(&tms) != (clock_t)-1);
	OK(getrusage(RUSAGE_SELF, &ru));
	if (ru.ru_minflt & 1)
		getppid();
	OK(getrusage(RUSAGE_CHILDREN, &ru));
	CHECK(ru.ru_utime.tv_sec == 0);
	OK(getrusage(RUSAGE_THREAD, &ru));
	FAILS(getrusage(77, &ru), EINVAL);
	CHECK(clock() != (clock_t)-1);
	ZERO(clock_getcpuclockid(0, &c));
	OK(clock_gettime(c, &a));
	ZERO(pthread_getcpuclockid(pthread_self(), &c));
	OK(clock_gettime(c, &a));
	time_t t = 86400 * 365;
	printf("%s", asctime(gmtime(&t)));
	puts("clocks ok");
	return 0;
}
