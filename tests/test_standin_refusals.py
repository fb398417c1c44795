"""What the stand-in refuses, with the statuses and in the words of two real Ollama servers."""

import io
import json

import pytest

from tests.standin import BEFORE_LLAMA_SERVER, Model, Standin, marks
from tests.standin.client import JSON, TEXT_ONLY, ask, question, shot

BAD_PICTURE = (
    '{"error":{"code":400,"message":"Failed to load image or audio file","type":"invalid_request_error"}}'
)


@pytest.fixture
def server():
    with Standin() as running:
        yield running


@pytest.fixture
def before():
    with Standin(version=BEFORE_LLAMA_SERVER) as running:
        yield running


THINK = 'invalid think value: "banana" (must be "high", "medium", "low", "max", true, or false)'
FORMAT = 'invalid format: "\\"xml\\""; expected "json" or a valid JSON Schema object'
SCHEMA = (
    '{"error":{"code":400,"message":"Unable to generate parser for this template. Automatic parser '
    'generation failed: JSON schema error at #: unrecognized type nonsense","type":"invalid_request_error"}}'
)
MESSAGES = "json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Message"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "missing request body"),
        (b'{"model": "x", "messages": [{"role":', 400, "unexpected EOF"),
        (b'{"model": "qwen3.5:4b", "options": {"top_p": NaN}}', 400, "invalid character 'N' looking for"),
        (b"[]", 400, "json: cannot unmarshal array into Go value of type api.ChatRequest"),
        ({"model": "x", "messages": "hi"}, 400, MESSAGES),
        ({"messages": []}, 400, "model is required"),
        ({"model": "  "}, 400, "model is required"),
        ({"model": "bad name!!"}, 400, "invalid model name"),
        (TEXT_ONLY | {"model": "nope"}, 404, "model 'nope' not found"),
        (TEXT_ONLY | {"model": "huge:671b-cloud"}, 401, "unauthorized"),
        (TEXT_ONLY | {"think": "banana"}, 400, THINK),
        (TEXT_ONLY | {"model": "tinytext:1b", "think": True}, 400, '"tinytext:1b" does not support thinking'),
        (TEXT_ONLY | {"keep_alive": "abc"}, 400, 'time: invalid duration "abc"'),
        (TEXT_ONLY | {"keep_alive": "10"}, 400, 'time: missing unit in duration "10"'),
        (
            TEXT_ONLY | {"options": {"temperature": "hot"}},
            500,
            'option "temperature" must be of type float32',
        ),
        (TEXT_ONLY | {"options": {"num_ctx": "8192"}}, 500, 'option "num_ctx" must be of type integer'),
        (TEXT_ONLY | {"options": {"num_ctx": True}}, 500, 'option "num_ctx" must be of type integer'),
        (TEXT_ONLY | {"options": {"use_mmap": 1}}, 500, 'option "use_mmap" must be of type boolean'),
        (TEXT_ONLY | {"options": {"stop": "x"}}, 500, 'option "stop" must be of type array'),
        (TEXT_ONLY | {"format": "xml"}, 500, FORMAT),
        (TEXT_ONLY | {"format": {"type": "nonsense", "properties": 5}}, 400, SCHEMA),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_wrong_request_is_refused_in_the_words_of_the_real_server(server, body, status, text, stream):
    answer = ask(server, body if isinstance(body, bytes) else body | {"stream": stream})
    assert (answer.status, answer.headers["Content-Type"]) == (status, JSON)
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(text)
    server.wait_for(lambda received: received[0].outcome == "error")


@pytest.mark.parametrize("keep_alive", [0, -1, 300, "10m", "1h30m", "-1s", "1.5h", "0"])
def test_every_form_of_keep_alive_is_taken(server, keep_alive):
    assert ask(server, TEXT_ONLY | {"keep_alive": keep_alive}).status == 200


@pytest.mark.parametrize(
    ("image", "wrong"),
    [
        ("@@@not base64@@@", 0),
        ("data:image/png;base64,iVBORw0KGgo=", 4),
        ("_9j_4AAQ", 0),
        ("/9j/4AAQSkZJRg", 12),
        ("/9j/4AAQSkZJRg=", 15),
        ("/9j/4AAQSkZJRg=x", 14),
        ("/9j/4AAQSkZJRg==AAAA", 16),
    ],
)
def test_base64_that_is_not_standard_and_padded_is_refused_at_the_byte(server, before, image, wrong):
    body = {"model": "qwen3.5:4b", "messages": [{"role": "user", "content": "x", "images": [image]}]}
    why = f"illegal base64 data at input byte {wrong}"
    place = "json: cannot unmarshal string into Alias.images.0 of type api.ImageData"
    answer = ask(server, body)
    assert (answer.status, answer.json["error"]) == (400, f"{place}: {why}")
    assert ask(before, body).json["error"] == why


def test_line_ends_in_base64_are_skipped(server):
    body = question(shot(3))
    (image,) = body["messages"][0]["images"]
    body["messages"][0]["images"] = ["\r\n".join(image[at : at + 76] for at in range(0, len(image), 76))]
    assert ask(server, body).text.startswith("scan 3\n")


def variants():
    picture = marks.draw(99)
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TGA", "PPM", "WEBP", "TIFF", "JPEG2000", "AVIF"):
        file = io.BytesIO()
        picture.save(file, kind)
        yield kind, file.getvalue()
    jpeg, png = shot(99, "JPEG"), shot(99)
    yield "cut JPEG", jpeg[: len(jpeg) // 2]
    yield "JPEG header", jpeg[: jpeg.index(b"\xff\xda")]
    yield "cut PNG", png[: len(png) // 2]
    yield "text", b"Dear Sir or Madam"
    yield "nothing", b""


NOW = {"PNG", "JPEG", "BMP", "GIF", "TGA", "PPM", "WEBP", "cut JPEG"}
BEFORE = {"PNG", "JPEG", "BMP", "WEBP", "TIFF"}
CUT = {
    "cut JPEG": "invalid JPEG format: short Huffman data",
    "cut PNG": "png: invalid format: not enough pixel data",
}


@pytest.mark.parametrize(("name", "data"), [pytest.param(*one, id=one[0]) for one in variants()])
def test_each_generation_takes_its_own_formats(server, before, name, data):
    now, then = (ask(one, question(data, model="qwen3.5:4b", stream=False)) for one in (server, before))
    if name in NOW:
        assert now.json["message"]["content"].startswith("scan 99\n")
    else:
        assert (now.status, now.json["error"]) == (400, BAD_PICTURE)
    if name in BEFORE:
        assert then.json["message"]["content"].startswith("scan 99\n")
    else:
        problem = CUT.get(name, "image: unknown format")
        text = f"Failed to create new sequence: failed to process inputs: {problem}"
        assert (then.status, then.json["error"]) == (500, text)


@pytest.mark.parametrize(
    ("architecture", "size", "tokens"),
    [
        ("qwen25vl", (2480, 3508), 4028),
        ("qwen25vl", (1, 1), 1024),
        ("qwen3vl", (640, 320), 1058),
        ("qwen35", (640, 320), 200),
        ("mistral3", (4000, 4000), 1024),
        ("gemma3", (30, 3000), 256),
    ],
)
def test_a_picture_costs_what_its_family_makes_of_it(architecture, size, tokens):
    assert Model(architecture).tokens(*size, current=True) == tokens


def test_what_does_not_fit_the_context_is_refused_with_the_numbers():
    # 19 tokens of template and the two pieces of "Read it."
    with Standin(
        models={"m": Model(picture_tokens=4096 - 21), "n": Model(picture_tokens=4095 - 21)}
    ) as server:
        assert ask(server, question(shot(1), model="n")).status == 200
        answer = ask(server, question(shot(1), model="m"))
        assert answer.status == 400
        error = json.loads(answer.json["error"])["error"]
        assert (error["type"], error["code"]) == ("exceed_context_size_error", 400)
        assert (error["n_prompt_tokens"], error["n_ctx"]) == (4096, 4096)
        assert error["message"].startswith("request (4096 tokens) exceeds the available context size (4096 ")
        assert ask(server, question(shot(1), model="m", options={"num_ctx": 8192})).status == 200


def test_an_answer_ends_where_the_context_is_full():
    with Standin(models={"m": Model(picture_tokens=4070)}) as server:
        answer = ask(server, question(shot(1), model="m", stream=False)).json
    assert answer["done_reason"] == "length"
    assert answer["prompt_eval_count"] + answer["eval_count"] == 4096


def test_before_llama_server_a_prompt_that_is_too_long_loses_its_picture(before):
    before.models["m"] = Model(picture_tokens=5000)
    assert ask(before, question(shot(1), model="m")).text.startswith("no picture\n")
    refused = ask(before, question(shot(1), model="m", truncate=False))
    assert (refused.status, refused.json["error"]) == (400, "the input length exceeds the context length")


def test_a_picture_for_a_model_without_vision(server, before):
    rendered = ask(server, question(shot(1), model="tinytext:1b"))
    message = "Multimodal data provided, but model does not support multimodal requests."
    assert (rendered.status, json.loads(rendered.json["error"])["error"]["message"]) == (400, message)
    server.models["native"] = Model("qwen2", ("completion",), rendered=False)
    native = ask(server, question(shot(1), model="native"))
    assert native.status == 500
    assert "image input is not supported - hint:" in native.json["error"]
    ignored = ask(before, question(shot(1), model="tinytext:1b"))
    assert ignored.text.startswith("no picture\n")


def test_llama_vision_lists_vision_everywhere_and_loads_only_before_llama_server(server, before):
    body = question(shot(4), model="llama3.2-vision:11b")
    unknown = "error loading model: unknown model architecture: 'mllama'"
    refused = ask(server, body)
    assert (refused.status, refused.json["error"].splitlines()) == (
        500,
        [f"llama-server process has terminated: exit status 1: {unknown}", unknown],
    )
    assert "vision" in ask(server, {"model": "llama3.2-vision:11b"}, "/api/show").json["capabilities"]
    assert ask(before, body).text.startswith("scan 4\n")
    two = ask(before, question(shot(4), shot(5), model="llama3.2-vision:11b"))
    assert two.json["error"] == "this model only supports one image while more than one image requested"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/api/api/chat", (404, b"404 page not found", None)),
        ("POST", "/v1/chat/completions", (404, b"404 page not found", None)),
        ("GET", "/api/chat", (405, b"405 method not allowed", None)),
        ("POST", "/api/chat/", (307, b"", "/api/chat")),
        ("GET", "/api/version/", (301, b"", "/api/version")),
    ],
)
def test_a_wrong_address_is_answered_in_plain_text(server, method, path, expected):
    answer = ask(server, b"{}" if method == "POST" else None, path, method)
    assert (answer.status, answer.body, answer.headers.get("Location")) == expected
    assert answer.headers.get("Content-Type") == ("text/plain" if answer.body else None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "ollama.example.com"}, 403),
        ({"Host": "8.8.8.8:11434"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Host": "nas.local:11434", "Origin": "http://localhost:3000"}, 200),
        ({"Host": "192.168.1.7"}, 200),
        ({"Host": "[::1]:11434"}, 200),
    ],
)
def test_a_foreign_host_or_origin_is_forbidden_without_a_word(server, headers, status):
    answer = ask(server, TEXT_ONLY, headers=headers)
    assert answer.status == status
    assert answer.body != b"" or status == 403
