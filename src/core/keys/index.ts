export { compareKeys, decodeTuple, encodeTuple, type KeyPart, prefixRange } from './tuple.ts';
