"""The page on bad input says what the tables say."""

from tests.integration.hostile.page import PAGE, page


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m tests.integration.hostile.page"
