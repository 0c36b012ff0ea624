"""Number chains: S-15, S-16. Which numbers are one person is never guessed, and never depends on order."""

from hypothesis import given
from hypothesis import strategies as st

from mmd.domain.everyone import derive_everyone
from mmd.domain.identity import Reference, components, resolve
from streams.contracts.claims import Birth, Name, NumberReference, Registration
from tests.unit.mmd_domain.making import ALL, REGISTER, SUBJECTS, A, B, C, hired, person_id_of, registered, said

nodes = st.sampled_from("abcdef")
references = st.lists(st.builds(Reference, nodes, nodes, st.booleans()), max_size=12)


def test_the_post_that_carries_gn_tells_which_number_is_old_and_the_answer_back_is_no_cycle() -> None:
    chain = resolve({"new", "old"}, [Reference("old", "new", True), Reference("new", "old")])
    assert (chain.oldest, chain.current, chain.cycle) == ("old", "new", False)


def test_a_reference_from_the_new_post_alone_makes_the_other_the_older_one() -> None:
    chain = resolve({"b"}, [Reference("b", "a")])
    assert chain.order == ("a", "b")
    chain = resolve({"a"}, [Reference("a", "b")])
    assert chain.order == ("b", "a")


def test_a_hint_never_turns_what_a_superseded_post_says() -> None:
    chain = resolve(set("ab"), [Reference("b", "a", True), Reference("b", "a")])
    assert (chain.order, chain.cycle) == (("b", "a"), False)
    roundabout = [Reference("c", "b", True), Reference("b", "a", True), Reference("c", "a")]
    assert resolve(set("abc"), roundabout).order == ("c", "b", "a")


def test_two_posts_that_only_point_at_each_other_are_joined_without_being_a_cycle() -> None:
    chain = resolve(set("ab"), [Reference("a", "b"), Reference("b", "a")])
    assert (set(chain.order), chain.cycle) == ({"a", "b"}, False)


def test_a_chain_of_three_keeps_the_oldest_and_ends_in_the_current() -> None:
    chain = resolve(set("abc"), [Reference("b", "a", True), Reference("a", "c", True)])
    assert chain.order == ("b", "a", "c")


def test_a_late_reference_extends_the_chain_and_erases_none() -> None:
    early = [Reference("c", "b", True)]
    assert resolve({"b", "c"}, early).order == ("c", "b")
    assert resolve({"b", "c"}, [*early, Reference("b", "a", True)]).order == ("c", "b", "a")


def test_numbers_that_supersede_each_other_are_a_cycle() -> None:
    chain = resolve(set("ab"), [Reference("a", "b", True), Reference("b", "a", True)])
    assert chain.cycle
    assert set(chain.order) == {"a", "b"}


@given(st.sets(nodes, min_size=1), references, st.data())
def test_the_chain_depends_on_the_set_of_references_alone(
    subjects: set[str], given_references: list[Reference], data: st.DataObject
) -> None:
    again = data.draw(st.permutations(given_references + given_references[:2]))
    chain = resolve(subjects, given_references)
    assert chain == resolve(subjects, again)
    assert len(chain.order) == len(set(chain.order))
    assert (chain.order[0], chain.order[-1]) == (chain.oldest, chain.current)


@given(st.permutations("abcdef"), st.data())
def test_any_true_line_of_succession_is_found_from_any_part_order(line: list[str], data: st.DataObject) -> None:
    edges = [Reference(old, new, True) for old, new in zip(line, line[1:], strict=False)]
    backs = [Reference(e.to_subject, e.from_subject) for e in edges]
    told = data.draw(st.permutations(edges + data.draw(st.lists(st.sampled_from(backs), unique=True))))
    chain = resolve(set(), told)
    assert chain.order == tuple(line)
    assert not chain.cycle


@given(st.lists(st.tuples(nodes, nodes), max_size=10))
def test_components_share_no_member_and_keep_both_ends_of_each_edge(edges: list[tuple[str, str]]) -> None:
    groups = components(edges)
    assert sum(map(len, groups)) == len({end for edge in edges for end in edge})
    for a, b in edges:
        assert any({a, b} <= group for group in groups)
    assert groups == components(reversed(edges))


def number_change() -> tuple[list, list]:  # type: ignore[type-arg]
    old = [
        said(Registration("GN"), version="20260301"),
        said(NumberReference(SUBJECTS[B], B, True), version="20260301"),
        said(Name("Oldfirst", "", "Berg"), version="20260302"),
    ]
    new = [
        said(Registration(), of=B, version="20260301"),
        said(NumberReference(SUBJECTS[A], A), of=B, version="20260301"),
        said(Name("Newfirst", "", "Berg"), of=B, version="20260301"),
        said(Birth("1981-03-06"), of=B, version="20260301"),
    ]
    return old, new


def test_a_number_change_keeps_the_id_the_employment_and_the_status_of_the_new_post() -> None:
    old, new = number_change()
    documents = derive_everyone([*registered(version="20200101"), *old, *new, hired()], REGISTER, person_id_of)
    assert set(documents) == {person_id_of(A)}
    document = documents[person_id_of(A)]
    assert document.aliases == (person_id_of(B),)
    assert [(n.value, n.current) for n in document.numbers] == [
        (SUBJECTS[A].value, False),
        (SUBJECTS[B].value, True),
    ]
    assert document.status is not None
    assert document.status.state == "registered"
    assert document.names[-1].given == "Newfirst"
    assert document.birth is not None
    assert document.birth.value == "1981-03-06"
    assert [persona.source_id for persona in document.personas] == ["e1"]


def test_if_only_the_new_post_has_come_the_person_already_has_the_older_id() -> None:
    _, new = number_change()
    (document,) = derive_everyone(new, REGISTER, person_id_of).values()
    assert document.id == person_id_of(A)
    assert document.numbers[0].value == SUBJECTS[A].value


def test_a_number_change_says_nothing_of_its_reason_in_the_quarantine() -> None:
    old, new = number_change()
    (document,) = derive_everyone([*old, *new], REGISTER, person_id_of).values()
    assert document.quarantined == ""


def test_a_cycle_of_numbers_is_set_aside_for_a_human() -> None:
    claims = [
        said(NumberReference(SUBJECTS[B], B, True)),
        said(NumberReference(SUBJECTS[C], C, True), of=B),
        said(NumberReference(SUBJECTS[A], A, True), of=C),
    ]
    (document,) = derive_everyone(claims, REGISTER, person_id_of).values()
    assert document.quarantined == "number.cycle"
    assert {document.id, *document.aliases} == {person_id_of(s) for s in (A, B, C)}


def test_a_reference_from_a_source_that_is_not_designated_joins_nobody() -> None:
    claims = [said(NumberReference(SUBJECTS[B], B), by="gossip"), *registered(), *registered(B)]
    assert len(derive_everyone(claims, REGISTER, person_id_of)) == 2


def test_two_persons_with_equal_names_births_and_units_stay_two() -> None:
    claims = [claim for subject in ALL[:2] for claim in (*registered(subject), hired(subject, of=subject))]
    assert len(derive_everyone(claims, REGISTER, person_id_of)) == 2
