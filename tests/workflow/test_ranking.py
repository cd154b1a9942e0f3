"""P1, P2 and P3 of what ClickPost ranks."""

from bilty.hearing import first_three
from bilty.reply import Courier

SURFACE, EXPRESS = Courier(25, "Surface", "Delhivery"), Courier(25, "Express", "Delhivery")
GATI, TCI = Courier(7, "main", "Gati"), Courier(8, "main", "TCI")


def test_a_courier_that_is_ranked_twice_counts_where_it_is_first() -> None:
    assert first_three([GATI, TCI, GATI]) == (GATI, TCI)
    assert first_three([GATI, TCI, SURFACE, EXPRESS]) == (GATI, TCI, SURFACE)


def test_two_accounts_of_one_name_are_told_apart() -> None:
    ranked = first_three([SURFACE, GATI, EXPRESS])
    assert [courier.name for courier in ranked] == ["Delhivery (Surface)", "Gati", "Delhivery (Express)"]
    assert [courier.identity for courier in ranked] == [SURFACE.identity, GATI.identity, EXPRESS.identity]
