-- Changes a record, a hash, if it is as expected, and returns nil. Otherwise changes nothing and returns the fields that
-- the steps name.
--
-- KEYS[1]  the record
-- ARGV[1]  its lifetime in milliseconds
-- ARGV[2]  1 to replace the record as a whole, 0 to leave its other fields as they are
-- ARGV[3…] three for each step: the name of the field, its expected version or '' for no field, and the new field or ''

local record, lifetime, replaces = KEYS[1], ARGV[1], ARGV[2] == '1'
local steps = (#ARGV - 2) / 3

-- `unpack` fails for more values than Lua's stack holds, about 8000. Even, since HSET takes pairs.
local CHUNK = 1000

local names, fields = {}, {}
for step = 1, steps do
  names[step] = ARGV[3 * step]
end
for first = 1, steps, CHUNK do
  local last = math.min(first + CHUNK - 1, steps)
  for index, field in ipairs(redis.call('HMGET', record, unpack(names, first, last))) do
    fields[first + index - 1] = field
  end
end

local puts, looks, expected_fields, as_expected = {}, {}, 0, true
for step = 1, steps do
  local expected, put = ARGV[3 * step + 1], ARGV[3 * step + 2]
  -- A missing field is `false`.
  local version = string.sub(fields[step] or '', 1, 12)
  if put ~= '' then
    -- The same swap was sent before, and has changed the record.
    if version == string.sub(put, 1, 12) then return false end
    puts[#puts + 1] = names[step]
    puts[#puts + 1] = put
  elseif expected ~= '' then
    looks[#looks + 1] = names[step]
  end
  if version ~= expected then as_expected = false end
  if expected ~= '' then expected_fields = expected_fields + 1 end
end
if replaces and redis.call('HLEN', record) ~= expected_fields then as_expected = false end
if not as_expected then return fields end

if replaces then
  if #puts == 0 or lifetime == '0' then
    redis.call('DEL', record)
    return false
  end
  -- Only what exists: a full store refuses a script's first write only, and must refuse to create a record. And not `DEL`:
  -- in a slot that is moving to another node, Redis refuses a script's commands for a key that does not exist.
  if expected_fields > 0 then redis.call('PEXPIRE', record, lifetime) end
end
for first = 1, #puts, CHUNK do
  redis.call('HSET', record, unpack(puts, first, math.min(first + CHUNK - 1, #puts)))
end
if replaces then
  for first = 1, #looks, CHUNK do
    redis.call('HDEL', record, unpack(looks, first, math.min(first + CHUNK - 1, #looks)))
  end
end
-- Never shortened. What was just created has none: -1.
if redis.call('PTTL', record) < tonumber(lifetime) then
  redis.call('PEXPIRE', record, lifetime)
end
return false
