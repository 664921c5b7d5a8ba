"""What changed between two runs, of scenarios or of a matrix."""
