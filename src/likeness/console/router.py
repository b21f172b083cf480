"""Which function shows or does what at which path, and who may."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.convertors import IntegerConvertor
from starlette.routing import compile_path

from likeness.console.visit import ROOT, Outcome, Visit, unlinked
from likeness.terms import Action

Show = Callable[[Visit], Outcome]
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked of a path: `shows` answers a GET, `does` a POST.

    `again` shows the form once more where what it asked for is refused. `needs` is what a role has
    to allow; None where whoever is signed in may, and `is_open` where anybody may. `sees` says that
    pictures are looked at, `hashes` that passwords are, which takes long on purpose.
    """

    method: str
    path: str
    act: Show
    needs: Action | None
    again: Show | None = None
    is_open: bool = False
    sees: bool = False
    hashes: bool = False


class Pages:
    """The routes of a family of pages; paths begin below `/console`."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def shows(
        self,
        path: str,
        needs: Action | None = None,
        *,
        is_open: bool = False,
        sees: bool = False,
    ) -> Callable[[Show], Show]:
        """Have a function answer a GET."""

        def add(act: Show) -> Show:
            self.routes.append(Route("GET", path, act, needs, None, is_open, sees))
            return act

        return add

    def does(
        self,
        path: str,
        needs: Action | None = None,
        *,
        again: Show | None = None,
        is_open: bool = False,
        sees: bool = False,
        hashes: bool = False,
    ) -> Callable[[Show], Show]:
        """Have a function answer a POST."""

        def add(act: Show) -> Show:
            self.routes.append(Route("POST", path, act, needs, again, is_open, sees, hashes))
            return act

        return add


class Router:
    """Finds the route of a request among those of all pages."""

    def __init__(self, *families: Pages) -> None:
        self.routes = [route for pages in families for route in pages.routes]
        self._routes = [(*compile_path(ROOT + route.path), route) for route in self.routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Find a route by a path as `link` gives it, and what it holds; None where there is none.

        Where a form is sent to and nothing is shown, the form is shown: somebody came back to it.
        A number of more digits than anything here counts is none.
        """
        asked = "GET" if method == "HEAD" else method
        found = [
            (route, {name: unlinked(part) for name, part in match.groupdict().items()})
            for pattern, _, convertors, route in self._routes
            if (match := pattern.match(path))
            and not any(
                isinstance(convertors[name], IntegerConvertor) and len(part) > _MOST_DIGITS
                for name, part in match.groupdict().items()
            )
        ]
        for route, held in found:
            if route.method == asked:
                return route, held
        for route, held in found:
            if asked == "GET" and route.again is not None:
                return replace(route, method="GET", act=route.again, again=None), held
        return None
