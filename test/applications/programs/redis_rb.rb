# redis-rb with its defaults: MULTI, WATCH, pipelines and commands of several keys.
require 'redis'
require 'set'
require_relative 'steps'

r = Redis.new(url: URL)
many = ->(prefix, count = 24) { Array.new(count) { |i| "#{prefix}:#{i}" } }

step('multi') do
  r.multi do |m|
    24.times do |i|
      m.set("page:#{i}", i)
      m.incr('hits')
      m.hset("user:#{i}", 'name', "n#{i}")
      m.sadd("set:#{i}", ['all', "own#{i}"])
      m.zadd("zset:#{i}", i, 'all')
      m.rpush("list:#{i}", %w[a b])
    end
    m.mget(*many.('page'))
  end
end
step('futures') do
  first = last = nil
  r.multi do |m|
    first = m.get('page:1')
    last = m.hgetall('user:23')
  end
  [first.value, last.value]
end
step('an error in multi (fails)') { r.multi { |m| many.('page').each { |key| m.lpush(key, 1) } } }
step('refused in multi (fails)') { r.multi { |m| m.set('x:1', 1); m.set('x:2', 1); m.call([:set, 'x:3']) } }
step('nothing was stored') { r.exists('x:1', 'x:2', 'x:3') }
step('watch') do
  r.watch(*many.('page')) do |client|
    sum = r.mget(*many.('page')).sum(&:to_i)
    r.multi { |m| m.set('sum', sum); m.set('sum:too', sum) }
  end
end
step('watch, changed') do
  other = Redis.new(url: URL)
  24.times.map do |i|
    r.watch(*many.('page')) do
      other.incr("page:#{i}")
      r.multi { |m| m.set('sum', 0); m.set('sum:too', 0) }
    end
  end
end
step('unwatch') { r.watch(*many.('page')) { r.unwatch } }
step('sums') { r.mget('sum', 'sum:too') }
step('pipelined') { r.pipelined { |p| 24.times { |i| p.get("page:#{i}"); p.smembers("user:#{i}:none") } } }
step('a transaction in a pipeline') { r.pipelined { |p| p.multi { |m| many.('page').each { |key| m.incr(key) } } } }
step('mapped') do
  stored = r.mapped_mset('a' => 1, 'b' => 2, 'c' => 3)
  [stored, r.mapped_mget('a', 'b', 'c', 'd'), r.mapped_msetnx('c' => 1, 'd' => 2, 'e' => 3)]
end
step('sets') do
  sets = many.('set')
  read = [r.sunion(*sets).to_set, r.sinter(*sets), r.sdiff(*sets).to_set]
  read + [r.sunionstore('all', *sets), r.sinterstore('both', *sets)]
end
step('moves') { 24.times.map { |i| r.smove("set:#{i}", "set:#{(i + 1) % 24}", "own#{i}") } }
step('zsets') do
  stored = [r.zunionstore('z', many.('zset')), r.zinterstore('zi', many.('zset'), weights: [2] * 24)]
  stored + [r.zscore('z', 'all'), r.zscore('zi', 'all')]
end
step('lists') { 24.times.map { |i| r.rpoplpush("list:#{i}", "list:#{(i + 1) % 24}") } }
step('moved when there is one') { 24.times.map { |i| r.brpoplpush("list:#{i}", "list:#{(i + 5) % 24}", timeout: 5) } }
step('waiting') { 24.times.map { |i| r.blpop("none:#{i}", "list:#{i}", timeout: 5) } }
step('waiting in vain') { r.brpop(*many.('none'), timeout: 1) }
step('renamed') do
  24.times.map { |i| [r.rename("page:#{i}", "renamed:#{i}"), r.renamenx("renamed:#{i}", "again:#{i}")] }
end
step('copied') { 24.times.map { |i| r.copy("again:#{i}", "copy:#{i}") } }
step('bits') { [r.bitop(:or, 'bits', *many.('again')), r.get('bits')] }
step('hyperloglogs') do
  24.times { |i| r.pfadd("pf:#{i}", Array.new(20) { |j| (i * 10) + j }) }
  [r.pfcount(*many.('pf')), r.pfmerge('pf', *many.('pf')), r.pfcount('pf')]
end
step('streams') do
  24.times { |i| r.xadd("stream:#{i}", { n: i }, id: "#{i + 1}-1") }
  r.xread(many.('stream'), ['0'] * 24)
end
step('scan') { r.scan_each(match: 'again:*').to_set }
