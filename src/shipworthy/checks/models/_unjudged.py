"""What is no model, by what its reader says of it."""

from __future__ import annotations

from shipworthy.patterns import regex

# What the readers say of texts, pictures and unknown bytes, which are no models; an archive is full of them.
NO_MODEL = regex(
    r"(?:this version |it )?(?:does not read the format (?:text|xml|png|jpeg|parquet|arrow|protobuf)|"
    r"it is an HTML page, not a model: .*|does not judge JSON of this kind|does not judge YAML of this kind|"
    r"its YAML is of a kind that this version does not read .*|"
    r"the YAML is not UTF-8|the template is (?:not UTF-8|larger than .*)|the MLmodel names no flavor|"
    r"the format is not recognised|the file is empty|is not valid JSON \(.*|are not explained by the format .*)\Z"
)
