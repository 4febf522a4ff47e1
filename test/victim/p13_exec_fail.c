/* SPDX-License-Identifier: Apache-2.0 */
/* Every failing execve returns its error and changes nothing. */
#include "victim.h"
int main(void)
{
	char *av[] = { "x", NULL }, *ev[] = { NULL }, longname[5000];
	static char huge[200000];
	char *two[] = { "x", huge, NULL };
	pid_t me = getpid();
	volatile int marker = 17;

	FAILS(execve("./none", av, ev), ENOENT);
	FAILS(execve("", av, ev), ENOENT);
	put_file("plain", "data");
	OK(chmod("plain", 0644));
	FAILS(execve("./plain", av, ev), EACCES);
	OK(chmod("plain", 0755));
	FAILS(execve("./plain", av, ev), ENOEXEC);
	FAILS(execve("./plain/x", av, ev), ENOTDIR);
	OK(mkdir("dir", 0755));
	FAILS(execve("./dir", av, ev), EACCES);
	OK(symlink("loop", "loop"));
	FAILS(execve("./loop", av, ev), ELOOP);
	memset(longname, 'n', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = 0;
	FAILS(execve(longname, av, ev), ENAMETOOLONG);
	memset(huge, 'h', sizeof(huge) - 1);
	FAILS(execve("/bin/true", two, ev), E2BIG);
	FAILS(execve((char *)8, av, ev), EFAULT);
	FAILS(execve("/bin/true", (char **)8, ev), EFAULT);
	FAILS(execve("/bin/true", av, (char **)8), EFAULT);
	put_file("script", "#!/no/such/interpreter\n");
	OK(chmod("script", 0755));
	FAILS(execve("./script", av, ev), ENOENT);
	put_file("elf", "\177ELF garbage that is no program at all");
	OK(chmod("elf", 0755));
	FAILS(execve("./elf", av, ev), ENOEXEC);
	int w = OK(open("plain", O_RDWR));
	FAILS(execve("./plain", av, ev), ETXTBSY);
	close(w);
	FAILS(execveat(-1, "x", av, ev, 0), EBADF);
	FAILS(execveat(AT_FDCWD, "plain", av, ev, 0x4000), EINVAL);
	CHECK(getpid() == me && marker == 17);
	OK(setenv("PATH", "/none:/dev/null:.:/usr/bin:/bin", 1));
	REAP(CHILD(execlp("true", "true", NULL); _exit(9)));
	FAILS(execlp("certainly-not-there", "x", NULL), ENOENT);
	puts("failed execs ok");
	return 0;
}
