// What day it is in a time zone, by the time zones that the runtime itself carries.

/** Names that ICU, which browsers ask, has beside those of the time zone database, which the server asks. */
const NOT_IN_DATABASE = new Set(("ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST "
  + "VST US/Pacific-New").split(" "));

/** To make a format takes longer than a preview. */
const zones = new Map();

/** The date of an instant, or null for a zone that the server does not know. */
export function dayIn(zone, instant) {
  let known = zones.get(zone);
  if (known === undefined) {
    // More than there are in the world: names that are none, of ever other catalogs.
    if (zones.size > 1000) zones.clear();
    zones.set(zone, known = { write: writerIn(zone), minute: "", day: null });
  }
  if (!known.write) return null;
  // Within a minute no day has ended since 1973: 2026-11-22T10:00.
  const minute = instant < "1973" ? instant : instant.slice(0, 16);
  if (known.minute !== minute) {
    known.minute = minute;
    known.day = known.write(instant);
  }
  return known.day;
}

/** What tells the date of an instant in a zone; null for a zone that the server does not know. */
function writerIn(zone) {
  // Some browsers take an offset, `+01:00`, for a zone; and all of them `asia/KOLKATA`, of which some know no more than the
  // name of today.
  if (/^([+-]|SystemV\/)|(^|\/)[a-z]|\/.*[A-Z]{4}|^[A-Z]{4}.*\//.test(zone) || NOT_IN_DATABASE.has(zone)) return null;
  try {
    return typeof Temporal === "object" ? byTemporal(zone) : byIntl(zone);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Whether a browser would write a name otherwise: it takes `Europe/BERLIN`, too. */
const isOtherwiseWritten = (found, zone) => found !== zone && found.toLowerCase() === zone.toLowerCase();

/** Where there is Temporal: the first format of Intl takes a browser 20 ms. */
function byTemporal(zone) {
  const inZone = (instant) => Temporal.Instant.from(instant).toZonedDateTimeISO(zone);
  if (isOtherwiseWritten(inZone("2026-01-01T00:00:00Z").timeZoneId, zone)) return null;
  return (instant) => inZone(instant).toPlainDate().toString();
}

function byIntl(zone) {
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  if (isOtherwiseWritten(format.resolvedOptions().timeZone, zone)) return null;
  return (instant) => {
    const part = {};
    for (const { type, value } of format.formatToParts(new Date(instant))) part[type] = value;
    return `${part.year.padStart(4, "0")}-${part.month}-${part.day}`;
  };
}
