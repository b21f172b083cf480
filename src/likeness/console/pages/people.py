"""People and keys: who may call and sign in, in which role, and for what."""

from collections.abc import Mapping
from uuid import UUID

from likeness.access import AccessKey, BrokenKey, Grant
from likeness.console.problems import said_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest, LikenessError, NotFound
from likeness.policy import require_known, vocabulary
from likeness.service.govern import keys, passwords
from likeness.service.govern.sign_in import begin_again
from likeness.terms import UNDECLARED, Action, Role

people = Pages()
_A_PAGE = 100
_USUAL_GRACE_HOURS = 24


@people.shows("/people", Action.GOVERN)
def show_people(visit: Visit) -> Page:
    """List who may call and sign in, and offer to add somebody."""
    after, wanted = visit.query.get("after", ""), visit.query.get("find", "").strip()
    found = [
        one
        for one in keys.list_keys(visit.home)
        if one.name > after and wanted.casefold() in one.name.casefold()
    ]
    values = {
        "listed": found[:_A_PAGE],
        "after": found[_A_PAGE - 1].name if len(found) > _A_PAGE else None,
        "find": wanted,
        "with_password": passwords.list_passwords(visit.home),
        "roles": [(role.value, visit.t(f"people.role.{role.value}")) for role in Role],
        "sectors": _words(vocabulary().sectors),
        "main_purposes": _words(vocabulary().purposes),
        "purposes": [one for one in vocabulary().purposes if one != UNDECLARED],
        "undeclared": UNDECLARED,
    }
    return Page("people/list.html", values)


@people.does("/people", Action.GOVERN, again=show_people, hashes=True)
def add_person(visit: Visit) -> Redirect:
    """Make a key, and a password beside it where one is wanted; both are shown once.

    Where the password cannot be kept, the key is there all the same, and its secret is shown.
    """
    form = visit.form
    name, grant = form.text("person"), _grant(visit)
    with visit.about("person"):
        issued = keys.create_key(visit.home, visit.caller("CreateAccessKey"), name, grant)
    shows = {"access_key_id": issued.access_key_id, "secret": issued.secret}
    said = visit.t("people.added", name=name)
    if form.has("password"):
        try:
            shows |= _give_password(visit, name)
        except LikenessError as error:
            said = visit.t("people.no_password", name=name, why=said_of(error, visit))
    return Redirect(_page_of(issued.key), said, shows=shows)


@people.shows("/people/{id:uuid}", Action.GOVERN)
def show_person(visit: Visit) -> Page:
    """Show one key, and what can be done with it; a new secret this once."""
    key = _key(visit)
    values = {
        "key": key,
        "is_broken": isinstance(key, BrokenKey),
        "is_own": key.id == visit.who.key.id,
        "has_password": key.name in passwords.list_passwords(visit.home),
        "shown_once": visit.take_shown_once(),
        "grace_hours": _USUAL_GRACE_HOURS,
    }
    return Page("people/person.html", values)


@people.does("/people/{id:uuid}/rotate", Action.GOVERN, again=show_person)
def rotate(visit: Visit) -> Redirect:
    """Give a key a new id and secret."""
    key = _key(visit)
    with visit.about("grace_hours"):
        try:
            grace_hours = int(visit.form.text("grace_hours") or "0")
        except ValueError:
            raise InvalidRequest(visit.t("people.no_hours")) from None
        caller = visit.caller("RotateAccessKey")
        issued = keys.rotate_key(visit.home, caller, key.name, grace_hours)
    shows = {"access_key_id": issued.access_key_id, "secret": issued.secret}
    token = None if grace_hours else _token(visit, key)
    return Redirect(_page_of(key), visit.t("people.rotated", name=key.name), token, shows)


@people.does("/people/{id:uuid}/disable", Action.GOVERN, again=show_person)
def disable(visit: Visit) -> Redirect:
    """Refuse a key from now on."""
    key, caller = _key(visit), visit.caller("DisableAccessKey")
    keys.disable_key(visit.home, caller, key.name, last_admin_too=False)
    return Redirect(_page_of(key), visit.t("people.disabled", name=key.name))


@people.does("/people/{id:uuid}/enable", Action.GOVERN, again=show_person)
def enable(visit: Visit) -> Redirect:
    """Let a key in again."""
    key = _key(visit)
    keys.enable_key(visit.home, visit.caller("EnableAccessKey"), key.name)
    return Redirect(_page_of(key), visit.t("people.enabled", name=key.name))


@people.does("/people/{id:uuid}/password", Action.GOVERN, again=show_person, hashes=True)
def set_password(visit: Visit) -> Redirect:
    """Give a key's holder a new password, without one-time codes."""
    key = _key(visit)
    shows = _give_password(visit, key.name)
    said = visit.t("people.password_set", name=key.name)
    return Redirect(_page_of(key), said, _token(visit, key), shows)


@people.does("/people/{id:uuid}/password/remove", Action.GOVERN, again=show_person)
def remove_password(visit: Visit) -> Redirect:
    """Let a key's holder sign in with its secret alone."""
    key = _key(visit)
    passwords.remove_password(visit.home, visit.caller("RemovePassword"), key.name)
    said = visit.t("people.password_removed", name=key.name)
    return Redirect(_page_of(key), said, _token(visit, key))


def _give_password(visit: Visit, name: str) -> Mapping[str, str]:
    password = passwords.draw_password()
    passwords.set_password(visit.home, visit.caller("SetPassword"), name, password)
    return {"password": password}


def _key(visit: Visit) -> AccessKey | BrokenKey:
    for one in keys.list_keys(visit.home):
        if one.id == UUID(visit.params["id"]):
            return one
    raise NotFound(visit.t("people.nobody"))


def _page_of(key: AccessKey | BrokenKey) -> str:
    return link("people", key.id)


def _token(visit: Visit, key: AccessKey | BrokenKey) -> str | None:
    """Begin another session of whoever did this to themselves, whose sessions have ended."""
    return begin_again(visit.home, visit.who) if key.id == visit.who.key.id else None


def _grant(visit: Visit) -> Grant:
    """Read what a key is to say, each refusal beside its field."""
    form = visit.form
    with visit.about("role"):
        try:
            role = Role(form.text("role"))
        except ValueError:
            raise InvalidRequest(visit.t("people.no_role")) from None
    organisation, sector, jurisdiction = (
        form.text(name) or UNDECLARED for name in ("organisation", "sector", "jurisdiction")
    )
    with visit.about("organisation"):
        Grant(organisation=organisation)
    with visit.about("sector"):
        require_known(sector=sector)
    with visit.about("jurisdiction"):
        require_known(jurisdiction=jurisdiction)
    stated = (form.text("main_purpose"), *form.all("purposes"))
    purposes = tuple(dict.fromkeys(one for one in stated if one not in ("", UNDECLARED)))
    with visit.about("main_purpose"):
        require_known(purposes=purposes)
        return Grant(role, organisation, sector, jurisdiction, purposes)


def _words(values: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(one, one.replace("-", " ")) for one in values]
