"""The commands that talk to a server, end to end."""

import csv
import json
import signal
import time

import pytest

CONTACTS = """\
phone,first_name,Office,additional_phone
+12025550100,Ada,+12025550101,
+12125550102,Bela,,+12125550103;+12125550104
not a number,Carla,,
+13105550105,Dmitri,,12
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(CONTACTS)
    return file


def test_a_list_is_imported_dialed_and_closed(run, start, address, file, tmp_path):
    assert run("type", "create", "Office", "--order", 1, "--colour", "#1F77B4").code == 0
    imported = run("import", file, "--list", "Spring", "--create", "--json")
    assert imported.code == 1  # a row was rejected
    summary = json.loads(imported.out)
    assert (summary["row_count"], summary["loaded_count"]) == (4, 3)
    assert (summary["rejected_count"], summary["additional_phone_count"]) == (1, 3)
    assert "line 4: rejected: phone 'not a number'" in imported.err
    assert "line 5: warning: additional_phone '12'" in imported.err

    retries = ("--retry", "NO_ANSWER=0s", "--additional-delay", "0s", "--max", "NO_ANSWER=2")
    made = run("campaign", "create", "Spring calls", "--list", "spring", *retries, "--json").json
    assert (made["state"], made["contact_lists"]) == ("DRAFT", ["contactLists/1"])
    assert run("campaign", "start", "spring calls").code == 0
    entries = run("hopper", "list", "--campaign", "Spring calls", "--json").json["entries"]
    assert [one["next_rule"] for one in entries] == ["FIRST_CALL"] * 3
    [phone] = run(
        *("hopper", "phones", "--campaign", "Spring calls", "--contact", "contacts/1", "--json")
    ).json["additional_phones"]
    assert phone["contact_item_type_display_name"] == "Office"
    assert (phone["dial_position"], phone["colour"], phone["state"]) == (1, "#1F77B4", "PENDING")

    log = tmp_path / "exchange.jsonl"
    worker = start(
        *("worker", "--simulate", "--time-scale", 0, "--log", log, "--campaign", "Spring calls"),
        *("--outcome", "+12025550101=ANSWERED", "--chance", "NO_ANSWER=1", "--json"),
        CALLHOPPER_ADDRESS=address,
    )
    until = time.monotonic() + 30
    while (stats := run("campaign", "stats", "Spring calls", "--json").json)["final_count"] < 3:
        assert time.monotonic() < until, stats
        assert worker.poll() is None, worker.communicate()
        time.sleep(0.1)
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=30)
    assert worker.returncode == 0, err
    assert json.loads(out)["dialed"] == stats["call_count"] == 2 + 2 * 3 + 2

    history = run("history", "--campaign", "Spring calls", "--json").json["calls"]
    assert len(history) == 10
    ended = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(one["attempt_id"], one["number"]) for one in history} == {
        (one["attempt"], one["number"]) for one in ended if one["event"] == "end"
    }
    finals = run("final", "--campaign", "Spring calls", "--json").json["entries"]
    assert {one["contact"]: (one["reason"], one["attempt_count"]) for one in finals} == {
        "contacts/1": ("REACHED", 2),
        "contacts/2": ("RETRY_LIMIT", 6),
        "contacts/3": ("RETRY_LIMIT", 2),
    }
    reached = run("final", "--campaign", "Spring calls", "--reason", "reached", "--json").json
    assert [one["last_number"] for one in reached["entries"]] == ["+12025550101"]
    for words in (("history",), ("final",), ("hopper", "list")):
        assert run(*words, "--campaign", "Spring calls").code == 0  # tables


def test_problems_of_an_import_go_to_a_file(run, file, tmp_path):
    run("type", "create", "Office", "--order", 1)
    rejects = tmp_path / "rejects.csv"
    words = ("import", file, "--list", "L", "--create", "--rejects", rejects)
    ended = run(*words, "--dry-run")
    assert ended.err == ""
    assert "3 contacts with 3 additional phones would be loaded" in ended.out
    with rejects.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["severity"], row["line"], row["column"], row["value"]) for row in rows] == [
        ("REJECTED", "4", "phone", "not a number"),
        ("WARNING", "5", "additional_phone", "12"),
    ]
    assert run("list", "get", "L", "--json").json["contact_count"] == 0


def test_an_import_that_cannot_begin_changes_nothing(run, file, tmp_path):
    assert run("import", file, "--list", "L").code == 1
    ended = run("import", tmp_path / "none.csv", "--list", "L", "--create")
    assert (ended.code, ended.out) == (2, "")
    assert "none.csv" in ended.err
    assert run("list", "list", "--json").json == {"contact_lists": []}


def test_item_types_are_made_changed_and_deleted(run):
    made = run("type", "create", "Office", "--order", 2, "--colour", "#1f77b4", "--json").json
    assert (made["display_name"], made["order_by"], made["colour"]) == ("Office", 2, "#1F77B4")
    assert made["create_time"].endswith("Z")
    run("type", "create", "Mobile", "--order", 1)
    changed = run("type", "update", "office", "--order", 1, "--name", "Desk", "--json").json
    assert changed["contact_item_type"]["display_name"] == "Desk"
    listed = run("type", "list", "--json").json["contact_item_types"]
    assert [one["display_name"] for one in listed] == ["Desk", "Mobile"]
    assert "Desk" in run("type", "list").out
    again = run("type", "create", "DESK", "--order", 1)
    assert (again.code, again.out) == (1, "")
    assert "RESOURCE_EXISTS" in again.err
    assert run("type", "delete", "Desk").code == 0
    assert "no item type 'Desk'" in run("type", "delete", "Desk").err


def test_contacts_are_made_found_changed_and_deleted(run):
    run("type", "create", "Office", "--order", 1)
    run("list", "create", "L", "--region", "GB")
    words = ("contact", "create", "--list", "l", "--first-name", "[bold]Ada")
    made = run(
        *(*words, "--phone", "020 7946 0000"),
        *("--additional", "+447700900001", "--additional", "Office=+12025550101", "--json"),
    ).json
    assert made["phone"] == "+442079460000"
    numbers = [(one["number"], one["dial_position"]) for one in made["additional_phones"]]
    assert numbers == [("+12025550101", 1), ("+447700900001", 2)]
    found = run("contact", "lookup", "07700 900001", "--region", "GB", "--json").json["contacts"]
    assert [one["name"] for one in found] == [made["name"]]
    assert "[bold]Ada" in run("contact", "lookup", "+12025550101").out
    changed = run("contact", "update", made["name"], "--no-additional", "--json").json
    assert changed["additional_phones"] == []
    refused = run(*words, "--phone", "+12025550102", "--additional", "Office=12")
    assert "--additional 'Office=12' is '12'" in refused.err.replace(".number", "")
    assert run("contact", "delete", made["name"]).code == 0
    gone = run("contact", "get", made["name"])
    assert (gone.code, gone.err) == (
        1,
        f"error: {made['name']} does not exist (RESOURCE_NOT_FOUND)\n",
    )


def test_campaigns_are_made_changed_paused_and_stopped(run):
    run("list", "create", "L")
    run("contact", "create", "--list", "L", "--phone", "+12025550100")
    run("campaign", "create", "C", "--max", "BUSY=7", "--on-failure", "DROP=same_number")
    changed = run("campaign", "update", "C", "--retry", "BUSY=90s", "--priority", 1, "--json").json
    rules = {one["status"]: one for one in changed["retry_settings"]["rules"]}
    assert (rules["BUSY"]["max_attempts"], rules["BUSY"]["retry_interval"]) == (7, "1m30s")
    assert rules["DROP"]["on_failure"] == "SAME_NUMBER"
    assert (changed["priority"], changed["settings_version"]) == (1, 2)
    assert run("campaign", "add-list", "C", "L", "--json").json["loaded_entry_count"] == 1
    assert run("campaign", "start", "C", "--json").json["state"] == "RUNNING"
    refused = run("campaign", "delete", "C")
    assert (refused.code, "WRONG_STATE" in refused.err) == (1, True)
    assert run("campaign", "pause", "C", "--json").json["state"] == "PAUSED"
    [entry] = run("hopper", "list", "--campaign", "C", "--json").json["entries"]
    assert run("hopper", "remove", entry["name"], "--json").json == {"closed": True}
    assert run("campaign", "remove-list", "C", "L", "--json").json["closed_entry_count"] == 0
    assert run("campaign", "stop", "C", "--json").json["campaign"]["state"] == "STOPPED"
    assert run("campaign", "list", "--json").json["campaigns"][0]["display_name"] == "C"
    assert run("campaign", "delete", "C").code == 0


def test_every_command_explains_itself(run):
    groups = ("campaign", "list", "contact", "type", "hopper")
    alone = ("serve", "migrate", "doctor", "demo", "plan", "import", "history", "final", "worker")
    for command in (*groups, *alone):
        shown = run(command, "--help")
        assert (shown.code, "Usage" in shown.out) == (0, True)
    assert "Exit codes" in run("--help").out


def test_a_command_line_that_cannot_be_understood_ends_with_2(run):
    assert run("worker").code == 2
    assert run("plan", "--bogus").code == 2
    assert run("nonsense").code == 2
