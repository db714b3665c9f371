"""The stages of the MLSecOps pipeline."""
