/* SPDX-License-Identifier: Apache-2.0 */
/* renameat2: no replace, exchange; renames over files and directories. */
#include "victim.h"
int main(void)
{
	put_file("a", "A");
	put_file("b", "B");
	FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
	OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
	OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	FAILS(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
	OK(mkdir("d1", 0755));
	OK(mkdir("d2", 0755));
	OK(rename("d1", "d2"));
	OK(mkdir("d3", 0755));
	put_file("d3/x", "");
	FAILS(rename("d2", "d3"), ENOTEMPTY);
	FAILS(rename("b", "d3"), EISDIR);
	FAILS(rename("d3", "b"), ENOTDIR);
	FAILS(rename("d3", "d3/inside"), EINVAL);
	OK(rename("b", "c"));
	OK(rename("c", "c"));
	puts("rename ok");
	return 0;
}
