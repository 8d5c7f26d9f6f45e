-- One call against every rate and quota that holds it: all of them admit it or none is charged.
-- KEYS   the rates, then the quotas
-- ARGV   cost, number of rates; per rate: interval T (µs), burst b; per quota: amount, start of its
--        period, end of it, end of the next (µs since 1970)
-- Kept   of a rate: its theoretical arrival time (TAT, µs since 1970); absent: full
--        of a quota: the start of its period, a colon, what was spent in it
-- Reply  admitted (1, 0, or -1: the time is in neither period of a quota), now (µs), then per key:
--        remaining, µs until this call would be admitted, µs until more than `remaining` is there
-- A refused call writes nothing. All numbers stay below 2^53, where doubles are exact.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local cost, rates = tonumber(ARGV[1]), tonumber(ARGV[2])
local admitted, kept, at = 1, {}, 3
for i = 1, rates do
  local interval, burst = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local tat = tonumber(redis.call('GET', KEYS[i]) or now)
  local spent = now + interval * burst
  if tat < now then
    tat = now
  elseif tat > spent then -- the clock went back, or the limit was narrowed: never lock out for longer than that
    tat = spent
  end
  kept[i] = tat
  if tat - now > interval * (burst - cost) then
    admitted = 0
  end
  at = at + 2
end
local starts, lefts, lives = {}, {}, {}
for i = rates + 1, #KEYS do
  local start, stop, following = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if now >= stop then
    start, stop = stop, following
  end
  if now < start or now >= stop then
    return { -1, now }
  end
  lefts[i], lives[i] = stop - now, stop - now + stop - start -- kept for another period, should the clock go back
  local spent, value = 0, redis.call('GET', KEYS[i])
  if value then
    local colon = string.find(value, ':', 1, true)
    local counted = tonumber(string.sub(value, 1, colon - 1))
    if counted >= start then -- later than this period: the clock went back, and what was spent stays spent
      start, spent = counted, tonumber(string.sub(value, colon + 1))
    end
  end
  kept[i], starts[i] = spent, start
  if spent + cost > tonumber(ARGV[at]) then
    admitted = 0
  end
  at = at + 4
end
local reply = { admitted, now }
at = 3
for i = 1, rates do
  local interval, burst, tat = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), kept[i]
  if admitted == 1 then
    tat = tat + interval * cost
    redis.call('SET', KEYS[i], string.format('%.0f', tat), 'PX', math.floor((tat - now) / 1000) + 2)
  end
  local remaining = math.floor((now + interval * burst - tat) / interval)
  reply[#reply + 1] = remaining
  reply[#reply + 1] = math.max(0, tat - now - interval * (burst - cost))
  reply[#reply + 1] = tat - now - interval * (burst - remaining - 1)
  at = at + 2
end
for i = rates + 1, #KEYS do
  local amount, spent, left = tonumber(ARGV[at]), kept[i], lefts[i]
  if admitted == 1 then
    spent = spent + cost
    redis.call('SET', KEYS[i], string.format('%.0f:%.0f', starts[i], spent), 'PX', math.floor(lives[i] / 1000) + 2)
  end
  reply[#reply + 1] = math.max(0, amount - spent)
  reply[#reply + 1] = spent + cost > amount and left or 0
  reply[#reply + 1] = left
  at = at + 4
end
return reply
