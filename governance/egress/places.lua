-- Places at a vendor: who may call it now, over all processes, on the store's own clock. Start-time fair
-- queueing between priorities, first come first served within one, and a quota in any span of time.
-- KEYS[1] held    sorted set: place to the millisecond at which its lease ends
-- KEYS[2] waiting hash: process to "until high since normal since low since", how many wait and since when
-- KEYS[3] turns   hash: finish tag of each priority, the last start tag, the last fence
-- KEYS[4] quota   hash: slice of time to calls admitted in it
-- ARGV[1] process  [2] places, 0 for no limit  [3] lease (ms)  [4] quota, 0 for none  [5] its span (ms)
-- ARGV[6] how long a process that waits is believed to be there (ms)
-- ARGV[7..12] how many wait here and for how many ms, by priority from high to low
-- ARGV[13..] places that are given back
-- Reply: ms until the quota may admit another (0: no quota in the way), then priority and fence of each place granted
local SLICES, STEP = 20, { 5, 10, 40 } -- of 13 places under full load: 8 high, 4 normal, 1 low
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local me, places, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local quota, span = tonumber(ARGV[4]), tonumber(ARGV[5])

for i = 13, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local free = places == 0 and math.huge or places - redis.call('ZCARD', KEYS[1])

local left, quota_wait = math.huge, 0
local slice = math.max(1, math.floor(span / SLICES))
local this = math.floor(now / slice)
if quota > 0 then
  left = quota
  local counts, oldest = redis.call('HGETALL', KEYS[4]), nil
  for i = 1, #counts, 2 do
    local at = tonumber(counts[i])
    if at < this - SLICES then
      redis.call('HDEL', KEYS[4], counts[i])
    else
      left = left - tonumber(counts[i + 1])
      oldest = math.min(oldest or at, at)
    end
  end
  if left <= 0 then
    quota_wait = math.max(1, (oldest + SLICES + 1) * slice - now)
  end
end

local demand = { {}, {}, {} }
local function asks(process, priority, count, since)
  if count > 0 then
    table.insert(demand[priority], { process = process, count = count, since = since })
  end
end
local others = redis.call('HGETALL', KEYS[2])
for i = 1, #others, 2 do
  if others[i] ~= me then
    local said = {}
    for number in string.gmatch(others[i + 1], '%-?%d+') do
      said[#said + 1] = tonumber(number)
    end
    if said[1] < now then
      redis.call('HDEL', KEYS[2], others[i])
    else
      for priority = 1, 3 do
        asks(others[i], priority, said[2 * priority], said[2 * priority + 1])
      end
    end
  end
end
local mine, since = {}, {}
for priority = 1, 3 do
  mine[priority] = tonumber(ARGV[5 + 2 * priority])
  since[priority] = now - tonumber(ARGV[6 + 2 * priority])
  asks(me, priority, mine[priority], since[priority])
end

local turns = redis.call('HMGET', KEYS[3], '1', '2', '3', 'at')
local finish, at = { tonumber(turns[1] or 0), tonumber(turns[2] or 0), tonumber(turns[3] or 0) }, tonumber(turns[4] or 0)
local reply = { quota_wait }
while free > 0 and left > 0 do
  local chosen, start = nil, math.huge
  for priority = 1, 3 do
    local tag = math.max(finish[priority], at)
    if #demand[priority] > 0 and tag < start then
      chosen, start = priority, tag
    end
  end
  if not chosen then
    break
  end
  local first = 1
  for i = 2, #demand[chosen] do
    if demand[chosen][i].since < demand[chosen][first].since then
      first = i
    end
  end
  local owner = demand[chosen][first]
  free, left = free - 1, left - 1
  finish[chosen], at = start + STEP[chosen], start
  if owner.process == me then -- another's turn is only kept free for it: it comes and takes it
    local fence = redis.call('HINCRBY', KEYS[3], 'fence', 1)
    redis.call('HSET', KEYS[3], tostring(chosen), finish[chosen], 'at', at)
    redis.call('ZADD', KEYS[1], now + lease, me .. ':' .. fence)
    if quota > 0 then
      redis.call('HINCRBY', KEYS[4], tostring(this), 1)
    end
    mine[chosen] = mine[chosen] - 1
    reply[#reply + 1] = chosen
    reply[#reply + 1] = fence
  end
  owner.count = owner.count - 1
  if owner.count == 0 then
    table.remove(demand[chosen], first)
  end
end

if mine[1] + mine[2] + mine[3] > 0 then
  local said = { now + tonumber(ARGV[6]) }
  for priority = 1, 3 do
    said[#said + 1] = mine[priority]
    said[#said + 1] = since[priority]
  end
  for i = 1, #said do
    said[i] = string.format('%.0f', said[i])
  end
  redis.call('HSET', KEYS[2], me, table.concat(said, ' '))
else
  redis.call('HDEL', KEYS[2], me)
end
for i, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, (i == 4 and 2 * span or 0) + lease + 60000)
end
return reply
