"""Run an unpacked image's service as it will be run, where it reaches nothing but itself.

with start(Service(rootfs, config, ready="/healthz")) as running:
    running.url         # http://127.0.0.1:PORT, on this machine's loopback
    running.listening() # the ports that are open inside
"""

from __future__ import annotations

from shipworthy.serving.network import Port
from shipworthy.serving.running import Running, start
from shipworthy.serving.service import Service
from shipworthy.tools.containers import Ended, Use

__all__ = ["Ended", "Port", "Running", "Service", "Use", "start"]
