"""Source systems: native format in, claims on the wire out."""
