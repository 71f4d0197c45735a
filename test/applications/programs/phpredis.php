<?php
// phpredis with its defaults: MULTI, pipelines, WATCH, commands of several keys, PHP's sessions.
require __DIR__ . '/steps.php';

$r = new Redis();
$r->connect('127.0.0.1', PORT);
$range = range(0, 23);

step('multi', function () use ($r, $range) {
    $m = $r->multi();
    foreach ($range as $i) {
        $m->set("page:$i", "<p>$i</p>")->incr('hits')->hMSet("user:$i", ['name' => "n$i"]);
        $m->sAdd("set:$i", 'all', "own$i")->zAdd("zset:$i", $i, 'all')->rPush("list:$i", 'a', 'b');
    }
    return $m->mGet(keys('page'))->exec();
});
step('pipeline', function () use ($r, $range) {
    $p = $r->pipeline();
    foreach ($range as $i) {
        $p->get("page:$i")->hGetAll("user:$i");
    }
    return $p->exec();
});
step('an error in multi', function () use ($r) {
    $m = $r->multi();
    foreach (keys('page') as $key) {
        $m->lPush($key, 'x')->incr('hits');
    }
    return [$m->exec(), $r->getLastError(), $r->clearLastError()];
});
step('discarded', function () use ($r) {
    $m = $r->multi();
    foreach (keys('page') as $key) {
        $m->set($key, 'never');
    }
    return [$m->discard(), $r->mGet(keys('page', 3))];
});
step('watch', function () use ($r) {
    $r->watch(keys('page'));
    return $r->multi()->set('w:1', 1)->set('w:2', 2)->set('w:3', 3)->exec();
});
step('watch, changed', function () use ($r, $range) {
    $other = new Redis();
    $other->connect('127.0.0.1', PORT);
    return array_map(function ($i) use ($r, $other) {
        $r->watch(keys('page'));
        $other->append("page:$i", '!');
        return $r->multi()->set('w:1', 'never')->set('w:2', 'never')->set('w:3', 'never')->exec();
    }, $range);
});
step('what was set', fn () => $r->mGet(['w:1', 'w:2', 'w:3']));
step('msetnx', fn () => [
    $r->mSetNx(['a' => 1, 'b' => 2, 'c' => 3]),
    $r->mSetNx(['c' => 1, 'd' => 1]),
    $r->mGet(['a', 'b', 'c', 'd']),
]);
step('sets', fn () => [
    sorted($r->sUnion(keys('set'))),
    $r->sInter(keys('set')),
    sorted($r->sDiff('set:0', 'set:1')),
    $r->sUnionStore('all', ...keys('set')),
    $r->sInterStore('both', ...keys('set')),
    $r->sDiffStore('one', 'set:0', 'set:1'),
]);
step('moved members', fn () => array_map(fn ($i) => $r->sMove("set:$i", 'set:' . ($i + 1) % 24, "own$i"), $range));
step('zsets', fn () => [
    $r->zUnionStore('z', keys('zset')),
    $r->zScore('z', 'all'),
    $r->zInterStore('zi', keys('zset'), array_fill(0, 24, 2), 'MAX'),
    $r->zScore('zi', 'all'),
]);
step('lists', fn () => array_map(fn ($i) => [
    $r->rPopLPush("list:$i", 'list:' . ($i + 1) % 24),
    $r->rPopLPush("list:$i", 'list:' . ($i + 3) % 24),
], $range));
step('moved when there is one', fn () => array_map(
    fn ($i) => $r->bRPopLPush("list:$i", 'list:' . ($i + 5) % 24, 5),
    $range,
));
step('lists then', fn () => array_map(fn ($key) => $r->lRange($key, 0, -1), keys('list')));
step('waiting', fn () => array_map(
    fn ($i) => $r->blPop(["none:$i", "all:$i", 'list:' . ($i + 4) % 24], 5),
    range(0, 11),
));
step('waiting in vain', fn () => $r->brPop(keys('none'), 1));
step('renamed', fn () => array_map(fn ($i) => [
    $r->rename("page:$i", "renamed:$i"),
    $r->renameNx("renamed:$i", "again:$i"),
], $range));
step('renamed, of nothing', fn () => [$r->rename('nothing', 'page:0'), $r->getLastError(), $r->clearLastError()]);
step('bits', fn () => [$r->bitOp('OR', 'bits', ...keys('again')), strtoupper(bin2hex($r->get('bits')))]);
step('hyperloglogs', function () use ($r, $range) {
    foreach ($range as $i) {
        $r->pfAdd("pf:$i", array_map('strval', range($i * 10, $i * 10 + 19)));
    }
    return [$r->pfCount(keys('pf')), $r->pfMerge('pf', keys('pf')), $r->pfCount('pf')];
});
step('sort and store', fn () => [
    $r->sort('all', ['alpha' => true, 'store' => 'sorted']),
    count($r->lRange('sorted', 0, -1)),
]);
step('streams', function () use ($r, $range) {
    foreach ($range as $i) {
        $r->xAdd("stream:$i", ($i + 1) . '-1', ['n' => $i]);
    }
    return $r->xRead(array_fill_keys(keys('stream'), '0'));
});
step('del and unlink', fn () => [$r->del(keys('again', 10)), $r->unlink(keys('again')), $r->exists(keys('user'))]);
step('scan', function () use ($r) {
    $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $found = [];
    for ($cursor = null; ($page = $r->scan($cursor, 'user:*')) !== false;) {
        array_push($found, ...$page);
    }
    return sorted($found);
});
step('sessions', function () use ($range) {
    ini_set('session.save_handler', 'redis');
    ini_set('session.save_path', 'tcp://127.0.0.1:' . PORT);
    ini_set('redis.session.locking_enabled', '1');
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    return array_map(function ($i) {
        session_id("visitor$i");
        session_start();
        $_SESSION['cart'] = [$i, $i + 1];
        session_write_close();
        session_id("visitor$i");
        session_start();
        $seen = $_SESSION;
        session_destroy();
        return $seen;
    }, range(0, 7));
});
