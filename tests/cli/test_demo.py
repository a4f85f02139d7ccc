"""`callhopper demo`, on a few contacts."""

import csv
import subprocess
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import phonenumbers
import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PHONES = ("phone", "Office", "Holiday Home", "Mobile", "additional_phone")


@pytest.fixture
def few(tmp_path):
    file = tmp_path / "few.csv"
    with (EXAMPLES / "contacts.csv").open() as source:
        file.write_text("".join(islice(source, 6)))
    return file


@pytest.fixture
def temporary(tmp_path):
    """Give an empty folder for what the demo makes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def workers_below(folder: Path) -> list[str]:
    """Return the command lines that name a folder."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if f"--log {folder}" in line]


@pytest.mark.slow
def test_the_demo_dials_the_worked_example_and_everything_adds_up(start, few, temporary):
    demo = start("demo", "--contacts", few, "--workers", 1, TMPDIR=str(temporary))
    out, err = demo.communicate(timeout=100)
    assert (demo.returncode, err) == (0, ""), out
    lines = [line for line in out.splitlines() if "+120255501" in line]
    assert [line.split("│")[2].strip()[-1] for line in lines] == list("012012012")
    assert "5 = 5 = 5" in out
    assert "WRONG" not in out
    assert not list(temporary.iterdir())


def test_a_demo_that_is_interrupted_leaves_nothing_behind(start, few, temporary):
    demo = start("demo", "--contacts", few, "--workers", 1, TMPDIR=str(temporary))
    until = time.monotonic() + 60
    while not workers_below(temporary):
        assert demo.poll() is None, demo.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    demo.send_signal(2)
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 130, err
    assert err.splitlines()[-1] == "error: interrupted"
    assert not workers_below(temporary)
    assert not list(temporary.iterdir())


def test_the_example_file_is_what_its_generator_writes(tmp_path):
    copy = tmp_path / "make_contacts.py"
    copy.write_text((EXAMPLES / copy.name).read_text())
    subprocess.run([sys.executable, copy], check=True)
    assert (tmp_path / "contacts.csv").read_bytes() == (EXAMPLES / "contacts.csv").read_bytes()


def test_the_example_file_has_only_numbers_that_nobody_has():
    with (EXAMPLES / "contacts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    contacts = [[row[column] for column in PHONES if row[column]] for row in rows]
    assert len(contacts) == 200
    assert set(Counter(len(numbers) - 1 for numbers in contacts)) == {0, 1, 2, 3, 4}
    numbers = [number for contact in contacts for number in contact]
    assert len(numbers) == len(set(numbers))
    for number in numbers:
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))
        assert number.startswith("+447700900") or number[5:10] == "55501"
