"""Where a function's program comes from: one file a language."""
