"""The directory's schema: `kallan.ldif` (a subschema entry) and `kallan.schema` (what slapd.conf includes), the same text.

UnboundID's in-memory server takes its own default schema or a folder of files, not both: `schema_folder` puts the two
beside each other.
"""

import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent
LDIF = FOLDER / "kallan.ldif"
SLAPD_SCHEMA = FOLDER / "kallan.schema"
_STANDARD = "com/unboundid/ldap/sdk/schema/standard-schema.ldif"


def schema_folder(jar: Path, folder: Path) -> Path:
    """Write the standard schema out of the UnboundID jar and ours into `folder`; what `--useSchemaFile` is given."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jar) as archive:
        (folder / "00-standard.ldif").write_bytes(archive.read(_STANDARD))
    (folder / "50-kallan.ldif").write_bytes(LDIF.read_bytes())
    return folder
