<?php
// Predis with its defaults: transactions, with and without check-and-set, pipelines, commands of several keys.
require '/usr/share/php/Predis/autoload.php';
require __DIR__ . '/steps.php';

error_reporting(E_ALL & ~E_DEPRECATED);
$r = new Predis\Client(['host' => '127.0.0.1', 'port' => PORT]);
$range = range(0, 23);

step('transaction', fn () => $r->transaction(function ($t) use ($range) {
    foreach ($range as $i) {
        $t->set("page:$i", $i);
        $t->incr('hits');
        $t->hmset("user:$i", ['name' => "n$i"]);
        $t->sadd("set:$i", ['all', "own$i"]);
        $t->rpush("list:$i", ['a', 'b']);
        $t->zadd("zset:$i", ['all' => $i]);
    }
    $t->mget(keys('page'));
}));
step('pipeline', fn () => $r->pipeline(function ($p) use ($range) {
    foreach ($range as $i) {
        $p->get("page:$i");
        $p->hgetall("user:$i");
    }
}));
step('atomic pipeline', fn () => $r->pipeline(['atomic' => true], function ($p) {
    foreach (keys('page') as $key) {
        $p->incr($key);
    }
}));
step('check and set', fn () => $r->transaction(['watch' => keys('page'), 'cas' => true, 'retry' => 2], function ($t) {
    $sum = array_sum($t->mget(keys('page')));
    $t->multi();
    $t->set('sum', $sum);
    $t->set('sum:too', $sum);
}));
step('check and set, changed', function () use ($r, $range) {
    $other = new Predis\Client(['host' => '127.0.0.1', 'port' => PORT]);
    return array_map(function ($i) use ($r, $other) {
        $tries = 0;
        $options = ['watch' => keys('page'), 'cas' => true, 'retry' => 2];
        $done = $r->transaction($options, function ($t) use ($other, $i, &$tries) {
            $t->mget(keys('page'));
            if ($tries++ === 0) {
                $other->incr("page:$i");
            }
            $t->multi();
            $t->set('sum', $i);
            $t->set('sum:too', $i);
        });
        return [$tries, $done];
    }, $range);
});
step('an error in a transaction (fails)', fn () => $r->transaction(function ($t) {
    foreach (keys('page') as $key) {
        $t->lpush($key, ['x']);
    }
}));
step('msetnx', fn () => [
    $r->msetnx(['a' => 1, 'b' => 2, 'c' => 3]),
    $r->msetnx(['c' => 1, 'd' => 1]),
    $r->mget(['a', 'b', 'c', 'd']),
]);
step('sets', fn () => [
    sorted($r->sunion(keys('set'))),
    $r->sinter(keys('set')),
    $r->sunionstore('all', keys('set')),
    $r->sinterstore('both', keys('set')),
]);
step('zsets', fn () => [$r->zunionstore('z', keys('zset')), $r->zscore('z', 'all')]);
step('moved', fn () => array_map(fn ($i) => [
    $r->rename("page:$i", "renamed:$i"),
    $r->rpoplpush("list:$i", 'list:' . ($i + 1) % 24),
    $r->smove("set:$i", 'set:' . ($i + 1) % 24, "own$i"),
], $range));
step('waiting', fn () => array_map(fn ($i) => $r->blpop(["none:$i", "list:$i"], 5), $range));
step('bits and hyperloglogs', function () use ($r, $range) {
    foreach ($range as $i) {
        $r->pfadd("pf:$i", range($i * 10, $i * 10 + 19));
    }
    return [
        $r->bitop('OR', 'bits', keys('renamed')),
        bin2hex($r->get('bits')),
        $r->pfcount(keys('pf')),
        $r->pfmerge('pf', ...keys('pf')),
        $r->pfcount('pf'),
    ];
});
step('del', fn () => $r->del(keys('renamed')));
