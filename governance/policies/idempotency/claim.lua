-- Claim a key, or say what stands there. A value is: state (1 byte), fingerprint (32), then
-- 'c', claimed: the holder's token;
-- 'a', answered: Unix seconds (10 digits), status (3 digits), the stored outcome;
-- 'd', done, its outcome too large to keep: the same without one. Its repeat runs again, on the other two keepers.
-- KEYS[1] the key; ARGV: token, fingerprint, lease (ms)
-- Reply: 1 claimed, 2 used for another request, below 0 in flight (minus the rest of the lease, ms), or the outcome
local value = redis.call('GET', KEYS[1])
if not value then
  redis.call('SET', KEYS[1], 'c' .. ARGV[2] .. ARGV[1], 'PX', ARGV[3])
  return 1
end
if string.sub(value, 2, 33) ~= ARGV[2] then
  return 2
end
local state = string.sub(value, 1, 1)
if state == 'c' then
  return -math.max(1, redis.call('PTTL', KEYS[1]))
end
if state == 'd' then
  redis.call('SET', KEYS[1], 'c' .. ARGV[2] .. ARGV[1], 'PX', ARGV[3])
  return 1
end
return string.sub(value, 47)
