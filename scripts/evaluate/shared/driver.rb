# Judges one Ruby program by its tests, inside the sandbox, as driver.py does for Python: in two processes, of which the
# judge alone has read the tests, and the candidate loads the program and answers calls of its function. The file
# `request` is JSON with word, program, tests and the name of the function; it is deleted before the program runs.
# Standard output gets "<word> <status> <detail>".

require "fiddle"
require "json"

LENGTH = 8

def send_value(channel, value)
  data = Marshal.dump(value)
  channel.write([data.bytesize].pack("Q>"), data)
  channel.flush
end

def receive_value(channel)
  header = channel.read(LENGTH)
  raise EOFError if header.nil? || header.bytesize < LENGTH

  Marshal.load(channel.read(header.unpack1("Q>")))
end

# What a request gives: nothing for a program to load, a value for a call; Marshal refuses values that cannot pass.
def reply_to(name, *rest)
  value = name.nil? ? (eval(rest[0], TOPLEVEL_BINDING, "program.rb") && nil) : Object.new.send(name, *rest)
  Marshal.dump(value)
  [true, value]
rescue Exception => error # exit and out of memory as well
  [false, [error.class.name.to_s, error.is_a?(SyntaxError), error.is_a?(NoMemoryError)]]
end

def serve(requests, replies)
  nothing = File.open(File::NULL, "r+")
  [$stdin, $stdout, $stderr].each { |stream| stream.reopen(nothing) }
  loop { send_value(replies, reply_to(*receive_value(requests))) }
ensure
  exit!(1)
end

class ProgramError < StandardError; end

# The judge's side of the candidate; `faults` has what the program raised.
class Candidate
  attr_reader :faults

  def initialize(requests, replies)
    @requests = requests
    @replies = replies
    @faults = []
  end

  def ask(*request)
    begin
      send_value(@requests, request)
      good, content = receive_value(@replies)
    rescue EOFError, SystemCallError, TypeError, ArgumentError
      good, content = false, ["ended", false, false]
    end
    return content if good

    @faults << content
    raise ProgramError, content[0]
  end

  def verdict
    name, syntax, memory = @faults.last
    [syntax ? "compile_error" : memory ? "memory_limit" : "runtime_error", name]
  end
end

def judge(candidate, task)
  candidate.ask(nil, task["program"])
  Object.define_method(task["name"]) { |*arguments| candidate.ask(task["name"], *arguments) }
  require "test/unit"
  require "test/unit/testresult"
  require "test/unit/collector/descendant"
  Test::Unit::AutoRunner.need_auto_run = false
  eval(task["tests"], TOPLEVEL_BINDING, "tests.rb")
  result = Test::Unit::TestResult.new
  Test::Unit::Collector::Descendant.new.collect("tests").run(result) { |*_| }
  return candidate.verdict unless candidate.faults.empty?
  return ["passed", ""] if result.passed? && result.run_count.positive?

  result.failure_count.positive? ? ["wrong", "failed test"] : ["runtime_error", "error in a test"]
rescue ProgramError
  candidate.verdict
end

requests_end, requests = IO.pipe(binmode: true)
replies, replies_end = IO.pipe(binmode: true)
if fork.nil?
  [requests, replies].each(&:close)
  serve(requests_end, replies_end)
end
[requests_end, replies_end].each(&:close)
# No other process may look into the memory or the open files of this one (PR_SET_DUMPABLE is 4).
prctl = Fiddle::Function.new(Fiddle.dlopen(nil)["prctl"], [Fiddle::TYPE_INT] * 5, Fiddle::TYPE_INT)
raise "prctl" unless prctl.call(4, 0, 0, 0, 0).zero?

task = JSON.parse(File.read("request"))
File.delete("request")
aside = $stdout.dup
[$stdin, $stdout].each { |stream| stream.reopen(File::NULL) }
status, detail = judge(Candidate.new(requests, replies), task)
aside.write("#{task["word"]} #{status} #{detail}")
aside.flush
exit!(0)
