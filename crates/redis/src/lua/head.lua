-- The row is a hash: v version, d value (none in a tombstone), w when it was written; c claim, m when it was made, e its end;
-- q when a pause began, p its end. Times are milliseconds of this server's clock.
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local v, d, w, c, m, e, q, p = unpack(redis.call('HMGET', key, 'v', 'd', 'w', 'c', 'm', 'e', 'q', 'p'))
w, m, e, q, p = tonumber(w or 0), tonumber(m or 0), tonumber(e or 0), tonumber(q or 0), tonumber(p or 0)
if not (w and m and e and q and p) or (v and #v ~= 36) or (not v and redis.call('EXISTS', key) == 1) then
  return {'corrupt'}
end

local function since(past)
  return math.max(0, math.floor((now - past) / 1000))
end

local function full(answer)
  -- A pause of the future was written before the clock was set back. It is over, since nothing tells how much is left.
  local pause = 0
  if q <= now then pause = math.max(0, math.ceil((p - now) / 1000)) end
  return {answer, v, d, since(w), pause}
end

-- Byte by byte: Lua compares strings by the server's locale.
local function is_newer(version)
  for i = 1, 20 do
    local new, old = string.byte(version, i), string.byte(v, i)
    if new ~= old then return new > old end
  end
  return false
end

-- DEL comes first: it makes room, and after it Redis does not refuse the rest if memory has run out.
local function write(version, value)
  if v then redis.call('DEL', key) end
  if value then
    redis.call('HSET', key, 'v', version, 'w', now, 'd', value)
  else
    redis.call('HSET', key, 'v', version, 'w', now)
    redis.call('EXPIRE', key, TOMBSTONE_SECONDS)
  end
end
