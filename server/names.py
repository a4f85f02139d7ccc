"""Derive from a name the key that must be unique and the key that sorts (C3, O1)."""

import unicodedata


def name_key(name: str) -> str:
    r"""Return what two names share when people take them for the same (C3).

    NFKC and casefolded: `name_key("OFFICE \u2460") == name_key("Office 1") == "office 1"`.
    Casefolding can undo the normal form, so it is made twice.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def sort_name(name: str) -> str:
    """Return what orders names alphabetically, regardless of case and accents (O1).

    NFKD, marks removed, casefolded: `sort_name("Éclair") == "eclair"`. Compared by code point
    (collate "C"), so that every database agrees.
    """
    decomposed = unicodedata.normalize("NFKD", name)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return bare.casefold()
