"""The stages of the DevSecOps pipeline."""
