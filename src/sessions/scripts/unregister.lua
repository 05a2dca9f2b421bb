#!lua flags=allow-oom
-- Removes a session, if it is still what the caller saw. The TTL of the user set is left alone; the set goes with its
-- last member. A key of another type isn't ours and stays.
--
-- KEYS  1 session   2 role   3 user that the session key names   4 user that the details name   5 all   6 details
--       7 newest   8 lease of the node   9 sessions of the owning process by when they expire   10 users
-- ARGV  1 id   2 the user that the session key is believed to name, '' when it is believed gone
--       3 the details as the caller saw them, '' for none
--       4 incarnation whose lease must be gone for it, '' when the caller owns the session or nobody does
--       5 the user that the details name, the one of ARGV 2 when there are none
-- Returns {'OK'}, {'LIVE'}: the owner lives, {'STALE', user or '', details or ''}. Nothing is written unless it is OK.

local function is(key, want)
  return redis.call('TYPE', key).ok == want
end

local named, noted, indexed = is(KEYS[1], 'string'), is(KEYS[6], 'string'), is(KEYS[10], 'zset')
local user = named and redis.call('GET', KEYS[1]) or ''
local details = noted and redis.call('GET', KEYS[6]) or ''
if user ~= ARGV[2] or details ~= ARGV[3] then return {'STALE', user, details} end

if ARGV[4] ~= '' then
  local lease = redis.call('GET', KEYS[8])
  if lease and string.sub(lease, 1, 16) == ARGV[4] then return {'LIVE'} end
end

-- A user whose set is gone has no session any more.
local function leave(set, member)
  if is(set, 'set') then redis.call('SREM', set, ARGV[1]) end
  if indexed and redis.call('EXISTS', set) == 0 then redis.call('ZREM', KEYS[10], member) end
end

if named then redis.call('DEL', KEYS[1]) end
if is(KEYS[2], 'string') then redis.call('DEL', KEYS[2]) end
leave(KEYS[3], ARGV[2])
if KEYS[4] ~= KEYS[3] then leave(KEYS[4], ARGV[5]) end
if is(KEYS[5], 'set') then redis.call('SREM', KEYS[5], ARGV[1]) end
if noted then redis.call('DEL', KEYS[6]) end
if is(KEYS[7], 'zset') then redis.call('ZREM', KEYS[7], ARGV[1]) end
if is(KEYS[9], 'zset') then redis.call('ZREM', KEYS[9], ARGV[1]) end
return {'OK'}
