"""Other scanners, run beside our own checks when they are installed: second witnesses, never the only ones."""
