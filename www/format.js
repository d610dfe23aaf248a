// Money, dates and counted nouns for people. Amounts stay decimal strings: Intl formats them exactly, and nothing here is a float.

const locale = document.documentElement.lang || "en";

const fractionDigits = (text) => (text.split(".")[1] ?? "").length;

/** `"29.90"`, `"USD"` as `$29.90`. Shows the digits the text has, and at least `digits`: a unit price may come as `12` or `0.045`. */
export function money(text, currency, digits = 0) {
  const shown = Math.max(fractionDigits(text), digits);
  return new Intl.NumberFormat(locale, {
    style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: shown, maximumFractionDigits: shown,
  }).format(text).replace("-", "\u2212"); // a true minus is as wide as a digit
}

/** A quantity or percentage: `"12000"` as `12,000`. */
export function number(text) {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 12 }).format(text);
}

/** `a - b` of two amounts with the same number of digits, as a decimal string. */
export function difference(a, b) {
  const digits = Math.max(fractionDigits(a), fractionDigits(b));
  const units = (text) => BigInt(text.replace(".", "") + "0".repeat(digits - fractionDigits(text)));
  const left = units(a) - units(b);
  const text = (left < 0n ? -left : left).toString().padStart(digits + 1, "0");
  const sign = left < 0n ? "-" : "";
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The sum of amounts in one currency, with its digits also where there are none: `"0.00"`. */
export function sum(texts, currency) {
  const digits = new Intl.NumberFormat(locale, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  return texts.reduce((total, text) => difference(total, negated(text)), (0).toFixed(digits));
}

/** An amount for the side of a chart, where there is little room: `$1.2K`. */
export const shortMoney = (value, currency) => new Intl.NumberFormat(locale, {
  style: "currency", currency, currencyDisplay: "narrowSymbol", notation: "compact", maximumFractionDigits: 2,
}).format(value);

export const isZero = (text) => !/[1-9]/.test(text);
export const isNegative = (text) => text.startsWith("-") && !isZero(text);
export const negated = (text) => (text.startsWith("-") ? text.slice(1) : `-${text}`);

// A calendar date has no time zone; reading and writing it in UTC keeps its day.
const utc = (date) => new Date(`${date}T00:00:00Z`);
const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });

export const day = (date) => dayFormat.format(utc(date));
export const days = ({ start_date, end_date }) =>
  start_date === end_date ? day(start_date) : dayFormat.formatRange(utc(start_date), utc(end_date));

/** An instant in the buyer's own time zone. */
export const moment = (instant) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));

/** The same day a year later, `shift` days on; 29 February becomes 1 March. */
export function yearLater(date, shift = 0) {
  const later = utc(date);
  later.setUTCFullYear(later.getUTCFullYear() + 1);
  later.setUTCDate(later.getUTCDate() + shift);
  return later.toISOString().slice(0, 10);
}

const monthFormats = {
  long: new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" }),
  short: new Intl.DateTimeFormat(locale, { month: "short", timeZone: "UTC" }),
  narrow: new Intl.DateTimeFormat(locale, { month: "narrow", timeZone: "UTC" }),
  year: new Intl.DateTimeFormat(locale, { year: "numeric", timeZone: "UTC" }),
};

/** The month of a day: `November 2026`, `Nov`, `N`, or only its `2026`. */
export const month = (date, style) => monthFormats[style].format(utc(date));

/** The day before. */
export function dayBefore(date) {
  return new Date(utc(date).getTime() - 86_400_000).toISOString().slice(0, 10);
}

/** The first day of the month after `date`. */
export function nextMonth(date) {
  const first = utc(date);
  first.setUTCMonth(first.getUTCMonth() + 1, 1);
  return first.toISOString().slice(0, 10);
}

/** Today where the seller is. */
export function today(timeZone) {
  const parts = new Intl.DateTimeFormat("en-u-ca-iso8601", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" })
    .formatToParts(new Date());
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}`;
}

const plural = new Intl.PluralRules(locale);

/** `12 seats`, with the noun's forms as `{one, other}`. */
export function counted(text, noun) {
  if (!noun) return number(text);
  return `${number(text)} ${noun[plural.select(Number(text))] ?? noun.other}`;
}

const units = { D: "day", W: "week", M: "month", Y: "year" };

/** An ISO 8601 duration as words: `P1M` is `month`, `P14D` is `14 days`. */
export function duration(iso) {
  const [, count, unit] = /^P(\d+)([DWMY])$/.exec(iso);
  if (count === "1") return units[unit];
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[unit], unitDisplay: "long" }).format(count);
}

/** A problem's text as a sentence: capital first, full stop last, what stands in backticks in quotation marks. */
export function sentence(text) {
  const quoted = text.replace(/`([^`]*)`/g, "“$1”");
  return quoted.charAt(0).toUpperCase() + quoted.slice(1) + (/[.!?]$/.test(quoted) ? "" : ".");
}
