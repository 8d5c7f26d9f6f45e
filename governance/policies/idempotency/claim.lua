-- Claim a key, or say what stands there. A value is: state (1 byte), fingerprint (32), then
-- 'c': the holder's token; 'a': the stored outcome.
-- KEYS[1] the key; ARGV: token, fingerprint, lease (ms)
-- Reply: 1 claimed, 2 used for another request, 3 in flight, or the stored outcome
local value = redis.call('GET', KEYS[1])
if not value then
  redis.call('SET', KEYS[1], 'c' .. ARGV[2] .. ARGV[1], 'PX', ARGV[3])
  return 1
end
if string.sub(value, 2, 33) ~= ARGV[2] then
  return 2
end
if string.sub(value, 1, 1) == 'c' then
  return 3
end
return string.sub(value, 34)
