"""HTTP as all doors share it: the socket, who calls, how much, how often, and what is noted.

A door extends `Door`: it names what is asked, does it, and words what goes wrong; `errors` has what
goes wrong before an act begins. All doors of a server share one `Gate`.
"""

from likeness.server.bodies import BodyLimits
from likeness.server.certificate import Certificate
from likeness.server.door import Door, Gate, Limits, below, whereabouts
from likeness.server.events import EVENTS, Listeners, event, wait_within
from likeness.server.exchange import Answer, Exchange, Repeats, Stream
from likeness.server.http_server import HttpServer, Place
from likeness.server.lanes import Lane
from likeness.server.monitoring import Figures, Metrics, MetricsPage, log_json_lines
from likeness.server.origins import open_to, read_origins
from likeness.server.refusals import Refusal, Refusals
from likeness.server.signature import SERVICE, Head

__all__ = [
    "EVENTS",
    "SERVICE",
    "Answer",
    "BodyLimits",
    "Certificate",
    "Door",
    "Exchange",
    "Figures",
    "Gate",
    "Head",
    "HttpServer",
    "Lane",
    "Limits",
    "Listeners",
    "Metrics",
    "MetricsPage",
    "Place",
    "Refusal",
    "Refusals",
    "Repeats",
    "Stream",
    "below",
    "event",
    "log_json_lines",
    "open_to",
    "read_origins",
    "wait_within",
    "whereabouts",
]
