"""Answers that have to be JSON, many of them broken, from a real server to the files."""

import json
from collections import Counter

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.harness import drop, tree, until

SCHEMA = {
    "type": "object",
    "properties": {
        "vendor": {"type": "string"},
        "total": {"type": "integer"},
        "currency": {"enum": ["EUR", "USD", None]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "what": {"type": "string", "maxLength": 9},
                    "price": {"type": ["number", "null"]},
                },
                "required": ["what", "price"],
            },
        },
    },
    "required": ["vendor", "total", "currency", "items"],
    "additionalProperties": False,
}
GOOD = {"vendor": "Rewe", "total": 1, "currency": "EUR", "items": []}


def broken(**changes):
    return json.dumps(GOOD | changes)


WRONG = {
    "prose around it": f"Here is the receipt:\n\n{json.dumps(GOOD)}\n\nI hope that helps.",
    "cut off": json.dumps(GOOD)[:-9],
    "a comma too many": json.dumps(GOOD)[:-1] + ",}",
    "no number": '{"vendor": "Rewe", "total": NaN, "currency": "EUR", "items": []}',
    "a key twice": '{"vendor": "Rewe", "total": 1, "total": 2, "currency": "EUR", "items": []}',
    "a list": json.dumps([GOOD]),
    "a key missing": json.dumps({key: value for key, value in GOOD.items() if key != "total"}),
    "a key too many": broken(note="thank you"),
    "text for a number": broken(total="1,00"),
    "not one of the list": broken(currency="euro"),
    "wrong inside a list": broken(items=[{"what": "milk", "price": 1.5}, {"what": "bread", "price": "much"}]),
    "too long": broken(items=[{"what": "x" * 100, "price": None}]),
    "the schema": json.dumps(SCHEMA),
    "nested": json.dumps(GOOD)[:-3] + "[" * 150 + "]" * 150 + "}",
    "an empty object": "{}",
}
TOLD = "An earlier answer to this was refused"
SCANS, BROKEN = 200, 67


def plan(server):
    """What every third scan gets for an answer: its kind, and when it is mended: once it is told, next, never."""
    planned = {}
    for place, number in enumerate(range(3, SCANS + 1, 3)):
        kind, end = list(WRONG)[place % len(WRONG)], ("told", "told", "told", "next", "never")[place // 3 % 5]
        if (
            kind == "the schema" and end == "told"
        ):  # repeating it is no matter of form: nothing is handed back
            end = "next"
        text = f"{WRONG[kind]}\n"
        times = {"told": None, "next": 1, "never": None}[end]
        body = TOLD if end == "told" else None
        server.script("stubborn", mark=number, text=text, times=times, body=body)
        planned[number] = kind, end
    server.script("empty", mark=1)
    server.script("length", mark=2)
    return planned


@pytest.mark.slow
def test_only_json_that_follows_the_schema_is_filed_and_the_rest_is_kept(server, household, tmp_path):
    schema = tmp_path / "receipt.json"
    schema.write_text(json.dumps(SCHEMA))
    home = household("receipts", each={"receipts": {"output": {"format": "json", "schema": str(schema)}}})
    inbox = home.inbox("receipts")
    planned = plan(server)
    assert len(planned) + 2 >= BROKEN
    for number in range(1, SCANS + 1):
        drop(inbox, number)
    with home:
        until(lambda: len(tree(inbox / "done")) + len(tree(inbox / "failed")) == 2 * SCANS, "all filed", 300)
        assert home.terminate() == 0
    asked = [r for r in server.received if r.path == "/api/chat" and r.mark]
    by_mark = {number: [r for r in asked if r.mark == number] for number in range(1, SCANS + 1)}
    rescued = check(inbox, planned, by_mark)
    broken_ones = Counter(end for _, end in planned.values())
    print(f"{SCANS} answers, {len(planned) + 2} broken in {len(WRONG) + 2} ways: {dict(broken_ones)}")
    print(f"{rescued} rescued by handing back what was wrong; {len(asked)} requests")
    assert rescued == broken_ones["told"]


def check(inbox, planned, by_mark):
    """How many were filed only because the model was told what was wrong."""
    validator, files, rescued = Draft202012Validator(SCHEMA), tree(inbox), 0
    for number, requests in by_mark.items():
        kind, end = planned.get(number, ("", ""))
        name = f"scan{number:04}"
        assert requests[0].format == SCHEMA
        assert TOLD not in requests[0].prompt
        if end == "never":
            assert files.pop(f"failed/{name}.png")
            reason = files.pop(f"failed/{name}.png.reason.txt").decode()
            kept = [line.removeprefix("> ") for line in reason.splitlines() if line.startswith("> ")]
            assert "\n".join(kept) == WRONG[kind].replace("\n\n", "\n>\n"), (kind, reason)
            assert len(requests) == 4
            continue
        assert files.pop(f"done/{name}.png")
        data = files.pop(f"done/{name}.json").decode()
        answer = json.loads(data)
        assert not list(validator.iter_errors(answer)), (kind, data)
        assert data == json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        assert answer["total"] == number
        assert len(requests) == (1 if not kind and number > 2 else 2), kind
        rescued += end == "told" and TOLD in requests[-1].prompt
    assert not files, sorted(files)
    return rescued
