"""What the jobs of rq_app.py do."""

import redis
from rq import get_current_job

from steps import PORT


def add(x, y):
    return x + y


def note(name):
    redis.Redis(port=PORT).rpush("noted", name)
    return name


def fails():
    raise ValueError("as expected")


def fails_once():
    job = get_current_job()
    if "tried" in job.meta:
        return "at last"
    job.meta["tried"] = True
    job.save_meta()
    raise ValueError("this time")


def sum_of_dependencies():
    return sum(job.result for job in get_current_job().fetch_dependencies())
