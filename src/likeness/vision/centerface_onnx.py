"""Make CenterFace's published graph take pictures of any size, any number at a time.

The file (MIT) is fixed to ten 32x32 pictures and lists its weights among its inputs, as
exporters of 2019 did. Nothing in it depends on the size, so declaring the axes free is enough.
"""

import onnx

from likeness.errors import InvalidRequest

# By position: heat map, (height, width), offset (y, x), five landmarks (y, x); all at stride 4.
OUTPUTS = ("heatmap", "size", "offset", "landmarks")
_CHANNELS = (1, 2, 2, 10)


def make_dynamic(published: bytes) -> onnx.ModelProto:
    """Make the graph: `pictures` (n, 3, h, w) float32 RGB 0..255, sides multiples of 32.

    Outputs are (n, 1, h/4, w/4), (n, 2, ...), (n, 2, ...) and (n, 10, ...) float32.

    Raises:
        InvalidRequest: the bytes are not CenterFace's graph.
    """
    try:
        model = onnx.load_model_from_string(published)
    except Exception as error:  # protobuf raises its own, undocumented kinds
        raise InvalidRequest(
            "expected CenterFace's ONNX graph; the bytes are no ONNX: fetch the file again"
        ) from error
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or len(graph.output) != len(OUTPUTS):
        raise InvalidRequest(
            f"expected CenterFace's ONNX graph with 1 input and {len(OUTPUTS)} outputs; found"
            f" {len(inputs)} and {len(graph.output)}: fetch the file again"
        )
    del graph.input[:]
    graph.input.extend(inputs)
    _set_dimensions(graph.input[0], ("n", 3, "h", "w"))
    for value, name, channels in zip(graph.output, OUTPUTS, _CHANNELS, strict=True):
        _set_dimensions(value, ("n", channels, f"{name}_h", f"{name}_w"))
    # Shapes noted inside the graph were those of the fixed size.
    del graph.value_info[:]
    return model


def _set_dimensions(value: onnx.ValueInfoProto, dimensions: tuple[str | int, ...]) -> None:
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    for dimension in dimensions:
        if isinstance(dimension, int):
            shape.dim.add().dim_value = dimension
        else:
            shape.dim.add().dim_param = dimension
