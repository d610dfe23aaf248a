// Money, dates and counted nouns for people, on the pages' cards. Amounts stay decimal strings: Intl formats them exactly.

const locale = document.documentElement.lang || "en";

/** `"29.90"`, `"USD"` as `$29.90`, with the digits the text has. */
export function money(text, currency) {
  const digits = (text.split(".")[1] ?? "").length;
  const options = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, options).format(text);
}

const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });

/** A calendar date has no time zone; reading and writing it in UTC keeps its day. */
export const day = (date) => dayFormat.format(new Date(`${date}T00:00:00Z`));

/** Today in a time zone; Swedish days are written as ISO 8601 has them. */
export const today = (timeZone) => new Intl.DateTimeFormat("sv", { timeZone }).format(new Date());

const plural = new Intl.PluralRules(locale);
const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 12 });

/** `12 seats`, with the noun's forms as `{one, other}`. */
export const counted = (text, noun) => (noun ? `${numbers.format(text)} ${noun[plural.select(Number(text))] ?? noun.other}` : numbers.format(text));
