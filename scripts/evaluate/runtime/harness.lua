-- Judges one Lua program by its tests, in the two roles that scripts/evaluate/runners/script.py describes.
--
-- A message is a length and a text. Values pass as plain parts: numbers, texts, booleans, nil, and tables of these
-- without their metatables. Functions, coroutines, userdata and cyclic tables become a value that is equal to nothing.
-- The tests may `require "luaunit"`: the judge has the parts of it that MultiPL-E uses.

local role, incoming, outgoing = ...
local error, load, next, pcall, rawequal, select, setmetatable = error, load, next, pcall, rawequal, select, setmetatable
local getmetatable, tostring, type = getmetatable, tostring, type
local concat, pack, unpack, sort = table.concat, table.pack, table.unpack, table.sort
local format, match, spack, sunpack, sub = string.format, string.match, string.pack, string.unpack, string.sub
local integer_type, find = math.type, string.find
local stdout, exit = io.stdout, os.exit

local Unknown = {}

local function read_file(name)
  local file <close> = io.open(name, "rb")
  return file:read("a")
end

-- Append the parts of a value to `parts`; `open` has the tables around it.
local function encode(value, parts, open)
  local kind = type(value)
  if kind == "nil" then
    parts[#parts + 1] = "n"
  elseif kind == "boolean" then
    parts[#parts + 1] = value and "t" or "f"
  elseif kind == "number" then
    parts[#parts + 1] = integer_type(value) == "integer" and "i" .. spack(">i8", value) or "d" .. spack(">d", value)
  elseif kind == "string" then
    parts[#parts + 1] = "s" .. spack(">s8", value)
  elseif kind == "table" and not open[value] then
    open[value] = true
    parts[#parts + 1] = "{"
    for key, item in next, value do
      encode(key, parts, open)
      encode(item, parts, open)
    end
    parts[#parts + 1] = "}"
    open[value] = nil
  else
    parts[#parts + 1] = "u"
  end
end

-- The value that begins at a position of a text, and the position after it.
local function decode(text, position)
  local kind = sub(text, position, position)
  position = position + 1
  if kind == "n" then
    return nil, position
  elseif kind == "t" or kind == "f" then
    return kind == "t", position
  elseif kind == "i" then
    return sunpack(">i8", text, position)
  elseif kind == "d" then
    return sunpack(">d", text, position)
  elseif kind == "s" then
    return sunpack(">s8", text, position)
  elseif kind == "u" then
    return setmetatable({}, Unknown), position
  elseif kind ~= "{" then
    error("malformed message")
  end
  local value = {}
  while sub(text, position, position) ~= "}" do
    local key, item
    key, position = decode(text, position)
    item, position = decode(text, position)
    value[key] = item
  end
  return value, position + 1
end

-- A message: a word, and any number of values.
local function send(channel, word, ...)
  local parts = {}
  encode(word, parts, {})
  encode(select("#", ...), parts, {})
  for number = 1, select("#", ...) do
    encode((select(number, ...)), parts, {})
  end
  local text = concat(parts)
  channel:write(spack(">s8", text))
  channel:flush()
end

local function receive(channel)
  local header = channel:read(8)
  if header == nil or #header < 8 then
    error("no more messages")
  end
  local text = channel:read((sunpack(">I8", header)))
  local word, position = decode(text, 1)
  local count
  count, position = decode(text, position)
  local values = {n = count}
  for number = 1, count do
    values[number], position = decode(text, position)
  end
  return word, values
end

-- The status and the message of an error, and its value, which the tests see.
local function fault(value)
  local text = type(value) == "string" and value or "(error object is a " .. type(value) .. " value)"
  return find(text, "not enough memory", 1, true) and "memory_limit" or "runtime_error", text, value
end

-- Candidate: load the program, then answer calls until the judge has ended.
local function serve()
  local replies = io.open(outgoing, "r+b")
  local requests = io.open(incoming, "rb")
  local chunk, message = load(read_file("program.lua") .. "\nreturn " .. read_file("entry_point"), "program.lua", "t")
  local tested
  receive(requests)
  if chunk == nil then
    send(replies, "fault", "compile_error", message, message)
  else
    local good, value = pcall(chunk)
    tested = value
    if good then
      send(replies, "value")
    else
      send(replies, "fault", fault(value))
    end
  end
  while true do
    local _, arguments = receive(requests)
    local results = pack(pcall(tested, unpack(arguments, 1, arguments.n)))
    if results[1] then
      send(replies, "value", unpack(results, 2, results.n))
    else
      send(replies, "fault", fault(results[2]))
    end
  end
end

local function equal(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  if getmetatable(one) == Unknown or getmetatable(other) == Unknown then
    return false
  end
  for key, item in next, one do
    if not equal(item, other[key]) then
      return false
    end
  end
  for key in next, other do
    if one[key] == nil then
      return false
    end
  end
  return true
end

-- Judge: run the tests; return status, detail and message.
local function judge()
  local requests = io.open(outgoing, "r+b")
  local replies = io.open(incoming, "rb")
  -- The last error of the program and the last failed assertion. Tests may catch either.
  local fault_raised, failure_raised
  -- Whether the program has ended, how many tests luaunit ran, and the first error that one of them did not catch.
  local ended, ran, uncaught
  local EXIT, FAILURE = {}, {}
  -- What the candidate may say of an error. Its program can write replies of its own into the pipe.
  local FAULTS = {compile_error = true, memory_limit = true}

  local function ask(word, ...)
    send(requests, word, ...)
    local good, kind, values = pcall(receive, replies)
    if good and kind == "value" then
      return unpack(values, 1, values.n)
    end
    ended = ended or not good
    local status = good and FAULTS[values[1]] and values[1] or "runtime_error"
    fault_raised = good and {status = status, message = values[2], value = values[3]} or {status = status}
    error(fault_raised.value, 0)
  end

  local function check(condition, value)
    if not condition then
      failure_raised = {value = value}
      error(value, 0)
    end
  end

  local function is_raised(record, value)
    return record ~= nil and rawequal(record.value, value)
  end

  local function describe(value)
    return getmetatable(value) == FAILURE and value.message or tostring(value)
  end

  local luaunit = {LuaUnit = {}}
  function luaunit.assertEquals(actual, expected)
    check(equal(actual, expected), setmetatable({message = "assertEquals"}, FAILURE))
  end
  function luaunit.LuaUnit.run()
    local names, failures = {}, 0
    for name, value in next, _G do
      if type(name) == "string" and type(value) == "function" and match(name, "^[Tt]est") then
        names[#names + 1] = name
      end
    end
    sort(names)
    for _, name in next, names do
      local good, value = pcall(_G[name])
      if not good then
        failures = failures + 1
        uncaught = uncaught or {value = value}
      end
    end
    ran = #names
    return failures
  end
  package.preload.luaunit = function()
    return luaunit
  end
  _G.assert = function(condition, ...)
    check(condition, select("#", ...) == 0 and "assertion failed!" or (...))
    return condition, ...
  end
  os.exit = function(code)
    error(setmetatable({code = code}, EXIT), 0)
  end
  _G.print = function() end
  _G[read_file("entry_point")] = function(...)
    return ask("call", ...)
  end

  local function run_tests()
    ask("load")
    return load(read_file("tests"), "tests.lua", "t")()
  end
  local good, raised = pcall(run_tests)
  local exited = not good and getmetatable(raised) == EXIT
  local code = true
  if exited then
    code = raised.code
  elseif not good then
    uncaught = {value = raised}
  end
  if ended then
    return "runtime_error", "ended"
  elseif uncaught and is_raised(fault_raised, uncaught.value) then
    return fault_raised.status, "error", fault_raised.message
  elseif uncaught and is_raised(failure_raised, uncaught.value) then
    return "wrong", "failed test", describe(uncaught.value)
  elseif uncaught and ran == nil then
    return "runtime_error", "error in a test", describe(uncaught.value)
  elseif ran == 0 or uncaught or not (code == 0 or code == true or code == nil) then
    return "wrong", "failed test"
  end
  return "passed", ""
end

if role == "candidate" then
  pcall(serve)
  exit(1, true)
end
local nonce = read_file("nonce")
local status, detail, message = judge()
stdout:write(format("%s %s %s\n%s", nonce, status, detail, sub(message or "", 1, 200)))
stdout:flush()
exit(0, true)
