"""The one API that business systems read the master through. Deny by default; every exit goes through `disclose`."""
