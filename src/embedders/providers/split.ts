/** The most that one call carries. */
export interface BatchLimits {
  readonly texts: number;
  readonly characters: number;
}

/** Cuts texts into batches, in order. A text that is too long for any batch goes alone. */
export function splitBatches(texts: readonly string[], limits: BatchLimits): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let characters = 0;
  for (const text of texts) {
    const isFull = batch.length === limits.texts || characters + text.length > limits.characters;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      characters = 0;
    }
    batch.push(text);
    characters += text.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
