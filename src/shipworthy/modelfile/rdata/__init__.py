"""R data: .rds and .RData."""
