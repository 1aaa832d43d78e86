export { compileCodec } from './compile.ts';
export { openRecord, sealRecord } from './envelope.ts';
export type { CodecOptions } from './plan.ts';
export { fieldNameProblem, schemaProblems } from './problems.ts';
export {
  type DecodedFields,
  type Envelope,
  OPERATION_ID_LENGTH,
  type OpenedRecord,
  type RecordCodec,
  type UnknownFields,
} from './record.ts';
