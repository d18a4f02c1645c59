"""Names: one spelling, and keys that sort and search alike everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib.names import PersonNameError, initials, normalise_name, sort_key


@pytest.mark.parametrize(
    ("text", "name", "repairs"),
    [
        ("朱平", "朱平", ()),
        (" 韩航英 ", "韩航英", ("trimmed",)),
        ("韩 航英", "韩航英", ("inner_blanks",)),
        ("韩　航　英", "韩航英", ("inner_blanks",)),
        ("阿依古丽•买买提", "阿依古丽·买买提", ("dot",)),
        ("阿依古丽・买买提", "阿依古丽·买买提", ("dot",)),
        ("阿依古丽．买买提", "阿依古丽·买买提", ("dot",)),
        ("阿依古丽‧买买提", "阿依古丽·买买提", ("dot",)),
        ("阿依古丽∙买买提", "阿依古丽·买买提", ("dot",)),
        ("阿依古丽· 买买提", "阿依古丽·买买提", ("inner_blanks",)),
        ("⼀⽂", "一文", ("nfkc",)),
        ("李䶮", "李䶮", ()),
        ("𬭚平", "𬭚平", ()),
        ("\u200b朱平", "朱平", ("nfkc",)),
        ("John  Smith", "John Smith", ("inner_blanks",)),
    ],
)
def test_one_spelling(text: str, name: str, repairs: tuple[str, ...]) -> None:
    assert normalise_name(text) == (name, repairs)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("张三1", "characters"),
        ("张三（转）", "characters"),
        ("·", "characters"),
        ("张" * 31, "length"),
    ],
)
def test_what_is_no_name(text: str, code: str) -> None:
    with pytest.raises(PersonNameError) as caught:
        normalise_name(text)
    assert caught.value.code == code
    assert str(caught.value)


@given(st.text(max_size=40))
def test_the_spelling_is_stable(text: str) -> None:
    try:
        name, _repairs = normalise_name(text)
    except PersonNameError:
        return
    assert normalise_name(name) == (name, ())
    assert sort_key(name).endswith(name)
    assert initials(name) == initials(name).lower()


def test_keys_for_sorting_and_searching() -> None:
    assert sort_key("朱平") == "zhu ping 朱平"
    assert initials("朱平") == "zp"
    assert initials("阿依古丽·买买提") == "ayglmmt"
    assert sorted(["朱平", "陈佳平", "阿依古丽·买买提"], key=sort_key) == [
        "阿依古丽·买买提",
        "陈佳平",
        "朱平",
    ]


def test_namesakes_in_sound_have_different_keys() -> None:
    assert sort_key("李平") != sort_key("李萍")
