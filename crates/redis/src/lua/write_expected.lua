local expected, id, version, value = unpack(ARGV)
if v ~= expected then
  if v == version then return {'done'} end
  return full('changed')
end
if c and c ~= id and now < e then return {'fenced'} end
write(version, value)
return {'done'}
