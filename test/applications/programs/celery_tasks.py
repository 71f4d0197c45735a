"""A Celery application with Redis as its broker and for its results, as the documentation's first steps have it."""

import redis
from celery import Celery

from steps import PORT, URL

app = Celery("celery_tasks", broker=URL, backend=URL)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fails():
    raise ValueError("as expected")


@app.task(bind=True, max_retries=3, default_retry_delay=0.05)
def succeeds_at_last(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


@app.task
def note(name):
    """Writes down in which order tasks are run."""
    redis.Redis(port=PORT).rpush("noted", name)


@app.task
def noted_error(request, error, traceback):
    redis.Redis(port=PORT).rpush("errors", str(error))
