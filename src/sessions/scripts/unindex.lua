#!lua flags=allow-oom
-- Takes an id out of an index in which it does not belong, if its session is still what the caller saw.
--
-- KEYS  1 index   2 session   3 details   4 lease of the node
-- ARGV  1 id   2 the user that the session key is believed to name, '' when it is believed gone
--       3 the details as the caller saw them, '' for none   4 incarnation whose lease must be gone for it, '' for none
-- Returns {'OK'}, {'STALE'}, {'LIVE'}: that lease lives. Nothing is written unless it is OK.
-- @include typed.lua

local function text(key)
  return typed(key, 'string') and redis.call('GET', key) or ''
end

-- Behind a key of another type is no session that could have changed.
local isSession = typed(KEYS[2], 'string')
if isSession and (text(KEYS[2]) ~= ARGV[2] or text(KEYS[3]) ~= ARGV[3]) then return {'STALE'} end
if ARGV[4] ~= '' and string.sub(text(KEYS[4]), 1, 16) == ARGV[4] then return {'LIVE'} end
if typed(KEYS[1], 'zset') then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {'OK'}
