# What the jobs of sidekiq_app.rb do; the worker process is started with this file.
require 'sidekiq'

class Note
  include Sidekiq::Worker

  def perform(name)
    Sidekiq.redis { |r| r.rpush('noted', name) }
  end
end

class Fails
  include Sidekiq::Worker
  sidekiq_options queue: 'low'

  def perform
    raise ArgumentError, 'as expected'
  end
end

class Dies
  include Sidekiq::Worker
  sidekiq_options queue: 'critical', retry: 0

  def perform
    raise ArgumentError, 'as expected'
  end
end
