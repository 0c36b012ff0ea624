"""What the topic's release said when documents were published last, so that an amended one is noticed.

What a store has published already is published again once: nobody knows under which release it was.
"""

from alembic import op

revision = "mmd_0003"
down_revision = "mmd_0002"

_TOPIC_RELEASE = """
create table mmd.topic_release (
    one boolean primary key default true check (one),
    digest text not null
);
insert into mmd.topic_release (digest) select '' where exists (select from mmd.document);
"""


def upgrade() -> None:
    op.execute(_TOPIC_RELEASE)
