-- Prolong a claim, if it is still ours. KEYS[1] the key; ARGV: token, lease (ms). Reply: 1 renewed, 0 not the holder
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'c' and string.sub(value, 34) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
