"""The lies, one file a kind; each is told where it is defined."""
