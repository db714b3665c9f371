"""Column files: Arrow and Parquet."""
