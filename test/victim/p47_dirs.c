/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories: reading, seeking, rewinding, telldir, scandir, removal while
 * reading, many entries.
 */
#include "victim.h"
static int cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}
static int visits;
static int visit(const char *p, const struct stat *st, int flag, struct FTW *f)
{
	visits += f->level;
	return 0;
}

int main(void)
{
	DIR *d;
	struct dirent *e, **list;
	int n = 0, sum = 0;
	char name[64];
	long pos;

	OK(mkdir("many", 0755));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "many/entry-%d-%s", i, i % 3 ? "short" : "somewhat-longer-name");
		if (i % 10 == 0)
			OK(mkdir(name, 0755));
		else
			close(OK(open(name, O_CREAT | O_WRONLY, 0644)));
	}
	d = opendir("many");
	while ((e = readdir(d))) {
		n++;
		sum += e->d_type == DT_DIR;
	}
	printf("%d entries, %d directories\n", n, sum);
	rewinddir(d);
	e = readdir(d);
	pos = telldir(d);
	e = readdir(d);
	strcpy(name, e->d_name);
	for (int i = 0; i < 100; i++)
		readdir(d);
	seekdir(d, pos);
	e = readdir(d);
	CHECK(strcmp(e->d_name, name) == 0);
	closedir(d);
	n = scandir("many", &list, NULL, cmp);
	printf("%s %s %s\n", list[2]->d_name, list[500]->d_name, list[n - 1]->d_name);
	CHECK(nftw(".", visit, 10, FTW_PHYS) == 0);
	printf("visits %d\n", visits);
	d = opendir("many");
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && e->d_type != DT_DIR)
			OK(unlinkat(dirfd(d), e->d_name, 0));
	closedir(d);
	n = 0;
	d = opendir("many");
	while (readdir(d))
		n++;
	printf("%d left\n", n);
	CHECK(opendir("none") == NULL && errno == ENOENT);
	FAILS(syscall(SYS_getdents64, 0, name, 64), ENOTDIR);
	return 0;
}
