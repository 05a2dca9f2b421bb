#!lua flags=allow-oom
-- Takes ids out of a user's set that are no sessions of this user: their session key is gone, or names another. A user
-- whose set is gone has no session any more, and leaves the index.
--
-- KEYS  1 user   2 users; then the session of each id
-- ARGV  1 the user; then the ids
-- Returns {'OK', how many were taken out}, {'TYPE', key}. The caller bounds the page.
-- @include typed.lua

if not typed(KEYS[1], 'set') then return {'TYPE', KEYS[1]} end
local pruned = 0
for i = 3, #KEYS do
  local removed = 0
  if redis.pcall('GET', KEYS[i]) ~= ARGV[1] then removed = redis.call('SREM', KEYS[1], ARGV[i - 1]) end
  pruned = pruned + removed
end
if redis.call('EXISTS', KEYS[1]) == 0 and typed(KEYS[2], 'zset') then redis.call('ZREM', KEYS[2], ARGV[1]) end
return {'OK', pruned}
