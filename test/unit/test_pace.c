// SPDX-License-Identifier: Apache-2.0
/*
 * When followers stay awake: what the leader makes of its measurements.
 */
#include <criterion/criterion.h>

#include "pace.h"

/* n measurements, of which a number awake; asleep and awake they take so long. */
static unsigned int awake_of(struct ipmon_pace *p, unsigned int n, int *awake,
			     uint64_t asleep_takes, uint64_t awake_takes)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		sum += (unsigned int)*awake;
		*awake = pace_measured(p, *awake ? awake_takes : asleep_takes,
				       *awake);
	}
	return sum;
}

Test(pace, the_faster_way_is_kept)
{
	struct ipmon_pace p = { 0 };
	int awake = 0;

	awake_of(&p, 8, &awake, 3000, 2000);
	cr_expect(awake);
	cr_expect(awake_of(&p, 1000, &awake, 3000, 2000) > 950);
	/* and is left when it no longer is the faster one */
	awake_of(&p, 70, &awake, 2000, 3000);
	cr_expect_not(awake);
	cr_expect(awake_of(&p, 1000, &awake, 2000, 3000) < 50);
	/* and taken up again */
	awake_of(&p, 70, &awake, 3000, 2000);
	cr_expect(awake);
}

Test(pace, who_gains_nothing_sleeps)
{
	struct ipmon_pace p = { 0 };
	int awake = 0;

	cr_expect(awake_of(&p, 1000, &awake, 2000, 1990) < 50);
	/* once awake, too */
	awake_of(&p, 70, &awake, 2000, 1000);
	cr_expect(awake);
	awake_of(&p, 70, &awake, 2000, 1990);
	cr_expect_not(awake);
}

/* The peers had nothing to ask for once in a while: whatever was measured then. */
Test(pace, a_pause_is_no_answer)
{
	for (unsigned int pause = 0; pause < 70; pause++) {
		for (int what = 0; what < 2; what++) {
			const uint64_t asleep = what ? 3000 : 2000,
				       up = what ? 2000 : 3000;
			struct ipmon_pace p = { 0 };
			unsigned int wrong = 0;
			int awake = 0;

			awake_of(&p, 100, &awake, asleep, up);
			for (unsigned int i = 0; i < 300; i++) {
				wrong += awake != what;
				awake = pace_measured(&p, i == pause ? 1000000 :
						      awake ? up : asleep,
						      awake);
			}
			cr_expect(wrong < 30, "%u: %u", pause, wrong);
		}
	}
}
