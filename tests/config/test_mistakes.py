"""What people write, and the whole lines that they read."""

import textwrap

import pytest

from tests.config.folder import problems

START = """\
inboxes:
  - path: in
"""


def in_inbox(lines):
    return START + textwrap.indent(lines, "    ")


@pytest.fixture
def here(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "file").write_text("a file\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin").write_bytes(b"Stra\xdfe")
    (tmp_path / "broken.json").write_text('{"type": }')
    (tmp_path / "wrong.json").write_text('{"type": "strnig"}')
    (tmp_path / "good.json").write_text(
        '{"type": "object", "properties": {"vendor": {"type": "string"}, "total": {"type": "number"},'
        ' "seller": {"properties": {"city": {"type": "string"}}},'
        ' "items": {"type": "array", "items": {"properties": {"price": {"type": "number"}}}}}}'
    )
    (tmp_path / "bare.json").write_text('{"type": "object"}')
    (tmp_path / "outside.json").write_text('{"$ref": "http://example.com/schema"}')
    return tmp_path


INBOX = {
    # misspelt and misplaced keys
    "promt: x": '3:5: inboxes[0].promt: unknown key; did you mean "prompt"?',
    "front-matter: true": "3:5: inboxes[0].front-matter: unknown key; `dropscribe init --example` shows all keys",
    "output: {frontMatter: true}": '3:14: inboxes[0].output.frontMatter: unknown key; did you mean "front_matter"?',
    "format: json": '3:5: inboxes[0].format: unknown key here; did you mean "output.format"?',
    "output: {done: x}": '3:14: inboxes[0].output.done: unknown key here; did you mean "inboxes[].done"?',
    "timeouts: {}": '3:5: inboxes[0].timeouts: unknown key here; did you mean "ollama.timeouts"?',
    "temperature: 1": '3:5: inboxes[0].temperature: unknown key here; did you mean "options.temperature"?',
    "retries: 3": '3:5: inboxes[0].retries: unknown key here; did you mean "tries"?',
    "limits: {zebra: 3}": "3:14: inboxes[0].limits.zebra: unknown key; known here: bytes, pixels, decoding, memory",
    '"two words": 3': '3:5: inboxes[0]["two words"]: unknown key; `dropscribe init --example` shows all keys',
    # what YAML makes of words
    "name: 2024": "3:11: inboxes[0].name: expected a name, got 2024; put it in quotes",
    "name: no": "3:11: inboxes[0].name: expected a name, got no; put it in quotes",
    "name: 1.50": "3:11: inboxes[0].name: expected a name, got 1.50; put it in quotes",
    "name: [a]": "3:11: inboxes[0].name: expected a name, got [a]",
    "prompt: {illegible}": "3:13: inboxes[0].prompt: expected text, got {illegible}; put it in quotes",
    'recursive: "yes"': '3:16: inboxes[0].recursive: expected true or false, got "yes"; write it without quotes',
    "recursive: 1": "3:16: inboxes[0].recursive: expected true or false, got 1",
    "done:": "3:10: inboxes[0].done: expected a folder, got nothing",
    "done: ~": "3:11: inboxes[0].done: expected a folder, got ~; a lone ~ means nothing in YAML, put it in quotes",
    "done: !!binary aGk=": "3:11: inboxes[0].done: the tag !!binary is not understood here; leave it out",
    # rights
    "file_mode: 664":
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got 664; put it in quotes',
    'file_mode: "rw-r--r--"':
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got "rw-r--r--"; '
        "three digits from 0 to 7: for the owner, the group and all others",
    'file_mode: "0888"':
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got "0888"; '
        "three digits from 0 to 7: for the owner, the group and all others",
    'file_mode: "4664"':
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got "4664"; '
        "three digits from 0 to 7: for the owner, the group and all others",
    'file_mode: "0264"':
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got "0264"; '
        "the owner must be able to read it",
    'file_mode: "0775"':
        '3:16: inboxes[0].file_mode: expected auto or rights such as "0664", got "0775"; '
        "a text is no program; folders get their x by themselves",
    "group: no-such-group-here":
        '3:12: inboxes[0].group: expected a group of this machine, got "no-such-group-here"; '
        "`getent group` lists them; a number will do, too",
    "group: -1": "3:12: inboxes[0].group: expected auto, or the name or the number of a group, got -1",
    "group: yes":
        "3:12: inboxes[0].group: expected auto, or the name or the number of a group, got yes; put it in quotes",
    # units and numbers
    "settle: fast": '3:13: inboxes[0].settle: expected auto or a duration such as 5s, got "fast"',
    "settle: 5": "3:13: inboxes[0].settle: expected auto or a duration such as 5s, got 5; add a unit: 5s, 5m or 5h",
    "settle: 1:30":
        '3:13: inboxes[0].settle: expected auto or a duration such as 5s, got "1:30"; write 1m30s or 1h30m',
    "settle: 2h": '3:13: inboxes[0].settle: expected auto or a duration from 0s to 1h, got "2h"',
    "give_up_arriving: auto": '3:23: inboxes[0].give_up_arriving: expected a duration such as 5s, got "auto"',
    "free_space: 200": "3:17: inboxes[0].free_space: expected a size such as 50MB, got 200; add the unit: 200MB",
    "free_space: 2g": '3:17: inboxes[0].free_space: expected a size such as 50MB, got "2g"; add the unit: 2GB',
    "limits: {bytes: 1B}": '3:21: inboxes[0].limits.bytes: expected a size from 1kB to 10GB, got "1B"',
    "tries: 9": "3:12: inboxes[0].tries: expected a whole number from 1 to 8, got 9",
    "tries: 2.0": "3:12: inboxes[0].tries: expected a whole number from 1 to 8, got 2.0",
    "tries: true": "3:12: inboxes[0].tries: expected a whole number from 1 to 8, got true",
    "tries: 010": '3:12: inboxes[0].tries: expected a whole number from 1 to 8, got "010"; write it without quotes',
    "verify: maybe": '3:13: inboxes[0].verify: expected auto, on or off, got "maybe"',
    "verify: {on_check: review}":
        "3:13: inboxes[0].verify: expected auto, on or off, got {on_check: review}; on_check stands beside it",
    "on_check: keep": '3:15: inboxes[0].on_check: expected done or review, got "keep"',
    "repeats: .nan": "3:14: inboxes[0].repeats: expected a number from 0.01 to 1, got .nan",
    'repeats: "0.5"':
        '3:14: inboxes[0].repeats: expected a number from 0.01 to 1, got "0.5"; write it without quotes',
    # choices, lists, sections
    "engine: openai": '3:13: inboxes[0].engine: expected ollama or ocr, got "openai"',
    "output: {format: mardkown}":
        '3:22: inboxes[0].output.format: expected markdown, text or json, got "mardkown"; did you mean "markdown"?',
    "patterns: '*.jpg'": '3:15: inboxes[0].patterns: expected a list, got "*.jpg"; write ["*.jpg"]',
    "patterns: []": "3:15: inboxes[0].patterns: expected a list with at least one entry, got an empty list",
    "patterns: [a, 3]": "3:19: inboxes[0].patterns[1]: expected a pattern such as *.jpg, got 3; put it in quotes",
    "model: []": "3:12: inboxes[0].model: expected a model such as qwen3.5:4b, or a list of models, got []",
    "model: my model": '3:12: inboxes[0].model: expected a model such as qwen3.5:4b, got "my model"',
    "limits: 5": "3:13: inboxes[0].limits: expected keys and values, got 5",
    "keep_alive: soon":
        "3:17: inboxes[0].keep_alive: expected a duration such as 30m, a number of seconds, or -1 for ever, "
        'got "soon"',
    "options: {stop: {}}":
        "3:21: inboxes[0].options.stop: expected a number, text, true or false, or a list of these, got {}",
    "options: {num_ctx: 1024}":
        "3:24: inboxes[0].options.num_ctx: expected a whole number from 2048 to 1048576, got 1024",
    "options: {num_predict: 8192}":
        "3:28: inboxes[0].options.num_predict: expected num_ctx to be at least 9666 (num_predict 8192, about 512 "
        "for the prompt, 962 for a page's picture), got 8192",
    "model: [qwen3.5, 'qwen2.5vl:7b']\noptions: {num_ctx: 5867}":
        "4:24: inboxes[0].options.num_ctx: expected num_ctx to be at least 5868 (num_predict 4096, about 512 "
        "for the prompt, 1260 for a page's picture), got 5867",
    f"prompt: {'Read. ' * 1000}\noptions: {{num_predict: 5300}}":
        "4:28: inboxes[0].options.num_predict: expected num_ctx to be at least 8261 (num_predict 5300, about 1999 "
        "for the prompt, 962 for a page's picture), got 8192",
    # names
    "name: a/b":
        '3:11: inboxes[0].name: expected a name, got "a/b"; it must not contain slashes or control characters',
    "name: .a": '3:11: inboxes[0].name: expected a name, got ".a"; it must not begin with a dot, a dash or a space',
    "output: {name: '{name}'}":
        "3:20: inboxes[0].output.name: expected the fields {stem}, {ext}, {inbox}, {date}, {sha256}, {pages}, "
        '{page} or {field:NAME}, got "{name}"; did you mean "{stem}"?',
    "output: {name: '{sha265}'}":
        "3:20: inboxes[0].output.name: expected the fields {stem}, {ext}, {inbox}, {date}, {sha256}, {pages}, "
        '{page} or {field:NAME}, got "{sha265}"; did you mean "{sha256}"?',
    "output: {name: 'a/{stem}'}":
        '3:20: inboxes[0].output.name: expected a name without a slash, got "a/{stem}"; '
        "set output.folder to file into another folder",
    'output: {name: "a\\0"}':
        '3:20: inboxes[0].output.name: expected a name without control characters, got "a\\x00"',
    "output: {name: .a}":
        '3:20: inboxes[0].output.name: expected a name without a leading dot, got ".a"; files with one are hidden',
    "output: {name: '{stem}.md'}":
        '3:20: inboxes[0].output.name: expected a name without its ending, got "{stem}.md"; '
        'leave out ".md", which output.format adds',
    "output: {name: {stem}}":
        '3:20: inboxes[0].output.name: expected a name such as "{stem}", got {stem}; put it in quotes',
    # pages
    "output: {name: '{stem}_{page}'}":
        '3:20: inboxes[0].output.name: expected a name without {page}, as pages are joined, got "{stem}_{page}"; '
        "or set pages: separate beside it",
    "output: {pages: separate, name: '{page}-{stem}'}":
        '3:37: inboxes[0].output.name: expected {page} behind all other fields, got "{page}-{stem}"; '
        "the scan itself is named without it",
    "output: {pages: separate, name: 'p{page}'}":
        '3:37: inboxes[0].output.name: expected a field for the scan in front of {page}, got "p{page}"; '
        "for instance {stem}-{page}",
    "output: {pages: separate, name: '{stem}{page:03}'}":
        '3:37: inboxes[0].output.name: expected {page} alone, got "{stem}{page:03}"; '
        "numbers of pages are padded with zeros as far as needed",
    f"output: {{pages: separate, name: '{{stem}}{'x' * 61}{{page}}'}}":
        f'3:37: inboxes[0].output.name: expected at most 60 bytes around {{page}}, got "{{stem}}{"x" * 53}…"; '
        "a name has room for 255 in all",
    "output: {pages: seperate, name: '{stem}_{page}'}":
        '3:21: inboxes[0].output.pages: expected joined or separate, got "seperate"; did you mean "separate"?',
    "output: {page_break: '{stem}'}":
        '3:26: inboxes[0].output.page_break: expected the fields {page} or {pages}, got "{stem}"; '
        "{stem} is unknown",
    "output: {page_break: '{n}'}":
        '3:26: inboxes[0].output.page_break: expected the fields {page} or {pages}, got "{n}"; '
        'did you mean "{page}"?',
    "output: {page_break: '{page'}":
        '3:26: inboxes[0].output.page_break: expected a line such as "--- page {page} of {pages} ---", '
        'got "{page"; each { needs its }; write {{ and }} for braces that are meant',
    "output: {page_break: '{page:03}'}":
        '3:26: inboxes[0].output.page_break: expected {page} alone, got "{page:03}"; nothing may follow its name',
    'output: {page_break: "a\\nb"}':
        '3:26: inboxes[0].output.page_break: expected a single line without control characters, got "a\\x0ab"',
    "output: {page_break: {page}}":
        '3:26: inboxes[0].output.page_break: expected a line such as "--- page {page} of {pages} ---", '
        "got {page}; put it in quotes",
    "pages: joined": '3:12: inboxes[0].pages: expected auto or all, got "joined"',
    "output: {pages: all}": '3:21: inboxes[0].output.pages: expected joined or separate, got "all"',
    "max_pages: 0": "3:16: inboxes[0].max_pages: expected a whole number from 1 to 10000, got 0",
    "output: {max_pages: 5}":
        '3:14: inboxes[0].output.max_pages: unknown key here; did you mean "inboxes[].max_pages"?',
    "limits: {pages: 5}": '3:14: inboxes[0].limits.pages: unknown key here; did you mean "inboxes[].max_pages"?',
    "on_bad_page: skip": '3:18: inboxes[0].on_bad_page: expected fail or mark, got "skip"',
    "pdf: {dpi: 1200}": "3:16: inboxes[0].pdf.dpi: expected a whole number from 50 to 600, got 1200",
    "pdf: {text_layer: true}": "3:23: inboxes[0].pdf.text_layer: expected ignore or prefer, got true",
    "dpi: 300": '3:5: inboxes[0].dpi: unknown key here; did you mean "pdf.dpi"?',
    "rotate: true": '3:5: inboxes[0].rotate: unknown key here; did you mean "prepare.turn"?',
    "prepare: {turn: maybe}": '3:21: inboxes[0].prepare.turn: expected auto, true or false, got "maybe"',
    "prepare: {turn: 'true'}":
        '3:21: inboxes[0].prepare.turn: expected auto, true or false, got "true"; write it without quotes',
    "prepare: {bands: on}": "3:22: inboxes[0].prepare.bands: expected auto, dense or never, got on",
    "limits: {decoding: 10}":
        "3:24: inboxes[0].limits.decoding: expected a duration such as 5s, got 10; add a unit: 10s, 10m or 10h",
    "limits: {memory: 64MB}": '3:22: inboxes[0].limits.memory: expected a size from 128MB to 64GB, got "64MB"',
    # paths, files
    "done: $NOWHERE/x":
        '3:11: inboxes[0].done: expected $NOWHERE to be set, got "$NOWHERE/x"; '
        "set it, or write $$ for a dollar sign",
    "done: ~nobody-by-this-name/x":
        '3:11: inboxes[0].done: expected a home folder, got "~nobody-by-this-name/x"; '
        "there is no user nobody-by-this-name",
    "prompt: markdwon":
        '3:13: inboxes[0].prompt: expected a text, or plain, markdown, table, handwriting, receipt or describe, '
        'got "markdwon"; did you mean "markdown"? A question of your own has more than one word',
    "prompt: Receipts":
        '3:13: inboxes[0].prompt: expected a text, or plain, markdown, table, handwriting, receipt or describe, '
        'got "Receipts"; did you mean "receipt"? A question of your own has more than one word',
    "prompt_file: nope.txt":
        '3:18: inboxes[0].prompt_file: expected a text file, got "HERE/nope.txt"; it does not exist',
    "prompt_file: in": '3:18: inboxes[0].prompt_file: expected a text file, got "HERE/in"; it is a folder',
    "prompt_file: empty": '3:18: inboxes[0].prompt_file: expected a text file, got "HERE/empty"; it is empty',
    "prompt_file: latin":
        '3:18: inboxes[0].prompt_file: expected a text file, got "HERE/latin"; it is not UTF-8; save it as UTF-8',
    "prompt: x\nprompt_file: nope": "4:18: inboxes[0].prompt_file: there is a prompt as well; keep one of the two",
    "output: {format: jsno, schema: wrong.json}":
        '3:22: inboxes[0].output.format: expected markdown, text or json, got "jsno"; did you mean "json"?',
    "output: {format: text, schema: wrong.json}":
        "3:36: inboxes[0].output.schema: only with format json or markdown, and the format is text",
    "engine: ocr\noutput: {format: json, schema: wrong.json}":
        "4:36: inboxes[0].output.schema: the engine ocr cannot fill in a schema; use the engine ollama",
    "output: {format: json, schema: broken.json}":
        '3:36: inboxes[0].output.schema: expected a file with a JSON schema, got "broken.json"; '
        "line 1, column 10: Expecting value",
    "output: {format: json, schema: outside.json}":
        '3:36: inboxes[0].output.schema: expected a file with a JSON schema, got "outside.json"; '
        "the reference http://example.com/schema leads out of the file",
    # fields of the schema, and collections
    "output: {format: json, schema: good.json, name: '{field:vender}'}":
        '3:53: inboxes[0].output.name: expected fields of the schema, got "{field:vender}"; '
        'did you mean "{field:vendor}"?',
    "output: {format: json, schema: good.json, name: 'a {field:seller}'}":
        '3:53: inboxes[0].output.name: expected fields of the schema, got "a {field:seller}"; '
        '"seller" holds more than one value; name one of them, such as {field:seller.city}',
    "output: {format: json, schema: good.json, name: '{field:items}'}":
        '3:53: inboxes[0].output.name: expected fields of the schema, got "{field:items}"; '
        '"items" holds more than one value; name one of them, such as {field:items.0.NAME}',
    "output: {format: json, schema: good.json, name: '{field:zzz}'}":
        '3:53: inboxes[0].output.name: expected fields of the schema, got "{field:zzz}"; '
        '"zzz" is unknown; it has vendor, total, seller.city, items',
    "output: {format: json, schema: good.json, name: '{field}'}":
        '3:53: inboxes[0].output.name: expected a field of the schema such as {field:vendor}, got "{field}"; '
        "its name follows the colon",
    "output: {format: jsno, schema: good.json, name: '{field:vendor}', collect: all.csv}":
        '3:22: inboxes[0].output.format: expected markdown, text or json, got "jsno"; did you mean "json"?',
    "output: {name: '{field:vendor}'}":
        "3:20: inboxes[0].output.name: {field:vendor} needs a schema beside it",
    "output: {collect: all.csv}":
        "3:23: inboxes[0].output.collect: a collection needs a schema beside it",
    "output: {format: json, schema: bare.json, collect: all.csv}":
        "3:56: inboxes[0].output.collect: the schema names no fields (properties) that could be columns",
    "output: {format: json, schema: good.json, collect: all.xlsx}":
        "3:56: inboxes[0].output.collect: expected a file such as receipts.csv or receipts.jsonl, "
        'got "all.xlsx"; its ending says what it becomes',
    "output: {format: json, schema: good.json, collect: .all.csv}":
        "3:56: inboxes[0].output.collect: expected a file such as receipts.csv or receipts.jsonl, "
        'got ".all.csv"; files with a leading dot are hidden',
    # the cloud
    "model: gpt-oss:120b-cloud":
        '3:12: inboxes[0].model: expected a model on your own host, got "gpt-oss:120b-cloud"; '
        "nothing leaves your network, unless you name this model under ollama.allow_cloud",
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), INBOX.items(), ids=INBOX)
def test_a_mistake_in_an_inbox_is_one_line_with_its_place(here, lines, expected):
    assert problems(here, in_inbox(lines)) == [f"dropscribe.yaml:{expected}"]


ELSEWHERE = {
    "model: x\n": '3:1: model: unknown key here; did you mean "ollama.model"?',
    "settle: 5s\n": '3:1: settle: unknown key here; did you mean "defaults.settle"?',
    "inbox: []\n": '3:1: inbox: unknown key; did you mean "inboxes"?',
    "watch_dir: /x\n": '3:1: watch_dir: unknown key here; did you mean "inboxes[].path"?',
    "host: http://nas\n": '3:1: host: unknown key here; did you mean "ollama.hosts"?',
    "zebra: 1\n": "3:1: zebra: unknown key; known here: ollama, state, log, defaults, inboxes",
    "defaults: {name: x}\n": '3:12: defaults.name: unknown key here; each inbox has a "name" of its own',
    "defaults: {settle: fast}\n":
        '3:20: defaults.settle: expected auto or a duration such as 5s, got "fast"',
    "log: {level: warn}\n":
        '3:14: log.level: expected debug, info, warning or error, got "warn"; did you mean "warning"?',
    "log: loud\n": '3:6: log: expected keys and values, got "loud"',
    "state: file\n": '3:8: state: expected a folder, got the file "HERE/file"',
    "state: in/x\n":
        '3:8: state: the state folder "HERE/in/x" must not lie in the inbox "in" (HERE/in)',
    "ollama: {hosts: []}\n":
        "3:17: ollama.hosts: expected a list with at least one entry, got an empty list",
    "ollama: {hosts: [nas]}\n": '3:18: ollama.hosts[0]: expected keys and values, got "nas"; write url: "nas"',
    "ollama: {hosts: [{parallel: 2}]}\n":
        "3:18: ollama.hosts[0].url: missing; name the host, for instance http://localhost:11434",
    "ollama: {hosts: [{url: nas, parallel: 0}]}\n":
        "3:39: ollama.hosts[0].parallel: expected a whole number from 1 to 64, got 0",
    "ollama:\n  hosts:\n    - url: localhost\n    - url: http://127.0.0.1:11434/\n":
        "6:12: ollama.hosts[1].url: the same host as ollama.hosts[0]; raise its parallel instead",
    "ollama: {model: gpt-oss:cloud}\n":
        '3:17: ollama.model: expected a model on your own host, got "gpt-oss:cloud"; '
        "nothing leaves your network, unless you name this model under ollama.allow_cloud",
    "ollama: {options: {num_ctx: 4096}}\n":
        "3:29: ollama.options.num_ctx: expected num_ctx to be at least 5570 (num_predict 4096, about 512 "
        "for the prompt, 962 for a page's picture), got 4096",
    "ollama: {timeouts: {total: 0s}}\n":
        '3:28: ollama.timeouts.total: expected a duration from 1s to 1d, got "0s"',
    "inboxes: []\n": "3:1: inboxes: given twice; the first is on line 1",
    "? [a]\n: b\n": "3:3: expected a key, got a list or a mapping",
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), ELSEWHERE.items(), ids=ELSEWHERE)
def test_a_mistake_outside_the_inboxes_is_one_line_with_its_place(here, lines, expected):
    assert problems(here, START + lines) == [f"dropscribe.yaml:{expected}"]


INBOXES = {
    "log: {}\n": "1:1: inboxes: missing; name at least one folder to watch",
    "inboxes: []\n":
        '1:10: inboxes: expected a list of inboxes, got an empty list; begin each with "- path: "',
    "inboxes:\n": '1:9: inboxes: expected a list of inboxes, got nothing; begin each with "- path: "',
    "inboxes: {path: in}\n":
        '1:10: inboxes: expected a list of inboxes, got {path: in}; begin each with "- path: "',
    "inboxes:\n  - name: x\n": "2:5: inboxes[0].path: missing; name the folder where scans arrive",
    "inboxes:\n  - in\n": '2:5: inboxes[0]: expected keys and values, got "in"; write path: "in"',
    "inboxes:\n  - path: nope\n":
        '2:11: inboxes[0].path: expected a folder that exists, got "HERE/nope"; make it, or set create: true',
    "inboxes:\n  - path: file\n": '2:11: inboxes[0].path: expected a folder, got the file "HERE/file"',
    "inboxes:\n  - path: file/x\n":
        '2:11: inboxes[0].path: expected a folder, got "HERE/file/x"; it is not a folder',
    "inboxes:\n  - path: 5\n": "2:11: inboxes[0].path: expected a folder, got 5; put it in quotes",
    "- path: in\n": "1:1: expected keys and values, got a list",
    "in\n": '1:1: expected keys and values, got "in"',
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), INBOXES.items(), ids=INBOXES)
def test_inboxes_that_are_no_inboxes_are_named(here, text, expected):
    assert problems(here, text) == [f"dropscribe.yaml:{expected}"]


SYNTAX = {
    "inboxes:\n  - path: in\n    patterns: [*.jpg]\n": "3:16: not valid YAML: put text that starts with * in quotes",
    "inboxes:\n\t- path: in\n": "2:1: not valid YAML: a tab cannot indent; use spaces",
    'inboxes:\n  - path: "in\n': '2:11: not valid YAML: the quote " that begins here does not end properly',
    "inboxes: [\n": "2:1: not valid YAML: the text ends too early; is a bracket or a quote not closed?",
    "inboxes: [a\n": "1:10: not valid YAML: the bracket [ that begins here does not end properly",
    "inboxes:\n  - path: in\n  name: x\n":
        "3:3: not valid YAML: this does not line up with the lines above; check the indentation",
    "inboxes:\n  - path: in\n    name: {stem}-x\n":
        "3:17: not valid YAML: nothing may follow the closing bracket or quote; put the whole text in quotes",
    "inboxes:\n  - path: in\n    prompt: a: b\n":
        '3:14: not valid YAML: this ":" is one too many; put text that contains ": " in quotes, '
        "or check the indentation",
    'inboxes:\n  - path: "C:\\Scans"\n':
        "2:15: not valid YAML: inside double quotes a backslash is written twice; or use single quotes",
    "a: 1\n---\nb: 1\n": "2:1: not valid YAML: a second document begins here; keep one",
    "a: \x07\n": "1:4: not valid YAML: the character U+0007 must not be in the file",
    "a: &a [*a, *a]\n": "1:4: not valid YAML: too many values, or an alias inside its own anchor",
    "[" * 2000: "1:1: not valid YAML: too many levels inside each other",
    'a: "\\U00110000"\n': "1:5: not valid YAML: a number behind \\U is not that of a character",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SYNTAX.items(), ids=[name[:30] for name in SYNTAX])
def test_what_is_no_yaml_is_explained_without_grammar(here, text, expected):
    assert problems(here, text) == [f"dropscribe.yaml:{expected}"]


def test_six_mistakes_of_different_kinds_are_named_at_once_in_the_order_of_the_file(here):
    text = """\
ollama:
  options: {num_predict: 9000}
defaults:
  tries: 12
inboxes:
  - path: in
    settle: fast
  - path: in
    name: fine
    promt: Read.
  - name: nowhere
"""
    assert problems(here, text) == [
        (
            "dropscribe.yaml:2:26: ollama.options.num_predict: expected num_ctx to be at least 10474 "
            "(num_predict 9000, about 512 for the prompt, 962 for a page's picture), got 8192"
        ),
        "dropscribe.yaml:4:10: defaults.tries: expected a whole number from 1 to 8, got 12",
        'dropscribe.yaml:7:13: inboxes[0].settle: expected auto or a duration such as 5s, got "fast"',
        (
            'dropscribe.yaml:8:11: inboxes[1].path: expected a folder of its own, got "HERE/in", '
            "which is inboxes[0] already"
        ),
        'dropscribe.yaml:10:5: inboxes[1].promt: unknown key; did you mean "prompt"?',
        "dropscribe.yaml:11:5: inboxes[2].path: missing; name the folder where scans arrive",
    ]


def test_a_problem_of_the_defaults_is_told_once_however_many_inboxes_share_it(here):
    text = """\
defaults:
  done: $NOWHERE
  prompt_file: nope.txt
  limits: {bytes: 1}
inboxes:
  - path: in
  - path: other
"""
    assert [line.split(": ")[1] for line in problems(here, text)] == [
        "defaults.done", "defaults.prompt_file", "defaults.limits.bytes",
    ]  # fmt: skip


def test_a_password_in_an_address_is_not_repeated(here):
    (line,) = problems(here, START + "ollama: {hosts: [{url: 'http://ada:hunter2@nas'}]}\n")
    assert "hunter2" not in line
    assert "leave out the user and the password" in line


def test_a_problem_is_one_harmless_line_whatever_the_value_holds(here):
    (line,) = problems(here, in_inbox('engine: "a\\nb\\e[2J\\u202e\\x9b"'))
    assert (
        line
        == 'dropscribe.yaml:3:13: inboxes[0].engine: expected ollama or ocr, got "a\\x0ab\\x1b[2J\\u202e\\u009b"'
    )


def test_a_long_value_is_cut(here):
    (line,) = problems(here, in_inbox(f"engine: {'x' * 5000}"))
    assert line.endswith('xxx…"')
    assert len(line) < 150
