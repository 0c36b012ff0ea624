"""The register of software robots, our own format `robot-export.v1` (docs/formats/robots.md)."""
