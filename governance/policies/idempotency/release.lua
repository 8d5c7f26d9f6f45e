-- Take back a claim, if it is still ours. KEYS[1] the key; ARGV: token. Reply: 1 released, 0 not the holder
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'c' and string.sub(value, 34) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
