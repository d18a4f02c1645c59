"""Masks: what stays visible of a sensitive value, and that free text keeps none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from povertyaid.lib import masks


def test_what_stays_visible() -> None:
    assert masks.mask_identity("431202201808210029") == "4312**********0029"
    assert masks.mask_pupil_number("G43120220180422353X") == "G431***********353X"
    assert masks.mask_account("6217397290902507080") == "**** 7080"
    assert masks.mask_last_four("7080") == "**** 7080"
    assert masks.mask_phone("13800131234") == "138****1234"
    assert masks.mask_phone("07452261234") == "********234"
    assert masks.mask_phone("13800131234、07452261234") == "138****1234、********234"
    assert masks.mask_name("阿依古丽·买买提") == "阿*"


def test_short_and_empty_values_show_nothing() -> None:
    assert masks.mask_identity("12345678") == "********"
    assert masks.mask_account("1234") == "****"
    assert masks.mask_phone("123") == "***"
    assert (masks.mask_identity(""), masks.mask_name(""), masks.mask_last_four("")) == ("", "", "")


def test_free_text_keeps_its_words() -> None:
    text = "第5行 431202201808214614，卡 6217 3972 9090 2507 080，电话15008470472，2026-03-01 共 625.00 元"
    assert (
        masks.scrub(text)
        == "第5行 4312**********4614，卡 **** 7080，电话150****0472，2026-03-01 共 625.00 元"
    )
    assert masks.scrub("G43120220180422353X") == "G431***********353X"
    assert masks.scrub("证号43120220180422353X42。") == "证号**** 3X42。"
    assert masks.scrub("４３１２０２２０１８０８２１４６１４") == "4312**********4614"


@given(st.text(max_size=30), st.from_regex(r"[1-9][0-9]{14,19}", fullmatch=True), st.text(max_size=30))
def test_no_long_run_of_digits_survives(before: str, run: str, after: str) -> None:
    scrubbed = masks.scrub(f"{before} {run} {after}")
    assert run not in scrubbed


@given(st.text(max_size=40))
def test_masks_never_fail_and_keep_the_length_or_less(text: str) -> None:
    for mask in (masks.mask_identity, masks.mask_pupil_number):
        assert len(mask(text)) == len(text)
    assert isinstance(masks.scrub(text), str)
    assert isinstance(masks.mask_phone(text), str)
