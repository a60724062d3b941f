#!/usr/bin/env python
"""Django's command line, with the embedded database started first where it is the one in use."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from portal import embedded


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    embedded.ensure_running()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
