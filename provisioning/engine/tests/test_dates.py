"""Moments in time: readable forms, .NET formats, VB's calendar arithmetic."""

from __future__ import annotations

import pytest

from provisioning.engine.tests.support import code_of, evaluate, shown


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("2020-03-16", "3/16/2020 12:00:00 AM"),
        ("2020-03-16T13:05:09.123Z", "3/16/2020 1:05:09 PM"),
        ("2020-03-16 23:30+0100", "3/16/2020 10:30:00 PM"),
        ("3/16/2020", "3/16/2020 12:00:00 AM"),
        ("12/1/2020 12:05:00 AM", "12/1/2020 12:05:00 AM"),
        ("12/1/2020 12:05:00 PM", "12/1/2020 12:05:00 PM"),
        ("20200316130509.0Z", "3/16/2020 1:05:09 PM"),
    ],
)
def test_a_date_is_read(written: str, result: str) -> None:
    assert shown("CDate([d])", {"d": written}) == result


@pytest.mark.parametrize(
    ("interval", "amount", "result"),
    [
        ("m", 1, "2/29/2020 10:00:00 AM"),
        ("m", -2, "11/30/2019 10:00:00 AM"),
        ("q", 1, "4/30/2020 10:00:00 AM"),
        ("yyyy", 1, "1/31/2021 10:00:00 AM"),
        ("ww", 1, "2/7/2020 10:00:00 AM"),
        ("w", 1, "2/1/2020 10:00:00 AM"),
        ("h", 20, "2/1/2020 6:00:00 AM"),
        ("n", -1, "1/31/2020 9:59:00 AM"),
        ("s", 30, "1/31/2020 10:00:30 AM"),
    ],
)
def test_adding_keeps_to_the_calendar(interval: str, amount: int, result: str) -> None:
    assert shown(f'DateAdd("{interval}",{amount},"2020-01-31T10:00:00Z")') == result


@pytest.mark.parametrize(
    ("interval", "first", "second", "result"),
    [
        ("ww", "2021-01-02", "2021-01-03", 1),  # Saturday to Sunday
        ("ww", "2021-01-03", "2021-01-09", 0),
        ("ww", "2021-01-03", "2021-01-02", -1),
        ("w", "2021-01-02", "2021-01-08", 0),
        ("m", "2021-01-31", "2021-02-01", 1),
        ("q", "2021-03-31", "2021-04-01", 1),
        ("yyyy", "2021-12-31", "2022-01-01", 1),
        ("d", "2021-01-01T12:00:00Z", "2021-01-02T11:00:00Z", 0),
        ("d", "2021-01-02T11:00:00Z", "2021-01-01T12:00:00Z", 0),
        ("h", "2021-01-01T00:00:00Z", "2021-01-01T01:59:00Z", 1),
        ("n", "2021-01-01T00:00:00Z", "2021-01-01T00:01:59Z", 1),
        ("s", "2021-01-01T00:00:00Z", "2021-01-01T00:01:59Z", 119),
        ("d", "0001-01-01", "9999-12-31", 3652058),
        ("ww", "0001-01-01", "0001-01-02", 0),
    ],
)
def test_a_difference_counts_as_visual_basic_does(
    interval: str, first: str, second: str, result: int
) -> None:
    assert evaluate(f'DateDiff("{interval}","{first}","{second}")') == result


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("yyyy-MM-dd", "2021-03-04"),
        ("d/M/yy", "4/3/21"),
        ("dddd d MMMM", "Thursday 4 March"),
        ("ddd, dd MMM", "Thu, 04 Mar"),
        ("HH:mm:ss.fff", "17:06:07.089"),
        ("h:m:s t", "5:6:7 P"),
        ("hh tt", "05 PM"),
        ("ss.FFF", "07.089"),
        ("yyyy zzz", "2021 +00:00"),
        ("zz", "+00"),
        ("yyyyK", "2021Z"),
        ("'at' HH \\h", "at 17 h"),
        ("%d", "4"),
        ("'100%' yyyy '%s {0}'", "100% 2021 %s {0}"),
        ("'never'", "never"),
        ("s", "2021-03-04T17:06:07"),
        ("o", "2021-03-04T17:06:07.0890000Z"),
        ("d", "03/04/2021"),
    ],
)
def test_a_moment_is_printed(output: str, result: str) -> None:
    given = {"d": "2021-03-04T17:06:07.089Z", "f": output}
    assert shown("FormatDateTime([d],[f])", given) == result


@pytest.mark.parametrize(
    ("pattern", "written", "result"),
    [
        ("d/M/yyyy", "4/3/2021", "2021-03-04 00:00"),
        ("dd MMM yyyy", "04 mar 2021", "2021-03-04 00:00"),
        ("dddd, MMMM d yyyy", "Thursday, March 4 2021", "2021-03-04 00:00"),
        ("yyyyMMdd hh:mm tt", "20210304 12:05 AM", "2021-03-04 00:05"),
        ("yyyyMMdd h:mm t", "20210304 5:05 P", "2021-03-04 17:05"),
        ("yyyy-MM-ddTHH:mmzzz", "2021-03-04T01:00+02:00", "2021-03-03 23:00"),
        ("yyyy-MM-ddTHH:mmK", "2021-03-04T01:00Z", "2021-03-04 01:00"),
        ("yyyyMMddHHz", "2021030401+2", "2021-03-03 23:00"),
        ("yy", "49", "2049-01-01 00:00"),
        ("yy", "50", "1950-01-01 00:00"),
        ("yyyy", "  2021 ", "2021-01-01 00:00"),
    ],
)
def test_a_text_is_read_in_its_format(pattern: str, written: str, result: str) -> None:
    given = {"d": written, "f": pattern}
    assert shown('FormatDateTime([d],,[f],"yyyy-MM-dd HH:mm")', given) == result


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("dddd yyyy-MM-dd", "Monday 2021-03-04"),
        ("yyyy MM yyyy", "2021 01 2022"),
        ("yyyy-MM-dd", "2021-02-30"),
        ("FFFFFFFFF" * 20, "1" * 120),
        ("HH:mm", "25:00"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(pattern: str, written: str) -> None:
    assert code_of('FormatDateTime([d],,[f],"yyyy")', {"d": written, "f": pattern}) == "DateFormatMismatch"


def test_never_flows_as_null() -> None:
    assert shown('FormatDateTime(DateFromNum([p]),"yyyy")', {"p": 0}) is None
