export { compareKeys, decodeTuple, encodeTuple, type KeyPart, keyName, kindRange, prefixRange } from './tuple.ts';
