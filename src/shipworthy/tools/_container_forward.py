"""Carry connections to a port of the container, until it ends. Standard library only: the launcher runs this file,
inside of the container's network namespace and outside of everything else of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Sequence

_CHUNK, _CONNECTIONS = 65_536, 512
# A service whose queue is full drops what connects, and the kernel asks again ever less often: ask anew instead.
_ASK_SECONDS, _CONNECT_SECONDS = 2.0, 60.0


def attend(child: int, lifeline: int, listeners: Sequence[int], port: int, seconds: float) -> None:
    """Return when process `child` has ended; kill it when the lifeline closes or after `seconds` (0: no limit).

    `listeners` are descriptors of listening sockets that were made outside. What connects to them is connected to
    `port` on the loopback inside; each direction has its own end of stream, and reads no faster than the other end
    takes. At most 512 connections at a time; more wait in the sockets' queues.
    """
    asyncio.run(_attend(child, lifeline, listeners, port, seconds))


async def _attend(child: int, lifeline: int, listeners: Sequence[int], port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    handle = os.pidfd_open(child)
    loop.add_reader(handle, ended.set)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    def gone() -> None:
        loop.remove_reader(lifeline)
        kill()

    loop.add_reader(lifeline, gone)
    if seconds > 0:
        loop.call_later(seconds, kill)
    tasks = [asyncio.create_task(_accept(descriptor, port)) for descriptor in listeners]
    await ended.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    loop.remove_reader(handle)
    os.close(handle)


async def _accept(descriptor: int, port: int) -> None:
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(_CONNECTIONS)
    running: set[asyncio.Task[None]] = set()
    with socket.socket(fileno=descriptor) as listener:
        listener.setblocking(False)
        try:
            while True:
                await places.acquire()
                try:
                    outer, _ = await loop.sock_accept(listener)
                except OSError:  # out of descriptors, or the peer is gone already
                    places.release()
                    await asyncio.sleep(0.05)
                    continue
                task = asyncio.create_task(_carry(outer, port))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda _: places.release())
        finally:
            for task in running:
                task.cancel()


async def _carry(outer: socket.socket, port: int) -> None:
    with outer:
        inner = await _connect(port)
        if inner is None:
            return  # nobody listens: the connection is closed, as a refused one
        with inner:
            await asyncio.gather(_pump(outer, inner), _pump(inner, outer))


async def _connect(port: int) -> socket.socket | None:
    """A connection to the service; None where nobody listens, or where its queue stays full for a minute."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _CONNECT_SECONDS
    while True:
        full = False
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            try:
                return await asyncio.wait_for(_ask(family, address, port), _ASK_SECONDS)
            except TimeoutError:
                full = True
            except OSError:
                continue
        if not full or loop.time() > deadline:
            return None


async def _ask(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    inner = socket.socket(family, socket.SOCK_STREAM)
    try:
        inner.setblocking(False)
        await asyncio.get_running_loop().sock_connect(inner, (address, port))
    except BaseException:
        inner.close()
        raise
    return inner


async def _pump(source: socket.socket, target: socket.socket) -> None:
    """One direction. Its end of stream is handed on; an error on one side ends the other direction too."""
    loop = asyncio.get_running_loop()
    source.setblocking(False)
    try:
        while data := await loop.sock_recv(source, _CHUNK):
            await loop.sock_sendall(target, data)
    except OSError:
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        return
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
