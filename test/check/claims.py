#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""claims.py ROOT [FILE]: every claim of doc/threat-model.md names tests that exist.

A claim is a list item. Tests are in brackets at its end: attack/, cli/,
programs/, servers/ as in test/e2e/cases, victim/NAME a program of test/victim (or
one more that its meson.build makes of another's source), unit/NAME and fuzz/NAME a source file of that folder.
"""
import os
import re
import sys
import tomllib


def tests(root):
    found = set()
    cases = os.path.join(root, "test", "e2e", "cases")
    for name in os.listdir(cases):
        if name.endswith(".toml") and name != "victims.toml":
            with open(os.path.join(cases, name), "rb") as f:
                found |= {f"{name[:-5]}/{c['name']}" for c in tomllib.load(f)["case"]}
    for folder, prefix in (("victim", ""), ("unit", "test_"), ("fuzz", "fuzz_")):
        for name in os.listdir(os.path.join(root, "test", folder)):
            stem, ext = os.path.splitext(name)
            if ext in (".c", ".cc") and stem.startswith(prefix):
                found.add(f"{folder}/{stem[len(prefix):]}")
    with open(os.path.join(root, "test", "victim", "meson.build"),
              encoding="utf-8") as f:
        found |= {f"victim/{v}" for v in re.findall(r"^executable\('(\w+)'", f.read(),
                                                    re.M)}
    return found


def main():
    root = sys.argv[1]
    path = sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "doc", "threat-model.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    known = tests(root)
    items = re.findall(r"^- (?:.+\n)(?:^  \S.*\n)*", text, re.M)
    wrong = []
    for item in items:
        where = " ".join(item.split())[:70]
        m = re.search(r"\[([a-z0-9_/, \n-]+)\]\s*\Z", item)
        if not m:
            wrong.append(f"names no test: {where}")
            continue
        for name in re.split(r",\s*", m.group(1).strip()):
            if name not in known:
                wrong.append(f"no test {name}: {where}")
    if len(items) < 20:
        wrong.append(f"only {len(items)} claims found: has the form changed?")
    for line in wrong:
        print(line)
    print(f"{len(items)} claims, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
