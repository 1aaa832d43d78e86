export { compareKeys, decodeTuple, encodeTuple, type KeyPart, kindRange, prefixRange } from './tuple.ts';
