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
if redis.call('DEL', record) == 1 then
  redis.call('HSET', record, guard, ARGV[3])
  redis.call('PEXPIRE', record, ARGV[4])
end
return false
