"""ONNX models, run by one thread each on the processor."""

from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).resolve().parent / "weights"
QUIET = 3  # errors only


def open_session(model: bytes) -> Any:
    """An ONNX Runtime session of `model`, the content of an .onnx file.

    One thread a call: the photos are spread over threads instead, which may all call `run` of one session.
    Raises what ONNX Runtime raises for bytes that are no model.
    """
    import onnxruntime  # noqa: PLC0415  # 0.1 s that nobody should pay who brings features of their own

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
