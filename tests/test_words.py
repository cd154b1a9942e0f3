from datetime import date
from decimal import Decimal

import pytest

from bilty.words import day, grouped, kilograms, listed, rupees


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (999, "999"), (1000, "1,000"), (100_000, "1,00,000"), (12_345_678, "1,23,45,678"), (-1000, "-1,000")],
)
def test_digits_are_grouped_in_lakhs_and_crores(number: int, words: str) -> None:
    assert grouped(number) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("125000", "₹1,25,000.00"),
        ("0.5", "₹0.50"),
        ("999999999.99", "₹99,99,99,999.99"),
        ("-500", "-₹500.00"),
    ],
)
def test_rupees_have_paise(amount: str, words: str) -> None:
    assert rupees(Decimal(amount)) == words


@pytest.mark.parametrize(
    ("grams", "words"), [(12_500, "12.5 kg"), (1, "0.001 kg"), (1_000_000, "1,000 kg"), (0, "0 kg"), (-500, "-0.5 kg")]
)
def test_kilograms_are_exact(grams: int, words: str) -> None:
    assert kilograms(grams) == words


def test_a_day_has_its_month_in_letters() -> None:
    assert day(date(2026, 11, 26)) == "26 Nov 2026"


@pytest.mark.parametrize(
    ("words", "sentence"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_reads_as_a_sentence(words: list[str], sentence: str) -> None:
    assert listed(words) == sentence
