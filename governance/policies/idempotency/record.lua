-- Put the outcome in place of the claim, if the claim is still ours.
-- KEYS[1] the key; ARGV: token, outcome, retention (ms). Reply: 1 recorded, 0 not the holder
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'c' and string.sub(value, 34) == ARGV[1] then
  redis.call('SET', KEYS[1], 'a' .. string.sub(value, 2, 33) .. ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0
