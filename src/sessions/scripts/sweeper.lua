#!lua flags=allow-oom
-- Takes, renews or gives back the right to sweep: one process at a time has it. What the sweep keeps of foreign sessions
-- ends soon after nobody sweeps any more.
--
-- KEYS  1 sweeper   2 foreign   3 foreign users   4 swept   5 schema
-- ARGV  1 incarnation   2 how long it is taken for in ms, 0 to give it back   3 how long the rest is kept in ms
--       4 version of the layout: who knows an older one than lies here would take what is new for faults
-- Returns {'OK'}, {'TAKEN'}: another has it, {'NEWER', version of the layout}, {'TYPE', key}.
-- @include typed.lua

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
