"""What a good configuration becomes, and where one is found."""

import grp
import os
import stat
from pathlib import Path

import pytest

from dropscribe import prompts
from dropscribe.config.load import build, from_text, load
from dropscribe.config.places import find
from dropscribe.config.values import Limits, Pdf, Prepare
from dropscribe.errors import ConfigError
from tests.config.folder import ENV, loaded, write

ONE = "inboxes: [{path: in}]\n"


@pytest.fixture
def here(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path


def test_one_line_is_a_whole_configuration(here):
    config = loaded(here, ONE)
    (inbox,) = config.inboxes
    assert config.path == here / "dropscribe.yaml"
    assert [(host.url, host.parallel) for host in config.ollama.hosts] == [("http://localhost:11434", 1)]
    times = config.ollama.timeouts
    assert (times.connect, times.first_token, times.silence, times.total) == (5, 600, 120, 1800)
    assert (inbox.name, inbox.path, inbox.create) == ("in", here / "in", False)
    assert (inbox.engine, inbox.models, inbox.keep_alive) == ("ollama", ("qwen3.5:4b",), "30m")
    assert inbox.options == {"temperature": 0, "num_ctx": 8192, "num_predict": 4096}
    assert (inbox.settle, inbox.rescan, inbox.give_up_arriving) == (None, None, 1800)
    assert inbox.limits == Limits(bytes=5 * 10**8, pixels=10**8, decoding=60, memory=10**9)
    assert inbox.free_space == 2 * 10**8
    assert (inbox.pages, inbox.max_pages, inbox.on_bad_page) == ("auto", 500, "fail")
    assert inbox.pdf == Pdf(text_layer="ignore", dpi=200)
    assert inbox.prepare == Prepare(turn=None, deskew=False, contrast=False, bands="auto", blank="skip")
    assert (inbox.verify, inbox.on_check, inbox.review) == ("auto", "done", here / "in" / "review")
    assert (inbox.tries, inbox.repeats, inbox.patterns, inbox.ignore) == (4, 0.3, ("*",), ())
    assert (inbox.done, inbox.failed, inbox.output.folder) == (
        here / "in/done",
        here / "in/failed",
        here / "in/done",
    )
    assert (inbox.output.format, inbox.output.name, inbox.output.pages) == ("markdown", "{stem}", "joined")
    assert inbox.output.page_break is None
    assert (config.log.format, config.log.level, config.warnings) == ("auto", "info", ())


@pytest.mark.parametrize(
    ("lines", "mode", "number"),
    [
        ("", None, None),
        ("file_mode: auto, group: auto", None, None),
        ('file_mode: "0664", group: 1234', 0o664, 1234),
        ("file_mode: 0640", 0o640, None),
        ("file_mode: '600', group: 0", 0o600, 0),
        (f"group: {grp.getgrgid(os.getgid()).gr_name}", None, os.getgid()),
    ],
)
def test_rights_are_written_as_for_chmod_and_groups_by_name_or_number(here, lines, mode, number):
    config = loaded(here, f"defaults: {{{lines}}}\n{ONE}")
    assert (config.inboxes[0].file_mode, config.inboxes[0].group) == (mode, number)


def test_an_inbox_takes_the_defaults_key_by_key_and_sets_its_own_over_them(here):
    (here / "b").mkdir()
    config = loaded(
        here,
        """\
ollama: {options: {seed: 7, num_ctx: 16384}}
defaults:
  settle: 3s
  options: {seed: 8, top_k: 5}
  output: {format: text, front_matter: true}
  limits: {bytes: 1MB}
  prepare: {turn: true, bands: never}
  pdf: {dpi: 300}
inboxes:
  - path: in
  - path: b
    settle: auto
    prepare: {turn: false, blank: ask}
    pdf: {text_layer: prefer}
    options: {seed: 9}
    output: {format: markdown}
    limits: {pixels: 20000}
""",
    )
    first, second = config.inboxes
    assert (first.settle, second.settle) == (3, None)
    assert first.options == {"temperature": 0, "num_ctx": 16384, "num_predict": 4096, "seed": 8, "top_k": 5}
    assert second.options == {**first.options, "seed": 9}
    assert (first.output.format, first.output.front_matter) == ("text", True)
    assert (second.output.format, second.output.front_matter) == ("markdown", True)
    assert (second.limits.bytes, second.limits.pixels) == (10**6, 20000)
    assert (first.prepare.turn, first.prepare.bands, first.prepare.blank) == (True, "never", "skip")
    assert (second.prepare.turn, second.prepare.bands, second.prepare.blank) == (False, "never", "ask")
    assert (second.pdf.dpi, second.pdf.text_layer) == (300, "prefer")


def test_the_prompt_follows_from_what_is_written_unless_one_is_given(here):
    (here / "s.json").write_text('{"type": "object"}')
    (here / "p.txt").write_text("\ufeffFrom a file.\n", encoding="utf-8")
    asked = {
        "output: {format: markdown}": prompts.MARKDOWN,
        "output: {format: text}": prompts.PLAIN,
        "output: {format: json}": prompts.PLAIN,
        "output: {format: json, schema: s.json}": prompts.FILL,
        "prompt: |\n      One.\n      Two.\n": "One.\nTwo.",
        "prompt_file: p.txt": "From a file.",
    }
    for lines, expected in asked.items():
        config = loaded(here, f"inboxes:\n  - path: in\n    {lines}\n")
        assert config.inboxes[0].prompt == expected


def test_one_word_names_a_prompt_that_comes_along(here):
    for name, text in prompts.PRESETS.items():
        for written in (name, name.capitalize(), f"|\n      {name}\n"):
            inbox = loaded(here, f"inboxes:\n  - path: in\n    prompt: {written}\n").inboxes[0]
            assert (inbox.preset, inbox.prompt) == (name, text)


def test_what_is_no_name_of_a_prompt_is_asked_as_it_stands(here):
    (here / "p.txt").write_text("plain\n")
    for line in (
        "prompt: plain text",
        "prompt: Describe.",
        "prompt: OCR",
        "prompt: Table please",
        "prompt_file: p.txt",
    ):
        inbox = loaded(here, f"inboxes:\n  - path: in\n    {line}\n").inboxes[0]
        own = "plain" if line.startswith("prompt_file") else line.removeprefix("prompt: ")
        assert (inbox.preset, inbox.prompt) == ("", own)


def test_without_a_prompt_the_preset_follows_from_the_format(here):
    for form, preset in {"markdown": "markdown", "text": "plain", "json": "plain"}.items():
        inbox = loaded(here, f"inboxes:\n  - path: in\n    output: {{format: {form}}}\n").inboxes[0]
        assert inbox.preset == preset


def test_a_schema_is_filled_in_whatever_prompt_is_named(here):
    (here / "s.json").write_text('{"type": "object"}')
    text = "inboxes:\n  - path: in\n    prompt: receipt\n    output: {format: json, schema: s.json}\n"
    config = loaded(here, text)
    assert (config.inboxes[0].preset, config.inboxes[0].prompt) == ("", prompts.FILL)
    assert config.warnings == (
        'dropscribe.yaml:3:13: inboxes[0].prompt: "receipt" is not used, as the model is asked to fill in the schema',
    )


def test_an_inbox_with_a_prompt_of_its_own_forgets_that_of_the_defaults(here):
    text = "{defaults: {prompt_file: nowhere.txt}, inboxes: [{path: in, prompt: Mine.}]}"
    assert loaded(here, text).inboxes[0].prompt == "Mine."


def test_an_empty_key_of_an_inbox_is_the_builtin_default(here):
    text = "{defaults: {prompt: Ours., model: other}, inboxes: [{path: in, prompt: , model: }]}"
    inbox = loaded(here, text).inboxes[0]
    assert (inbox.prompt, inbox.models) == (prompts.MARKDOWN, ("qwen3.5:4b",))


@pytest.mark.parametrize(
    ("written", "meant"), [("on", "on"), ('"off"', "off"), ("off", "off"), ("true", "on"), ("auto", "auto")]
)
def test_on_and_off_are_words_though_yaml_takes_them_for_more(here, written, meant):
    assert loaded(here, f"inboxes: [{{path: in, verify: {written}}}]").inboxes[0].verify == meant


def test_a_review_folder_is_made_use_of_where_something_is_to_be_reviewed(here):
    used, unused = (
        loaded(here, "inboxes: [{path: in, on_check: review}]"),
        loaded(here, "inboxes: [{path: in}]"),
    )
    assert used.inboxes[0].folders == tuple(here / "in" / name for name in ("done", "failed", "review"))
    assert unused.inboxes[0].folders == tuple(here / "in" / name for name in ("done", "failed"))


def test_sections_may_be_left_empty(here):
    assert loaded(
        here, "ollama:\ndefaults:\nlog:\ninboxes:\n  - path: in\n    output:\n    limits:\n"
    ).inboxes


def test_the_schema_is_read_and_parsed(here):
    (here / "s.json").write_text('{"type": "object", "properties": {"total": {"type": ["string", "null"]}}}')
    inbox = loaded(here, "inboxes: [{path: in, output: {format: json, schema: s.json}}]").inboxes[0]
    assert inbox.output.schema["properties"] == {"total": {"type": ["string", "null"]}}


def test_models_are_an_order_of_fallback_and_the_ocr_engine_has_none(here):
    (here / "b").mkdir()
    text = "{ollama: {model: [a:1, b]}, inboxes: [{path: in}, {path: b, engine: ocr}]}"
    assert [inbox.models for inbox in loaded(here, text).inboxes] == [("a:1", "b"), ()]


@pytest.mark.parametrize("text", [
    "{ollama: {model: 'x:cloud', allow_cloud: ['x:cloud']}, inboxes: [{path: in}]}",
    "{ollama: {model: 'x:cloud'}, inboxes: [{path: in, engine: ocr}]}",
    "{ollama: {model: 'x:cloud'}, inboxes: [{path: in, model: own}]}",
    "{ollama: {model: 'cloud-reader:4b'}, inboxes: [{path: in}]}",
])  # fmt: skip
def test_a_cloud_model_is_fine_when_allowed_by_name_or_not_used(here, text):
    assert loaded(here, text).inboxes


def test_keep_alive_is_what_the_server_understands(here):
    for written, kept in {"30m": "30m", "-1": -1, "1h30m": "1h30m", "0": 0, "'-5s'": "-5s"}.items():
        assert loaded(here, f"inboxes: [{{path: in, keep_alive: {written}}}]").inboxes[0].keep_alive == kept


def test_paths_know_home_variables_and_the_folder_of_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    path = write(
        tmp_path / "sub",
        """\
state: ../state
inboxes:
  - {path: ~/a, create: true, done: $SCANS/done, failed: "${SCANS}/$$x", output: {folder: ../texts}}
""",
    )
    config = load(Path("sub/dropscribe.yaml"), ENV, tmp_path)
    (inbox,) = config.inboxes
    assert config.path == path
    assert config.state == tmp_path / "state"
    assert inbox.path == Path("/home/ada/a")
    assert (inbox.done, inbox.failed) == (Path("/mnt/scans/done"), Path("/mnt/scans/$x"))
    assert inbox.output.folder == Path("/home/ada/texts")


def test_a_link_in_a_path_stays_a_link(here):
    (here / "link").symlink_to("in")
    assert loaded(here, "inboxes: [{path: ./link/}]").inboxes[0].path == here / "link"


def test_two_dots_behind_a_link_go_where_the_link_leads(here):
    (here / "far" / "inner").mkdir(parents=True)
    (here / "far" / "box").mkdir()
    (here / "link").symlink_to("far/inner")
    inbox = loaded(here, "inboxes: [{path: link/../box}]").inboxes[0]
    assert inbox.path.samefile(here / "far" / "box")


def test_a_share_that_is_away_is_no_problem_for_verbs_that_only_tell(here):
    path = write(here, "inboxes: [{path: away}]")
    with pytest.raises(ConfigError):
        load(path, ENV, here)
    assert load(path, ENV, here, check_folders=False).inboxes[0].path == here / "away"


def test_loading_makes_no_folder(here):
    before = set(here.rglob("*"))
    loaded(here, "{state: state, inboxes: [{path: in}, {path: new, create: true}]}")
    assert set(here.rglob("*")) - before == {here / "dropscribe.yaml"}


def test_a_configuration_is_frozen_throughout(here):
    inbox = loaded(here, ONE).inboxes[0]
    with pytest.raises(AttributeError):
        inbox.tries = 5
    with pytest.raises(TypeError):
        inbox.options["seed"] = 1


def test_a_program_may_build_one_from_plain_data(here):
    config = build({"inboxes": [{"path": here / "in", "patterns": ("*.png",), "settle": "1s"}]}, here)
    (inbox,) = config.inboxes
    assert (config.path, inbox.path, inbox.patterns, inbox.settle) == (None, here / "in", ("*.png",), 1)
    with pytest.raises(ConfigError) as error:
        build({"inboxes": [{"path": "in", "tries": 0}]}, here)
    assert error.value.problems == ("config: inboxes[0].tries: expected a whole number from 1 to 8, got 0",)


def test_from_text_checks_a_file_that_is_not_written_yet(here):
    assert from_text(ONE, here / "x.yaml").inboxes[0].path == here / "in"
    assert not (here / "x.yaml").exists()


# --- the file


def refusal(path, cwd):
    with pytest.raises(ConfigError) as error:
        load(path, ENV, cwd)
    (line,) = error.value.problems
    return line


def test_a_file_that_cannot_be_read_is_named_with_its_trouble(tmp_path):
    assert (
        refusal(Path("x.yaml"), tmp_path)
        == "x.yaml: it does not exist; `dropscribe init` writes a configuration"
    )
    assert refusal(tmp_path, tmp_path.parent).startswith(f"{tmp_path.name}: it is a folder; ")
    assert refusal(Path("/nowhere/x.yaml"), tmp_path).startswith("/nowhere/x.yaml: it does not exist; ")
    for text, trouble in {
        b"": "it is empty",
        b" \n": "it is empty",
        b"a: \xff": "it is not UTF-8; save it as UTF-8",
        "inboxes: []".encode("utf-16"): "it is not UTF-8; save it as UTF-8",
        b"#" * 1_000_001: "it has more than 1 MB",
    }.items():
        write(tmp_path, text)
        assert refusal(None, tmp_path).startswith(f"dropscribe.yaml: {trouble}; ")


def test_a_file_of_comments_holds_nothing(tmp_path):
    write(tmp_path, "# later\n")
    assert refusal(None, tmp_path) == (
        "dropscribe.yaml: there is nothing in it; `dropscribe init` writes a configuration"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_named(tmp_path):
    write(tmp_path, ONE).chmod(0)
    assert "permission denied" in refusal(None, tmp_path)


def test_the_first_place_with_a_file_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        find(None, {}, tmp_path)
    (line,) = error.value.problems
    for place in (
        "-c FILE",
        "$DROPSCRIBE_CONFIG",
        str(tmp_path / "dropscribe.yaml"),
        "/etc/dropscribe/config.yaml",
    ):
        assert place in line
    assert "`dropscribe init`" in line

    users = Path(line.partition(f"{tmp_path / 'dropscribe.yaml'}, ")[2].partition(", ")[0])
    users.parent.mkdir(parents=True)
    users.touch()
    assert find(None, {}, tmp_path) == users
    (tmp_path / "dropscribe.yaml").touch()
    assert find(None, {}, tmp_path) == tmp_path / "dropscribe.yaml"
    assert find(None, {"DROPSCRIBE_CONFIG": "v.yaml"}, tmp_path) == tmp_path / "v.yaml"
    assert find(None, {"DROPSCRIBE_CONFIG": "~/v.yaml"}, Path("/x")) == tmp_path / "v.yaml"
    assert find(Path("c.yaml"), {"DROPSCRIBE_CONFIG": "v.yaml"}, tmp_path) == tmp_path / "c.yaml"


# --- warnings


def test_a_file_that_others_may_write_is_a_warning(here):
    path = write(here, ONE)
    for mode, warned in {0o644: 0, 0o600: 0, 0o664: 1, 0o646: 1}.items():
        path.chmod(mode)
        warnings = load(path, ENV, here).warnings
        assert len(warnings) == warned, oct(stat.S_IMODE(path.stat().st_mode))
        assert all(
            line.startswith("dropscribe.yaml: other users of this machine may change") for line in warnings
        )


@pytest.mark.parametrize(("file", "warned"), [("../all.csv", 1), ("all.csv", 0), ("tables/all.csv", 0)])
def test_a_collection_among_the_scans_is_a_warning(here, file, warned):
    (here / "form.json").write_text('{"properties": {"total": {"type": "string"}}}')
    output = f"{{format: json, schema: form.json, collect: {file}}}"
    config = loaded(here, f"inboxes:\n  - path: in\n    output: {output}\n")
    assert [line.partition(": it lies")[0] for line in config.warnings] == [
        "dropscribe.yaml:3:56: inboxes[0].output.collect"
    ] * warned


def test_what_is_allowed_but_odd_is_a_warning(here):
    config = loaded(
        here,
        """\
ollama:
  hosts: [{url: http://nas}, {url: http://nas2:80}, {url: nas3}]
  options: {temprature: 0, my_own: 1, top_k: 3}
inboxes:
  - path: in
    patterns: ["*.{jpg,png}"]
""",
    )
    assert config.warnings == (
        (
            "dropscribe.yaml:2:17: ollama.hosts[0].url: http:// without a port means port 80; "
            "write http://nas:11434, or http://nas:80 if you mean it"
        ),
        (
            "dropscribe.yaml:3:25: ollama.options.temprature: Ollama leaves out options it does not know; "
            'did you mean "temperature"?'
        ),
        (
            'dropscribe.yaml:6:15: inboxes[0].patterns: "*.{jpg,png}": braces stand for themselves; '
            "write a pattern for each ending"
        ),
    )


@pytest.mark.parametrize(
    ("output", "why"),
    [("pages: separate", "pages are separate"), ("format: json", "the format is json")],
)
def test_a_page_break_that_is_never_seen_is_a_warning_which_an_empty_one_ends(here, output, why):
    (here / "b").mkdir()
    text = """\
defaults: {output: {page_break: '--- page {page} of {pages} ---'}}
inboxes:
  - path: b
  - path: in
    output: {%s%s}
"""
    config = loaded(here, text % (output, ""))
    assert config.warnings == (f"dropscribe.yaml:1:33: defaults.output.page_break: not used, as {why}",)
    assert config.inboxes[0].output.page_break == "--- page {page} of {pages} ---"
    config = loaded(here, text % (output, ", page_break:"))
    assert (config.warnings, config.inboxes[1].output.page_break) == ((), None)


def test_a_configuration_inside_an_inbox_is_a_warning(tmp_path):
    (line,) = loaded(tmp_path, "inboxes: [{path: .}]").warnings
    assert line.startswith("dropscribe.yaml:1:18: inboxes[0].path: this file lies in the inbox")


def test_a_model_that_newer_servers_do_not_load_is_warned_of_and_a_small_context_is_nothing_to_the_embedded(
    here,
):
    config = loaded(here, "inboxes: [{path: in, model: 'llama3.2-vision:11b'}]")
    (warning,) = config.warnings
    assert warning.startswith(
        'dropscribe.yaml:1:29: inboxes[0].model: "llama3.2-vision:11b" loads only on Ollama up'
    )
    assert "qwen3.5:4b" in warning
    loaded(here, "inboxes: [{path: in, engine: ocr, options: {num_ctx: 2048}}]")
