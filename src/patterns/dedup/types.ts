import type { EntitySource, ShapeOf } from '../../core/model/types.ts';
import type { BlockCallOptions } from '../shared/options.ts';

/** The fields of an entity that can be compared: texts. */
export type TextFieldOf<Source> = {
  [K in keyof ShapeOf<Source>['entity'] & string]-?: NonNullable<ShapeOf<Source>['entity'][K]> extends string
    ? K
    : never;
}[keyof ShapeOf<Source>['entity'] & string];

/** What {@link Deduplicator.check} takes: the fields that are compared, or the text of the first of them. */
export type TextOf<Source> = string | { readonly [K in TextFieldOf<Source>]?: string | null | undefined };

/** What {@link Deduplicator.submit} takes: what the repository's `create` does. */
export type DocumentInput<Source extends EntitySource> = ShapeOf<Source>['input'];

/** How two documents were found to be one. `merged`: somebody said so. */
export type DuplicateKind = 'exact' | 'near' | 'semantic' | 'merged';

/** A document that was compared. */
export interface Match {
  readonly kind: DuplicateKind;
  /** Its id. It was read in this call, and holds what was compared. */
  readonly of: string;
  /** `exact`: 1. `near`: the Jaccard similarity of the shingles. `semantic`: the score of the embedding. `merged`: 1. */
  readonly score: number;
  /** The longest passages that both have, normalized; at most three, none of an exact copy. */
  readonly shared: readonly string[];
}

/** A document is a duplicate. */
export interface Duplicate extends Match {
  /** Names the cluster that it belongs to, or would. */
  readonly cluster: string;
  /** The document that stands for the cluster; not always `of`. */
  readonly canonical: string;
}

/** What became of a comparison. */
export type Verdict =
  | {
      readonly kind: 'unique';
      /** The most similar document that was compared, below its threshold or kept apart. */
      readonly nearest?: Match | undefined;
    }
  | Duplicate
  | {
      /** Too short to be compared: `minLength`. */
      readonly kind: 'tooShort';
    };

/** What became of a document that was submitted. */
export type Submitted = Verdict & {
  readonly id: string;
  /** Whether it is stored now; `false` only of a duplicate with `onDuplicate: 'reject'`. */
  readonly stored: boolean;
  /** This very text was submitted under this id before. */
  readonly replayed: boolean;
};

/** What happens to a duplicate: it is stored and joins the cluster; is not stored; or is stored in a cluster of its own. */
export type OnDuplicate = 'link' | 'reject' | 'store';

export interface SubmitOptions extends BlockCallOptions {
  /** Default `'link'`. */
  readonly onDuplicate?: OnDuplicate | undefined;
  /** Repeating the call with the same key, in any process, stores one document, also where the id is made for it. */
  readonly idempotencyKey?: string | undefined;
}

/** Documents that are one. */
export interface Cluster {
  /** As in the verdicts. Another one once clusters are merged. */
  readonly id: string;
  /** The document that stands for it. */
  readonly canonical: string;
  /** Every document in it, the canonical one first. */
  readonly members: readonly string[];
}

/** Two documents that are nearly similar enough. */
export interface ReviewPair {
  readonly one: string;
  readonly other: string;
  readonly kind: 'near' | 'semantic';
  readonly score: number;
  readonly shared: readonly string[];
}
