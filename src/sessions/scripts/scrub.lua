#!lua flags=allow-oom
-- Takes out of a set an id that can't be a session's, unless a key stands behind it.
--
-- KEYS  1 set   2 session of the id
-- ARGV  1 id
-- Returns {'OK'}, {'STALE'}: nothing was written.
-- @include typed.lua

if redis.call('EXISTS', KEYS[2]) == 1 or not typed(KEYS[1], 'set') then return {'STALE'} end
redis.call('SREM', KEYS[1], ARGV[1])
return {'OK'}
