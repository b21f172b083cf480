"""The rules in force, pack by pack, and the stop switch."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from markupsafe import Markup

from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest, NotFound
from likeness.policy import (
    ChosenPack,
    EnabledPack,
    Pack,
    PackRule,
    Scope,
    Suspension,
    nearest,
    require_reason,
    shipped,
    vocabulary,
)
from likeness.service.govern import policy as acts
from likeness.service.govern.keys import list_keys
from likeness.terms import Action

rules = Pages()


@dataclass(frozen=True, slots=True)
class ShownPack:
    """A pack with what is chosen of it, and its days; `enabled` says who did that and when."""

    pack: Pack
    made: ChosenPack
    enabled: EnabledPack | None
    first: date
    end: date | None

    @classmethod
    def of(cls, pack: Pack, enabled: EnabledPack | None) -> "ShownPack":
        """Take a pack as it was enabled, or as it would be."""
        made = enabled.chosen if enabled else ChosenPack.of(pack, {})
        facts = pack.facts
        return cls(pack, made, enabled, *made.days(facts.effective, facts.expires, facts.where))

    @property
    def in_force(self) -> bool:
        """Whether its rules decide."""
        return self.pack.facts.always or self.enabled is not None

    def does(self, rule: PackRule) -> str:
        """Say what a rule does, by the name of the text for it."""
        return "withholds" if rule.duty else "refuses" if rule.parsed.forbids else "permits"


@rules.shows("/in-force", Action.AUDIT)
def show_rules(visit: Visit) -> Page:
    """Show which packs are in force, and what is stopped."""
    now = acts.rules_now(visit.home)
    visit.is_stopped = bool(now.suspensions)  # as of now, however lately that was changed
    enabled = {one.name: one for one in now.packs}
    own = [one.chosen.pack for one in now.packs if one.name not in shipped()]
    packs = [ShownPack.of(pack, enabled.get(pack.name)) for pack in [*shipped().values(), *own]]
    values = {
        "in_force": [one for one in packs if one.in_force],
        "others": [one for one in packs if not one.in_force],
        "rules": now,
        "suspensions": [(one, _named(visit, one)) for one in now.suspensions],
        "names": names_of_keys(visit),
        "scopes": [(one.value, visit.t(f"in_force.scopes.{one}")) for one in reversed(Scope)],
        "offered": _offered(visit) if visit.may(Action.GOVERN) else [],
    }
    return Page("in_force/rules.html", values)


@rules.shows("/in-force/packs/{name}", Action.AUDIT)
def show_pack(visit: Visit) -> Page:
    """Show how a pack reads what it is of, what it leaves to choose, and its rules."""
    name = visit.params["name"]
    enabled = {one.name: one for one in acts.rules_now(visit.home).packs}
    pack = enabled[name].chosen.pack if name in enabled else shipped().get(name)
    if pack is None:
        raise NotFound(f"No such pack {name!r}. The page of what is in force lists them all.")
    return Page("in_force/pack.html", {"shown": ShownPack.of(pack, enabled.get(name))})


@rules.does("/in-force/suspend", Action.GOVERN, again=show_rules)
def suspend(visit: Visit) -> Redirect:
    """Stop everything or a part of it."""
    form = visit.form
    reason, subject = form.text("reason"), form.text("subject")
    scope = _scope(visit)
    with visit.about("subject"):
        if scope is Scope.ALL and subject:
            raise InvalidRequest(
                "Everything needs no name: leave the name empty, or choose what to stop."
            )
        if scope is not Scope.ALL and not subject:
            raise InvalidRequest("No name is given. Say which one to stop.")
        if scope is Scope.COLLECTION:
            subject = str(acts.collection_id(visit.home, subject))
    with visit.about("reason"):
        require_reason(reason)
    if scope is Scope.ALL:
        return Redirect(link("in-force", "everything"), shows={"reason": reason})
    with visit.about("subject"):
        made = acts.suspend(visit.home, visit.caller("Suspend"), scope, subject, reason)
    said = visit.t("in_force.stopped", what=_in_words(visit, made))
    return Redirect(link("in-force"), said, remark=_warning(visit, made))


@rules.shows("/in-force/everything", Action.GOVERN)
def ask_about_everything(visit: Visit) -> Page:
    """Ask whether everything is meant to be stopped."""
    reason = visit.look_at_left().get("reason", "")
    return Page("in_force/everything.html", {"reason": reason})


@rules.does("/in-force/everything", Action.GOVERN, again=ask_about_everything)
def suspend_everything(visit: Visit) -> Redirect:
    """Stop everything, where the form says so, which may not come about by chance."""
    if _scope(visit) is not Scope.ALL:
        raise InvalidRequest(visit.t("in_force.not_everything"))
    with visit.about("reason"):
        acts.suspend(visit.home, visit.caller("Suspend"), Scope.ALL, "", visit.form.text("reason"))
    visit.take_shown_once()
    said = visit.t("in_force.stopped", what=visit.t(f"in_force.scopes.{Scope.ALL}"))
    return Redirect(link("in-force"), said)


@rules.does("/in-force/resume", Action.GOVERN, again=show_rules)
def resume(visit: Visit) -> Redirect:
    """Let something go on."""
    scope, subject = _scope(visit), visit.form.text("subject")
    acts.resume(visit.home, visit.caller("Resume"), scope, subject)
    what = f"{visit.t(f'in_force.scopes.{scope}')} {subject}".strip()
    return Redirect(link("in-force"), visit.t("in_force.goes_on", what=what))


def names_of_keys(visit: Visit) -> dict[str, str]:
    """Name the holders of keys by what entries call them, for those who may see the keys."""
    if not visit.may(Action.GOVERN):
        return {}
    return {f"key:{one.id}": one.name for one in list_keys(visit.home)}


def _scope(visit: Visit) -> Scope:
    with visit.about("scope"):
        try:
            return Scope(visit.form.text("scope"))
        except ValueError as error:
            raise InvalidRequest("Nothing to stop is chosen. Choose one from the list.") from error


def _offered(visit: Visit) -> list[str]:
    """Name organisations and purposes, for a field that completes what is typed."""
    return [*acts.organisations(visit.home), *vocabulary().purposes]


def _named(visit: Visit, suspension: Suspension) -> str:
    """Name what is stopped; a collection by its name, to those who may read which there are."""
    if suspension.scope is not Scope.COLLECTION or not visit.may(Action.READ):
        return suspension.subject
    return visit.home.name_of_collection(UUID(suspension.subject)) or suspension.subject


def _in_words(visit: Visit, suspension: Suspension) -> str:
    what = visit.t(f"in_force.scopes.{suspension.scope}")
    return f"{what} {_named(visit, suspension)}".strip()


def _warning(visit: Visit, suspension: Suspension) -> Markup | None:
    """Warn where an organisation is stopped that nobody is of: it may be misspelt."""
    if suspension.scope is not Scope.ORGANISATION:
        return None
    known = acts.organisations(visit.home)
    if any(map(suspension.names, known)):
        return None
    return visit.t("in_force.nobody", nearest=nearest(suspension.subject, known))
