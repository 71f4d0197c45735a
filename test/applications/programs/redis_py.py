"""redis-py with its defaults: above all its pipelines, which are transactions."""

import threading

import redis
from redis.exceptions import WatchError

from steps import PORT, step

r = redis.Redis(port=PORT)
MANY = range(24)


def fill(prefix, type_):
    """Keys of one type, of which every node has some."""
    for i in MANY:
        key = f"{prefix}:{i}"
        if type_ == "set":
            r.sadd(key, "all", f"half{i % 2}", f"own{i}")
        elif type_ == "zset":
            r.zadd(key, {"all": 1, f"half{i % 2}": i, f"own{i}": 100 + i})
        elif type_ == "list":
            r.rpush(key, f"{i}a", f"{i}b")
        else:
            r.set(key, f"value {i}")


def many_keys(prefix, count=24):
    return [f"{prefix}:{i}" for i in range(count)]


def pipeline_of_all_types():
    with r.pipeline() as p:
        for i in MANY:
            p.set(f"page:{i}", f"<h1>{i}</h1>", ex=1000).incr("hits").hset(f"user:{i}", mapping={"name": f"n{i}"})
            p.lpush(f"inbox:{i % 5}", i).sadd("tags", f"t{i % 3}").zadd("scores", {f"m{i}": i}).expire(f"user:{i}", 500)
        return p.execute()


def reads_in_a_pipeline():
    with r.pipeline() as p:
        for i in MANY:
            p.get(f"page:{i}").hgetall(f"user:{i}").persist(f"page:{i}")
        return p.mget(many_keys("page")).smembers("tags").zrange("scores", 0, -1, withscores=True).execute()


def without_a_transaction():
    with r.pipeline(transaction=False) as p:
        for i in MANY:
            p.set(f"plain:{i}", i).get(f"plain:{i}")
        return p.execute()


def commands_of_several_keys_in_a_pipeline():
    with r.pipeline() as p:
        p.mset({key: "m" for key in many_keys("several")})
        p.mget(many_keys("several"))
        p.exists(*many_keys("several"))
        p.delete(*many_keys("several", 10))
        p.mget(many_keys("several"))
        return p.execute()


def wrong_type(raise_on_error):
    r.set("text", "x")
    with r.pipeline() as p:
        for i in MANY:
            p.set(f"wrong:{i}", i)
        p.lpush("text", "y").set("wrong:after", 1)
        return p.execute(raise_on_error=raise_on_error)


def refused_while_queueing():
    with r.pipeline() as p:
        for i in MANY:
            p.set(f"refused:{i}", i)
        p.execute_command("SET", "refused:x")
        return p.execute()


def transfer():
    """The recipe of redis-py's documentation, with accounts on every node."""
    r.mset({key: 100 for key in many_keys("account")})

    def move(p):
        balances = [int(balance) for balance in p.mget(many_keys("account"))]
        p.multi()
        for i, balance in enumerate(balances):
            p.set(f"account:{i}", balance + (1 if i % 2 else -1))

    return r.transaction(move, *many_keys("account"))


def conflicts():
    """One watched key after the other is changed by somebody else."""
    outcomes = []
    for i in MANY:
        with r.pipeline() as p:
            p.watch(*many_keys("account"))
            r.incr(f"account:{i}")
            p.multi()
            p.set("account:0", "never").set("account:1", "never").set("account:2", "never")
            try:
                outcomes.append(p.execute())
            except WatchError as error:
                outcomes.append(str(error))
    return outcomes


def counters_under_contention():
    """Threads that increment watched counters, and with each other ones on all nodes."""
    r.mset({key: 0 for key in many_keys("counter", 4) + many_keys("done", 4)})

    def work():
        for i in range(16):
            counter = f"counter:{i % 4}"

            def increment(p):
                value = int(p.get(counter))
                p.multi()
                p.set(counter, value + 1)
                for key in many_keys("done", 4):
                    p.incr(key)

            r.transaction(increment, counter)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return r.mget(many_keys("counter", 4) + many_keys("done", 4))


def discarded():
    p = r.pipeline()
    p.watch("account:0", "account:5", "account:9")
    p.multi()
    p.set("account:0", "never")
    p.reset()
    return r.get("account:0")


def locks():
    first = [r.lock(f"lock:{i}", timeout=20, blocking=False) for i in MANY]
    second = [r.lock(f"lock:{i}", timeout=20, blocking=False) for i in MANY]
    taken = [[lock.acquire() for lock in first], [lock.acquire() for lock in second]]
    for lock in first:
        lock.extend(10)
        lock.release()
    return taken + [[lock.acquire() for lock in second], [lock.owned() for lock in second]]


step("pipeline", pipeline_of_all_types)
step("pipeline of reads", reads_in_a_pipeline)
step("pipeline without a transaction", without_a_transaction)
step("MSET, MGET, DEL in a pipeline", commands_of_several_keys_in_a_pipeline)
step("wrong type in a pipeline (fails)", lambda: wrong_type(True))
step("wrong type in a pipeline, as a value", lambda: wrong_type(False))
step("after the wrong type", lambda: r.mget(many_keys("wrong") + ["wrong:after"]))
step("refused while queueing (fails)", refused_while_queueing)
step("nothing was stored", lambda: r.exists(*many_keys("refused")))
step("transaction()", transfer)
step("balances", lambda: r.mget(many_keys("account")))
step("conflicts", conflicts)
step("balances after conflicts", lambda: r.mget(many_keys("account")))
step("contention", counters_under_contention)
step("discarded", discarded)
step("locks", locks)

for kind in ("set", "zset", "list", "string"):
    fill(kind, kind)
sets, zsets, lists, strings = (many_keys(kind) for kind in ("set", "zset", "list", "string"))
step("SUNION", lambda: r.sunion(sets))
step("SINTER", lambda: r.sinter(sets))
step("SDIFF", lambda: r.sdiff(sets[:3]))
step("SINTERCARD", lambda: r.execute_command("SINTERCARD", 4, *sets[:4]))
step("SUNIONSTORE", lambda: [[r.sunionstore(f"union:{i}", sets[i:]), r.smembers(f"union:{i}")] for i in MANY])
step("SINTERSTORE", lambda: [[r.sinterstore(f"both:{i}", sets), r.smembers(f"both:{i}")] for i in range(6)])
step(
    "SDIFFSTORE of nothing",
    lambda: [[r.sdiffstore(f"union:{i}", sets[0], sets[0]), r.exists(f"union:{i}")] for i in range(6)],
)
step("SMOVE", lambda: [r.smove(sets[i], sets[(i + 1) % 24], f"own{i}") for i in MANY] + [r.smove("nope", sets[0], "x")])
step("sets then", lambda: [r.smembers(key) for key in sets])
step("ZUNION", lambda: r.zunion(zsets, withscores=True))
step("ZINTER", lambda: r.zinter(zsets, withscores=True))
step("ZDIFF", lambda: r.zdiff(zsets[:4], withscores=True))
step("ZUNIONSTORE", lambda: [r.zunionstore(f"top:{i}", {key: 2 for key in zsets}, aggregate="MAX") for i in range(6)])
step("ZINTERSTORE", lambda: [r.zinterstore(f"common:{i}", zsets[:3]) for i in range(6)])
step("ZRANGESTORE", lambda: [r.zrangestore(f"range:{i}", zsets[i], 0, 1) for i in MANY])
step(
    "zsets then",
    lambda: [r.zrange(f"{name}:{i}", 0, -1, withscores=True) for name in ("top", "common", "range") for i in MANY],
)
step("RENAME", lambda: [r.rename(strings[i], f"renamed:{i}") for i in MANY])
step("RENAME of nothing (fails)", lambda: r.rename("nope", "renamed:0"))
step("RENAMENX", lambda: [r.renamenx(f"renamed:{i}", f"renamed:{(i + 1) % 24}") for i in MANY])
step("RENAMENX to nothing", lambda: [r.renamenx(f"renamed:{i}", f"again:{i}") for i in MANY])
step(
    "COPY",
    lambda: [r.copy(f"again:{i}", f"copy:{i}") for i in MANY] + [r.copy(f"again:{i}", f"copy:{i}") for i in MANY],
)
step("COPY REPLACE", lambda: [r.copy(f"again:{i}", f"copy:{(i + 7) % 24}", replace=True) for i in MANY])
step("strings then", lambda: r.mget(many_keys("copy") + many_keys("again") + strings))
step(
    "MSETNX",
    lambda: [
        r.msetnx({key: 1 for key in many_keys("nx")}),
        r.msetnx({"nx:5": 2, "fresh:1": 2, "fresh:2": 2}),
        r.mget("nx:5", "fresh:1", "fresh:2"),
    ],
)
step("BITOP", lambda: [[r.bitop("OR", f"bits:{i}", *many_keys("copy")), r.get(f"bits:{i}")] for i in range(6)])
for i in MANY:
    r.pfadd(f"visitors:{i}", *range(i * 10, i * 10 + 20))
step("PFCOUNT", lambda: r.pfcount(*many_keys("visitors")))
step("PFMERGE", lambda: [[r.pfmerge(f"month:{i}", *many_keys("visitors")), r.pfcount(f"month:{i}")] for i in range(6)])
step("RPOPLPUSH", lambda: [r.rpoplpush(lists[i], lists[(i + 1) % 24]) for i in MANY])
step("BRPOPLPUSH", lambda: [r.brpoplpush(lists[i], lists[(i + 3) % 24], timeout=5) for i in MANY])
step("BRPOPLPUSH of nothing", lambda: r.brpoplpush("none:1", "none:2", timeout=0.2))
step("LMOVE", lambda: [r.lmove(lists[i], lists[(i + 5) % 24], "LEFT", "RIGHT") for i in MANY])
step("lists then", lambda: [r.lrange(key, 0, -1) for key in lists])
step("BLPOP of what is there", lambda: [r.blpop([f"none:{i}", lists[i], lists[(i + 1) % 24]], timeout=5) for i in MANY])
step("BLPOP of nothing", lambda: r.blpop(many_keys("none"), timeout=0.2))
step("BZPOPMIN", lambda: [r.bzpopmin([f"none:{i}", zsets[i]], timeout=5) for i in MANY])
step("LMPOP", lambda: [r.execute_command("LMPOP", 3, f"none:{i}", lists[i], lists[(i + 1) % 24], "LEFT") for i in MANY])


def wakes(i):
    """Somebody pushes to one of many lists while we wait for them all."""
    got = []
    waiting = threading.Thread(target=lambda: got.append(redis.Redis(port=PORT).blpop(many_keys("wake"), timeout=20)))
    waiting.start()
    other = redis.Redis(port=PORT)
    while not any(c["cmd"] == "blpop" and "b" in c["flags"] for c in other.client_list()) and waiting.is_alive():
        pass
    other.rpush(f"wake:{i}", f"for {i}")
    waiting.join()
    return got[0]


step("BLPOP is woken", lambda: [wakes(i) for i in range(12)])
for i in MANY:
    r.xadd(f"stream:{i}", {"n": i}, id=f"{i + 1}-1")
    r.xgroup_create(f"stream:{i}", "g", id="0")
streams = {key: "0" for key in many_keys("stream")}
step("XREAD", lambda: r.xread(streams))
step("XREADGROUP", lambda: r.xreadgroup("g", "me", {key: ">" for key in streams}))
step(
    "SORT STORE",
    lambda: [[r.sort("scores", alpha=True, store=f"sorted:{i}"), r.lrange(f"sorted:{i}", 0, 3)] for i in range(6)],
)
step("GEOADD", lambda: r.geoadd("places", (13.36, 38.11, "Palermo", 15.08, 37.5, "Catania")))
step(
    "GEOSEARCHSTORE",
    lambda: [
        r.geosearchstore(f"near:{i}", "places", longitude=15, latitude=37, radius=200, unit="km") for i in range(6)
    ],
)
READS = "#!lua flags=no-writes\nlocal s = {} for i, k in ipairs(KEYS) do s[i] = redis.call('GET', k) end return s"
step("EVAL that declares no-writes", lambda: r.eval(READS, 24, *many_keys("copy")))
step("SCAN", lambda: set(r.scan_iter("copy:*")))
step("DBSIZE", lambda: r.dbsize())
