"""Works on a Samba directory's database files directly; run by Debian's own Python, never imported.

    /usr/bin/python3 -I lab/samba_offline.py fill  SMB_CONF < entries.jsonl
    /usr/bin/python3 -I lab/samba_offline.py grant SMB_CONF < {"account": …, "rights": […]}

``fill`` reads one JSON object a line, ``{"dn": …, "password": …, "attributes": {name: [values]}}``, and
adds it as the system itself, with no sync to disk: only for data that may be thrown away. Samba's Python
modules live outside any virtual environment, which is why this is a program of its own; ``-I`` keeps this
directory, whose samba.py has their name, off the module path.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from typing import Any, TextIO

import ldb
from samba import sd_utils
from samba.auth import system_session
from samba.dcerpc import security
from samba.param import LoadParm
from samba.samdb import SamDB

BATCH = 1000
# Bigger than any batch, so that the index is written once per transaction.
FAST = ["batch_mode:1", "transaction_index_cache_size:200000"]
RIGHTS = {
    # MS-ADTS §5.1.3.2.1: control access rights, given on the root of the domain.
    "get-changes": "(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;{sid})",
    "get-changes-all": "(OA;;CR;1131f6ad-9c07-11d1-f79f-00c04fc2dcd2;;{sid})",
    # List the children and read the properties of the Deleted Objects container.
    "read-deleted": "(A;;LCRPLO;;;{sid})",
}
DELETED_OBJECTS = "<WKGUID=18e2ea80684f11d2b9aa00c04f79f805,{base}>"
# ldb's notation for the LDAP control "show deleted objects" (1.2.840.113556.1.4.417).
SHOW_DELETED = "show_deleted:1"


def main(arguments: list[str]) -> int:
    """Run one action; the number of objects, or nothing, goes to standard output."""
    action, smb_conf = arguments
    if action == "fill":
        print(fill(open_database(smb_conf, fast=True), sys.stdin))
    elif action == "grant":
        request = json.load(sys.stdin)
        grant(open_database(smb_conf, fast=False), request["account"], request["rights"])
    else:
        print(f"unknown action {action}", file=sys.stderr)
        return 2
    return 0


def open_database(smb_conf: str, *, fast: bool) -> Any:
    """The directory's database, as the system account."""
    parameters = LoadParm()
    parameters.load(smb_conf)
    return SamDB(
        url=parameters.private_path("sam.ldb"),
        session_info=system_session(),
        lp=parameters,
        flags=ldb.FLG_NOSYNC if fast else 0,
        options=FAST if fast else [],
    )


def fill(database: Any, lines: TextIO) -> int:
    """Add every entry, in transactions of BATCH; returns how many."""
    count = 0
    while batch := list(islice(lines, BATCH)):
        database.transaction_start()
        try:
            for line in batch:
                add(database, json.loads(line))
        except BaseException:
            database.transaction_cancel()
            raise
        database.transaction_commit()
        count += len(batch)
    return count


def add(database: Any, entry: dict[str, Any]) -> None:
    """Add one entry, with its password if it has one."""
    message: dict[str, Any] = {
        name: [value.encode() for value in values] for name, values in entry["attributes"].items()
    }
    message["dn"] = ldb.Dn(database, entry["dn"])
    if entry.get("password"):
        message["unicodePwd"] = f'"{entry["password"]}"'.encode("utf-16-le")
    try:
        database.add(message)
    except ldb.LdbError as error:
        raise SystemExit(f"{entry['dn']}: {error.args[1]}") from error


def grant(database: Any, account: str, rights: list[str]) -> None:
    """Give the account (a sAMAccountName) the named rights."""
    base = str(database.domain_dn())
    sid = _sid_of(database, account)
    descriptors = sd_utils.SDUtils(database)
    for right in rights:
        ace = RIGHTS[right].format(sid=sid)
        if right == "read-deleted":
            _add_ace(descriptors, DELETED_OBJECTS.format(base=base), ace)
        else:
            _add_ace(descriptors, base, ace)


def _sid_of(database: Any, account: str) -> str:
    found = database.search(
        base=database.domain_dn(),
        expression=f"(sAMAccountName={ldb.binary_encode(account)})",
        attrs=["objectSid"],
    )
    if len(found) != 1:
        raise SystemExit(f"{len(found)} accounts are called {account}")
    return str(database.schema_format_value("objectSid", found[0]["objectSid"][0]).decode())


def _add_ace(descriptors: Any, dn: str, ace: str) -> None:
    """Put one entry in front of an object's access list, leaving the rest as it is."""
    controls = [SHOW_DELETED, f"sd_flags:1:{security.SECINFO_DACL}"]
    sddl = descriptors.get_sd_as_sddl(dn, controls=controls)
    start = sddl.index("(") if "(" in sddl else len(sddl)
    descriptors.modify_sd_on_dn(dn, sddl[:start] + ace + sddl[start:], controls=controls)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
