"""Requests at a constant rate, timed without coordinated omission. Run as a program of its own, on a core of its own.

    python guard_load.py PORT RATE SECONDS CORE REQUEST-FILE

Request k is due at start + k / rate, whether the ones before are answered or not: it waits only for one of the 16
connections (which are opened anew if the service closes them). Prints JSON: `due`, milliseconds from when each request
was due to the last byte of its answer (what a client would have waited); `sent`, from when it was written; `late`, how
long after it was due each was written; `refused`, answers other than 200; `number` of those that were answered at all,
in `seconds`. The loop spins in the last millisecond before a request is due: a sleep that ends late would be counted
as the service's.
"""

import gc
import json
import os
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

CONNECTIONS = 16
PATIENCE = 1.0  # seconds beyond the end
WARM = 0.3  # seconds at the start that are not counted


def run(port: int, rate: float, seconds: float, raw: bytes) -> dict[str, Any]:
    """Ask; see above."""
    poll = select.epoll()
    sockets = {}

    def connect() -> int:
        one = socket.create_connection(("127.0.0.1", port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        poll.register(one.fileno(), select.EPOLLIN)
        sockets[one.fileno()] = one
        return one.fileno()

    for _ in range(CONNECTIONS):
        connect()
    idle, waiting = deque(sockets), deque()
    asked: dict[int, tuple[float, float]] = {}
    got: dict[int, bytes] = {}
    found: dict[str, Any] = {"due": [], "sent": [], "late": [], "refused": 0}
    total, number, answered = int(rate * seconds), 0, 0
    clock = time.perf_counter
    start = clock() + 0.05
    counted = start + WARM
    while answered < total:
        now = clock()
        while number < total and start + number / rate <= now:
            waiting.append(start + number / rate)
            number += 1
        while waiting and idle:
            place, due = idle.popleft(), waiting.popleft()
            moment = clock()
            if sockets[place].send(raw) != len(raw):
                raise SystemExit("a request was not taken whole")
            asked[place] = (due, moment)
        ahead = start + number / rate - clock() if number < total else 0.002
        for place, _ in poll.poll(max(int(ahead * 1000 - 0.5), 0) / 1000):
            part = sockets[place].recv(65536)
            moment = clock()
            if not part:
                raise SystemExit("a connection was closed")
            text = got.pop(place, b"") + part
            head, end, body = text.partition(b"\r\n\r\n")
            head = head.lower()
            if not end or len(body) < int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]):
                got[place] = text
                continue
            found["refused"] += not text.startswith(b"HTTP/1.1 200")
            due, sent = asked.pop(place)
            answered += 1
            if due >= counted:
                found["due"].append((moment - due) * 1000)
                found["sent"].append((moment - sent) * 1000)
                found["late"].append((sent - due) * 1000)
            if b"\nconnection: close" in head:
                poll.unregister(place)
                sockets.pop(place).close()
                place = connect()
            idle.append(place)
        if clock() > start + seconds + PATIENCE:
            break  # the service does not keep up
    return found | {"number": answered, "seconds": clock() - start}


def main() -> None:
    """The command line."""
    port, rate, seconds, core, path = sys.argv[1:6]
    if int(core) >= 0:
        os.sched_setaffinity(0, {int(core)})
    raw = Path(path).read_bytes()
    gc.disable()
    json.dump(run(int(port), float(rate), float(seconds), raw), sys.stdout)


if __name__ == "__main__":
    main()
