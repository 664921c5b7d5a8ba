# seed: one connection for the life of the sandbox.
sub { HTTP::Tiny->new(keep_alive => 1) }
