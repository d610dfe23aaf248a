// What big.js and decimal.js do not name alike, each in its fastest way: rounding to a currency's digits, and division.

/** The arithmetic of a library: big.js's `Big` or decimal.js's `Decimal`. */
export function arithmeticOf(Library) {
  return "roundHalfUp" in Library ? arithmeticOfBig(Library()) : arithmeticOfDecimal(Library);
}

function arithmeticOfBig(Big) {
  let digits = 2, mode = Big.roundHalfUp;
  return {
    Decimal: Big,
    use(currencyDigits, isHalfEven) {
      digits = Big.DP = currencyDigits;
      mode = Big.RM = isHalfEven ? Big.roundHalfEven : Big.roundHalfUp;
    },
    isZero: (x) => x.c[0] === 0,
    round: (x) => (x.c.length - 1 - x.e <= digits ? x : x.round(digits, mode)),
    // Division rounds to `DP` places by `RM`, once and with the remainder in sight.
    quotient: (x, y) => x.div(y),
    quotientDown(x, y) {
      Big.RM = Big.roundDown;
      const quotient = x.div(y);
      Big.RM = mode;
      return quotient;
    },
    packages(x, size) {
      Big.DP = 0;
      Big.RM = Big.roundUp;
      const packages = x.div(size);
      Big.DP = digits;
      Big.RM = mode;
      return packages;
    },
  };
}

function arithmeticOfDecimal(Library) {
  // A quotient is rounded twice: to 40 digits, and to the currency's. Of an amount below 10^15 with 18 places by some days,
  // one that is not a half differs from it before the 40th digit, so that the second time tells them apart.
  const Decimal = Library.clone({ precision: 40, rounding: Library.ROUND_HALF_UP, defaults: true });
  let digits = 2, mode = Decimal.ROUND_HALF_UP;
  return {
    Decimal,
    use(currencyDigits, isHalfEven) {
      digits = currencyDigits;
      mode = Decimal.rounding = isHalfEven ? Decimal.ROUND_HALF_EVEN : Decimal.ROUND_HALF_UP;
    },
    isZero: (x) => x.d[0] === 0,
    // To ask is a twentieth of rounding.
    round: (x) => (x.decimalPlaces() <= digits ? x : x.toDecimalPlaces(digits, mode)),
    quotient: (x, y) => x.div(y).toDecimalPlaces(digits, mode),
    quotientDown: (x, y) => x.div(y).toDecimalPlaces(digits, Decimal.ROUND_DOWN),
    packages: (x, size) => x.div(size).ceil(),
  };
}
