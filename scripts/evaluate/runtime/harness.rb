# Judges one Ruby program by its tests, inside the sandbox, in two processes like harness.py: only the judge reads
# the tests, and the candidate loads the program and answers calls of its function.
#
# The file `request` is JSON with nonce, program, tests and the name of the function; it is deleted before the program
# runs. Standard output gets "<nonce> <status> <detail>" and, on a second line, the name of an exception.
#
# Values are sent as plain parts and become values of Ruby's builtin classes. A value of any other class is sent as one
# that equals nothing.

require "fiddle"
require "json"
require "set"

LENGTH = 8
MOST_MESSAGE = 200

# A value of a class that cannot be sent.
class Unknown
  def ==(_other) = false
  alias eql? ==
  alias equal? ==
  alias === ==
end

# Values as JSON and back. A value of a class that JSON lacks is a list that starts with a letter.
module Plain
  module_function

  def packed(value)
    case value
    when nil, true, false, Integer then value
    when Float then ["f", [value].pack("G").unpack1("H*")]
    when String then packed_text(value)
    when Symbol then ["y", packed_text(value.name)]
    when Array then ["a", value.map { |item| packed(item) }]
    when Hash then value.compare_by_identity? ? ["u"] : ["h", value.map { |key, item| [packed(key), packed(item)] }, packed(value.default)]
    when Range then ["r", packed(value.begin), packed(value.end), value.exclude_end?]
    when Rational then ["q", value.numerator, value.denominator]
    when Complex then ["c", packed(value.real), packed(value.imaginary)]
    else defined?(Set) && value.is_a?(Set) ? ["S", value.map { |item| packed(item) }] : ["u"]
    end
  end

  def packed_text(text)
    return String.new(text) if text.encoding == Encoding::UTF_8 && text.valid_encoding?

    ["s", text.encoding.name, text.unpack1("H*")]
  end

  def unpacked(part)
    return part unless part.is_a?(Array)

    letter, first, second, third = part
    case letter
    when "f" then [first].pack("H*").unpack1("G")
    when "s" then [second].pack("H*").force_encoding(first)
    when "y" then unpacked(first).to_sym
    when "a" then first.map { |item| unpacked(item) }
    when "h" then Hash.new(unpacked(second)).update(first.to_h { |key, item| [unpacked(key), unpacked(item)] })
    when "r" then Range.new(unpacked(first), unpacked(second), third)
    when "q" then Rational(first, second)
    when "c" then Complex(unpacked(first), unpacked(second))
    when "S" then first.to_set { |item| unpacked(item) }
    else Unknown.new
    end
  end
end

def send_parts(channel, parts)
  data = JSON.generate(parts, max_nesting: 0)
  channel.write([data.bytesize].pack("Q>"), data)
  channel.flush
end

def receive_parts(channel)
  header = channel.read(LENGTH)
  raise EOFError if header.nil? || header.bytesize < LENGTH

  JSON.parse(channel.read(header.unpack1("Q>")), max_nesting: false, create_additions: false)
end

# The result of a request: nothing when it loads the program; when it calls a function, its value
# and the arguments as the call left them.
def reply_to(name, rest)
  return [true, eval(rest, TOPLEVEL_BINDING, "program.rb") && nil] if name.nil?

  arguments = Plain.unpacked(rest)
  result = Plain.packed(Object.new.send(name, *arguments))
  [true, [result, Plain.packed(arguments)]]
rescue Exception => error # also exit and lack of memory
  kinds = [SyntaxError, NoMemoryError, StandardError].map { |kind| error.is_a?(kind) }
  [false, [error.class.name.to_s, *kinds, message_of(error)]]
end

def message_of(error)
  Plain.packed(error.message)
rescue Exception # a method of the program
  nil
end

def serve(requests, replies)
  nothing = File.open(File::NULL, "r+")
  [$stdin, $stdout, $stderr].each { |stream| stream.reopen(nothing) }
  loop { send_parts(replies, reply_to(*receive_parts(requests))) }
ensure
  exit!(1)
end

# Classes of Ruby's exceptions by their names, without those of test-unit, which is loaded later.
STANDARD_ERRORS = ObjectSpace.each_object(StandardError.singleton_class).to_h { |kind| [kind.name, kind] }.freeze
MUTABLE = [String, Array, Hash, Set].freeze

# What tests get for exceptions of the program's own classes, and for those that `rescue` alone does not catch.
class ProgramError < StandardError; end
class ProgramExit < Exception; end

# The candidate as the judge sees it.
class Candidate
  def initialize(requests, replies)
    @requests = requests
    @replies = replies
    @faults = []
  end

  def ask(name, rest)
    good, content = answer_to(name, rest)
    return content if good

    raised = exception_for(*content)
    @faults << [raised, content]
    raise raised
  end

  # Whether the program ended, and not only the call of its function.
  def ended?
    @faults.any? { |_, (name, *)| name == "ended" }
  end

  # Whether the program raised this exception.
  def raised?(error)
    @faults.any? { |raised, _| raised.equal?(error) }
  end

  def verdict
    name, syntax, memory = @faults.last[1]
    [syntax ? "compile_error" : memory ? "memory_limit" : "runtime_error", known(name.to_s), name.to_s]
  end

  private

  def answer_to(name, rest)
    sent = name.nil? ? rest : Plain.packed(rest)
    send_parts(@requests, [name, sent])
    good, content = receive_parts(@replies)
    return [false, [*content]] unless good == true
    return [true, nil] if name.nil?

    renew(rest, sent, content[1])
    [true, Plain.unpacked(content[0])]
  rescue StandardError, SystemStackError # the other side may send anything
    [false, ["ended"]]
  end

  # An exception of the same class and with the same message, which tests may expect, if that is a class of Ruby's own.
  def exception_for(name, _syntax = nil, _memory = nil, standard = nil, message = nil)
    kind = STANDARD_ERRORS[name]
    return (standard ? ProgramError : ProgramExit).new(name.to_s) if kind.nil?

    text = Plain.unpacked(message)
    text.instance_of?(String) ? kind.new(text) : kind.new
  rescue StandardError # of a class with another constructor
    ProgramError.new(name.to_s)
  end

  # Give arguments that the call changed in place their new content.
  def renew(arguments, sent, left)
    arguments.zip(sent[1], left[1]) do |argument, before, after|
      next if before == after || argument.frozen? || !MUTABLE.include?(argument.class)

      changed = Plain.unpacked(after)
      argument.replace(changed) if changed.instance_of?(argument.class)
    end
  end

  # The name of an exception that Ruby or its libraries define.
  def known(name)
    return name if name == "ended"

    kind = name.match?(/\A[A-Z]\w*(::[A-Z]\w*)*\z/) && Object.const_defined?(name) && Object.const_get(name)
    kind.is_a?(Class) && kind <= Exception ? name : "other_exception"
  end
end

# Let the judge find only libraries that the program cannot write: not those of the work folder, which is also the home
# folder.
def use_installed_libraries_only
  installed = ->(path) { [Dir.pwd, Dir.home].none? { |folder| path.start_with?("#{folder}/") } }
  paths = Gem.path.select(&installed).join(File::PATH_SEPARATOR)
  Gem.paths = { "GEM_HOME" => Gem.default_dir, "GEM_PATH" => paths }
  $LOAD_PATH.select!(&installed)
end

def judge(candidate, task)
  candidate.ask(nil, task["program"])
  Object.define_method(task["name"]) { |*arguments| candidate.ask(task["name"], arguments) }
  Test::Unit::AutoRunner.need_auto_run = false
  eval(task["tests"], TOPLEVEL_BINDING, "tests.rb")
  result = Test::Unit::TestResult.new
  Test::Unit::Collector::Descendant.new.collect("tests").run(result) { |*_| }
  return candidate.verdict if candidate.ended? || result.errors.any? { |error| candidate.raised?(error.exception) }
  return ["passed", ""] if result.passed? && result.run_count.positive?

  result.failure_count.positive? ? ["wrong", "failed test"] : ["runtime_error", "error in a test"]
rescue StandardError, ProgramExit => error
  raise unless candidate.raised?(error)

  candidate.verdict
end

requests_end, requests = IO.pipe(binmode: true)
replies, replies_end = IO.pipe(binmode: true)
if fork.nil?
  [requests, replies].each(&:close)
  serve(requests_end, replies_end)
end
[requests_end, replies_end].each(&:close)
# Deny other processes access to the memory and the open files of this one (PR_SET_DUMPABLE is 4).
prctl = Fiddle::Function.new(Fiddle.dlopen(nil)["prctl"], [Fiddle::TYPE_INT] * 5, Fiddle::TYPE_INT)
raise "prctl" unless prctl.call(4, 0, 0, 0, 0).zero?

use_installed_libraries_only
require "test/unit"
require "test/unit/testresult"
require "test/unit/collector/descendant"
task = JSON.parse(File.read("request"))
File.delete("request")
aside = $stdout.dup
[$stdin, $stdout].each { |stream| stream.reopen(File::NULL) }
status, detail, message = judge(Candidate.new(requests, replies), task)
aside.write("#{task["nonce"]} #{status} #{detail}\n#{message.to_s[0, MOST_MESSAGE]}")
aside.flush
exit!(0)
