// SPDX-License-Identifier: Apache-2.0
/*
 * Programs whose entry point is no place to begin at: not mapped, not executable, at
 * the last byte of a page behind which there is nothing.  execve succeeds, and the
 * first instruction raises SIGSEGV.
 */
#include <elf.h>

#include "victim.h"

struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
};

#define BASE 0x10000000ull

static void make(const char *name, unsigned int type, uint64_t entry, bool last)
{
	static unsigned char file[12288];
	struct image im = {
		.eh = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = (Elf64_Half)type, .e_machine = EM_X86_64,
			.e_version = EV_CURRENT, .e_entry = entry,
			.e_phoff = offsetof(struct image, ph),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
		},
		.ph = {
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 0,
			  .p_vaddr = type == ET_EXEC ? BASE : 0, .p_filesz = 4096,
			  .p_memsz = 4096, .p_align = 4096 },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_W,
			  .p_offset = 8192,
			  .p_vaddr = (type == ET_EXEC ? BASE : 0) + 0x100000,
			  .p_filesz = 4096, .p_memsz = 4096, .p_align = 4096 },
		},
	};
	int fd;

	memset(file, 0x90, sizeof(file));	/* nop */
	memcpy(file, &im, sizeof(im));
	if (last)
		file[4095] = 0x0f;		/* half an instruction */
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, file, sizeof(file)) != sizeof(file))
		exit(1);
	close(fd);
}

static void run(const char *what, unsigned int type, uint64_t entry, bool last)
{
	char *argv[] = { (char *)"./image", NULL }, *env[] = { NULL };
	int status;
	pid_t pid;

	make(argv[0], type, entry, last);
	pid = fork();
	if (!pid) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		execve(argv[0], argv, env);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		exit(1);
	printf("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	unlink(argv[0]);
}

int main(void)
{
	run("data", ET_EXEC, BASE + 0x100010, false);
	run("data, position-independent", ET_DYN, 0x100010, false);
	run("nothing", ET_EXEC, BASE + 0x50000, false);
	run("nothing, position-independent", ET_DYN, 0x50000, false);
	run("kernel", ET_EXEC, 0xffffffff80000000ull, false);
	run("the last byte", ET_EXEC, BASE + 4095, true);
	run("the last byte, position-independent", ET_DYN, 4095, true);
	return 0;
}
