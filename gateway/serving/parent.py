"""A child process that never outlives its parent, not even after kill -9.

Linux: prctl(2) PR_SET_PDEATHSIG, which delivers SIGKILL when the thread that started the child
ends. Elsewhere a thread notices that the parent changed, within a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
CHECK_EVERY_S = 1.0


def die_with_parent(parent_pid: int) -> None:
    """Bind this process to the life of ``parent_pid``; ends it at once if that is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    if os.getppid() != parent_pid:  # it died before the line above
        os._exit(1)


def _watch(parent_pid: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent_pid:
        pause.wait(CHECK_EVERY_S)
    os._exit(1)
