"""Durations and sizes: what people write, and what it means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.config.unfit import Unfit
from dropscribe.config.units import DURATION, SIZE, parse_duration, parse_size

DURATIONS = {
    "5s": 5, "2m": 120, "1h": 3600, "500ms": 0.5, "1h30m": 5400, "1d": 86400, "0s": 0, "1.5h": 5400, "5 s": 5,
    "1h 30m": 5400, "90m": 5400, "1m1s1ms": 61.001, "0.1s": 0.1,
}  # fmt: skip
SIZES = {
    "50MB": 50_000_000, "2GiB": 2**31, "0B": 0, "1kB": 1000, "1KB": 1000, "1KiB": 1024, "1.5 MB": 1_500_000,
    "1mb": 1_000_000, "1TB": 10**12, "0.1kB": 100,
}  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items())
def test_a_duration_is_read_as_it_is_meant(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(("text", "amount"), SIZES.items())
def test_a_size_is_read_as_it_is_meant(text, amount):
    assert parse_size(text) == amount


@pytest.mark.parametrize(
    "wrong",
    ["", "5", "s", "5x", "-5s", "5s5s", "1s1h", "5m 5", "1e3s", "٥s", "5S", "\n5s", "5s\n", 5, None, 5.0, []],
)
def test_what_is_no_duration_is_refused(wrong):
    with pytest.raises(Unfit, match="a duration such as 5s"):
        parse_duration(wrong)


@pytest.mark.parametrize(
    "wrong", ["", "5", "MB", "5 M", "-5MB", "5MBB", "5Mb/s", "1e3B", "5MB\n", 5, None, True]
)
def test_what_is_no_size_is_refused(wrong):
    with pytest.raises(Unfit, match="a size such as 50MB"):
        parse_size(wrong)


@given(st.integers(0, 2**60), st.sampled_from(["B", "kB", "MiB", "GB", "TiB"]))
def test_a_size_is_exact_to_the_byte_up_to_sixteen_digits(amount, unit):
    factors = {"B": 1, "kB": 1000, "MiB": 2**20, "GB": 10**9, "TiB": 2**40}
    text = f"{amount}{unit}"
    if amount >= 10**16:
        with pytest.raises(Unfit):
            parse_size(text)
    else:
        assert parse_size(text) == amount * factors[unit]


@given(st.text("0123456789.dhms kKMGTiB", max_size=12))
def test_the_patterns_for_editors_accept_what_the_program_accepts(text):
    for pattern, parse in ((DURATION, parse_duration), (SIZE, parse_size)):
        try:
            parse(text)
        except Unfit:
            continue
        assert re.search(pattern, text)
