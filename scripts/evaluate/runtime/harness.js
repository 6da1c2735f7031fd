// Judges one JavaScript program by its tests, in the two roles that scripts/evaluate/runners/script.py describes.
//
// A message is a length and a text of JSON. Values pass as plain parts: what JSON has no form for is a list with a
// letter before it. Objects pass with their own enumerable properties and without their prototype. Functions, symbols,
// promises and cyclic objects become a symbol, which is equal to nothing.
"use strict";

const fs = require("node:fs");
const vm = require("node:vm");

const [role, incoming, outgoing] = process.argv.slice(2);
const HEADER = 4;
const MOST_MESSAGE = 200;
const ERRORS = ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

// A value as parts that JSON has; `open` are the objects around it.
function packed(value, open = []) {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : ["n", packedNumber(value)];
  if (value === undefined) return ["v"];
  if (typeof value === "bigint") return ["b", String(value)];
  if (typeof value !== "object" || open.includes(value)) return ["u"];
  const inside = [...open, value];
  const all = (items) => Array.from(items, (item) => packed(item, inside));
  if (Array.isArray(value)) return ["a", all(value)];
  if (value instanceof Map) return ["m", all(value.keys()), all(value.values())];
  if (value instanceof Set) return ["s", all(value)];
  if (value instanceof Date) return ["d", Number(value)];
  if (Object.prototype.toString.call(value) !== "[object Object]") return ["u"];
  return ["o", Object.keys(value), all(Object.values(value))];
}

function packedNumber(value) {
  return Object.is(value, -0) ? "-0" : String(value);
}

function unpacked(part) {
  if (!Array.isArray(part)) return part;
  const [letter, first, second] = part;
  switch (letter) {
    case "n": return Number(first);
    case "v": return undefined;
    case "b": return BigInt(first);
    case "a": return first.map(unpacked);
    case "m": return new Map(first.map((key, index) => [unpacked(key), unpacked(second[index])]));
    case "s": return new Set(first.map(unpacked));
    case "d": return new Date(first);
    case "o": return Object.fromEntries(first.map((key, index) => [key, unpacked(second[index])]));
    default: return Symbol("a value that cannot pass");
  }
}

function send(channel, message) {
  const text = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(text.length);
  let rest = Buffer.concat([header, text]);
  while (rest.length > 0) rest = rest.subarray(fs.writeSync(channel, rest));
}

function readExactly(channel, length) {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const count = fs.readSync(channel, bytes, done, length - done, null);
    if (count === 0) throw new Error("no more messages");
    done += count;
  }
  return bytes;
}

function receive(channel) {
  return JSON.parse(readExactly(channel, readExactly(channel, HEADER).readUInt32BE()).toString());
}

// Status, and the name of the error's class, for something that a program has thrown.
function faultOf(error) {
  const name = error instanceof Error ? String(error.name) : "";
  return { fault: "runtime_error", name };
}

function load(source) {
  let script;
  try {
    script = new vm.Script(source, { filename: "program.js" });
  } catch (error) {
    return { fault: "compile_error", name: String(error.name) };
  }
  try {
    script.runInThisContext();
    return { value: packed(undefined) };
  } catch (error) {
    return faultOf(error);
  }
}

function call(name, values) {
  try {
    return { value: packed(vm.runInThisContext(name)(...values.map(unpacked))) };
  } catch (error) {
    return faultOf(error);
  }
}

// Candidate: load the program, then answer calls until the judge has ended.
function serve() {
  const replies = fs.openSync(outgoing, "r+");
  const requests = fs.openSync(incoming, "r");
  const program = fs.readFileSync("program.js", "utf8");
  const name = fs.readFileSync("entry_point", "utf8");
  globalThis.require = require;
  receive(requests);
  send(replies, load(program));
  for (;;) send(replies, call(name, receive(requests)));
}

// Judge: run the tests; return status, detail and message.
function judge() {
  const requests = fs.openSync(outgoing, "r+");
  const replies = fs.openSync(incoming, "r");
  let fault = null;
  const ask = (message) => {
    let reply;
    try {
      send(requests, message);
      reply = receive(replies);
      if (!("fault" in reply)) return unpacked(reply.value);
      fault = reply;
    } catch {
      fault = { fault: "runtime_error", ended: true };
    }
    throw new Error("the program failed");
  };
  const tests = fs.readFileSync("tests", "utf8");
  globalThis.require = require;
  globalThis[fs.readFileSync("entry_point", "utf8")] = (...values) => ask(values.map((value) => packed(value)));
  for (const name of ["log", "info", "debug", "error", "warn"]) console[name] = () => {};
  try {
    ask("load");
    vm.runInThisContext(tests, { filename: "tests.js" });
  } catch (error) {
    if (fault === null) return judged(error);
  }
  return fault === null ? ["passed", "", ""] : described(fault);
}

function judged(error) {
  return error.code === "ERR_ASSERTION" ? ["wrong", "AssertionError", ""] : ["runtime_error", "error in a test", error.name];
}

function described({ fault, name, ended }) {
  const status = fault === "compile_error" ? fault : "runtime_error";
  if (ended) return [status, "ended", ""];
  return [status, ERRORS.includes(name) ? name : "other_exception", String(name)];
}

if (role === "candidate") {
  try {
    serve();
  } finally {
    process.exit(1);
  }
}
const nonce = fs.readFileSync("nonce", "utf8");
const [status, detail, message] = judge();
fs.writeSync(1, `${nonce} ${status} ${detail}\n${message.slice(0, MOST_MESSAGE)}`);
process.exit(0);
