# perl delay-line.pl A B MILLISECONDS: makes two network interfaces (TAP), and hands each frame that one of them is sent
# over to the other, so much later, in order. Prints `ready` when they are there; they go with the process.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_NONBLOCK);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant TUNSETIFF => 0x400454ca;
use constant { IFF_TAP => 0x0002, IFF_NO_PI => 0x1000 };
# More than a frame has.
use constant BYTES => 65536;

my ($first, $second, $delay) = @ARGV;
my @taps = map { tap($_) } $first, $second;
my @queues = ([], []);
$| = 1;
print "ready\n";

for (;;) {
  my $now = clock_gettime(CLOCK_MONOTONIC);
  my $wait;
  for my $from (0, 1) {
    my $queue = $queues[$from];
    while (@$queue && $queue->[0][0] <= $now) {
      my $frame = shift @$queue;
      # An interface that takes no more drops it, as any does.
      syswrite($taps[1 - $from], $frame->[1]);
    }
    next unless @$queue;
    my $left = $queue->[0][0] - $now;
    $wait = $left if !defined $wait || $left < $wait;
  }
  my $readable = '';
  vec($readable, fileno($_), 1) = 1 for @taps;
  next if select($readable, undef, undef, $wait) <= 0;
  for my $from (0, 1) {
    next unless vec($readable, fileno($taps[$from]), 1);
    my $due = clock_gettime(CLOCK_MONOTONIC) + $delay / 1000;
    while (sysread($taps[$from], my $frame, BYTES)) {
      push @{$queues[$from]}, [$due, $frame];
    }
  }
}

sub tap {
  my ($name) = @_;
  sysopen(my $file, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!";
  ioctl($file, TUNSETIFF, pack('Z16 s x22', $name, IFF_TAP | IFF_NO_PI)) or die "TUNSETIFF $name: $!";
  return $file;
}
