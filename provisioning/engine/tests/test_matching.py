"""Matching attributes by priority: the first that finds one object decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.mapping import compile_mapping
from provisioning.engine.matching import (
    DUPLICATES,
    IMPORT_SKIPPED,
    Ask,
    Failed,
    Matched,
    Step,
    Unmatched,
    next_step,
)
from provisioning.engine.schema import default_schema, load

ORDER = ("externalId", "userName", "mail")
TARGETS = st.dictionaries(
    st.sampled_from(["id1", "id2", "id3"]),
    st.dictionaries(st.sampled_from(ORDER), st.sampled_from(["a", "b"])),
)
WANTED = st.dictionaries(st.sampled_from(ORDER), st.sampled_from(["a", "b"]) | st.none())


def match(
    order: Sequence[str], wanted: Mapping[str, str | None], target: Mapping[str, Mapping[str, str]]
) -> tuple[Step, list[str]]:
    """Ask a target until there is a decision; with it the attributes asked for."""
    hits: dict[str, list[str]] = {}
    while isinstance(step := next_step(order, wanted, hits), Ask):
        assert step.attribute not in hits
        hits[step.attribute] = [key for key, held in target.items() if held.get(step.attribute) == step.value]
    return step, list(hits)


def test_attributes_are_asked_for_by_priority_and_the_first_hit_decides() -> None:
    target = {"id1": {"mail": "a"}, "id2": {"userName": "a"}}
    wanted = {"externalId": "a", "userName": "a", "mail": "a"}
    assert match(ORDER, wanted, target) == (Matched("id2", "userName"), ["externalId", "userName"])
    assert match(ORDER, wanted, {}) == (Unmatched(), list(ORDER))


def test_an_object_without_a_value_is_skipped_and_two_hits_are_an_error() -> None:
    assert match(ORDER, {"userName": "a"}, {"id1": {"userName": "a"}})[0] == Failed(
        IMPORT_SKIPPED, "externalId"
    )
    twice = {"id1": {"externalId": "a"}, "id2": {"externalId": "a"}}
    assert match(ORDER, {"externalId": "a"}, twice)[0] == Failed(DUPLICATES, "externalId")


@given(order=st.permutations(ORDER), wanted=WANTED, target=TARGETS)
def test_a_match_is_the_only_object_with_the_value_and_no_attribute_before_it_finds_any(
    order: list[str], wanted: dict[str, str | None], target: dict[str, dict[str, str]]
) -> None:
    step, asked = match(order, wanted, target)
    assert asked == order[: len(asked)]
    assert all(wanted.get(name) is not None for name in asked)
    earlier = (
        asked if isinstance(step, Unmatched) else [n for n in asked if n != getattr(step, "attribute", "")]
    )
    assert not any(held.get(name) == wanted[name] for name in earlier for held in target.values())
    if isinstance(step, Matched):
        value = wanted[step.attribute]
        assert [key for key, held in target.items() if held.get(step.attribute) == value] == [step.target_id]
    if isinstance(step, Unmatched):
        assert asked == order


def test_the_default_mapping_to_scim_names_its_matching_attributes_in_order() -> None:
    schema = load(default_schema(target="scim", domain_fqdn="corp.example", domain_netbios="CORP"))
    mapping = schema.rules[0].object_mapping("user")
    assert mapping is not None
    matching = compile_mapping(mapping).matching
    assert matching
    first = next_step(matching, {matching[0]: "x"}, {})
    assert first == Ask(matching[0], "x")
