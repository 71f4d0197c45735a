"""django-redis as the cache of a Django project, and Django's sessions in it, both with their defaults."""

import django
from django.conf import settings

from steps import URL, step

settings.configure(
    CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": URL}},
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SECRET_KEY="not secret",
)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import cache  # noqa: E402

MANY = {f"article:{i}": {"title": f"Article {i}", "tags": ["a", i]} for i in range(40)}

step("set_many", lambda: cache.set_many(MANY, timeout=600))
step("get_many", lambda: cache.get_many([*MANY, "article:none"]))
step("ttl", lambda: [599 <= cache.ttl(key) <= 600 for key in MANY])
step("set and get", lambda: [cache.set("one", 1), cache.get("one"), cache.get("two", "default")])
step("add", lambda: [cache.add("one", 2), cache.add("two", 2), cache.get("one"), cache.get("two")])
step("get_or_set", lambda: [cache.get_or_set("three", lambda: 3), cache.get_or_set("three", lambda: 4)])
step("incr and decr", lambda: [cache.incr("one"), cache.incr("one", 10), cache.decr("one"), cache.get("one")])
step("incr of nothing (fails)", lambda: cache.incr("nothing"))
step(
    "touch, expire, persist",
    lambda: [
        cache.touch("one", 100),
        cache.expire("two", 50),
        cache.ttl("two") <= 50,
        cache.persist("two"),
        cache.ttl("two"),
    ],
)
step("has_key", lambda: [cache.has_key("one"), "nothing" in cache])
step("delete_many", lambda: cache.delete_many([f"article:{i}" for i in range(10)]))
step("what is left", lambda: sorted(cache.get_many(MANY)))
step("keys", lambda: sorted(cache.keys("article:1*")))
step("iter_keys", lambda: sorted(cache.iter_keys("article:2*")))
step("delete_pattern", lambda: [cache.delete_pattern("article:3*"), sorted(cache.get_many(MANY))])
step("versions", lambda: [cache.set("v", "old"), cache.incr_version("v"), cache.get("v"), cache.get("v", version=2)])
step(
    "many versions",
    lambda: [[cache.set(f"w:{i}", i), cache.incr_version(f"w:{i}"), cache.get(f"w:{i}", version=2)] for i in range(12)],
)


def locked():
    with cache.lock("lock", timeout=20):
        return cache.lock("lock", timeout=20).acquire(blocking=False)


step("lock", locked)


def session():
    store = SessionStore()
    store["user"] = 42
    store.create()
    again = SessionStore(store.session_key)
    again["cart"] = [1, 2, 3]
    again.save()
    old_key = again.session_key
    again.cycle_key()
    seen = [dict(SessionStore(again.session_key).items()), SessionStore(again.session_key).exists(old_key)]
    again.flush()
    return seen + [SessionStore(old_key).exists(old_key)]


step("sessions", lambda: [session() for _ in range(6)])
step("clear", lambda: [cache.clear(), cache.get("one"), cache.get_many(MANY)])
