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

export const lease: Script = {
  name: 'lease',
  sha: '28e1c420e07998dd606e2e475aabd2e88cdc575d',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'string', 'zset', 'string'}
for i = 1, 3 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local schema = redis.call('GET', KEYS[3])
if schema and not (tonumber(schema) and tonumber(schema) <= tonumber(ARGV[7])) then return {'NEWER', schema} end
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, 16) ~= ARGV[1] then return {'TAKEN', redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[3], ARGV[7], 'NX')
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
return {'OK', held and 'renewed' or 'new'}
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

export const refresh: Script = {
  name: 'refresh',
  sha: 'd602b885ece6763d9b206b0e5e209d18ed41d807',
  readOnly: false,
  lua: `#!lua flags=allow-oom
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local types = {'string', 'string', 'set', 'string'}
for i = 1, 4 do
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
return {'OK'}
`,
};

export const register: Script = {
  name: 'register',
  sha: 'f7b737be0668fd12e3aa95dc2f09aa7192165718',
  readOnly: false,
  lua: `#!lua
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
local lease = redis.call('GET', KEYS[7])
if not lease or string.sub(lease, 1, 16) ~= ARGV[8] then return {'NOLEASE'} end
local types = {'string', 'string', 'set', 'set', 'string', 'zset'}
for i = 1, 6 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end
local user = redis.call('GET', KEYS[1])
local details = redis.call('GET', KEYS[5])
if ARGV[9] == 'new' then
  if user or details then return {'TAKEN'} end
else
  if details and details ~= ARGV[5] then return {'TAKEN'} end
  if user and user ~= ARGV[2] then return {'STALE', user} end
end
local endless = redis.call('PTTL', KEYS[3]) == -1
if endless and ARGV[10] == '' then return {'NOTTL'} end
local function put(key, value)
  if redis.call('SET', key, value, 'NX', 'PX', ARGV[4]) == false then
    redis.call('PEXPIRE', key, ARGV[4], 'GT')
  end
end
put(KEYS[1], ARGV[2])
if ARGV[9] == 'new' then redis.call('DEL', KEYS[2]) end
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
if redis.call('SET', KEYS[5], ARGV[5], 'NX', 'PX', ARGV[6]) == false then
  redis.call('PEXPIRE', KEYS[5], ARGV[6], 'GT')
end
local left = redis.call('PTTL', KEYS[1])
if left > 0 then
  redis.call('PEXPIRE', KEYS[2], left, 'GT')
  redis.call('PEXPIRE', KEYS[3], left, 'GT')
  redis.call('PEXPIRE', KEYS[5], left, 'GT')
end
redis.call('ZADD', KEYS[6], ARGV[7], ARGV[1])
return {'OK'}
`,
};

export const release: Script = {
  name: 'release',
  sha: '4d6277b3ad2115c3dcbc5275c04961e7f2402945',
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
return {'OK'}
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

export const unregister: Script = {
  name: 'unregister',
  sha: 'f301dc08140b4ef6807693c577ae7c4d50bdbb00',
  readOnly: false,
  lua: `#!lua flags=allow-oom
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
`,
};

/** All of them: the only scripts that the embedded store runs. */
export const SCRIPTS: readonly Script[] = [answer, lease, look, refresh, register, release, request, unregister];
