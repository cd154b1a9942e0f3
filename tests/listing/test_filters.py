"""A filter and its address."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilty.store.listing import Filter, FilterError, Sort, Tab

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40).map(
    lambda text: " ".join(text.split())
)
DAYS = st.dates(date(2000, 1, 1), date(2999, 12, 31))


@given(
    filters=st.builds(
        Filter,
        tab=st.sampled_from(Tab),
        facility=WORDS,
        provider=WORDS,
        courier=WORDS,
        created_from=st.none() | DAYS,
        created_to=st.none(),
        words=WORDS,
    )
)
def test_an_address_brings_back_what_it_was_written_from(filters: Filter) -> None:
    assert Filter.read(filters.query()) == filters
    assert Filter.read("?" + filters.query()) == filters
    assert Filter.read(filters.fields()) == filters


def test_limits_are_the_readers_and_never_in_an_address() -> None:
    limited = Filter.read("tab=failed&facility_ids=3", frozenset({1}))
    assert limited == Filter(tab=Tab.FAILED, facility_ids=frozenset({1}))
    assert limited.query() == "tab=failed"
    assert limited.without("tab") == Filter(facility_ids=frozenset({1}))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("tab=ready", "Tab is 'ready': give one of all, to_schedule,"),
        ("from=26.11.2026", "From is '26.11.2026': give a day of the calendar, for example 2026-11-26."),
        ("to=0001-01-01", "To is '0001-01-01': give a day of the calendar"),
        ("from=2026-11-20&to=2026-11-19", "To is 2026-11-19, which is before From, 2026-11-20: give a later day."),
        ("find=" + 201 * "x", "Find is 'xxxx"),
        ("courier=a%00b", "Courier is 'a\N{REPLACEMENT CHARACTER}b': give at most 200 ordinary characters."),
    ],
)
def test_what_cannot_be_read_is_said_with_its_remedy(query: str, sentence: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter.read(query)
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].message.startswith(sentence)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(FilterError) as caught:
        Filter.read("tab=x&from=y&to=z")
    assert [fault.field for fault in caught.value.faults] == ["tab", "from", "to"]


def test_a_sort_turned_twice_is_itself() -> None:
    assert all(sort.turned.turned is sort and sort.turned.down is not sort.down for sort in Sort)
