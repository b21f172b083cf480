"""Makes whole frames of interlaced ones, whose odd and even lines are of two moments."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame

# A frame for each that comes in, and only what says that it is interlaced is touched.
_FILTER = "mode=send_frame:parity=auto:deint=interlaced"


def deinterlaced(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """Give all frames; from the first interlaced one on they pass a filter (`bwdif`)."""
    graph: Graph | None = None
    form: tuple[object, ...] = ()
    for frame in frames:
        if graph is not None and form != _form(frame):
            yield from _rest(graph)
            graph = None
        if graph is None and frame.interlaced_frame:
            graph, form = _graph(frame), _form(frame)
        if graph is None:
            yield frame
            continue
        graph.vpush(frame)
        yield from _ready(graph)
    if graph is not None:
        yield from _rest(graph)


def _form(frame: VideoFrame) -> tuple[object, ...]:
    return frame.width, frame.height, frame.format.name, frame.time_base


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 1000),
    )
    graph.link_nodes(source, graph.add("bwdif", _FILTER), graph.add("buffersink"))
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return


def _rest(graph: Graph) -> Iterator[VideoFrame]:
    graph.vpush(None)
    yield from _ready(graph)
