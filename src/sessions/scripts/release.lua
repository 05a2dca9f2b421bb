#!lua flags=allow-oom
-- Gives a lease back. A process that leaves sessions behind stays among the processes, so that they are reaped.
--
-- KEYS  1 lease   2 nodes   3 processes   4 sessions of the process by when they expire
-- ARGV  1 incarnation   2 name   3 the process: incarnation and name
-- Returns {'OK'}, or {'TAKEN'} when it belongs to another process now.
-- @include typed.lua

local held = typed(KEYS[1], 'string') and redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN'} end
redis.call('DEL', KEYS[1])
if typed(KEYS[2], 'zset') then redis.call('ZREM', KEYS[2], ARGV[2]) end
if typed(KEYS[3], 'zset') and redis.call('EXISTS', KEYS[4]) == 0 then redis.call('ZREM', KEYS[3], ARGV[3]) end
return {'OK'}
