"""HDF5: an own reader of the file format (HDF5 File Format Specification, version 3.0), of structure only."""
