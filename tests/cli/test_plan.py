"""`callhopper plan`: the worked example to the second, what options mean, what is refused."""

import json
import shlex

import pytest

EXAMPLE = shlex.split(
    'plan --phone +12025550100 --additional "Office=+12025550101"'
    ' --additional "Holiday Home=+12025550102" --type "Office:1" --type "Holiday Home:2"'
    " --max NO_ANSWER=3 --retry NO_ANSWER=2m --additional-delay 1m --global-max 4"
    " --assume NO_ANSWER --start 2026-01-05T09:00:00Z --json"
)
P, O, H = "+12025550100", "+12025550101", "+12025550102"  # noqa: E741 - as in R8
ONE = ("plan", "--phone", P, "--start", "2026-01-05T09:00:00Z", "--json")


def expected_example():
    minutes = ((0, 1, 2), (4, 5, 6), (8, 9, 10))
    calls: list[dict[str, object]] = []
    for cycle, starts in enumerate(minutes, start=1):
        for position, minute in enumerate(starts):
            rule = "NEXT_NUMBER"
            if position == 0:
                rule = "FIRST_CALL" if cycle == 1 else "NEXT_CYCLE"
            calls.append(
                {
                    "at": f"2026-01-05T09:{minute:02}:00Z",
                    "number": (P, O, H)[position],
                    "item_type": (None, "Office", "Holiday Home")[position],
                    "cycle": cycle,
                    "position": position,
                    "attempt": len(calls) + 1,
                    "status": "NO_ANSWER",
                    "rule": rule,
                }
            )
    closed = {
        "at": "2026-01-05T09:10:00Z",
        "reason": "RETRY_LIMIT",
        "last_number": H,
        "last_item_type": "Holiday Home",
        "attempts": 9,
        "cycles": 3,
    }
    return {"calls": calls, "closed": closed}


def times(plan):
    return [(call["at"][11:-1], call["number"][-1], call["status"]) for call in plan["calls"]]


def test_the_worked_example_holds_to_the_second(ask):
    assert ask(*EXAMPLE).json == expected_example()


def test_without_a_server_the_same_line_plans_on_a_temporary_one(start, tmp_path):
    together = [start(*EXAMPLE, TMPDIR=str(tmp_path)) for _ in range(2)]
    for process in together:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out) == expected_example()
        assert len(err.splitlines()) == 1
        assert "temporary" in err
    assert not list(tmp_path.iterdir())


def test_without_json_a_table_shows_the_offsets(ask):
    shown = ask(*EXAMPLE[:-1])
    assert shown.code == 0
    for offset in ("0:00", "1:00", "6:00", "10:00"):
        assert f"│ {offset} " in shown.out
    assert "closed after 10:00" in shown.out
    assert "RETRY_LIMIT" in shown.out


def test_a_named_server_that_does_not_answer_is_not_replaced(start):
    process = start(*ONE, CALLHOPPER_ADDRESS="localhost:1")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, "")
    assert "localhost:1" in err


def test_a_type_is_split_at_its_last_colon_and_an_additional_phone_at_its_last_equals(ask):
    plan = ask(
        *ONE, "--additional", f"A=B: C={O}", "--type", "A=B: C:7", "--max-calls", 2
    ).json  # fmt: skip
    assert plan["calls"][1]["item_type"] == "A=B: C"
    assert plan["calls"][1]["number"] == O
    assert plan["closed"] is None


def test_an_additional_phone_without_a_type_is_untyped_and_comes_last(ask):
    plan = ask(*ONE, "--additional", O, "--additional", f"Office={H}", "--type", "Office:9").json
    first = plan["calls"][:3]
    assert [(call["number"], call["item_type"]) for call in first] == [
        (P, None),
        (H, "Office"),
        (O, None),
    ]


def test_types_of_the_installation_need_not_be_named(run):
    assert run("type", "create", "Office", "--order", 1).code == 0
    plan = run(*ONE, "--additional", f"OFFICE={O}").json
    assert plan["calls"][1]["item_type"] == "Office"


def test_a_sequence_is_used_call_by_call_and_its_last_outcome_repeats(ask):
    plan = ask(
        *(*ONE, "--additional", O, "--max", "BUSY=2", "--global-max", 3),
        *("--retry", "BUSY=10m", "--retry", "NO_ANSWER=5m"),
        *("--assume", f"{O}=BUSY", "--assume", "no_answer,ANSWERED"),
    ).json
    assert times(plan) == [
        ("09:00:00", "0", "NO_ANSWER"),
        ("09:01:00", "1", "BUSY"),
        ("09:11:00", "0", "ANSWERED"),
    ]
    assert plan["closed"]["reason"] == "REACHED"


def test_same_number_calls_again_after_the_interval_of_the_status(ask):
    plan = ask(
        *(*ONE, "--additional", O, "--on-failure", "DROP=SAME_NUMBER", "--retry", "DROP=90s"),
        *("--max", "DROP=2", "--max", "NO_ANSWER=1", "--assume", f"{P}=DROP"),
    ).json
    assert times(plan) == [
        ("09:00:00", "0", "DROP"),
        ("09:01:30", "0", "DROP"),
        ("09:02:30", "1", "NO_ANSWER"),
    ]
    assert [call["rule"] for call in plan["calls"]][1] == "SAME_NUMBER"


@pytest.mark.parametrize(
    ("text", "second"),
    [("0s", "09:00:00"), ("90s", "09:01:30"), ("2m", "09:02:00"), ("1h30m", "10:30:00")],
)
def test_durations(ask, text, second):
    plan = ask(*ONE, "--retry", f"NO_ANSWER={text}", "--max-calls", 2).json
    assert plan["calls"][1]["at"][11:-1] == second


def test_statuses_without_an_option_have_their_defaults(ask):
    plan = ask(*ONE, "--max", "BUSY=9").json
    assert [call["at"][11:16] for call in plan["calls"]] == ["09:00", "11:30", "14:00"]


@pytest.mark.parametrize("options", [("--max", "NO_ANSWER=0"), ("--global-max", 0)])
def test_a_maximum_of_0_means_never_again_after_one_failure(ask, options):
    plan = ask(*ONE, *options).json
    assert len(plan["calls"]) == 1
    assert plan["closed"]["reason"] == "RETRY_LIMIT"


def test_a_plan_without_a_start_begins_now_and_writes_parts_of_a_second(ask):
    plan = ask("plan", "--phone", P, "--max-calls", 1, "--json").json
    assert plan["calls"][0]["at"].endswith("Z")


def test_a_stored_contact_is_planned_with_the_settings_of_a_campaign(run):
    run("list", "create", "L")
    run("contact", "create", "--list", "L", "--phone", P, "--additional", O)
    run(
        "campaign", "create", "C", "--list", "L", "--additional-delay", "5m", "--max", "NO_ANSWER=1"
    )
    words = ("plan", "--contact", "contacts/1", "--campaign", "C", "--json")
    plan = run(*words, "--start", "2036-01-05T09:00:00Z").json
    assert [call["number"] for call in plan["calls"]] == [P, O]
    # An option changes one setting and leaves the others of the campaign.
    changed = run(*words, "--max", "BUSY=1", "--start", "2036-01-05T09:00:00Z").json
    assert changed == plan


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--phone", "12"), "--phone is '12': it is too short"),
        (("plan", "--phone", "911"), "--phone is '911': it is an emergency number"),
        ((*ONE, "--additional", f"Home={O}"), f"--additional 'Home={O}' names no item type"),
        ((*ONE, "--additional", "Office=1", "--type", "Office:1"), "--additional 'Office=1'"),
        ((*ONE, "--additional", P), "which the contact has twice"),
        ((*ONE, "--additional", f"={O}"), "--additional"),
        ((*ONE, "--type", "Office"), "--type is 'Office'"),
        ((*ONE, "--type", "Office:x"), "--type is 'x'"),
        ((*ONE, "--type", "Office:0"), "--type 'Office:0' is 0"),
        ((*ONE, "--retry", "NO_ANSWER=2x"), "--retry is '2x'"),
        ((*ONE, "--retry", "NO_ANSWER=-2m"), "--retry is '-2m'"),
        ((*ONE, "--retry", "NO_ANSWER=2"), "--retry is '2'"),
        ((*ONE, "--retry", "NO_ANSWER="), "--retry is 'NO_ANSWER='"),
        ((*ONE, "--retry", "NOBODY=2m"), "--retry is 'NOBODY'"),
        ((*ONE, "--retry", "BUSY=1m", "--retry", "busy=2m"), "given already"),
        ((*ONE, "--additional-delay", "400d"), "--additional-delay is '400d'"),
        ((*ONE, "--max", "ANSWERED=1"), "--max is 'ANSWERED'"),
        ((*ONE, "--max", "BUSY=1001"), "--max BUSY is 1001"),
        ((*ONE, "--max", "BUSY=many"), "--max is 'many'"),
        ((*ONE, "--global-max", "-1"), "--global-max is '-1'"),
        ((*ONE, "--on-failure", "DROP=GIVE_UP"), "--on-failure is 'GIVE_UP'"),
        ((*ONE, "--assume", "NOT_DIALED"), "NOT_DIALED"),
        ((*ONE, "--assume", "BUSY,LATER"), "'LATER'"),
        ((*ONE, "--assume", ""), "--assume"),
        ((*ONE, "--assume", f"{P}="), "--assume"),
        ((*ONE, "--assume", "12=BUSY"), "--assume '12=BUSY'"),
        ((*ONE, "--assume", "BUSY", "--assume", "DROP"), "--assume"),
        ((*ONE, "--max-calls", "0"), "--max-calls"),
        ((*ONE, "--max-calls", "10001"), "--max-calls is 10001"),
        ((*ONE, "--campaign", "nothing"), "no campaign 'nothing'"),
        ((*ONE, "--campaign", "campaigns/9"), "campaigns/9 does not exist"),
        (("plan", "--phone", P, "--start", "tomorrow"), "--start is 'tomorrow'"),
        (("plan", "--phone", P, "--start", "2026-01-05T09:00:00"), "zone"),
        (("plan", "--contact", "contacts/9"), "contacts/9 does not exist"),
        (("plan", "--contact", "contacts/1", "--phone", P), "--contact"),
        (("plan",), "--phone"),
    ],
)
def test_bad_input_is_refused_in_one_line(ask, words, said):
    refused = ask(*words)
    assert refused.code in {1, 2}
    assert refused.out == ""
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1
