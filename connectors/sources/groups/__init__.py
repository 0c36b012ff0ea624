"""Classes and teaching groups of a pupil register, our own format `group-export.v1` (docs/formats/groups.md)."""
