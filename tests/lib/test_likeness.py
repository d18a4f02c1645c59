"""Numbers that differ as copying makes them differ."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib.identity import check_character
from povertyaid.lib.likeness import close_keys, close_keys_of, likeness, may_be_close, number_likeness


def valid(body: str) -> str:
    return body + check_character(body)


BODY = "43120220140102003"
bodies = st.dates(dt.date(1950, 1, 1), dt.date(2025, 12, 31)).flatmap(
    lambda day: st.integers(1, 999).map(lambda number: f"431202{day:%Y%m%d}{number:03d}")
)


@pytest.mark.parametrize(
    ("one", "other", "kind", "places"),
    [
        ("1234", "1244", "one_digit", (3,)),
        ("1234", "1324", "swapped", (2, 3)),
        ("1234", "2134", "swapped", (1, 2)),
    ],
)
def test_kinds_of_likeness(one: str, other: str, kind: str, places: tuple[int, ...]) -> None:
    found = likeness(one, other)
    assert found is not None
    assert (found.kind, found.places) == (kind, places)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1234", "1234"), ("1234", "123"), ("1234", "1432"), ("1234", "1342"), ("1234", "1356"), ("", "")],
)
def test_what_is_not_like(one: str, other: str) -> None:
    assert likeness(one, other) is None


def test_check_character_follows_the_digits() -> None:
    one, other = valid(BODY), valid(BODY[:10] + "9" + BODY[11:])
    assert one[-1] != other[-1]
    found = number_likeness(one, other)
    assert found is not None
    assert (found.kind, found.places) == ("one_digit", (11,))
    of_pupils = number_likeness("G" + one, "G" + other)
    assert of_pupils is not None
    assert of_pupils.places == (12,)


def test_number_that_fails_its_check_is_compared_whole() -> None:
    one = valid(BODY)
    last = "0" if one[-1] != "0" else "1"
    found = number_likeness(one, one[:-1] + last)
    assert found is not None
    assert found.places == (18,)


def test_words_tell_places_and_no_digit() -> None:
    with translation.override("en"):
        for other in ("1244", "1324"):
            found = likeness("1234", other)
            assert found is not None
            assert str(found.places[0]) in str(found.message)
            assert other not in str(found.message)


@given(bodies, st.integers(0, 16), st.integers(1, 9))
def test_one_digit_off_is_never_overlooked(body: str, place: int, step: int) -> None:
    changed = body[:place] + str((int(body[place]) + step) % 10) + body[place + 1 :]
    found = number_likeness(valid(body), valid(changed))
    assert found is not None
    assert found.places == (place + 1,)
    check_filters(valid(changed), valid(body))


@given(bodies, st.integers(0, 15))
def test_swapped_neighbours_are_never_overlooked(body: str, place: int) -> None:
    changed = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
    found = number_likeness(valid(body), valid(changed))
    assert (found is None) == (changed == body)
    check_filters(valid(changed), valid(body))


def check_filters(number: str, stored: str) -> None:
    """What spares decrypting lets every near miss pass."""
    birth = dt.datetime.strptime(stored[6:14], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    assert may_be_close(number, birth, stored[-4:])
    assert set(close_keys(number)) & set(close_keys_of(birth, stored[-4:]))


def test_filter_denies_others() -> None:
    assert not may_be_close(valid(BODY), dt.date(1999, 12, 31), "7771")
    assert not may_be_close(valid(BODY), None, "0031")
    assert not may_be_close(valid(BODY), dt.date(2014, 1, 2), "")
