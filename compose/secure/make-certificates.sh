#!/bin/sh
# Makes an authority of the demo's own, and what it signs: for the nodes, etcd, and the proxies.
#   make-certificates.sh FOLDER
# What is there stays. The authority's key is thrown away: nobody can sign anything else.
set -eu
cd "$1"
[ ! -e ca.crt ] || exit 0
umask 077
key() { echo "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1"; }

# shellcheck disable=SC2046
openssl req -x509 -days 90 -subj '/CN=authority of the ringproxy demo' $(key ca.key) -out new-ca.crt

# Name, and the names by which it is reached. Each of them is a client as well: nodes and etcd ask for certificates. None
# has a common name (CN): with users, etcd's JSON gateway refuses clients whose certificate has one.
issue() {
  printf 'subjectAltName=%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$1.ext"
  # shellcheck disable=SC2046
  openssl req -new -subj "/O=ringproxy demo/OU=$1" $(key "$1.key") -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA new-ca.crt -CAkey ca.key -CAcreateserial -days 90 -extfile "$1.ext" -out "$1.crt"
  rm "$1.ext" "$1.csr"
}
issue redis DNS:redis-1,DNS:redis-2,DNS:redis-3,DNS:redis-4
issue etcd DNS:etcd
issue ringproxy DNS:ringproxy-1,DNS:ringproxy-2,DNS:ringproxy-3,DNS:balancer

rm ca.key
# Certificates are for everybody, keys for whom they are made: by the users of compose.yaml.
chmod 644 ./*.crt
chmod 755 .
if [ "$(id -u)" = 0 ]; then
  chown 1000 ringproxy.key
  chown 1001 redis.key
fi
# Last: it says that the others are there.
mv new-ca.crt ca.crt
