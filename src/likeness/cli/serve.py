"""`likeness serve`: answer Rekognition's clients until told to stop."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# Before NumPy and FAISS are imported: pictures keep every processor busy, and threads of theirs for
# a single product or search would take them away, waiting for the next one in a loop.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from likeness.app.serving import Serving
from likeness.cli.installation import installation_here
from likeness.cli.terminal.options import Artifacts
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import fetching
from likeness.errors import InvalidRequest
from likeness.server import Certificate, HttpServer, Place, log_json_lines

_STOP_WITHIN_S = 60.0


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any.")] = 8020,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate and its chain, PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy of yours adds TLS: listen in the clear.")
    ] = False,
    artifacts: Artifacts = None,
) -> None:
    """Speak Amazon Rekognition's protocol to boto3, the AWS CLI and every other SDK.

    The first start makes an access key and prints it once. SIGTERM ends it calmly.
    """
    place = Place(host, port, _certificate(tls_cert, tls_key), behind_proxy)
    with HttpServer(place, _STOP_WITHIN_S) as server:
        log_json_lines()
        with fetching() as progress:
            installation = installation_here(artifacts=artifacts)
            serving = Serving(installation, progress)
        with serving:
            if key := serving.ensure_first_key():
                print(
                    "This access key is shown this once; `likeness keys` makes others:",
                    f"  AWS_ACCESS_KEY_ID={key.access_key_id}",
                    f"  AWS_SECRET_ACCESS_KEY={key.secret}",
                    sep="\n",
                )
            if installation.choice.drawback:
                print(plain(installation.choice.drawback))
            print(f"People open {server.url}/console/ in a browser, and sign in with a key.")
            print(
                "Give every client of Rekognition this endpoint, or it sends pictures to Amazon:",
                f'  boto3.client("rekognition", endpoint_url="{server.url}")',
                "Those that read a variable (`likeness doctor --client` says which) find it by",
                f"  AWS_ENDPOINT_URL_REKOGNITION={server.url}",
                sep="\n",
            )
            sys.stdout.flush()
            # What is there now stays. Looking through it for garbage stopped everybody for 0.1 to
            # 0.3 s, now and then.
            gc.collect()
            gc.freeze()
            server.run(serving.router, serving.refuse_malformed, serving.refusals)


def _certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    if bool(chain) != bool(key):
        raise InvalidRequest("--tls-cert and --tls-key belong together. Give both.")
    return Certificate(chain, key) if chain and key else None
