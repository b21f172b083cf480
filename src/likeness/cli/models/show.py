"""`likeness models list` and `show`: models, their terms, and what is known of their errors."""

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Installation
from likeness.app.installation import BETTER
from likeness.cli.installation import installation_here
from likeness.cli.terminal.answers import Json, print_json
from likeness.cli.terminal.options import Artifacts, AsJson
from likeness.cli.terminal.output_file import write_reports
from likeness.cli.terminal.plain_text import plain
from likeness.errors import ModelTampered, NotFound
from likeness.service.search.documents import significant, warning_json
from likeness.terms import Calibration, GroupWarning, one_in
from likeness.vision.cohorts.standards import GroupFailures, GroupRate, ModelFigures
from likeness.vision.models.cards import ModelCard
from likeness.vision.networks.forms import Task

Model = Annotated[str, typer.Argument(metavar="NAME", help="The model's name.")]


def list_models(as_json: AsJson = False, artifacts: Artifacts = None) -> None:
    """List the models that are known here: those built in and those added."""
    installation = installation_here(artifacts=artifacts)
    cards = installation.models.cards()
    if as_json:
        models = [summary_json(installation, card) for card in cards]
        print_json({"models": models, "drawback": installation.choice.drawback})
        return
    width = max(len(card.name) for card in cards)
    for card in cards:
        words = [card.task.value, f"weights {card.licences.weights_class}"]
        if card.needs_acceptance:
            words.append(
                "accepted" if installation.models.acceptance(card.name) else "not accepted"
            )
        words.append(_weights_state(installation, card))
        if _in_use(installation, card):
            words.append("in use")
        print(f"{card.name:{width}}  {', '.join(words)}")
    if installation.choice.drawback:
        print(textwrap.fill(plain(installation.choice.drawback), 79))


def show(
    name: Model,
    reports: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the audits that its card carries here."),
    ] = None,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Show all there is to know about a model: its terms, its limits, its error rates."""
    installation = installation_here(artifacts=artifacts)
    card = installation.models.card(name)
    if reports is not None:
        _write_reports(installation, card, reports)
    if as_json:
        print_json({**summary_json(installation, card), **_details_json(installation, card)})
        return
    paragraphs = [
        f"{card.name}: {card.description}.",
        f"By {card.credits}.",
        f"A {card.task} of the form {card.form}; {_files_in_words(card)},"
        f" {_weights_state(installation, card)}.",
        *terms_in_words(card),
        *(f"Limit: {limit}." for limit in card.known_limits),
        *_accuracy_in_words(card),
        *_measured_in_words(installation, card),
    ]
    if installation.choice.drawback and card in (installation.recogniser, BETTER):
        paragraphs.append(installation.choice.drawback)
    for paragraph in paragraphs:
        print(textwrap.fill(plain(paragraph), 79, subsequent_indent="    "))


def _write_reports(installation: Installation, card: ModelCard, folder: Path) -> None:
    """Write the shipped audits of a recogniser, as pages and as JSON.

    Raises:
        NotFound: it carries none.
    """
    # What writes pages is imported late: whoever lists models needs none of it.
    from likeness.reports import write_html
    from likeness.service.evaluate.findings import from_json

    calibration = _calibration(installation, card) if card.task is Task.RECOGNISER else None
    found = (
        {}
        if calibration is None
        else installation.standards.reports(calibration.model, calibration.cohort_version)
    )
    if not found:
        raise NotFound(
            f"No audit of {card.name} is shipped for these settings. Make your own: `likeness"
            " audit DATA`."
        )
    for name, document in found.items():
        page, _ = write_reports(folder / name, write_html(from_json(document, name)), document)
        print(f"Written: {plain(page)}", file=sys.stderr)


def terms_in_words(card: ModelCard) -> list[str]:
    """Say on what terms a model comes; those of its training data are never hidden."""
    licences = card.licences
    return [
        f"Licence of the weights: {plain(licences.weights)} ({licences.weights_class}).",
        f"Licence of the code: {plain(licences.code)}.",
        f"Training data: {plain(licences.training_data)}.",
    ]


def _files_in_words(card: ModelCard) -> str:
    graph = f" and graph {card.graph.name}, {card.graph.size:,} bytes" if card.graph else ""
    return f"weights {card.source.name}, {card.source.size:,} bytes{graph}"


def _accuracy_in_words(card: ModelCard) -> list[str]:
    if card.lfw_fnmr is None:
        return []
    return [
        f"It misses {100 * card.lfw_fnmr:.2g}% of pairs of one person at a false match rate of"
        " 1 in 1,000 (LFW View 1, deep-funneled)."
    ]


def summary_json(installation: Installation, card: ModelCard) -> Json:
    """Say in JSON on what terms a model comes, and whether it is here and in use."""
    acceptance = installation.models.acceptance(card.name)
    return {
        "name": card.name,
        "task": card.task,
        "weights_licence": card.licences.weights,
        "weights_licence_class": card.licences.weights_class,
        "needs_acceptance": card.needs_acceptance,
        "accepted_by": acceptance.by if acceptance else None,
        "accepted_at": acceptance.at.isoformat() if acceptance else None,
        "weights": _weights_state(installation, card),
        "in_use": _in_use(installation, card),
    }


def _details_json(installation: Installation, card: ModelCard) -> Json:
    return {
        "description": card.description,
        "credits": card.credits,
        "form": card.form,
        "dimensions": card.dimensions,
        "source": {
            "file": card.source.name,
            "bytes": card.source.size,
            "sha256": card.source.sha256,
        },
        "graph": card.graph
        and {
            "file": card.graph.name,
            "bytes": card.graph.size,
            "sha256": card.graph.sha256,
        },
        "lfw_fnmr": card.lfw_fnmr,
        "code_licence": card.licences.code,
        "training_data": card.licences.training_data,
        "known_limits": list(card.known_limits),
        "calibration": _measured_json(installation, card),
    }


def _in_use(installation: Installation, card: ModelCard) -> bool:
    return card.name in (installation.detector.name, installation.recogniser.name)


def _weights_state(installation: Installation, card: ModelCard) -> str:
    try:
        return "fetched" if installation.models.has_weights(card.name) else "not fetched"
    except ModelTampered:
        return "damaged"


def _measured_in_words(installation: Installation, card: ModelCard) -> list[str]:
    """Say on what a recogniser was measured, down to which rate, and how it errs, worst first."""
    if card.task is not Task.RECOGNISER:
        return []
    calibration = _calibration(installation, card)
    if calibration is None:
        return [
            "Not calibrated here, so a score has no error rate: likeness models calibrate FOLDER"
        ]
    figures = installation.standards.figures(calibration.model, calibration.cohort_version)
    warning = _warning(installation, calibration)
    return [
        f"Calibrated on {calibration.measured_on}, down to a false match rate of"
        f" {one_in(calibration.least_counted)}, and by its tail to"
        f" {one_in(calibration.lowest_fmr)}; with cohort {calibration.cohort_version}.",
        *([] if figures is None else _figures_in_words(figures)),
        *([] if warning is None else [warning.in_words]),
    ]


def _measured_json(installation: Installation, card: ModelCard) -> Json | None:
    """Say the same in JSON; null for a model that is no recogniser, or not calibrated."""
    calibration = _calibration(installation, card) if card.task is Task.RECOGNISER else None
    if calibration is None:
        return None
    figures = installation.standards.figures(calibration.model, calibration.cohort_version)
    return {
        "model": calibration.model,
        "cohort": calibration.cohort_version,
        "measured_on": calibration.measured_on,
        "least_counted_fmr": significant(calibration.least_counted),
        "lowest_fmr": significant(calibration.lowest_fmr),
        "figures": None if figures is None else asdict(figures),
        "groups": [asdict(one) for one in calibration.groups],
        "group_warning": warning_json(_warning(installation, calibration)),
    }


def _warning(installation: Installation, calibration: Calibration) -> GroupWarning | None:
    """Warn of groups at the threshold of 1:1 comparisons."""
    settings = installation.settings
    return calibration.group_warning(calibration.point(settings.fmr), settings.group_fmr_warning)


def _figures_in_words(figures: ModelFigures) -> list[str]:
    groups = "; ".join(_group(one) for one in figures.groups)
    misses = "; ".join(
        f"{_percent(one.fnmr)} at {one_in(one.fmr)} (raw score {_percent(one.raw_fnmr)})"
        for one in figures.misses
    )
    alike = "; ".join(f"{one_in(b)}, where {one_in(a)} of any do" for a, b in figures.alike)
    uneven = "; ".join(
        f"at {one_in(one.fmr)} by sex and race {one.by_sex_and_race:g} (raw score"
        f" {one.by_sex_and_race_raw:g}), by age {one.by_age:g} ({one.by_age_raw:g})"
        for one in figures.unevenness
    )
    return [
        f"Measured on {figures.measured_on}.",
        "Strangers within a group match more often than any, at a false match rate of 1 in 1,000"
        f" (95% intervals): {groups}.",
        f"Limit: strangers who are alike, of one sex, race and age, match far more often: {alike}.",
        *_failures_in_words(figures.failures),
        f"Missed pairs of one person: {misses}. Women {_percent(figures.misses_of_women)}, men"
        f" {_percent(figures.misses_of_men)} at 1 in 1,000.",
        f"Unevenness (highest rate within a group over their geometric mean): {uneven}.",
    ]


def _failures_in_words(failures: Sequence[GroupFailures]) -> list[str]:
    """Say where no face was found, worst first; if everywhere one was, how sure that is."""
    if not failures:
        return []
    failed = [one for one in failures if one.failed]
    if failed:
        counts = (f"{one.group} {one.failed} of {one.pictures} ({one.data})" for one in failed)
        return [f"No face was found, worst first: {'; '.join(counts)}."]
    widest = max(failures, key=lambda one: one.high)
    sets = " and ".join(dict.fromkeys(one.data for one in failures))
    return [
        f"A face was found in every picture of {sets}, in every group; by their number, up to"
        f" {_percent(widest.high)} of {widest.group} may have none (95%)."
    ]


def _group(rate: GroupRate) -> str:
    return f"{rate.group} {one_in(rate.fmr)} ({one_in(rate.low)} to {one_in(rate.high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%"


def _calibration(installation: Installation, card: ModelCard) -> Calibration | None:
    model = installation.template_model(card.name).name
    try:
        return installation.standards.calibration(
            model, installation.standards.cohort(model).version
        )
    except NotFound:
        return None
