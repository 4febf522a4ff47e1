/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffered streams: modes, seeking, ungetc, popen, freopen, append, getline,
 * wide, memory streams.
 */
#include "victim.h"
int main(void)
{
	FILE *f = fopen("f", "w+"), *m;
	char *line = NULL, *mem;
	size_t n = 0, sz;

	for (int i = 0; i < 2000; i++)
		fprintf(f, "line %d of the file\n", i);
	CHECK(fseek(f, 100, SEEK_SET) == 0 && ftell(f) == 100);
	CHECK(getline(&line, &n, f) > 0);
	printf("%s", line);
	ungetc('Z', f);
	CHECK(fgetc(f) == 'Z');
	rewind(f);
	CHECK(fread(line, 1, 10, f) == 10);
	fclose(f);
	f = fopen("f", "a");
	fputs("appended\n", f);
	fclose(f);
	f = fopen("f", "r");
	fseek(f, -9, SEEK_END);
	CHECK(getline(&line, &n, f) == 9);
	CHECK(getline(&line, &n, f) == -1 && feof(f));
	fclose(f);
	m = open_memstream(&mem, &sz);
	fprintf(m, "%d %s %.3f", 42, "text", 1.5);
	fclose(m);
	printf("%s %zu\n", mem, sz);
	f = fmemopen(mem, sz, "r");
	int a;
	CHECK(fscanf(f, "%d", &a) == 1 && a == 42);
	fflush(stdout);
	CHECK(freopen("stdout.txt", "w", stdout));
	puts("into a file");
	fflush(stdout);
	fprintf(stderr, "on stderr\n");
	setvbuf(stderr, NULL, _IOFBF, 4096);
	fprintf(stderr, "buffered stderr\n");
	CHECK(fopen("none/none", "r") == NULL && errno == ENOENT);
	perror("perror");
	return 0;
}
