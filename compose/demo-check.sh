#!/usr/bin/env bash
# Plays the demo of README.md and checks what it promises: up, traffic, a fourth node while the traffic runs, a node
# killed, the proxy stopped and started, down. Needs Docker with Compose, nothing else; about four minutes. Exit code 0: all held.
#
#   DEMO_CHECK_SERVICES  services to start; default: all of them
#   DEMO_CHECK_BUILD     --build (default) or --no-build
#   and the variables of README.md (images, ports).
# Runs beside a demo that is up only with other ports.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

project=ringproxy-demo-check
build=${DEMO_CHECK_BUILD:---build}
read -ra services <<<"${DEMO_CHECK_SERVICES:-}"
if docker compose version >/dev/null 2>&1; then engine=(docker compose); else engine=(docker-compose); fi

compose() { "${engine[@]}" -p "$project" -f compose.yaml "$@" </dev/null; }
step() { printf '\n── %s\n' "$*"; }
fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  compose ps >&2 || true
  compose logs --tail=20 ringproxy load >&2 || true
  exit 1
}

# Asks again and again, since nothing tells when it has become so.
until_true() { # seconds, description, command…
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what"
    sleep 0.5
  done
  echo "ok: $what"
}

ring() { compose exec -T ringproxy ringproxy ring "$@"; }

# A JavaScript expression over what `ring show` says, as `ring`.
ring_is() {
  ring show --json | compose_node 'let t = ""; process.stdin.on("data", (d) => { t += d; }).on("end", () => {
    const ring = JSON.parse(t); process.exit(('"$1"') ? 0 : 1); });'
}

# Node.js is in the proxy's image: nothing on this machine is needed to read JSON or to ask over HTTP.
compose_node() { "${engine[@]}" -p "$project" -f compose.yaml exec -T ringproxy node -e "$1"; }

health_is() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$proxy")" = "$1" ]; }

# Whether Prometheus has at least one series for this expression.
prometheus_has() {
  compose_node 'fetch("http://prometheus:9090/api/v1/query?query=" + encodeURIComponent('"'$1'"'))
    .then((r) => r.json()).then((b) => process.exit(b.data.result.length > 0 ? 0 : 1), () => process.exit(1));' </dev/null
}

prometheus_lacks() { ! prometheus_has "$1"; }

# Reports of the load generator, one JSON object a line.
reports() { compose logs --no-color load | grep -o '{"event":"report".*'; }
count_reports() { reports | wc -l; }

# The next report that begins after now: the second from here, since the first may be about what was before.
next_report() {
  local seen deadline=$((SECONDS + 60))
  seen=$(count_reports)
  until [ "$(count_reports)" -ge $((seen + 2)) ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail 'the load generator reports nothing'
    sleep 0.5
  done
  reports | tail -n 1
}

# No errors, no wrong values; and no acknowledged write lost, until a node is killed and takes its keys along.
clean='"errors":0,"wrong":0,"lost":0}'
clean_report() { # description
  local report
  report=$(next_report)
  echo "$report"
  grep -Eq "$clean" <<<"$report" || fail "$1: errors, wrong values or lost writes: $report"
  grep -Eq '"commandsPerSecond":[1-9][0-9]{2,}' <<<"$report" || fail "$1: hardly any traffic: $report"
  echo "ok: $1"
}

trap 'compose down --volumes --timeout 5 >/dev/null 2>&1' EXIT

step 'up'
compose up --detach "$build" ${services[@]+"${services[@]}"}
until_true 60 'the proxy serves three nodes' ring_is 'ring.nodes.length === 3 && ring.nodes.every((n) => n.state === "active")'
[ "$(compose exec -T ringproxy id -u)" != 0 ] || fail 'the proxy runs as root'
echo 'ok: the proxy does not run as root'
proxy=$(compose ps -q ringproxy)
until_true 30 'its health check says healthy' health_is healthy
exec 3<>"/dev/tcp/127.0.0.1/${CACHE_PORT:-6380}"
printf 'PING\r\n' >&3
read -r -t 5 pong <&3 || pong=nothing
exec 3>&-
[ "${pong%$'\r'}" = '+PONG' ] || fail "the published port answers '$pong'"
echo 'ok: the published port answers PING'

step 'traffic'
clean_report 'traffic runs without errors'
until_true 60 'Prometheus scrapes the proxy' prometheus_has 'up{job="ringproxy"} == 1'

step 'a second proxy on the ring of the first'
second=$(compose run --rm -T --no-deps ringproxy 2>&1) && fail "it serves as well: $second"
grep -q 'is in use by a proxy in another container' <<<"$second" || fail "it does not say why it refuses: $second"
echo 'ok: it refuses to start'

step 'a fourth node is added while the traffic runs'
ring add node4=redis-4:6379 --dry-run
ring add node4=redis-4:6379
until_true 30 'the ring has four nodes and is stable' ring_is 'ring.phase === "stable" && ring.generation === 2 && ring.nodes.length === 4'
until_true 30 'node4 holds keys' ring_is 'ring.nodes.find((n) => n.name === "node4").keys > 1000'
clean_report 'traffic goes on'
noticed=$(reports | grep -v "$clean" || true)
[ -z "$noticed" ] || fail "clients noticed the change: $noticed"
echo 'ok: no client noticed: no error, no wrong value, no acknowledged write lost'
until_true 30 'Prometheus saw the keys move' prometheus_has 'sum(ringproxy_rebalance_keys_moved_total) > 1000'
ring show

step 'a node is killed'
compose kill redis-2
until_true 30 'ring show says that node2 is down' ring_is 'ring.nodes.find((n) => n.name === "node2").state === "down"'
until_true 60 'the alert RingproxyNodeDown fires' prometheus_has 'ALERTS{alertname="RingproxyNodeDown",node="node2",alertstate="firing"}'
report=$(next_report)
echo "$report"
grep -Eq '"commandsPerSecond":[1-9]' <<<"$report" || fail 'the other nodes do not go on'
grep -q '"errors":0,' <<<"$report" && fail 'nobody was told that keys are out of reach'
echo 'ok: keys of node2 fail, the others go on'
grep -q '"wrong":0,' <<<"$report" || fail 'wrong values'
clean='"errors":0,"wrong":0,"lost":[0-9]+}'
ring remove node2 --no-drain
until_true 30 'the ring goes on with three nodes' ring_is 'ring.phase === "stable" && ring.nodes.length === 3'
clean_report 'no more errors'
# Were it not so, the zeros above would say nothing.
reports | grep -E '"lost":[1-9]' >/dev/null || fail 'the load generator does not notice that the keys of node2 are gone'
echo 'ok: what node2 took along is counted as lost'
until_true 60 'the alert ends' prometheus_lacks 'ALERTS{alertname="RingproxyNodeDown",alertstate="firing"}'

step 'the proxy is stopped and started'
# Clients come back one by one, as the balancer and they notice.
before=$(count_reports)
traffic_is_back() { reports | tail -n +$((before + 2)) | grep -E "$clean"; }
stopping=$SECONDS
compose stop ringproxy
[ "$(docker inspect --format '{{.State.ExitCode}}' "$proxy")" = 0 ] || fail 'the proxy did not end by itself'
echo "ok: it ended by itself within $((SECONDS - stopping + 1)) s"
compose start ringproxy
until_true 60 'it has kept its ring' ring_is 'ring.generation === 3 && ring.nodes.map((n) => n.name).sort().join() === "node1,node3,node4"'
until_true 60 'traffic is back, and without errors' traffic_is_back

if compose ps --services --filter status=running 2>/dev/null | grep -qx grafana; then
  step 'Grafana'
  until_true 60 'Grafana has the four dashboards' compose_node 'fetch("http://grafana:3000/api/search?tag=ringproxy")
    .then((r) => r.json()).then((b) => process.exit(b.length === 4 ? 0 : 1), () => process.exit(1));'
fi

step 'down'
compose stop --timeout 15 load
compose logs --no-color load | grep '"event":"total"' || fail 'the load generator did not end by itself'
compose down --volumes --timeout 15
left=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$project")
[ -z "$left" ] || fail "containers are left: $left"

printf '\nThe demo does what its README says.\n'
