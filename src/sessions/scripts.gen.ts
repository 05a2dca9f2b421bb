// Made from scripts/*.lua by `npm run gen`.
import type { Script } from '../store/store.ts';

export const answer: Script = {
  name: 'answer',
  sha: '2ab917e44eee3b12a210cd1f61ad5a0c5b829025',
  readOnly: false,
  lua: `#!lua flags=allow-oom
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'OK'}
`,
};

export const bound: Script = {
  name: 'bound',
  sha: '08738b4924aa45ba4f64b65da815833675b14a50',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local ends = redis.call('PEXPIRETIME', KEYS[2])
if ends < 0 or redis.call('PEXPIRETIME', KEYS[1]) ~= -1 then return {'STALE'} end
redis.call('PEXPIREAT', KEYS[1], ends)
return {'OK'}
`,
};

export const boundset: Script = {
  name: 'boundset',
  sha: '06feb745f7331a46e9ff189cc9a77fc964f87edd',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
if not typed(KEYS[1], 'set') or redis.call('PTTL', KEYS[1]) ~= -1 then return {'STALE'} end
if redis.call('SCARD', KEYS[1]) ~= tonumber(ARGV[1]) then return {'STALE'} end
local last = -2
for i = 2, #KEYS do
  local ends = redis.call('PEXPIRETIME', KEYS[i])
  if ends == -1 or redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then return {'STALE'} end
  if ends > last then last = ends end
end
if last < 0 then return {'STALE'} end
redis.call('PEXPIREAT', KEYS[1], last)
return {'OK'}
`,
};

export const discard: Script = {
  name: 'discard',
  sha: '8b80401ec088dd232a33b2d738d7da46b5e0c411',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local text = typed(KEYS[1], 'string') and redis.call('GET', KEYS[1]) or ''
local seen = ARGV[1]
local isPart = ARGV[2] == 'part' and (string.byte(text, #seen + 1) or 0) > 127
if (isPart and string.sub(text, 1, #seen) or text) ~= seen then return {'STALE'} end
return {'OK', redis.call('UNLINK', KEYS[1])}
`,
};

export const extend: Script = {
  name: 'extend',
  sha: 'd19f31eb1829c1a9933f019a45c0da698727672b',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'string', 'string', 'set', 'string', 'zset', 'string'}
for i = 1, 6 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local lease = redis.call('GET', KEYS[6])
if not lease or string.sub(lease, 1, 16) ~= ARGV[6] then return {'NOLEASE'} end
if redis.call('GET', KEYS[1]) ~= ARGV[2] or redis.call('GET', KEYS[4]) ~= ARGV[3] then return {'STALE'} end
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[3]}) do redis.call('PEXPIRE', key, ARGV[4], 'GT') end
for _, key in ipairs({KEYS[4], KEYS[5]}) do redis.call('PEXPIRE', key, ARGV[5], 'GT') end
local ends = redis.call('PEXPIRETIME', KEYS[1])
redis.call('ZADD', KEYS[5], 'XX', ends < 0 and '+inf' or ends, ARGV[1])
return {'OK'}
`,
};

export const frame: Script = {
  name: 'frame',
  sha: 'f94b927b8cfd0f3ed10dd56eba15f8b18b419a28',
  readOnly: true,
  lua: `#!lua flags=no-writes
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'set', 'zset', 'zset', 'zset'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local time = redis.call('TIME')
local micros = string.sub(table.concat({'00000', time[2]}), -6)
local now = table.concat({time[1], string.sub(micros, 1, 3)})
local function first(top, rows, total, place, row)
  if place and not (top == 0 and place < rows) then top = place - row end
  return math.max(0, math.min(top, total - rows))
end
local function stretch(key, order, top, rows, member, score, row)
  if order == '' then return {} end
  local total = redis.call('ZCARD', key)
  local oldest = order == 'oldest'
  local kept, place = false, false
  if score ~= '' then
    if oldest then kept = redis.call('ZRANK', key, member) else kept = redis.call('ZREVRANK', key, member) end
    place = kept
    if not place and oldest then place = redis.call('ZCOUNT', key, '-inf', table.concat({'(', score})) end
    if not place and not oldest then place = redis.call('ZCOUNT', key, table.concat({'(', score}), '+inf') end
  end
  top, rows, row = tonumber(top), tonumber(rows), tonumber(row)
  top = first(top, rows, total, place, row)
  local last = top + rows - 1
  if oldest then return {top, total, kept or -1, redis.call('ZRANGE', key, top, last, 'WITHSCORES')} end
  return {top, total, kept or -1, redis.call('ZRANGE', key, top, last, 'REV', 'WITHSCORES')}
end
local most = tonumber(ARGV[1])
local answer = {
  now,
  redis.call('SCARD', KEYS[1]),
  redis.call('ZCARD', KEYS[3]),
  redis.call('ZRANGE', KEYS[4], 0, most - 1, 'REV', 'WITHSCORES'),
}
local known = {}
for i = 5, #KEYS, 2 do
  local lease, own = redis.pcall('GET', KEYS[i]), redis.pcall('ZCOUNT', KEYS[i + 1], now, '+inf')
  known[#known + 1] = {type(lease) == 'string' and lease, type(own) == 'number' and own or 0}
end
answer[5] = known
answer[6] = stretch(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
answer[7] = stretch(KEYS[3], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13])
return answer
`,
};

export const lease: Script = {
  name: 'lease',
  sha: 'ceee549ffd713bd3a0d747796104ed049c341ee7',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'string', 'zset', 'string', 'zset'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local held = redis.call('GET', KEYS[1])
local schema = redis.call('GET', KEYS[3])
if schema and not (tonumber(schema) and tonumber(schema) <= tonumber(ARGV[7])) then
  if held and string.sub(held, 1, 16) == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return {'NEWER', schema}
end
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN', redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[3], ARGV[7], 'NX')
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[8])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[6])
return {'OK', held and 'renewed' or 'new'}
`,
};

export const limit: Script = {
  name: 'limit',
  sha: '8b7598ac1f2ec4d89d813406c2dca03ddecfa628',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
if not (typed(KEYS[1], 'string') and typed(KEYS[2], 'string')) then return {'STALE'} end
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return {'STALE'} end
redis.call('PEXPIRE', KEYS[1], ARGV[3], 'NX')
return {'OK'}
`,
};

export const look: Script = {
  name: 'look',
  sha: '4724c14c21b0a7add43eb49bf9a43f3b5f5a5ade',
  readOnly: true,
  lua: `#!lua flags=no-writes
local function text(key)
  local value = redis.pcall('GET', key)
  if type(value) == 'table' then return 1 end
  return value
end
local found = {}
for i = 1, #KEYS, 3 do
  found[#found + 1] = text(KEYS[i])
  found[#found + 1] = redis.call('PTTL', KEYS[i])
  local role, details = text(KEYS[i + 1]), text(KEYS[i + 2])
  found[#found + 1] = role ~= 1 and role
  found[#found + 1] = details ~= 1 and details
end
return found
`,
};

export const probe: Script = {
  name: 'probe',
  sha: '43d2381e07f760f9541281b4efee9ddf4a76b38f',
  readOnly: false,
  lua: `#!lua
redis.call('EXISTS', KEYS[1])
return {'OK'}
`,
};

export const prune: Script = {
  name: 'prune',
  sha: '308083fe329fbfe5c5000f19572fffcaa12cd350',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
if not typed(KEYS[1], 'set') then return {'TYPE', KEYS[1]} end
local pruned = 0
for i = 3, #KEYS do
  local removed = 0
  if redis.pcall('GET', KEYS[i]) ~= ARGV[1] then removed = redis.call('SREM', KEYS[1], ARGV[i - 1]) end
  pruned = pruned + removed
end
if redis.call('EXISTS', KEYS[1]) == 0 and typed(KEYS[2], 'zset') then redis.call('ZREM', KEYS[2], ARGV[1]) end
return {'OK', pruned}
`,
};

export const refresh: Script = {
  name: 'refresh',
  sha: 'e8fd05e90d01eab5ddc33a3c094f93bd10dd0926',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
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
`,
};

export const register: Script = {
  name: 'register',
  sha: '9002e41999f771cda7ac48ea2e0effefda2f9850',
  readOnly: false,
  lua: `#!lua
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
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
local endless = redis.call('PTTL', KEYS[3]) == -1
if endless and ARGV[10] == '' then return {'NOTTL'} end
local function put(key, value)
  if redis.call('SET', key, value, 'NX', 'PX', ARGV[4]) == false then
    redis.call('PEXPIRE', key, ARGV[4], 'GT')
  end
end
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
if ARGV[9] ~= 'new' and not details then redis.call('DEL', KEYS[11]) end
if redis.call('SET', KEYS[5], ARGV[5], 'NX', 'PX', ARGV[6]) == false then
  redis.call('PEXPIRE', KEYS[5], ARGV[6], 'GT')
end
redis.call('ZADD', KEYS[6], ARGV[7], ARGV[1])
redis.call('ZADD', KEYS[7], 'GT', ARGV[7], ARGV[2])
local ends = redis.call('PEXPIRETIME', KEYS[1])
redis.call('ZADD', KEYS[8], ends < 0 and '+inf' or ends, ARGV[1])
if redis.call('PEXPIRE', KEYS[8], ARGV[6], 'GT') == 0 then redis.call('PEXPIRE', KEYS[8], ARGV[6], 'NX') end
if again and ends > 0 then
  for _, i in ipairs({2, 3, 5, 8}) do redis.call('PEXPIREAT', KEYS[i], ends, 'GT') end
end
return {'OK'}
`,
};

export const release: Script = {
  name: 'release',
  sha: 'f2e86dcf321e9e1c8a68becda7d9d9706cdf03d0',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local held = typed(KEYS[1], 'string') and redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN'} end
redis.call('DEL', KEYS[1])
if typed(KEYS[2], 'zset') then redis.call('ZREM', KEYS[2], ARGV[2]) end
if typed(KEYS[3], 'zset') and redis.call('EXISTS', KEYS[4]) == 0 then redis.call('ZREM', KEYS[3], ARGV[3]) end
return {'OK'}
`,
};

export const relist: Script = {
  name: 'relist',
  sha: '776acb791596770f03d1cf78da065dddf4ffa5dc',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'string', 'string', 'set', 'set'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
if redis.call('GET', KEYS[1]) ~= ARGV[2] or (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return {'STALE'} end
local ends = redis.call('PEXPIRETIME', KEYS[1])
local isNew = redis.call('EXISTS', KEYS[3]) == 0
local inUser, inAll = redis.call('SADD', KEYS[3], ARGV[1]), redis.call('SADD', KEYS[4], ARGV[1])
if ends < 0 then
  redis.call('PERSIST', KEYS[3])
elseif isNew then
  redis.call('PEXPIREAT', KEYS[3], ends)
else
  redis.call('PEXPIREAT', KEYS[3], ends, 'GT') -- one without a TTL is endless to it
end
return {'OK', inUser, inAll}
`,
};

export const request: Script = {
  name: 'request',
  sha: '1885865de0824ffd466230398716889e40ae3bce',
  readOnly: false,
  lua: `#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'OK'}
`,
};

export const retire: Script = {
  name: 'retire',
  sha: '3f133455a57e420ec778314adfe7d257e7f26a1c',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local held = typed(KEYS[2], 'string') and redis.call('GET', KEYS[2])
if held and string.sub(held, 1, 16) == ARGV[1] then return {'LIVE'} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'LEFT'} end
if typed(KEYS[1], 'zset') then redis.call('ZREM', KEYS[1], ARGV[2]) end
return {'OK'}
`,
};

export const scrub: Script = {
  name: 'scrub',
  sha: '6f11b2345aff5986a83fa75c14888233f26e6279',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
if redis.call('EXISTS', KEYS[2]) == 1 or not typed(KEYS[1], 'set') then return {'STALE'} end
redis.call('SREM', KEYS[1], ARGV[1])
return {'OK'}
`,
};

export const sweeper: Script = {
  name: 'sweeper',
  sha: 'fdb688a14b63770d6a95c386dc7bc717bf60bd54',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
for _, i in ipairs({1, 5}) do
  if not typed(KEYS[i], 'string') then return {'TYPE', KEYS[i]} end
end
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return {'TAKEN'} end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return {'OK'}
end
local schema = redis.call('GET', KEYS[5])
if schema and not (tonumber(schema) and tonumber(schema) <= tonumber(ARGV[4])) then return {'NEWER', schema} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for _, key in ipairs({KEYS[2], KEYS[3], KEYS[4]}) do redis.call('PEXPIRE', key, ARGV[3]) end
return {'OK'}
`,
};

export const unindex: Script = {
  name: 'unindex',
  sha: '9b50dfb89038f473d152355f8ec9f3e8eb3cb36f',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local function text(key)
  return typed(key, 'string') and redis.call('GET', key) or ''
end
local isSession = typed(KEYS[2], 'string')
if isSession and (text(KEYS[2]) ~= ARGV[2] or text(KEYS[3]) ~= ARGV[3]) then return {'STALE'} end
if ARGV[4] ~= '' and string.sub(text(KEYS[4]), 1, 16) == ARGV[4] then return {'LIVE'} end
if typed(KEYS[1], 'zset') then redis.call('ZREM', KEYS[1], ARGV[1]) end
return {'OK'}
`,
};

export const unregister: Script = {
  name: 'unregister',
  sha: '608ebc801c48a2766b68c48bf62bbbf213c46f44',
  readOnly: false,
  lua: `#!lua flags=allow-oom
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
local function leave(set, member)
  if is(set, 'set') then redis.call('SREM', set, ARGV[1]) end
  if indexed and redis.call('EXISTS', set) == 0 then redis.call('ZREM', KEYS[10], member) end
end
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
for i = 11, 12 do
  if ARGV[6] == 'own' and is(KEYS[i], 'string') and string.sub(redis.call('GET', KEYS[i]), 1, 16) == ARGV[4] then
    redis.call('DEL', KEYS[i])
  end
end
return {anothers and 'ANOTHERS' or 'OK'}
`,
};

/** All of them: the only scripts that the embedded store runs. */
export const SCRIPTS: readonly Script[] = [answer, bound, boundset, discard, extend, frame, lease, limit, look, probe, prune, refresh, register, release, relist, request, retire, scrub, sweeper, unindex, unregister];
