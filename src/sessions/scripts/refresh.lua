#!lua flags=allow-oom
-- Sets the TTL of a live session anew, whoever wrote it.
--
-- KEYS  1 session   2 role   3 user   4 details   5 sessions of the owning process by when they expire
-- ARGV  1 the user that the session key is believed to name   2 TTL in ms   3 TTL of the details in ms
--       4 TTL in ms for a user set that has none: the longest among its members; 'none': one member has no end;
--         '': not known yet
--       5 id
-- Returns {'OK'}, {'GONE'}, {'NOTTL'}: repeat with ARGV 4, {'STALE', user}, {'TYPE', key}. Nothing is written unless
--         it is OK.
-- @include typed.lua

local types = {'string', 'string', 'set', 'string', 'zset'}
for i = 1, 5 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end

local user = redis.call('GET', KEYS[1])
if not user then return {'GONE'} end
if user ~= ARGV[1] then return {'STALE', user} end

local endless = redis.call('PTTL', KEYS[3]) == -1
if endless and ARGV[4] == '' then return {'NOTTL'} end

redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if endless and ARGV[4] ~= 'none' then redis.call('PEXPIRE', KEYS[3], ARGV[4]) end
if not (endless and ARGV[4] == 'none') then redis.call('PEXPIRE', KEYS[3], ARGV[2], 'GT') end
redis.call('PEXPIRE', KEYS[4], ARGV[3], 'GT')
redis.call('ZADD', KEYS[5], 'XX', redis.call('PEXPIRETIME', KEYS[1]), ARGV[5])
redis.call('PEXPIRE', KEYS[5], ARGV[3], 'GT')
return {'OK'}
