#!lua flags=allow-oom
-- Gives a lease back.
--
-- KEYS  1 lease   2 nodes
-- ARGV  1 incarnation   2 name
-- Returns {'OK'}, or {'TAKEN'} when it belongs to another process now.
-- @include typed.lua

local held = typed(KEYS[1], 'string') and redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN'} end
redis.call('DEL', KEYS[1])
if typed(KEYS[2], 'zset') then redis.call('ZREM', KEYS[2], ARGV[2]) end
return {'OK'}
