"""Addresses as Ollama reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.config.hosts import identity, leaves_out_port, normalise
from dropscribe.config.unfit import Unfit

ADDRESSES = {
    "localhost": "http://localhost:11434",
    "nas:80": "http://nas:80",
    ":8080": "http://127.0.0.1:8080",
    "0.0.0.0": "http://127.0.0.1:11434",
    "http://0.0.0.0:11434": "http://127.0.0.1:11434",
    "::": "http://[::1]:11434",
    "[::]:1234": "http://[::1]:1234",
    "fe80::1": "http://[fe80::1]:11434",
    "[fe80::1]": "http://[fe80::1]:11434",
    "http://nas": "http://nas",
    "http://nas:80/": "http://nas:80",
    "https://nas.example": "https://nas.example",
    "HTTP://NAS:11434/": "http://nas:11434",
    "  http://localhost:11434  ": "http://localhost:11434",
    "ollama_1": "http://ollama_1:11434",
    "192.168.1.5": "http://192.168.1.5:11434",
}


@pytest.mark.parametrize(("written", "called"), ADDRESSES.items())
def test_an_address_becomes_scheme_host_and_port(written, called):
    assert normalise(written) == called


HINTS = {
    "http://localhost:11434/api": 'leave out "/api", the path is added by dropscribe',
    "http://localhost:11434/v1/": 'leave out "/v1/", the path is added by dropscribe',
    "nas/api/chat": 'leave out "/api/chat", the path is added by dropscribe',
    "http://nas?x=1": 'leave out "?x=1", the path is added by dropscribe',
    "http://ada:secret@nas": "leave out the user and the password",
    "ada@nas": "leave out the user and the password",
    "ftp://nas": "the scheme is http or https",
    "nas:0": "ports go from 1 to 65535",
    "nas:99999": "",
    "nas:port": "",
    "http://": "",
    "": "",
    "a b": "",
    "na\ts": "",
    "-nas": "",
    "http://[::1": "",
    5: "",
    None: "",
}


@pytest.mark.parametrize(("written", "hint"), HINTS.items())
def test_what_is_no_address_of_a_host_is_refused_with_a_hint(written, hint):
    with pytest.raises(Unfit) as unfit:
        normalise(written)
    assert unfit.value.hint == hint
    assert "secret" not in unfit.value.sentence(written)


@given(st.text() | st.text("htps:/[]@.0123456789abc%?#", max_size=30))
def test_any_text_is_an_address_that_stays_what_it_is_or_is_refused(text):
    try:
        url = normalise(text)
    except Unfit:
        return
    assert normalise(url) == url
    assert url.startswith(("http://", "https://"))


def test_one_server_is_known_under_its_three_names():
    same = ["http://localhost:80", "http://127.0.0.1", "http://[::1]:80"]
    assert len({identity(url) for url in same}) == 1
    assert len({identity(url) for url in ("http://a", "https://a", "http://a:81", "http://b")}) == 4


def test_only_http_without_a_port_is_suspected_of_meaning_another():
    written = ["http://nas", "http://nas:80", "https://nas", "nas"]
    assert [leaves_out_port(normalise(text)) for text in written] == [True, False, False, False]
