"""What may a role do at all? Asked before policy, which decides about the use itself."""

from likeness.terms import Action, Role

_EVERYTHING = frozenset(Action)
# Consent that makes a use lawful, and rules themselves, are not for those who use them.
_ADMINS_ALONE = frozenset({Action.AUTHORISE, Action.GOVERN})

_ALLOWED = {
    Role.ADMIN: _EVERYTHING,
    Role.OPERATOR: _EVERYTHING - _ADMINS_ALONE,
    Role.REVIEWER: frozenset({Action.REVIEW, Action.READ}),
    # Reads the ledger and reports; sees no faces.
    Role.AUDITOR: frozenset({Action.AUDIT}),
    Role.CLIENT: frozenset(
        {
            Action.DETECT,
            Action.COMPARE,
            Action.SEARCH,
            Action.ENROL,
            Action.READ,
            Action.ERASE,
            Action.ARRANGE,
        }
    ),
}


def may(role: Role, action: Action) -> bool:
    """Whether a role may do this at all; tags that start with `likeness:` take `GOVERN`."""
    return action in _ALLOWED[role]
