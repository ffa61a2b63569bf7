"""Streams of events: read however they are cut, and mended until a verifying client accepts them."""

import json
from typing import Any

import pytest
from ag_ui_validate import ValidatorOptions, create_validator
from ambient_sessions.agui.frames import LARGEST_FRAME, FrameReader, FrameTooLarge, frame
from ambient_sessions.agui.thread import Guard, Thread
from hypothesis import given, settings
from hypothesis import strategies as st

Event = dict[str, Any]


def read(raw: bytes, cuts: list[int]) -> list[bytes]:
    reader, found, start = FrameReader(), [], 0
    for end in [*sorted({cut % (len(raw) + 1) for cut in cuts}), len(raw)]:
        found.extend(reader.feed(raw[start:end]))
        start = end
    return found


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\rdata:c\n\n", [b"a", b"b", b"c"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b": comment\nid: 1\nevent: x\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"data: a\ndata: b\ndata\n\n", [b"a\nb\n"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b"data: unfinished\n", []),
        (b"\n\n\n: only\n\n", []),
        ("data: grüße €\n\n".encode(), ["grüße €".encode()]),
    ],
)
@given(cuts=st.lists(st.integers(0, 1000), max_size=20))
def test_frames_are_the_same_however_the_bytes_are_cut(raw: bytes, data: list[bytes], cuts: list[int]) -> None:
    assert read(raw, cuts) == data


@given(raw=st.binary(max_size=200), cuts=st.lists(st.integers(0, 1000), max_size=20))
def test_any_bytes_are_read_the_same_in_one_piece_and_in_many(raw: bytes, cuts: list[int]) -> None:
    assert read(raw, cuts) == read(raw, [])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"data: " + b"x" * (LARGEST_FRAME + 1), id="one line"),
        pytest.param(b"data: seven.x\n" * (LARGEST_FRAME // 8 + 1), id="many lines", marks=pytest.mark.slow),
    ],
)
def test_a_frame_that_is_too_large_is_refused_before_it_is_kept(line: bytes) -> None:
    with pytest.raises(FrameTooLarge):
        read(line, list(range(0, len(line), 65536)))


def test_what_we_send_is_one_line_with_its_number() -> None:
    assert frame(7, '{"a":"\\n"}') == b'id: 7\ndata: {"a":"\\n"}\n\n'


NAMES = st.sampled_from(["a", "b"])
SPANS = {
    "TEXT_MESSAGE": ("messageId", {"role": "assistant"}, "CONTENT"),
    "TOOL_CALL": ("toolCallId", {"toolCallName": "f"}, "ARGS"),
    "REASONING_MESSAGE": ("messageId", {"role": "reasoning"}, "CONTENT"),
}


def span(kind: str, name: str, parts: list[str], closed: bool) -> list[Event]:
    key, opening, middle = SPANS[kind]
    whole = f"{kind}-{name}"
    events: list[Event] = [{"type": f"{kind}_START", key: whole, **opening}]
    events += [{"type": f"{kind}_{middle}", key: whole, "delta": part} for part in parts]
    return [*events, {"type": f"{kind}_END", key: whole}] if closed else events


PARTS = st.lists(st.text(min_size=1, max_size=5), max_size=3)
PIECES = st.one_of(
    st.builds(span, st.sampled_from(sorted(SPANS)), st.uuids().map(str), PARTS, st.booleans()),
    st.builds(lambda value: [{"type": "CUSTOM", "name": "x", "value": value}], st.integers()),
    st.builds(lambda value: [{"type": "STATE_SNAPSHOT", "snapshot": value}], st.dictionaries(NAMES, st.integers())),
    st.just([{"type": "STEP_STARTED", "stepName": "one"}, {"type": "STEP_FINISHED", "stepName": "one"}]),
)
STREAMS = st.builds(
    lambda started, pieces, ended: [
        *([{"type": "RUN_STARTED", "threadId": "t", "runId": "r"}] if started else []),
        *(event for piece in pieces for event in piece),
        *([{"type": "RUN_FINISHED", "threadId": "t", "runId": "r"}] if ended else []),
    ],
    st.booleans(),
    st.lists(PIECES, max_size=5),
    st.booleans(),
)


def complaints(events: list[Event]) -> list[Any]:
    validator = create_validator(ValidatorOptions())
    validator.feed("".join(f"data: {json.dumps(event)}\n\n" for event in events))
    return [finding for finding in validator.finalize() if finding.severity == "error"]


@settings(deadline=None)
@given(events=STREAMS, ending=st.sampled_from(["fail", "cancel"]))
def test_whatever_a_runner_leaves_out_the_run_is_valid_and_ends_once(events: list[Event], ending: str) -> None:
    guard = Guard(Thread("t"), "r")
    sent = [out for event in events for out in guard.pass_on(event)]
    sent += guard.fail("runner_lost", "gone") if ending == "fail" else guard.cancel()
    assert [event["type"] in ("RUN_FINISHED", "RUN_ERROR") for event in sent].count(True) == 1
    assert sent[0]["type"] == "RUN_STARTED"
    assert sent[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    assert complaints(sent) == []
    assert guard.pass_on({"type": "CUSTOM", "name": "late", "value": 1}) == []


@settings(deadline=None)
@given(events=STREAMS, cut=st.integers(0, 30))
def test_a_viewer_that_attaches_anywhere_holds_what_one_from_the_start_holds(events: list[Event], cut: int) -> None:
    guard = Guard(Thread("t"), "r")
    sent = [out for event in events for out in guard.pass_on(event)] + guard.fail("x", "y")
    early, late = Thread("t"), Thread("t")
    for event in sent[: min(cut, len(sent) - 1)]:
        early.accept(event)
    for event in early.prelude("r"):
        late.accept(event)
    for event in sent[min(cut, len(sent) - 1) :]:
        if event["type"] != "RUN_STARTED":
            early.accept(event)
            late.accept(event)
    assert (late.messages, late.state) == (early.messages, early.state)
