"""The place register, our own format `place-export.v1` (docs/formats/places.md)."""
