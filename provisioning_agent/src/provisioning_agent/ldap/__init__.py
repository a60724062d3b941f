"""Reading Active Directory: trust, searches, decoding, initial and delta reads."""
