"""What a report card says: what was tested, by which version, on which data, and what was found.

It is made of a report, or of figures that somebody copied from NIST; `signed_card` has its file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pydantic import ConfigDict, with_config

from likeness.evaluation import Estimate
from likeness.service.evaluate.cards.figures import facts_of, figures_of, warnings_of
from likeness.service.evaluate.findings import Report, SystemFacts

SCHEMA = "likeness-card/1"
_HUNDRED = Decimal(100)


class CardKind(StrEnum):
    """Where the figures of a card come from."""

    REPORT = "report"
    """A report of Likeness."""
    NIST = "nist-frte"
    """What somebody copied from a publication of NIST's."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a card, under a name that says what it is of and at which threshold."""

    name: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class SystemOnCard:
    """A system that was tested, and what came of it.

    `digest` is the system's SHA-256 (see `system_digest`). `facts`, by name, say what was tested,
    on which data and how; `figures` what was found, in the report's order.
    """

    name: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    data_digest: str
    provenance: str
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NistFigures:
    """What NIST published of an algorithm, as somebody copied it, and what they say that is here.

    `groups` are the error rates of `measure` by group, as decimals; `document` is the SHA-256 of
    the publication that they were copied from. `same_because` says why `model`, by its full name,
    is the algorithm that NIST tested.
    """

    algorithm: str
    model: str
    same_because: str
    test: str
    measure: str
    at: str
    dataset: str
    title: str
    url: str
    published: date
    document: str
    copied_by: str
    groups: Mapping[str, Decimal]

    def __post_init__(self) -> None:
        """Refuse what is no set of rates.

        Raises:
            ValueError: there are fewer than two groups, or a rate is not between 0 and 1.
        """
        if len(self.groups) < 2:
            raise ValueError("fewer than two groups are given, and NIST lists more")
        for group, rate in self.groups.items():
            if not (rate.is_finite() and 0 <= rate <= 1):
                raise ValueError(f"the rate of {group[:80]!r} is no share between 0 and 1")

    @property
    def least_true_positives(self) -> Decimal:
        """Percent of true positives in the group with the fewest."""
        return _HUNDRED - _HUNDRED * max(self.groups.values())

    @property
    def worst_group(self) -> str:
        """The group with the fewest true positives."""
        return max(self.groups, key=lambda name: self.groups[name])


# Of what it holds, too: 1e999 is a number of JSON.
@with_config(ConfigDict(allow_inf_nan=False))
@dataclass(frozen=True, slots=True)
class Card:
    """What a card says; `report` is the SHA-256 of the report's JSON or of NIST's publication."""

    kind: CardKind
    title: str
    made_at: datetime
    made_by: str
    report: str
    systems: tuple[SystemOnCard, ...]
    nist: NistFigures | None = None
    schema: str = SCHEMA


def system_digest(system: SystemFacts) -> str:
    """Give what tells a system from others: of Likeness its model, whose name pins its weights.

    Of any other it is the digest of all that the report says of it.
    """
    if system.kind == "likeness":
        return model_digest(system.model)
    return sha256(canonical(asdict(system))).hexdigest()


def model_digest(model: str) -> str:
    """Give the digest of a model's name, which says detector, recogniser and chips to the byte."""
    return sha256(f"likeness model {model}".encode()).hexdigest()


def card_of_report(report: Report, report_json: bytes) -> Card:
    """Make the card of a report; `report_json` is the file that it was read from."""
    systems = []
    for number, findings in enumerate(report.findings):
        data = findings.data
        systems.append(
            SystemOnCard(
                findings.system.name,
                system_digest(findings.system),
                tuple(facts_of(report, number).items()),
                data.digest,
                data.provenance,
                tuple(Figure(name, one) for name, one in figures_of(findings).items()),
                warnings_of(findings),
                findings.limits,
            )
        )
    return Card(
        CardKind.REPORT,
        report.title,
        report.made_at,
        report.made_by,
        sha256(report_json).hexdigest(),
        tuple(systems),
    )


def card_of_nist(figures: NistFigures, *, now: datetime, by: str) -> Card:
    """Make the card of figures that were copied from NIST; `by` is who has it signed."""
    system = SystemOnCard(
        figures.algorithm,
        model_digest(figures.model),
        (
            ("model", figures.model),
            ("is the algorithm because", figures.same_because),
            ("data", figures.dataset),
            ("copied by", figures.copied_by),
        ),
        figures.document,
        figures.url,
        # The worst group first.
        tuple(
            Figure(f"{group}: {figures.measure} at {figures.at}", Estimate(float(rate)))
            for group, rate in sorted(figures.groups.items(), key=lambda item: -item[1])
        ),
        (),
        ("NIST signs no figures: somebody copied them, and says that the model is the algorithm.",),
    )
    return Card(CardKind.NIST, figures.title, now, by, figures.document, (system,), figures)


def same_report(card: Card, content: bytes) -> bool:
    """Say whether a card is of a report, or of a publication, with these bytes."""
    return card.report == sha256(content).hexdigest()


def canonical(document: Any) -> bytes:
    """Write JSON in the one way that is digested and signed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
