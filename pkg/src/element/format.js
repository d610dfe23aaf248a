// Money, days and counts for people, in one language. Amounts stay decimal strings: Intl formats them exactly, and nothing
// here is a float but what only decides how something looks.

const fractionDigits = (text) => (text.split(".")[1] ?? "").length;

export const isZero = (text) => !/[1-9]/.test(text);
export const isNegative = (text) => text.startsWith("-") && !isZero(text);
export const negated = (text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);

/** The exact sum of decimals; of none, `0`. */
export function sum(texts) {
  const digits = Math.max(0, ...texts.map(fractionDigits));
  const units = texts.reduce((total, text) => total + BigInt(text.replace(".", "") + "0".repeat(digits - fractionDigits(text))), 0n);
  const text = `${units < 0n ? -units : units}`.padStart(digits + 1, "0");
  const sign = units < 0n ? "-" : "";
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** What is more in one amount than in another. */
export const difference = (to, from) => sum([to, negated(from)]);

// A calendar date has no time zone; reading and writing it in UTC keeps its day.
export const utc = (date) => new Date(`${date}T00:00:00Z`);
const iso = (date) => date.toISOString().slice(0, 10);

/** So many days later, or sooner. */
export function daysLater(date, days) {
  const later = utc(date);
  later.setUTCDate(later.getUTCDate() + days);
  return iso(later);
}

/** The same day a year later; 29 February becomes 1 March. */
export function yearLater(date) {
  const later = utc(date);
  later.setUTCFullYear(later.getUTCFullYear() + 1);
  return iso(later);
}

/** The first day of the month after `date`. */
export function nextMonth(date) {
  const first = utc(date);
  first.setUTCMonth(first.getUTCMonth() + 1, 1);
  return iso(first);
}

/** Everything that depends on a language. */
export function formatsOf(locale) {
  const numbers = new Map();
  // Formats are dear to make and there are few of them.
  const numberFormat = (options) => {
    const key = JSON.stringify(options);
    if (!numbers.has(key)) numbers.set(key, new Intl.NumberFormat(locale, options));
    return numbers.get(key);
  };
  const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const plurals = new Intl.PluralRules(locale);
  return {
    locale,
    /** `"29.90"`, `"USD"` as `$29.90`, with the digits that the text has; a unit price may come as `12` or `0.045`. */
    money(text, currency, digits = 0) {
      const shown = Math.max(fractionDigits(text), digits);
      const options = { style: "currency", currency, minimumFractionDigits: shown, maximumFractionDigits: shown };
      // A true minus is as wide as a digit.
      return numberFormat(options).format(text).replace("-", "\u2212");
    },
    number: (text) => numberFormat({ maximumFractionDigits: 12 }).format(text),
    plural: (text) => plurals.select(Number(text)),
    day: (date) => dayFormat.format(utc(date)),
    days: (from, to) => (from === to ? dayFormat.format(utc(from)) : dayFormat.formatRange(utc(from), utc(to))),
  };
}
