// Keeps what the buyer entered over a reload of the page.

/** Keeps `value` under a name. Where storage is switched off, it lives as long as the page. */
export function keep(name, value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It is only a convenience.
  }
}

/** What was kept under a name, or null; what cannot be read is forgotten. */
export function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
