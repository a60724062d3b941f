"""What a host joined to a domain has: MIT's Kerberos for this Python, its configuration, a keytab."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from lab import packages
from lab.processes import run
from lab.samba import SambaForest

BUILT: Final = Path(__file__).resolve().parents[1] / "var" / "lab-python"


def library(built: Path = BUILT) -> Path:
    """A directory with what ``isthmus-agent[kerberos]`` asks for; built the first time (15 s of one core)."""
    place = built / f"kerberos-{sys.implementation.cache_tag}"
    if place.exists():
        return place
    packages.ensure(*packages.KERBEROS)
    built.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built, prefix="new-") as temporary:
        draft = Path(temporary) / "library"
        uv = Path(sys.executable).with_name("uv")
        command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(draft)]
        # Not optimized: it is used for seconds and built for minutes otherwise.
        run(["env", "CFLAGS=-O0", *command, *_extra("kerberos")])
        draft.rename(place)
    return place


def configure(file: Path, forest: SambaForest) -> Path:
    """A krb5.conf that finds the forest's controller by its address, as DNS would."""
    file.write_text(
        "[libdefaults]\n\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n"
        f"[realms]\n\t{forest.realm} = {{\n\t\tkdc = {forest.address}\n\t}}\n"
    )
    return file


def export_keytab(forest: SambaForest, principal: str, file: Path) -> Path:
    """A keytab with the keys of an account, readable by its owner only."""
    forest.tool("domain", "exportkeytab", str(file), f"--principal={principal}")
    os.chmod(file, 0o600)
    return file


def _extra(name: str) -> list[str]:
    marked = re.compile(rf"""extra\s*==\s*["']{name}["']""")
    return [text.partition(";")[0].strip() for text in requires("isthmus-agent") or () if marked.search(text)]
