#!lua flags=allow-oom
-- Removes details that nobody can read, so that whoever owns the session writes them again.
--
-- KEYS  1 details
-- ARGV  1 the details as the caller saw them, '' for a value of another type   2 'part': they begin so, and the
--         byte that follows is no ASCII; '' for all of them
-- Returns {'OK', 1, or 0 when there was nothing}, {'STALE'}: they are not what the caller saw; nothing was written.
-- @include typed.lua

local text = typed(KEYS[1], 'string') and redis.call('GET', KEYS[1]) or ''
local seen = ARGV[1]
local isPart = ARGV[2] == 'part' and (string.byte(text, #seen + 1) or 0) > 127
if (isPart and string.sub(text, 1, #seen) or text) ~= seen then return {'STALE'} end
return {'OK', redis.call('UNLINK', KEYS[1])}
