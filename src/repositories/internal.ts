// The door for blocks of this library that stand in front of a repository; `index.ts` is everybody's.
export { type Inside, insideOf } from './entity-repository.ts';
export { forEachItem } from './verbs/bulk.ts';
