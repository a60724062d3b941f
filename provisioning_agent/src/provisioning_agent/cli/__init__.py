"""The command line: ``isthmus-agent enrol``, ``run``, ``status``. Everything heavy is imported when it is used."""
