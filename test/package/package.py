#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed and packaged, from the build to a purged package.

Theory of operation
-------------------
Every case is a method of Package named test_*; they run in the order in which
they stand, as later ones use what earlier ones have made.  A case raises Fail
or Skip, or returns.  Nothing is written outside a temporary directory: the
package is built from a copy of the tree, and installed for trial in an overlay
over this machine's own root that only a private mount namespace sees.

Completions are compared with the tables in monitord's sources, so that an
option that is added there without being explained by --help, completed and
documented fails here.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TRIPLET = "x86_64-linux-gnu"
# What the package consists of; man pages and documents are compressed.
FILES = f"""
lib/systemd/system/monitord@.service
usr/bin/monitord
usr/lib/{TRIPLET}/ipmon/libipmon-compat.so
usr/lib/{TRIPLET}/ipmon/libipmon.so
usr/lib/systemd/catalog/ipmon.catalog
usr/share/bash-completion/completions/monitord
usr/share/doc/ipmon/README.Debian
usr/share/doc/ipmon/changelog.gz
usr/share/doc/ipmon/copyright
usr/share/doc/ipmon/examples/example.conf
usr/share/lintian/overrides/ipmon
usr/share/man/man1/monitord.1.gz
usr/share/man/man5/monitord.conf.5.gz
usr/share/man/man7/ipmon.7.gz
usr/share/zsh/vendor-completions/_monitord
""".split()
# Other spellings, for those who expect them; not offered.
ALIASES = {"colour"}


class Fail(Exception):
    """What is expected does not hold; the text says what."""


class Skip(Exception):
    """It cannot run here; the text says why."""


def expect(condition, text):
    if not condition:
        raise Fail(text)


def equal(got, want, what):
    if got != want:
        raise Fail(f"{what}: {got!r} instead of {want!r}")


class Package:
    def __init__(self, args, work):
        self.args = args
        self.work = work
        self.build = os.path.join(args.build, "main")
        self.dest = os.path.join(work, "dest")
        self.monitord = os.path.join(self.build, "monitord/monitord")
        self.deb = None

    # ---- helpers ---------------------------------------------------------
    def run(self, *argv, ok=(0,), env=None, cwd=None, timeout=600, log=None):
        """Run it; its output, both streams together."""
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, cwd=cwd,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=timeout, text=True, errors="replace",
                           env={**os.environ, **(env or {})})
        if log:
            with open(os.path.join(self.args.logs, log), "w") as f:
                f.write(p.stdout)
        if ok is not None and p.returncode not in ok:
            raise Fail(f"{' '.join(argv)}: exit status {p.returncode}\n" +
                       "\n".join(p.stdout.splitlines()[-12:]))
        return p.stdout

    @staticmethod
    def need(*programs):
        for p in programs:
            if not shutil.which(p):
                raise Skip(f"{p} is not there")

    def works(self, monitord, library):
        """This monitord runs variants, with this library within them."""
        out = self.run(monitord, "run", "-v", "-n", "2", "--", "/bin/echo", "hi")
        expect("hi\n" in out, out)
        expect(f"libipmon: {library}" in out, f"{library} is not used: {out}")
        stats = os.path.join(self.work, "stats.json")
        self.run(monitord, "run", "--stats", stats, "--", "ls", "-l", "/usr/bin")
        with open(stats) as f:
            totals = json.load(f)["totals"]
        expect(totals["in_process"] > 0, f"no call in-process: {totals}")
        equal(self.run(monitord, "run", "--env", "1:WHO=moon", "--", "sh", "-c",
                       "echo $WHO 2>/dev/null", ok=(99,)).count("moon\n"), 0,
              "output of a variant that deviates")

    # ---- meson install -----------------------------------------------------
    def test_install(self):
        """A tree installed with DESTDIR has all files and works where it is."""
        self.run("meson", "install", "-C", self.build, "--no-rebuild",
                 env={"DESTDIR": self.dest})
        prefix = os.path.join(self.dest, "usr/local")
        have = {os.path.relpath(os.path.join(d, f), prefix)
                for d, _, files in os.walk(prefix) for f in files}
        want = {re.sub(r"^usr/|\.gz$", "", f) for f in FILES
                if "lintian" not in f and
                ("/doc/" not in f or "/examples/" in f)}
        want = {f.replace("vendor-completions", "site-functions") for f in want}
        equal((sorted(want - have), sorted(have - want)), ([], []),
              "(missing, not expected)")
        self.works(f"{prefix}/bin/monitord", f"{prefix}/lib/{TRIPLET}/ipmon/libipmon.so")

    def test_relocated(self):
        """So does a tree that has been moved elsewhere."""
        moved = os.path.join(self.work, "moved")
        os.rename(os.path.join(self.dest, "usr/local"), moved)
        self.works(f"{moved}/bin/monitord", f"{moved}/lib/{TRIPLET}/ipmon/libipmon.so")

    def test_build_directory(self):
        """In a build directory its own library is used."""
        self.works(self.monitord,
                   os.path.realpath(f"{self.build}/libipmon/libipmon.so"))

    # ---- completions and pages against the sources -------------------------------
    @staticmethod
    def source(name):
        with open(os.path.join(ROOT, "monitord", name)) as f:
            return f.read()

    def commands(self):
        names = re.findall(r'^\t\{ "([a-z-]+)", cmd_\w+', self.source("main.c"), re.M)
        expect("run" in names, "main.c has no table of commands")
        return names

    def options(self, command):
        """{long option: takes a value} as the source of a command has it."""
        file = "options.c" if command == "run" else f"cmd_{command.replace('-', '_')}.c"
        if not os.path.exists(os.path.join(ROOT, "monitord", file)):
            return {}
        found = {name: need == "required" for name, need in re.findall(
            r'\{\s*"([a-z-]+)",\s*(no|required)_argument', self.source(file))}
        if command == "run":
            found.update((name, True) for name in re.findall(
                r'^\t\{ (?:"\w+"|NULL), "([a-z-]+)", IN_', self.source("settings.c"), re.M))
            expect("policy" in found, "no options found in the sources")
        return found

    def offered(self, shell, *words):
        """What a shell offers for the last word."""
        directory = os.path.join(ROOT, "monitord/install")
        words = [self.monitord, *words]
        if shell == "zsh":
            out = self.run("zsh", "-f", f"{HERE}/completion.zsh",
                           f"{directory}/completion.zsh", *words)
        else:
            out = self.run("bash", "--norc", f"{HERE}/completion.bash",
                           f"{directory}/completion.bash", " ".join(words),
                           env={"PACKAGE": "1" if shell == "bash-completion" else ""})
        return [x for x in out.splitlines() if x]

    def completes(self, shell):
        commands = self.commands()
        equal(sorted(self.offered(shell, "")),
              sorted(commands + ["--help", "--version"]), "commands")
        equal(self.offered(shell, "ru"), ["run"], "monitord ru")
        for command in commands:
            table = self.options(command)
            got = {o[2:] for o in self.offered(shell, command, "--")}
            want = set(table) - ALIASES | {"help"}
            # what only drop-ins say may be left to the manual
            hidden = {o for o in want - got if self.documented(o)}
            equal((sorted(got - want), sorted(want - got - hidden)), ([], []),
                  f"options of {command}: (not there, not offered)")
            # an option without a value leaves the next word to the command
            for name, takes in table.items():
                after = self.offered(shell, command, "--" + name, "--h")
                equal(after == ["--help"], not takes,
                      f"{command} --{name}: the next word is an option")
        for option in ("policy", "level", "layout", "on-divergence", "placement"):
            said = self.run(self.monitord, "run", f"--{option}", "?", "true", ok=(125,))
            said = re.search(r"must be ([\w, ]+?)(;|$)", said, re.M).group(1)
            words = re.split(r", | or ", said)
            equal(sorted(self.offered(shell, "run", f"--{option}", "")),
                  sorted(words), f"--{option}")
            equal(self.offered(shell, "run", f"--{option}={words[0][:-1]}"),
                  [words[0]], f"--{option}={words[0][:-1]}")
        equal(self.offered(shell, "run", "-n", "3", "--policy=strict", "--lay"),
              ["--layout"], "an option after others")
        expect("getppid" in self.offered(shell, "syscalls", "getp"), "syscalls getp")

    def test_bash(self):
        """bash offers what there is."""
        self.need("bash")
        self.completes("bash")
        equal(sorted(self.offered("bash", "run", "--variant", "1=/bin/tru")),
              ["/bin/true", "/bin/truncate"], "the path of a variant")
        expect("true" in self.offered("bash", "run", "-n", "2", "--", "tru"), "a program")
        equal(self.offered("bash", "run", "true", "--pol"), [], "the program's own")

    def test_bash_completion(self):
        """With bash-completion, the program's arguments are its own."""
        if not os.path.exists("/usr/share/bash-completion/bash_completion"):
            raise Skip("bash-completion is not there")
        self.completes("bash-completion")
        expect("--dereference-args" in
               self.offered("bash-completion", "run", "--policy=strict", "--",
                            "du", "--deref"), "arguments of du")

    def test_zsh(self):
        """zsh offers the same."""
        self.need("zsh")
        self.completes("zsh")
        equal(self.offered("zsh", "run", "-n", "2", "--", "ls", "-l"),
              ["@normal ls -l"], "the program's arguments")

    def test_example(self):
        """The example configuration is in order, with its comments as well."""
        with open(os.path.join(ROOT, "monitord/install/example.conf")) as f:
            text = f.read()
        full = re.sub(r"^#(\[|[A-Z]\w+=)", r"\1", text, flags=re.M)
        expect(full != text, "it shows nothing that is commented out")
        for name, t in ("example", text), ("full", full):
            path = os.path.join(self.work, name + ".conf")
            for key in "ReportDirectory", "Preload", "Program":
                # of this machine: the keys are looked at, not the files
                t = re.sub(rf"^{key}=.*", {"Program": "Program=/bin/true -D",
                                           "Preload": "Preload="}.get(
                    key, f"{key}={self.work}"), t, flags=re.M)
            with open(path, "w") as f:
                f.write(t)
            self.run(self.monitord, "check-config", path)
            equal(self.run(self.monitord, "run", "--config", path), "", "its run")

    @staticmethod
    def documented(option):
        with open(os.path.join(ROOT, "doc/monitord.1")) as f:
            return re.search(rf"Fl -{option}\b(?!-)", f.read())

    def test_documented(self):
        """Every command and option is in monitord(1), every key in monitord.conf(5)."""
        with open(os.path.join(ROOT, "doc/monitord.1")) as f:
            page = f.read()
        missing = [c for c in self.commands() if c != "help" and
                   not re.search(rf"^\.(It )?Cm {c}\b", page, re.M)]
        for command in self.commands():
            missing += [f"{command} --{o}" for o in self.options(command)
                        if o not in ALIASES and not self.documented(o)]
        expect(not missing, f"not in monitord.1: {', '.join(missing)}")
        with open(os.path.join(ROOT, "doc/monitord.conf.5")) as f:
            page = f.read()
        keys = re.findall(r'^\t\{ "(\w+)", (?:"|NULL)', self.source("settings.c"), re.M)
        missing = [k for k in keys if not re.search(rf"^\.It Va {k}\b", page, re.M)]
        expect(keys and not missing, f"not in monitord.conf.5: {', '.join(missing)}")

    # ---- the package ---------------------------------------------------------
    def copy_tree(self):
        """What belongs to the tree, with changes that are not committed."""
        tree = os.path.join(self.work, "ipmon")
        os.mkdir(tree)
        git = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if git.returncode:
            shutil.copytree(ROOT, tree, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("build*", ".git"))
            return tree
        for name in git.stdout.decode().split("\0"):
            source, target = os.path.join(ROOT, name), os.path.join(tree, name)
            if name and os.path.isfile(source):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(source, target)
        return tree

    def test_dpkg_buildpackage(self):
        """dpkg-buildpackage makes ipmon and its debug symbols."""
        self.need("dpkg-buildpackage", "dh")
        tree = self.copy_tree()
        self.run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree, log="dpkg-buildpackage.log",
                 env={"DEB_BUILD_OPTIONS": f"nocheck parallel={self.args.jobs}"})
        debs = {f.split("_")[0]: f for f in os.listdir(self.work) if f.endswith(".deb")}
        equal(sorted(debs), ["ipmon", "ipmon-dbgsym"], "packages")
        self.deb = os.path.join(self.work, debs["ipmon"])

    def needs_deb(self):
        if not self.deb:
            raise Skip("there is no package")

    def test_lintian(self):
        """lintian finds neither errors nor warnings."""
        self.needs_deb()
        self.need("lintian")
        changes = [f for f in os.listdir(self.work) if f.endswith(".changes")]
        user = ["--allow-root"] if os.getuid() == 0 else []
        out = self.run("lintian", *user, "--fail-on", "error,warning",
                       "--display-info", *changes, cwd=self.work, log="lintian.log")
        expect(not re.search("^[EW]:", out, re.M), out)

    def test_contents(self):
        """The package has the files it should, and no others of a kind."""
        self.needs_deb()
        out = self.run("dpkg-deb", "-c", self.deb)
        rows = [line.split(None, 5) for line in out.splitlines()]
        have = {r[5][2:] for r in rows if not r[0].startswith("d")}
        # the compressed documents may be more
        extra = {f for f in have - set(FILES)
                 if not f.startswith("usr/share/doc/ipmon/")}
        equal((sorted(set(FILES) - have), sorted(extra)), ([], []),
              "(missing, not expected)")
        expect(any(r[5] == "./etc/ipmon/" for r in rows), "no /etc/ipmon")
        bad = [r[5] for r in rows if r[1] != "root/root" or
               not re.match(r"drwxr-xr-x|-rw-r--r--|-rwxr-xr-x", r[0])]
        expect(not bad, f"owner or mode: {bad}")

    def test_built_with_debian_flags(self):
        """libipmon.so keeps its rules, monitord is hardened."""
        self.needs_deb()
        self.root = os.path.join(self.work, "root")
        self.run("dpkg-deb", "-x", self.deb, self.root)
        lib = f"{self.root}/usr/lib/{TRIPLET}/ipmon"
        self.run("sh", f"{ROOT}/test/check/libipmon.sh", f"{lib}/libipmon.so",
                 f"{ROOT}/libipmon/libipmon.map")
        self.run("sh", f"{ROOT}/test/check/inert.sh", f"{lib}/libipmon.so",
                 f"{lib}/libipmon-compat.so")
        program = f"{self.root}/usr/bin/monitord"
        out = self.run("readelf", "-dlW", program)
        expect("DYN (Position-Independent" in out and "BIND_NOW" in out and
               "GNU_RELRO" in out, "monitord is not PIE with full RELRO")
        out = self.run("nm", "-D", "--undefined-only", program)
        expect("__stack_chk_fail" in out, "monitord has no stack protector")
        expect("_chk@" in out.replace("__stack_chk", ""), "monitord is not fortified")

    def test_unpacked(self):
        """The unpacked package runs."""
        self.needs_deb()
        self.works(f"{self.root}/usr/bin/monitord",
                   f"{self.root}/usr/lib/{TRIPLET}/ipmon/libipmon.so")

    def test_life_of_the_package(self):
        """Installed, used, installed again, removed, purged: nothing of the
        user's is touched, nothing of ours stays."""
        self.needs_deb()
        self.need("unshare", "dpkg")
        if os.getuid():
            raise Skip("needs root")
        mounts = os.path.join(self.work, "mounts")
        os.mkdir(mounts)
        out = self.run("unshare", "--mount", "--propagation", "private", "sh",
                       f"{HERE}/life.sh", mounts, self.deb, ok=(0, 1, 77),
                       log="life.log")
        last = (out.splitlines() or ["nothing was said"])[-1]
        if last.startswith("skip: "):
            raise Skip(last[6:])
        expect(last == "done", out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--counts")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("pattern", nargs="*")
    args = parser.parse_args()
    args.build, args.logs = map(os.path.abspath, (args.build, args.logs))
    os.makedirs(args.logs, exist_ok=True)
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ipmon-package.") as work:
        # variants of other users than root read what is in there
        os.chmod(work, 0o755)
        package = Package(args, work)
        for name in [n for n in vars(Package) if n.startswith("test_")]:
            title = "package/" + name[5:].replace("_", "-")
            if args.pattern and not any(re.search(p, title) for p in args.pattern):
                continue
            begun, result, why = time.monotonic(), "ok", ""
            try:
                getattr(package, name)()
            except Skip as e:
                result, why = "skip", str(e)
            except (Fail, OSError, subprocess.SubprocessError) as e:
                result, why = "FAIL", str(e)
            counts[result] += 1
            if result == "FAIL":
                print(f"FAIL {title}\n" + "\n".join(
                    "     " + x[:300] for x in why.splitlines()[:30]))
            elif result == "skip":
                print(f"skip {title}: {why}")
            elif args.verbose:
                print(f"ok   {title} ({time.monotonic() - begun:.1f} s)")
            sys.stdout.flush()
    print(f"== package: {counts['ok']} passed, {counts['FAIL']} failed, "
          f"{counts['skip']} skipped in {time.monotonic() - start:.0f} s")
    if args.counts:
        with open(args.counts, "w") as f:
            f.write(f"{counts['ok']} {counts['FAIL']} {counts['skip']}\n")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
