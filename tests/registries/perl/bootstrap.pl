# A function in Perl, and the runtime client that Perl does not have: asks the Runtime API for events and answers them.
# docs/functions.md is its contract; it keeps as much of it as one scenario needs.
use v5.26;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_REALTIME);

# A preset as the answer names it, and the client that it makes.
sub made {
    my ($name) = @_;
    my $file   = dirname(__FILE__) . "/presets/$name.pl";
    my $source = do { local $/; open my $opened, '<', $file or die "$file: $!"; <$opened> };
    my $make   = do $file or die "$file: ", $@ || $!;
    return {name => $name, sha256 => sha256_hex($source)}, $make->();
}

my $json   = JSON::PP->new->canonical->utf8;
my $api    = "http://$ENV{AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation";
my $url    = $ENV{UPSTREAM_URL};
my $own    = "perl-$$-" . clock_gettime(CLOCK_MONOTONIC);
my $count  = 0;
my ($preset, $client) = made($ENV{THAWLAB_PRESET});

# The nanoseconds by which the laboratory has moved the monotonic clock on: a field of the clock page, which has another
# one for how many processes have taken notice of the page (lambda_app/shims/time/shared.h).
use constant {OFFSET_AT => 16, ATTACHED_AT => 64};
my $page;
if (defined(my $path = $ENV{THAWLAB_CLOCK})) {
    open $page, '<:raw', $path or die "$path: $!";
}

sub field {
    my ($position, $length, $format) = @_;
    sysseek $page, $position, 0 or die "the clock page: $!";
    (sysread($page, my $bytes, $length) // -1) == $length or die "the clock page is too short";
    return unpack $format, $bytes;
}

sub offset { return $page && field(ATTACHED_AT, 4, 'L<') ? field(OFFSET_AT, 8, 'q<') : 0 }

# Seconds of CLOCK_MONOTONIC as the machine has it: the journal's clock, without the jumps.
sub now {
    for (my $before = offset();;) {
        my $seconds = clock_gettime(CLOCK_MONOTONIC);
        my $after   = offset();
        return $seconds - $after / 1e9 if $after == $before;
        $before = $after;    # a jump came between
    }
}

# The port of the connection that the client keeps; undef if it keeps none.
sub port {
    my $handle = $client->{handle} or return undef;
    return $handle->{fh} && $handle->{fh}->sockport;
}

sub outcome {
    my ($answer) = @_;
    return $answer->{status} < 400 ? 'ok' : 'http-error' if $answer->{status} != 599;
    local $_ = $answer->{content};
    return 'reset'   if /reset by peer/i;
    return 'epipe'   if /broken pipe/i;
    return 'eof'     if /unexpected end of stream/i;
    return 'timeout' if /timed out/i;
    return 'refused' if /refused/i;
    return 'other';
}

sub ask {
    my ($asked) = @_;
    my $before  = port();
    my $started = now();
    my $method  = $asked->{method} // 'POST';
    my $path    = $asked->{path}   // ($method eq 'POST' ? '/orders' : '/orders/any');
    my $answer  = $client->request($method, "$url$path", {headers => {'X-Request-Id' => $asked->{id}}});
    my $ended   = now();
    my $failed  = $answer->{status} == 599;
    my $error   = $failed ? $answer->{content} =~ s/\s*\n\s*/ /gr : undef;
    my $after   = $failed ? $before : port();
    my $reused  = defined $before && defined $after && $before == $after;
    return {
        id       => $asked->{id},
        method   => $method,
        outcome  => outcome($answer),
        status   => $failed ? undef : 0 + $answer->{status},
        error    => $error,
        chain    => $failed ? [{type => 'HTTP::Tiny', errno => undef, message => $error}] : [],
        attempts => [{local_port => defined $after ? 0 + $after : undef, reused => $reused ? JSON::PP::true : JSON::PP::false}],
        started  => $started,
        ended    => $ended,
    };
}

my $runtime = HTTP::Tiny->new(timeout => 86400);
while (1) {
    my $next  = $runtime->get("$api/next");
    my $id    = $next->{headers}{'lambda-runtime-aws-request-id'} or die $next->{content};
    my $clock = {monotonic => clock_gettime(CLOCK_MONOTONIC), wall => clock_gettime(CLOCK_REALTIME)};
    my $event = $json->decode($next->{content});
    if (my $fresh = $event->{fresh}) {
        $url = $fresh->{upstream_url};
        ($preset, $client) = made($fresh->{preset});    # the old client ends, and with it its connection
        $count = 0;
    }
    $count++;
    my $answer = {
        sandbox    => $own,
        invocation => $count,
        cold       => $count == 1 ? JSON::PP::true : JSON::PP::false,
        ticks      => [0, 0],
        clock      => $clock,
        preset     => $preset,
        versions   => {
            language       => sprintf('Perl %vd', $^V),
            client         => "HTTP::Tiny $HTTP::Tiny::VERSION",
            runtime_client => 'bootstrap 1',
        },
        requests => [map { ask($_) } @{$event->{requests}}],
    };
    $runtime->post("$api/$id/response", {content => $json->encode($answer)});
}
