"""Makes the shipped detector and embedder out of the ONNX files that OpenCV Zoo publishes.

    python tools/pack_weights.py FOLDER_WITH_THE_TWO_ORIGINALS [OUT]

Needs the package `onnx`, which personae itself does not. The same originals give the same bytes.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

YUNET = "face_detection_yunet_2023mar.onnx"
SFACE = "face_recognition_sface_2021dec.onnx"
SHA256 = {
    YUNET: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    SFACE: "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
}
NOTICE = {
    YUNET: {"licence": "MIT, see LICENSE-yunet", "changes": "height and width left open"},
    SFACE: {
        "licence": "Apache-2.0, see LICENSE-sface",
        "changes": "layers folded, PReLU rewritten, weights in half precision, number of faces left open",
    },
}
OUT = Path(__file__).resolve().parents[1] / "src" / "personae" / "embed" / "weights"
IR_VERSION, OPSET = 8, 13

Array = NDArray[np.float64]


def main() -> None:
    """Checks the originals, packs both, prints the checksums of what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("originals", type=Path, help=f"folder with {YUNET} and {SFACE}")
    parser.add_argument("out", type=Path, nargs="?", default=OUT)
    arguments = parser.parse_args()
    for name, pack, packed_name in ((YUNET, pack_yunet, "yunet.onnx"), (SFACE, pack_sface, "sface.onnx")):
        original = (arguments.originals / name).read_bytes()
        if hashlib.sha256(original).hexdigest() != SHA256[name]:
            raise SystemExit(f"{name} is not the file that is packed here; its sha256 should be {SHA256[name]}")
        model = pack(onnx.load_from_string(original))
        helper.set_model_props(model, {"origin": f"OpenCV Zoo, {name}", **NOTICE[name]})
        packed = model.SerializeToString(deterministic=True)
        (arguments.out / packed_name).write_bytes(packed)
        sys.stdout.write(f"{hashlib.sha256(packed).hexdigest()}  {packed_name}  {len(packed):,} bytes\n")


def pack_yunet(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph for pictures of any height and width that 32 divides."""
    rows, columns = model.graph.input[0].type.tensor_type.shape.dim[2:]
    rows.dim_param, columns.dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"cells_{output.name.split('_')[1]}"
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def pack_sface(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function of a crop, in fewer and cheaper steps, with weights in half precision.

    Each batch normalisation is folded into the layer before it, or, in front of the last layer, behind it.
    A PReLU with slopes a, slow in ONNX Runtime, becomes one ReLU and one sum:

        a x + (1 - a) relu(x) = sign(1 - a) (relu(z) + b z),   z = |1 - a| x,   b = a / (1 - a)

    where |1 - a| goes into the layer before and the sign into the layer after. Weights of the large layers
    are stored as float16 and cast back when the file is loaded; slopes and biases stay float32.
    """
    chain = [node for node in model.graph.node if node.op_type not in ("Dropout", "Flatten")]
    values = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    packed = Packed("crops")
    packed.step("Sub", values[chain[0].input[1]])
    packed.step("Mul", values[chain[1].input[1]])
    sign: Array = np.ones(3)
    rest = chain[2:]
    while rest[0].op_type == "Conv":
        conv, norm, prelu = rest[:3]
        rest = rest[3:]
        factor, shift = folded(norm, values)
        slope = values[prelu.input[1]].reshape(-1)
        size = np.abs(1 - slope)
        options = {a.name: helper.get_attribute_value(a) for a in conv.attribute}
        weights = values[conv.input[1]] * (factor * size)[:, None, None, None]
        weights *= sign[:, None, None, None] if options["group"] > 1 else sign[None, :, None, None]
        packed.step("Conv", weights, shift * size, half=True, **options)
        packed.leak(slope / (1 - slope))
        sign = np.sign(1 - slope)
    before, dense, after = rest
    factor_in, shift_in = folded(before, values)
    factor_out, shift_out = folded(after, values)
    weights = values[dense.input[1]]
    cells = weights.shape[1] // len(sign)  # positions a channel in the flattened map
    bias = (values[dense.input[2]] + weights @ np.repeat(shift_in, cells)) * factor_out + shift_out
    weights = weights * np.repeat(factor_in * sign, cells) * factor_out[:, None]
    packed.step("Flatten")
    packed.step("Gemm", weights, bias, half=True, transB=1)
    return packed.model(len(weights))


def folded(norm: onnx.NodeProto, values: dict[str, Array]) -> tuple[Array, Array]:
    """Factor and shift of a batch normalisation, one of each a channel."""
    gamma, beta, mean, variance = (values[name] for name in norm.input[1:5])
    epsilon = next(a.f for a in norm.attribute if a.name == "epsilon")
    factor = gamma / np.sqrt(variance + epsilon)
    return factor, beta - mean * factor


class Packed:
    """A chain of layers as it grows."""

    def __init__(self, name: str) -> None:
        self.source = self.last = name
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def step(self, kind: str, *values: Array, half: bool = False, **options: object) -> None:
        """Adds a layer behind the last one; with `half` its first array is stored as float16."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        inputs = [f"{name}_{place}" for place in range(len(values))]
        for place, (tensor, value) in enumerate(zip(inputs, values, strict=True)):
            if half and place == 0:
                self.tensors.append(numpy_helper.from_array(value.astype(np.float16), f"{tensor}_half"))
                self.nodes.append(helper.make_node("Cast", [f"{tensor}_half"], [tensor], to=TensorProto.FLOAT))
            else:
                self.tensors.append(numpy_helper.from_array(value.astype(np.float32), tensor))
        self.nodes.append(helper.make_node(kind, [self.last, *inputs], [name], **options))
        self.last = name

    def leak(self, slope: Array) -> None:
        """relu(z) + slope z, the product as a convolution of one weight a channel."""
        z = self.last
        self.step("Relu")
        positive, self.last = self.last, z
        self.step("Conv", slope.reshape(-1, 1, 1, 1), group=len(slope), kernel_shape=[1, 1])
        name = f"sum_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Add", [self.last, positive], [name]))
        self.last = name

    def model(self, dimension: int) -> onnx.ModelProto:
        """The chain as a model: crops (faces, 3, 112, 112) to features (faces, dimension)."""
        self.nodes[-1].output[0] = "features"
        graph = helper.make_graph(
            self.nodes,
            "sface",
            [helper.make_tensor_value_info(self.source, TensorProto.FLOAT, ["faces", 3, 112, 112])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["faces", dimension])],
            self.tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model


if __name__ == "__main__":
    main()
