"""A client of docs/control.md, written from that page alone, with the standard library alone.

usage: control.py HOST PORT PREFIX kick|describe SESSION TIMEOUT_MS
Prints one JSON line: {"outcome": …} or {"outcome": "answered", "answer": …}.
REDISCLI_AUTH may hold a password.
"""
import json
import os
import secrets
import socket
import sys


class Redis:
    """RESP2, as little as is needed."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.file = self.socket.makefile("rb")
        if os.environ.get("REDISCLI_AUTH"):
            self.call("AUTH", os.environ["REDISCLI_AUTH"])

    def call(self, *words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            octets = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(octets), octets))
        self.socket.sendall(b"".join(parts))
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) == -1:
                return None
            return self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if int(rest) == -1 else [self.reply() for _ in range(int(rest))]
        raise RuntimeError("what answers there is no Redis")


def ask(redis, prefix, op, session, timeout):
    def key(*names):
        return ":".join((prefix, "x") + names)

    details = redis.call("GET", key("details", session))  # 1
    if details is None:
        return {"outcome": "no_owner"}
    node, incarnation = json.loads(details)[:2]

    def alive():
        lease = redis.call("GET", key("node", node))
        return lease is not None and lease[:16] == incarnation

    if not alive():  # 2
        return {"outcome": "node_unreachable"}
    request = {"v": 1, "op": op, "sessions": [session]}
    if op == "kick":
        request.update(action_id="python-" + secrets.token_hex(4), reason="from python")
    name = secrets.token_urlsafe(12)  # 3
    redis.call("SET", key("request", name), json.dumps(request), "PX", timeout + 5000)
    left, living, answer = timeout, True, None
    while answer is None and living and left > 0:  # 4
        redis.call("PUBLISH", key("wake", incarnation), name)
        wait = min(left, 500)
        answer = redis.call("BLPOP", key("answer", name), wait / 1000)
        left -= wait
        living = answer is not None or alive()
    if answer is None:  # 5
        if redis.call("DEL", key("request", name)) == 1:
            return {"outcome": "timeout" if living else "node_unreachable"}
        answer = redis.call("BLPOP", key("answer", name), 2)
    if answer is None:
        return {"outcome": "unknown"}
    return {"outcome": "answered", "answer": json.loads(answer[1])}


host, port, prefix, op, session, timeout = sys.argv[1:]
print(json.dumps(ask(Redis(host, int(port)), prefix, op, session, int(timeout))))
