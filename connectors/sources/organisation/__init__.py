"""The organisation tree, our own format `org-export.v1` (docs/formats/organisation.md)."""
