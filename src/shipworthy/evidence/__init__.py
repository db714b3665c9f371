"""Evidence: digests, manifests, statements, envelopes, model signatures, and the walk that verifies them."""
