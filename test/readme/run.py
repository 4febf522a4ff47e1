#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every shell block of README.md, executed as it is written.

run.py [--root DIR] [--keep FILE] [--counts FILE] [README]

They run in order, as root, in one shell, in a scratch machine on which nothing is
installed: a small Debian, made from where this machine's apt gets its packages,
in memory, and booted by systemd-nspawn with a network of its own.  What the
blocks install is fetched beforehand (PACKAGES), as there is nobody to ask in that
network.  Where no Debian can be made, a copy of this machine's file system takes
its place, and what is there already is not installed again.  Nothing of either
stays. The source tree is /root/ipmon there.

A block ```sh is executed and must end with status 0; a block ```text right after it
is what it must print, standard output and error together: "..." stands for any
text in a line, and alone in a line for any lines. Before a block may stand

	<!-- readme: status N -->	the status it must end with
	<!-- readme: covered by NAME: why -->
			not executed here, but by the test or group NAME

Whatever cannot be run at all on this machine is a skip, with the reason.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 900

UNIT = """[Unit]
DefaultDependencies=no
After=basic.target
[Service]
Type=oneshot
WorkingDirectory=/root/ipmon
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=
ExecStart=/bin/sh /readme/all.sh
ExecStopPost=/bin/systemctl --no-block poweroff
"""
TARGET = """[Unit]
Requires=basic.target readme.service
After=basic.target
AllowIsolate=yes
"""


# What README and bench/demo install, together with what they depend on.
def packages(root):
    with open(os.path.join(root, "README.md"), encoding="utf-8") as f:
        line = re.search(r"^apt-get install -y ((?:.*\\\n)*.*)$", f.read(), re.M).group(1)
    with open(os.path.join(root, "bench", "demo"), encoding="utf-8") as f:
        demo = re.search(r"^needed='(.*?)'", f.read(), re.M | re.S).group(1)
    names = set(line.replace("\\\n", " ").split())
    return sorted(names | {x.split()[1] for x in demo.splitlines()})


class Block:
    def __init__(self, line, text):
        self.line, self.text = line, text
        self.want, self.status, self.covered = None, 0, None


def blocks(path):
    out, directive, last = [], None, None
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    i = 0
    while i < len(lines):
        line = lines[i]
        m = re.match(r"<!-- readme: (.*) -->$", line)
        fence = re.match(r"```(\w*)$", line)
        if m:
            directive = m.group(1)
        elif fence:
            end = lines.index("```", i + 1)
            text = "\n".join(lines[i + 1:end]) + "\n"
            if fence.group(1) == "sh":
                last = Block(i + 1, text)
                out.append(last)
                if directive and directive.startswith("status "):
                    last.status = int(directive[7:])
                elif directive and directive.startswith("covered by "):
                    last.covered = directive[11:]
                elif directive:
                    sys.exit(f"{path}:{i}: no directive '{directive}'")
                directive = None
            elif fence.group(1) == "text" and last:
                last.want = text
                last = None
            i = end
        elif line.strip() and not line.startswith("<!--"):
            last = None
        i += 1
    # what looks like a shell's and is in another form would go unnoticed
    with open(path, encoding="utf-8") as f:
        for bad in re.findall(r"^(?:    \$ .*|```(?:bash|shell|console)).*$", f.read(), re.M):
            sys.exit(f"{path}: not a ```sh block: {bad}")
    return out


def matches(want, got):
    """None, or the first line wanted that is not there."""
    got = got.rstrip("\n").split("\n")
    at, free = 0, False
    for line in want.rstrip("\n").split("\n"):
        if line.strip() == "...":
            free = True
            continue
        pattern = re.compile(".*".join(re.escape(x) for x in line.rstrip().split("...")) + r"\s*")
        while free and at < len(got) and not pattern.fullmatch(got[at]):
            at += 1
        if at >= len(got) or not pattern.fullmatch(got[at]):
            return line
        at, free = at + 1, False
    return None if free or at == len(got) else f"(the end, not: {got[at]})"


def unable():
    """Why no machine can be booted here, or None."""
    if os.geteuid() != 0:
        return "only root can boot a scratch machine"
    for tool in ("systemd-nspawn", "unshare"):
        if not shutil.which(tool):
            return f"{tool} is not there"
    return None


def no_copy():
    """Why a copy of this machine would not do, or None."""
    for tool in ("nginx", "curl", "gcc", "meson"):
        if not shutil.which(tool):
            return f"{tool} is not there"
    probe = ("mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/m && "
             "mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/m")
    r = subprocess.run(["unshare", "--mount", "sh", "-c", probe], stderr=subprocess.PIPE,
                       text=True, check=False)
    return f"no overlay file system here: {r.stderr.strip()}" if r.returncode else None


def prepare(top, root, todo):
    """Into `top`, which goes into the machine's root: tree, blocks, units."""
    tree = os.path.join(top, "root/ipmon")
    os.makedirs(tree)
    listing = subprocess.run(["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z",
                              "--cached", "--others", "--exclude-standard"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    names = listing.stdout.decode().split("\0")[:-1]
    if listing.returncode or not names:
        names = [os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root)
                 for f in fs if "/build" not in d and "/.git" not in d]
    for name in names:
        src, dst = os.path.join(root, name), os.path.join(tree, name)
        if os.path.isfile(src):
            os.makedirs(os.path.dirname(dst), exist_ok=True)
            shutil.copy2(src, dst)
    os.makedirs(os.path.join(top, "readme"))
    with open(os.path.join(top, "readme/all.sh"), "w", encoding="utf-8") as run:
        for i, b in enumerate(todo):
            with open(os.path.join(top, f"readme/{i}.sh"), "w", encoding="utf-8") as f:
                f.write(b.text)
            run.write(f"{{ . /readme/{i}.sh; }} >/readme/{i}.out 2>&1 </dev/null\n"
                      f"echo $? >/readme/{i}.status\n")
    units = os.path.join(top, "etc/systemd/system")
    os.makedirs(units)
    for name, text in (("readme.service", UNIT), ("readme.target", TARGET)):
        with open(os.path.join(units, name), "w", encoding="ascii") as f:
            f.write(text)
    os.makedirs(os.path.join(top, "etc/apt/apt.conf.d"))
    # there is no network: what is installed counts as up to date, and there is
    # nobody to be asked again
    with open(os.path.join(top, "etc/apt/apt.conf.d/99readme"), "w", encoding="ascii") as f:
        f.write('APT::Get::Upgrade "false";\nAcquire::Retries "0";\n')
    open(os.path.join(top, "etc/machine-id"), "w", encoding="ascii").close()


# boot WORK SECONDS SOURCES RELEASE PACKAGES COPY: what is in WORK/top, in a machine; its
# /readme becomes WORK/result, WORK/fresh says that it was a new one. COPY: empty if
# it cannot be a copy of this one.
BOOT = """
mount -t tmpfs -o size=4g,mode=755 none "$1/mem" && mkdir "$1/mem/w" "$1/mem/m" || exit 3
root=$1/mem/m
if [ -n "$3" ] && command -v mmdebstrap && mmdebstrap --variant=minbase \
    --include=systemd,systemd-sysv,dbus,procps,iproute2 --skip=cleanup/apt,cleanup/reproducible \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="chroot \"\$1\" apt-get install -y --download-only $5" \
    "$4" "$root" "$3"; then
	cp -a "$1/top/." "$root/" || exit 3
	touch "$1/fresh"
elif [ -z "$6" ]; then
	exit 4
else
	rm -rf --one-file-system "$root" && mkdir "$root" && mv "$1/top" "$1/mem/u" &&
	mount -t overlay overlay -o lowerdir=/,upperdir="$1/mem/u",workdir="$1/mem/w" "$root" || exit 3
fi
timeout -k 10 "$2" systemd-nspawn --quiet --register=no --keep-unit --private-network \
    --system-call-filter=pidfd_getfd --resolv-conf=off --timezone=off -D "$root" --boot systemd.unit=readme.target
cp -r "$root/readme" "$1/result"
"""


def sources():
    """Where apt gets Debian's packages, and which release this is; or ('', '')."""
    with open("/etc/os-release", encoding="utf-8") as f:
        release = re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.M)
    for path in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"):
        if os.path.exists(path) and release:
            return path, release.group(1)
    return "", ""


def boot(work, root, copy):
    with open(os.path.join(work, "console"), "wb") as console:
        subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                        "sh", "-c", BOOT, "sh", work, str(TIMEOUT), *sources(),
                        " ".join(packages(root)), "copy" if copy else ""],
                       stdin=subprocess.DEVNULL, stdout=console, stderr=console, check=False)


def check(b, i, result):
    """None, or what is wrong with what block i did."""
    def read(name):
        try:
            with open(os.path.join(result, f"{i}.{name}"), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except OSError:
            return None
    out, status = read("out"), read("status")
    if status is None:
        return "was not reached, or did not end", out or ""
    if int(status) != b.status:
        return f"ended with {status.strip()} instead of {b.status}", out
    missing = matches(b.want, out) if b.want is not None else None
    if missing is not None:
        return f"does not print: {missing}", out
    return None, out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--root", default=os.path.join(HERE, "..", ".."))
    ap.add_argument("--counts", help="file to write 'passed failed skipped' to")
    ap.add_argument("--keep", help="folder for what the blocks printed")
    ap.add_argument("-v", "--verbose", action="store_true")
    ap.add_argument("readme", nargs="?")
    args = ap.parse_args()
    root = os.path.abspath(args.root)
    all_blocks = blocks(args.readme or os.path.join(root, "README.md"))
    todo = [b for b in all_blocks if not b.covered]
    passed = failed = skipped = 0
    why = unable()
    work = tempfile.mkdtemp(prefix="ipmon-readme-")
    for b in all_blocks:
        if b.covered:
            print(f"readme/line-{b.line}: covered by {b.covered}")
    try:
        if not why:
            os.mkdir(os.path.join(work, "mem"))
            prepare(os.path.join(work, "top"), root, todo)
            lacks = no_copy()
            boot(work, root, not lacks)
            fresh = os.path.exists(os.path.join(work, "fresh"))
            if not fresh and lacks:
                why = f"no Debian could be made, and a copy will not do: {lacks}"
        if why:
            print(f"skip readme: {why}")
            skipped = len(todo)
        else:
            print("readme: on a " + ("Debian with nothing installed" if fresh else
                                     "copy of this machine: no Debian could be made"))
            result = os.path.join(work, "result")
            for i, b in enumerate(todo):
                wrong, out = check(b, i, result)
                if wrong:
                    failed += 1
                    print(f"FAIL readme/line-{b.line} {wrong}")
                    print("".join(f"     | {x}\n" for x in out.split("\n")[-30:]), end="")
                else:
                    passed += 1
                    if args.verbose:
                        print(f"ok   readme/line-{b.line}")
            if not os.path.isdir(result) or not os.listdir(result):
                print("     the machine did not come up:")
                with open(os.path.join(work, "console"), errors="replace") as f:
                    print("".join(f.readlines()[-20:]))
            elif args.keep:
                shutil.copytree(result, args.keep, dirs_exist_ok=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if args.counts:
        with open(args.counts, "w", encoding="ascii") as f:
            f.write(f"{passed} {failed} {skipped}\n")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
