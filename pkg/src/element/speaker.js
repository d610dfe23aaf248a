// Texts by their key, from the page's own and those of a language (`messages-en.js` and its like).

/** Says texts by their key, from the first of the dictionaries that has them: `say("until", { date })`. */
export function speaker({ number, plural }, dictionaries) {
  const textOf = (found, count) => (typeof found === "object" ? found[plural(count ?? 0)] ?? found.other : found);
  const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? say(word));
  const unitOf = (productId) => dictionaries.map(({ units }) => units?.[productId]).find(Boolean);

  function say(key, words = {}, otherwise = key) {
    const known = (wanted) => dictionaries.find((one) => one[wanted] !== undefined)?.[wanted];
    const found = known(key) ?? known(otherwise) ?? key;
    return fill(textOf(found, words.count), words.count === undefined ? words : { ...words, count: words.counted ?? number(words.count) });
  }
  return {
    say,
    /** Whether the merchant has a word for what a product counts, in `units`. */
    isCounted: (productId) => Boolean(unitOf(productId)),
    /** `12 seats`, or `12` where there is no word. */
    counted(count, productId) {
      const unit = unitOf(productId);
      return unit ? fill(textOf(unit, count), { count: number(count) }) : number(count);
    },
  };
}
