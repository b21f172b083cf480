"""How the server is: what it needs and whether that is well, and what it counted."""

from collections import defaultdict

from likeness.console.pages.background_acts import begin, last_act
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.service.govern.health import look
from likeness.terms import Action

state = Pages()

_EXAMINATION = "examine"


@state.shows("/in-force/health", Action.AUDIT)
def show_health(visit: Visit) -> Page:
    """Show what is quickly seen of the home and of what the server needs."""
    findings = [*look(visit.home), *visit.offered.operated.glance()]
    values = {"findings": findings, "work": None, "failed": None, "is_all": False}
    return Page("in_force/health.html", values)


@state.shows("/in-force/health/all", Action.AUDIT)
def show_everything(visit: Visit) -> Page:
    """Show what the last look at everything found that they asked for."""
    last = last_act(visit, _EXAMINATION)
    values = {
        "findings": last.answer or [],
        "work": last.work,
        "failed": last.failed,
        "is_all": True,
    }
    return Page("in_force/health.html", values)


@state.does("/in-force/health/all", Action.AUDIT, again=show_health)
def examine(visit: Visit) -> Redirect:
    """Look at everything, which takes a while where there is much."""
    look_at_all = visit.offered.operated.examine
    begin(visit, _EXAMINATION, lambda tell: look_at_all())
    return Redirect(link("in-force", "health", "all"))


@state.shows("/in-force/metrics", Action.AUDIT)
def show_metrics(visit: Visit) -> Page:
    """Show what the server counted since its start."""
    figures = visit.offered.operated.figures()
    requests: dict[str, dict[str, int]] = defaultdict(dict)
    for (operation, code), count in sorted(figures.requests.items()):
        requests[operation][code] = count
    refused = {reason: count for reason, count in figures.refusals.items() if count}
    values = {"figures": figures, "requests": requests, "refused": refused}
    return Page("in_force/metrics.html", values)
