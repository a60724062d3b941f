"""The sandbox of a systemd unit without systemd: ``python -m lab.agent.sandbox UNIT COMMAND…`` (as root).

A container has no booted systemd, but a mount namespace, a system user and a system call filter can be had. Applied
from the unit: User, ProtectSystem=strict with ReadWritePaths, PrivateTmp, ProtectHome, NoNewPrivileges,
SystemCallFilter. Not applied: what only systemd does (PrivateUsers, RestrictNamespaces, address families, devices).
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

_CLONE_NEWNS: Final = 0x20000
_PR_SET_NO_NEW_PRIVS: Final = 38
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | errno.EPERM
# Of the kernel, as it is under ProtectSystem=strict (systemd.exec(5)).
_LEFT_ALONE: Final = ("/proc", "/sys", "/dev")
_HOMES: Final = ("/home", "/root", "/run/user")
# The exit code where namespaces may not be made.
EXIT_NO_NAMESPACE: Final = 77


def options_of(unit: str) -> dict[str, list[str]]:
    """The options of a unit, each with all its values, as systemd.syntax(7) reads them."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";", "[")):
            words = (word.replace("%%", "%") for word in shlex.split(value))
            found.setdefault(name, []).extend(words)
    return found


def main(unit: Path, command: list[str]) -> None:
    """Enter the sandbox and become the command."""
    options = options_of(unit.read_text(encoding="utf-8"))
    allowed = _allowed_calls(options["SystemCallFilter"])
    _new_namespace()
    _make_read_only([Path(path) for path in options["ReadWritePaths"]])
    _hide_homes_and_tmp()
    user = pwd.getpwnam(options["User"][0])
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.chdir("/")
    _no_new_privileges()
    _filter_calls(allowed)
    environment = {"HOME": user.pw_dir, "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    os.execve(command[0], command, environment)


def _new_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        print(f"no mount namespace: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        sys.exit(EXIT_NO_NAMESPACE)
    _mount("--make-rprivate", "/")


def _make_read_only(writable: list[Path]) -> None:
    for path in writable:
        _mount("--bind", str(path), str(path))
    spared = {str(path) for path in writable}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1].encode().decode("unicode_escape")
        if place not in spared and not place.startswith(_LEFT_ALONE):
            _mount("-o", "remount,bind,ro", place)


def _hide_homes_and_tmp() -> None:
    # The interpreter itself may lie in a home directory here, which `install` warns of.
    prefix = Path(sys.base_prefix)
    home = next((home for home in _HOMES if prefix.is_relative_to(home)), None)
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/var/tmp")
    if home is not None:
        aside = Path("/tmp/.interpreter")
        aside.mkdir()
        _mount("--bind", str(prefix), str(aside))
    for place in _HOMES:
        if Path(place).is_dir():
            _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    if home is not None:
        prefix.mkdir(parents=True)
        _mount("--move", "/tmp/.interpreter", str(prefix))


def _mount(*words: str) -> None:
    subprocess.run(["mount", "--no-mtab", *words], check=True)


def _no_new_privileges() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _allowed_calls(words: list[str]) -> set[str]:
    """The list as systemd reads it: names add, and from a word with ~ on they take away."""
    allowed: set[str] = set()
    taking = False
    for word in words:
        taking = taking or word.startswith("~")
        calls = _expanded(word.lstrip("~"))
        allowed = allowed - calls if taking else allowed | calls
    return allowed


def _expanded(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    lines = [line.strip() for line in shown.stdout.splitlines()[1:]]
    return {call for line in lines if line and not line.startswith("#") for call in _expanded(line)}


def _filter_calls(allowed: set[str]) -> None:
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_REFUSE)))
    for name in allowed:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(_ALLOW), number, 0)
    if seccomp.seccomp_load(context) != 0:
        raise OSError("The system call filter could not be loaded.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
