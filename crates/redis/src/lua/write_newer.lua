local version, value = unpack(ARGV)
local answer = {'done'}
if v then
  local newer = is_newer(version)
  if d then
    answer = full(newer and 'displaced' or 'changed')
  elseif not newer then
    answer = {'signed out', v}
  end
  if not newer then return answer end
end
write(version, value)
return answer
