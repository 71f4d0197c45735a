"""Celery with its defaults: a worker in processes of its own, priorities, chains, groups, chords, retries, control."""

import subprocess
import sys
import time

import redis
from celery import chain, chord, group

from celery_tasks import add, app, fails, note, noted_error, succeeds_at_last, total
from steps import PORT, step

WAIT = 60
r = redis.Redis(port=PORT, decode_responses=True)


def until(condition):
    """Asks again and again until there is an answer."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    return None


# Sent before anybody takes them, so that their order is that of the broker: a list for each priority.
step(
    "send with priorities",
    lambda: [
        bool(note.apply_async((f"{priority}:{i}",), priority=priority)) for i in range(3) for priority in (9, 6, 0, 3)
    ],
)
step("queues", lambda: {key: r.llen(key) for key in r.scan_iter("celery*", _type="LIST")})
# One at a time: an order can be seen. Everything else as it is.
# It does not outlive this program.
command = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "--",
    sys.executable,
    "-m",
    "celery",
    "-A",
    "celery_tasks",
    "worker",
    "-c",
    "1",
    "--prefetch-multiplier",
    "1",
]
worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
try:
    step("run by priority", lambda: until(lambda: r.llen("noted") == 12 and r.lrange("noted", 0, -1)))
    step("results", lambda: [add.delay(i, i).get(timeout=WAIT) for i in range(10)])
    step("many at once", lambda: [result.get(timeout=WAIT) for result in [add.delay(i, 1) for i in range(30)]])
    step("a failure (fails)", lambda: fails.delay().get(timeout=WAIT))
    step("retries", lambda: succeeds_at_last.delay().get(timeout=WAIT))
    step("countdown", lambda: add.apply_async((1, 2), countdown=0.1).get(timeout=WAIT))
    step("chain", lambda: chain(add.s(1, 1), add.s(10), add.s(100)).delay().get(timeout=WAIT))
    step("group", lambda: group(add.s(i, i) for i in range(8)).delay().get(timeout=WAIT))
    step(
        "chord", lambda: [chord((add.s(i, n) for i in range(6)), total.s()).delay().get(timeout=WAIT) for n in range(4)]
    )
    step(
        "chord of chains",
        lambda: chord([chain(add.s(i, 1), add.s(1)) for i in range(4)], total.s()).delay().get(timeout=WAIT),
    )
    step(
        "chord with a failure (fails)",
        lambda: chord([add.s(1, 1), fails.s()], total.s().on_error(noted_error.s())).delay().get(timeout=WAIT),
    )
    step("its error", lambda: until(lambda: r.lrange("errors", 0, -1)))
    step(
        "forgotten",
        lambda: [
            (lambda result: [result.get(timeout=WAIT), result.forget(), r.exists(f"celery-task-meta-{result.id}")])(
                add.delay(1, 1)
            )
            for _ in range(5)
        ],
    )
    # Workers are asked over publish/subscribe, and answer into a list of the asker's.
    step("ping", lambda: [list(answer.values()) for answer in app.control.ping(timeout=5, limit=1)])
    step(
        "registered",
        lambda: sorted(
            task for tasks in (app.control.inspect(timeout=5, limit=1).registered() or {}).values() for task in tasks
        ),
    )
    step(
        "active queues",
        lambda: [
            queue["name"]
            for queues in (app.control.inspect(timeout=5, limit=1).active_queues() or {}).values()
            for queue in queues
        ],
    )
    step("purge of nothing", lambda: app.control.purge())
finally:
    worker.terminate()
    _, log = worker.communicate()
    # Without the time, and without the failures' traces.
    step(
        "errors in the worker's log",
        lambda: [line.split("] ", 1)[1] for line in log.splitlines() if "ERROR" in line or "CRITICAL" in line],
    )
step("warm shutdown", lambda: worker.returncode)
step("nothing left to acknowledge", lambda: [r.hlen("unacked"), r.zcard("unacked_index")])
for i in range(5):
    add.delay(i, i)
step("purge", lambda: [r.llen("celery"), app.control.purge(), r.llen("celery")])
