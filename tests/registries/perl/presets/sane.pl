# sane: the library has no idle limit, so each request has a connection of its own.
sub { HTTP::Tiny->new(keep_alive => 0, timeout => 30) }
