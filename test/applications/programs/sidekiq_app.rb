# Sidekiq with its defaults: the worker process with several queues, its statistics, its sets and its API.
require 'open3'
require 'sidekiq/api'
require_relative 'steps'
require_relative 'sidekiq_jobs'

ENV['REDIS_URL'] = URL
queues = %w[critical default low mail]
count = ->(n) { wait_until { Sidekiq.redis { |r| r.llen('noted') } >= n } }
stats = lambda do
  s = Sidekiq::Stats.new
  [s.processed, s.failed, s.enqueued, s.scheduled_size, s.retry_size, s.dead_size]
end
sets = -> { [Sidekiq::ScheduledSet.new, Sidekiq::RetrySet.new, Sidekiq::DeadSet.new] }

step('pushed') { 10.times.map { |i| Note.perform_async("plain #{i}") }.size }
step('pushed to every queue') { queues.map { |queue| Note.set(queue: queue).perform_async("to #{queue}") }.size }
step('pushed in bulk') do
  Sidekiq::Client.push_bulk('class' => Note, 'args' => Array.new(30) { |i| ["bulk #{i}"] }).size
end
step('scheduled') do
  [Note.perform_in(0.2, 'soon'), Note.perform_in(3600, 'later'), Note.perform_at(Time.now + 7200, 'later')].size
end
step('queues') { Sidekiq::Queue.all.to_h { |queue| [queue.name, queue.size] } }
step('sizes') { Sidekiq::Stats.new.queues }
step('stats') { stats.call }
step('a job is found and deleted') do
  id = Note.set(queue: 'mail').perform_async('deleted')
  job = Sidekiq::Queue.new('mail').find_job(id)
  [job.args, job.delete, Sidekiq::Queue.new('mail').size]
end

# It does not outlive this program.
command = ['setpriv', '--pdeathsig', 'KILL', '--', '/usr/bin/sidekiq', '-r', File.join(__dir__, 'sidekiq_jobs.rb')]
command += queues.flat_map { |queue| ['-q', queue] }
input, output, process = Open3.popen2e({ 'MALLOC_ARENA_MAX' => '2' }, *command, chdir: '/')
log = Thread.new { output.read }
begin
  step('worked off') { count.call(44) && Sidekiq.redis { |r| r.lrange('noted', 0, -1) }.to_set }
  step('while it waits') do
    queues.reverse.each_with_index.map do |queue, i|
      Note.set(queue: queue).perform_async("waited #{queue}")
      count.call(45 + i)
    end
  end
  step('fails') { [Fails.perform_async, Dies.perform_async].size }
  [Sidekiq::RetrySet.new, Sidekiq::DeadSet.new].each do |set|
    step("#{set.name} set") do
      wait_until { set.size == 1 }
      set.map { |job| [job.klass, job.queue, job['error_message'], job['retry_count']] }
    end
  end
  # The poller comes along within some seconds: both are done by hand, as its page does it.
  step('retried') do
    Sidekiq::RetrySet.new.first.retry
    wait_until { Sidekiq::RetrySet.new.size == 1 && Sidekiq::RetrySet.new.first['retry_count'] }
  end
  step('due') do
    Sidekiq::ScheduledSet.new.find { |job| job.args == ['soon'] }&.add_to_queue
    count.call(49)
  end
  # What a worker has done is added up every few seconds, and when it ends.
  step('its process') do
    wait_until { Sidekiq::ProcessSet.new.size == 1 }
    Sidekiq::ProcessSet.new.map { |each| [each['queues'], each['concurrency']] }
  end
ensure
  Process.kill('TERM', process.pid)
  status = process.value
  text = log.value
end
step('its end') do
  [status.exitstatus, text.scan(/(?:WARN|ERROR): .*/).grep_v(/Job raised exception|as expected|sidekiq_jobs\.rb/)]
end
step('its process is gone') { Sidekiq::ProcessSet.new.size }
step('stats at last') { stats.call }
step('history') do
  # Of two days: it may be midnight.
  history = Sidekiq::Stats::History.new(2)
  [history.processed.values.sum, history.failed.values.sum]
end
step('schedule') { Sidekiq::ScheduledSet.new.map { |job| job.args } }
step('rescheduled') do
  Sidekiq::ScheduledSet.new.first.reschedule(Time.now + 9999)
  Sidekiq::ScheduledSet.new.size
end
step('cleared') do
  sets.call.each(&:clear)
  stats.call
end
step('queue cleared') do
  Note.perform_async('x')
  Sidekiq::Queue.new('default').clear
  [Sidekiq::Queue.new('default').size, Sidekiq::Queue.all.map(&:name)]
end
step('stats reset') do
  Sidekiq::Stats.new.reset
  stats.call
end
