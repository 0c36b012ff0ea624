"""What an erased person's newest words keep from counting, apart from the heads of what can be read."""

from alembic import op

revision = "mmd_0070"
down_revision = "mmd_0060"

_FLOOR = """
create table mmd.floor (
    head uuid not null,
    subject text not null,
    version text collate "C" not null,
    digest text collate "C" not null,
    logged_at timestamptz not null,
    primary key (head, subject, version, digest)
);
insert into mmd.floor (head, subject, version, digest, logged_at)
select h.id, h.subject, h.version, h.digest, '-infinity' from mmd.head h where not exists (select from mmd.claim c where c.id = h.claim);
delete from mmd.head h where not exists (select from mmd.claim c where c.id = h.claim);
"""


def upgrade() -> None:
    op.execute(_FLOOR)
