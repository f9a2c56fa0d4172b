"""A mail panel's two look-ups, as people write them: the code under test in README.md."""

import json
import socket


def ask(path, user, *words):
    """Send one command to the doveadm-server socket at `path`; return the reply's line."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        line = "\t".join(["", user, *words])
        server.sendall(f"VERSION\tdoveadm-server\t1\t0\n{line}\n".encode())
        reply = server.makefile("rb")
        assert reply.readline() == b"+\n"
        return reply.readline().rstrip(b"\n")


def quota_used(path, user):
    """Return how many kB of mail a user has."""
    return int(ask(path, user, "quota get").split(b"\t")[2])


def home_directory(path, user, ask=ask):
    """Return a user's home directory."""
    for entry in json.loads(ask(path, "", "user", user)):
        if "home" in entry:
            return entry["home"]
    raise LookupError(f"failed to retrieve home directory of {user}")
