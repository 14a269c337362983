-- Replaces a record by a marker, and returns nil. If its guard is not as expected, changes nothing and returns the guard.
--
-- KEYS[1]  the record
-- ARGV[1]  the name of the guard
-- ARGV[2]  its expected version, or '' to end the record whatever it is
-- ARGV[3]  the marker
-- ARGV[4]  the marker's lifetime in milliseconds

local record, guard, expected = KEYS[1], ARGV[1], ARGV[2]

if expected ~= '' then
  local field = redis.call('HGET', record, guard)
  if string.sub(field or '', 1, 12) ~= expected then return { field } end
end
if ARGV[4] == '0' then
  redis.call('DEL', record)
  return false
end
-- A record that exists is never without a field in between: in a slot that is moving to another node, Redis refuses a
-- script's commands for a key that does not exist. A full store does not refuse a script whose first write is this one.
if redis.call('PEXPIRE', record, ARGV[4]) == 1 then
  redis.call('HSET', record, guard, ARGV[3])
  for _, name in ipairs(redis.call('HKEYS', record)) do
    if name ~= guard then redis.call('HDEL', record, name) end
  end
end
return false
