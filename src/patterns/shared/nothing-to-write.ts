/** What a function given to `mutate` throws when the record is as it should be: then nothing is written. */
export class NothingToWrite extends Error {
  constructor() {
    super('The record is as it should be.');
  }
}
