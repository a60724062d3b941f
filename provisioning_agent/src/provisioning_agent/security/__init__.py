"""Windows security descriptors (MS-DTYP §2.4) as values: read, compare, change, write. Pure."""
