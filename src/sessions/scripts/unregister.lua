#!lua flags=allow-oom
-- Removes a session, if it is still what the caller saw. The TTL of the user set is left alone; the set goes with its
-- last member. A key of another type isn't ours and stays.
--
-- KEYS  1 session   2 role   3 user that the session key names   4 user that the details name   5 all   6 details
--       7 newest   8 lease of the node   9 sessions of the owning process by when they expire   10 users   11 tombstone
--       12 trace of a session that was reaped
-- ARGV  1 id   2 the user that the session key is believed to name, '' when it is believed gone
--       3 the details as the caller saw them, '' for none
--       4 incarnation of the owner, '' when nobody owns it
--       5 the user that the details name, the one of ARGV 2 when there are none
--       6 'own': the owner asks; 'purge': an operator does, and the owner's lease must be gone; 'reap': who sweeps does, the
--         same, and a session that another program has made of it stays
--       7 a tombstone to be left, '' for none: also where all was gone before   8 its TTL in ms
--       9 a trace to be left where a session that lived is removed, '' for none   10 its TTL in ms
-- Returns {'OK'}, {'ANOTHERS'}: the session key names another user than the details, so the session stays, and only what
--         the owner left of its own is removed, {'LIVE'}: the owner lives, {'NOLEASE'}: without details and without its
--         lease an owner can't know that the session key is its own, {'STALE', user or '', details or ''}. Of the last
--         three nothing is written.

local function is(key, want)
  return redis.call('TYPE', key).ok == want
end

local named, noted, indexed = is(KEYS[1], 'string'), is(KEYS[6], 'string'), is(KEYS[10], 'zset')
local user = named and redis.call('GET', KEYS[1]) or ''
local details = noted and redis.call('GET', KEYS[6]) or ''
local ended = user == '' and (details == '' or details == ARGV[3])
if (user ~= ARGV[2] or details ~= ARGV[3]) and not (ended and ARGV[7] ~= '') then return {'STALE', user, details} end

local lease = is(KEYS[8], 'string') and redis.call('GET', KEYS[8]) or ''
local held = ARGV[4] ~= '' and string.sub(lease, 1, 16) == ARGV[4]
if ARGV[6] ~= 'own' and held then return {'LIVE'} end
if ARGV[6] == 'own' and not held and user ~= '' and details == '' then return {'NOLEASE'} end

local anothers = ARGV[6] == 'reap' and user ~= '' and details ~= '' and ARGV[2] ~= ARGV[5]

-- A user whose set is gone has no session any more.
local function leave(set, member)
  if is(set, 'set') then redis.call('SREM', set, ARGV[1]) end
  if indexed and redis.call('EXISTS', set) == 0 then redis.call('ZREM', KEYS[10], member) end
end

-- Another program may have written no role: that of the owner ends when its index says that the session does.
local ends = anothers and is(KEYS[9], 'zset') and redis.call('ZSCORE', KEYS[9], ARGV[1])
if ends and is(KEYS[2], 'string') and redis.call('PEXPIRETIME', KEYS[2]) == tonumber(ends) then redis.call('DEL', KEYS[2]) end

if not anothers then
  if named then redis.call('DEL', KEYS[1]) end
  if is(KEYS[2], 'string') then redis.call('DEL', KEYS[2]) end
  leave(KEYS[3], ARGV[2])
  if is(KEYS[5], 'set') then redis.call('SREM', KEYS[5], ARGV[1]) end
end
if KEYS[4] ~= KEYS[3] then leave(KEYS[4], ARGV[5]) end
if noted then redis.call('DEL', KEYS[6]) end
if is(KEYS[7], 'zset') then redis.call('ZREM', KEYS[7], ARGV[1]) end
if is(KEYS[9], 'zset') then redis.call('ZREM', KEYS[9], ARGV[1]) end
if ARGV[7] ~= '' then
  redis.call('SET', KEYS[11], ARGV[7], 'PX', ARGV[8])
  redis.call('DEL', KEYS[12]) -- it won't come back
end
if ARGV[9] ~= '' and user ~= '' and not anothers then redis.call('SET', KEYS[12], ARGV[9], 'PX', ARGV[10]) end
-- The owner has closed its socket: what was left for it has been read.
for i = 11, 12 do
  if ARGV[6] == 'own' and is(KEYS[i], 'string') and string.sub(redis.call('GET', KEYS[i]), 1, 16) == ARGV[4] then
    redis.call('DEL', KEYS[i])
  end
end
return {anothers and 'ANOTHERS' or 'OK'}
