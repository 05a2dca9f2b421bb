#!lua flags=allow-oom
-- Gives a session key that has no end the TTL that its node registered it with, if it is still what the caller saw:
-- another program may have taken the id meanwhile, and mean no end.
--
-- KEYS  1 session   2 details
-- ARGV  1 the user that the session key is believed to name   2 the details as the caller saw them   3 TTL in ms
-- Returns {'OK'}, {'STALE'}: nothing was written.
-- @include typed.lua

if not (typed(KEYS[1], 'string') and typed(KEYS[2], 'string')) then return {'STALE'} end
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return {'STALE'} end
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX')
return {'OK'}
