"""A ledger of accounts: entries in cents, balances, and a report as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Entry:
    """One movement of money on one account."""

    account: str
    day: date
    cents: int
    note: str = ""


@dataclass
class Ledger:
    """All entries, in the order in which they were booked."""

    entries: list[Entry] = field(default_factory=list)

    def book(self, account: str, day: date, cents: int, note: str = "") -> Entry:
        entry = Entry(account=account, day=day, cents=cents, note=note)
        self.entries.append(entry)
        return entry

    def between(self, first: date, last: date) -> list[Entry]:
        return [entry for entry in self.entries if first <= entry.day <= last]

    def balance(self, account: str) -> int:
        return sum(entry.cents for entry in self.entries if entry.account == account)

    def balances(self) -> dict[str, int]:
        totals: dict[str, int] = defaultdict(int)
        for entry in self.entries:
            totals[entry.account] += entry.cents
        return dict(totals)


def euros(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def report(entries: Iterable[Entry]) -> str:
    lines = []
    for entry in sorted(entries, key=lambda entry: entry.day):
        lines.append(f"{entry.day} {entry.account:<12} {euros(entry.cents):>10} {entry.note}")
    return "\n".join(lines)
