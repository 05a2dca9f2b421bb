#!lua flags=allow-oom
-- Removes a session, if it is still what the caller saw. The TTL of the user set is left alone; the set goes with its
-- last member. A key of another type isn't ours and stays.
--
-- KEYS  1 session   2 role   3 user that the session key names   4 user that the details name   5 all   6 details
--       7 newest   8 lease of the node
-- ARGV  1 id   2 the user that the session key is believed to name, '' when it is believed gone
--       3 the details as the caller saw them, '' for none
--       4 incarnation whose lease must be gone for it, '' when the caller owns the session or nobody does
-- Returns {'OK'}, {'LIVE'}: the owner lives, {'STALE', user or '', details or ''}. Nothing is written unless it is OK.

local function is(key, want)
  return redis.call('TYPE', key).ok == want
end

local user = is(KEYS[1], 'string') and redis.call('GET', KEYS[1]) or ''
local details = is(KEYS[6], 'string') and redis.call('GET', KEYS[6]) or ''
if user ~= ARGV[2] or details ~= ARGV[3] then return {'STALE', user, details} end

if ARGV[4] ~= '' then
  local lease = redis.call('GET', KEYS[8])
  if lease and string.sub(lease, 1, 16) == ARGV[4] then return {'LIVE'} end
end

if is(KEYS[1], 'string') then redis.call('DEL', KEYS[1]) end
if is(KEYS[2], 'string') then redis.call('DEL', KEYS[2]) end
if is(KEYS[3], 'set') then redis.call('SREM', KEYS[3], ARGV[1]) end
if is(KEYS[4], 'set') then redis.call('SREM', KEYS[4], ARGV[1]) end
if is(KEYS[5], 'set') then redis.call('SREM', KEYS[5], ARGV[1]) end
if is(KEYS[6], 'string') then redis.call('DEL', KEYS[6]) end
if is(KEYS[7], 'zset') then redis.call('ZREM', KEYS[7], ARGV[1]) end
return {'OK'}
