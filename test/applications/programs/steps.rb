# A transcript that does not depend on what server is asked: one line of JSON for each step.
require 'json'
require 'set'

URL = ENV.fetch('REDIS_URL')

# Runs a step and prints what it gave, or how it failed. Returns what it gave; nil when it failed.
def step(name)
  result = nil
  begin
    result = yield
    printed = plain(result)
  rescue StandardError => e
    printed = { error: "#{e.class}: #{e.message}" }
  end
  puts JSON.generate(step: name, result: printed)
  $stdout.flush
  result
end

# The value in types that JSON has; hashes in an order.
def plain(value)
  case value
  when Hash then value.map { |key, each| [key.to_s, plain(each)] }.sort_by(&:first).to_h
  when Array then value.map { |each| plain(each) }
  when Set then value.map { |each| plain(each) }.sort_by(&:to_s)
  when String then value.dup.force_encoding('UTF-8').scrub('?')
  when Symbol then value.to_s
  when Exception then { error: "#{value.class}: #{value.message}" }
  when Float, Integer, true, false, nil then value
  else value.inspect
  end
end

# Asks again and again until there is an answer.
def wait_until(seconds = 60)
  ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
    found = yield
    return found if found

    sleep 0.02
  end
  nil
end
