"""The systemd unit: the agent as a service that can read its own files, reach the network, and nothing else. Pure.

Options are those of systemd.exec(5), all known since version 247; an older systemd ignores what it does not know.
"""

from __future__ import annotations

from .layout import Layout

_UNIT = """\
# Written by 'isthmus-agent install'; changes belong into a drop-in (systemctl edit {unit}).
[Unit]
Description=Isthmus provisioning agent
Documentation=man:systemd.exec(5)
Wants=network-online.target
After=network-online.target
ConditionPathExists={state}/agent.json

[Service]
Type=exec
User={user}
Group={user}
ExecStart="{executable}" supervise --state-dir "{state}"
Restart=on-failure
RestartSec=30
# Not welcome any more (3), or set-up on this host (4): starting again does not help.
RestartPreventExitStatus=3 4
# A lane may take 3 s to finish what it is answering.
TimeoutStopSec=20
UMask=0077

# The whole file system is read-only but for the agent's own state.
ProtectSystem=strict
ReadWritePaths="{state}"
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
ProtectProc=invisible
ProtectControlGroups=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectClock=true
ProtectHostname=true

# No privilege to begin with, and no way to get one.
NoNewPrivileges=true
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=true
RestrictSUIDSGID=true
RestrictNamespaces=true
RestrictRealtime=true
LockPersonality=true
RemoveIPC=true
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6

[Install]
WantedBy=multi-user.target
"""


def render(layout: Layout) -> str:
    """The unit file of one installation."""
    return _UNIT.format(
        unit=layout.unit,
        user=layout.user,
        executable=_quoted(layout.executable),
        state=_quoted(layout.state),
    )


def _quoted(path: object) -> str:
    # systemd.syntax(7): % starts a specifier, and a backslash or a quote would end the word.
    return str(path).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
