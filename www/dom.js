// Builds elements. Text always goes in as text nodes: names in a catalog may contain markup, and it must show as written.

/** An element: `el("p.note", { id: "x" }, "text", child)`. Properties starting with `on` are listeners; null and false are left out. */
export function el(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag);
  if (classes.length > 0) node.className = classes.join(" ");
  return filled(node, properties, children);
}

/** The same for drawings: `svg("rect.before", { height: 12 })`. */
export function svg(selector, properties = {}, ...children) {
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

const icons = {
  check: "M4 10.5 8.2 15 16 5.5",
  alert: "M10 6v5M10 14v.1M2.5 10a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0",
  bolt: "M11 2.5 4.5 11.5H10l-1 6 6.5-9H10z",
  change: "M4 7.5h11l-3.5-3.5M16 12.5H5l3.5 3.5",
  later: "M10 5.5V10l3 2M2.5 10a7.5 7.5 0 1 0 15 0a7.5 7.5 0 1 0-15 0",
};

/** An icon, hidden from screen readers: it always stands beside words. */
export const icon = (name) =>
  svg("svg.icon", { viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: icons[name] }));

/** An amount, isolated from the direction of the text around it. */
export const amount = (text, selector = "bdi.amount") => el(selector, {}, text);
