// What texts spell, sooner than the language's own conversions tell, for the spellings that are common in records.

const ZERO = 48;
const DAY = 86_400_000;

/**
 * The instant that a text spells, if it does so exactly as `toISOString` does in years 0 to 9999, on a day that every
 * month has. `undefined` otherwise, when only `Date` can tell. Takes a third of the time.
 */
export function instantOf(text: string): number | undefined {
  if (text.length !== 24 || !hasMarks(text)) return undefined;
  const century = twoDigits(text, 0);
  const yearOfCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const hundredths = twoDigits(text, 20);
  const thousandths = text.charCodeAt(22) - ZERO;
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1 || day > 28) return undefined;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;
  if (hundredths < 0 || thousandths < 0 || thousandths > 9) return undefined;
  const time = ((hour * 60 + minute) * 60 + second) * 1000 + hundredths * 10 + thousandths;
  return daysSince1970(century * 100 + yearOfCentury, month, day) * DAY + time;
}

function hasMarks(text: string): boolean {
  return (
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[19] === '.' &&
    text[23] === 'Z'
  );
}

/** Negative if they are no digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** In the Gregorian calendar, years counted from March so that a leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}

/** 10^15 and the numbers below it are exact, so that dividing one by the other is rounded once, as by `Number`. */
const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
const MINUS = 45;
const POINT = 46;

/** The number that a text spells which is a number in JSON. */
export function numberOf(text: string): number {
  if (text.length > 15) return Number(text);
  const isNegative = text.charCodeAt(0) === MINUS;
  let digits = 0;
  let decimals = 0;
  for (let at = isNegative ? 1 : 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === POINT) decimals = text.length - 1 - at;
    else if (code >= ZERO && code <= ZERO + 9) digits = digits * 10 + code - ZERO;
    else return Number(text);
  }
  const size = digits / (POWERS[decimals] ?? 1);
  return isNegative ? -size : size;
}
