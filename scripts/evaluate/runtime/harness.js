// Judges one JavaScript program by its tests, in the two roles that scripts/evaluate/runners/script.py describes.
//
// A message is a length and a text of JSON. Values pass as plain parts: what JSON has no form for is a list with a
// letter before it. Objects and arrays pass with their own enumerable properties. In the place of a prototype of the
// program, the judge has one without methods. Functions, symbols, promises, cyclic objects, and what has properties that
// the judge could not see become a symbol, which is equal to nothing.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { isDate, isMap, isSet } = require("node:util").types;
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
  return packedObject(value, Object.keys(value), (items) => Array.from(items, (item) => packed(item, inside)));
}

// An object as parts; `names` are its own enumerable properties, `all` packs a list.
function packedObject(value, names, all) {
  if (hasSymbols(value)) return ["u"];
  if (Array.isArray(value)) {
    const prototype = numberOf(value, Array.prototype);
    if (isDense(value, names) && prototype === 0) return ["a", all(value)];
    return ["p", names, all(Object.values(value)), prototype, value.length];
  }
  const kind = [[isMap, Map], [isSet, Set], [isDate, Date]].find(([check]) => check(value));
  if (kind && (names.length > 0 || Object.getPrototypeOf(value) !== kind[1].prototype)) return ["u"];
  if (isMap(value)) return ["m", all(value.keys()), all(value.values())];
  if (isSet(value)) return ["s", all(value)];
  if (isDate(value)) return ["d", packed(value.getTime())];
  if (Object.prototype.toString.call(value) !== "[object Object]") return ["u"];
  return ["o", names, all(Object.values(value)), numberOf(value, Object.prototype)];
}

// Whether an object has enumerable properties of its own that symbols name.
function hasSymbols(value) {
  const isEnumerable = (symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol);
  return Object.getOwnPropertySymbols(value).some(isEnumerable);
}

// Prototypes of this process that have a number, and those of the other process by their number.
const numbered = [null];
const prototypes = new Map();

// 0 for the usual prototype, -1 for none, else a number that a prototype has always.
function numberOf(value, usual) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === usual) return 0;
  if (prototype === null) return -1;
  return numbered.includes(prototype) ? numbered.indexOf(prototype) : numbered.push(prototype) - 1;
}

function withPrototype(value, number) {
  if (number === 0) return value;
  if (number === -1) return Object.setPrototypeOf(value, null);
  const usual = Array.isArray(value) ? Array.prototype : Object.prototype;
  if (!prototypes.has(number)) prototypes.set(number, Object.create(usual));
  return Object.setPrototypeOf(value, prototypes.get(number));
}

// Whether an array has neither holes nor properties with other names than its indices, which come first.
function isDense(value, names) {
  return names.length === value.length && (value.length === 0 || names[value.length - 1] === String(value.length - 1));
}

// An object or array with properties of these names.
function filled(value, names, parts) {
  names.forEach((name, index) => {
    const property = { value: unpacked(parts[index]), writable: true, enumerable: true, configurable: true };
    Object.defineProperty(value, name, property);
  });
  return value;
}

function packedNumber(value) {
  return Object.is(value, -0) ? "-0" : String(value);
}

function unpacked(part) {
  if (!Array.isArray(part)) return part;
  const [letter, first, second, third, fourth] = part;
  switch (letter) {
    case "n": return Number(first);
    case "v": return undefined;
    case "b": return BigInt(first);
    case "a": return first.map(unpacked);
    case "m": return new Map(first.map((key, index) => [unpacked(key), unpacked(second[index])]));
    case "s": return new Set(first.map(unpacked));
    case "d": return new Date(unpacked(first));
    case "o": return withPrototype(filled({}, first, second), third);
    case "p": return withPrototype(filled(new Array(fourth), first, second), third);
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

// Status, and the name of the error's class with its message or the value, for something that a program has thrown.
function faultOf(error) {
  if (!(error instanceof Error)) return { fault: "runtime_error", name: "", value: packed(error) };
  return { fault: "runtime_error", name: String(error.name), text: String(error.message) };
}

// What the tests see for it: an error of the same class, if that is one of JavaScript.
function thrownBy({ name, text, value }) {
  if (value !== undefined) return unpacked(value);
  const error = new globalThis[ERRORS.includes(name) ? name : "Error"](text);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}

// Give programs and tests what a file has that node runs.
function defineModule() {
  Object.assign(globalThis, { require, module, exports, __dirname, __filename: path.join(__dirname, "program.js") });
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
  defineModule();
  receive(requests);
  send(replies, load(program));
  for (;;) send(replies, call(name, receive(requests)));
}

// Judge: run the tests; return status, detail and message.
function judge() {
  const requests = fs.openSync(outgoing, "r+");
  const replies = fs.openSync(incoming, "r");
  let ended = false;
  let thrown = null;
  const ask = (message) => {
    let reply;
    try {
      send(requests, message);
      reply = receive(replies);
      if (!("fault" in reply)) return unpacked(reply.value);
      thrown = { fault: reply, error: thrownBy(reply) };
    } catch {
      ended = true;
      throw new Error("the program failed");
    }
    throw thrown.error;
  };
  const tests = fs.readFileSync("tests", "utf8");
  defineModule();
  globalThis[fs.readFileSync("entry_point", "utf8")] = (...values) => ask(values.map((value) => packed(value)));
  for (const name of ["log", "info", "debug", "error", "warn"]) console[name] = () => {};
  try {
    ask("load");
    vm.runInThisContext(tests, { filename: "tests.js" });
  } catch (error) {
    if (!ended) return thrown !== null && Object.is(error, thrown.error) ? described(thrown.fault) : judged(error);
  }
  return ended ? ["runtime_error", "ended", ""] : ["passed", "", ""];
}

function judged(error) {
  return error.code === "ERR_ASSERTION" ? ["wrong", "AssertionError", ""] : ["runtime_error", "error in a test", error.name];
}

function described({ fault, name }) {
  const status = fault === "compile_error" ? fault : "runtime_error";
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
