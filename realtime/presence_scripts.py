"""What `presence_store.RedisStore` has Redis run: each script is one step that nothing comes between."""

from __future__ import annotations

# Redis' own clock counts, so that those of the machines need not agree. A user's entries are a hash,
# {connection: "status ends seen", and " left" where it is closed}; KEYS[1] is the sorted set of users by the
# first end among their entries.
_LUA = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local prefix = KEYS[1] .. ':'
local function text(number) return string.format('%.0f', number) end
local function stronger(one, other)
  if one == 'online' or other == 'online' then return 'online' end
  if one == 'away' or other == 'away' then return 'away' end
  return 'offline'
end
local function parsed(value)
  local status, ends, seen, left = string.match(value, '^(%a+) (%d+) (%d+)( ?%a*)$')
  return status, tonumber(ends), tonumber(seen), left ~= ''
end
-- Forgets what has run out. What there was, what is left, and when those who left were last seen.
local function settle(user)
  local before, after, last, first = 'offline', 'offline', 0, nil
  local fields = redis.call('HGETALL', prefix .. user)
  for i = 1, #fields, 2 do
    local status, ends, seen = parsed(fields[i + 1])
    before = stronger(before, status)
    if ends <= now then
      redis.call('HDEL', prefix .. user, fields[i])
      last = math.max(last, seen)
    else
      after = stronger(after, status)
      first = math.min(first or ends, ends)
    end
  end
  if first then redis.call('ZADD', KEYS[1], text(first), user) else redis.call('ZREM', KEYS[1], user) end
  return before, after, last
end
"""

PUT = (
    _LUA
    + """
local user, connection, status, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local before = settle(user)
redis.call('HSET', prefix .. user, connection, status .. ' ' .. text(now + ttl) .. ' ' .. text(now))
local _, after = settle(user)
return {before, after, text(now)}
"""
)

DROP = (
    _LUA
    + """
local user, connection, grace = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kept = redis.call('HGET', prefix .. user, connection)
if kept then
  local status = parsed(kept)
  local value = status .. ' ' .. text(now + grace) .. ' ' .. text(now) .. ' left'
  redis.call('HSET', prefix .. user, connection, value)
  -- At once where there is no grace: what has run out is for `sweep` to find.
  local first = redis.call('ZSCORE', KEYS[1], user)
  redis.call('ZADD', KEYS[1], text(math.min(tonumber(first or now + grace), now + grace)), user)
end
"""
)

SWEEP = (
    _LUA
    + """
local found = {}
local users = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, tonumber(ARGV[1]))
for _, user in ipairs(users) do
  local before, after, seen = settle(user)
  if after ~= 'offline' or seen == 0 then seen = now end
  found[#found + 1] = {user, before, after, text(seen)}
end
return found
"""
)

STATUSES = (
    _LUA
    + """
local found = {}
for i, user in ipairs(ARGV) do
  found[i] = 'offline'
  for _, value in ipairs(redis.call('HVALS', prefix .. user)) do
    local status, ends = parsed(value)
    if ends > now then found[i] = stronger(found[i], status) end
  end
end
return found
"""
)

SURPLUS = (
    _LUA
    + """
local most = tonumber(ARGV[1])
local found = {}
for i = 2, #ARGV do
  local key, open = prefix .. ARGV[i], {}
  -- Nearly nobody has so many; counting them is cheaper than reading them.
  local fields = redis.call('HLEN', key) > most and redis.call('HGETALL', key) or {}
  for j = 1, #fields, 2 do
    local _, ends, _, left = parsed(fields[j + 1])
    if ends > now and not left then open[#open + 1] = fields[j] end
  end
  table.sort(open)
  if #open > most then found[#found + 1] = {ARGV[i], unpack(open, 1, #open - most)} end
end
return found
"""
)
