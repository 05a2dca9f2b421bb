#!lua flags=allow-oom
-- Takes ids out of a user's set that are no sessions of this user: their session key is gone, or names another.
--
-- KEYS  1 user; then the session of each id
-- ARGV  1 the user; then the ids
-- Returns {'OK', how many were taken out}, {'TYPE', key}. The caller bounds the page.
-- @include typed.lua

if not typed(KEYS[1], 'set') then return {'TYPE', KEYS[1]} end
local pruned = 0
for i = 2, #KEYS do
  local removed = 0
  if redis.pcall('GET', KEYS[i]) ~= ARGV[1] then removed = redis.call('SREM', KEYS[1], ARGV[i]) end
  pruned = pruned + removed
end
return {'OK', pruned}
