#!lua flags=allow-oom
-- Gives a user's set that has no end the end of the member that ends last, if the set and its members are still what
-- the caller saw. The caller bounds the members: of a large set those that end last.
--
-- KEYS  1 user; then the sessions of the members
-- ARGV  1 how many members the set has; then the ids
-- Returns {'OK'}, {'STALE'}: it has an end, or others have changed it; nothing was written.
-- @include typed.lua

if not typed(KEYS[1], 'set') or redis.call('PTTL', KEYS[1]) ~= -1 then return {'STALE'} end
if redis.call('SCARD', KEYS[1]) ~= tonumber(ARGV[1]) then return {'STALE'} end
local last = -2
for i = 2, #KEYS do
  local ends = redis.call('PEXPIRETIME', KEYS[i])
  if ends == -1 or redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then return {'STALE'} end
  if ends > last then last = ends end
end
if last < 0 then return {'STALE'} end
redis.call('PEXPIREAT', KEYS[1], last)
return {'OK'}
