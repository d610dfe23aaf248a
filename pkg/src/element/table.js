// How tables look, in the parts that have one.

export const table = `
table { inline-size: 100%; border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: end; padding: 0.2rem 0; padding-inline-start: 0.6rem; font-weight: 400; white-space: nowrap; }
th[scope="row"], th:first-child { text-align: start; padding-inline-start: 0; white-space: normal; }
thead { color: var(--_muted); }
tfoot * { font-weight: 700; }
`;
