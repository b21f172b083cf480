"""The application: which paths there are. FastAPI describes them at `/v1/openapi.json`."""

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from likeness import __version__
from likeness.v1.acts import Acts, Offered
from likeness.v1.bounds import DESCRIPTION_PATH, HEALTH_PATH, Bounds
from likeness.v1.cases import cases
from likeness.v1.ledger import ledger
from likeness.v1.problems import answer_with_problems
from likeness.v1.watches import watches


def application(acts: Acts) -> FastAPI:
    """Make the application that answers what begins with `/v1/`."""
    made = FastAPI(
        title="Likeness",
        version=__version__,
        openapi_url=DESCRIPTION_PATH,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    made.state.acts = acts
    made.add_middleware(Bounds, authenticate=acts.authenticate)
    answer_with_problems(made)
    made.include_router(cases)
    made.include_router(watches)
    made.include_router(ledger)
    made.add_api_route(HEALTH_PATH, show_health, tags=["health"])
    return made


def show_health(acts: Offered) -> Response:
    """Say whether acts can be done; 503 where they cannot."""
    ready = acts.ready()
    return JSONResponse({"ready": ready}, 200 if ready else 503)
