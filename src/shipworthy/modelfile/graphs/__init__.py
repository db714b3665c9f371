"""Formats that hold a computation graph: TensorFlow, TensorFlow Lite, Core ML, and the tables that ONNX shares."""
