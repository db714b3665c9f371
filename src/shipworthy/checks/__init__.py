"""One file, one check; the folder is its category."""
