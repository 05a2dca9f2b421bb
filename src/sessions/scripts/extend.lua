#!lua flags=allow-oom
-- Raises the TTLs of a session for its owner, and writes nothing new: what a full Redis, which refuses register, takes.
--
-- KEYS  1 session   2 role   3 user   4 details   5 sessions of the node's process by when they expire
--       6 lease of the node
-- ARGV  1 id   2 the user that the session key is believed to name   3 the details as the owner wrote them
--       4 TTL in ms   5 TTL of the details in ms   6 incarnation of the node
-- Returns {'OK'}, {'NOLEASE'}, {'STALE'}: it is not what the caller saw, {'TYPE', key}. Nothing is written unless it is OK.
-- @include typed.lua

local types = {'string', 'string', 'set', 'string', 'zset', 'string'}
for i = 1, 6 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local lease = redis.call('GET', KEYS[6])
if not lease or string.sub(lease, 1, 16) ~= ARGV[6] then return {'NOLEASE'} end
if redis.call('GET', KEYS[1]) ~= ARGV[2] or redis.call('GET', KEYS[4]) ~= ARGV[3] then return {'STALE'} end

for _, key in ipairs({KEYS[1], KEYS[2], KEYS[3]}) do redis.call('PEXPIRE', key, ARGV[4], 'GT') end
for _, key in ipairs({KEYS[4], KEYS[5]}) do redis.call('PEXPIRE', key, ARGV[5], 'GT') end
local ends = redis.call('PEXPIRETIME', KEYS[1])
redis.call('ZADD', KEYS[5], 'XX', ends < 0 and '+inf' or ends, ARGV[1])
return {'OK'}
