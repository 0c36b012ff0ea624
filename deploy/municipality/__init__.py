"""The synthetic municipality *Exempelkommun*: native source files with official test numbers, by a seed.

`generate` writes the first total loads and gives the cast; `Changes` writes what happens to them afterwards.
"""

from deploy.municipality.cast import Cast, Member, NativeFile
from deploy.municipality.changes import Changes
from deploy.municipality.generate import generate

__all__ = ["Cast", "Changes", "Member", "NativeFile", "generate"]
