"""Become another program: as another user, and gone when the parent is gone.

Started as a file, `python -I -S run_as.py UID:GID|- PARENT_PID COMMAND...`, and not as a hook
between fork and exec, which is unsafe in a process that has run gRPC. Standard library only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def run_as(ids: str, parent: int, command: list[str]) -> None:
    """Replace this process by `command`.

    Args:
        ids: `uid:gid` to become, `-` to stay who we are.
        parent: the process whose end sends SIGINT to the command (Linux only).
        command: absolute path of the program, and its arguments.
    """
    if ids != "-":
        uid, gid = map(int, ids.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which clears it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            return  # it died before the line above
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    run_as(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
