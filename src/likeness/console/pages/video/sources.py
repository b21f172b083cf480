"""Cameras and streams that an admin registers under names."""

from likeness.console.pages.video.words import footage_options
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest, SourceUnavailable
from likeness.service.live import sources as acts
from likeness.service.live.sources import NewSource
from likeness.terms import UNDECLARED, Action

sources = Pages()

_WATCHED_S = 2.0


@sources.shows("/video/sources", Action.WATCH)
def show_sources(visit: Visit) -> Page:
    """List cameras and streams."""
    every = acts.list_sources(visit.home, visit.caller("ListSources"))
    values = {
        "sources": every,
        "may_govern": visit.may(Action.GOVERN),
        "footages": footage_options(visit),
    }
    return Page("video/sources.html", values)


@sources.does("/video/sources", Action.GOVERN, again=show_sources)
def add(visit: Visit) -> Redirect:
    """Register a camera or stream."""
    form = visit.form
    new = NewSource(
        name=form.text("name"),
        address=form.text("secret_address"),
        password=form.secret("secret_password") or None,
        footage=form.text("footage") or UNDECLARED,
        place=form.text("place") or None,
    )
    added = acts.add_source(visit.home, visit.caller("AddSource"), new)
    return Redirect(link("video", "sources"), visit.t("video.sources.added", name=added.name))


@sources.does("/video/sources/check", Action.WATCH, again=show_sources)
def check(visit: Visit) -> Redirect:
    """Connect to a source, and say what it sends."""
    name, caller = visit.form.text("source"), visit.caller("CheckSource")
    try:
        found = acts.check_source(visit.home, caller, name, watched_s=_WATCHED_S)
    except SourceUnavailable as error:  # whose reason holds nothing of the server's
        raise InvalidRequest(f"{name}: {error}") from error
    said = visit.t(
        "video.sources.checked",
        name=found.source.name,
        width=found.clip.width,
        height=found.clip.height,
        first=f"{found.first_s:.1f}",
    )
    return Redirect(link("video", "sources"), said)


@sources.does("/video/sources/remove", Action.GOVERN, again=show_sources)
def remove(visit: Visit) -> Redirect:
    """Remove a source with its password."""
    name = visit.form.text("source")
    acts.remove_source(visit.home, visit.caller("RemoveSource"), name)
    return Redirect(link("video", "sources"), visit.t("video.sources.removed", name=name))
