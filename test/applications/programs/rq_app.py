"""RQ with its defaults: a worker that forks for each job and waits at several queues, jobs that wait for jobs."""

import logging
import threading
import time

import redis
from rq import Queue, Retry, Worker
from rq.command import send_shutdown_command
from rq.job import Job
from rq.registry import DeferredJobRegistry, FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

import rq_jobs
from steps import PORT, step

logging.disable(logging.WARNING)
r = redis.Redis(port=PORT)
names = ["high", "default", "low", "reports", "mail"]
queues = [Queue(name, connection=r) for name in names]
high, default, low, reports, mail = queues


def until(condition):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    return None


def burst():
    """Runs what there is to do."""
    return Worker(queues, connection=r).work(burst=True, logging_level="ERROR")


for queue in reversed(queues):
    for i in range(2):
        queue.enqueue(rq_jobs.note, f"{queue.name} {i}")
step("enqueued", lambda: [len(queue) for queue in queues])
step("worked off", burst)
step("in the order of the queues", lambda: r.lrange("noted", 0, -1))
step("finished", lambda: [FinishedJobRegistry(queue=queue).count for queue in queues])

jobs = {}


def enqueue():
    jobs["sum"] = [default.enqueue(rq_jobs.add, i, i) for i in range(3)]
    jobs["at front"] = default.enqueue(rq_jobs.add, 1, 1, at_front=True, result_ttl=500, meta={"who": "me"})
    jobs["fails"] = high.enqueue(rq_jobs.fails)
    jobs["once"] = mail.enqueue(rq_jobs.fails_once, retry=Retry(max=2))
    jobs["dependent"] = reports.enqueue(rq_jobs.sum_of_dependencies, depends_on=jobs["sum"])
    jobs["on the dependent"] = low.enqueue(rq_jobs.sum_of_dependencies, depends_on=jobs["dependent"])
    jobs["never"] = low.enqueue(rq_jobs.add, 1, 1, depends_on=jobs["fails"])
    jobs["canceled"] = low.enqueue(rq_jobs.note, "canceled")
    jobs["canceled"].cancel()
    jobs["many"] = mail.enqueue_many([Queue.prepare_data(rq_jobs.add, (i, 1)) for i in range(4)])
    return [[len(queue), DeferredJobRegistry(queue=queue).count] for queue in queues]


step("enqueue", enqueue)
step("worked off with dependencies", burst)


def outcome(job):
    job.refresh()
    return [job.get_status(), job.result, job.meta]


for name, found in jobs.items():
    step(f"job: {name}", lambda: [outcome(job) for job in (found if isinstance(found, list) else [found])])
step("failed", lambda: FailedJobRegistry(queue=high).count)
step("deferred", lambda: DeferredJobRegistry(queue=low).count)
step("requeue", lambda: [FailedJobRegistry(queue=high).requeue(jobs["fails"].id).get_status(), len(high)])
# Queue.empty() is left out: its script deletes keys of jobs that it does not name.
step("delete of what is queued", lambda: [jobs["fails"].delete(), len(high)])
step("fetch_many", lambda: [job.result for job in Job.fetch_many([job.id for job in jobs["sum"]], connection=r)])
step("delete", lambda: [jobs["at front"].delete(), Job.exists(jobs["at front"].id, connection=r)])


def patient_worker():
    """A worker that waits at all queues, is given a job at each, one after the other, and is told to go."""
    worker = Worker(queues, connection=redis.Redis(port=PORT), name="patient")
    # Signals can be had in the main thread alone.
    results = []

    def give():
        until(lambda: Worker.all(connection=r))
        for queue in reversed(queues):
            job = queue.enqueue(rq_jobs.note, f"patient {queue.name}")
            results.append(until(lambda: job.get_status(refresh=True) == "finished" and job.result))
        send_shutdown_command(r, "patient")

    giver = threading.Thread(target=give, daemon=True)
    giver.start()
    worker.work(logging_level="ERROR")
    giver.join()
    return results


step("a worker that waits", patient_worker)
step("workers", lambda: [Worker.count(connection=r), [StartedJobRegistry(queue=queue).count for queue in queues]])
step("queues known", lambda: sorted(queue.name for queue in Queue.all(connection=r)))
