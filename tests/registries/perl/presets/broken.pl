# broken: a file with an error in it.
die "no such setting";
