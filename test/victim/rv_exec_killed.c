/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that do not survive their execve: killed while in it, or sent back
 * by the kernel when the old image was gone already (a segment that cannot be
 * mapped).  The parent sees what killed them, and goes on.
 */
#include "victim.h"
#include <elf.h>

static void bad_program(const char *path)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
	} x;
	int fd = OK(open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755));

	memset(&x, 0, sizeof(x));
	memcpy(x.e.e_ident, ELFMAG, SELFMAG);
	x.e.e_ident[EI_CLASS] = ELFCLASS64;
	x.e.e_ident[EI_DATA] = ELFDATA2LSB;
	x.e.e_ident[EI_VERSION] = EV_CURRENT;
	x.e.e_type = ET_EXEC;
	x.e.e_machine = EM_X86_64;
	x.e.e_version = EV_CURRENT;
	x.e.e_phoff = sizeof(x.e);
	x.e.e_ehsize = sizeof(x.e);
	x.e.e_phentsize = sizeof(x.p);
	x.e.e_phnum = 1;
	x.e.e_entry = 0x400000;
	x.p.p_type = PT_LOAD;
	x.p.p_flags = PF_R | PF_X;
	x.p.p_vaddr = 0x7fffffffff000000;	/* nowhere */
	x.p.p_filesz = x.p.p_memsz = 4096;
	x.p.p_align = 4096;
	CHECK(write(fd, &x, sizeof(x)) == sizeof(x));
	OK(ftruncate(fd, 8192));
	close(fd);
}

int main(void)
{
	int a[2], st;
	pid_t p;

	bad_program("./bad");
	for (int i = 0; i < 3; i++) {
		p = CHILD(execl("./bad", "bad", NULL); _exit(9));
		st = reap(p);
		printf("bad: %s %d\n", WIFSIGNALED(st) ? "signal" : "status",
		       WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st));
	}
	/* a process that executes itself over and over, killed at any point */
	for (int i = 0; i < 20; i++) {
		OK(pipe(a));
		p = CHILD({
			char s[16];

			snprintf(s, sizeof(s), "%d", a[1]);
			execl("/bin/sh", "sh", "-c", "echo >&$1; "
			      "exec sh -c 'exec sh -c \"exec sh -c : \"'",
			      "sh", s, NULL);
			_exit(9);
		});
		close(a[1]);
		{
			char c;

			CHECK(read(a[0], &c, 1) == 1);
		}
		usleep(1 + i * 500);
		kill(p, SIGKILL);
		st = reap(p);
		CHECK(WIFSIGNALED(st) ? WTERMSIG(st) == SIGKILL :
		      WEXITSTATUS(st) == 0);
		close(a[0]);
	}
	printf("killed in exec ok\n");
	return 0;
}
