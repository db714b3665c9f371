"""What a builder cannot do."""


class Unsupported(Exception):
    """A form of an instruction that the built-in engine does not know."""
