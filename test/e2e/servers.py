# SPDX-License-Identifier: Apache-2.0
"""Servers under monitord, driven by real clients.

Theory of operation
-------------------
A function per server gets a Context and writes down, as a transcript, what a
client saw: it starts the server (natively or as variants), waits until it
answers, drives it, stops it by a signal. drive() returns transcript, exit
status and directory as a Run, which the runner compares with the native one
as for any other case. Times and pids are kept out of the transcript; files
that hold them are ignored by the case.
"""
import hashlib
import http.client
import http.server
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

from runner import MARK, Fail, Run, kill_left, tree

_ports = {}
_ports_lock = threading.Lock()


def port_of(name):
    """A free port, the same for all runs of a case."""
    with _ports_lock:
        if name not in _ports:
            while True:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", 0))
                    port = s.getsockname()[1]
                if port not in _ports.values():
                    _ports[name] = port
                    break
        return _ports[name]


class Context:
    def __init__(self, suite, case, n, policy):
        self.suite, self.case, self.n, self.policy = suite, case, n, policy
        self.work = suite.fresh(case)
        self.base = os.path.dirname(self.work)
        self.port = port_of(case.name)
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.env = suite.environment(case, self.mark)
        self.lines = []
        self.procs = []
        self.status = 0
        self.errfile = None

    # ---- writing things down
    def note(self, *words):
        self.lines.append(" ".join(str(w) for w in words))

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        os.utime(path, (1600000000, 1600000000))

    def read(self, name):
        with open(os.path.join(self.work, name), encoding="utf-8", errors="replace") as f:
            return f.read()

    # ---- processes
    def command(self, argv):
        if self.n is None:
            return argv
        return self.suite.monitor_argv(self.case, self.n, self.policy) + argv

    def start(self, argv, name="server"):
        """Start it in the background; the Popen."""
        self.errfile = os.path.join(self.base, name + ".err")
        with open(os.path.join(self.base, name + ".out"), "wb") as out, \
                open(self.errfile, "wb") as err:
            p = subprocess.Popen(self.command(argv), cwd=self.work, env=self.env,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 start_new_session=True)
        self.procs.append(p)
        return p

    def run(self, argv, stdin=b"", timeout=60):
        """Run to its end; (status, stdout, stderr)."""
        p = subprocess.Popen(self.command(argv), cwd=self.work, env=self.env,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True)
        self.procs.append(p)
        try:
            out, err = p.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            raise Fail(f"{argv[0]}: no end within {timeout} s") from None
        return p.returncode, out, err

    def native(self, argv, stdin=b"", timeout=60):
        """Run a client or tool natively."""
        r = subprocess.run(argv, cwd=self.work, env=self.env, input=stdin,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=timeout, check=False)
        return r.returncode, r.stdout, r.stderr

    def complaint(self):
        """What the server said, from the head of a report if there is one."""
        try:
            with open(self.errfile, encoding="utf-8", errors="replace") as f:
                text = f.read()
                at = text.find("monitord: divergence")
                return text[at:at + 6000] if at >= 0 else text[-1500:]
        except (OSError, TypeError):
            return ""

    def ready(self, p, port=None, timeout=30):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if p.poll() is not None:
                raise Fail(f"the server ended with {p.returncode}: {self.complaint()}")
            try:
                socket.create_connection(("127.0.0.1", port or self.port), 1).close()
                return
            except OSError:
                time.sleep(0.03)
        raise Fail("the server does not come up: " + self.complaint())

    def wait_for(self, what, fn, timeout=20):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                v = fn()
            except OSError:
                v = None
            if v:
                return v
            time.sleep(0.03)
        raise Fail(f"waited in vain for {what}: {self.complaint()}")

    def stop(self, p, sig, timeout=20):
        """End it by a signal; its exit status goes into the transcript."""
        p.send_signal(sig)
        self.ended(p, timeout)

    def ended(self, p, timeout=20):
        try:
            status = p.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Fail(f"the server does not stop: {self.complaint()}") from None
        # natively a signal shows as -S, through monitord as 128+S
        self.note("ended with", status if status >= 0 else 128 - status)
        if status == 99:
            raise Fail("divergence: " + self.complaint())

    def finish(self):
        for p in self.procs:
            kill_left(p.pid, f"{MARK}={self.mark}".encode(), self.work)
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    f.close()

    # ---- HTTP
    def describe(self, r, body):
        hide = ("date", "server")
        head = sorted(f"{k.lower()}: {v}" for k, v in r.getheaders()
                      if k.lower() not in hide)
        self.note(r.status, r.reason, len(body), hashlib.md5(body).hexdigest(),
                  "; ".join(head))

    def get(self, path, method="GET", body=None, headers=None, conn=None):
        c = conn or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            data = r.read()
        except (OSError, http.client.HTTPException) as e:
            raise Fail(f"{method} {path}: {e!r} {self.complaint()}") from e
        if not conn:
            c.close()
        self.note(method, path)
        self.describe(r, data)
        return data

    def crowd(self, path, threads=4, requests=15):
        """Several clients at once, each with one connection."""
        good = []

        def client():
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            for _ in range(requests):
                c.request("GET", path)
                r = c.getresponse()
                r.read()
                if r.status == 200:
                    good.append(1)
                if r.will_close:
                    c.close()
            c.close()

        ts = [threading.Thread(target=client) for _ in range(threads)]
        for t in ts:
            t.start()
        for t in ts:
            t.join(60)
        self.note("crowd:", len(good), "of", threads * requests)


def drive(suite, case, n, policy):
    ctx = Context(suite, case, n, policy)
    start = time.monotonic()
    try:
        globals()[case.data["server"]](ctx)
    except subprocess.TimeoutExpired as e:
        raise Fail(f"{e} {ctx.complaint()}") from e
    except (ConnectionError, TimeoutError) as e:
        raise Fail(f"client: {e!r} {ctx.complaint()}") from e
    finally:
        ctx.finish()
    text = ("\n".join(ctx.lines) + "\n").encode()
    return Run(0, text, b"", tree(ctx.work), 0, time.monotonic() - start, False)


def web_files(ctx, root="html"):
    ctx.put(root + "/index.html", "<h1>index</h1>\n")
    ctx.put(root + "/small.txt", "small\n" * 20)
    ctx.put(root + "/large.bin", bytes(range(256)) * 8192)
    ctx.put(root + "/dir/inner.txt", "inner\n")


def web_tour(ctx):
    """What every web server must answer."""
    c = http.client.HTTPConnection("127.0.0.1", ctx.port, timeout=20)
    for path in ("/", "/small.txt", "/large.bin", "/small.txt", "/none"):
        ctx.get(path, conn=c)
    c.close()
    ctx.get("/small.txt", method="HEAD")
    ctx.get("/dir")
    ctx.get("/dir/inner.txt", headers={"Connection": "close"})
    status, out, err = ctx.native(["curl", "-s", "-w", "%{http_code} %{size_download}\\n",
                                   f"http://127.0.0.1:{ctx.port}/small.txt",
                                   f"http://127.0.0.1:{ctx.port}/large.bin", "-o", "/dev/null",
                                   "-o", "/dev/null"])
    ctx.note("curl", status, out, err)
    # a client that goes away in the middle
    with socket.create_connection(("127.0.0.1", ctx.port)) as s:
        s.sendall(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(1000)
    # nonsense
    with socket.create_connection(("127.0.0.1", ctx.port)) as s:
        s.settimeout(20)
        s.sendall(b"\x00\x01nonsense\r\n\r\n")
        ctx.note("nonsense", s.recv(12)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.0 400")
                 or "answered otherwise")


NGINX = """
daemon off; master_process on; worker_processes 2; pid nginx.pid; user root;
error_log error.log notice;
events {{ worker_connections 128; }}
http {{
  access_log access.log; sendfile on; keepalive_timeout 30; tcp_nopush on;
  client_body_temp_path tmp1; proxy_temp_path tmp2; fastcgi_temp_path tmp3;
  uwsgi_temp_path tmp4; scgi_temp_path tmp5; default_type text/plain;
  server {{ listen 127.0.0.1:{port}; root html;
    location = /version {{ return 200 "{version}"; }}
    location /dir/ {{ autoindex on; }}
    location /gz/ {{ gzip on; gzip_min_length 1; gzip_types text/plain; alias html/; }}
    location /post {{ client_max_body_size 1m; return 200 "posted"; }}
  }}
}}
"""


def nginx(ctx):
    web_files(ctx)
    conf = os.path.join(ctx.work, "nginx.conf")
    ctx.put("nginx.conf", NGINX.format(port=ctx.port, version="one"))
    p = ctx.start(["nginx", "-p", ctx.work, "-c", conf, "-e", "error.log"])
    ctx.ready(p)
    web_tour(ctx)
    ctx.get("/version")
    ctx.get("/dir/")
    ctx.get("/small.txt", headers={"Range": "bytes=10-19"})
    ctx.get("/gz/small.txt", headers={"Accept-Encoding": "gzip"})
    ctx.get("/post", method="POST", body=b"x" * 200000)
    ctx.crowd("/small.txt")
    ctx.crowd("/large.bin", 2, 5)
    master = int(ctx.read("nginx.pid"))
    # new log file on SIGUSR1
    os.rename(os.path.join(ctx.work, "access.log"), os.path.join(ctx.work, "access.old"))
    os.kill(master, signal.SIGUSR1)
    ctx.wait_for("the new log", lambda: os.path.exists(os.path.join(ctx.work, "access.log")))
    time.sleep(0.3)
    ctx.get("/small.txt")
    ctx.wait_for("a line in it", lambda: "small.txt" in ctx.read("access.log"))
    ctx.note("lines in the old log:", len(ctx.read("access.old").splitlines()))
    # new configuration on SIGHUP, without losing a request
    ctx.put("nginx.conf", NGINX.format(port=ctx.port, version="two"))
    os.kill(master, signal.SIGHUP)

    def new_version():
        c = http.client.HTTPConnection("127.0.0.1", ctx.port, timeout=20)
        c.request("GET", "/version")
        return c.getresponse().read() == b"two"
    ctx.wait_for("the new configuration", new_version)
    ctx.crowd("/small.txt", 2, 10)
    ctx.note("the pid stays:", int(ctx.read("nginx.pid")) == master)
    ctx.stop(p, signal.SIGQUIT)
    for line in ctx.read("error.log").splitlines():
        if re.search(r"\[(alert|crit|emerg)\]", line):
            ctx.note("error log:", re.sub(r"^\S+ \S+|\d+#\d+|\d{3,}", "", line))
    ctx.note("requests logged:", len(ctx.read("access.log").splitlines()) > 20)


def lighttpd(ctx):
    web_files(ctx)
    ctx.put("conf", f"""
server.document-root = "{ctx.work}/html"
server.bind = "127.0.0.1"
server.port = {ctx.port}
server.modules = ( "mod_access", "mod_accesslog", "mod_dirlisting", "mod_redirect" )
accesslog.filename = "{ctx.work}/access.log"
accesslog.format = "%m %U %s %b"
server.errorlog = "{ctx.work}/error.log"
index-file.names = ( "index.html" )
mimetype.assign = ( ".txt" => "text/plain", ".html" => "text/html", "" => "application/octet-stream" )
dir-listing.activate = "enable"
etag.use-inode = "disable"
url.redirect = ( "^/old" => "/small.txt" )
""")
    p = ctx.start(["lighttpd", "-D", "-f", os.path.join(ctx.work, "conf")])
    ctx.ready(p)
    web_tour(ctx)
    ctx.get("/old")
    ctx.get("/small.txt", headers={"Range": "bytes=0-9"})
    ctx.crowd("/small.txt")
    ctx.crowd("/large.bin", 2, 4)
    ctx.stop(p, signal.SIGINT)
    ctx.note("requests logged:", len(ctx.read("access.log").splitlines()) > 60)


class Redis:
    """A client that speaks the protocol, enough of it."""

    def __init__(self, ctx):
        self.s = socket.create_connection(("127.0.0.1", ctx.port), 30)
        self.f = self.s.makefile("rb")

    def send(self, *words):
        out = b"*%d\r\n" % len(words)
        for w in words:
            w = w if isinstance(w, bytes) else str(w).encode()
            out += b"$%d\r\n%s\r\n" % (len(w), w)
        self.s.sendall(out)

    def reply(self):
        line = self.f.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            n = int(rest)
            return None if n < 0 else self.f.read(n + 2)[:-2]
        return kind + rest

    def __call__(self, *words):
        self.send(*words)
        return self.reply()


def redis(ctx):
    argv = ["redis-server", "--port", str(ctx.port), "--bind", "127.0.0.1", "--dir", ctx.work,
            "--appendonly", "yes", "--save", "3600", "1", "--daemonize", "no", "--logfile",
            "redis.log", "--databases", "2"]
    p = ctx.start(argv)
    ctx.ready(p)
    r = Redis(ctx)
    for words in (("PING",), ("SET", "k", "value"), ("GET", "k"), ("INCR", "n"), ("INCRBY", "n", 41),
                  ("LPUSH", "l", "a", "b", "c"), ("LRANGE", "l", 0, -1), ("SADD", "s", 1, 2, 3),
                  ("SCARD", "s"), ("HSET", "h", "f", "v", "g", "w"), ("HGET", "h", "g"),
                  ("ZADD", "z", 3, "x", 1, "y"), ("ZRANGE", "z", 0, -1), ("SETEX", "e", 100, "x"),
                  ("EXISTS", "k", "none"), ("TYPE", "h"), ("APPEND", "k", "s"), ("STRLEN", "k"),
                  ("SET", "big", b"b" * 500000), ("STRLEN", "big"), ("GETRANGE", "big", 5, 9),
                  ("EVAL", "return redis.call('get', KEYS[1])", 1, "k"), ("NONSENSE",),
                  ("EXPIRE", "l", 1000), ("PERSIST", "l"), ("DBSIZE",), ("ECHO", "hello"),
                  ("CONFIG", "GET", "maxclients"), ("OBJECT", "ENCODING", "n")):
        got = r(*words)
        ctx.note(words[:2], got if not isinstance(got, bytes) or len(got) < 80 else len(got))
    ctx.note(r("MULTI"), r("SET", "t", 1), r("INCR", "t"), r("EXEC"))
    for i in range(1000):
        r.send("SET", f"key:{i}", f"value {i}")
    ctx.note("pipelined", sum(r.reply() == b"+OK" for _ in range(1000)))
    sub = Redis(ctx)
    ctx.note(sub("SUBSCRIBE", "ch"), r("PUBLISH", "ch", "message"), sub.reply())
    blocked = Redis(ctx)
    blocked.send("BLPOP", "queue", 20)
    time.sleep(0.05)
    r("RPUSH", "queue", "item")
    ctx.note(blocked.reply())
    ctx.note("save", r("SAVE"))
    last = r("LASTSAVE")
    time.sleep(1.1)
    ctx.note("bgsave", r("BGSAVE")[:10])
    ctx.wait_for("the background save", lambda: r("LASTSAVE") != last)
    ctx.note("rewrite", r("BGREWRITEAOF")[:11])
    ctx.wait_for("the rewrite", lambda: b"aof_rewrite_in_progress:0" in r("INFO", "persistence")
                 and b"aof_rewrite_scheduled:0" in r("INFO", "persistence"))
    ctx.note([x for x in r("INFO", "persistence").split(b"\r\n") if b"status" in x])
    expected = r("DBSIZE")
    ctx.stop(p, signal.SIGTERM)
    # what it wrote is read again
    p = ctx.start(argv)
    ctx.ready(p)
    r = ctx.wait_for("the loaded data", lambda: (lambda c: c("PING") == b"+PONG" and c)(Redis(ctx)))
    ctx.note("size again", r("DBSIZE") == expected, r("GET", "key:777"), r("GET", "k"))
    try:
        r("SHUTDOWN")
    except ConnectionError:
        pass
    ctx.ended(p)


def memcached(ctx):
    p = ctx.start(["memcached", "-t", "1", "-l", "127.0.0.1", "-p", str(ctx.port), "-U", "0",
                   "-u", "root", "-m", "32"])
    ctx.ready(p)
    with socket.create_connection(("127.0.0.1", ctx.port), 30) as s:
        f = s.makefile("rb")

        def say(text, lines=1):
            s.sendall(text)
            out = []
            while lines != 0:
                line = f.readline()
                out.append(line.strip())
                lines -= 1
                if lines < 0 and line.startswith((b"END", b"ERROR")):
                    break
            ctx.note(text[:30], out)
        say(b"set a 5 0 5\r\nhello\r\n")
        say(b"get a\r\n", -1)
        say(b"add a 0 0 1\r\nx\r\n")
        say(b"append a 0 0 6\r\n world\r\n")
        say(b"gets a\r\n", -1)
        say(b"set n 0 0 2\r\n10\r\n")
        say(b"incr n 5\r\n")
        say(b"decr n 3\r\n")
        say(b"delete a\r\n")
        say(b"get a n\r\n", -1)
        say(b"touch n 100\r\n")
        say(b"cas n 0 0 1 99999\r\n1\r\n")
        say(b"nonsense\r\n")
        say(b"version\r\n")
        big = b"x" * 500000
        say(b"set big 0 0 500000\r\n" + big + b"\r\n")
        s.sendall(b"get big\r\n")
        n = 0
        while n < 500000:
            n += len(f.read(min(65536, 500000 - n)))
        s.sendall(b"".join(b"set k%d 0 0 3 noreply\r\nabc\r\n" % i for i in range(500)))
        say(b"get k0 k250 k499\r\n", -1)
        say(b"flush_all\r\n")
        say(b"get n\r\n", -1)
    conns = [socket.create_connection(("127.0.0.1", ctx.port), 30) for _ in range(10)]
    for i, c in enumerate(conns):
        c.sendall(b"set c%d 0 0 1\r\n%d\r\n" % (i, i))
    ctx.note([c.recv(100) for c in conns])
    for c in conns:
        c.close()
    ctx.stop(p, signal.SIGTERM)


def python_http(ctx):
    web_files(ctx, ".")
    p = ctx.start([ctx.suite.python, "-u", "-m", "http.server", str(ctx.port), "--bind", "127.0.0.1"])
    ctx.ready(p)
    for path in ("/", "/small.txt", "/large.bin", "/none", "/dir", "/dir/"):
        ctx.get(path)
    ctx.get("/small.txt", method="HEAD")
    ctx.get("/small.txt", method="POST", body=b"x")
    ctx.crowd("/small.txt", 3, 8)
    ctx.stop(p, signal.SIGINT)
    with open(ctx.errfile, encoding="utf-8", errors="replace") as f:
        ctx.note("log lines", sum('"GET /small.txt' in x for x in f))


def sshd(ctx):
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for key in ("host", "user"):
        ctx.native(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    ctx.put("authorized", ctx.read("user.pub"), 0o600)
    ctx.put("known", f"[127.0.0.1]:{ctx.port} " + ctx.read("host.pub"), 0o600)
    ctx.put("conf", f"""
Port {ctx.port}
ListenAddress 127.0.0.1
HostKey {ctx.work}/host
AuthorizedKeysFile {ctx.work}/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
Subsystem sftp internal-sftp
AcceptEnv GIVEN
""")
    sshd_path = "/usr/sbin/sshd"
    ssh = ["ssh", "-p", str(ctx.port), "-i", "user", "-F", "/dev/null", "-T",
           "-o", "UserKnownHostsFile=known", "-o", "StrictHostKeyChecking=yes",
           "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
           "-o", "SendEnv=GIVEN", "root@127.0.0.1"]

    def listening():
        # a probe would be the one connection that -d serves
        with open("/proc/net/tcp", encoding="ascii") as f:
            return f":{ctx.port:04X} 00000000:0000 0A" in f.read()
    for command, stdin in (("echo hello; id -u; echo err >&2; exit 3", b""),
                           ("cat | tr a-z A-Z; echo $SSH_CONNECTION | cut -d' ' -f1", b"typed\n" * 2000),
                           ("head -c 300000 /dev/zero | tr '\\0' y | md5sum; kill -TERM $$", b"")):
        p = ctx.start([sshd_path, "-d", "-e", "-f", os.path.join(ctx.work, "conf")])
        ctx.wait_for("sshd", lambda: listening() or p.poll() is not None)
        if p.poll() is not None:
            raise Fail("sshd ended: " + ctx.complaint())
        status, out, err = ctx.native(ssh + [command], stdin, 60)
        # -d sends its own messages there, too
        ctx.note(command, status, out if len(out) < 200 else hashlib.md5(out).hexdigest(),
                 b"\nerr\n" in err)
        if status == 255 and not out:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                pass
            raise Fail(f"no login: {err.decode(errors='replace')[-300:]} {ctx.complaint()}")
        try:
            status = p.wait(20)
        except subprocess.TimeoutExpired:
            raise Fail("sshd does not end after its connection") from None
        if status == 99:
            raise Fail("divergence: " + ctx.complaint())
        ctx.note("sshd ended with", status)


def certificate(ctx):
    status, _, err = ctx.native(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", "key", "-out", "cert", "-subj", "/CN=localhost", "-days", "30",
         "-addext", "subjectAltName=DNS:localhost"])
    if status:
        raise Fail("openssl req: " + err.decode())


def tls_client(ctx, version):
    c = ssl.create_default_context(cafile=os.path.join(ctx.work, "cert"))
    c.minimum_version = c.maximum_version = version
    with socket.create_connection(("127.0.0.1", ctx.port), 20) as raw, \
            c.wrap_socket(raw, server_hostname="localhost") as s:
        ctx.note(s.version())
        s.sendall(b"GET /small.txt HTTP/1.0\r\n\r\n")
        data = b""
        while True:
            try:
                d = s.recv(65536)
            except ssl.SSLError:
                d = b""
            if not d:
                break
            data += d
        ctx.note(len(data), data[-20:])


def openssl_server(ctx):
    certificate(ctx)
    web_files(ctx, ".")
    p = ctx.start(["openssl", "s_server", "-accept", f"127.0.0.1:{ctx.port}", "-cert", "cert",
                   "-key", "key", "-WWW", "-quiet", "-naccept", "4"])
    ctx.wait_for("s_server", lambda: f":{ctx.port:04X} 00000000:0000 0A"
                 in open("/proc/net/tcp", encoding="ascii").read())
    tls_client(ctx, ssl.TLSVersion.TLSv1_3)
    tls_client(ctx, ssl.TLSVersion.TLSv1_2)
    for version in ("-tls1_3", "-tls1_2"):
        status, out, _ = ctx.native(
            ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{ctx.port}", "-CAfile", "cert",
             version], b"GET /dir/inner.txt HTTP/1.0\r\n\r\n", 20)
        ctx.note("s_client", status, out)
    ctx.ended(p)


def openssl_client(ctx):
    certificate(ctx)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(os.path.join(ctx.work, "cert"), os.path.join(ctx.work, "key"))
    listener = socket.create_server(("127.0.0.1", ctx.port))
    listener.settimeout(30)

    def serve():
        for _ in range(2):
            try:
                raw, _ = listener.accept()
                raw.settimeout(20)
                with server.wrap_socket(raw, server_side=True) as s:
                    line = s.recv(1000)
                    s.sendall(b"you said " + line)
                    s.unwrap()
            except OSError:
                pass
    t = threading.Thread(target=serve)
    t.start()
    try:
        for version in ("-tls1_3", "-tls1_2"):
            status, out, err = ctx.run(
                ["openssl", "s_client", "-quiet", "-verify_return_error", "-connect",
                 f"127.0.0.1:{ctx.port}", "-servername", "localhost", "-CAfile", "cert", version],
                b"hello over TLS\n", 30)
            if status == 99:
                raise Fail("divergence: " + err.decode(errors="replace")[:1500])
            ctx.note(version, status, out)
    finally:
        listener.close()
        t.join(40)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        n = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/target")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/large":
            data = bytes(range(256)) * 4096
        else:
            data = f"{self.command} {self.path} {len(body)} {hashlib.md5(body).hexdigest()}\n".encode()
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Agent", str(self.headers.get("X-Mine")))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PUT = do_GET

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def curl_client(ctx):
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", ctx.port), Handler)
    t = threading.Thread(target=httpd.serve_forever, daemon=True)
    t.start()
    url = f"http://127.0.0.1:{ctx.port}"
    ctx.put("upload", "to be sent\n" * 1000)
    try:
        for args in (["-s", url + "/one", url + "/two"],
                     ["-s", "-i", "-H", "X-Mine: header", url + "/x", "-w", "%{http_code}\\n"],
                     ["-s", "-L", url + "/redirect"], ["-s", "-d", "a=b&c=d", url + "/post"],
                     ["-s", "-T", "upload", url + "/put"], ["-s", "-I", url + "/head"],
                     ["-s", "-o", "large", url + "/large"], ["-sf", url + "/none"],
                     ["-s", "--max-time", "5", "http://127.0.0.1:1/"],
                     ["-s", "--parallel", "-o", "p#1", url + "/{a,b,c}"],
                     ["-s", "-r", "0-9", url + "/range", "-A", "agent", "-e", "referer"],
                     ["-sS", "http://no-such-host.invalid/"], ["-s", f"http://localhost:{ctx.port}/name"]):
            status, out, err = ctx.run(["curl"] + args)
            if status == 99:
                raise Fail("divergence: " + err.decode(errors="replace")[:1500])
            out = re.sub(rb"(?m)^(Date|Server):.*\r\n", b"", out)
            if "--parallel" in args:
                err = b""  # a progress meter
            ctx.note(args[:3], status, out if len(out) < 400 else hashlib.md5(out).hexdigest(), err)
    finally:
        httpd.shutdown()
        httpd.server_close()
