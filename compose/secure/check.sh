#!/usr/bin/env bash
# Plays the demo of README.md beside it and checks what it promises: who comes without TLS, without a certificate or as
# nobody is refused on every link; traffic; a fourth node; a node that is killed is ejected, comes back empty, and nobody
# reads what is old. Needs Docker with Compose, nothing else; about three minutes. Exit code 0: all held.
#
#   DEMO_CHECK_BUILD     --build (default) or --no-build
#   and the variables of ../README.md (images, ports).
# Runs beside a demo that is up only with other ports.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

project=ringproxy-secure-check
build=${DEMO_CHECK_BUILD:---build}
told_of=(certificates etcd-users etcd redis-1 redis-2 ringproxy-1 ringproxy-2 load)
# shellcheck source=../checking.sh
source ../checking.sh

ring() { compose exec -T ringproxy-1 ringproxy ring "$@"; }

# A JavaScript expression over what `ring show` says, as `ring`. Node.js is in the proxy's image.
ring_is() {
  ring show --json | "${engine[@]}" -p "$project" -f compose.yaml exec -T ringproxy-1 node -e 'let t = "";
    process.stdin.on("data", (d) => { t += d; }).on("end", () => {
      const ring = JSON.parse(t); process.exit(('"$1"') ? 0 : 1); });'
}

# Runs redis-cli in a node's container. What it says, errors too, whatever its exit code is.
redis_cli() { compose exec -T redis-1 redis-cli "$@" 2>&1 || true; }
refused() { # description, text to find, redis-cli's words…
  local what=$1 text=$2 said
  shift 2
  said=$(redis_cli "$@")
  grep -Eqi "$text" <<<"$said" || fail "$what: expected '$text', and it says: $said"
  ok "$what: $(grep -m 1 . <<<"$said")"
}

# What the admin API answers: its status.
admin_status() { # token, method, path
  compose exec -T ringproxy-1 node -e 'const [token, method, path] = process.argv.slice(1);
    require("node:https").request({ host: "localhost", port: 6390, path, method, ca: require("node:fs").readFileSync("/tls/ca.crt"),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } }, (a) => { console.log(a.statusCode); a.resume(); })
      .end(method === "POST" ? "{\"kind\":\"remove\",\"remove\":[\"node3\"],\"dryRun\":false,\"noDrain\":true}" : "");' "$@" | tr -d '\r'
}

trap 'compose down --volumes --timeout 5 >/dev/null 2>&1' EXIT

step 'up'
compose up --detach "$build" || fail 'it does not start'
until_true 90 'three proxies serve one ring of three nodes' \
  ring_is 'ring.proxies.filter((p) => p.alive).length === 3 && ring.nodes.length === 3 && ring.nodes.every((n) => n.state === "active")'
ring show

step 'every link wants TLS, a login, or both'
tls=(--tls --cacert /tls/ca.crt)
own=(--cert /tls/redis.crt --key /tls/redis.key)
refused 'a client without TLS' 'closed|reset|error' -h ringproxy-1 -p 6380 PING
refused 'a client as nobody' 'NOAUTH' -h ringproxy-1 -p 6380 "${tls[@]}" GET page:1
refused 'a client with a wrong password' 'WRONGPASS' -h ringproxy-1 -p 6380 "${tls[@]}" --user load --pass wrong --no-auth-warning GET page:1
refused 'a user at keys of others' 'NOPERM' -h ringproxy-1 -p 6380 "${tls[@]}" --user load --pass load-of-the-demo --no-auth-warning GET secret:1
refused 'a user with a command of others' 'NOPERM' -h ringproxy-1 -p 6380 "${tls[@]}" --user load --pass load-of-the-demo --no-auth-warning FLUSHALL
refused 'whoever does not know the authority' 'certificate verify failed' -h ringproxy-1 -p 6380 --tls --user load --pass load-of-the-demo --no-auth-warning PING
refused 'at a node: without TLS' 'closed|reset|error' -h redis-2 PING
refused 'at a node: without a certificate' 'certificate required|closed|reset|error' -h redis-2 "${tls[@]}" --user ringproxy --pass nodes-of-the-demo --no-auth-warning PING
refused 'at a node: as nobody' 'NOAUTH' -h redis-2 "${tls[@]}" "${own[@]}" PING
etcdctl() { compose exec -T etcd etcdctl --endpoints https://localhost:2379 --cacert /tls/ca.crt "$@" 2>&1 || true; }
said=$(etcdctl --dial-timeout 2s --command-timeout 2s get --prefix /ringproxy/)
grep -Eqi 'deadline|certificate|bad' <<<"$said" || fail "etcd lets in whoever shows no certificate: $said"
ok 'at etcd: without a certificate'
said=$(etcdctl --cert /tls/etcd.crt --key /tls/etcd.key get --prefix /ringproxy/)
grep -Eqi 'permission denied|not found' <<<"$said" || fail "etcd lets anybody read the ring: $said"
ok "at etcd: as nobody"
[ "$(admin_status nobody GET /v1/ring)" = 401 ] || fail 'the admin API lets anybody in'
[ "$(admin_status viewer-token-of-the-demo GET /v1/ring)" = 200 ] || fail 'a viewer may not look'
[ "$(admin_status viewer-token-of-the-demo POST /v1/ring/changes)" = 403 ] || fail 'a viewer may change the ring'
[ "$(admin_status operator-token-of-the-demo POST /v1/ring/changes)" = 403 ] || fail 'an operator may lose keys'
ok 'the admin API: a viewer looks, an operator loses no keys'

step 'traffic'
report_says 'traffic runs without errors' '"stale":0,"errors":0,"wrong":0,"lost":0}'
prometheus_sees() {
  compose exec -T ringproxy-1 node -e 'fetch("http://prometheus:9090/api/v1/query?query=sum(up)").then((r) => r.json())
    .then((b) => process.exit(b.data.result[0]?.value[1] === "3" ? 0 : 1), () => process.exit(1));'
}
until_true 60 'Prometheus scrapes the three by HTTPS' prometheus_sees

step 'a fourth node'
ring add node4=redis-4:6379
report_says 'no client noticed' '"stale":0,"errors":0,"wrong":0,"lost":0}'

step 'a node is killed'
compose kill redis-2
until_true 60 'node2 is ejected' ring_is 'ring.nodes.find((n) => n.name === "node2")?.state === "ejected"'
report_says 'no more errors: its keys are misses now, written anew at the other nodes' '"stale":0,"errors":0,"wrong":0,"lost":[0-9]+}'
ring show
compose start redis-2
until_true 90 'node2 is back, and the ring is stable' \
  ring_is 'ring.phase === "stable" && ring.nodes.find((n) => n.name === "node2")?.state === "active"'
report_says 'traffic goes on, and nobody reads what is old' '"stale":0,"errors":0,"wrong":0,"lost":[0-9]+}'
ring show
ring history

step 'the balance'
compose stop --timeout 15 load
verdict=$(compose logs --no-color load | grep -o '[0-9,]* stale reads, .*') || fail 'the load generator did not end by itself'
echo "$verdict"
grep -q '^0 stale reads, [1-9]' <<<"$verdict" || fail 'stale reads'
grep -Eq 'of which [1-9]' <<<"$verdict" || fail 'the load generator does not notice that the keys of node2 are gone'

printf '\nThe demo does what its README says.\n'
