"""The published language: what crosses a border between packages, as types with generated JSON Schemas.

Pure (standard library and msgspec). The domains of `mmd` and `iam` may import it; it imports nothing of ours.
"""
