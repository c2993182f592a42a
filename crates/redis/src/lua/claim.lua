local version, id, seconds, over = unpack(ARGV)
if v ~= version then return full('changed') end
if c and c ~= id then
  if now < e then
    if now < m then
      -- The clock was set back: from here on the claim lives for as long as it was given, and not until then.
      e = now + e - m
      redis.call('HSET', key, 'm', now, 'e', e)
    end
    return {'busy', math.ceil((e - now) / 1000)}
  end
  if c ~= over then
    local answer = full('lapsed')
    answer[6], answer[7] = c, since(m)
    return answer
  end
end
redis.call('HSET', key, 'c', id, 'm', now, 'e', now + seconds * 1000)
return full(c == id and 'renewed' or 'claimed')
