"""A second domain controller of a forest's domain: joined to the first, on an address of its own."""

from __future__ import annotations

import shutil

from lab import smb_conf
from lab.certificates import issue_server_certificate
from lab.processes import run
from lab.samba import Account, SambaForest


def join(second: SambaForest, first: SambaForest) -> None:
    """Join ``second``, which holds nothing yet, to the running ``first``: a copy of all. Takes 8–12 s. Not started."""
    second.directory.mkdir(parents=True, exist_ok=True)
    password = first.administrator.password
    command = ["samba-tool", "domain", "join", first.dns_name, "DC", f"--targetdir={second.directory}"]
    command += [f"--server={first.address}", *_as(first, first.administrator)]
    command += ["--dns-backend=NONE", f"--option=netbios name={second.host.upper()}"]
    command += [f"--realm={first.realm}", f"--backend-store={second.backend}"]
    run([*command, *smb_conf.provision_options(second.directory, second.address)], secret=password)
    second.adopt()
    issue_server_certificate(second.ca_file.parent, second.host_name, second.address)
    # The same accounts with the same passwords.
    shutil.copy(first.accounts_file, second.accounts_file)


def replicate(to: SambaForest, source: SambaForest) -> None:
    """Fetch into ``to`` what has changed at ``source``, which runs. Without DNS they do not do it by themselves."""
    command = ["samba-tool", "drs", "replicate", to.host, source.address, to.base_dn, "--local"]
    command += [f"--configfile={to.smb_conf}", *_as(source, source.administrator)]
    run(command, secret=source.administrator.password)


def _as(forest: SambaForest, account: Account) -> list[str]:
    # With the domain's name: without winbind an account that might be another domain's is refused.
    return ["-U", f"{forest.netbios}\\{account.name}%{account.password}", "--use-kerberos=off"]
