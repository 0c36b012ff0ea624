"""The register of consultants, our own format `consultant-export.v1` (docs/formats/consultants.md)."""
