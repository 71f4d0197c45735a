#!/usr/bin/env bash
# Runs demo-check.sh and secure/check.sh where there is no Docker engine and no registry of images: starts an engine of its own, in a
# network namespace of its own, with images made from Debian packages in the place of the public ones. Grafana, which
# Debian lacks, is left out.
#
# Needs root on Debian 12, and: docker (client), dockerd, docker-compose, debootstrap, iproute2, iptables, Node.js with
# npm. Everything that it makes is below the folder that is given (default: one below /tmp), and goes with it, but for
# the root file system of the images, which is kept for the next time when a folder is given.
#
#   compose/demo-check-offline.sh [FOLDER]
#
#   DEMO_CHECKS  which of the two: demo, secure, or both (default)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
keep=${1:+yes}
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
namespace=ringproxy-demo-$$
engine_pid=
export DOCKER_HOST=unix://$folder/docker.sock DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0

end_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  engine_pid=
}
clean_up() {
  end_engine
  ip netns del "$namespace" 2>/dev/null || true
  # What the engine leaves mounted, such as the network name space of containers that shared its own.
  awk -v below="$folder/run/" 'index($2, below) == 1 { print $2 }' /proc/mounts | xargs -r umount --lazy
  rm -rf "$folder/data" "$folder/run" "$folder"/docker.*
  [ "$keep" = yes ] || rm -rf "$folder"
}
trap clean_up EXIT

# In front of it: where it runs. Behind: the engine's flags.
start_engine() {
  "$@" --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/docker.pid" \
    --host "$DOCKER_HOST" --storage-driver overlay2 >"$folder/docker.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 100); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.3
  done
  tail -n 20 "$folder/docker.log" >&2
  echo 'dockerd does not start' >&2
  exit 1
}

build() { docker build "$@" >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log" >&2; exit 1; }; }

for program in docker dockerd docker-compose debootstrap ip iptables node npm; do
  command -v "$program" >/dev/null || { echo "$program is missing: see the top of $0" >&2; exit 2; }
done

echo '── images from Debian packages (the first time: a few minutes)'
root=$folder/rootfs
if [ ! -e "$root/usr/bin/node" ] || [ ! -e "$root/usr/bin/openssl" ]; then
  # Of before: without something that is needed by now.
  [ -e "$root/usr/bin/etcd" ] && [ -e "$root/usr/bin/openssl" ] || rm -rf "$root"
  [ -e "$root/usr/bin/prometheus" ] || debootstrap --variant=minbase \
    --include=ca-certificates,redis-server,haproxy,prometheus,etcd-server,etcd-client,openssl bookworm "$root" >"$folder/debootstrap.log"
  # Debian 12 has Node.js 18. The one that the Dockerfile asks for comes as a package of npm's.
  recommended=$(node "$here/../cli/bootstrap/recommended-node.mjs")
  npm_folder=$(npm root --global)/npm
  mkdir -p "$root$npm_folder"
  cp -a "$npm_folder/." "$root$npm_folder/"
  ln -sf "$npm_folder/bin/npm-cli.js" "$root/usr/bin/npm"
  # Last: it says that the file system is whole.
  cp -L "$recommended" "$root/usr/bin/node"
fi
# Whatever this machine trusts, the build has to trust as well, to reach its package registry.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

# No bridge and no addresses while images are built: npm uses this machine's own network.
start_engine dockerd --bridge=none --iptables=false --ip-forward=false --ip-masq=false
tar -C "$root" -c . | docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - stand-in:base >/dev/null
docker tag stand-in:base stand-in:redis
docker tag stand-in:base stand-in:haproxy
docker tag stand-in:base stand-in:etcd
docker tag stand-in:base stand-in:node
docker tag stand-in:base stand-in:openssl
# Made as the public image is: the program is the entry point, and the folder of the data is there.
build -t stand-in:prometheus - <<'DOCKERFILE'
FROM stand-in:base
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/usr/bin/prometheus"]
DOCKERFILE
for target in ringproxy load; do
  echo "── docker build --target $target"
  build --network host -f "$here/Dockerfile" --target "$target" --build-arg NODE_IMAGE=stand-in:node \
    -t "stand-in:$target" "$here/.."
done
base=$(docker image inspect --format '{{.Size}}' stand-in:base)
size=$(docker image inspect --format '{{.Size}}' stand-in:ringproxy)
echo "the proxy's image adds $(((size - base) / 1000000)) MB to its base"
end_engine

echo '── in a network of its own'
ip netns add "$namespace"
ip -n "$namespace" link set lo up
# Not `ip netns exec`, which would hide the control groups.
within=(nsenter "--net=/var/run/netns/$namespace")
start_engine "${within[@]}" dockerd
export REDIS_IMAGE=stand-in:redis HAPROXY_IMAGE=stand-in:haproxy ETCD_IMAGE=stand-in:etcd PROMETHEUS_IMAGE=stand-in:prometheus OPENSSL_IMAGE=stand-in:openssl
export RINGPROXY_IMAGE=stand-in:ringproxy LOAD_IMAGE=stand-in:load NODE_IMAGE=stand-in:node
export DEMO_CHECK_BUILD=--no-build
export DEMO_CHECK_SERVICES='redis-1 redis-2 redis-3 redis-4 etcd ringproxy-1 ringproxy-2 balancer load prometheus'
for check in ${DEMO_CHECKS:-demo secure}; do
  echo "── the $check's check"
  case $check in
    demo) "${within[@]}" bash "$here/demo-check.sh" ;;
    secure) "${within[@]}" bash "$here/secure/check.sh" ;;
  esac
done
