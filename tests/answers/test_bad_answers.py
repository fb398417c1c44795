"""Every kind of bad answer from every engine: none is filed as a text, and each is named in the reason file."""

import pytest

from dropscribe.errors import BadAnswer, Unavailable
from dropscribe.reading.verdicts import HELP
from dropscribe.values import Answer
from tests.answers.rooms import a_room, asking, read_to_the_end
from tests.engines.scripted import ScriptedEngine
from tests.folders import PROMPT
from tests.standin import BEFORE_LLAMA_SERVER, Standin

LETTER = "Dear Mrs Whitcombe,\n\nthank you for your letter of 3 May."
LOOP = LETTER + " and so on and on" * 100
DESCRIPTION = "The image shows a letter to a woman named Whitcombe, dated 3 May, with a signature below."
MARKUP = f"![logo](data:image/png;base64,{'iVBORw0KGgoAAAANSUhEUg' * 10})"
REFUSAL = "I'm sorry, but I can't assist with that request."
COUNTING = "".join(f"{number}. Item number {number} of the list of goods\n" for number in range(1, 200))

# name of the verdict, the stand-in's fault and its looks
SERVED = {
    "nothing at all": ("empty", "empty", {}),
    "blanks": ("empty", "text", {"text": " \n\n \t\n"}),
    "an empty fence": ("empty", "text", {"text": "```markdown\n```"}),
    "nothing legible": ("empty", "text", {"text": "[illegible] [illegible]"}),
    "thoughts beside the answer": ("thinking only", "thinking_only", {}),
    "thoughts in the answer": ("thinking only", "text", {"text": "<think>The page shows an invoice."}),
    "cut at its limit": ("length", "length", {}),
    "no end": ("not done", "no_done", {}),
    "a line that is cut": ("not done", "malformed", {}),
    "thirty equal words": ("loop", "repeat_token_guard", {}),
    "an error in the middle": ("no answer", "error_line", {}),
    "a connection that is reset": ("no answer", "reset", {}),
    "a runner that dies": ("no answer", "runner_died", {}),
    "a loop of three words": ("loop", "loop", {"period": 3}),
    "a loop of forty words": ("loop", "loop", {"period": 40}),
    "a loop that ends": ("loop", "text", {"text": LOOP}),
    "a refusal": ("refusal", "refusal", {}),
    "an excuse": ("refusal", "text", {"text": "There is no text in this image."}),
    "the prompt": ("echo", "echo_prompt", {}),
    "a description": ("description", "text", {"text": DESCRIPTION}),
    "encoded data": ("markup", "text", {"text": MARKUP}),
    "a line without end": ("flood", "flood", {"size": 9_000_000}),
    "a picture beyond the context": ("context", "context_400", {}),
    "a picture that cannot be decoded": ("picture", "load_picture_400", {}),
    "a picture beyond a proxy's limit": (
        "picture",
        "http",
        {"status": 413, "body": "<html>too large</html>"},
    ),
}


def answer(text=LETTER, **changes):
    fields = {
        "done": True,
        "done_reason": "stop",
        "model": "qwen3.5:4b",
        "model_digest": "sha256:0",
        **changes,
    }
    return Answer(text, **fields)


# the same from an engine that is no server
SCRIPTED = {
    "nothing at all": ("empty", answer("")),
    "an empty fence": ("empty", answer("```\n```")),
    "thoughts beside the answer": ("thinking only", answer("", thinking="An invoice.")),
    "cut at its limit": ("length", answer(done_reason="length")),
    "counting to the limit": ("loop", answer(COUNTING, done_reason="length")),
    "no end": ("not done", answer(done=False, done_reason="")),
    "another end": ("not done", answer(done_reason="load")),
    "cut by ourselves": ("cut", answer(done=False, cut="more than 4 MB of text")),
    "a loop that was cut": ("loop", answer(done=False, cut="loop")),
    "a loop that ends": ("loop", answer(LOOP)),
    "a refusal": ("refusal", answer(REFUSAL)),
    "a refusal in wrappers": ("refusal", answer(f"<think>Hm.</think>```\n{REFUSAL}\n```")),
    "the prompt": ("echo", answer(PROMPT)),
    "a description": ("description", answer(DESCRIPTION)),
    "encoded data": ("markup", answer(MARKUP)),
    "a picture that cannot be answered": ("picture", BadAnswer("picture", "the server could not decode it")),
    "a host that dies": ("no answer", Unavailable("the runner died", suspect=True)),
}
EMBEDDED = {
    "no end": ("not done", answer(done=False)),
    "given up": ("not done", BadAnswer("not done", "the embedded engine gave up: no reason")),
    "too slow": ("not done", BadAnswer("not done", "the embedded engine took longer than 300 s")),
    "broken down": ("no answer", Unavailable("the embedded engine broke down", suspect=True)),
}


def assert_refused(room, name):
    assert set(room.files) == {"failed/a.png", "failed/a.png.reason.txt"}
    reason = " ".join(room.files["failed/a.png.reason.txt"].decode().split())
    assert f": {name}: " in reason
    assert f"What helps: {HELP[name]}." in reason
    tries = room.ledger.tries(1)
    assert {tried.verdict for tried in tries} == {name}
    assert len(tries) == room.inbox.tries if room.inbox.engine == "ollama" else len(tries) >= 1
    for tried in tries:
        assert tried.asked.prompt_sha256
        assert tried.asked.sent


@pytest.mark.parametrize("version", ["0.33.0", BEFORE_LLAMA_SERVER])
@pytest.mark.parametrize(("name", "kind", "how"), SERVED.values(), ids=SERVED)
def test_no_bad_answer_of_a_server_is_filed_as_a_text(tmp_path, decoding, version, name, kind, how):
    with Standin(version=version) as server, a_room(tmp_path, decoding) as room, asking(server) as engine:
        server.script(kind, times=None, **how)
        assert read_to_the_end(room, engine).kind == "failed"
        assert_refused(room, name)


@pytest.mark.parametrize(("name", "said"), SCRIPTED.values(), ids=SCRIPTED)
def test_no_bad_answer_of_another_engine_is_filed_as_a_text(tmp_path, decoding, name, said):
    with a_room(tmp_path, decoding) as room:
        assert read_to_the_end(room, ScriptedEngine([said] * 9)).kind == "failed"
        assert_refused(room, name)


@pytest.mark.parametrize(("name", "said"), EMBEDDED.values(), ids=EMBEDDED)
def test_no_bad_answer_of_the_embedded_engine_is_filed_as_a_text(tmp_path, decoding, name, said):
    with a_room(tmp_path, decoding, engine="ocr", models=()) as room:
        assert read_to_the_end(room, ScriptedEngine([said] * 9, models=("",))).kind == "failed"
        assert_refused(room, name)


def test_every_verdict_is_tried_here_but_that_of_schemas():
    seen = {name for table in (SERVED, SCRIPTED, EMBEDDED) for name, *_ in table.values()}
    assert seen == set(HELP) - {"schema"}
