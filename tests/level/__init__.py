"""Long runs that look at memory. Each is a command; a short form of it is a test."""
