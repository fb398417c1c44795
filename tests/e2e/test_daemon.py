"""The real daemon, the real bell and a real server: trees of files before and after."""

import io
import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from dropscribe.ledger import Intent, Ledger
from tests.e2e.harness import Household, asked, assert_filed, drop, filed, number_in, tree, until
from tests.folders import pinned
from tests.standin import marks


def chats(server):
    return [request for request in server.received if request.path == "/api/chat"]


def test_two_hundred_scans_in_three_inboxes_are_each_read_once_with_their_own_prompt(server, household):
    home = household("letters", "bills", "photos")
    numbers = {"letters": range(1000, 1070), "bills": range(2000, 2065), "photos": range(3000, 3065)}
    with home:
        for name, wanted in numbers.items():
            for number in wanted:
                drop(home.inbox(name), number)
        until(
            lambda: all(
                len(list((home.inbox(n) / "done").glob("*.md"))) == len(w) for n, w in numbers.items()
            ),
            "all 200 filed",
        )
        assert home.terminate() == 0
    for name, wanted in numbers.items():
        assert_filed(home.inbox(name), wanted, f"Prompt of {name}")
        for request in chats(server):
            if request.mark in wanted:
                assert request.prompt.startswith(f"Prompt of {name}\n")
    assert sorted(asked(server)) == sorted(n for wanted in numbers.values() for n in wanted)


def test_what_lay_there_before_the_start_is_read_too(server, household):
    home = household()
    drop(home.inbox(), 5)
    with home:
        until((home.inbox() / "done" / "scan0005.md").exists, "filed")
        home.terminate()
    assert_filed(home.inbox(), [5], "Prompt of inbox")


def test_scans_of_one_stem_become_pairs_of_their_own(server, household):
    home = household()
    inbox, done = home.inbox(), home.inbox() / "done"
    with home:
        drop(inbox, 1, "a.png")
        until((done / "a.png").exists, "the first")
        drop(inbox, 2, "a.jpg")
        until((done / "a-2.jpg").exists, "the second")
        before = tree(done)
        drop(inbox, 3, "a.png")
        until((done / "a-3.png").exists, "the third")
        home.terminate()
    assert {name: data for name, data in tree(done).items() if name in before} == before
    assert sorted(tree(done)) == ["a-2.jpg", "a-2.md", "a-3.md", "a-3.png", "a.md", "a.png"]
    assert {n: number_in(scan) for n, (scan, _) in filed(inbox).items()} == {1: 1, 2: 2, 3: 3}


def test_a_scan_that_is_written_slowly_is_sent_once_and_whole_and_an_empty_one_waits(server, household):
    home = household(defaults={"settle": "1s", "rescan": "1s"})
    inbox = home.inbox()
    data = io.BytesIO()
    marks.draw(9, words="slow").save(data, "PNG")
    whole = data.getvalue()
    pieces = [whole[i : i + len(whole) // 25] for i in range(0, len(whole), len(whole) // 25)]
    gap = float(os.environ.get("DROPSCRIBE_WRITE_SECONDS", "5")) / len(pieces)
    with home:
        (inbox / "empty.png").touch()
        with (inbox / "slow.png").open("wb") as scan:
            for piece in pieces:
                scan.write(piece)
                scan.flush()
                threading.Event().wait(gap)
        until((inbox / "done" / "slow.md").exists, "filed")
        found = home.status()["inboxes"][0]
        home.terminate()
    assert asked(server) == [9]
    assert (inbox / "done" / "slow.png").read_bytes() == whole
    assert (inbox / "empty.png").stat().st_size == 0
    assert [(scan["name"], scan["state"]) for scan in found["scans"]] == [("empty.png", "arriving")]
    assert "empty" in found["scans"][0]["reason"]


def test_an_outage_fails_nothing_and_status_says_what_is_waited_for(server, household):
    home = household()
    server.token_seconds = 0.01
    away = float(os.environ.get("DROPSCRIBE_OUTAGE_SECONDS", "4"))
    with home:
        for number in range(40):
            drop(home.inbox(), number)
        server.wait_for(lambda got: len([r for r in got if r.outcome and r.path == "/api/chat"]) >= 5, 60)
        server.down()
        until(lambda: any(host["reason"] for host in home.status()["hosts"]), "status says why")
        found = home.status()
        threading.Event().wait(away)
        server.up()
        until(lambda: len(list((home.inbox() / "done").glob("*.md"))) == 40, "all filed", 400)
        home.terminate()
    (host,) = found["hosts"]
    assert host["state"] == "resting"
    assert server.url in host["reason"]
    assert found["inboxes"][0]["counts"]["waiting"] > 0
    assert_filed(home.inbox(), range(40), "Prompt of inbox")
    again = [number for number in set(asked(server)) if asked(server).count(number) > 1]
    assert len(again) <= 1


def test_sigterm_in_the_middle_of_an_answer_loses_nothing(server, household):
    home = household()
    with home:
        server.script("silence_mid")
        drop(home.inbox(), 8)
        server.wait_for(lambda got: any(r.path == "/api/chat" for r in got), 30)
        assert home.terminate(timeout=5) == 0
    assert sorted(tree(home.inbox())) == ["scan0008.png"]
    with home:
        until((home.inbox() / "done" / "scan0008.md").exists, "filed after the restart")
        home.terminate()
    assert_filed(home.inbox(), [8], "Prompt of inbox")


def test_hidden_leftovers_of_a_killed_daemon_are_gone_after_the_next_start(server, household):
    home = household()
    (home.inbox() / "done").mkdir()
    leftover = ".dropscribe-0123456789ab.part"
    (home.inbox() / leftover).touch()
    (home.inbox() / "done" / leftover).touch()
    with home:
        drop(home.inbox(), 1)
        until((home.inbox() / "done" / "scan0001.md").exists, "filed")
        home.terminate()
    assert_filed(home.inbox(), [1], "Prompt of inbox")


def test_a_second_signal_leaves_at_once(server, household):
    home = household()
    with home:
        until(lambda: "started" in home.said(), "started")
        os.kill(home.process.pid, signal.SIGSTOP)  # so that both arrive before it can end by itself
        os.kill(home.process.pid, signal.SIGINT)
        os.kill(home.process.pid, signal.SIGTERM)
        os.kill(home.process.pid, signal.SIGCONT)
        assert home.process.wait(10) in {0, 128 + signal.SIGINT, 128 + signal.SIGTERM}


def test_a_second_daemon_is_refused_for_the_state_folder_and_for_the_inbox(server, household, tmp_path):
    home = household()
    with home:
        until(lambda: "started" in home.said(), "started")
        code, _, err = home.run("run")
        assert code == 1
        assert "another dropscribe" in err
        assert "state folder" in err
        other = tmp_path / "other.yaml"
        other.write_text(home.config.read_text().replace("/state", "/state2"))
        home.config, config = other, home.config
        code, _, err = home.run("run")
        home.config = config
        assert code == 1
        assert f"the inbox inbox ({home.inbox()})" in err
        assert "another state folder" in err
        assert "dropscribe status" not in err  # which asks in the wrong folder
        if Path("/proc/locks").exists():
            assert f"(process {home.process.pid})" in err
        home.terminate()


def test_recursive_inboxes_mirror_their_folders(server, household):
    home = household(defaults={"recursive": True, "settle": "200ms", "rescan": "1s"})
    inbox = home.inbox()
    with home:
        (inbox / "2026" / "may").mkdir(parents=True)
        drop(inbox / "2026" / "may", 4)
        drop(inbox, 5)
        until((inbox / "done" / "2026" / "may" / "scan0004.md").exists, "the nested one")
        until((inbox / "done" / "scan0005.md").exists, "the other one")
        home.terminate()
    assert number_in(inbox / "done" / "2026" / "may" / "scan0004.png") == 4
    assert sorted(asked(server)) == [4, 5]


def test_bad_scans_go_to_failed_with_a_reason_and_hold_up_nobody(server, household):
    home = household(defaults={"settle": "200ms", "rescan": "1s", "give_up_arriving": "10s"})
    inbox = home.inbox()
    (inbox / "text.jpg").write_text("I am no picture, whatever my name says.")
    data = io.BytesIO()
    marks.draw(6).save(data, "PNG")
    (inbox / "cut.png").write_bytes(data.getvalue()[:-200])
    (inbox / "document.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n%%EOF\n")
    (inbox / "empty.png").touch()
    with home:
        drop(inbox, 7)
        until((inbox / "done" / "scan0007.md").exists, "the good one")
        until(lambda: len(list((inbox / "failed").iterdir())) == 8, "all bad ones")
        found = home.status()["inboxes"][0]
        home.terminate()
    failed = tree(inbox / "failed")
    bad = ("cut.png", "document.pdf", "empty.png", "text.jpg")
    assert set(failed) == {name + ending for name in bad for ending in ("", ".reason.txt")}
    assert b"ends early" in failed["cut.png.reason.txt"]
    assert b"not a picture" in failed["text.jpg.reason.txt"]
    assert b"This PDF is damaged" in failed["document.pdf.reason.txt"]
    assert b"The file is empty" in failed["empty.png.reason.txt"]
    assert found["scans"] == []
    assert asked(server) == [7]


def test_a_link_fails_as_the_link_that_it_is_and_a_pipe_stays(server, household, tmp_path):
    home = household()
    inbox = home.inbox()
    kept = drop(tmp_path, 5, "private.png")
    before = kept.read_bytes()
    (inbox / "link.png").symlink_to(kept)
    (inbox / "dangling.pdf").symlink_to(tmp_path / "nothing")
    os.mkfifo(inbox / "pipe.png")
    with home:
        drop(inbox, 1)
        until((inbox / "done" / "scan0001.md").exists, "the good one")
        until(lambda: len(list((inbox / "failed").iterdir())) == 4, "both links")
        found = home.status()["inboxes"][0]
        home.terminate()
    for name, leads_to in (("link.png", kept), ("dangling.pdf", tmp_path / "nothing")):
        assert (inbox / "failed" / name).readlink() == leads_to
        assert "links are not read" in (inbox / "failed" / f"{name}.reason.txt").read_text()
    assert kept.read_bytes() == before
    assert [(s["name"], s["state"]) for s in found["scans"]] == [("pipe.png", "refused")]
    assert asked(server) == [1]


def test_a_bad_answer_is_asked_again_by_another_recipe_then_the_scan_fails_with_it(server, household):
    home = household(defaults={"settle": "200ms", "rescan": "1s", "tries": 3})
    inbox = home.inbox()
    server.script("loop", mark=1, times=1)
    server.script("refusal", mark=2, times=None)
    with home:
        drop(inbox, 1)
        drop(inbox, 2)
        until((inbox / "done" / "scan0001.md").exists, "the one that looped once")
        until((inbox / "failed" / "scan0002.png").exists, "the one that is always refused")
        home.terminate()
    assert asked(server).count(1) == 2
    assert asked(server).count(2) == 3
    options = [str(sorted(request.options.items())) for request in chats(server) if request.mark == 2]
    assert len(set(options)) == 3
    reason = (inbox / "failed" / "scan0002.png.reason.txt").read_text()
    assert "3. qwen3.5:4b" in reason
    assert "> " in reason


def test_a_scan_that_kills_every_runner_fails_and_the_others_are_read(server, household):
    home = household(defaults={"settle": "200ms", "rescan": "1s", "tries": 2})
    inbox = home.inbox()
    server.script("eof_500", mark=3, times=None)
    with home:
        for number in (3, 4, 5):
            drop(inbox, number)
        until((inbox / "failed" / "scan0003.png").exists, "the poisonous one", 120)
        until(lambda: len(list((inbox / "done").glob("*.md"))) == 2, "the others")
        home.terminate()
    assert set(filed(inbox)) == {4, 5}


def test_a_missing_model_parks_the_inbox_and_status_names_the_fix(server, household):
    model = server.models.pop("qwen3.5:4b")
    home = household()
    with home:
        drop(home.inbox(), 2)
        until(lambda: home.status()["inboxes"][0]["parked"], "parked")
        found = home.status()["inboxes"][0]
        home.terminate()
    assert "not installed" in found["parked"]
    assert "ollama pull qwen3.5:4b" in found["fix"]
    assert sorted(tree(home.inbox())) == ["scan0002.png"]
    server.models["qwen3.5:4b"] = model
    with home:
        until((home.inbox() / "done" / "scan0002.md").exists, "filed after the pull")
        home.terminate()
    assert_filed(home.inbox(), [2], "Prompt of inbox")


def test_once_reads_what_is_there_and_its_exit_code_tells_whether_all_was_read(server, household):
    home = household()
    for number in (1, 2, 3):
        drop(home.inbox(), number)
    code, out, _ = home.run("once")
    assert code == 0
    assert out.splitlines()[1].split() == ["inbox", "3", "0", "0"]
    assert_filed(home.inbox(), [1, 2, 3], "Prompt of inbox")
    (home.inbox() / "bad.png").write_bytes(b"no picture at all, by any means")
    code, out, _ = home.run("once")
    assert code == 1
    assert out.splitlines()[1].split() == ["inbox", "0", "1", "0"]


def test_once_is_content_with_files_that_are_no_scans_and_not_with_scans_that_are_left(server, household):
    home = household()
    (home.inbox() / "notes.docx").write_bytes(b"no scan")
    (home.inbox() / "2026").mkdir()
    drop(home.inbox() / "2026", 1)
    code, out, _ = home.run("once")
    assert code == 0
    assert "inbox: 1 folder is not looked into (2026); set recursive: true" in out
    os.mkfifo(home.inbox() / "pipe.png")
    code, out, _ = home.run("once")
    assert code == 1
    assert out.splitlines()[1].split() == ["inbox", "0", "0", "1"]
    assert "inbox/pipe.png is refused: it is a pipe" in out


def test_once_does_not_wait_for_a_server_that_is_away(server, household):
    home = household()
    drop(home.inbox(), 1)
    server.down()
    code, out, _ = home.run("once")
    assert code == 1
    assert "refuses connections" in out
    assert sorted(tree(home.inbox())) == ["scan0001.png"]


def test_once_does_not_wait_for_a_server_that_answers_and_cannot_read(server, household):
    home = household()
    drop(home.inbox(), 1)
    server.script("out_of_memory", times=None)
    code, out, _ = home.run("once")
    assert code == 1
    assert "too little memory" in out
    assert sorted(tree(home.inbox())) == ["scan0001.png"]
    assert len(chats(server)) == 4


def test_a_scan_that_cannot_be_moved_waits_with_its_reason_and_the_others_are_read(server, household):
    home = household(defaults={"settle": "200ms", "rescan": "1s", "recursive": True})
    inbox = home.inbox()
    (inbox / "closed").mkdir()
    drop(inbox / "closed", 9)
    with pinned(inbox / "closed"), home:
        until(lambda: home.status()["inboxes"][0]["counts"]["kept_back"] == 1, "kept back")
        drop(inbox, 1)
        until((inbox / "done" / "scan0001.md").exists, "the other one")
        found = home.status()["inboxes"][0]
        home.terminate()
        code, _, _ = home.run("once")
    assert code == 1
    (scan,) = found["scans"]
    assert (found["parked"], scan["name"], scan["state"]) == ("", "closed/scan0009.png", "waiting")
    assert "cannot be moved" in scan["reason"]
    assert "right to write" in scan["fix"]
    assert sorted(tree(inbox)) == ["closed/scan0009.png", "done/scan0001.md", "done/scan0001.png"]
    assert asked(server) == [1]


def test_folders_outside_the_inbox_are_not_made_where_their_share_is_not_mounted(server, household, tmp_path):
    done, failed = str(tmp_path / "share" / "done"), str(tmp_path / "failed")
    output = {"folder": "deep/in/the/inbox"}
    home = household(defaults={"settle": "200ms", "done": done, "failed": failed, "output": output})
    drop(home.inbox(), 1)
    with home:
        until(lambda: home.status()["inboxes"][0]["parked"], "parked")
        found = home.status()["inboxes"][0]
        assert not (tmp_path / "share").exists()
        assert asked(server) == []
        (tmp_path / "share" / "done").mkdir(parents=True)
        until((tmp_path / "share" / "done" / "scan0001.png").exists, "filed")
        home.terminate()
    assert "share/done: it does not exist" in found["parked"]
    assert "mount the share" in found["fix"]
    assert (tmp_path / "failed").is_dir()
    assert (home.inbox() / "deep" / "in" / "the" / "inbox" / "scan0001.md").exists()


@pytest.mark.parametrize("instead", ["nothing", "an empty folder"])
def test_a_share_that_is_not_mounted_at_the_start_stops_nobody_and_nothing_is_made_in_its_place(
    server, household, instead
):
    home = household("share", "local")
    share, elsewhere = home.inbox("share"), home.root / "server"
    drop(share, 1)
    with home:
        until((share / "done" / "scan0001.md").exists, "the first")
        home.terminate()
    share.rename(elsewhere)
    if instead == "an empty folder":
        share.mkdir()
    drop(elsewhere, 2)
    drop(home.inbox("local"), 3)
    with home:
        until((home.inbox("local") / "done" / "scan0003.md").exists, "the other inbox's")
        found = next(each for each in home.status()["inboxes"] if each["name"] == "share")
        assert not list(home.root.glob("scans/share/*"))
        if instead == "an empty folder":
            share.rmdir()
        elsewhere.rename(share)
        until((share / "done" / "scan0002.md").exists, "what had come meanwhile")
        home.terminate()
    assert "it does not exist" in found["parked"]
    assert "mount the share" in found["fix"]
    assert sorted(asked(server)) == [1, 2, 3]


def test_an_inbox_that_was_away_is_left_to_another_daemon_that_took_it_first(server, household, tmp_path):
    home = household()
    drop(home.inbox(), 1)
    with home:
        until((home.inbox() / "done" / "scan0001.md").exists, "the first")
        home.terminate()
    home.inbox().rename(home.root / "archive")
    home.inbox().mkdir()
    code, out, _ = home.run("once")
    assert code == 1
    assert "inbox is parked" in out
    other = Household(tmp_path / "other", server.url, each={"inbox": {"path": str(home.inbox())}})
    with home:
        until(lambda: home.status()["inboxes"][0]["parked"], "parked")
        with other:  # to whom it is new
            until((home.inbox() / "done").is_dir, "the other daemon has begun")
            until(
                lambda: "another dropscribe" in home.status()["inboxes"][0]["parked"],
                "the first one says why",
            )
            drop(home.inbox(), 2)
            until((home.inbox() / "done" / "scan0002.md").exists, "the next")
            other.terminate()
        drop(home.inbox(), 3)
        until((home.inbox() / "done" / "scan0003.md").exists, "what comes when the other one has ended")
        home.terminate()
    assert_filed(home.inbox(), [2, 3], "Prompt of inbox")
    assert sorted(asked(server)) == [1, 2, 3]


def test_an_inbox_that_was_emptied_for_good_is_begun_anew_by_its_next_scan(server, household):
    home = household()
    drop(home.inbox(), 1)
    with home:
        until((home.inbox() / "done" / "scan0001.md").exists, "the first")
        home.terminate()
    home.inbox().rename(home.root / "archive")
    home.inbox().mkdir()
    with home:
        until(lambda: home.status()["inboxes"][0]["parked"], "parked")
        drop(home.inbox(), 2)
        until((home.inbox() / "done" / "scan0002.md").exists, "the next")
        home.terminate()
    assert_filed(home.inbox(), [2], "Prompt of inbox")


def test_an_inbox_that_never_was_there_is_a_mistake_and_one_without_a_scan_so_far_is_not(server, household):
    home = household("here", "nowhere")
    home.inbox("nowhere").rename(home.root / "share")
    code, out, err = home.run("run")
    assert (code, out) == (2, "")
    assert "scans/nowhere" in err
    assert "make it, or set create: true" in err
    (home.root / "share").rename(home.inbox("nowhere"))
    with home:
        until(lambda: home.status()["pid"], "a daemon")
        home.terminate()
    home.inbox("nowhere").rename(home.root / "share")
    drop(home.inbox("here"), 1)
    with home:
        until((home.inbox("here") / "done" / "scan0001.md").exists, "the other inbox's")
        home.terminate()


def test_an_intent_whose_folder_is_gone_does_not_keep_the_daemon_from_starting(server, household):
    home = household()
    (home.root / "state").mkdir(mode=0o700)
    ledger = Ledger(home.root / "state" / "ledger.db")
    lost = ledger.open_scan("inbox", "lost.png", "abc", 3, at=1.0)
    ledger.intend(lost.id, Intent("done", "/nowhere/at/all", "lost.png", "", ()))
    ledger.close()
    drop(home.inbox(), 1)
    with home:
        until((home.inbox() / "done" / "scan0001.md").exists, "filed")
        home.terminate()
    assert home.said().count("inbox/lost.png") == 1
    assert "/nowhere/at/all" in home.said()


def test_a_ledger_that_is_damaged_under_the_daemon_is_begun_anew_and_no_scan_is_lost(server, household):
    home = household()
    done = home.inbox() / "done"
    with home:
        drop(home.inbox(), 1)
        until((done / "scan0001.md").exists, "the first")
        with sqlite3.connect(home.root / "state" / "ledger.db", timeout=30) as other:
            other.execute("DROP TABLE page")
        other.close()
        drop(home.inbox(), 2)
        until((done / "scan0002.md").exists, "the one after")
        drop(home.inbox(), 3)
        until((done / "scan0003.md").exists, "and one more")
        assert home.status()["inboxes"][0]["counts"]["waiting"] == 0
        assert home.terminate() == 0
    assert_filed(home.inbox(), [1, 2, 3], "Prompt of inbox")
    assert home.said().count("began a new ledger") == 1
    assert "Traceback" not in home.said()


def test_try_prints_the_text_and_changes_nothing(server, household, tmp_path):
    home = household("letters", "bills")
    scan = drop(tmp_path, 77)
    before = tree(home.inbox("bills"))
    code, out, _ = home.run("try", str(scan), "--inbox", "bills")
    assert code == 0
    assert out.splitlines()[:2] == ["scan 77", "Prompt of bills"]
    assert tree(home.inbox("bills")) == before
    (tmp_path / "letter.png").write_text("no picture")
    code, _, err = home.run("try", str(tmp_path / "letter.png"))
    assert code == 1
    assert err.startswith(f"{tmp_path / 'letter.png'}: ")
    assert not (tmp_path / "state").exists()


def test_the_first_line_of_run_says_what_the_daemon_works_with(server, household):
    home = household("letters", "bills")
    with home:
        until(lambda: "started" in home.said(), "started")
        home.terminate()
    first = home.said().splitlines()[0]
    assert f"config  config={home.config}" in first
    assert (
        f"letters ({home.inbox('letters')}, qwen3.5:4b); bills ({home.inbox('bills')}, qwen3.5:4b)" in first
    )
    assert f"hosts={server.url}" in first


def test_status_without_a_daemon_looks_for_itself(server, household):
    home = household()
    drop(home.inbox(), 1)
    found = home.status()
    assert found["pid"] == 0
    assert found["inboxes"][0]["counts"]["arriving"] == 1
    code, out, _ = home.run("status")
    assert code == 0
    assert "no daemon runs" in out
