"""Identity and pupil numbers: what they say, and every way of being wrong. All numbers here are invented."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib.identity import (
    IdentityError,
    check_character,
    check_disability_certificate,
    check_identity,
    check_pupil_number,
)

TODAY = date(2026, 7, 1)


def number(region: str, birth: str, sequence: str) -> str:
    """A number with the right check character."""
    digits = f"{region}{birth}{sequence}"
    return digits + check_character(digits)


def test_a_number_tells_birth_sex_and_region() -> None:
    facts = check_identity("431202201808214614", TODAY)
    assert (facts.birth, facts.sex, facts.region) == (date(2018, 8, 21), "male", "鹤城区")
    assert facts.warnings == ()
    assert check_identity("431202201810118066", TODAY).sex == "female"


def test_a_region_that_came_later_is_only_a_warning() -> None:
    facts = check_identity("500154201509024800", TODAY)
    assert [warning.code for warning in facts.warnings] == ["region"]
    assert facts.region == "重庆市"
    assert "500154" in str(facts.warnings[0])


@pytest.mark.parametrize("birth", ["19700101", "19780914", "19981231"])
def test_a_later_region_is_right_for_whom_no_number_was_given_at_birth(birth: str) -> None:
    facts = check_identity(number("500154", birth, "223"), TODAY)
    assert facts.warnings == ()
    assert facts.region == "开州区"


def test_an_unknown_region_is_only_a_warning() -> None:
    facts = check_identity(number("990000", "20150902", "480"), TODAY)
    assert [warning.code for warning in facts.warnings] == ["region"]
    assert facts.region == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("43120220180821461", "length"),
        ("", "length"),
        ("4312022018082146ab", "characters"),
        ("43120220180821461x", "characters"),
        ("４３１２０２２０１８０８２１４６１４", "characters"),
        ("431202201507045480", "checksum"),
        (number("431202", "20150230", "123"), "birth"),
        (number("431202", "20159901", "123"), "birth"),
        ("431202209903014596", "future"),
        (number("431202", "20260702", "123"), "future"),
        (number("431202", "20150228", "000"), "sequence"),
    ],
)
def test_every_way_of_being_wrong(text: str, code: str) -> None:
    with pytest.raises(IdentityError) as caught:
        check_identity(text, TODAY)
    assert caught.value.code == code
    assert str(caught.value)
    assert not text or text not in str(caught.value)


def test_born_today_is_not_in_the_future() -> None:
    assert check_identity(number("431202", "20260701", "123"), TODAY).birth == TODAY


@given(
    st.dates(date(1920, 1, 1), TODAY), st.integers(1, 999), st.sampled_from("0123456789X"), st.integers(0, 17)
)
def test_one_wrong_character_never_passes(birth: date, sequence: int, wrong: str, place: int) -> None:
    right = number("431202", f"{birth:%Y%m%d}", f"{sequence:03d}")
    assert check_identity(right, TODAY).birth == birth
    changed = right[:place] + wrong + right[place + 1 :]
    if changed != right:
        with pytest.raises(IdentityError):
            check_identity(changed, TODAY)


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_an_error(text: str) -> None:
    with pytest.raises(IdentityError):
        check_identity(f"{text}!", TODAY)


def test_pupil_numbers() -> None:
    assert check_pupil_number("G43120220180422353X") == "G43120220180422353X"
    assert check_pupil_number("L431202201804223530")
    for wrong in (
        "43120220180422353X",
        "A43120220180422353X",
        "G4312022018042235",
        "g43120220180422353X",
        "",
    ):
        with pytest.raises(IdentityError) as caught:
            check_pupil_number(wrong)
        assert caught.value.code == "pupil_number"


def test_disability_certificates() -> None:
    assert check_disability_certificate("43120220180422353X42") == ("43120220180422353X", 4, 2)
    with pytest.raises(IdentityError):
        check_disability_certificate("43120220180422353X85")
