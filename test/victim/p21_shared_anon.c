/* SPDX-License-Identifier: Apache-2.0 */
/* Shared anonymous memory among a family, with futexes in it. */
#include "victim.h"
int main(void)
{
	struct shm { sem_t a, b; int n; char text[64]; } *s;

	s = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	OK(sem_init(&s->a, 1, 0));
	OK(sem_init(&s->b, 1, 0));
	pid_t p = CHILD({
		for (int i = 0; i < 50; i++) {
			OK(sem_wait(&s->a));
			s->n++;
			OK(sem_post(&s->b));
		}
		REAP(CHILD(strcpy(s->text, "grandchild")));
	});
	for (int i = 0; i < 50; i++) {
		CHECK(s->n == i);
		OK(sem_post(&s->a));
		OK(sem_wait(&s->b));
	}
	REAP(p);
	printf("%d %s\n", s->n, s->text);
	return 0;
}
