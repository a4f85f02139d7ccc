# ruff: noqa: INP001 - a script beside its result, not a package
"""Write contacts.csv: 200 contacts whose numbers nobody has.

`python docs/examples/make_contacts.py` writes the same file every time. Numbers come only from
ranges reserved for fiction: +1 <area> 555 0100 to 0199, and +44 7700 900000 to 900999 (Ofcom).
The first contact is the worked example of the documentation: nobody ever answers there.
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

CONTACTS = 200
AREAS = (
    *(202, 205, 206, 207, 208, 210, 212, 213, 214, 215, 216, 217, 218, 239, 240, 301, 302, 303),
    *(304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 319, 401, 402, 404, 405, 406),
)
FIRST_NAMES = (
    *("Ada", "Bela", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas"),
    *("Kofi", "Lena", "Mika", "Nora", "Omar", "Paula", "Quinn", "Rosa", "Sven", "Tove"),
)
LAST_NAMES = (
    *("Abbott", "Brandt", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen"),
    *("Ito", "Jansen", "Kaya", "Lopez", "Moreau", "Novak", "Okafor", "Petrov"),
)
COMPANIES = ("", "Example Ltd", "Sample & Sons", "Placeholder GmbH", "Specimen Inc.")
COLUMNS = (
    *("phone", "first_name", "last_name", "email", "company", "priority"),
    *("Office", "Holiday Home", "Mobile", "additional_phone"),
)


def american() -> Iterator[str]:
    """Give fictional numbers of many area codes, each once."""
    for line in range(100):
        for area in AREAS:
            yield f"+1{area}55501{line:02}"


def british() -> Iterator[str]:
    """Give fictional mobile numbers, each once."""
    for line in range(1000):
        yield f"+447700900{line:03}"


def rows() -> Iterator[dict[str, str]]:
    """Give the contacts."""
    draw = random.Random(2026)  # noqa: S311 - an example, not a secret
    home = (number for number in american() if not number.startswith("+1202555010"))
    abroad = british()
    example = {"first_name": "Robin", "last_name": "Example", "priority": "1"}
    numbers = {"Office": "+12025550101", "Holiday Home": "+12025550102"}
    yield {"phone": "+12025550100", **example, **numbers}
    for place in range(1, CONTACTS):
        first, last = draw.choice(FIRST_NAMES), draw.choice(LAST_NAMES)
        row = {
            "phone": next(home),
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}.{place}@example.com".lower(),
            "company": draw.choice(COMPANIES),
            "priority": draw.choice(("", "", "", "1", "3")),
        }
        kinds = draw.sample(COLUMNS[6:], k=draw.choice((0, 1, 1, 2, 2, 3, 4)))
        for kind in kinds:
            row[kind] = next(abroad if kind == "Mobile" else home)
        yield row


if __name__ == "__main__":
    target = Path(__file__).with_name("contacts.csv")
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows())
