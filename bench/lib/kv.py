# SPDX-License-Identifier: Apache-2.0
"""Key-value servers: redis and memcached."""
import os
import signal

import clients
from base import tool
from load import Case, Group
from server import Server
from web import connects

HOST = "127.0.0.1"


class Redis(Group):
    name = "redis"

    def __init__(self, bench):
        self.bench = bench
        tool("redis-server")
        self.rates = {}
        self.cases = [
            self.case(f"{test}-p{pipeline}", test, pipeline)
            for test in ("get", "set") for pipeline in (1, 16)]

    def case(self, name, test, pipeline):
        def client(server, seconds):
            key = server, name
            if key not in self.rates:
                if test == "get":  # there must be something to get
                    clients.redis(server.port, 1, "set", 1, 200, 1)
                first = clients.redis(server.port, 0.2, test, pipeline, 5000)
                self.rates[key] = first["value"]
            s = clients.redis(server.port, seconds, test, pipeline,
                              self.rates[key])
            self.rates[key] = s["value"]
            return s
        return Case(name, f"redis {test.upper()}, pipeline {pipeline}, "
                    "loopback (redis-benchmark -c10)", client)

    def start(self, mode):
        port = self.bench.ports.take()
        s = Server(self.bench, mode, [
            tool("redis-server"), "--port", str(port), "--bind", HOST,
            "--save", "", "--appendonly", "no", "--dir", self.bench.tmp,
            "--daemonize", "no"], lambda: connects(HOST, port),
            signal.SIGTERM)
        s.port = port
        return s


class Memcached(Group):
    name, threads, tag = "memcached", 1, ""

    def __init__(self, bench):
        self.bench = bench
        tool("memcached")
        self.cases = [
            self.case("get-100", "GET, 100 bytes", 100, 0),
            self.case("mixed-100", "90 % GET, 10 % SET, 100 bytes", 100, 10),
            self.case("get-4k", "GET, 4 KiB", 4096, 0)]

    def case(self, name, what, size, sets):
        return Case(
            self.tag + name, f"memcached, {what}, {self.threads} thread"
            f"{'s' * (self.threads > 1)}, loopback (memload, 10 connections)",
            lambda s, t: clients.memcached(self.bench.build, s.port, t, size,
                                           sets))

    def start(self, mode):
        port = self.bench.ports.take()
        user = ["-u", "root"] if os.getuid() == 0 else []
        s = Server(self.bench, mode, [
            tool("memcached"), "-p", str(port), "-U", "0", "-l", HOST, "-t",
            str(self.threads), *user], lambda: connects(HOST, port),
            signal.SIGTERM)
        s.port = port
        return s


class MemcachedThreads(Memcached):
    """As its packages run it; under monitord threads take turns."""

    name, threads, tag = "memcached, 4 threads", 4, "t4-"

    def __init__(self, bench):
        super().__init__(bench)
        self.cases = self.cases[:1]
