# SPDX-License-Identifier: Apache-2.0
"""Services as Debian packages them: served natively, under monitord, and back."""
import difflib
import os
import socket

from units import (Fail, STATE, UNITS, ctl, is_monitored, journal, lines_of, put_under,
                   run, show, until)


def http(port, path="/", headers=()):
    rc, out = run("curl", "-s", "-i", "-m", "20", *headers,
                  f"http://127.0.0.1:{port}{path}")
    drop = ("Date:", "Last-Modified:", "ETag:")
    return [str(rc)] + [x for x in out.splitlines() if not x.startswith(drop)]


def wait_http(port):
    until(f"port {port}", lambda: run("curl", "-s", "-o", "/dev/null",
                                      f"http://127.0.0.1:{port}/")[0] == 0)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


def talk(port, text, until_text):
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.settimeout(20)
        c.sendall(text)
        got = b""
        while until_text not in got:
            part = c.recv(65536)
            if not part:
                break
            got += part
        return got.decode(errors="replace").splitlines()


def drive_web(name, port):
    def drive():
        wait_http(port)
        yield http(port)
        yield http(port, "/nothing")
        yield http(port, "/big.bin", ("-r", "100-120", "-o", "/dev/null"))[0]
        for _ in range(20):
            yield http(port, "/")[1]
    return drive


def drive_redis():
    until("redis", lambda: run("redis-cli", "ping")[1].strip() == "PONG")
    for words in (("set", "a", "1"), ("incr", "a"), ("get", "a"),
                  ("lpush", "l", "x", "y"), ("lrange", "l", "0", "-1"),
                  ("config", "get", "maxclients"), ("save",)):
        yield run("redis-cli", *words)[1]
    yield run("redis-benchmark", "-q", "-n", "500", "-c", "5", "-t",
              "set,get")[0]
    yield run("redis-cli", "del", "a", "l")[1]


def drive_memcached():
    until("memcached", lambda: answers(11211))
    yield talk(11211, b"set k 0 0 5\r\nhello\r\nget k\r\n", b"END")
    yield talk(11211, b"get nothing\r\n", b"END")
    yield talk(11211, b"version\r\n", b"\n")


KEY = "/root/.ssh/id_ed25519"


def drive_ssh():
    ssh = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
           "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "root@127.0.0.1")
    until("ssh", lambda: run(*ssh, "true")[0] == 0, 30)
    yield run(*ssh, "echo $USER; tty; exit 7")
    yield run(*ssh, "cat /etc/hostname")
    yield run("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
              "-o", "LogLevel=ERROR", "nobody@127.0.0.1", "true")[0]


PACKAGED = {
    "nginx": drive_web("nginx", 80),
    "lighttpd": drive_web("lighttpd", 8080),
    "redis-server": drive_redis,
    "memcached": drive_memcached,
    "ssh": drive_ssh,
}


LIGHTTPD_LOG = "/var/log/lighttpd/error.log"


def lighttpd_starts():
    try:
        with open(LIGHTTPD_LOG, errors="replace") as f:
            return f.read().count("server started")
    except FileNotFoundError:
        return 0


def reload(name):
    """lighttpd begins anew in the same process, and forgets a SIGTERM that comes
    before it has: the stop that follows would wait until systemd kills it."""
    before = lighttpd_starts()
    rc = ctl("reload", name)
    if name == "lighttpd":
        until("lighttpd's new start", lambda: lighttpd_starts() > before)
    return rc


def packaged_transcript(name, drive, monitored):
    out = []
    props = ("ActiveState", "SubState", "Result", "StatusText")
    ctl("restart", name, check=True)
    out += lines_of(drive())
    out += show(name, *props)
    if is_monitored(name) != monitored:
        raise Fail("monitord is not there" if monitored else
                   "monitord is still there")
    if show(name, "CanReload") == ["CanReload=yes"]:
        out.append(f"reload: {reload(name)}")
        out += lines_of(drive())
    ctl("restart", name, check=True)
    out += lines_of(drive())
    out += show(name, *props)
    ctl("stop", name)
    out += show(name, *STATE)
    return out


def packaged(name):
    drive = PACKAGED[name]
    run("monitord", "service", "--revert", name)
    ctl("reset-failed", name)
    try:
        native = packaged_transcript(name, drive, False)
        put_under(name)
        monitored = packaged_transcript(name, drive, True)
        out = run("monitord", "service", "--revert", name, check=True)[1]
        if os.path.exists(f"{UNITS}/{name}.service.d"):
            raise Fail(f"something is left of the drop-in:\n{out}")
        ctl("restart", name, check=True)
        if is_monitored(name):
            raise Fail("monitord is still there after --revert")
        ctl("stop", name)
    except Fail as e:
        raise Fail(f"{e}\n{journal(name)}") from None
    finally:
        run("monitord", "service", "--revert", name)
        ctl("stop", name)
    if native != monitored:
        raise Fail("\n".join(difflib.unified_diff(
            native, monitored, "native", "monitord", lineterm="", n=2)))
