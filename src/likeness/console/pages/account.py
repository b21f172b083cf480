"""One's own account: the password, and one-time codes."""

from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest
from likeness.service.govern import passwords as acts

account = Pages()


@account.shows("/account")
def show_account(visit: Visit) -> Page:
    """Show who is signed in, and what they sign in with."""
    secret, address = acts.begin_codes(visit.who, visit.form.text("secret_of_codes"))
    values = {
        "key": visit.who.key,
        "has_password": visit.who.key.name in acts.list_passwords(visit.home),
        "has_codes": acts.has_codes(visit.home, visit.who),
        "code_secret": secret,
        "code_address": address,
    }
    return Page("account.html", values)


@account.does("/account/password", again=show_account, hashes=True)
def change_password(visit: Visit) -> Redirect:
    """Change one's own password."""
    form = visit.form
    with visit.about("secret_again"):
        if form.secret("secret_new") != form.secret("secret_again"):
            raise InvalidRequest(visit.t("account.differ"))
    with visit.about("secret_new"):
        acts.check_password(form.secret("secret_new"), visit.who.key.name)
    with visit.about("secret_present"):
        token = acts.change_own_password(
            visit.home,
            visit.who,
            form.secret("secret_present"),
            form.secret("secret_new"),
            visit.address,
        )
    return Redirect(link("account"), visit.t("account.password_changed"), token)


@account.does("/account/codes", again=show_account, hashes=True)
def ask_for_codes(visit: Visit) -> Redirect:
    """Ask for one-time codes from now on."""
    form = visit.form
    with visit.about("code"):
        try:
            acts.ask_for_codes(
                visit.home,
                visit.who,
                form.secret("secret_for_codes"),
                form.text("secret_of_codes"),
                form.text("code"),
                visit.address,
            )
        except acts.WrongPassword:
            with visit.about("secret_for_codes"):
                raise
    return Redirect(link("account"), visit.t("account.codes_on"))


@account.does("/account/codes/stop", again=show_account, hashes=True)
def stop_codes(visit: Visit) -> Redirect:
    """Ask for no codes any more."""
    with visit.about("secret_to_stop"):
        acts.stop_codes(visit.home, visit.who, visit.form.secret("secret_to_stop"), visit.address)
    return Redirect(link("account"), visit.t("account.codes_off"))
