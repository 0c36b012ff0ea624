"""The HR export, our own format `hr-export.v1` (docs/formats/hr.md)."""
