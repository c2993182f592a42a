local id, pause = unpack(ARGV)
if not c then return {'done'} end
if c ~= id then return {'fenced'} end
redis.call('HDEL', key, 'c', 'm', 'e')
redis.call('HSET', key, 'q', now, 'p', now + pause * 1000)
return {'done'}
