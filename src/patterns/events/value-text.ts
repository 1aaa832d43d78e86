import { anyValue } from '../shared/any-value.ts';

/** What events, commands and states hold, as text. */
export const { textOf: textOfValue, valueOf: valueOfText } = anyValue('event');
