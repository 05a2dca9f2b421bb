-- Included by scripts that write: Redis doesn't roll back, so the type of each key is checked before the first write.

-- True when the key is absent or holds a value of type `want`.
local function typed(key, want)
  local found = redis.call('TYPE', key).ok
  return found == 'none' or found == want
end
