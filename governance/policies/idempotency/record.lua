-- Put the outcome in place of the claim, if the claim is still ours; the layout stands in claim.lua.
-- KEYS[1] the key; ARGV: token, outcome, retention (ms), state ('a' or 'd'), status. Reply: 1 recorded, 0 not the holder
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'c' and string.sub(value, 34) == ARGV[1] then
  local at = string.format('%010d', redis.call('TIME')[1])
  redis.call('SET', KEYS[1], ARGV[4] .. string.sub(value, 2, 33) .. at .. ARGV[5] .. ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0
