import sortedBtree from 'sorted-btree';

// A CommonJS package: in Node its class sits on the default export's `default`; vitest hands out the class itself.
export const BTree = sortedBtree.default ?? (sortedBtree as unknown as typeof sortedBtree.default);
export type BTree<K, V> = InstanceType<typeof BTree<K, V>>;
