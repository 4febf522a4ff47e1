# SPDX-License-Identifier: Apache-2.0
"""A strict parser of the OpenMetrics text format, version 1.0.0.

As much of it as an exposition of counters, gauges and info needs: anything else,
and whatever the specification forbids, is a Fail.
"""
import re

from runner import Fail

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
SUFFIX = {"counter": "_total", "gauge": "", "info": "_info"}


class Family:
    def __init__(self, name):
        self.name = name
        self.type = self.unit = self.help = None
        self.samples = {}		# frozenset of labels: value

    def value(self, default=None, **labels):
        key = frozenset(labels.items())
        if key not in self.samples:
            if default is None:
                raise Fail(f"{self.name} has no sample for {labels}")
            return default
        return self.samples[key]


def labels_of(text, line):
    found, pos = {}, 0
    while pos < len(text):
        m = LABEL.match(text, pos)
        if not m or m.group(1) in found or m.group(1).startswith("__"):
            raise Fail(f"labels of {line!r}")
        found[m.group(1)] = m.group(2)
        pos = m.end()
        if pos < len(text):
            if text[pos] != "," or pos + 1 == len(text):
                raise Fail(f"labels of {line!r}")
            pos += 1
    return found


def metadata(line, families, current):
    m = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
    if not m:
        raise Fail(f"neither metadata nor a sample: {line!r}")
    what, name, text = m.groups()
    if current is None or current.name != name:
        if name in families:
            raise Fail(f"{name} is interleaved with others")
        current = families[name] = Family(name)
    elif current.samples:
        raise Fail(f"metadata behind samples: {line!r}")
    if getattr(current, what.lower()) is not None:
        raise Fail(f"twice: {line!r}")
    setattr(current, what.lower(), text)
    if what == "TYPE" and text not in SUFFIX:
        raise Fail(f"type: {line!r}")
    if what == "UNIT" and not name.endswith("_" + text):
        raise Fail(f"the unit is no suffix of the name: {line!r}")
    if what == "HELP" and re.search(r"\\(?![\\n\"])", text):
        raise Fail(f"escapes: {line!r}")
    return current


def sample(line, current):
    m = re.fullmatch(rf"({NAME})(?:\{{(.*)\}})? (\S+)", line)
    if not m:
        raise Fail(f"not a sample: {line!r}")
    if current is None or current.type is None or \
            m.group(1) != current.name + SUFFIX[current.type]:
        raise Fail(f"a sample of another family: {line!r}")
    if not NUMBER.fullmatch(m.group(3)):
        raise Fail(f"no number: {line!r}")
    value = float(m.group(3))
    labels = labels_of(m.group(2) or "", line)
    if current.type == "counter" and value < 0:
        raise Fail(f"a counter below 0: {line!r}")
    if current.type == "info" and value != 1:
        raise Fail(f"an info that is not 1: {line!r}")
    key = frozenset(labels.items())
    if key in current.samples:
        raise Fail(f"twice: {line!r}")
    if current.samples and \
            {k for k, _ in next(iter(current.samples))} != set(labels):
        raise Fail(f"other label names than before: {line!r}")
    current.samples[key] = value


def parse(text):
    """{name: Family}"""
    if not text.endswith("# EOF\n"):
        raise Fail(f"the end: {text[-40:]!r}")
    if "\r" in text or "\t" in text:
        raise Fail("other blanks than spaces and newlines")
    families, current = {}, None
    for line in text[:-len("# EOF\n")].split("\n")[:-1]:
        if line.startswith("#"):
            current = metadata(line, families, current)
        else:
            sample(line, current)
    names = set()
    for f in families.values():
        if f.type is None or f.help is None:
            raise Fail(f"{f.name} has no type or no help")
        if f.name + SUFFIX[f.type] in names or f.name.endswith("_total"):
            raise Fail(f"the name {f.name}")
        names.add(f.name + SUFFIX[f.type])
    if sum(len(f.samples) for f in families.values()) > 5000:
        raise Fail("too many series")
    return families


def later(one, two):
    """No counter has gone down, no series of one has vanished."""
    for name, f in one.items():
        if name not in two:
            raise Fail(f"{name} has vanished")
        for key, value in f.samples.items():
            if f.type != "counter":
                continue
            if key not in two[name].samples:
                raise Fail(f"{name} {sorted(key)} has vanished")
            if two[name].samples[key] < value:
                raise Fail(f"{name} {sorted(key)} went down")
