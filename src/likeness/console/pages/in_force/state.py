"""How the server is: what it needs and whether that is well, and what it counted."""

from collections import defaultdict

from likeness.console.router import Pages
from likeness.console.visit import Page, Visit
from likeness.service.govern.health import look
from likeness.terms import Action

state = Pages()


@state.shows("/in-force/health", Action.AUDIT)
def show_health(visit: Visit) -> Page:
    """Show what is quickly seen of the home and of what the server needs."""
    findings = [*look(visit.home), *visit.offered.operated.glance()]
    return Page("in_force/health.html", {"findings": findings, "is_all": False})


@state.does("/in-force/health", Action.AUDIT, again=show_health)
def examine(visit: Visit) -> Page:
    """Look at everything, which takes a while where there is much."""
    findings = list(visit.offered.operated.examine())
    return Page("in_force/health.html", {"findings": findings, "is_all": True})


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
