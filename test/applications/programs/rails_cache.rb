# Rails' cache store with its defaults.
require 'active_support'
require 'active_support/cache'
require 'active_support/cache/redis_cache_store'
require 'active_support/core_ext/numeric/time'
require 'active_support/core_ext/integer/time'
require_relative 'steps'

errors = []
handler = ->(method:, returning:, exception:) { errors << "#{method}: #{exception.class}: #{exception.message}" }
# It swallows errors of Redis: they are collected.
cache = ActiveSupport::Cache::RedisCacheStore.new(url: URL, error_handler: handler)
namespaced = ActiveSupport::Cache::RedisCacheStore.new(url: URL, namespace: 'shop', error_handler: handler)
many = (0...40).to_h { |i| ["views/#{i}", { html: "<p>#{i}</p>", size: i }] }

[cache, namespaced].each_with_index do |store, n|
  step("#{n}: write_multi") { store.write_multi(many) && true }
  step("#{n}: write_multi with a time to live") do
    store.write_multi(many.transform_keys { |key| "ttl/#{key}" }, expires_in: 10.minutes) && true
  end
  step("#{n}: read_multi") { store.read_multi(*many.keys, 'views/none') }
  step("#{n}: read_multi with a time to live") { store.read_multi(*many.keys.map { |key| "ttl/#{key}" }).size }
  step("#{n}: fetch_multi") { store.fetch_multi('views/1', 'fresh/1', 'fresh/2') { |key| "made #{key}" } }
  step("#{n}: fetch") { [store.fetch('one') { 1 }, store.fetch('one') { 2 }, store.fetch('one', force: true) { 3 }] }
  step("#{n}: race_condition_ttl") do
    [store.fetch('race', expires_in: 1.hour, race_condition_ttl: 5.seconds) { 'x' }, store.read('race')]
  end
  step("#{n}: unless_exist") { [1, 2].map { |i| store.write('only', i, unless_exist: true) } << store.read('only') }
  step("#{n}: increment") do
    12.times.map do |i|
      key = "count/#{i}"
      [store.increment(key), store.increment(key, 5, expires_in: 1.hour), store.decrement(key)]
    end
  end
  step("#{n}: exist?") { [store.exist?('one'), store.exist?('none')] }
  step("#{n}: delete_multi") { store.delete_multi(many.keys.first(10)) }
  step("#{n}: delete_matched") { [store.delete_matched('views/1*') && true, store.read_multi(*many.keys).keys] }
  step("#{n}: compressed") { [store.write('large', 'x' * 100_000), store.read('large').size] }
  step("#{n}: local cache") { [store.delete('one'), store.read('one')] }
end
step('clear of a namespace') do
  namespaced.clear
  [namespaced, cache].map { |store| store.read_multi(*many.keys).size }
end
step('clear') { [cache.clear, cache.read_multi(*many.keys).size] }
step('errors') { errors }
