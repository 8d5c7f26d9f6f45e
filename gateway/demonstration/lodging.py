"""A gateway of one's own for a while: a temporary home, a free port, gone afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.failure import Failure
from gateway.serving.readiness import answers_ready

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0
LOOK_EVERY_S = 0.05


@contextmanager
def own_gateway() -> Generator[str]:
    """The base URL of a gateway that serves all tiers with embedded parts until the block ends.

    Raises:
        Failure: it did not start; with the reason that it gave.
    """
    with tempfile.TemporaryDirectory(prefix="tiergate-demo-") as folder:
        port = _free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIERGATE_")}
        process = subprocess.Popen(  # noqa: S603 - this interpreter with our own arguments
            [sys.executable, "-m", "gateway", "serve", "--home", "var", "--port", str(port)],
            cwd=folder,
            env={
                **inherited,
                "PYTHONPATH": os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH")))),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=STOP_WITHIN_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while not answers_ready("127.0.0.1", port):
        if process.poll() is not None:
            raise Failure(f"The gateway for the demonstration did not start: {process.communicate()[1].strip()}")
        if time.monotonic() > until:
            raise Failure(f"The gateway for the demonstration was not ready within {READY_WITHIN_S:.0f} s.")
        time.sleep(LOOK_EVERY_S)
