local id, pause = unpack(ARGV)
if not c then return {'done'} end
if c ~= id then return {'fenced'} end
redis.call('HDEL', key, 'c', 'm', 'e')
local ends = now + pause * 1000
if q <= now then ends = math.max(ends, p) end
redis.call('HSET', key, 'q', now, 'p', ends)
return {'done'}
