# default: as the library makes it. It keeps one connection, without a limit.
sub { HTTP::Tiny->new }
