#!lua
-- Registers a session of a node, in one step: the four families, and what wssess keeps beside them.
--
-- KEYS  1 session   2 role   3 user   4 all   5 details   6 newest   7 users
--       8 sessions of the node's process by when they expire   9 lease of the node   10 tombstone
--       11 trace of a session that was reaped
-- ARGV  1 id   2 user   3 role, '' for none   4 TTL in ms   5 details   6 TTL of the details in ms
--       7 connect time in ms   8 incarnation of the node
--       9 'new': the id must be free; 'late': the same, but what the owner has written before, unheard, is its own;
--         'again': the owner writes what is missing and raises what is there
--      10 TTL in ms for a user set that has none: the longest among its members; 'none': one member has no end;
--         '': not known yet
--      11 how many sessions the user may have, 0 for any number; of no meaning for 'again'
-- Returns {'OK'}, {'NOLEASE'}, {'ENDED', tombstone}: somebody ended it while the node was taken for dead, {'TAKEN'}
--         and, for 'again', the details that are there,
--         {'MANY'}: the user's set is full, {'NOTTL'}: repeat with ARGV 10, {'STALE', the user that the session key
--         names}, {'TYPE', key}. Nothing is written unless it is OK.
-- @include typed.lua

local lease = redis.call('GET', KEYS[9])
if not lease or string.sub(lease, 1, 16) ~= ARGV[8] then return {'NOLEASE'} end

local types = {'string', 'string', 'set', 'set', 'string', 'zset', 'zset', 'zset', 'string', 'string'}
for i = 1, 10 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end

local user = redis.call('GET', KEYS[1])
local details = redis.call('GET', KEYS[5])
local again = ARGV[9] == 'again' or (ARGV[9] == 'late' and details == ARGV[5])
if ARGV[9] ~= 'new' then
  local ended = redis.call('GET', KEYS[10])
  if ended and string.sub(ended, 1, 16) == ARGV[8] then return {'ENDED', ended} end
end
if not again then
  if user or details then return {'TAKEN'} end
  local most = tonumber(ARGV[11])
  if most > 0 and redis.call('SCARD', KEYS[3]) >= most then return {'MANY'} end
else
  if details and details ~= ARGV[5] then return {'TAKEN', details} end
  -- Reaped meanwhile, and given to another: without the details it is that one's.
  if user and user ~= ARGV[2] then return details and {'STALE', user} or {'TAKEN'} end
end

-- PEXPIRE GT takes a key without a TTL for one that never ends, so such a set gets its TTL here or never.
local endless = redis.call('PTTL', KEYS[3]) == -1
if endless and ARGV[10] == '' then return {'NOTTL'} end

local function put(key, value)
  if redis.call('SET', key, value, 'NX', 'PX', ARGV[4]) == false then
    redis.call('PEXPIRE', key, ARGV[4], 'GT')
  end
end

-- What it had left, as its index says, which who refreshed it has raised too.
local ended = again and not user and redis.call('ZSCORE', KEYS[8], ARGV[1])
put(KEYS[1], ARGV[2])
if ended and string.find(ended, '^%d+$') and #ended < 16 then redis.call('PEXPIREAT', KEYS[1], ended, 'GT') end
if not again then redis.call('DEL', KEYS[2]) end
if ARGV[3] ~= '' then put(KEYS[2], ARGV[3]) end
redis.call('SADD', KEYS[3], ARGV[1])
if not endless then
  redis.call('PEXPIRE', KEYS[3], ARGV[4], 'NX')
  redis.call('PEXPIRE', KEYS[3], ARGV[4], 'GT')
elseif ARGV[10] ~= 'none' then
  redis.call('PEXPIRE', KEYS[3], ARGV[10])
  redis.call('PEXPIRE', KEYS[3], ARGV[4], 'GT')
end
redis.call('SADD', KEYS[4], ARGV[1])
-- Reaped while its node was taken for dead, it is back.
if ARGV[9] ~= 'new' and not details then redis.call('DEL', KEYS[11]) end
if redis.call('SET', KEYS[5], ARGV[5], 'NX', 'PX', ARGV[6]) == false then
  redis.call('PEXPIRE', KEYS[5], ARGV[6], 'GT')
end
redis.call('ZADD', KEYS[6], ARGV[7], ARGV[1])
redis.call('ZADD', KEYS[7], 'GT', ARGV[7], ARGV[2])
-- The index of a process that died ends with the details of its last session.
local ends = redis.call('PEXPIRETIME', KEYS[1])
redis.call('ZADD', KEYS[8], ends < 0 and '+inf' or ends, ARGV[1])
if redis.call('PEXPIRE', KEYS[8], ARGV[6], 'GT') == 0 then redis.call('PEXPIRE', KEYS[8], ARGV[6], 'NX') end
-- Another may have given the session a longer TTL: what was written again must not end before it.
if again and ends > 0 then
  for _, i in ipairs({2, 3, 5, 8}) do redis.call('PEXPIREAT', KEYS[i], ends, 'GT') end
end
return {'OK'}
