// Calendar arithmetic on integers: dates in and out, durations, billing periods.

// Days are counted from 1970-01-01. All of these are small integers.
export const LAST_DAY = 376_199;
export const NEVER = 1_000_000;
export const BEFORE_ALL = -1_000_000;

const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
export const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/;

/** The day of a date of the proleptic Gregorian calendar; months count from 1. */
function dayOf(year, month, date) {
  // Years that begin in March have their leap day last.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + date - 1;
  return era * 146_097 + yearOfEra * 365 + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0) + dayOfYear - 719_468;
}

/** Year, month and date of a day in one integer, so that nothing is allocated: `year × 512 + month × 32 + date`. */
export function civilOf(day) {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = ((dayOfEra / 1460) | 0) - ((dayOfEra / 36_524) | 0) + ((dayOfEra / 146_096) | 0);
  const yearOfEra = ((dayOfEra - leaps) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const marched = ((5 * dayOfYear + 2) / 153) | 0;
  const month = marched < 10 ? marched + 3 : marched - 9;
  const year = yearOfEra + era * 400 + (month > 2 ? 0 : 1);
  return year * 512 + month * 32 + (dayOfYear - (((153 * marched + 2) / 5) | 0) + 1);
}

/** An instant in milliseconds, in UTC and to the second. */
export function writeInstant(instant) {
  const seconds = Math.floor(instant / 1000), day = Math.floor(seconds / 86_400), time = seconds - day * 86_400;
  const hours = TWO_DIGITS[(time / 3600) | 0], minutes = TWO_DIGITS[((time / 60) | 0) % 60];
  return `${writeDay(day)}T${hours}:${minutes}:${TWO_DIGITS[time % 60]}Z`;
}

function writeDay(day) {
  const civil = civilOf(day);
  return `${civil >> 9}-${TWO_DIGITS[(civil >> 5) & 15]}-${TWO_DIGITS[civil & 31]}`;
}

/** The day a date names; `NaN` if there is none. */
export function readDay(text) {
  const match = typeof text === "string" ? DATE.exec(text) : null;
  if (match === null) return NaN;
  const year = +match[1], month = +match[2], date = +match[3];
  const isDate = month >= 1 && month <= 12 && date >= 1 && date <= daysOfMonth(year * 12 + month - 1);
  const day = isDate ? dayOf(year, month, date) : NaN;
  return day >= 0 && day <= LAST_DAY ? day : NaN;
}

/** Months count from the year 0, January being 0. */
export function monthOf(day) {
  const civil = civilOf(day);
  return (civil >> 9) * 12 + ((civil >> 5) & 15) - 1;
}

export function dayInMonth(month, date) {
  const year = Math.floor(month / 12);
  return dayOf(year, month - year * 12 + 1, Math.min(date, daysOfMonth(month)));
}

function daysOfMonth(month) {
  const year = Math.floor(month / 12), index = month - year * 12;
  if (index === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return index === 3 || index === 5 || index === 8 || index === 10 ? 30 : 31;
}

/** `P1M` and its like as months, or else days. */
export function readDuration(text) {
  const match = /^P(\d{1,4})([DWMY])$/.exec(text);
  if (match === null || +match[1] < 1 || +match[1] > 1200) throw new Error(`not a duration: ${text}`);
  const count = +match[1];
  switch (match[2]) {
    case "D": return { months: 0, days: count };
    case "W": return { months: 0, days: count * 7 };
    case "M": return { months: count, days: 0 };
    default: return { months: count * 12, days: 0 };
  }
}

export function dayAfterDuration(start, { months, days }) {
  const day = months === 0 ? start + days : dayInMonth(monthOf(start) + months, civilOf(start) & 31);
  return day <= LAST_DAY ? day : NEVER;
}

/** The billing periods of a cadence, counted from an anchor (R5.1); it stands at one, and remembers the one before. */
export class Calendar {
  constructor(anchor, anchorDate, { months, days }) {
    this.anchor = anchor;
    this.months = months;
    this.days = days;
    this.month = monthOf(anchor);
    this.date = anchorDate ?? civilOf(anchor) & 31;
    this.k = this.otherK = 0;
    this.start = this.otherStart = this.boundary(0);
    this.end = this.otherEnd = this.boundary(1);
  }

  boundary(k) {
    return this.months === 0 ? this.anchor + k * this.days : dayInMonth(this.month + k * this.months, this.date);
  }

  /** Which period holds a day. */
  periodOf(day) {
    if (this.start <= day && day < this.end) return this.k;
    if (this.months === 0) return Math.floor((day - this.anchor) / this.days);
    const guess = Math.floor((monthOf(day) - this.month) / this.months);
    return this.boundary(guess) > day ? guess - 1 : guess;
  }

  moveTo(k) {
    if (k === this.k) return;
    const { k: otherK, start: otherStart, end: otherEnd } = this;
    const isOther = k === this.otherK;
    this.start = isOther ? this.otherStart : k === otherK + 1 ? otherEnd : this.boundary(k);
    this.end = isOther ? this.otherEnd : this.boundary(k + 1);
    this.k = k;
    this.otherK = otherK;
    this.otherStart = otherStart;
    this.otherEnd = otherEnd;
  }
}

/** How days are written, each once in a call. */
export class Dates {
  constructor() {
    this.texts = new Map();
  }

  of(day) {
    let text = this.texts.get(day);
    if (text === undefined) {
      text = writeDay(day);
      this.texts.set(day, text);
    }
    return text;
  }

  /** The last day of a range, from the day after it; `null` if it never comes. */
  last(end) {
    return end === NEVER ? null : this.of(end - 1);
  }
}
