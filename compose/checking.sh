# What the checks of the demos have in common. Sourced by demo-check.sh and secure/check.sh, which have set `project`, and
# `told_of`: the services whose logs tell why a check has failed.
# shellcheck shell=bash disable=SC2154

if docker compose version >/dev/null 2>&1; then engine=(docker compose); else engine=(docker-compose); fi

compose() { "${engine[@]}" -p "$project" -f compose.yaml "$@" </dev/null; }
step() { printf '\n── %s\n' "$*"; }
ok() { echo "ok: $*"; }
fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  compose ps >&2 || true
  compose logs --tail=30 "${told_of[@]}" >&2 || true
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
  ok "$what"
}

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

# What the next report says, and that there is traffic.
report_says() { # description, what it must have
  local report
  report=$(next_report)
  echo "$report"
  grep -Eq "$2" <<<"$report" || fail "$1: it should have $2: $report"
  grep -Eq '"commandsPerSecond":[1-9][0-9]{2,}' <<<"$report" || fail "$1: hardly any traffic: $report"
  ok "$1"
}
