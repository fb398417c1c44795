"""Everything a real Ollama server was seen or is known to say, and what it demands of us."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable
from dropscribe.reading.engines.refusals import classify, retry_after

MODEL = "qwen3.5:4b"
DIED = "an error was encountered while running the model: unexpected EOF"


def error(text):
    return json.dumps({"error": text})


def nested(code, message, kind="invalid_request_error", **more):
    """The way of servers since 0.30: llama-server's whole answer as a string."""
    return error(json.dumps({"error": {"code": code, "message": message, "type": kind, **more}}))


CONTEXT = nested(
    400,
    "request (4165 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "exceed_context_size_error",
    n_prompt_tokens=4165,
    n_ctx=4096,
)
TERMINATED = "llama-server process has terminated: exit status 1: error loading model: "
UNKNOWN_MLLAMA = "error loading model: unknown model architecture: 'mllama'"
MLLAMA = error(f"llama-server process has terminated: exit status 1: {UNKNOWN_MLLAMA}\n{UNKNOWN_MLLAMA}")
INPUTS = "Failed to create new sequence: failed to process inputs: "
RUNNING = "an error was encountered while running the model: "
SEQ_ADD = (
    f"{RUNNING}GGML_ASSERT(hparams.n_pos_per_embd() == 1 && "
    '"seq_add() is only supported for n_pos_per_embd() == 1") failed\nsignal arrived during cgo execution'
)
STOPPED = (
    "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, "
    "check ollama server logs for details"
)
NO_STRUCT = "json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Message"
NO_BASE64 = (
    "json: cannot unmarshal string into Alias.images.0 of type api.ImageData: "
    "illegal base64 data at input byte 4"
)
NO_PARSER = (
    "Unable to generate parser for this template. Automatic parser generation failed: "
    "JSON schema error at #: unrecognized type nonsense"
)
NO_MMPROJ = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
BLIND = "Multimodal data provided, but model does not support multimodal requests."
THINK = 'invalid think value: "banana" (must be "high", "medium", "low", "max", true, or false)'
OUTDATED = (
    "'llama3.2-vision' is no longer compatible with your version of Ollama and has been marked for deletion. "
    "To use it, please pull it again"
)
INCOMPATIBLE = (
    "llama runner process has terminated: error loading model: "
    "this model may be incompatible with your version of Ollama"
)
OPENAI = '{"error":{"message":%s,"type":"not_found_error","param":null,"code":null}}'

PARKED = [
    (400, error("missing request body"), "did not understand"),
    (400, error("unexpected EOF"), "did not understand"),
    (400, error(NO_STRUCT), "did not understand"),
    (400, error(NO_BASE64), "illegal base64"),
    (400, error("model is required"), "name of a model"),
    (400, error("invalid model name"), "name of a model"),
    (400, error("use either :local or :cloud"), "name of a model"),
    (400, error('"all-minilm" does not support chat'), "not made to answer"),
    (400, error('"tinyvl" does not support thinking'), "setting"),
    (400, error(THINK), "setting"),
    (400, error('time: invalid duration "abc"'), "setting"),
    (400, nested(400, NO_PARSER), "JSON schema"),
    (400, nested(400, "failed to parse grammar"), "JSON schema"),
    (400, nested(400, BLIND), "cannot see"),
    (400, error("something new in 0.40"), "something new in 0.40"),
    (401, '{"error":"unauthorized","signin_url":"https://ollama.com/connect"}', "login"),
    (402, error("payment required"), "payment"),
    (403, "", "host name"),
    (403, error("ollama cloud is disabled: remote model is unavailable"), "cloud"),
    (403, error("origin not allowed"), "origin not allowed"),
    (404, error("model 'qwen3.5:4b' not found"), "not installed"),
    (404, error('model "qwen3.5:4b" not found, try pulling it first'), "not installed"),
    (404, OPENAI % "\"model 'qwen3.5:4b' not found\"", "not installed"),
    (404, "404 page not found", "stray path"),
    (404, '{"detail":"Not Found"}', "stray path"),
    (405, "405 method not allowed", "stray path"),
    (200, "<html>It works!</html>", "not an Ollama server"),
    (400, "<html>400 Bad Request</html>", "not an Ollama server"),
    (307, "", "redirects"),
    (500, error('option "temperature" must be of type float32'), "must be of type float32"),
    (500, error('option "num_ctx" must be of type integer'), "num_ctx"),
    (500, error('invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'), "JSON schema"),
    (500, error(OUTDATED), "older Ollama"),
    (500, error(INCOMPATIBLE), "cannot load"),
    (500, error(f"{TERMINATED}unknown model architecture: 'novelty'"), "novelty"),
    (500, error(f"{TERMINATED}tensor data is not within the file bounds"), "cannot load"),
    (500, nested(500, NO_MMPROJ, "server_error"), "cannot see"),
    (500, error("this model is missing data required for image input"), "cannot see"),
]

RESTS = [
    (408, "", False),
    (429, error("too many requests"), False),
    (499, error("request canceled"), False),
    (500, error("model requires more system memory (5.6 GiB) than is available (2.1 GiB)"), False),
    (500, error("unable to load full model on GPU"), False),
    (500, error("llama runner process has terminated: cudaMalloc failed: out of memory"), False),
    (500, error(f"{TERMINATED}unable to allocate CUDA0 buffer"), False),
    (500, error("failed to allocate compute buffers"), False),
    (500, error("timed out waiting for llama-server to start - progress 0.00"), False),
    (500, error("timed out waiting for llama runner to start: progress 0.00"), False),
    (500, error("llama-server process no longer running: -1 "), False),
    (500, error("llama runner process no longer running: 2 "), False),
    (500, error("unexpected server status: 3"), False),
    (500, error("health resp: connection refused"), False),
    (502, error("error reaching cloud"), False),
    (502, "<html>502 Bad Gateway</html>", False),
    (503, error("server busy, please try again.  maximum pending requests exceeded"), False),
    (503, nested(503, "Loading model", "unavailable_error"), False),
    (503, "", False),
    (504, "<html>504 Gateway Time-out</html>", False),
    (500, error(STOPPED), True),
    (500, error(DIED), True),
    (500, error(f"{RUNNING}CUDA error: an illegal memory access"), True),
    (500, error(f"{RUNNING}GGML_ASSERT(a->ne[2] * 4 == b->ne[0]) failed"), True),
    (500, error("llama runner process has terminated: signal: killed"), True),
    (500, error("llama-server process has terminated: signal: killed"), True),
    (500, nested(500, "failed to process mtmd chunk; got exception: encode failed", "server_error"), True),
    (500, "", True),
    (500, error("no such thing was ever said"), True),
    (500, "<html>Internal Server Error</html>", True),
    (599, "", True),
]

ANOTHER_RECIPE = [
    (400, CONTEXT, "context"),
    (400, error("the input length exceeds the context length"), "context"),
    (500, error(f"{INPUTS}entire prompt removed by truncation"), "context"),
    (500, error("SameBatch may not be specified within numKeep"), "context"),
    (500, error(SEQ_ADD), "context"),
    (400, nested(400, "Failed to load image or audio file"), "picture"),
    (
        400,
        OPENAI % json.dumps(nested(400, "Failed to load image or audio file")),
        "picture",
    ),
    (400, '{"error":{"message":"invalid image input","type":"invalid_request_error"}}', "picture"),
    (413, "<html>413 Request Entity Too Large</html>", "picture"),
    (500, error(f"{INPUTS}image: unknown format"), "picture"),
    (500, error(f"{INPUTS}unexpected EOF"), "picture"),
    (500, error(f"{INPUTS}invalid JPEG format: short Huffman data"), "picture"),
    (500, error(f"{INPUTS}png: invalid format: not enough pixel data"), "picture"),
]


@pytest.mark.parametrize(("status", "body", "words"), PARKED)
def test_what_waiting_cannot_mend_parks_the_inbox(status, body, words):
    failure = classify(status, body, model=MODEL)
    assert isinstance(failure, Misconfigured)
    assert words in failure.reason
    assert failure.fix or "new in" in words or "origin" in words


@pytest.mark.parametrize(("status", "body", "suspect"), RESTS)
def test_what_may_be_over_soon_lets_the_host_rest(status, body, suspect):
    failure = classify(status, body, model=MODEL)
    assert isinstance(failure, Unavailable)
    assert failure.suspect is suspect


@pytest.mark.parametrize(("status", "body", "verdict"), ANOTHER_RECIPE)
def test_what_another_recipe_may_mend_is_a_bad_answer(status, body, verdict):
    failure = classify(status, body, model=MODEL)
    assert isinstance(failure, BadAnswer)
    assert failure.verdict == verdict


@pytest.mark.parametrize("body", [row[1] for row in (*RESTS, *ANOTHER_RECIPE) if row[0] == 500])
def test_the_same_words_mean_the_same_in_upper_case(body):
    loud = error(json.loads(body)["error"].upper()) if body.startswith("{") else body.upper()
    assert type(classify(500, loud, model=MODEL)) is type(classify(500, body, model=MODEL))


@pytest.mark.parametrize("model", ["llama3.2-vision", "tiny-mllama"])
def test_the_family_that_newer_servers_dropped_is_explained_with_what_to_use(model):
    failure = classify(500, MLLAMA, model=model)
    assert isinstance(failure, Misconfigured)
    assert model in failure.reason
    assert "0.24" in failure.reason
    assert "qwen3.5:4b for 8 GB" in failure.fix
    assert "`ollama pull qwen3.5:4b`" in failure.fix


def test_a_missing_model_comes_with_the_command_that_installs_it():
    failure = classify(404, error("model 'glm-ocr' not found"), model="glm-ocr")
    assert failure.reason == "the model glm-ocr is not installed on the server"
    assert failure.fix == "run `ollama pull glm-ocr` on the server"


def test_a_context_that_is_too_small_comes_with_the_numbers():
    assert classify(400, CONTEXT, model=MODEL).reason == (
        "picture and prompt take 4,165 tokens, and num_ctx allows 4,096"
    )


def test_a_full_queue_is_worth_a_second_try_within_seconds():
    assert classify(503, error("server busy, please try again."), model=MODEL).soon
    assert not classify(500, error(DIED), model=MODEL).soon


@pytest.mark.parametrize("status", [200, 500])
def test_an_error_within_a_stream_is_known_by_its_words(status):
    assert classify(status, error(DIED), model=MODEL, streamed=True).suspect
    assert classify(status, CONTEXT, model=MODEL, streamed=True).verdict == "context"
    unknown = classify(status, error("some new fault"), model=MODEL, streamed=True)
    assert isinstance(unknown, Unavailable)
    assert unknown.suspect
    assert "some new fault" in unknown.reason


def test_a_redirect_names_where_it_leads():
    failure = classify(301, "", model=MODEL, location="https://other.example/\r\napi")
    assert "https://other.example/ api" in failure.reason


def test_the_servers_words_are_cut_and_cleaned():
    failure = classify(400, error("\x1b[31m" + "bad \n\0" * 500), model=MODEL)
    assert failure.reason.isprintable()
    assert 250 < len(failure.reason) <= 400


texts = st.one_of(st.text(), st.sampled_from([row[1] for row in (*PARKED, *RESTS, *ANOTHER_RECIPE)]))
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "type", "n_ctx"]), inner)
    ),
    max_leaves=8,
)
bodies = st.one_of(texts, values.map(json.dumps), values.map(lambda value: json.dumps({"error": value})))


@given(st.integers(-1, 1000), bodies, st.text(), st.booleans())
def test_whatever_comes_back_becomes_a_failure_with_a_short_printable_reason(status, body, model, streamed):
    failure = classify(status, body, model=model, streamed=streamed, location=body)
    assert isinstance(failure, (Unavailable, Misconfigured, BadAnswer))
    assert failure.reason
    assert len(failure.reason) <= 400
    assert (failure.reason + failure.fix).isprintable()
    assert str(failure) == failure.reason


def test_a_body_nested_beyond_reason_is_no_accident():
    assert isinstance(classify(500, '{"error":' * 100_000, model=MODEL), Unavailable)
    assert isinstance(classify(400, "[" * 100_000, model=MODEL), Misconfigured)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "9" * 5000}, 300.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:40 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 40.0),
        ({"Retry-After": "Tue, 24 Nov 2026 09:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:40 GMT"}, None),
        ({"Retry-After": "Tue, 24 Nov 2026 10:00:40 -0000", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, None),
    ],
)
def test_the_server_may_say_how_long_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


@given(st.dictionaries(st.sampled_from(["Retry-After", "Date", "date"]), st.text()))
def test_any_header_gives_a_wait_or_none(headers):
    wait = retry_after(headers)
    assert wait is None or 0 <= wait <= 300
