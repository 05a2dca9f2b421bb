#!lua flags=allow-oom
-- Writes a request to a node: also when Redis is full, since throwing out is what helps then.
--
-- KEYS  1 request
-- ARGV  1 message   2 TTL in ms
-- Returns {'OK'}.

redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'OK'}
