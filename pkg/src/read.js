// Reads any JavaScript value as `JSON.stringify` would send it, into plain data of its own, except that what JSON would
// silently change is refused: a `NaN` that would become `null`, a function that would vanish, a `Map` that would become
// `{}`. Such a value is put down as text that begins with half a character and names it, which no other text here does.
//
// Every look at a value may run code of the caller (a getter, a proxy, a `toJSON`), once; what it throws is thrown.

const HALF = "\ud800";
const MAX_DEPTH = 64;

/** How much one argument may hold, about in bytes of memory: room for more than the 16 MiB of JSON that the server takes
 * for a catalog. It ends what depth does not end: sixty objects that each hold the next one twice. */
const MAX_SIZE = 96 * 1024 * 1024, FIELD_SIZE = 64, ITEM_SIZE = 24;

const TOO_DEEP = HALF + "nesting beyond 64 levels", TOO_MUCH = HALF + "more JSON than a preview can read";

const isHalf = /[\ud800-\udfff]/u;
const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

let left;

/** Plain data for an argument; `undefined` is no request and no catalog. */
export function read(value) {
  // A getter of the value may read another one meanwhile.
  const before = left;
  left = MAX_SIZE;
  try {
    const plain = readValue(value, "", 0);
    return plain === undefined ? HALF + "undefined" : plain;
  } finally {
    left = before;
  }
}

function readValue(value, key, depth) {
  const type = typeof value;
  if (type === "string") return readText(value);
  if (type === "number") return readNumber(value);
  if (value === null || type === "boolean" || type === "undefined") return value;
  if (type === "symbol") return HALF + "a symbol";
  const { toJSON } = value;
  if (typeof toJSON !== "function") return readReplaced(value, depth);
  const replaced = toJSON.call(value, String(key));
  return replaced === null && tagOf(value) === "Date" ? HALF + "an invalid Date" : readReplaced(replaced, depth);
}

/** Reads a value after its `toJSON`. */
function readReplaced(value, depth) {
  switch (typeof value) {
    case "object": return value === null ? null : readObject(value, depth);
    case "string": return readText(value);
    case "number": return readNumber(value);
    case "bigint": return HALF + "a BigInt";
    case "symbol": return HALF + "a symbol";
    case "function": return HALF + "a function";
    default: return value;
  }
}

function readText(text) {
  left -= text.length;
  if (left < 0) return TOO_MUCH;
  return isHalf.test(text) ? HALF + "text with half a character" : text;
}

const readNumber = (number) => (Number.isFinite(number) ? number : HALF + number);

function readObject(value, depth) {
  if (Array.isArray(value)) return readList(value, depth);
  let isBuiltIn = false;
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    const tag = tagOf(value);
    switch (tag) {
      case "Map": case "Set": case "Promise":
        return `${HALF}a ${tag}`;
      case "Number": case "String": case "Boolean": case "BigInt": {
        const primitive = value.valueOf();
        if (primitive === null || typeof primitive !== "object") return readReplaced(primitive, depth);
        break;
      }
      default:
        // JSON would send an object whose fields are numbered.
        if (tag.endsWith("Array")) return HALF + "a typed array";
        isBuiltIn = tag !== "Object";
    }
  }
  const keys = Object.keys(value);
  // A regular expression, a form's data, an error: JSON would send `{}`.
  if (isBuiltIn && keys.length === 0) return HALF + "an object without fields of its own";
  if (depth === MAX_DEPTH) return TOO_DEEP;
  const plain = {};
  for (const key of keys) {
    const field = readValue(value[key], key, depth + 1);
    if (field === undefined) continue;
    const name = readText(key);
    if (name !== key) return name;
    // To assign to `__proto__` is to change the prototype.
    if (key === "__proto__") Object.defineProperty(plain, key, { value: field, writable: true, enumerable: true, configurable: true });
    else plain[key] = field;
    left -= FIELD_SIZE;
    if (left < 0) return TOO_MUCH;
  }
  return plain;
}

function readList(value, depth) {
  if (depth === MAX_DEPTH) return TOO_DEEP;
  const { length } = value;
  if (length > left / ITEM_SIZE) return TOO_MUCH;
  const plain = [];
  for (let index = 0; index < length; index++) {
    const item = readValue(value[index], index, depth + 1);
    plain.push(item === undefined ? null : item);
    left -= ITEM_SIZE;
    if (left < 0) return TOO_MUCH;
  }
  return plain;
}
