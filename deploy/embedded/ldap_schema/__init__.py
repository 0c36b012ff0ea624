"""The directory's schema, twice the same: `kallan.ldif` (a subschema entry, for UnboundID's in-memory server) and
`kallan.schema` (what slapd.conf includes). A test compares them."""
