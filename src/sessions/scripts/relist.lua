#!lua flags=allow-oom
-- Puts a live session that no node wrote into the sets again. The TTL of its user's set is only ever raised.
--
-- KEYS  1 session   2 details   3 user   4 all
-- ARGV  1 id   2 the user that the session key is believed to name   3 the details as the caller saw them, '' for none
-- Returns {'OK', 1 if the user's set didn't hold it, 1 if that of all didn't}, {'STALE'}: it is not what the caller saw,
--         {'TYPE', key}. Nothing is written unless it is OK.
-- @include typed.lua

local types = {'string', 'string', 'set', 'set'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
if redis.call('GET', KEYS[1]) ~= ARGV[2] or (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return {'STALE'} end

local ends = redis.call('PEXPIRETIME', KEYS[1])
local isNew = redis.call('EXISTS', KEYS[3]) == 0
local inUser, inAll = redis.call('SADD', KEYS[3], ARGV[1]), redis.call('SADD', KEYS[4], ARGV[1])
if ends < 0 then
  redis.call('PERSIST', KEYS[3])
elseif isNew then
  redis.call('PEXPIREAT', KEYS[3], ends)
else
  redis.call('PEXPIREAT', KEYS[3], ends, 'GT') -- one without a TTL is endless to it
end
return {'OK', inUser, inAll}
