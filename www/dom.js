// Builds elements. Text always goes in as text nodes: names in a catalog may contain markup, and it must show as written.

/** An element: `el("p.note", { id: "x" }, "text", child)`. Properties starting with `on` are listeners; null and false are left out. */
export function el(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag);
  if (classes.length > 0) node.className = classes.join(" ");
  return filled(node, properties, children);
}

/** The same for drawings: `svg("rect.before", { height: 12 })`. */
function svg(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (classes.length > 0) node.setAttribute("class", classes.join(" "));
  return filled(node, properties, children);
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const icons = { check: "M4 10.5 8.2 15 16 5.5" };

/** An icon, hidden from screen readers: it always stands beside words. */
export const icon = (name) => svg("svg.icon", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: icons[name] }));
