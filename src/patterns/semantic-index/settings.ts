import { milliseconds } from '../../core/duration.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { Shape } from '../../core/model/types.ts';
import { checkName, refuse } from '../shared/options.ts';
import { defaultAnalyzer } from './lexical/analyzer.ts';
import { settingsDigest } from './lexical/snapshot-codec.ts';
import type { Analyzer, HybridWeights, LexicalOptions, SemanticIndexOptions } from './types.ts';

/** What is found by words, checked. */
export interface LexicalSettings {
  /** And the weight of each. */
  readonly fields: Readonly<Record<string, number>>;
  readonly analyzer: Analyzer;
  readonly stopWords: ReadonlySet<string>;
  /** Milliseconds between two snapshots; `undefined`: none. */
  readonly snapshot: number | undefined;
  /** Of all that decides which words a text has. */
  readonly digest: string;
}

/** The options of a search, checked. */
export interface SearchSettings {
  readonly name: string;
  /** `undefined`: all of them. */
  readonly embedding: string | undefined;
  readonly lexical: LexicalSettings | undefined;
  /** From 0 to 1. */
  readonly lexicalWeight: number;
  readonly isLexicalWithoutEmbedder: boolean;
}

/** Errors: `argument.invalid`. */
export function settingsOf<S extends Shape>(model: EntityModel, options: SemanticIndexOptions<S>): SearchSettings {
  const { embedding, whenEmbedderFails = 'throw' } = options;
  const lexical = options.lexical && lexicalOf(model, options.lexical);
  if (embedding !== undefined && !model.embeddings.some(({ name }) => name === embedding)) {
    const names = model.embeddings.map(({ name }) => name).join(', ') || 'none';
    refuse('embedding', `${model.name} has no embedding ${embedding}; it has ${names}.`);
  }
  if (whenEmbedderFails !== 'throw' && whenEmbedderFails !== 'lexical') {
    refuse('whenEmbedderFails', "whenEmbedderFails is 'throw' or 'lexical'.");
  }
  if (whenEmbedderFails === 'lexical' && lexical === undefined) {
    refuse(
      'whenEmbedderFails',
      'To answer by words declare the fields that they are in: lexical: { fields: { title: 2, body: 1 } }.',
    );
  }
  return {
    name: checkName('SemanticIndex', options.name),
    embedding,
    lexical,
    lexicalWeight: weightOf(options.hybrid, lexical, DEFAULT_WEIGHT),
    isLexicalWithoutEmbedder: whenEmbedderFails === 'lexical',
  };
}

const DEFAULT_WEIGHT = 0.4;

/** How much words count in a search. Errors: `argument.invalid`. */
export function weightOf(
  hybrid: HybridWeights | undefined,
  lexical: LexicalSettings | undefined,
  otherwise: number,
): number {
  if (hybrid === undefined) return lexical === undefined ? 0 : otherwise;
  const weight = hybrid.lexical;
  if (!(weight >= 0 && weight <= 1)) {
    refuse('hybrid', 'hybrid: { lexical } is a number from 0, the vectors alone, to 1, the words alone.');
  }
  if (weight > 0 && lexical === undefined) {
    refuse(
      'hybrid',
      'To find by words declare the fields that they are in: lexical: { fields: { title: 2, body: 1 } }.',
    );
  }
  return weight;
}

const MAX_ANALYZER_ID = 100;

function lexicalOf<S extends Shape>(
  model: EntityModel,
  { fields, analyzer = defaultAnalyzer, stopWords = [], snapshot = {} }: LexicalOptions<S>,
): LexicalSettings {
  const weights: Record<string, number> = {};
  for (const [field, weight] of Object.entries<number | undefined>(fields)) {
    if (!model.fields.includes(field)) refuse('lexical.fields', `${model.name} has no field ${field}.`);
    if (weight === undefined || !(weight > 0 && weight < Number.POSITIVE_INFINITY)) {
      refuse('lexical.fields', `The weight of ${model.name}.${field} is a number above 0: 1 is usual.`);
    }
    weights[field] = weight;
  }
  const names = Object.keys(weights);
  if (names.length === 0) refuse('lexical.fields', 'lexical.fields names a field at least: { title: 2, body: 1 }.');
  const isAnalyzer = typeof analyzer.terms === 'function' && typeof analyzer.id === 'string' && analyzer.id !== '';
  if (!isAnalyzer || analyzer.id.length > MAX_ANALYZER_ID) {
    refuse('lexical.analyzer', "An analyzer has an id and a function: { id: 'english@1', terms: (text) => … }.");
  }
  if (!Array.isArray(stopWords)) refuse('lexical.stopWords', 'stopWords are a list of terms.');
  const every = snapshot === false ? undefined : milliseconds(snapshot.every ?? '10m', 'lexical.snapshot.every');
  if (every === 0) refuse('lexical.snapshot.every', 'Between two snapshots is more than nothing; false: none.');
  return {
    fields: weights,
    analyzer,
    stopWords: new Set(stopWords),
    snapshot: every,
    digest: settingsDigest(names, analyzer.id, stopWords),
  };
}
