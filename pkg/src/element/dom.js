// Elements as data, and the fewest changes that make a tree of them of another: what a keystroke does not change stays the
// node it is, with its focus, its caret and its place on the screen. Text is always a text node, so names in a catalog may
// contain markup and show as written.

const SVG = "http://www.w3.org/2000/svg";

/** An element, `h("p.note", { id: "x" }, "text", child)`: children that are null, false or empty are left out. */
export function h(name, props, ...children) {
  return { name, props: props ?? {}, children: children.flat(Infinity).filter((child) => child || child === 0) };
}

/** Makes the children of `parent` those of `wanted`. */
export function patch(parent, wanted) {
  let node = parent.firstChild;
  for (const one of wanted) {
    const next = node?.nextSibling;
    if (!node) parent.append(made(one, parent));
    else if (!fit(node, one)) node.replaceWith(made(one, parent));
    node = next;
  }
  while (node) {
    const next = node.nextSibling;
    node.remove();
    node = next;
  }
}

/** What a node was made of. */
const origins = new WeakMap();

function made(wanted, parent) {
  if (typeof wanted !== "object") return document.createTextNode(wanted);
  const [tag, ...classes] = wanted.name.split(".");
  const node = tag === "svg" || (parent.namespaceURI === SVG && parent.localName === "svg")
    ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length > 0) node.setAttribute("class", classes.join(" "));
  origins.set(node, { ...wanted, props: {} });
  fit(node, wanted);
  return node;
}

/** Changes a node into what is wanted, if it is of that kind. */
function fit(node, wanted) {
  if (typeof wanted !== "object") {
    if (node.nodeType !== Node.TEXT_NODE) return false;
    if (node.data !== `${wanted}`) node.data = wanted;
    return true;
  }
  const origin = origins.get(node);
  if (origin?.name !== wanted.name) return false;
  if (origin === wanted) return true;
  patch(node, wanted.children);
  for (const name in origin.props) if (!(name in wanted.props)) set(node, name, null);
  // A choice of a list, or a number between limits, can be made only where these are.
  for (const name in wanted.props) if (name === "value" || wanted.props[name] !== origin.props[name]) set(node, name, wanted.props[name]);
  origins.set(node, wanted);
  return true;
}

function set(node, name, value) {
  if (name === "value" || name === "checked" || name.startsWith("on")) {
    if (node[name] !== value) node[name] = value;
  } else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}
