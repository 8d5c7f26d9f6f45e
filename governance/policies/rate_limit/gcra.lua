-- Generic cell rate algorithm over one or more buckets, all or nothing, on the store's own clock.
-- KEYS[i]           the theoretical arrival time (TAT, µs since 1970) of bucket i; absent: full
-- ARGV[2i-1], [2i]  interval T (µs) and burst b of bucket i
-- Reply: admitted (1 or 0), now (µs), then per bucket: remaining, µs until one is admitted, µs until full
-- A refused call writes nothing. All numbers stay below 2^53, where doubles are exact.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local admitted, tats = 1, {}
for i = 1, #KEYS do
  local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local tat = tonumber(redis.call('GET', KEYS[i]) or now)
  local full, spent = now, now + interval * burst
  if tat < full then
    tat = full
  elseif tat > spent then -- the clock went back, or the limit was narrowed: never lock out for longer than that
    tat = spent
  end
  tats[i] = tat
  if tat - now > interval * (burst - 1) then
    admitted = 0
  end
end
local reply = { admitted, now }
for i = 1, #KEYS do
  local interval, burst, tat = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i]), tats[i]
  if admitted == 1 then
    tat = tat + interval
    redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', math.floor((tat - now) / 1000) + 2)
  end
  reply[#reply + 1] = math.floor((now + interval * burst - tat) / interval)
  reply[#reply + 1] = math.max(0, tat - now - interval * (burst - 1))
  reply[#reply + 1] = tat - now
end
return reply
