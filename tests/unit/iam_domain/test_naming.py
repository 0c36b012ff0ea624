"""Account keys and names tell nothing of the person, and replay gives the same."""

import re
import uuid
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from iam.domain.naming import account_id, digest_salt, event_id, uids
from iam.domain.world import AccountKey

SECRET = b"n" * 32
texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(texts, texts, texts)
def test_names_are_opaque_safe_and_the_same_every_time(person: str, employer: str, account_class: str) -> None:
    key = AccountKey(person, employer, account_class)
    account = account_id(SECRET, key)
    assert uuid.UUID(account).version == 8
    assert account == account_id(SECRET, key)
    first = list(islice(uids(SECRET, account), 5))
    assert first == list(islice(uids(SECRET, account), 5))
    assert len(set(first)) == 5
    assert all(re.fullmatch(r"[a-z][a-z2-7]{7}", name) for name in first)


def test_another_secret_another_counter_or_another_part_of_the_key_gives_another_account() -> None:
    key = AccountKey("p1", "kommun", "staff")
    others = {
        account_id(b"x" * 32, key),
        account_id(SECRET, key, 1),
        account_id(SECRET, AccountKey("p2", "kommun", "staff")),
        account_id(SECRET, AccountKey("p1", "bolaget", "staff")),
        account_id(SECRET, AccountKey("p1", "kommun", "pupil")),
    }
    assert len(others | {account_id(SECRET, key)}) == 6
    assert digest_salt(SECRET, "a") != digest_salt(SECRET, "b")


def test_the_same_decision_is_the_same_event() -> None:
    assert event_id("allocated", "a", "u") == event_id("allocated", "a", "u")
    assert event_id("allocated", "a", "u") != event_id("allocated", "au", "")
