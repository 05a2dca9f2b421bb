#!lua flags=no-writes
-- What a screen shows of everything, at one moment: counts, nodes, and a stretch of the sessions and of the users by
-- rank. Its cost doesn't depend on how many there are.
--
-- KEYS  1 all   2 newest   3 users   4 nodes; then two for each node that the caller knows: its lease, the sessions of
--       its process by when they expire
-- ARGV  1 how many nodes may be named
--       2 'newest' or 'oldest' first, '' for no sessions   3 rank of the first row   4 how many rows
--       5 the member that must stay in sight   6 its score, '' for none   7 its row
--       8 the order of users, as 2   9 rank   10 rows   11 member   12 score   13 row
-- Returns {now in ms as text, how many are in the set of all, how many users, {name of a node, when it was seen, …}
--         latest first, for each known node {lease or nil, how many of its sessions live}, sessions, users}; each of the
--         last two is {} or {rank of the first row, how many there are, rank of the member or -1, {member, score, …}}.
--         {'TYPE', key}: it holds another type of value.
-- @include typed.lua

local types = {'set', 'zset', 'zset', 'zset'}
for i = 1, 4 do
  if not typed(KEYS[i], types[i]) then return {'TYPE', KEYS[i]} end
end

-- As text: neither Lua's .. nor its numbers say milliseconds since 1970 alike everywhere. Microseconds come unpadded.
local time = redis.call('TIME')
local micros = string.sub(table.concat({'00000', time[2]}), -6)
local now = table.concat({time[1], string.sub(micros, 1, 3)})

-- Where the window begins so that the member keeps its row; at the top it stays there while the member is in sight.
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
