"""Decisions that take two persons (*tvåpersonsregeln*): rulings, erasures."""


def two_persons(asked_by: str, approved_by: str) -> bool:
    """Whether one asked and another approved, however they are spelt; neither may be empty."""
    asked, approved = asked_by.strip().casefold(), approved_by.strip().casefold()
    return bool(asked and approved) and asked != approved
