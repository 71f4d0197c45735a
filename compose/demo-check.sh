#!/usr/bin/env bash
# Plays the demo of README.md and checks what it promises: up, traffic over two proxies, a fourth node while the traffic
# runs, a proxy killed in the middle of a change, etcd killed, a stranger refused, a node killed, a proxy stopped and
# started, down. Needs Docker with Compose, nothing else; about six minutes. Exit code 0: all held.
#
#   DEMO_CHECK_SERVICES  services to start; default: all of them
#   DEMO_CHECK_BUILD     --build (default) or --no-build
#   and the variables of README.md (images, ports).
# Runs beside a demo that is up only with other ports.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

project=ringproxy-demo-check
# A container beside those of the demo.
extra=$project-extra
build=${DEMO_CHECK_BUILD:---build}
read -ra services <<<"${DEMO_CHECK_SERVICES:-}"
told_of=(etcd ringproxy-1 ringproxy-2 load)
# shellcheck source=checking.sh
source checking.sh

# The proxy that is asked: any of them does.
asked=ringproxy-1

ring() { compose exec -T "$asked" ringproxy ring "$@"; }

# A JavaScript expression over what `ring show` says, as `ring`.
ring_is() {
  ring show --json | compose_node 'let t = ""; process.stdin.on("data", (d) => { t += d; }).on("end", () => {
    const ring = JSON.parse(t); process.exit(('"$1"') ? 0 : 1); });'
}

# Node.js is in the proxy's image: nothing on this machine is needed to read JSON or to ask over HTTP.
compose_node() { "${engine[@]}" -p "$project" -f compose.yaml exec -T "$asked" node -e "$1"; }

health_is() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(compose ps -q "$1")")" = "$2" ]; }

# Two proxies that live, and agree.
fleet_is_whole() {
  ring_is 'ring.coordination.reachable && ring.proxies.filter((p) => p.alive && p.generation === ring.generation).length === 2'
}

# Whether Prometheus has at least one series for this expression.
prometheus_has() {
  compose_node 'fetch("http://prometheus:9090/api/v1/query?query=" + encodeURIComponent('"'$1'"'))
    .then((r) => r.json()).then((b) => process.exit(b.data.result.length > 0 ? 0 : 1), () => process.exit(1));' </dev/null
}

prometheus_lacks() { ! prometheus_has "$1"; }

# No errors, no wrong values; and no acknowledged write lost, until a node is killed and takes its keys along.
clean='"errors":0,"wrong":0,"lost":0}'
clean_report() { report_says "$1" "$clean"; } # description

# Whoever was at the proxy that was killed is told so; nothing else happens.
unharmed_reports() { # description, report from which on
  local harmed
  harmed=$(reports | tail -n +"$2" | grep -v '"wrong":0,"lost":0}' || true)
  [ -z "$harmed" ] || fail "$1: $harmed"
  echo "ok: $1"
}

# Reports from here on without errors, as soon as there is one.
traffic_is_back() { reports | tail -n +$((before + 2)) | grep -E "$clean"; }

trap 'docker rm --force "$extra" >/dev/null 2>&1; compose down --volumes --timeout 5 >/dev/null 2>&1' EXIT

step 'up'
compose up --detach "$build" ${services[@]+"${services[@]}"}
for asked in ringproxy-2 ringproxy-1; do
  until_true 60 "$asked serves three nodes" ring_is 'ring.nodes.length === 3 && ring.nodes.every((n) => n.state === "active")'
  [ "$(compose exec -T "$asked" id -u)" != 0 ] || fail 'the proxy runs as root'
  echo 'ok: it does not run as root'
  until_true 30 'its health check says healthy' health_is "$asked" healthy
done
until_true 30 'the two share one ring' fleet_is_whole
exec 3<>"/dev/tcp/127.0.0.1/${CACHE_PORT:-6380}"
printf 'PING\r\n' >&3
read -r -t 5 pong <&3 || pong=nothing
exec 3>&-
[ "${pong%$'\r'}" = '+PONG' ] || fail "the published port answers '$pong'"
echo 'ok: the published port answers PING'

step 'traffic'
clean_report 'traffic runs without errors'
until_true 60 'Prometheus scrapes both proxies' prometheus_has 'sum(up{job="ringproxy"}) == 2'
until_true 60 'both of them have clients' prometheus_has 'count(ringproxy_client_connections > 0) == 2'

step 'a second proxy on the state of the first'
has_ended() { [ "$(docker inspect --format '{{.State.Status}}' "$extra")" = exited ]; }
compose run --detach --no-deps --name "$extra" ringproxy-1 >/dev/null
until_true 60 'it refuses to start' has_ended
docker logs "$extra" 2>&1 | grep -q 'is in use by a proxy in another container' || fail 'it does not say why it refuses'
docker rm --force "$extra" >/dev/null

step 'a proxy that is none of the fleet on the same nodes'
compose run --detach --no-deps --name "$extra" -e RINGPROXY_COORDINATION=none -e RINGPROXY_ETCD_ENDPOINTS= \
  ringproxy-1 serve --listen 0.0.0.0:6380 --admin 0.0.0.0:6390 >/dev/null
until_true 30 'it serves' docker exec "$extra" ringproxy ring show
refused=$(ring add node4=redis-4:6379 2>&1) && fail "the ring is changed all the same: $refused"
echo "$refused"
grep -q "$(docker exec "$extra" hostname -i | cut -d' ' -f1)" <<<"$refused" || fail 'it does not say where the stranger is'
docker rm --force "$extra" >/dev/null
echo 'ok: the ring is not changed while it is there'

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

step 'a proxy is killed in the middle of a change'
before=$(count_reports)
ring set-weight node4 3 --throttle 500 --detach
until_true 30 'keys move' ring_is 'ring.change !== null && ring.change.keysMoved > 100'
compose kill ringproxy-1
asked=ringproxy-2
until_true 120 'the other one brings the change to its end' ring_is 'ring.phase === "stable" && ring.generation === 3'
until_true 60 'traffic is back, and without errors' traffic_is_back
unharmed_reports 'no value was wrong, and no acknowledged write lost' $((before + 1))
compose start ringproxy-1
until_true 60 'it is back in the fleet' fleet_is_whole
ring set-weight node4 1
until_true 60 'nobody waits for the one that was killed' ring_is 'ring.phase === "stable" && ring.generation === 4'
ring show

step 'etcd is killed'
compose kill etcd
until_true 30 'the proxies say so' ring_is 'ring.coordination.reachable === false'
clean_report 'traffic goes on without it'
refused=$(ring set-weight node4 2 2>&1) && fail "the ring is changed without it: $refused"
echo "$refused"
echo 'ok: the ring cannot be changed meanwhile'
compose start etcd
until_true 60 'the fleet is whole again' fleet_is_whole
ring set-weight node4 2
until_true 30 'the ring can be changed again' ring_is 'ring.phase === "stable" && ring.generation === 5'
clean_report 'traffic went on all the time'

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

step 'a proxy is stopped and started'
# Its clients go to the other one, as the balancer and they notice.
before=$(count_reports)
stopping=$SECONDS
proxy=$(compose ps -q ringproxy-2)
compose stop ringproxy-2
[ "$(docker inspect --format '{{.State.ExitCode}}' "$proxy")" = 0 ] || fail 'the proxy did not end by itself'
echo "ok: it ended by itself within $((SECONDS - stopping + 1)) s"
asked=ringproxy-1
until_true 10 'it has left the fleet' ring_is 'ring.proxies.length === 1'
until_true 60 'traffic goes on, and without errors' traffic_is_back
compose start ringproxy-2
asked=ringproxy-2
until_true 60 'it knows the ring' ring_is 'ring.generation === 6 && ring.nodes.map((n) => n.name).sort().join() === "node1,node3,node4"'
until_true 60 'it is back in the fleet' fleet_is_whole

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
