-- Included by scripts that write: Redis doesn't roll back, so the type of each key is checked before the first write. And
-- by those that read: of a WRONGTYPE inside a script Redis doesn't say which key it was.

-- True when the key is absent or holds a value of type `want`.
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
