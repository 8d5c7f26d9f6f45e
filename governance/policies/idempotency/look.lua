-- What stands under a key, changing nothing. KEYS[1] the key.
-- Reply: state (empty: nothing), how long it stands (ms), Unix seconds and status of the answer (13 digits)
local value = redis.call('GET', KEYS[1])
if not value then
  return {'', 0, ''}
end
local state = string.sub(value, 1, 1)
local ended = ''
if state ~= 'c' then
  ended = string.sub(value, 34, 46)
end
return {state, redis.call('PTTL', KEYS[1]), ended}
