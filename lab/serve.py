"""Keep a throw-away Active Directory running until Ctrl-C: ``python -m lab.serve [--users 500]``."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from lab.addresses import leased_address
from lab.errors import LabError
from lab.forests import AGENT_RIGHTS, prepare
from lab.population import Company
from lab.samba import Right, SambaForest


def main(arguments: list[str]) -> int:
    """Prepare, start, describe, wait, clean up; returns the exit status."""
    options = _parse(arguments)
    with ExitStack() as stack:
        try:
            forest = _running_forest(options, stack)
        except LabError as error:
            print(error, file=sys.stderr)
            return 1
        print(describe(forest), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


def describe(forest: SambaForest) -> str:
    """What an agent has to be told to use the forest; the passwords are in the file named last."""
    facts = {
        "domain": f"{forest.dns_name} ({forest.netbios})",
        "server": forest.ldap_uri,
        "CA certificate": forest.ca_file,
        "certificate SHA-256": forest.fingerprint,
        "accounts": "Administrator, isthmus-agent",
        "their passwords": forest.accounts_file,
    }
    return "\n".join(f"{name + ':':22}{value}" for name, value in facts.items())


def _running_forest(options: argparse.Namespace, stack: ExitStack) -> SambaForest:
    address = options.address or stack.enter_context(leased_address())
    directory = Path(tempfile.mkdtemp(prefix="isthmus-forest-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    forest = SambaForest(options.realm, options.netbios, address, directory)
    rights: tuple[Right, ...] = (*AGENT_RIGHTS, "get-changes-all") if options.hashes else AGENT_RIGHTS
    company = Company(forest.base_dn, users=options.users, passwords=options.passwords)
    prepare(forest, company, agent_rights=rights)
    stack.callback(forest.stop)
    forest.start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    return forest


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab.serve", description="A throw-away Active Directory.")
    parser.add_argument("--realm", default="corp.example")
    parser.add_argument("--netbios", default="CORP")
    parser.add_argument("--address", help="a loopback address of its own; a free one when left out")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--passwords", type=int, default=0, help="how many users get a password")
    parser.add_argument("--hashes", action="store_true", help="let isthmus-agent read password hashes too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
