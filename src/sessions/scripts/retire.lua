#!lua flags=allow-oom
-- Forgets a process that died, once none of its sessions are left.
--
-- KEYS  1 processes   2 lease of the node   3 sessions of the process by when they expire
-- ARGV  1 incarnation   2 the process: incarnation and name
-- Returns {'OK'}, {'LIVE'}: it holds its lease, {'LEFT'}: sessions of it are left.
-- @include typed.lua

local held = typed(KEYS[2], 'string') and redis.call('GET', KEYS[2])
if held and string.sub(held, 1, 16) == ARGV[1] then return {'LIVE'} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'LEFT'} end
if typed(KEYS[1], 'zset') then redis.call('ZREM', KEYS[1], ARGV[2]) end
return {'OK'}
