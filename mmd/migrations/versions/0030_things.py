"""Places, groups and legal organisations beside persons and units: what a document can be about, and a notice tell of."""

from alembic import op

revision = "mmd_0030"
down_revision = "mmd_0010"

_KINDS = """
alter table mmd.identity drop constraint identity_kind_check;
alter table mmd.identity add constraint identity_kind_check
    check (kind in ('person', 'unit', 'place', 'group', 'legal-organisation'));
alter table mmd.document drop constraint document_kind_check;
alter table mmd.document add constraint document_kind_check
    check (kind in ('person', 'unit', 'place', 'group', 'legal-organisation', 'redirect'));
alter table mmd.feed drop constraint feed_change_check;
alter table mmd.feed add constraint feed_change_check
    check (change in ('', 'person', 'unit', 'place', 'group', 'legal-organisation', 'redirect', 'gone'));
"""


def upgrade() -> None:
    op.execute(_KINDS)
