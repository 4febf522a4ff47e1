# SPDX-License-Identifier: Apache-2.0
"""Static files over HTTP: nginx, lighttpd, and haproxy before an nginx."""
import os
import signal
import socket
import subprocess

import clients
import netns
from base import quietly, tool
from load import Case, Group
from modes import NATIVE
from server import Server

SIZES = {"1k": 1024, "4k": 4096, "64k": 65536, "1m": 1 << 20}


def site(bench):
    """The files, once."""
    root = os.path.join(bench.tmp, "www")
    if not os.path.isdir(root):
        os.mkdir(root)
        for name, size in SIZES.items():
            with open(os.path.join(root, name), "wb") as f:
                f.write(os.urandom(size // 2).hex().encode())
    return root


def certificate(bench):
    """A self-signed one, once: the path without .key and .crt."""
    base = os.path.join(bench.tmp, "tls")
    if not os.path.exists(base + ".crt"):
        quietly(tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                "/CN=localhost", "-days", "2", "-keyout", base + ".key",
                "-out", base + ".crt")
    return base


def connects(host, port):
    socket.create_connection((host, port), 1).close()
    return True


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Web(Group):
    """Ports and URLs; a subclass has start()."""

    host = "127.0.0.1"
    workers = 1
    prefix = client_prefix = ()

    def __init__(self, bench):
        self.bench = bench
        self.count = 0

    def place(self, mode):
        """A folder and two ports for one more server."""
        self.count += 1
        d = os.path.join(self.bench.tmp,
                         f"{self.name}-{self.count}-{mode.name}".replace(
                             "/", "-").replace(" ", "-"))
        os.mkdir(d)
        return d, self.bench.ports.take(), self.bench.ports.take()

    def launch(self, mode, argv, port, tls, stop=signal.SIGTERM):
        s = Server(self.bench, mode, argv,
                   lambda: self.answers(port), stop, self.prefix)
        s.port, s.tls = port, tls
        return s

    def answers(self, port):
        return connects(self.host, port)

    def url(self, server, file, tls=False):
        if tls:
            return f"https://{self.host}:{server.tls}/{file}"
        return f"http://{self.host}:{server.port}/{file}"

    def keepalive(self, name, title, file, tls=False):
        return Case(name, f"{title}, keep-alive (wrk -t1 -c10)",
                    lambda s, t: clients.wrk(self.url(s, file, tls), t,
                                             prefix=self.client_prefix))

    def close(self, name, title, file, tls=False):
        return Case(name, f"{title}, a connection per request (ab -c10)",
                    lambda s, t: clients.ab(self.url(s, file, tls), t,
                                            prefix=self.client_prefix))


class Nginx(Web):
    name = "nginx"

    def __init__(self, bench):
        super().__init__(bench)
        tool("nginx")
        where = self.where()
        cases = [self.keepalive(self.prefixed("keepalive-4k"),
                                f"nginx, 4 KiB, {where}", "4k"),
                 self.close(self.prefixed("close-4k"),
                            f"nginx, 4 KiB, {where}", "4k")]
        self.cases = cases + self.more(where)

    def where(self):
        return "1 worker, loopback"

    def prefixed(self, name):
        return name

    def more(self, where):
        return [self.keepalive(f"keepalive-{s}", f"nginx, {what}, {where}", s)
                for s, what in (("1k", "1 KiB"), ("64k", "64 KiB"),
                                ("1m", "1 MiB"))] + [
            self.keepalive("tls-keepalive-4k", f"nginx, TLS, 4 KiB, {where}",
                           "4k", True),
            self.close("tls-close-4k", f"nginx, TLS, 4 KiB, {where}", "4k",
                       True)]

    def start(self, mode):
        d, port, tls = self.place(mode)
        cert = certificate(self.bench)
        conf = write(os.path.join(d, "nginx.conf"), f"""
daemon off;
worker_processes {self.workers};
{"user root;" if os.getuid() == 0 else ""}
pid {d}/pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
	access_log off;
	client_body_temp_path {d}/body;
	proxy_temp_path {d}/proxy;
	fastcgi_temp_path {d}/fastcgi;
	uwsgi_temp_path {d}/uwsgi;
	scgi_temp_path {d}/scgi;
	sendfile on;
	keepalive_requests 100000000;
	server {{
		listen {self.host}:{port};
		listen {self.host}:{tls} ssl;
		ssl_certificate {cert}.crt;
		ssl_certificate_key {cert}.key;
		root {site(self.bench)};
	}}
}}
""")
        return self.launch(mode, [tool("nginx"), "-e", "stderr", "-p", d, "-c",
                                  conf], port, tls, signal.SIGQUIT)


class NginxTwoWorkers(Nginx):
    name, workers = "nginx, 2 workers", 2

    def where(self):
        return "2 workers, loopback"

    def prefixed(self, name):
        return "w2-" + name

    def more(self, where):
        return []


class NginxVeth(Nginx):
    name = "nginx, two network namespaces"
    host = netns.SERVER

    def __init__(self, bench):
        self.veth = netns.Veth()
        self.prefix = self.veth.inside("server")
        self.client_prefix = self.veth.inside("client")
        super().__init__(bench)

    def where(self):
        return "1 worker, two network namespaces"

    def prefixed(self, name):
        return "veth-" + name

    def more(self, where):
        return []

    def answers(self, port):
        # we are in neither namespace
        return subprocess.run(
            [*self.client_prefix, "python3", "-c",
             "import socket, sys; socket.create_connection((sys.argv[1], "
             "int(sys.argv[2])), 1)", self.host, str(port)],
            capture_output=True, timeout=20, check=False).returncode == 0

    def end(self):
        self.veth.end()


class Lighttpd(Web):
    name = "lighttpd"

    def __init__(self, bench):
        super().__init__(bench)
        tool("lighttpd")
        self.cases = [
            self.keepalive("keepalive-4k", "lighttpd, 4 KiB, loopback", "4k"),
            self.close("close-4k", "lighttpd, 4 KiB, loopback", "4k"),
            self.keepalive("keepalive-64k", "lighttpd, 64 KiB, loopback",
                           "64k")]

    def start(self, mode):
        d, port, _ = self.place(mode)
        conf = write(os.path.join(d, "lighttpd.conf"), f"""
server.document-root = "{site(self.bench)}"
server.bind = "{self.host}"
server.port = {port}
server.errorlog = "{d}/error.log"
server.max-keep-alive-requests = 100000000
server.upload-dirs = ( "{d}" )
""")
        return self.launch(mode, [tool("lighttpd"), "-D", "-f", conf], port,
                           None, signal.SIGTERM)


class Haproxy(Web):
    """haproxy is what is measured; behind it is one native nginx for all."""

    name = "haproxy"

    def __init__(self, bench):
        super().__init__(bench)
        tool("haproxy")
        self.backend = None
        self.behind = Nginx(bench)
        what = "haproxy before a native nginx, 4 KiB, loopback"
        self.cases = [
            self.keepalive("keepalive-4k", what, "4k"),
            self.close("close-4k", what, "4k"),
            self.keepalive("alone", "haproxy answers by itself, loopback",
                           "alone")]

    def start(self, mode):
        if not self.backend:
            self.backend = self.behind.start(NATIVE)
            self.backend.ready()
        d, port, _ = self.place(mode)
        conf = write(os.path.join(d, "haproxy.cfg"), f"""
global
	nbthread 1
	maxconn 256
defaults
	mode http
	timeout connect 10s
	timeout client 10s
	timeout server 10s
frontend in
	bind {self.host}:{port}
	http-request return status 200 content-type text/plain string alone if {{ path /alone }}
	default_backend out
backend out
	server native {self.host}:{self.backend.port}
""")
        return self.launch(mode, [tool("haproxy"), "-db", "-f", conf], port,
                           None, signal.SIGTERM)

    def end(self):
        if self.backend:
            self.backend.kill()
            self.backend = None
