#!lua flags=no-writes
-- Looks at a page of sessions in one step. The caller bounds the page.
--
-- KEYS  three a session: session, role, details
-- Returns four a session: the user, or nil when the session key is gone, or 1 when it holds another type of value;
--         PTTL of the session key; the role or nil; the details or nil.

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
