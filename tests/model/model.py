"""A second reading of the rules (docs/rules.md), to hold the SQL against.

Pure Python, written from the rules and not from the SQL. Nothing that can be derived is stored: an
entry remembers its calls, and its tallies, its cycle and its next call all follow from them. Times
are whole seconds since the beginning of a run. Keys (of contacts, campaigns, types) are those that
the database gave.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

FAILURES: Final = (
    "NO_ANSWER",
    "BUSY",
    "CONGESTION",
    "NO_SUCH_NUMBER",
    "DROP",
    "ABANDONED",
    "MACHINE",
    "AGENT_REJECT",
)
PICKED_UP: Final = ("ANSWERED", "DROP", "ABANDONED", "MACHINE")
"""Outcomes of calls that somebody, or something, answered."""
BUSY_DELAY: Final = 30
NOT_DIALED_DELAY: Final = 10

Key = tuple[int, int]
"""Campaign and contact: what names an open entry."""


@dataclass(frozen=True)
class Rule:
    """What a campaign says about one status (R1, R7)."""

    max_attempts: int = 3
    retry_interval: int = 150 * 60
    same_number: bool = False


@dataclass(frozen=True)
class Settings:
    """Retry settings of a campaign (R1)."""

    global_max_attempts: int = 4
    additional_phone_delay: int = 60
    rules: dict[str, Rule] = field(default_factory=dict)

    def rule(self, status: str) -> Rule:
        """Return what holds after a call with this status. UNKNOWN waits as NO_ANSWER does (D3)."""
        if status == "UNKNOWN":
            return Rule(retry_interval=self.rule("NO_ANSWER").retry_interval)
        return self.rules.get(status, Rule())


@dataclass(frozen=True)
class ItemType:
    """A kind of additional phone (C3)."""

    name: str
    order_by: int


@dataclass(frozen=True)
class Phone:
    """A number of a contact, E.164, and the key of its type."""

    number: str
    type_id: int | None = None


@dataclass
class Contact:
    """Somebody to call (C1); the first phone is the primary."""

    contact_id: int
    list_id: int
    phones: list[Phone]
    priority: int = 2
    earliest: int | None = None
    person_key: str = ""
    is_deleted: bool = False

    @property
    def person(self) -> str:
        """Name the human (C1): the person_key, else the contact itself."""
        return f"key {self.person_key}" if self.person_key else f"contact {self.contact_id}"


@dataclass
class Campaign:
    """A campaign (E1)."""

    campaign_id: int
    priority: int
    settings: Settings
    version: int = 1
    state: str = "DRAFT"
    end: int | None = None
    originate_timeout: int = 30
    quarantine: int = 150
    max_talk: int = 7200
    check_duplicate: str = "ALWAYS"
    duplicate_scope: str = "ANY_NUMBER"
    lists: set[int] = field(default_factory=set)
    loaded: int = 0


@dataclass(frozen=True)
class Numbered:
    """A number in its place of the dial order (O1)."""

    position: int
    number: str
    type_id: int | None
    type_name: str | None
    order_by: int | None


@dataclass
class Call:
    """An ended call: a row of history (R6)."""

    key: Key
    number: str
    type_name: str | None
    status: str
    counted_as: str
    """What the tallies took it for: a late report corrects the status only (D3)."""
    cycle: int
    position: int
    attempt_number: int
    rule: str
    version: int
    worker_id: str
    scheduled: int
    begun: int
    ended: int
    ring: int
    talk: int
    answered: int | None
    is_corrected: bool = False


@dataclass(frozen=True)
class Decision:
    """What comes next: a call, or the reason to close."""

    rule: str = ""
    due: int = 0
    cycle: int = 0
    place: Numbered | None = None
    close: str | None = None


@dataclass
class Attempt:
    """One live call (D2)."""

    key: Key
    person: str
    place: Numbered
    cycle: int
    attempt_number: int
    rule: str
    version: int
    worker_id: str
    scheduled: int
    lease_ends: int
    begun: int | None = None
    answered: int | None = None
    held_until: int | None = None
    past: "Call | str | None" = None
    """What became of it: its call, or why it was released."""

    @property
    def state(self) -> str:
        """Name the state: CLAIMED has not rung, DIALING may ring, UNKNOWN is held."""
        if self.held_until is not None:
            return "UNKNOWN"
        return "CLAIMED" if self.begun is None else "DIALING"


@dataclass
class Entry:
    """A contact that a campaign still wants to reach."""

    key: Key
    loaded: int
    due: int
    priority: int
    calls: list[Call] = field(default_factory=list)
    attempt: Attempt | None = None
    close_as: str | None = None
    deferred: int = 0
    """Not before, whatever is decided: busy elsewhere (D1), not dialed (D5), given back."""

    @property
    def state(self) -> str:
        """Name the state (D6)."""
        if self.attempt is None:
            return "READY"
        return "HELD" if self.attempt.state == "UNKNOWN" else "LIVE"

    @property
    def cycle(self) -> int:
        """Count the cycles: one more when the first call of the next one begins (R4)."""
        if self.attempt is not None and self.attempt.begun is not None:
            return self.attempt.cycle
        return self.calls[-1].cycle if self.calls else 1


@dataclass(frozen=True)
class Closed:
    """A closed entry (R6)."""

    key: Key
    reason: str
    calls: list[Call]
    loaded: int
    closed: int


def sort_name(name: str) -> str:
    """Return what orders type names: regardless of case and accents (O1)."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(one for one in letters if not unicodedata.combining(one)).casefold()


def dial_order(phones: Sequence[Phone], types: dict[int, ItemType]) -> list[Numbered]:
    """Order numbers: primary, typed by order_by and name, then untyped; else as entered (O1)."""
    typed = [phone for phone in phones[1:] if phone.type_id is not None]
    untyped = [phone for phone in phones[1:] if phone.type_id is None]

    def place(phone: Phone) -> tuple[int, str, str]:
        item_type = types[phone.type_id or 0]
        return item_type.order_by, sort_name(item_type.name), item_type.name

    ordered = [phones[0], *sorted(typed, key=place), *untyped]
    numbered = []
    for position, phone in enumerate(ordered):
        item_type = None if phone.type_id is None else types[phone.type_id]
        numbered.append(
            Numbered(
                position,
                phone.number,
                phone.type_id,
                item_type.name if item_type else None,
                item_type.order_by if item_type else None,
            )
        )
    return numbered


def tally(calls: Iterable[Call], number: str) -> Counter[str]:
    """Count the calls of one number by status (R2)."""
    return Counter(call.counted_as for call in calls if call.number == number)


def is_exhausted(calls: Iterable[Call], number: str, settings: Settings) -> bool:
    """Tell whether a number has used up a limit (R2). 0 and 1 both mean one failure (R1)."""
    failed = tally(calls, number)
    del failed["ANSWERED"]
    return any(
        failed[status] >= max(settings.rule(status).max_attempts, 1) for status in FAILURES
    ) or failed.total() >= max(settings.global_max_attempts, 1)


def next_call(
    settings: Settings, order: Sequence[Numbered], calls: Sequence[Call], cycle: int, ready: int
) -> Decision:
    """Decide (R3-R5, R7), from the present numbers and all calls of an entry.

    Args:
        settings: The campaign's.
        order: The contact's numbers in dial order.
        calls: The entry's, oldest first.
        cycle: The running one.
        ready: No call is made before.
    """
    left = [place for place in order if not is_exhausted(calls, place.number, settings)]
    if not left:
        return Decision(close="RETRY_LIMIT")
    if not calls:
        return Decision("FIRST_CALL", ready, cycle, left[0])
    last = calls[-1]
    rule = settings.rule(last.counted_as)
    after_interval = max(last.ended + rule.retry_interval, ready)
    if rule.same_number:
        for place in left:
            if place.number == last.number:
                return Decision("SAME_NUMBER", after_interval, cycle, place)
    dialed = {call.number for call in calls if call.cycle == cycle}
    for place in left:
        if place.number not in dialed:
            due = max(last.ended + settings.additional_phone_delay, ready)
            return Decision("NEXT_NUMBER", due, cycle, place)
    return Decision("NEXT_CYCLE", after_interval, cycle + 1, left[0])


class Hopper:
    """The whole installation: what the database holds, and what every command does to it."""

    def __init__(self) -> None:
        self.now = 0
        self.types: dict[int, ItemType] = {}
        self.contacts: dict[int, Contact] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.entries: dict[Key, Entry] = {}
        self.finals: list[Closed] = []
        self.history: list[Call] = []
        self.evidence: list[tuple[str, str]] = []

    # ------------------------------------------------------------ what is next

    def order(self, contact_id: int) -> list[Numbered]:
        """Return a contact's numbers in the present dial order (O3)."""
        return dial_order(self.contacts[contact_id].phones, self.types)

    def ready(self, entry: Entry) -> int:
        """Say before when an entry is not called: its load, its contact's earliest call time."""
        return max(entry.loaded, self.contacts[entry.key[1]].earliest or 0)

    def decide(self, entry: Entry) -> Decision:
        """Decide with the settings and numbers of this moment (R10, R11)."""
        campaign_id, contact_id = entry.key
        settings = self.campaigns[campaign_id].settings
        return next_call(
            settings, self.order(contact_id), entry.calls, entry.cycle, self.ready(entry)
        )

    def number_state(self, entry: Entry, number: str) -> str:
        """Return what the view shows of one number (O2)."""
        attempt = entry.attempt
        if attempt and attempt.begun is not None and attempt.place.number == number:
            return "DIALING"
        if is_exhausted(entry.calls, number, self.campaigns[entry.key[0]].settings):
            return "EXHAUSTED"
        if any(call.number == number and call.cycle == entry.cycle for call in entry.calls):
            return "DIALED"
        return "PENDING"

    def dials(self, campaign: Campaign) -> bool:
        """Tell whether a campaign may claim and begin."""
        return campaign.state == "RUNNING" and (campaign.end is None or campaign.end > self.now)

    def attempts(self) -> list[Attempt]:
        """Return all live attempts."""
        return [entry.attempt for entry in self.entries.values() if entry.attempt]

    # ------------------------------------------------------------ loading and editing

    def load(self, campaign: Campaign, list_id: int, only: int | None = None) -> tuple[int, int]:
        """Load contacts of a list (E2); answer how many were loaded, and how many left out."""
        keys = [key for key in self.entries if key[0] == campaign.campaign_id]
        if campaign.check_duplicate == "ALWAYS":
            keys += [final.key for final in self.finals if final.key[0] == campaign.campaign_id]
        taken: set[str] = set()
        if campaign.check_duplicate != "NEVER":
            for _, contact_id in keys:
                taken |= self._compared(campaign, self.contacts[contact_id])
        loaded = duplicates = 0
        for contact in sorted(self.contacts.values(), key=lambda one: one.contact_id):
            key = (campaign.campaign_id, contact.contact_id)
            if (
                contact.list_id != list_id
                or contact.is_deleted
                or key in self.entries
                or (only is not None and contact.contact_id != only)
            ):
                continue
            numbers = self._compared(campaign, contact)
            if campaign.check_duplicate != "NEVER":
                if numbers & taken:
                    duplicates += 1
                    continue
                taken |= numbers
            due = max(self.now, contact.earliest or 0)
            self.entries[key] = Entry(key, self.now, due, contact.priority)
            loaded += 1
        campaign.loaded += loaded
        return loaded, duplicates

    def _compared(self, campaign: Campaign, contact: Contact) -> set[str]:
        phones = contact.phones if campaign.duplicate_scope == "ANY_NUMBER" else contact.phones[:1]
        return {phone.number for phone in phones}

    def load_contact(self, contact: Contact) -> None:
        """Load a new contact into the campaigns of its list (E2)."""
        for campaign in self.campaigns.values():
            if contact.list_id in campaign.lists and campaign.state != "STOPPED":
                self.load(campaign, contact.list_id, contact.contact_id)

    def reconcile(self, contact: Contact) -> None:
        """Settle the open entries of an edited contact (E5, R11)."""
        for entry in list(self.entries.values()):
            if entry.key[1] != contact.contact_id:
                continue
            entry.priority = contact.priority
            if entry.attempt is None:
                decision = self.decide(entry)
                if decision.close:
                    self._close(entry, decision.close)
                else:
                    entry.due = max(decision.due, entry.deferred)

    def untype(self, type_id: int) -> None:
        """Delete an item type by force: its phones become untyped (C8)."""
        for contact in self.contacts.values():
            contact.phones = [
                Phone(phone.number) if phone.type_id == type_id else phone
                for phone in contact.phones
            ]
        del self.types[type_id]

    def close_all(self, keys: Iterable[Key], reason: str) -> None:
        """Close ready entries now, and live ones when they are reported (E4)."""
        for key in list(keys):
            entry = self.entries[key]
            if entry.attempt is None:
                self._close(entry, reason)
            else:
                entry.close_as = entry.close_as or reason

    def _close(self, entry: Entry, reason: str) -> None:
        del self.entries[entry.key]
        # Copies: a late report corrects history and leaves final as it was written.
        calls = [replace(call) for call in entry.calls]
        self.finals.append(Closed(entry.key, reason, calls, entry.loaded, self.now))

    # ------------------------------------------------------------ calling

    def claim(self, most: int, lease: int, *, begins: bool, worker_id: str) -> list[Attempt]:
        """Claim the most urgent entries (E3), deciding each again (R11)."""
        claimed = []
        for entry in self._most_urgent(most):
            decision = self.decide(entry)
            person = self.contacts[entry.key[1]].person
            if decision.close or decision.place is None:
                self._close(entry, decision.close or "")
            elif decision.due > self.now:
                entry.due = decision.due
            elif any(
                live.person == person or live.place.number == decision.place.number
                for live in self.attempts()
            ):
                # No other number is taken instead (D1).
                entry.due = entry.deferred = self.now + BUSY_DELAY
            else:
                campaign = self.campaigns[entry.key[0]]
                entry.attempt = Attempt(
                    key=entry.key,
                    person=person,
                    place=decision.place,
                    cycle=decision.cycle,
                    attempt_number=len(entry.calls) + 1,
                    rule=decision.rule,
                    version=campaign.version,
                    worker_id=worker_id,
                    scheduled=entry.due,
                    lease_ends=self.now + lease,
                )
                if begins:
                    self._begin(entry.attempt, lease)
                claimed.append(entry.attempt)
        return claimed

    def _most_urgent(self, most: int) -> list[Entry]:
        due = [
            entry
            for entry in self.entries.values()
            if entry.attempt is None
            and entry.due <= self.now
            and self.dials(self.campaigns[entry.key[0]])
        ]
        due.sort(
            key=lambda one: (
                self.campaigns[one.key[0]].priority,
                one.priority,
                one.due,
                one.key[1],
            )
        )
        return due[:most]

    def _begin(self, attempt: Attempt, lease: int) -> None:
        campaign = self.campaigns[attempt.key[0]]
        attempt.begun = self.now
        attempt.lease_ends = self.now + max(lease, campaign.originate_timeout)

    def _entry(self, attempt: Attempt) -> Entry | None:
        """Return the entry that the attempt holds; None when it holds none any more."""
        entry = self.entries.get(attempt.key)
        return entry if entry is not None and entry.attempt is attempt else None

    def begin(self, attempt: Attempt, lease: int) -> str:
        """Give the permission to dial (D2)."""
        entry = self._entry(attempt)
        if entry is None or attempt.state == "UNKNOWN" or attempt.lease_ends <= self.now:
            return "LEASE_LOST"
        if attempt.begun is not None:
            return "BEGUN"
        campaign_id, contact_id = attempt.key
        has_number = any(
            phone.number == attempt.place.number for phone in self.contacts[contact_id].phones
        )
        if not self.dials(self.campaigns[campaign_id]) or entry.close_as or not has_number:
            self._release(entry, "REFUSED", 0)
            return "REFUSED"
        self._begin(attempt, lease)
        return "BEGUN"

    def renew(self, attempt: Attempt, lease: int, *, answered: bool) -> str:
        """Make a lease last longer; a held attempt comes back to life (D3)."""
        if self._entry(attempt) is None:
            return "LEASE_LOST"
        if attempt.begun is None and attempt.lease_ends <= self.now:
            return "LEASE_LOST"
        attempt.held_until = None
        attempt.lease_ends = max(attempt.lease_ends, self.now + lease)
        if answered and attempt.begun is not None and attempt.answered is None:
            attempt.answered = self.now
        return "RENEWED"

    def give_back(self, attempt: Attempt) -> str:
        """Release what was not begun (D2)."""
        entry = self._entry(attempt)
        if entry is None:
            return "RELEASED" if isinstance(attempt.past, str) else "BEGUN"
        if attempt.begun is not None:
            return "BEGUN"
        self._release(entry, "GIVEN_BACK", 0)
        return "RELEASED"

    def _release(self, entry: Entry, reason: str, delay: int) -> None:
        if entry.attempt is not None:
            entry.attempt.past = reason
        entry.attempt = None
        entry.due = entry.deferred = self.now + delay
        if entry.close_as:
            self._close(entry, entry.close_as)

    def report(
        self, attempt: Attempt, outcome: str, *, ended_ago: int = 0, ring: int = 0, talk: int = 0
    ) -> str:
        """Take a report (D2-D5)."""
        entry = self._entry(attempt)
        if entry is None:
            return self._report_late(attempt, outcome, ring, talk)
        if outcome == "NOT_DIALED":
            self._release(entry, "NOT_DIALED", NOT_DIALED_DELAY)
        elif attempt.begun is None:
            # Whoever reports it dialed without permission: nothing is begun that could end.
            self.evidence.append((outcome, "LEASE_LOST"))
            return "LEASE_LOST"
        else:
            self._end(entry, outcome, max(attempt.begun, self.now - ended_ago), ring, talk)
        return "ACCEPTED"

    def _end(self, entry: Entry, status: str, ended: int, ring: int, talk: int) -> None:
        attempt = entry.attempt
        assert attempt is not None
        assert attempt.begun is not None, "never a call without begin (D2)"
        talk = min(talk, ended - attempt.begun)
        answered = None
        if status in PICKED_UP:
            answered = min(ended - talk if attempt.answered is None else attempt.answered, ended)
        call = Call(
            key=entry.key,
            number=attempt.place.number,
            type_name=attempt.place.type_name,
            status=status,
            counted_as=status,
            cycle=attempt.cycle,
            position=attempt.place.position,
            attempt_number=attempt.attempt_number,
            rule=attempt.rule,
            version=attempt.version,
            worker_id=attempt.worker_id,
            scheduled=attempt.scheduled,
            begun=attempt.begun,
            ended=ended,
            ring=min(ring, ended - attempt.begun),
            talk=talk,
            answered=answered,
        )
        self.history.append(call)
        attempt.past = call
        entry.calls.append(call)
        entry.attempt = None
        if status == "ANSWERED":
            self._close(entry, "REACHED")
            return
        decision = self.decide(entry)
        if entry.close_as or decision.close:
            self._close(entry, entry.close_as or decision.close or "")
        else:
            entry.due = decision.due

    def _report_late(self, attempt: Attempt, outcome: str, ring: int, talk: int) -> str:
        past = attempt.past
        assert past is not None
        if isinstance(past, str):
            answer = "REPLAYED" if past == outcome == "NOT_DIALED" else "LEASE_LOST"
        elif past.status == outcome:
            answer = "REPLAYED"
        elif past.status == "UNKNOWN" and outcome != "NOT_DIALED":
            answer = "LATE"
            past.status = outcome
            past.is_corrected = True
            past.ring = min(ring, past.ended - past.begun)
            past.talk = min(talk, past.ended - past.begun)
            past.answered = past.ended - past.talk if outcome in PICKED_UP else None
            entry = self.entries.get(attempt.key)
            if (
                outcome == "ANSWERED"
                and entry is not None
                and any(call is past for call in entry.calls)
            ):
                if entry.attempt is None:
                    self._close(entry, "REACHED")
                else:
                    entry.close_as = "REACHED"
        else:
            answer = "CONFLICT"
        if answer != "REPLAYED":
            self.evidence.append((outcome, answer))
        return answer

    def rescue(self) -> None:
        """Settle leases, holds and campaigns that are over (D3, E1)."""
        for entry in list(self.entries.values()):
            attempt = entry.attempt
            if attempt is None:
                continue
            campaign = self.campaigns[entry.key[0]]
            if attempt.begun is None:
                if attempt.lease_ends <= self.now:
                    self._release(entry, "LEASE_ENDED", 0)
                continue
            if attempt.held_until is None and attempt.lease_ends <= self.now:
                hold = campaign.quarantine if attempt.answered is None else campaign.max_talk
                attempt.held_until = attempt.lease_ends + hold
            if attempt.held_until is not None and attempt.held_until <= self.now:
                if attempt.answered is None:
                    self._end(entry, "UNKNOWN", attempt.held_until, 0, 0)
                else:
                    talk = attempt.lease_ends - attempt.answered
                    self._end(entry, "ANSWERED", attempt.held_until, 0, talk)
        for entry in list(self.entries.values()):
            campaign = self.campaigns[entry.key[0]]
            is_over = campaign.end is not None and campaign.end <= self.now
            if entry.attempt is None and is_over and campaign.state != "STOPPED":
                self._close(entry, "EXPIRED")
