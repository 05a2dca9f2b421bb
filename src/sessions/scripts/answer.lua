#!lua flags=allow-oom
-- Answers a request: the list and its end in one step, so that no answer stays for ever.
--
-- KEYS  1 answer
-- ARGV  1 message   2 TTL in ms
-- Returns {'OK'}.

redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'OK'}
