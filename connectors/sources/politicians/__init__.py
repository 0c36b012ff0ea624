"""The register of elected representatives, our own format `mandate-export.v1` (docs/formats/politicians.md)."""
