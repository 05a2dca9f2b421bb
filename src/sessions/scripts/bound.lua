#!lua flags=allow-oom
-- Gives a role key that has no end the end of its session.
--
-- KEYS  1 role   2 session
-- Returns {'OK'}, {'STALE'}: it has an end, or its session has none; nothing was written.

local ends = redis.call('PEXPIRETIME', KEYS[2])
if ends < 0 or redis.call('PEXPIRETIME', KEYS[1]) ~= -1 then return {'STALE'} end
redis.call('PEXPIREAT', KEYS[1], ends)
return {'OK'}
