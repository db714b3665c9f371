"""XML models: PMML and OpenVINO."""
