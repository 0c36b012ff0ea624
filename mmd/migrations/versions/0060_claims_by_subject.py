"""Claims of one subject stand beside each other in the primary key: finding and storing what one record says touches one
page of it, not one for each claim, however large the store is. That all claims of a head stand on one subject is so but for
those that are written down here (docs/decisions/0293)."""

from alembic import op

revision = "mmd_0060"
down_revision = "mmd_0050"


def upgrade() -> None:
    op.execute("alter table mmd.claim drop constraint claim_pkey")
    op.execute("drop index mmd.claim_subject_idx")
    op.execute("alter table mmd.claim add primary key (subject, id)")
    op.execute("create table mmd.shared_head (head uuid, subject text, primary key (head, subject))")
    op.execute("create index on mmd.shared_head (subject)")
    op.execute("""
    insert into mmd.shared_head
    select distinct c.head, c.subject from mmd.claim c
    where not c.standing and exists (select from mmd.claim o where o.head = c.head and o.subject <> c.subject)
    """)
    op.execute("drop index mmd.claim_head_idx")
