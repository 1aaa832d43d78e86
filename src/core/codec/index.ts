export { compileCodec } from './compile.ts';
export { openRecord, sealRecord } from './envelope.ts';
export { isJsonObject } from './json.ts';
export type { CodecOptions } from './plan.ts';
export { fieldNameProblem, schemaProblems } from './problems.ts';
export {
  DERIVED_ID_LENGTH,
  type Envelope,
  OPERATION_ID_LENGTH,
  type OpenedRecord,
  type UnknownFields,
  VECTOR_ENTRY_LENGTH,
} from './record.ts';
