# SPDX-License-Identifier: Apache-2.0
"""Two hosts on one machine: two network namespaces joined by a veth pair.

Addresses are of 192.0.2.0/24, which is nobody's; they exist only inside the
two namespaces, and the namespaces only as long as this object.
"""
import os
import subprocess

from base import Skip, tool

SERVER, CLIENT = "192.0.2.1", "192.0.2.2"


class Veth:
    def __init__(self):
        self.names = []
        self.ip = tool("ip")
        if os.getuid() != 0:
            raise Skip("network namespaces take root")
        try:
            for side in ("server", "client"):
                name = f"ipmon-bench-{os.getpid()}-{side}"
                self.run("netns", "add", name)
                self.names.append(name)
            s, c = self.names
            self.run("-n", s, "link", "add", "v0", "type", "veth", "peer",
                     "name", "v0", "netns", c)
            for name, address in ((s, SERVER), (c, CLIENT)):
                self.run("-n", name, "addr", "add", f"{address}/30", "dev",
                         "v0")
                self.run("-n", name, "link", "set", "v0", "up")
                self.run("-n", name, "link", "set", "lo", "up")
                # a connection per request uses up the ports otherwise
                for key, value in (("net/ipv4/ip_local_port_range",
                                    "1024 65535"),
                                   ("net/ipv4/tcp_tw_reuse", "1")):
                    self.run("netns", "exec", name, "sh", "-c",
                             f"echo {value} >/proc/sys/{key} || :")
        except Skip:
            self.end()
            raise

    def run(self, *argv):
        r = subprocess.run([self.ip, *argv], capture_output=True, text=True,
                           timeout=20, check=False)
        if r.returncode:
            raise Skip(f"ip {' '.join(argv)}: {r.stderr.strip()}")

    def inside(self, side):
        """What comes before a command; exec, so that the pid is its."""
        return [self.ip, "netns", "exec",
                self.names[0 if side == "server" else 1]]

    def end(self):
        while self.names:
            subprocess.run([self.ip, "netns", "del", self.names.pop()],
                           capture_output=True, timeout=20, check=False)
