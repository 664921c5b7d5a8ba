"""The matrix: client × close mode × link × request × preset, each cell measured on real clients and real freezes."""
