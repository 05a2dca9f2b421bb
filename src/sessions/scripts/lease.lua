#!lua flags=allow-oom
-- Takes or renews the lease of a node. Its value begins with the incarnation of the process that holds it, so that a
-- lease can't be prolonged for another process (SET XX proves nothing: it would overwrite the other's).
--
-- KEYS  1 lease   2 nodes   3 schema   4 processes
-- ARGV  1 incarnation, 16 characters   2 value: the incarnation and what the node says of itself   3 lease in ms
--       4 name   5 now in ms   6 ms before which a node that was last seen is forgotten
--       7 version of the layout   8 the process: incarnation and name
-- Returns {'OK', 'new' or 'renewed'}, {'TAKEN', PTTL of the lease of the process that holds it}, {'NEWER', version of the layout},
--         {'TYPE', key}. Nothing is written unless it is OK; but where the layout is newer, the process gives its lease
--         back, without which no script writes for a session of its own.
-- @include typed.lua

local types = {'string', 'zset', 'string', 'zset'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end

local held = redis.call('GET', KEYS[1])
local schema = redis.call('GET', KEYS[3])
if schema and not (tonumber(schema) and tonumber(schema) <= tonumber(ARGV[7])) then
  if held and string.sub(held, 1, 16) == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return {'NEWER', schema}
end
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN', redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[3], ARGV[7], 'NX')
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[8])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[6])
return {'OK', held and 'renewed' or 'new'}
